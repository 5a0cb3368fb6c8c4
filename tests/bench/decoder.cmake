# Row decoder against cJSON on one body.
amcp_program(bench_decoder SOURCES ${CMAKE_CURRENT_LIST_DIR}/bench_decoder.c
  DEPS report_rows base PkgConfig::CJSON)
