/* Measures cells, tests them together, and finds the words. */
#include "aggregate-svc/verdict/verdict.h"

#include <math.h>
#include <stdlib.h>

#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"

/* The gate: events that the benchmark expects of the dealer, and events behind the benchmark. */
#define MIN_EXPECTED_EVENTS 10.0
#define MIN_PEER_EVENTS 20.0
/* A difference is worth a word from so many index points on, and when so few of all differences
 * called real are chance. */
#define MIN_INDEX_POINTS 5.0
#define MAX_FALSE_SHARE 0.05

bool verdict_has_data(const struct verdict_facts *f)
{
  return f->allowed && f->expected >= MIN_EXPECTED_EVENTS && f->peer_events >= MIN_PEER_EVENTS;
}

static bool differs(const struct verdict_facts *f)
{
  return (f->low > 100 || f->high < 100) && f->q <= MAX_FALSE_SHARE &&
         fabs(f->index - 100) >= MIN_INDEX_POINTS;
}

enum verdict verdict_of(const struct verdict_facts *f)
{
  if (f->role == VERDICT_ROLE_CONTEXT)
    return VERDICT_CONTEXT;
  if (f->role == VERDICT_ROLE_SUSPECT)
    return VERDICT_SUSPECT;
  if (f->withheld)
    return VERDICT_WITHHELD;
  if (!verdict_has_data(f) || !f->measured)
    return VERDICT_TOO_LITTLE_DATA;
  if (f->role == VERDICT_ROLE_BESIDE)
    return VERDICT_NOT_JUDGED;
  if (!differs(f))
    return VERDICT_NO_CLEAR_DIFFERENCE;
  return (f->index > 100) != f->lower_is_better ? VERDICT_BETTER : VERDICT_WORSE;
}

const char *verdict_name(enum verdict v)
{
  static const char *const names[] = {[VERDICT_CONTEXT] = "context",
                                      [VERDICT_NOT_JUDGED] = "not_judged",
                                      [VERDICT_TOO_LITTLE_DATA] = "too_little_data",
                                      [VERDICT_NO_CLEAR_DIFFERENCE] = "no_clear_difference",
                                      [VERDICT_BETTER] = "better",
                                      [VERDICT_WORSE] = "worse",
                                      [VERDICT_SUSPECT] = "suspect_data",
                                      [VERDICT_WITHHELD] = "benchmark_withheld"};
  return (size_t)v < ARRAY_LEN(names) ? names[v] : names[VERDICT_TOO_LITTLE_DATA];
}

/* ------------------------------------------------------------------- measuring */

/* Index and expected events on the parts, so that equal parts give equal figures. */
static void measure_index(struct verdict_cell *c)
{
  double own = (double)c->own.numerator, sessions = (double)c->own.denominator;
  double events = (double)c->others.numerator, all = (double)c->others.denominator;
  if (c->own.denominator <= 0 || c->others.denominator <= 0)
    return;
  c->expected = sessions * events / all;
  if (c->others.numerator <= 0)
    return;
  c->has_index = true;
  c->index = 100 * own * all / (sessions * events);
}

/* No own event: Byar's limit of 0 events over those expected, each counted as phi of them, and the
 * chance of 0 among all events by the share of sessions. */
static void measure_none(struct verdict_cell *c)
{
  struct stats_interval none;
  double all = (double)c->others.denominator, sessions = (double)c->own.denominator;
  if (!(c->expected > 0) || !stats_byar(0, STATS_Z95, &none))
    return;
  c->low = 0;
  c->high = 100 * none.high * c->phi / c->expected;
  c->p = fmin(1, 2 * exp((double)c->others.numerator / c->phi * log(all / (sessions + all))));
  c->has_interval = true;
}

void verdict_measure(struct verdict_cell *c)
{
  struct stats_index_interval x;
  c->has_index = c->has_interval = c->tested = false;
  c->index = c->low = c->high = c->expected = 0;
  c->p = c->q = 1;
  measure_index(c);
  if (!c->has_index)
    return;
  if (c->own.numerator == 0) {
    measure_none(c);
  } else if (stats_index_interval(c->own, c->others, c->model, c->phi, c->phi, STATS_Z95, &x)) {
    c->low = c->index * exp(-STATS_Z95 * x.se);
    c->high = c->index * exp(STATS_Z95 * x.se);
    c->p = x.p;
    c->has_interval = true;
  }
}

/* ---------------------------------------------------------------------- judging */

static struct verdict_facts facts_of(const struct verdict_cell *c)
{
  return (struct verdict_facts){.role = c->role,
                                .lower_is_better = c->lower_is_better,
                                .allowed = c->allowed,
                                .expected = c->expected,
                                .peer_events = (double)c->others.numerator,
                                .measured = c->has_interval,
                                .index = c->index,
                                .low = c->low,
                                .high = c->high,
                                .q = c->q,
                                .withheld = c->withheld};
}

bool verdict_cell_has_data(const struct verdict_cell *c)
{
  struct verdict_facts f = facts_of(c);
  return verdict_has_data(&f);
}

static bool is_tested(const struct verdict_cell *c)
{
  return c->role == VERDICT_ROLE_JUDGED && c->has_interval && verdict_cell_has_data(c);
}

/* Fills q of the tested cells; returns how many they are. */
static size_t test_together(struct verdict_cell *cells, size_t n)
{
  AUTO_FREE double *p = xcalloc(n + 1, sizeof(*p));
  AUTO_FREE double *q = xcalloc(n + 1, sizeof(*q));
  AUTO_FREE size_t *order = xcalloc(n + 1, sizeof(*order));
  size_t m = 0, k = 0;
  for (size_t i = 0; i < n; i++)
    if ((cells[i].tested = is_tested(&cells[i])))
      p[m++] = cells[i].p;
  stats_benjamini_hochberg(p, m, q, order);
  for (size_t i = 0; i < n; i++)
    if (cells[i].tested)
      cells[i].q = q[k++];
  return m;
}

size_t verdict_judge(struct verdict_cell *cells, size_t n)
{
  for (size_t i = 0; i < n; i++)
    verdict_measure(&cells[i]);
  size_t tested = test_together(cells, n);
  for (size_t i = 0; i < n; i++) {
    struct verdict_facts f = facts_of(&cells[i]);
    cells[i].word = verdict_of(&f);
  }
  return tested;
}
