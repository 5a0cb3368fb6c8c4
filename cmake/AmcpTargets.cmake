# Flags and helpers every target of ours is built with.
set(ranges_unknown $<OR:$<NOT:$<CONFIG:Release,RelWithDebInfo,MinSizeRel>>,$<BOOL:${AMCP_SANITIZE}>,$<BOOL:$<TARGET_PROPERTY:AMCP_TEST_CODE>>>)
add_library(amcp_flags INTERFACE)
target_include_directories(amcp_flags INTERFACE ${CMAKE_SOURCE_DIR})
target_compile_definitions(amcp_flags INTERFACE
  _GNU_SOURCE AMCP_VERSION="${PROJECT_VERSION}")
target_compile_options(amcp_flags INTERFACE
  -Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wconversion -Wformat=2
  -Wundef -Wpointer-arith -Wwrite-strings -Wvla
  -fno-common -fstack-protector-strong
  $<$<C_COMPILER_ID:Clang>:-Wno-format-nonliteral>
  # What gcc knows of ranges is lost between the checks of a sanitizer, and without the optimiser.
  $<$<AND:$<C_COMPILER_ID:GNU>,${ranges_unknown}>:-Wno-format-truncation>
  $<$<BOOL:${AMCP_WERROR}>:-Werror>)
target_link_options(amcp_flags INTERFACE -Wl,-z,relro,-z,now -Wl,--as-needed)
target_link_libraries(amcp_flags INTERFACE Threads::Threads)

# Code of the tests themselves: of no interest to the optimiser, nor to UndefinedBehaviorSanitizer. Half of
# what compiling a test takes is theirs. tests/CMakeLists.txt sets it.
define_property(TARGET PROPERTY AMCP_TEST_CODE INITIALIZE_FROM_VARIABLE AMCP_TEST_CODE)
set(product_only $<NOT:$<BOOL:$<TARGET_PROPERTY:AMCP_TEST_CODE>>>)

# Sanitizers and hardening apply to generated code too.
add_library(amcp_codegen_flags INTERFACE)
if(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT AMCP_FUZZ)
  target_compile_options(amcp_codegen_flags INTERFACE $<$<BOOL:$<TARGET_PROPERTY:AMCP_TEST_CODE>>:-O0>)
endif()
if(AMCP_SANITIZE STREQUAL "address")
  target_compile_options(amcp_codegen_flags INTERFACE -fsanitize=address $<${product_only}:-fsanitize=undefined>
    -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(amcp_codegen_flags INTERFACE -fsanitize=address,undefined)
elseif(AMCP_SANITIZE STREQUAL "thread")
  target_compile_options(amcp_codegen_flags INTERFACE
    -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(amcp_codegen_flags INTERFACE -fsanitize=thread)
elseif(CMAKE_BUILD_TYPE MATCHES "Rel" AND NOT AMCP_FUZZ)
  target_compile_options(amcp_codegen_flags INTERFACE -U_FORTIFY_SOURCE $<${product_only}:-D_FORTIFY_SOURCE=2>)
endif()
if(AMCP_FUZZ) # what libFuzzer steers by; the targets bring its main (tests/fuzz)
  if(NOT CMAKE_C_COMPILER_ID STREQUAL "Clang" OR NOT AMCP_SANITIZE STREQUAL "address")
    message(FATAL_ERROR "AMCP_FUZZ needs -DCMAKE_C_COMPILER=clang -DAMCP_SANITIZE=address")
  endif()
  target_compile_options(amcp_codegen_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()
target_link_libraries(amcp_flags INTERFACE amcp_codegen_flags)

# amcp_library(NAME SOURCES file... [DEPS target...]): a static library of ours.
function(amcp_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_library(${name} STATIC ${ARG_SOURCES})
  target_link_libraries(${name} PUBLIC amcp_flags ${ARG_DEPS})
endfunction()

# amcp_program(NAME SOURCES file... [DEPS target...]): a program, put into bin/.
function(amcp_program name)
  cmake_parse_arguments(ARG "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE amcp_flags ${ARG_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# What the ThreadSanitizer run builds: the tests of the rooms that own threads, label tsan, but those that
# start none, by their rooms and by their names. The harness fails one of these that does.
add_custom_target(tsan_tests)
set(AMCP_TSAN_TESTS "^test_(base|trace|otlp|http|rpc|status|gateway|auth|report|aggregate)_")
set(AMCP_UNTHREADED_ROOMS "^(aggregate/(answer|disclosure|figures|period|stats|suspect|vehicle|verdict|words)\
|auth/(dealers|grant|secret)|gateway/(apps|arguments|catalog|connect|seal|status)\
|report/(request|rows))(/|$)")
set(AMCP_UNTHREADED "^test_(aggregate_tool|auth_credential_sigv4|auth_identity_(bearer|issuers|mapping|policies|scopes)\
|base_(arena|buf|clock|codec|config|descriptors|error|hash|json|map|nearest|table|words)\
|gateway_(answer|choice|parts|mcp_(complete|era|library|modern|offers|opened|question|server|stream|tools)|policy|proxies|share_busy|share_log)\
|http_(due|listen|retry_after|sockets|url)|otlp_pairs|rpc_deadline\
|report_(answer|ask_answer|benchmark|budget|cache|ended|google_error|shared_url))$")

# Every unit test program, and the replay of the fuzz targets' seeds.
add_custom_target(unit_tests)

# Tests of five seconds and more: they begin first, also where no run has been measured yet.
set(AMCP_LONG_TESTS "^test_(isolation|sim_(identity|world|plants)|auth_(cli_(commands|program|keys_program)|connect_replicas|token)\
|rpc_(names|outage|tls)|report_(fetch_reports|run_report)|http_(admin|hammer)|pbjson_roundtrip|hardening_programs\
|aggregate_(postgres|service)|gateway_(app|listener|outage)|service_healthcheck)")

# amcp_room_test(TEST ROOM [PROGRAM target] [NEEDS target...] [SOURCES file...]): TEST, known to ctest, is of ROOM
# ("auth/token": the folder under tests/unit, or under tests). Every folder on the way is a ninja
# target (room-auth, room-auth-token) that builds what its tests need, and a ctest label (room:auth,
# room:auth/token). tests/run.sh reads the list of all, which amcp_write_rooms()
# writes.
function(amcp_room_test test room)
  cmake_parse_arguments(ARG "" "PROGRAM" "NEEDS;SOURCES" ${ARGN})
  list(APPEND ARG_NEEDS ${ARG_PROGRAM})
  set(at "")
  string(REPLACE "/" ";" folders "${room}")
  foreach(folder ${folders})
    string(APPEND at "/${folder}")
    string(SUBSTRING "${at}" 1 -1 name)
    string(REPLACE "/" "-" target "room-${name}")
    if(NOT TARGET ${target})
      add_custom_target(${target})
    endif()
    if(ARG_NEEDS)
      add_dependencies(${target} ${ARG_NEEDS})
    endif()
    set_property(TEST ${test} APPEND PROPERTY LABELS "room:${name}")
  endforeach()
  list(JOIN ARG_NEEDS " " needs)
  list(JOIN ARG_SOURCES " " sources)
  set(path "")
  if(ARG_PROGRAM)
    set(path $<TARGET_FILE:${ARG_PROGRAM}>)
  endif()
  set_property(GLOBAL APPEND_STRING PROPERTY AMCP_ROOMS
    "${test}|${room}|${needs}|${path}|${sources}\n")
endfunction()

# Writes tests/rooms.txt of the build tree, a line per test: TEST|ROOM|TARGETS|PROGRAM|SOURCES.
function(amcp_write_rooms)
  get_property(lines GLOBAL PROPERTY AMCP_ROOMS)
  file(GENERATE OUTPUT ${CMAKE_BINARY_DIR}/tests/rooms.txt CONTENT "${lines}")
endfunction()

# amcp_test(NAME SOURCES file... [DEPS target...]): a CUnit program known to ctest. Its room is the
# folder of its first source under tests/unit.
function(amcp_test name)
  cmake_parse_arguments(ARG "" "TIMEOUT" "SOURCES;DEPS" ${ARGN})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 300) # for a machine that is busy with something else
  endif()
  if(NOT name MATCHES "^test_[a-z0-9]+(_[a-z0-9]+)+$")
    message(FATAL_ERROR "${name}: test programs are named test_<service>_<subject>")
  endif()
  list(GET ARG_SOURCES 0 first)
  get_filename_component(folder ${first} ABSOLUTE)
  get_filename_component(folder ${folder} DIRECTORY)
  file(RELATIVE_PATH room ${CMAKE_SOURCE_DIR}/tests/unit ${folder})
  add_executable(${name} ${ARG_SOURCES})
  target_link_libraries(${name} PRIVATE amcp_flags amcp_test_harness ${ARG_DEPS})
  target_compile_definitions(${name} PRIVATE AMCP_TEST_ROOM="${room}")
  add_test(NAME ${name} COMMAND ${name})
  # The program ends itself a little earlier than ctest would: it can say where it stood.
  math(EXPR seconds "${ARG_TIMEOUT} - 5")
  set_tests_properties(${name} PROPERTIES TIMEOUT ${ARG_TIMEOUT} LABELS unit
    ENVIRONMENT_MODIFICATION AMCP_TEST_SECONDS=set:${seconds})
  list(TRANSFORM ARG_SOURCES PREPEND ${CMAKE_CURRENT_SOURCE_DIR}/ REGEX "^[^/]"
    OUTPUT_VARIABLE sources)
  amcp_room_test(${name} ${room} PROGRAM ${name} SOURCES ${sources})
  add_dependencies(unit_tests ${name})
  if(name MATCHES ${AMCP_LONG_TESTS})
    set_tests_properties(${name} PROPERTIES COST 15)
  endif()
  if(NOT name MATCHES ${AMCP_TSAN_TESTS})
    return()
  endif()
  if(room MATCHES ${AMCP_UNTHREADED_ROOMS} OR name MATCHES ${AMCP_UNTHREADED})
    set_property(TEST ${name} APPEND PROPERTY ENVIRONMENT_MODIFICATION AMCP_TEST_UNTHREADED=set:1)
  # Tests that start programs give them an environment of their own, without TSAN_OPTIONS.
  elseif(NOT name MATCHES "_(program|simulator)$")
    add_dependencies(tsan_tests ${name})
    set_property(TEST ${name} APPEND PROPERTY LABELS tsan)
  endif()
endfunction()
