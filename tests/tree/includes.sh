#!/usr/bin/env bash
# Holds every #include of the tree to the order of rooms.txt: none runs upwards or sideways inside
# a part, no service includes another, and common includes none. Prints each arrow that does.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${1:-$(cd "$here/../.." && pwd)}
cd "$root"

find common gateway auth-svc report-svc aggregate-svc ga4-sim -name '*.[ch]' -print0 |
  xargs -0 grep -HE '^#include "' |
  awk -v table="$here/rooms.txt" '
    # The part and the room of a path: "auth-svc/cli/seal.c" is room cli of auth-svc.
    function part_of(path) { return substr(path, 1, index(path, "/") - 1) }
    function room_of(path, n, p) { n = split(path, p, "/"); return n > 2 ? p[2] : "." }
    BEGIN {
      while ((getline line < table) > 0) {
        if (line ~ /^#/ || line == "") continue
        part = substr(line, 1, index(line, ":") - 1)
        sub(/^[^:]*: */, "", line)
        n = split(line, floors, / *> */)
        for (i = 1; i <= n; i++) {
          m = split(floors[i], rooms, " ")
          for (k = 1; k <= m; k++) floor[part, rooms[k]] = i
        }
        known[part] = 1
      }
    }
    {
      at = index($0, ":")
      from = substr($0, 1, at - 1)
      to = $0
      sub(/^[^"]*"/, "", to)
      sub(/".*/, "", to)
      a = part_of(from); b = part_of(to)
      if (!(b in known)) next # generated
      seen++
      if (a != b) {
        if (b != "common") { print from " -> " to ": a part includes only itself and common"; bad++ }
        next
      }
      x = room_of(from); y = room_of(to)
      if (x == y) next
      if (!((a, x) in floor)) { print from ": room \"" x "\" is not in rooms.txt"; bad++ }
      else if (!((a, y) in floor)) { print to ": room \"" y "\" is not in rooms.txt"; bad++ }
      else if (floor[a, x] >= floor[a, y]) {
        print from " -> " to ": " x " may not include " y " (tests/tree/rooms.txt)"; bad++
      }
    }
    END {
      if (seen < 100) { print "only " seen + 0 " includes found: is this the tree?"; bad++ }
      if (!bad) print seen " includes, none runs upwards"
      exit bad > 0
    }'
