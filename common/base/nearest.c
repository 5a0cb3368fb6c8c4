/* Edit distance and the three best candidates. */
#include "common/base/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/codec.h"

enum { LONGEST = 64, MOST_EDITS = 8 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
  unsigned m = a < b ? a : b;
  return m < c ? m : c;
}

static void lower(char *out, const char *s, size_t n)
{
  for (size_t i = 0; i < n; i++)
    out[i] = (char)tolower((unsigned char)s[i]);
}

/* Which bytes a text holds, 64 kinds of them. */
static uint64_t bytes_of(const char *s, size_t n)
{
  uint64_t set = 0;
  for (size_t i = 0; i < n; i++)
    set |= UINT64_C(1) << ((unsigned char)s[i] & 63);
  return set;
}

/* Edits it takes at least: one for each kind of byte that only one of the two has. */
static unsigned least_edits(const char *a, size_t n, const char *b, size_t m)
{
  uint64_t in_a = bytes_of(a, n), in_b = bytes_of(b, m);
  int gone = __builtin_popcountll(in_a & ~in_b), come = __builtin_popcountll(in_b & ~in_a);
  return (unsigned)(gone > come ? gone : come);
}

static bool is_swap(const char *a, size_t i, const char *b, size_t j)
{
  return i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
}

/* Optimal string alignment over three rows; more than `most` when it takes more. Only the cells
 * that can lead to so few are filled in, and it ends when none is left: this runs over all dealers
 * on the poller. */
static unsigned edits(const char *a, size_t n, const char *b, size_t m, size_t most)
{
  unsigned rows[3][LONGEST + 2], best = 0, best_before = 0;
  for (size_t j = 0; j <= m; j++)
    rows[0][j] = (unsigned)j;
  for (size_t i = 1; i <= n && (best <= most || best_before <= most); i++) {
    unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
    size_t from = i > most ? i - most : 1, to = i + most < m ? i + most : m;
    best_before = best;
    row[from - 1] = best = from == 1 ? (unsigned)i : NEAREST_FAR;
    row[to + 1] = NEAREST_FAR;
    for (size_t j = from; j <= to; j++) {
      row[j] = min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1));
      if (is_swap(a, i, b, j) && up2[j - 2] + 1 < row[j])
        row[j] = up2[j - 2] + 1;
      best = row[j] < best ? row[j] : best;
    }
  }
  return best <= most || best_before <= most ? rows[n % 3][m] : NEAREST_FAR;
}

unsigned nearest_distance(const char *asked, const char *candidate)
{
  return nearest_within(asked, candidate, MOST_EDITS);
}

unsigned nearest_wanted(const struct nearest *best)
{
  if (best->n < NEAREST_MAX)
    return MOST_EDITS;
  unsigned worst = best->distance[NEAREST_MAX - 1];
  return worst > 0 ? worst - 1 : 0;
}

unsigned nearest_within(const char *asked, const char *candidate, unsigned limit)
{
  if (*asked == '\0' || *candidate == '\0')
    return NEAREST_FAR;
  if (ascii_case_equal(asked, candidate))
    return 0;
  size_t n = strnlen(asked, LONGEST), m = strnlen(candidate, LONGEST);
  if ((n >= 3 && ascii_case_find(candidate, asked) != NULL) ||
      (m >= 3 && ascii_case_find(asked, candidate) != NULL))
    return 1;
  size_t most = (n + 1) / 2 < limit ? (n + 1) / 2 : limit;
  if ((n > m ? n - m : m - n) > most) /* at least so many edits: spare the table */
    return NEAREST_FAR;
  char a[LONGEST], b[LONGEST];
  lower(a, asked, n);
  lower(b, candidate, m);
  if (least_edits(a, n, b, m) > most)
    return NEAREST_FAR;
  unsigned d = edits(a, n, b, m, most);
  return d <= most ? d : NEAREST_FAR;
}

void nearest_offer(struct nearest *best, size_t item, unsigned distance)
{
  if (distance >= NEAREST_FAR)
    return;
  size_t at = best->n;
  while (at > 0 && best->distance[at - 1] > distance)
    at--;
  if (at == NEAREST_MAX)
    return;
  if (best->n < NEAREST_MAX)
    best->n++;
  for (size_t i = best->n - 1; i > at; i--) {
    best->item[i] = best->item[i - 1];
    best->distance[i] = best->distance[i - 1];
  }
  best->item[at] = item;
  best->distance[at] = distance;
}
