#!/usr/bin/env bash
# Holds messages, comments and pages to plain idiomatic English: prints every line that matches a
# pattern of words.txt, with what to write instead. Code outside of comments and string literals
# does not count. Fails when there is one; with --report it only prints them.
#   tests/tree/words.sh [--report] [FOLDER or FILE...]
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
report=false
if [[ ${1:-} == --report ]]; then report=true; shift; fi
cd "$root"
if (($# == 0)); then
  set -- README.md CONTRIBUTING.md common gateway auth-svc report-svc aggregate-svc ga4-sim proto \
    config deploy docs tests cmake
fi

# Comments and string literals of C and of .proto; other files count as a whole. Adjacent lines are
# not joined: a pattern is short. Each line comes as FILE:LINE:TEXT.
text_of() {
  find "$@" -name node_modules -prune -o -path tests/fuzz/corpus -prune -o -path "$here" -prune -o \
    -path tests/tree -prune -o -type f \
    \( -name '*.[ch]' -o -name '*.proto' -o -name '*.sh' -o -name '*.md' -o -name '*.mjs' \
    -o -name '*.txt' -o -name '*.schema.json' -o -name '*.cmake' \) -print0 | sort -z |
    xargs -0 awk '
      FNR == 1 { comment = 0; code = FILENAME ~ /\.([ch]|proto|mjs)$/ }
      !code { print FILENAME ":" FNR ":" $0; next }
      {
        line = $0; out = ""
        while (line != "") {
          if (comment) {
            at = index(line, "*/")
            if (!at) { out = out line; line = ""; break }
            out = out substr(line, 1, at - 1) " "; line = substr(line, at + 2); comment = 0
          } else if (match(line, /\/\*|\/\/|"|`|\047/)) {
            mark = substr(line, RSTART, RLENGTH); line = substr(line, RSTART + RLENGTH)
            if (mark == "/*") comment = 1
            else if (mark == "//") { out = out " " line; line = "" }
            else {
              literal = ""
              while (line != "" && substr(line, 1, 1) != mark) {
                n = substr(line, 1, 1) == "\\" ? 2 : 1
                literal = literal substr(line, 1, n); line = substr(line, n + 1)
              }
              line = substr(line, 2); out = out " " literal
            }
          } else line = ""
        }
        if (out != "") print FILENAME ":" FNR ":" out
      }'
}

text=$(mktemp)
trap 'rm -f "$text"' EXIT
text_of $(for path in "$@"; do [[ ! -e $path ]] || echo "$path"; done) >"$text"
lines=$(wc -l <"$text")
if ((lines == 0)); then echo "words.sh: no text found: is this the tree?"; exit 1; fi

hits=0
while read -r entry; do
  [[ -n $entry && $entry != \#* ]] || continue
  pattern=$(sed -E 's/[[:space:]]+=> .*//' <<<"$entry")
  instead=${entry#*=> }
  while IFS= read -r hit; do
    echo "$hit  [write: $instead]"
    hits=$((hits + 1))
  done < <(grep -iP -- "$pattern" "$text" || true)
done <"$here/words.txt"
echo "$hits of $lines lines of text have wording of tests/tree/words.txt"
$report || ((hits == 0))
