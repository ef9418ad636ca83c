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
# A program of its own, for the thread sanitizer; without it, too, so that it does not rot.
add_executable(test_integration_api_threads api_threads_test.c)
target_link_libraries(test_integration_api_threads PRIVATE drill_api)
drill_script(api_threads LABEL integration TIMEOUT 180 COMMAND $<TARGET_FILE:test_integration_api_threads>)
if(PSMDB_DRILL_SANITIZE MATCHES thread)
  drill_script(api_threads LABEL threads TIMEOUT 300 COMMAND $<TARGET_FILE:test_integration_api_threads>)
endif()
