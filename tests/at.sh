#!/usr/bin/env bash
# Runs a command as if it began at another moment (UTC): what depends on the hour, the day of the week
# or the month shows itself without waiting for it. Clocks run on from there. For builds without a
# sanitizer.
#
#   tests/at.sh '2026-11-01 05:55' ctest --test-dir build-release -R e2e_set_questions --output-on-failure
set -euo pipefail

(($# >= 2)) || { echo "usage: tests/at.sh 'YYYY-MM-DD HH:MM' COMMAND..." >&2; exit 2; }
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
"${CC:-cc}" -O1 -shared -fPIC -o "$dir/at.so" "$(dirname "$0")/at.c" -ldl
AMCP_CLOCK_OFFSET_S=$(($(date -u -d "$1" +%s) - $(date +%s)))
shift
export AMCP_CLOCK_OFFSET_S
LD_PRELOAD=$dir/at.so "$@"
