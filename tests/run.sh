#!/usr/bin/env bash
# Builds and runs the tests: all of them, or those of one room.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
jobs=$(nproc)

usage() {
  cat <<USAGE
Usage: tests/run.sh [--no-install] [--no-deploy] [--asan] [--all]
       tests/run.sh [--again] ROOM [CASE]
       tests/run.sh --rooms

Without a room: installs what is missing, builds, runs every test and ends with the time of each
part and the totals. Exit 0 only if none failed; what this machine cannot do is skipped, with the reason.

  nothing more      unit tests and end-to-end tests against the release build (build-release)
  --asan            unit tests under AddressSanitizer and UndefinedBehaviorSanitizer (build-asan)
  CI=true           unit tests and end-to-end tests under AddressSanitizer; also the programs of the release
                    build, the tests that start threads under ThreadSanitizer (build-tsan), and every fuzz target
                    for 10 s, or 60 s when what it reads has changed since the merge base with
                    CI_BASE (default origin/main); those share 120 s, 10 s each at the least;
                    images, docker-compose.yml and the chart on an API server (tests/images,
                    tests/cluster), with real pods where the programs for it are built already
  --all             all that, fuzz targets for 60 s each, 20,000 isolation cases, long load tests,
                    real pods with five rollouts of each deployment
  --no-install      never installs a package
  --no-deploy       neither images nor chart

With a room: builds (build-test, no sanitizer) and runs its tests alone, and prints the two commands
that do it. A test that passed is not run again until its program or a file beside it changes.

  tests/run.sh auth                   every test of auth-svc
  tests/run.sh auth/token             of one of its rooms
  tests/run.sh auth/token CASE        one case
  tests/run.sh e2e/set                end-to-end tests of a folder
  tests/run.sh e2e/set/faults NAME    of a file, one test whose name matches
  tests/run.sh test_auth_token_life   one test by ctest's name
  --again                             runs those that passed as well
  --rooms                             lists the rooms
USAGE
}

die() { echo "run.sh: $*" >&2; exit 2; }

install=true all=false asan=false again=false rooms=false deploy=true
while (($# > 0)); do
  case "$1" in
  --no-install) install=false ;;
  --no-deploy) deploy=false ;;
  --asan) asan=true ;;
  --all) all=true ;;
  --again) again=true ;;
  --rooms) rooms=true ;;
  --help | -h) usage; exit 0 ;;
  -*) usage >&2; exit 2 ;;
  *) break ;;
  esac
  shift
done
(($# <= 2)) || { usage >&2; exit 2; }

# Line tables are all that a sanitizer's report and a debugger need; lld links in a quarter of GNU
# ld's time, and ccache helps where somebody has it.
common=(-G Ninja -S "$root")
if command -v ld.lld >/dev/null; then common+=(-DCMAKE_EXE_LINKER_FLAGS=-fuse-ld=lld); fi
if command -v ccache >/dev/null; then common+=(-DCMAKE_C_COMPILER_LAUNCHER=ccache); fi

# configure KIND: prepares build-KIND, unless that is done already (ninja repeats it when needed).
configure() {
  local dir=$root/build-$1 options
  case "$1" in
  test) options=(-DCMAKE_BUILD_TYPE=Debug -DCMAKE_C_FLAGS_DEBUG="-O0 -g1") ;;
  release) options=(-DCMAKE_BUILD_TYPE=Release) ;;
  asan) options=(-DCMAKE_BUILD_TYPE=RelWithDebInfo -DAMCP_SANITIZE=address
    -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g1 -DNDEBUG") ;;
  # The other builds have seen the warnings.
  tsan) options=(-DCMAKE_BUILD_TYPE=RelWithDebInfo -DAMCP_SANITIZE=thread -DAMCP_WERROR=OFF
    -DCMAKE_C_FLAGS_RELWITHDEBINFO="-O1 -g1 -DNDEBUG") ;;
  esac
  [[ -f $dir/build.ninja && $dir/build.ninja -nt ${BASH_SOURCE[0]} ]] ||
    cmake "${common[@]}" -B "$dir" "${options[@]}" >"$dir.log" 2>&1 || {
    grep -vE '^-- ' "$dir.log"
    return 1
  }
}

# The clients under test, by npm's lock file.
clients() {
  local e2e=$root/tests/e2e stamp=$root/tests/e2e/node_modules/.lock-sum
  [[ $(sha256sum <"$e2e/package-lock.json") != "$(cat "$stamp" 2>/dev/null)" ]] || return 0
  (cd "$e2e" && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error)
  sha256sum <"$e2e/package-lock.json" >"$stamp"
}

# Load tests and tests of random cases take their length from the environment: the long run's here, the short
# run's below, and without a word, as in CI, their own.
if $all; then
  export AMCP_ISOLATION_CASES=${AMCP_ISOLATION_CASES:-20000} AUTH_LOAD_SECONDS=${AUTH_LOAD_SECONDS:-60}
  export AMCP_TRUTH_REGIONS=${AMCP_TRUTH_REGIONS:-1000} AMCP_TRUTH_WORLDS=${AMCP_TRUTH_WORLDS:-200}
  export AMCP_TRUTH_CALLS=${AMCP_TRUTH_CALLS:-100} AMCP_TRUTH_REPORTS=${AMCP_TRUTH_REPORTS:-500}
  export AMCP_RANDOM_REQUESTS=${AMCP_RANDOM_REQUESTS:-100}
  export AMCP_MIXED_CALLS=${AMCP_MIXED_CALLS:-20000} AMCP_ABUSE_ROUNDS=${AMCP_ABUSE_ROUNDS:-5}
  export AMCP_WAKEUP_ROUNDS=${AMCP_WAKEUP_ROUNDS:-200} AMCP_HANG_SECONDS=${AMCP_HANG_SECONDS:-50}
  export AMCP_CONNECT_KILLS=${AMCP_CONNECT_KILLS:-100} AMCP_OTHER_CLIENTS=${AMCP_OTHER_CLIENTS:-1}
else
  if (($# > 0)); then export AUTH_LOAD_SECONDS=${AUTH_LOAD_SECONDS:-2}; fi # a room is waited for
  export AUTH_LOAD_SECONDS=${AUTH_LOAD_SECONDS:-5}
  if [[ ${CI:-} != true ]]; then
    export AMCP_ABUSE_ROUNDS=${AMCP_ABUSE_ROUNDS:-1} AMCP_STORE_KILLS=${AMCP_STORE_KILLS:-50}
    export AMCP_GRANT_WORLDS=${AMCP_GRANT_WORLDS:-500} AMCP_PBJSON_SHARE=${AMCP_PBJSON_SHARE:-5}
    export AMCP_TRUTH_CALLS=${AMCP_TRUTH_CALLS:-9} AMCP_TRUTH_REGIONS_EACH=${AMCP_TRUTH_REGIONS_EACH:-1}
    export AMCP_RANDOM_REQUESTS=${AMCP_RANDOM_REQUESTS:-4}
    # Fewer random cases, but others each day, where nothing is asked of what is drawn.
    seed=$(date -u +%Y%m%d)
    export AMCP_RANDOM_SEED=${AMCP_RANDOM_SEED:-$seed} PBJSON_SEED=${PBJSON_SEED:-$seed}
  fi
fi
source "$root/tests/run_room.sh"
source "$root/tests/run_all.sh"

if $rooms; then
  list_rooms
elif (($# > 0)); then
  run_room "$@"
else
  run_all
fi
