/* Cells from figures, one verdict over all of them, and who is unusual. */
#include "aggregate-svc/verdict/judge.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* Spread between dealers that is ordinary, some 20 % of a rate, where few dealers cannot show it;
 * beyond 99.8 % of it a dealer is unusual, beyond 95 % worth watching. */
#define TAU_FLOOR 0.10

static bool is_shown(const struct judge_question *q, size_t member)
{
  const struct cohort_figures *c = q->figures;
  return c->dealers[member].ok && c->cohort->members[member].visible;
}

static bool is_asked(const struct judge_question *q, size_t m)
{
  return q->metrics == 0 || (q->metrics >> m & 1) != 0;
}

static enum verdict_role role_of(const struct judge_question *q, enum metric_id m, size_t member)
{
  if (!dealer_metrics[m].judged)
    return VERDICT_ROLE_CONTEXT;
  if (!metric_is_usable(&dealer_metrics[m], &q->figures->dealers[member]))
    return VERDICT_ROLE_SUSPECT;
  return q->only < 0 || q->only == (long)member ? VERDICT_ROLE_JUDGED : VERDICT_ROLE_BESIDE;
}

static bool same_group(struct metric_group a, struct metric_group b)
{
  const struct dealer_metric *m = &dealer_metrics[a.metric];
  return (!m->lead || a.lead_event == b.lead_event) && (!m->shopper || a.shopper == b.shopper) &&
         (!m->engagement || a.key_events == b.key_events);
}

/* The pool of a metric's group, kept from one member to the next: mostly all are of one. */
struct group_pool {
  bool known, pooled;
  struct metric_group group;
  struct stats_ratio all;
};

static void keep_pool(struct group_pool *kept, const struct cohort_figures *c,
                      struct metric_group g)
{
  CLEANUP(group_free) struct group_values all = group_gather(c, g, -1, GROUP_ALL);
  *kept = (struct group_pool){true, all.pooled, g, all.pool};
}

static bool all_others(const struct cohort_figures *c, struct group_pool *kept,
                       struct metric_group g, size_t member, struct judge_others *out)
{
  if (!kept->known || !same_group(kept->group, g))
    keep_pool(kept, c, g);
  if (!kept->pooled) { /* a sum that does not fit may do so without the member */
    CLEANUP(group_free) struct group_values others = group_gather(c, g, (long)member, GROUP_ALL);
    out->pool = others.pool;
    return others.pooled;
  }
  out->pool = kept->all;
  if (group_counts(c, g, member))
    out->pool =
        stats_leave_out(kept->all, metric_parts(&dealer_metrics[g.metric], &c->dealers[member]));
  return true;
}

static void fill_cell(struct verdict_cell *cell, const struct judge_question *q,
                      const struct judgement *j, struct group_pool *kept, enum metric_id m,
                      size_t member)
{
  const struct dealer_metric *metric = &dealer_metrics[m];
  struct metric_group g = group_of(q->figures, m, member);
  cell->role = role_of(q, m, member);
  cell->phi = j->phi[m];
  cell->model = metric_model(metric);
  cell->lower_is_better = metric->better == ANALYTICS__AGGREGATE__V1__BETTER__LOWER;
  if (!metric_is_rate(metric) || !group_has(q->figures, g, member))
    return;
  struct judge_others others = {.phi = cell->phi};
  cell->own = metric_parts(metric, &q->figures->dealers[member]);
  cell->allowed = q->others != NULL ? q->others(q->others_arg, g, member, &others)
                                    : all_others(q->figures, kept, g, member, &others);
  cell->withheld = others.withheld;
  cell->others = others.pool;
  cell->phi = others.phi;
}

/* The dealers of one group in the funnel around their pool. */
static void find_unusual(struct judgement *j, const struct judge_question *q, struct metric_group g)
{
  const struct cohort_figures *c = q->figures;
  const struct dealer_metric *m = &dealer_metrics[g.metric];
  size_t n = c->cohort->n, k = 0;
  CLEANUP(group_free) struct group_values all = group_gather(c, g, -1, GROUP_ALL);
  AUTO_FREE double *observed = xcalloc(4 * n + 1, sizeof(*observed));
  double *expected = observed + n, *z = expected + n, *scratch = z + n;
  AUTO_FREE size_t *members = xcalloc(n + 1, sizeof(*members));
  struct stats_funnel funnel;
  double rate;
  if (!all.pooled || !stats_ratio_value(all.pool, &rate))
    return;
  for (size_t i = 0; i < n; i++) {
    if (!group_counts(c, g, i))
      continue;
    struct stats_ratio parts = metric_parts(m, &c->dealers[i]);
    observed[k] = (double)parts.numerator;
    expected[k] = rate * (double)parts.denominator;
    members[k++] = i;
  }
  if (k < 2 || !stats_funnel(observed, expected, k, TAU_FLOOR, z, scratch, &funnel))
    return;
  for (size_t i = 0; i < k; i++)
    j->unusual[members[i] * METRIC_COUNT + (size_t)g.metric] = fabs(z[i]) > STATS_Z998 ? UNUSUAL_YES
                                                               : fabs(z[i]) > STATS_Z95
                                                                   ? UNUSUAL_WATCH
                                                                   : UNUSUAL_NO;
}

/* Each group of a metric once. */
static void find_all_unusual(struct judgement *j, const struct judge_question *q, enum metric_id m)
{
  for (size_t i = 0; i < q->figures->cohort->n; i++) {
    struct metric_group g = group_of(q->figures, m, i);
    bool before = false;
    for (size_t k = 0; k < i && !before; k++)
      before = same_group(g, group_of(q->figures, m, k));
    if (!before)
      find_unusual(j, q, g);
  }
}

void judge(struct judgement *out, const struct judge_question *q)
{
  size_t n = q->figures->cohort->n * METRIC_COUNT;
  struct group_pool kept[METRIC_COUNT] = {0};
  memset(out, 0, sizeof(*out));
  out->cells = xcalloc(n + 1, sizeof(*out->cells));
  out->unusual = xcalloc(n + 1, sizeof(*out->unusual));
  for (size_t m = 0; m < METRIC_COUNT; m++) {
    if (!is_asked(q, m) || !metric_is_rate(&dealer_metrics[m]))
      continue;
    out->phi[m] = group_dispersion(q->figures, (enum metric_id)m);
    if (dealer_metrics[m].judged)
      find_all_unusual(out, q, (enum metric_id)m);
  }
  for (size_t i = 0; i < q->figures->cohort->n; i++)
    for (size_t m = 0; is_shown(q, i) && m < METRIC_COUNT; m++)
      if (is_asked(q, m))
        fill_cell(&out->cells[i * METRIC_COUNT + m], q, out, &kept[m], (enum metric_id)m, i);
  out->tested = verdict_judge(out->cells, n);
}

void judgement_free(struct judgement *j)
{
  free(j->cells);
  free(j->unusual);
}
