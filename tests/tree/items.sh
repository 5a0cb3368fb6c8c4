#!/bin/sh
# docs/internals/mcp.md has a row for each of the 58 items of the protocol, and every test that a row
# names exists: a case of a test program, or a file of tests/e2e.
set -eu
cd "$(dirname "$0")/../.."
page=docs/internals/mcp.md
bad=0
say() { echo "$page: $1"; bad=1; }

for item in $(seq 58); do
  rows=$(grep -c "^| $item |" "$page" || true)
  [ "$rows" = 1 ] || say "item $item has $rows rows"
done

names=$(grep -E '^\| [0-9]+ \|' "$page" | awk -F'|' '{print $4}' | grep -o '`[^`]*`' | tr -d '`' | sort -u)
for name in $names; do
  case $name in
    */*) [ -f "tests/e2e/$name" ] || say "there is no tests/e2e/$name" ;;
    complete | input_required) ;;
    *) grep -rqE "TEST\($name\)" tests/unit || say "no test program has the case $name" ;;
  esac
done
echo "58 items, $(echo "$names" | wc -l) tests"
exit $bad
