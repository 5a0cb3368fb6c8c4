#!/usr/bin/env bash
# Runs every fuzz target for a while, two at a time, and says what each found.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
  cat <<USAGE
Usage: tests/fuzz/run.sh [--seconds N] [--build-dir DIR] [--keep DIR] [TARGET...]

Builds the fuzz targets with clang (libFuzzer, AddressSanitizer, UndefinedBehaviorSanitizer) and
runs all of them, or those named, N seconds each (default 60), two at a time, from the seeds in
tests/fuzz/corpus; when all run, those that read no secret and no credential get two thirds of it.
Prints executions and coverage; fails when an input breaks a target and keeps
that input in the folder of --keep (default BUILD_DIR/fuzz/found).

  tests/fuzz/run.sh --seconds 86400 jwt       a long run of one target; what it learns stays in
                                              BUILD_DIR/fuzz/learned/jwt and is used the next time
  BUILD_DIR/fuzz/fuzz_jwt FILE                runs one kept input again
USAGE
}

seconds=60 build=$root/build-fuzz keep=
while (($# > 0)); do
  case "$1" in
  --seconds) seconds=$2; shift ;;
  --build-dir) build=$2; shift ;;
  --keep) keep=$2; shift ;;
  --help | -h) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
  *) break ;;
  esac
  shift
done
[[ $seconds =~ ^[1-9][0-9]*$ ]] || { echo "run.sh: --seconds takes a number of seconds" >&2; exit 2; }
keep=${keep:-$build/fuzz/found}

launcher=()
if command -v ccache >/dev/null; then launcher=(-DCMAKE_C_COMPILER_LAUNCHER=ccache); fi
cmake -G Ninja -S "$root" -B "$build" -DCMAKE_C_COMPILER=clang -DAMCP_FUZZ=ON -DAMCP_WERROR=OFF \
  -DAMCP_SANITIZE=address "${launcher[@]}" >/dev/null
ninja -C "$build" fuzz_targets | tail -n 1

# Targets that get less time when all run, so that the whole takes six minutes.
shorter=' rows json pbjson unpack grant mcp http_policy '
(($# == 0)) || shorter=

targets=("$@")
if ((${#targets[@]} == 0)); then
  for file in "$build"/fuzz/fuzz_*; do
    [[ -x $file && -f $file ]] && targets+=("${file##*/fuzz_}")
  done
fi
mkdir -p "$build/fuzz/log" "$keep"

# One target: seeds are read, what is new goes to the folder named first.
fuzz() {
  local name=$1 learned=$build/fuzz/learned/$1 dict=$root/tests/fuzz/$1.dict time=$seconds
  [[ $shorter == *" $name "* ]] && time=$(((seconds * 2 + 2) / 3))
  local options=(-max_total_time="$time" -timeout=10 -rss_limit_mb=2048 -max_len=16384
    -print_final_stats=1 -artifact_prefix="$keep/$name-")
  [[ -f $dict ]] && options+=(-dict="$dict")
  mkdir -p "$learned"
  "$build/fuzz/fuzz_$name" "${options[@]}" "$learned" "$root/tests/fuzz/corpus/$name" \
    >"$build/fuzz/log/$name" 2>&1
}

# The figures of a target's log on one line.
tell() {
  local name=$1 log=$build/fuzz/log/$1 first last execs
  first=$(grep -oE 'INITED cov: [0-9]+' "$log" | tail -n 1 | grep -oE '[0-9]+$' || echo 0)
  last=$(grep -oE ' cov: [0-9]+' "$log" | tail -n 1 | grep -oE '[0-9]+$' || echo 0)
  execs=$(sed -nE 's/stat::number_of_executed_units: +//p' "$log")
  printf '%-14s %10s runs, coverage %5d, %d of it new, %s\n' "$name" "${execs:-?}" "$last" \
    $((last - first)) "$2"
}

passed=0 failed=0
finish() { # pid name
  if wait "$1"; then
    tell "$2" "nothing found"
    passed=$((passed + 1))
  else
    tell "$2" "FAILED"
    grep -vE '^(#[0-9]|INFO|stat::|NEW)' "$build/fuzz/log/$2" | tail -n 40
    failed=$((failed + 1))
  fi
}

pids=() names=()
for name in "${targets[@]}"; do
  [[ -x $build/fuzz/fuzz_$name ]] || { echo "run.sh: there is no target $name" >&2; exit 2; }
  if ((${#pids[@]} == 2)); then
    finish "${pids[0]}" "${names[0]}"
    pids=("${pids[@]:1}") names=("${names[@]:1}")
  fi
  fuzz "$name" &
  pids+=($!) names+=("$name")
done
for i in "${!pids[@]}"; do finish "${pids[$i]}" "${names[$i]}"; done
echo "fuzz: $passed passed, $failed failed"
((failed == 0))
