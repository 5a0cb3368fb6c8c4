/* Edit distance and the three best candidates. */
#include "auth-svc/nearest.h"

#include <ctype.h>
#include <string.h>

#include "common/base/codec.h"

enum { LONGEST = 64 };

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
  unsigned m = a < b ? a : b;
  return m < c ? m : c;
}

static int lower(const char *s, size_t i)
{
  return tolower((unsigned char)s[i]);
}

/* Optimal string alignment over three rows. */
static unsigned edits(const char *a, size_t n, const char *b, size_t m)
{
  unsigned rows[3][LONGEST + 1];
  for (size_t j = 0; j <= m; j++)
    rows[0][j] = (unsigned)j;
  for (size_t i = 1; i <= n; i++) {
    unsigned *row = rows[i % 3], *up = rows[(i + 2) % 3], *up2 = rows[(i + 1) % 3];
    row[0] = (unsigned)i;
    for (size_t j = 1; j <= m; j++) {
      unsigned cost = lower(a, i - 1) == lower(b, j - 1) ? 0 : 1;
      row[j] = min3(up[j] + 1, row[j - 1] + 1, up[j - 1] + cost);
      if (i > 1 && j > 1 && lower(a, i - 1) == lower(b, j - 2) &&
          lower(a, i - 2) == lower(b, j - 1) && up2[j - 2] + 1 < row[j])
        row[j] = up2[j - 2] + 1;
    }
  }
  return rows[n % 3][m];
}

unsigned nearest_distance(const char *asked, const char *candidate)
{
  if (*asked == '\0' || *candidate == '\0')
    return NEAREST_FAR;
  if (ascii_case_equal(asked, candidate))
    return 0;
  size_t n = strnlen(asked, LONGEST), m = strnlen(candidate, LONGEST);
  if ((n >= 3 && ascii_case_find(candidate, asked) != NULL) ||
      (m >= 3 && ascii_case_find(asked, candidate) != NULL))
    return 1;
  size_t most = (n + 1) / 2;
  if ((n > m ? n - m : m - n) > most) /* at least so many edits: spare the table */
    return NEAREST_FAR;
  unsigned d = edits(asked, n, candidate, m);
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
