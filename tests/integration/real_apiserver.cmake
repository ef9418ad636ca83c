# psmdb-sandbox up --apiserver real, where kube-apiserver, kube-controller-manager and etcd are found.
# Not under the sanitizers: its operator is a pod, see operator.cmake.
if(PSMDB_DRILL_SANITIZE)
  return()
endif()
drill_script(real_apiserver LABEL integration TIMEOUT 300 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/real_apiserver)
set_tests_properties(integration/real_apiserver PROPERTIES LABELS "integration;nightly")
