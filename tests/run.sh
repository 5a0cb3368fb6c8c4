#!/usr/bin/env bash
# Installs what is missing, builds with sanitizers, runs every test and ends with the totals.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

usage() {
  cat <<USAGE
Usage: tests/run.sh [--no-install] [--no-tsan] [--no-fuzz] [ctest arguments...]

Builds with AddressSanitizer and UndefinedBehaviorSanitizer into build-asan and runs every test
under ctest; then builds with ThreadSanitizer into build-tsan and runs the tests of the rooms that own
threads (label tsan); then runs every fuzz target for FUZZ_SECONDS (60 when CI=true, else 10). Ends
with the time of each part and the totals; exit 0 only if all passed.

  tests/run.sh -R rpc        only tests whose name contains "rpc" (no ThreadSanitizer, no fuzzing)
  tests/run.sh --no-tsan     without the ThreadSanitizer run
  tests/run.sh --no-fuzz     without fuzzing
USAGE
}

install=true tsan=true fuzz=true
while (($# > 0)); do
  case "$1" in
  --no-install) install=false ;;
  --no-tsan) tsan=false ;;
  --no-fuzz) fuzz=false ;;
  --help | -h) usage; exit 0 ;;
  *) break ;;
  esac
  shift
done
(($# == 0)) || tsan=false fuzz=false

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

if $install; then
  part packages "packages"
  "$root/deploy/install-deps.sh" --tests
fi

part clients "clients under test"
e2e=$root/tests/e2e
stamp=$e2e/node_modules/.lock-sum
if [[ $(sha256sum <"$e2e/package-lock.json") != "$(cat "$stamp" 2>/dev/null)" ]]; then
  (cd "$e2e" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  sha256sum <"$e2e/package-lock.json" >"$stamp"
fi

export ASAN_OPTIONS=${ASAN_OPTIONS:-detect_leaks=1:abort_on_error=0:strict_string_checks=1}
export UBSAN_OPTIONS=${UBSAN_OPTIONS:-print_stacktrace=1}
export TSAN_OPTIONS=${TSAN_OPTIONS:-ignore_noninstrumented_modules=1:halt_on_error=0:exitcode=66}

passed=0 failed=0
# Runs ctest in a build directory and adds to the totals.
run_ctest() {
  local dir=$1 log status=0
  shift
  log=$dir/ctest.log
  # Most of a test's time is waiting: half as many again as there are cores. Those that keep two
  # cores busy say so (PROCESSORS), so two of them never run side by side on two cores.
  (cd "$dir" && ctest --output-on-failure --no-tests=error -j $((jobs + (jobs + 1) / 2)) "$@") |
    tee "$log" || status=$?
  local line n bad
  line=$(grep -E 'tests passed, .* tests failed out of' "$log" || true)
  n=$(sed -nE 's/.*out of ([0-9]+).*/\1/p' <<<"$line")
  bad=$(sed -nE 's/.*, ([0-9]+) tests failed.*/\1/p' <<<"$line")
  failed=$((failed + ${bad:-1}))
  passed=$((passed + ${n:-0} - ${bad:-0}))
  return "$status"
}

# Line tables are all that a sanitizer's report needs; lld links in a quarter of GNU ld's time.
speed=(-DCMAKE_BUILD_TYPE=RelWithDebInfo)
if command -v ld.lld >/dev/null; then speed+=(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld); fi

part build "build with AddressSanitizer and UndefinedBehaviorSanitizer"
cmake -G Ninja -S "$root" -B "$root/build-asan" "${speed[@]}" \
  -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O2 -g1 -DNDEBUG" -DAMCP_SANITIZE=address >/dev/null
ninja -C "$root/build-asan" >"$root/build-asan/build.log" || {
  tail -n 20 "$root/build-asan/build.log"
  exit 1
}
part tests "tests"
ok=true
run_ctest "$root/build-asan" "$@" || ok=false

if $tsan; then
  part "TSan build" "build with ThreadSanitizer"
  # The build before has seen the warnings.
  cmake -G Ninja -S "$root" -B "$root/build-tsan" "${speed[@]}" \
    -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g1 -DNDEBUG" -DAMCP_SANITIZE=thread \
    -DAMCP_WERROR=OFF >/dev/null
  if ninja -C "$root/build-tsan" tsan_tests >"$root/build-tsan/build.log"; then
    part "TSan tests" "tests of the rooms that own threads, under ThreadSanitizer"
    run_ctest "$root/build-tsan" -L tsan || ok=false
  else
    tail -n 20 "$root/build-tsan/build.log"
    failed=$((failed + 1)) ok=false
  fi
fi

if $fuzz; then
  fuzz_seconds=${FUZZ_SECONDS:-10}
  [[ ${CI:-} == true ]] && fuzz_seconds=${FUZZ_SECONDS:-60}
  part fuzz "fuzz targets, $fuzz_seconds s each"
  mkdir -p "$root/build-fuzz"
  log=$root/build-fuzz/fuzz.log
  "$root/tests/fuzz/run.sh" --seconds "$fuzz_seconds" 2>&1 | tee "$log" || ok=false
  line=$(grep -E '^fuzz: [0-9]+ passed, [0-9]+ failed' "$log" || echo "fuzz: 0 passed, 1 failed")
  read -r _ n _ bad _ <<<"$line"
  passed=$((passed + n)) failed=$((failed + bad))
fi

part "" "done"
(IFS=,; echo "parts:${parts[*]/#/ }")
echo "total: $passed passed, $failed failed"
$ok && ((failed == 0))
