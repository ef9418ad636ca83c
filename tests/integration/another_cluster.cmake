# Not under the sanitizers, for the reason that operator.cmake gives.
if(PSMDB_DRILL_SANITIZE)
  return()
endif()
drill_script(another_cluster LABEL integration TIMEOUT 500 COMMAND ${PROJECT_SOURCE_DIR}/tests/e2e/python ${CMAKE_CURRENT_SOURCE_DIR}/another_cluster_test.py)
set_tests_properties(integration/another_cluster PROPERTIES COST 110)
