# The part of run.sh that runs everything. While tests wait, the next build goes on beside them.

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-ignore_noninstrumented_modules=1:halt_on_error=0:exitcode=66}

began=$SECONDS
note() { printf '== %s (%d s)\n' "$*" $((SECONDS - began)); }
parts=() part= part_began=$SECONDS
# part NAME WHAT...: another part begins; the one before has ended.
part() {
  [[ -z $part ]] || parts+=("$part $((SECONDS - part_began)) s")
  part=$1 part_began=$SECONDS
  shift
  [[ $# == 0 ]] || note "$@"
}

passed=0 failed=0 skipped=0 failures=() skips=()

# build KIND TARGET...: configures and builds; the last lines of what went wrong.
build_kind() {
  local kind=$1 dir=$root/build-$1
  shift
  configure "$kind" || return 1
  ninja -C "$dir" "$@" >"$dir/build.log" 2>&1 || {
    grep -A 20 '^FAILED' "$dir/build.log" | head -n 40
    return 1
  }
}

builds=()
# build_beside KIND TARGET...: the same, behind the tests that run meanwhile.
build_beside() {
  beside build_kind "$@"
}

# beside COMMAND...: runs behind what runs meanwhile; join_builds waits for it.
beside() {
  (renice -n 10 $BASHPID >/dev/null && "$@") &
  builds+=($!)
}

# Waits for the builds that run beside.
join_builds() {
  local pid
  for pid in "${builds[@]}"; do
    wait "$pid" || { failed=$((failed + 1)) failures+=("a build, or the clients under test: see above"); }
  done
  builds=()
}

# test_kind KIND JOBS CTEST_ARGUMENTS...: runs tests of a build and adds to the totals.
test_kind() {
  local kind=$1 dir=$root/build-$1 jobs=$2 log line n bad test
  log=$dir/ctest.log
  local away
  shift 2
  ctest --test-dir "$dir" --output-on-failure --no-tests=error -j "$jobs" "$@" 2>&1 |
    grep --line-buffered -vE '^(Internal ctest|Test project| +Start |Label Time|$)|=.*sec\*proc' | tee "$log" || true
  line=$(grep -E 'tests passed, .* tests failed out of' "$log" || true)
  n=$(sed -nE 's/.*out of ([0-9]+).*/\1/p' <<<"$line")
  bad=$(sed -nE 's/.*, ([0-9]+) tests failed.*/\1/p' <<<"$line")
  away=$(grep -cE '\*\*\*Skipped' "$log" || true)
  failed=$((failed + ${bad:-1})) skipped=$((skipped + away)) passed=$((passed + ${n:-0} - ${bad:-0} - away))
  while read -r test; do skips+=("$test in build-$kind: tests/run.sh --again $test says why"); done < <(
    sed -nE 's/.*Test +#[0-9]+: ([a-z0-9_]+) \.*\*\*\*Skipped.*/\1/p' "$log")
  [[ -n $line ]] || failures+=("ctest in $dir")
  while read -r test; do failures+=("$test: tests/run.sh $test"); done < <(
    sed -nE 's/^[[:space:]]+[0-9]+ - ([a-z0-9_]+) \(.*/\1/p' <<<"$(sed -n '/The following tests FAILED/,$p' "$log")")
}

# fuzz_all SECONDS [OPTION...]
fuzz_all() {
  local log=$root/build-fuzz/fuzz.log line n bad
  mkdir -p "$root/build-fuzz"
  "$root/tests/fuzz/run.sh" --seconds "$@" 2>&1 | tee "$log" || true
  line=$(grep -E '^fuzz: [0-9]+ passed, [0-9]+ failed' "$log" || echo "fuzz: 0 passed, 1 failed")
  read -r _ n _ bad _ <<<"$line"
  passed=$((passed + n)) failed=$((failed + bad))
  ((bad == 0)) || failures+=("fuzzing: see above")
}

# deploy_part NAME COMMAND...: a script of its own totals, "N passed, N failed, N skipped", whose lines
# begin with ok, FAILED or skipped.
deploy_part() {
  local name=$1 log=$root/build-$1.log line n bad away
  shift
  "$@" 2>&1 | tee "$log" || true
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -n 1 || true)
  read -r n _ bad _ away _ <<<"${line:-0 passed, 1 failed, 0 skipped}"
  passed=$((passed + n)) failed=$((failed + bad)) skipped=$((skipped + away))
  [[ -n $line ]] || failures+=("$name: did not come to its end: ${*#"$root/"}")
  while read -r line; do failures+=("$name: $line: ${*#"$root/"}"); done < <(sed -n 's/^FAILED *//p' "$log")
  while read -r line; do skips+=("$name: $line"); done < <(sed -n 's/^skipped *//p' "$log")
}

# Images and chart. Stage b of the chart takes programs of Kubernetes that no other part needs: they
# are built for --all alone, else it runs where they are.
run_deploy() {
  local images=$root/tests/images/run.sh cluster=$root/tests/cluster/run.sh
  if $install && ((EUID == 0)); then "$root/deploy/install-deps.sh" --containers || true; fi
  part images "images and docker-compose.yml"
  if $all; then
    deploy_part images "$images" --cross --stage build --stage content --stage run --stage compose --stage docker
  else
    deploy_part images "$images"
  fi
  part chart "the chart, on an API server and with real pods"
  if $all; then deploy_part chart "$cluster" --all; else deploy_part chart "$cluster" --no-build-b; fi
}

finish() {
  local line
  join_builds
  part "" "done"
  (IFS=,; echo "parts:${parts[*]/#/ }")
  for line in "${failures[@]}"; do echo "FAILED $line"; done
  for line in "${skips[@]}"; do echo "skipped $line"; done
  echo "total: $passed passed, $failed failed, $skipped skipped"
  ((failed == 0))
}

# Tests wait more than they compute, so there are more of them at a time than cores; those that keep two
# cores busy at times count for two (PROCESSORS). Sanitizers compute more, and the next build goes on beside
# them.
run_all() {
  local ci=false sanitized=$((3 * jobs)) sanitized_sets=$((4 * jobs)) sets=$((6 * jobs)) threads=$((2 * jobs))
  if $all || [[ ${CI:-} == true ]]; then ci=true; fi
  [[ -z ${seed:-} ]] || note "random requests and messages of today: AMCP_RANDOM_SEED=$AMCP_RANDOM_SEED PBJSON_SEED=$PBJSON_SEED"
  part packages "packages"
  if $install; then "$root/deploy/install-deps.sh" --tests; fi
  if $ci || $asan; then run_sanitized; else run_release; fi
  if $ci && $deploy; then run_deploy; fi
  finish
}

# One build, and every test at once: what waits for time leaves the cores to what computes.
run_release() {
  part build "the release build; the clients under test beside it"
  beside clients
  build_kind release unit_tests room-e2e room-headers || exit 1
  join_builds
  part tests "unit tests and end-to-end tests against the release build"
  test_kind release "$sets"
}

run_sanitized() {
  part build "build with AddressSanitizer and UndefinedBehaviorSanitizer; the clients under test beside it"
  beside clients
  build_kind asan unit_tests || exit 1
  part unit "unit tests; the release build beside them"
  build_beside release room-e2e room-headers
  if $ci; then
    test_kind asan "$sanitized" -LE e2e
    run_ci
  else
    test_kind asan "$sanitized" -LE e2e
    part "release build" "the rest of the release build"
    join_builds
    part e2e "end-to-end tests against the release build"
    test_kind release "$sets" -L 'e2e|room:headers'
  fi
}

# Everything under every build: the release build is proved by its headers and its programs being built; the
# tests themselves run under AddressSanitizer. The builds that tests do not wait for go on beside them. The
# simulator of the release build plays Google, but in the long run.
run_ci() {
  part "e2e build" "the programs of the end-to-end tests with AddressSanitizer"
  build_kind asan room-e2e || exit 1
  join_builds
  $all || export AMCP_SIM=$root/build-release/bin/ga4-sim
  part e2e "end-to-end tests under AddressSanitizer; the ThreadSanitizer build beside them"
  build_beside tsan tsan_tests
  test_kind asan "$sanitized_sets" -L e2e
  part "other builds" "the rest of the ThreadSanitizer build"
  join_builds
  test_kind release "$sets" -L room:headers
  part "TSan tests" "tests that start threads, under ThreadSanitizer; the build of the fuzz targets beside them"
  beside "$root/tests/fuzz/run.sh" --build
  test_kind tsan "$threads" -L tsan
  part "fuzz build" "the rest of the build of the fuzz targets"
  join_builds
  part fuzz "fuzz targets"
  if $all; then fuzz_all "${FUZZ_SECONDS:-60}"; else
    fuzz_all "${FUZZ_SECONDS:-10}" --changed-seconds 60 --changed-total 120 --base "${CI_BASE:-origin/main}"
  fi
}
