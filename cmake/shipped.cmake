# The build of the images, which the benchmarks measure, too: cmake -C cmake/shipped.cmake [OPTION...].
# Nothing that only a debugger or a C++ exception would look for. What is not reached is left out, and the
# many addresses in the tables of messages are packed: they are read as a program starts.
set(CMAKE_BUILD_TYPE Release CACHE STRING "" FORCE)
set(CMAKE_C_FLAGS_RELEASE "-O2 -DNDEBUG -ffunction-sections -fdata-sections -fno-asynchronous-unwind-tables -fno-unwind-tables"
  CACHE STRING "" FORCE)
set(CMAKE_EXE_LINKER_FLAGS "-Wl,--gc-sections -Wl,-z,noseparate-code -Wl,-z,pack-relative-relocs" CACHE STRING "" FORCE)
# gRPC and its C++ are linked in, without what is not used: 4 MB less of each process and of each image than
# with the shared libraries.
set(AMCP_STATIC_GRPC ON CACHE BOOL "" FORCE)
set(AMCP_TESTS OFF CACHE BOOL "" FORCE)
set(AMCP_WERROR OFF CACHE BOOL "" FORCE)
