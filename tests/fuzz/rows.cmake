# Fuzz target of the row decoder (clang, AMCP_FUZZ=ON).
add_executable(fuzz_rows ${CMAKE_CURRENT_LIST_DIR}/fuzz_rows.c)
target_compile_options(fuzz_rows PRIVATE -fsanitize=fuzzer)
target_link_options(fuzz_rows PRIVATE -fsanitize=fuzzer)
target_link_libraries(fuzz_rows PRIVATE amcp_flags report_rows)
