# Amcp::grpc, which common/rpc stands on: Debian's shared libraries, or with AMCP_STATIC_GRPC the archives
# of gRPC, of what is only gRPC's (Abseil, RE2, upb) and of libstdc++. --gc-sections then drops what is not
# reached: for the images, 4 MB less than the shared ones. OpenSSL, c-ares and zlib stay shared.
option(AMCP_STATIC_GRPC "Link gRPC and its C++ libraries from archives" OFF)

add_library(amcp_grpc INTERFACE)
add_library(Amcp::grpc ALIAS amcp_grpc)
if(NOT AMCP_STATIC_GRPC)
  # Not by pkg-config, which takes seconds over what gRPC stands on, seventy libraries that nothing of ours
  # calls and that a linker would open for each of three hundred programs.
  find_path(GRPC_INCLUDE_DIR grpc/grpc.h REQUIRED)
  target_include_directories(amcp_grpc SYSTEM INTERFACE ${GRPC_INCLUDE_DIR})
  target_link_libraries(amcp_grpc INTERFACE grpc gpr)
  return()
endif()
pkg_check_modules(GRPC REQUIRED grpc)

# amcp_archive(OUT NAME): the path of libNAME.a, where the compiler finds it
function(amcp_archive out name)
  execute_process(COMMAND ${CMAKE_C_COMPILER} -print-file-name=lib${name}.a
    OUTPUT_VARIABLE path OUTPUT_STRIP_TRAILING_WHITESPACE)
  if(NOT IS_ABSOLUTE "${path}")
    message(FATAL_ERROR "AMCP_STATIC_GRPC: lib${name}.a is not installed")
  endif()
  set(${out} ${path} PARENT_SCOPE)
endfunction()

set(archives "")
set(shared "")
foreach(name IN LISTS GRPC_STATIC_LIBRARIES ITEMS stdc++)
  if(name MATCHES "^(absl_.*|grpc|gpr|upb|re2|address_sorting|stdc\\+\\+)$")
    amcp_archive(path ${name})
    list(APPEND archives ${path})
  else()
    list(APPEND shared ${name})
  endif()
endforeach()
list(REMOVE_DUPLICATES archives)
list(REMOVE_DUPLICATES shared)
target_link_libraries(amcp_grpc INTERFACE "$<LINK_GROUP:RESCAN,${archives}>" ${shared} m)
target_link_options(amcp_grpc INTERFACE -static-libgcc)
# Images name the packages of these (deploy/image-root.sh).
amcp_archive(path gcc_eh)
list(APPEND archives ${path})
file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/archives.txt CONTENT "$<JOIN:${archives},\n>\n")
