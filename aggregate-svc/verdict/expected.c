/* Counts against their expectations. */
#include "aggregate-svc/verdict/expected.h"

#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"

/* A hair below 5: what is 5 in whole parts may come out so when they are added up. */
#define MIN_EXPECTED_EVENTS (5 - 1e-9)
#define MAX_FALSE_SHARE 0.05

const char *expected_word_name(enum expected_word w)
{
  static const char *const names[] = {[EXPECTED_TOO_LITTLE_DATA] = "too_little_data",
                                      [EXPECTED_NO_CLEAR_DIFFERENCE] = "no_clear_difference",
                                      [EXPECTED_ABOVE] = "above_expected",
                                      [EXPECTED_BELOW] = "below_expected",
                                      [EXPECTED_SUSPECT] = "suspect_data",
                                      [EXPECTED_WITHHELD] = "benchmark_withheld"};
  return (size_t)w < ARRAY_LEN(names) ? names[w] : names[EXPECTED_TOO_LITTLE_DATA];
}

static void measure(struct expected_cell *c)
{
  struct stats_interval i = {0, 0};
  c->ratio = c->low = c->high = 0;
  c->q = 1;
  c->tested = c->expected >= MIN_EXPECTED_EVENTS && !c->suspect;
  if (!(c->expected > 0) || !stats_byar(c->observed, STATS_Z95, &i))
    return;
  c->ratio = (double)c->observed / c->expected;
  c->low = i.low / c->expected;
  c->high = i.high / c->expected;
}

static enum expected_word word_of(const struct expected_cell *c)
{
  if (c->suspect)
    return EXPECTED_SUSPECT;
  if (!c->tested && c->withheld)
    return EXPECTED_WITHHELD;
  if (!c->tested)
    return EXPECTED_TOO_LITTLE_DATA;
  if (c->q > MAX_FALSE_SHARE || (c->low <= 1 && c->high >= 1))
    return EXPECTED_NO_CLEAR_DIFFERENCE;
  return c->low > 1 ? EXPECTED_ABOVE : EXPECTED_BELOW;
}

size_t expected_judge(struct expected_cell *cells, size_t n)
{
  AUTO_FREE double *p = xcalloc(n + 1, sizeof(*p));
  AUTO_FREE double *q = xcalloc(n + 1, sizeof(*q));
  AUTO_FREE size_t *order = xcalloc(n + 1, sizeof(*order));
  size_t m = 0, k = 0;
  for (size_t i = 0; i < n; i++) {
    measure(&cells[i]);
    if (cells[i].tested)
      p[m++] = stats_poisson_p(cells[i].observed, cells[i].expected);
  }
  stats_benjamini_hochberg(p, m, q, order);
  for (size_t i = 0; i < n; i++) {
    if (cells[i].tested)
      cells[i].q = q[k++];
    cells[i].word = word_of(&cells[i]);
  }
  return m;
}
