#!/usr/bin/env bash
# Only aggregate-svc/verdict/ says that a difference between dealers matters: prints each line of
# another room that compares a figure with a border of some per cent ("index >= 105", "x > 1.05",
# "100 + 5", stats_ratio_compare()), or makes a word of a verdict. stats/ computes and has no border of
# its own; disclosure/ is about shares of owners, not about who is better.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=${1:-$(cd "$here/../.." && pwd)}

# Compared with a number near 1 or 100, with 100 and something, by its distance from them, by parts.
number='[<>]=?\s*((8\d|9\d|10[1-9]|11\d|120)(\.\d+)?|0\.[89]\d*|1\.[012]\d*)\b'
sum='[<>]=?\s*100(\.0)?\s*[-+]'
distance='\bfabs\([^()]*-\s*(100|1)(\.0)?\)\s*[<>]'
parts='\bstats_ratio_compare\s*\('
# A word that is chosen. One that is looked for stands in a call; "better" and "worse" may be returned
# where a standing that is decided is put into words.
word='([={?:]\s*"(better|worse)"|(\breturn|[={?:])\s*"(rising|falling|above_expected|below_expected)")\s*[;,}:]'

# borders FOLDER: the lines, without comments.
borders() {
  find "$1" -name '*.[ch]' -not -path '*/verdict/*' -not -path '*/stats/*' \
    -not -path '*/disclosure/*' -not -path '*/vehicle/*' -print0 |
    xargs -0 -r grep -HnP "$number|$sum|$distance|$parts|$word" |
    grep -vP '^[^:]*:\d+:\s*(/\*|\*|//)' || true
}

# The test can fail: it finds planted borders, and only those.
planted=$(mktemp -d)
trap 'rm -rf "$planted"' EXIT
mkdir -p "$planted/answer" "$planted/verdict"
cat >"$planted/answer/bad.c" <<'C'
if (index >= 105) return BETTER;
if (index <= 95.0) return WORSE;
bool up = now > 1.05 * then;
bool far = fabs(index - 100) >= border;
side(index >= 100 + SIMILAR);
stats_ratio_compare(own, others, 95);
return "rising";
static const char *const names[] = {"better", "worse"};
/* an index above 105 is only words */
strcmp(x->verdict, "rising") == 0;
if (n > 100 || percent == 50) return OK;
C
cp "$planted/answer/bad.c" "$planted/verdict/good.c"
found=$(borders "$planted" | cut -d: -f2 | tr '\n' ' ')
if [[ $found != "1 2 3 4 5 6 7 8 " ]]; then
  echo "borders.sh finds lines $found of its own example, not 1 to 8"
  exit 1
fi

lines=$(borders "$root/aggregate-svc")
[[ -z $lines ]] || {
  echo "$lines"
  echo "a border of a verdict outside aggregate-svc/verdict/: let verdict_judge() decide"
  exit 1
}
echo "no border of a verdict outside aggregate-svc/verdict/"
