/* Measures changes, tests them together, and finds the words. */
#include "aggregate-svc/verdict/change.h"

#include <math.h>

#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"

/* The gate: events before, and events that the rate before leads to expect after. */
#define MIN_BEFORE_EVENTS 20.0
#define MIN_EXPECTED_EVENTS 10.0
/* Smallest change that is worth a word, and the share of false ones among those called real. */
#define MIN_CHANGE 0.10
#define MAX_FALSE_SHARE 0.05

const char *change_word_name(enum change_word w)
{
  static const char *const names[] = {[CHANGE_TOO_LITTLE_DATA] = "too_little_data",
                                      [CHANGE_NO_CLEAR_CHANGE] = "no_clear_change",
                                      [CHANGE_ROSE] = "rose",
                                      [CHANGE_FELL] = "fell"};
  return (size_t)w < ARRAY_LEN(names) ? names[w] : names[CHANGE_TOO_LITTLE_DATA];
}

static bool has_data(const struct change_pair *p)
{
  double before = (double)p->before.numerator;
  return p->before.denominator > 0 && p->after.denominator > 0 && before >= MIN_BEFORE_EVENTS &&
         before / (double)p->before.denominator * (double)p->after.denominator >=
             MIN_EXPECTED_EVENTS;
}

/* No event after: the chance of that among all events by the share of the exposure. */
static void measure_none(const struct change_pair *p, struct stats_change *out)
{
  struct stats_interval none;
  double before = (double)p->before.numerator, n = (double)p->before.denominator;
  double m = (double)p->after.denominator, expected = before / n * m;
  if (!stats_byar(0, STATS_Z95, &none))
    return;
  *out = (struct stats_change){.ratio = 0, .low = 0, .high = none.high * p->phi / expected};
  out->p = fmin(1, 2 * exp(before / p->phi * log(n / (n + m))));
}

static bool measure(const struct change_pair *p, enum stats_model model, struct stats_change *out)
{
  struct stats_index_interval x;
  if (p->before.numerator > 0 && p->before.denominator > 0 && p->after.denominator > 0 &&
      p->after.numerator == 0) {
    measure_none(p, out);
    return true;
  }
  if (!stats_index_interval(p->after, p->before, model, p->phi, p->phi, STATS_Z95, &x))
    return false;
  *out = (struct stats_change){x.index / 100, x.low / 100, x.high / 100, x.se, x.p};
  return true;
}

static void measure_cell(struct change_cell *c, enum stats_model model)
{
  struct stats_change market;
  c->q = c->relative_q = 1;
  c->measured = measure(&c->own, model, &c->change);
  bool known = c->has_market && measure(&c->market, model, &market);
  if (known)
    c->market_change = market;
  c->has_market = known;
  c->relative_measured = c->measured && known && c->change.se > 0 && market.se > 0;
  if (c->relative_measured)
    c->relative = stats_change_relative(&c->change, &market, STATS_Z95);
}

static enum change_word word_of(bool tested, const struct stats_change *c, double q)
{
  if (!tested)
    return CHANGE_TOO_LITTLE_DATA;
  bool apart = c->low > 1 || c->high < 1;
  if (!apart || q > MAX_FALSE_SHARE || fabs(c->ratio - 1) < MIN_CHANGE)
    return CHANGE_NO_CLEAR_CHANGE;
  return c->ratio > 1 ? CHANGE_ROSE : CHANGE_FELL;
}

size_t change_judge(struct change_cell *cells, size_t n)
{
  AUTO_FREE double *p = xcalloc(2 * n + 1, sizeof(*p));
  AUTO_FREE double *q = xcalloc(2 * n + 1, sizeof(*q));
  AUTO_FREE size_t *order = xcalloc(2 * n + 1, sizeof(*order));
  AUTO_FREE bool *tested = xcalloc(2 * n + 1, sizeof(*tested));
  size_t m = 0, k = 0;
  for (size_t i = 0; i < n; i++) {
    measure_cell(&cells[i], cells[i].model);
    tested[2 * i] = cells[i].measured && has_data(&cells[i].own);
    tested[2 * i + 1] = tested[2 * i] && cells[i].relative_measured && has_data(&cells[i].market);
    if (tested[2 * i])
      p[m++] = cells[i].change.p;
    if (tested[2 * i + 1])
      p[m++] = cells[i].relative.p;
  }
  stats_benjamini_hochberg(p, m, q, order);
  for (size_t i = 0; i < n; i++) {
    struct change_cell *c = &cells[i];
    c->q = tested[2 * i] ? q[k++] : 1;
    c->relative_q = tested[2 * i + 1] ? q[k++] : 1;
    c->word = word_of(tested[2 * i], &c->change, c->q);
    c->relative_word = word_of(tested[2 * i + 1], &c->relative, c->relative_q);
  }
  return m;
}
