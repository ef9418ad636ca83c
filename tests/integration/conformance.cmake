# The embedded API server answers as a real one was recorded to: tests/conformance.
drill_script(conformance LABEL integration TIMEOUT 300 COMMAND ${PROJECT_SOURCE_DIR}/tests/conformance/conformance)
