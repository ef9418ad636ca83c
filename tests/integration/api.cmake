# The embedded API server under the client that people have, and under what they and the network do to it.
drill_script(api_kubectl LABEL integration TIMEOUT 240 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/api_kubectl)
# It looks at times and counts threads: the sanitizers' run-time changes both.
if(NOT PSMDB_DRILL_SANITIZE)
  drill_script(api_robust LABEL integration TIMEOUT 300 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/api_robust)
endif()
drill_script(api_hostile LABEL integration TIMEOUT 180 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/api_hostile)
# Two busy sandboxes: not under the sanitizers, for the reason that operator.cmake gives.
if(NOT PSMDB_DRILL_SANITIZE)
  drill_script(scale LABEL integration TIMEOUT 300 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/scale)
endif()
