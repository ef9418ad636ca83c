drill_unit(parts LABEL integration TIMEOUT 300 SOURCES ${CMAKE_CURRENT_LIST_DIR}/parts_test.c USES drill_parts)
target_compile_definitions(test_parts PRIVATE PSMDB_SANDBOX="$<TARGET_FILE:psmdb-sandbox>")
add_dependencies(test_parts psmdb-sandbox)
