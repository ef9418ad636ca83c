if(TARGET psmdb-ticker AND NOT PSMDB_DRILL_SANITIZE)
  drill_script(shard LABEL integration TIMEOUT 200 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/ticker_python shard.py)
endif()
