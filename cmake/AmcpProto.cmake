# Generated code: protobuf-c messages, and the descriptor set that reflection
# serves. All of it stays in the build tree.
set(AMCP_GEN_DIR ${CMAKE_BINARY_DIR}/gen)
pkg_get_variable(AMCP_WKT_DIR protobuf includedir)
if(NOT AMCP_WKT_DIR)
  set(AMCP_WKT_DIR /usr/include)
endif()

# amcp_proto_sources(OUT_VAR ROOT file.proto...): protobuf-c code for files named
# relative to ROOT.
function(amcp_proto_sources out root)
  set(sources)
  foreach(proto ${ARGN})
    string(REGEX REPLACE "\\.proto$" "" stem ${proto})
    set(c ${AMCP_GEN_DIR}/${stem}.pb-c.c)
    set(h ${AMCP_GEN_DIR}/${stem}.pb-c.h)
    # protoc-c cannot make a path relative when two roots match: name each once.
    set(includes -I${root})
    if(NOT root STREQUAL AMCP_WKT_DIR)
      list(APPEND includes -I${AMCP_WKT_DIR})
    endif()
    add_custom_command(OUTPUT ${c} ${h}
      COMMAND ${CMAKE_COMMAND} -E make_directory ${AMCP_GEN_DIR}
      COMMAND ${PROTOC_C} ${includes} --c_out=${AMCP_GEN_DIR} ${root}/${proto}
      DEPENDS ${root}/${proto} VERBATIM)
    list(APPEND sources ${c})
  endforeach()
  set(${out} ${sources} PARENT_SCOPE)
endfunction()
