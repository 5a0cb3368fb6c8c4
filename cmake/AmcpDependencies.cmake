# Debian's packages, found by pkg-config.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
include(AmcpGrpc)
pkg_check_modules(PROTOBUF_C REQUIRED IMPORTED_TARGET libprotobuf-c)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl)
pkg_check_modules(CJSON REQUIRED IMPORTED_TARGET libcjson)
pkg_check_modules(OPENSSL REQUIRED IMPORTED_TARGET openssl)
pkg_check_modules(MICROHTTPD REQUIRED IMPORTED_TARGET libmicrohttpd)
pkg_check_modules(GNUTLS REQUIRED IMPORTED_TARGET gnutls) # libmicrohttpd's own TLS
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3)
pkg_check_modules(LIBPQ REQUIRED IMPORTED_TARGET libpq)
pkg_check_modules(HIREDIS REQUIRED IMPORTED_TARGET hiredis)
if(AMCP_TESTS)
  pkg_check_modules(CUNIT QUIET IMPORTED_TARGET cunit)
  if(NOT CUNIT_FOUND)
    message(FATAL_ERROR "CUnit, which the tests need, is not installed. Install it (Debian: "
      "apt-get install libcunit1-dev, or deploy/install-deps.sh --tests), or build without the "
      "tests: -DAMCP_TESTS=OFF.")
  endif()
endif()
find_program(PROTOC protoc REQUIRED)
find_program(PROTOC_C protoc-c REQUIRED)
