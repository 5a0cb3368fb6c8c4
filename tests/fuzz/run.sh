#!/usr/bin/env bash
# Runs every fuzz target for a while, three at a time for two cores, and says what each found and how
# far it came.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

usage() {
  cat <<USAGE
Usage: tests/fuzz/run.sh [OPTION...] [TARGET...]

Builds the fuzz targets with clang (libFuzzer, AddressSanitizer, UndefinedBehaviorSanitizer) and
runs all of them, or those named, from the seeds in tests/fuzz/corpus. Fails when an input breaks
a target: keeps it, makes it smaller and says how to run it again. More in docs/FUZZING.md.

  --seconds N      for each target (default 60)
  --changed-seconds N, --base REF
                   N seconds for the targets that read what changed since the merge base with REF:
                   their own file and seeds, and the rooms of the headers that they include
  --changed-total N
                   at most N seconds for those in all: they share them evenly, but none runs shorter
                   than an unchanged one
  -j N             targets at a time (default: three for two cores: a target's time is the clock's, and
                   two thirds of a core try two thirds as many inputs in it)
  --target NAME    the same as TARGET
  --corpus DIR     where inputs that reached something new are kept, a folder per target, and
                   taken up again (default BUILD_DIR/fuzz/learned)
  --keep DIR       where inputs that broke a target are kept (default BUILD_DIR/fuzz/found)
  --build-dir DIR  default build-fuzz
  --coverage       runs no fuzzing, but prints which source lines seeds and corpus reach
  --build          only builds
  --list           names the targets

  tests/fuzz/run.sh --seconds 3600 --corpus ~/fuzz --target jwt
USAGE
}

seconds=60 build=$root/build-fuzz keep= corpus= jobs=$(((3 * $(nproc) + 1) / 2)) coverage=false list=false targets=()
changed_seconds= changed_total= base= only_build=false
while (($# > 0)); do
  case "$1" in
  --seconds) seconds=${2:?--seconds needs a number}; shift ;;
  --changed-seconds) changed_seconds=${2:?--changed-seconds needs a number}; shift ;;
  --changed-total) changed_total=${2:?--changed-total needs a number}; shift ;;
  --base) base=${2:?--base needs a commit}; shift ;;
  --build) only_build=true ;;
  -j) jobs=${2:?-j needs a number}; shift ;;
  --target) targets+=("${2:?--target needs a name}"); shift ;;
  --corpus) corpus=${2:?--corpus needs a folder}; shift ;;
  --keep) keep=${2:?--keep needs a folder}; shift ;;
  --build-dir) build=${2:?--build-dir needs a folder}; shift ;;
  --coverage) coverage=true ;;
  --list) list=true ;;
  --help | -h) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
  *) targets+=("$1") ;;
  esac
  shift
done
for number in "$seconds" "$jobs" "${changed_seconds:-1}" "${changed_total:-1}"; do
  [[ $number =~ ^[1-9][0-9]*$ ]] ||
    { echo "run.sh: --seconds, --changed-seconds, --changed-total and -j take a number from 1" >&2; exit 2; }
done
keep=${keep:-$build/fuzz/found} corpus=${corpus:-$build/fuzz/learned}

known=()
for file in "$root"/tests/fuzz/fuzz_*.c; do
  name=${file##*/fuzz_}
  known+=("${name%.c}")
done
if $list; then
  printf '%s\n' "${known[@]}"
  exit 0
fi
for name in "${targets[@]}"; do
  [[ " ${known[*]} " == *" $name "* ]] ||
    { echo "run.sh: there is no target $name; --list names them" >&2; exit 2; }
done

if ((${#targets[@]} == 0)); then targets=("${known[@]}"); fi

# Files that changed since the merge base, also those not committed.
changed=
if [[ -n $changed_seconds ]]; then
  if merge_base=$(git -C "$root" merge-base HEAD "${base:-origin/main}" 2>/dev/null); then
    changed=$(git -C "$root" diff --name-only "$merge_base")
  else
    echo "no merge base with ${base:-origin/main}: every target runs $seconds s"
  fi
fi

# What a target reads, as prefixes of paths: the rooms of the headers that it includes. Everything
# includes common/base, which counts for the targets that include nothing else.
reads() { # NAME
  local rooms helpers
  cd "$root"
  helpers=$(sed -nE 's,^#include "(tests/.*)",\1,p' "tests/fuzz/fuzz_$1.c")
  rooms=$(sed -nE 's,^#include "((auth|report|aggregate)-svc|gateway|common|proto)/([^"/]*)/.*,\1/\3/,p' \
    "tests/fuzz/fuzz_$1.c" $helpers | sort -u)
  if [[ $rooms != common/base/ ]]; then rooms=$(grep -vx common/base/ <<<"$rooms" || true); fi
  printf '%s\n' "tests/fuzz/fuzz_$1.c" "tests/fuzz/corpus/$1/" "tests/fuzz/dict/$1." $helpers $rooms
}

is_changed() { # NAME
  local prefix
  for prefix in $([[ -z $changed ]] || reads "$1"); do
    if grep -q "^$prefix" <<<"$changed"; then return 0; fi
  done
  return 1
}

# How long each target runs.
declare -A seconds_of=()
share_time() {
  local name n=0 share
  for name in "${targets[@]}"; do
    seconds_of[$name]=$seconds
    if is_changed "$name"; then seconds_of[$name]=$changed_seconds n=$((n + 1)); fi
  done
  [[ -n $changed_total ]] && ((n * ${changed_seconds:-0} > changed_total)) || return 0
  share=$((changed_total / n > seconds ? changed_total / n : seconds))
  for name in "${targets[@]}"; do
    if ((seconds_of[$name] > share)); then seconds_of[$name]=$share; fi
  done
  echo "$n targets read what changed: $share s each"
}

# make DIR MORE_CFLAGS: builds the targets.
make_targets() {
  local options=("-DCMAKE_C_FLAGS_RELWITHDEBINFO=-O2 -gline-tables-only -DNDEBUG")
  if command -v ccache >/dev/null; then options+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache); fi
  if command -v ld.lld >/dev/null; then options+=(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld); fi
  # Configured already: ninja does it again when that is needed.
  [[ -f $1/build.ninja && $1/build.ninja -nt ${BASH_SOURCE[0]} ]] ||
    cmake -G Ninja -S "$root" -B "$1" -DCMAKE_C_COMPILER=clang -DCMAKE_C_FLAGS="$2" -DAMCP_FUZZ=ON \
      -DAMCP_WERROR=OFF -DAMCP_SANITIZE=address "${options[@]}" >/dev/null
  mkdir -p "$1/fuzz/log"
  ninja -C "$1" "${targets[@]/#/fuzz_}" >"$1/fuzz/log/build" || { tail -n 20 "$1/fuzz/log/build"; exit 1; }
}

# Which lines of which of our files a target's seeds and corpus reach.
if $coverage; then
  build=$build-coverage
  make_targets "$build" "-fprofile-instr-generate -fcoverage-mapping"
  for name in "${targets[@]}"; do
    inputs=("$root/tests/fuzz/corpus/$name")
    if [[ -d $corpus/$name ]]; then inputs+=("$corpus/$name"); fi
    raw=$build/fuzz/log/$name
    LLVM_PROFILE_FILE=$raw.profraw "$build/fuzz/fuzz_$name" -runs=0 "${inputs[@]}" 2>"$raw"
    llvm-profdata merge -sparse "$raw.profraw" -o "$raw.profdata"
    echo "$name:"
    llvm-cov export -summary-only -instr-profile "$raw.profdata" "$build/fuzz/fuzz_$name" |
      jq -r --arg root "$root/" '.data[0].files[]
        | .filename |= (sub("^.*/[.][.]/"; "") | ltrimstr($root)) # with ccache BUILD/../FILE
        | select(.filename | test("^(/|gen/|build|tests)") | not)
        | select(.summary.lines.covered > 0)
        | [.filename, .summary.lines.covered, .summary.lines.count,
           (.summary.lines.percent | floor)] | @tsv' |
      sort | awk -F '\t' '{ printf "  %-44s %5d of %5d lines, %3d %%\n", $1, $2, $3, $4 }'
  done
  exit 0
fi

make_targets "$build" ""
if $only_build; then exit 0; fi
mkdir -p "$keep"

# One target: seeds are read, what is new goes to the folder named first.
fuzz() {
  local name=$1 dict=$root/tests/fuzz/dict/$1.dict time=${seconds_of[$1]}
  local options=(-max_total_time="$time" -timeout=10 -rss_limit_mb=2048 -max_len=16384
    -print_final_stats=1 -artifact_prefix="$keep/$name-")
  [[ -f $dict ]] && options+=(-dict="$dict")
  mkdir -p "$corpus/$name"
  rm -f "$keep/$name"-*
  "$build/fuzz/fuzz_$name" "${options[@]}" "$corpus/$name" "$root/tests/fuzz/corpus/$name" \
    >"$build/fuzz/log/$name" 2>&1
}

# The last figure after a word of a target's log; the first with "first".
figure() { # LOG WORD [first]
  local all
  all=$(grep -oE "(^| )$2 +[0-9]+" "$1" | grep -oE '[0-9]+$' || true)
  if [[ ${3:-} == first ]]; then head -n 1 <<<"$all"; else tail -n 1 <<<"$all"; fi
}
# The figures of a target's log on one line.
summarise() { # NAME VERDICT
  local log=$build/fuzz/log/$1 runs speed first last features inputs
  runs=$(figure "$log" 'stat::number_of_executed_units:')
  speed=$(figure "$log" 'stat::average_exec_per_sec:')
  first=$(figure "$log" 'cov:' first) last=$(figure "$log" 'cov:') features=$(figure "$log" 'ft:')
  inputs=$(find "$corpus/$1" -type f | wc -l)
  printf '%-14s %9d runs, %6d/s, cov %5d (%d of it new), ft %6d, %5d inputs kept: %s\n' "$1" \
    "${runs:-0}" "${speed:-0}" "${last:-0}" $((${last:-0} - ${first:-0})) "${features:-0}" \
    "$inputs" "$2"
}

# Shows what broke a target, the smallest input that does, and how to run it again.
explain() {
  local name=$1 input small=$keep/$1.smallest
  grep -vE '^(#[0-9]|INFO|stat::|NEW)' "$build/fuzz/log/$name" | tail -n 40
  input=$(find "$keep" -name "$name-*" -type f | head -n 1)
  [[ -n $input ]] || return 0
  rm -f "$small"
  if [[ $input == */"$name"-crash-* ]]; then
    "$build/fuzz/fuzz_$name" -minimize_crash=1 -max_total_time=30 -exact_artifact_path="$small" \
      "$input" >"$build/fuzz/log/$name.smallest" 2>&1 || true
    [[ -s $small ]] && input=$small
  fi
  echo "$name: run it again with: $build/fuzz/fuzz_$name $input"
  echo "$name: when it is mended, make it a seed: cp $input $root/tests/fuzz/corpus/$name/"
}

passed=0 failed=0
declare -A name_of=()
# Waits for one of the targets under way.
finish_one() {
  local pid status=0 name
  wait -n -p pid "${!name_of[@]}" || status=$?
  name=${name_of[$pid]}
  unset "name_of[$pid]"
  if ((status == 0)); then
    summarise "$name" "nothing found"
    passed=$((passed + 1))
  else
    summarise "$name" "FAILED"
    explain "$name"
    failed=$((failed + 1))
  fi
}
share_time
mapfile -t targets < <(for name in "${targets[@]}"; do echo "${seconds_of[$name]} $name"; done |
  sort -k 1,1nr -s | cut -d ' ' -f 2) # the longest first
for name in "${targets[@]}"; do
  ((${#name_of[@]} < jobs)) || finish_one
  fuzz "$name" &
  name_of[$!]=$name
done
while ((${#name_of[@]} > 0)); do finish_one; done
echo "fuzz: $passed passed, $failed failed"
((failed == 0))
