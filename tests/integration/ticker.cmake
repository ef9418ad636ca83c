if(TARGET psmdb-ticker)
  drill_script(ticker LABEL integration TIMEOUT 300 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/ticker)
  # under the thread sanitizer, those cases in which threads meet
  if(PSMDB_DRILL_SANITIZE MATCHES thread)
    drill_script(ticker LABEL threads TIMEOUT 180 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/ticker --threads)
  endif()
endif()
