#!/usr/bin/env bash
# The totals of tests/run.sh, over made-up parts: what passes, fails, is skipped with its reason, or
# does not come to its end.
set -euo pipefail
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
jobs=1 all=false asan=false install=false deploy=true
# shellcheck source=tests/run_all.sh
source "$(dirname "${BASH_SOURCE[0]}")/../run_all.sh"

good() { printf 'ok      one\nok      two\nskipped three: not root\n2 passed, 0 failed, 1 skipped\n'; }
bad() { printf 'ok      one\nFAILED  four\n        1 passed, 0 failed\n1 passed, 1 failed, 0 skipped\n'; return 1; }
cut() { echo 'ok      one'; }
ctest() { # as ctest prints it
  printf '1/3 Test #1: test_a ...........   Passed    0.01 sec\n2/3 Test #2: test_b ...........***Skipped   0.01 sec\n'
  printf '3/3 Test #3: test_c ...........***Failed    0.01 sec\n\n67%% tests passed, 1 tests failed out of 3\n\n'
  printf 'The following tests FAILED:\n\t  3 - test_c (Failed)\n'
}
mkdir "$root/build-asan"

deploy_part good good >/dev/null
[[ $(finish | tail -n 2) == $'skipped good: three: not root\ntotal: 2 passed, 0 failed, 1 skipped' ]]
deploy_part bad bad >/dev/null
deploy_part cut cut >/dev/null
test_kind asan 1 >/dev/null
if output=$(finish); then echo 'failures end with success'; exit 1; fi
for line in 'FAILED bad: four: bad' 'FAILED cut: did not come to its end: cut' 'FAILED test_c: tests/run.sh test_c' \
  'skipped test_b in build-asan: tests/run.sh --again test_b says why' 'total: 4 passed, 3 failed, 2 skipped'; do
  grep -qxF "$line" <<<"$output" || { printf 'no line "%s" in\n%s\n' "$line" "$output"; exit 1; }
done
