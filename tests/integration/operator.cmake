# Not under the sanitizers: nss_wrapper, which is loaded before the pods' programs, does not get along with their run-time.
if(PSMDB_DRILL_SANITIZE)
  return()
endif()
drill_script(operator LABEL integration TIMEOUT 400 COMMAND ${PROJECT_SOURCE_DIR}/tests/e2e/python ${CMAKE_CURRENT_SOURCE_DIR}/operator_test.py)
set_tests_properties(integration/operator PROPERTIES COST 100)
