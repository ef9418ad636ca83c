add_executable(test_integration_kubelet kubelet_test.c ${PROJECT_SOURCE_DIR}/tests/support/kube_api_fixture.c)
target_link_libraries(test_integration_kubelet PRIVATE drill_kubelet)
target_compile_definitions(test_integration_kubelet PRIVATE PSMDB_SANDBOX="$<TARGET_FILE:psmdb-sandbox>"
  CRDS="${PROJECT_SOURCE_DIR}/sandbox/crds")
add_dependencies(test_integration_kubelet psmdb-sandbox psmdb-ticker)
drill_script(kubelet LABEL integration TIMEOUT 200 COMMAND $<TARGET_FILE:test_integration_kubelet>)
