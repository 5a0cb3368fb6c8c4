#!/usr/bin/env bash
# Every header of ours compiles alone and may be included twice.
#
#   alone.sh COMPILE_COMMANDS COMPILER FLAGS_FILE
#
# The first include of a source is read before anything else, so a header that is that has compiled
# alone in the build of that source; COMPILE_COMMANDS names what is built. The others are compiled
# here. A header may be included twice because it stands between #ifndef and #define of a name that
# no other header has.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../../.." && pwd)
commands=$1 compiler=$2 flags=$3
cd "$root"
parts=(common gateway auth-svc report-svc aggregate-svc ga4-sim)
mapfile -t headers < <(find "${parts[@]}" -name '*.h' | sort)
((${#headers[@]} >= 100)) || { echo "only ${#headers[@]} headers found: is this the tree?"; exit 1; }

# Directives of a header, in their order: the first two are its guard, and the last ends it.
guards=$(awk '
  function fault(text) { print file ": " text; bad = 1 }
  function check() {
    if (file == "") return
    if (first !~ /^#ifndef /) fault("does not begin with #ifndef")
    else if (second != "#define " substr(first, 9)) fault("the name after #ifndef is not defined in the next line")
    else if (last != "#endif") fault("does not end with #endif")
    else if (substr(first, 9) in of) fault("has the guard of " of[substr(first, 9)])
    of[substr(first, 9)] = file
  }
  FNR == 1 { check(); file = FILENAME; first = second = last = "" }
  /^[[:space:]]*$/ { next }
  { last = $1 }
  /^#/ { if (first == "") first = $1 " " $2; else if (second == "") second = $1 " " $2 }
  END { check(); exit bad }' "${headers[@]}") || { echo "$guards"; exit 1; }

# The first include of each source that is built, unless a definition stands before it. Generated ones
# may not be there yet.
built=$(sed -nE "s,^ *\"file\": \"$root/(.*\.c)\".*,\1,p" "$commands" | sort -u |
  while read -r source; do [[ ! -f $source ]] || echo "$source"; done)
first=$(awk '
  FNR == 1 { open = 1 }
  open && /^#/ { open = 0; if ($0 ~ /^#include "/) { split($0, part, "\""); print part[2] } }' $built | sort -u)

alone() { # HEADER
  printf '#include "%s"\n' "$1" "$1" | "$compiler" "@$flags" -fsyntax-only -x c -
}
export -f alone
export compiler flags
rest=$(comm -23 <(printf '%s\n' "${headers[@]}") <(echo "$first"))
xargs -P "$(nproc)" -I '{}' bash -c 'alone {}' <<<"$rest" || exit 1
echo "${#headers[@]} headers, $(wc -l <<<"$rest") of them compiled here"
