drill_script(ticker LABEL integration TIMEOUT 300 COMMAND ${CMAKE_CURRENT_SOURCE_DIR}/ticker)
