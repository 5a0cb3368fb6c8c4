# Fuzz targets of the keyring and of sealed dealers files (clang, AMCP_FUZZ=ON).
foreach(name keyring sealed)
  add_executable(fuzz_${name} ${CMAKE_CURRENT_LIST_DIR}/fuzz_${name}.c)
  target_compile_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_options(fuzz_${name} PRIVATE -fsanitize=fuzzer)
  target_link_libraries(fuzz_${name} PRIVATE amcp_flags auth_core)
endforeach()
