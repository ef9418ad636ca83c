add_executable(test_integration_kasten kasten_test.c kasten_elsewhere.c kasten_story.c ${PROJECT_SOURCE_DIR}/tests/support/kube_api_fixture.c)
target_link_libraries(test_integration_kasten PRIVATE drill_kube weed_fixture)
target_compile_definitions(test_integration_kasten PRIVATE PSMDB_SANDBOX="$<TARGET_FILE:psmdb-sandbox>"
  CRDS="${PROJECT_SOURCE_DIR}/sandbox/crds"
  MANIFESTS="${PROJECT_SOURCE_DIR}/manifests")
add_dependencies(test_integration_kasten psmdb-sandbox)
drill_script(kasten LABEL integration TIMEOUT 400 COMMAND $<TARGET_FILE:test_integration_kasten>)
