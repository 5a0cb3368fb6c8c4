/* Parts of the dealers, and metrics that may be put together over them. */
#include "aggregate-svc/answer/rows_parts.h"

#include <math.h>
#include <string.h>

#include "aggregate-svc/answer/cohorts.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"
#include "common/ga4/additive.h"
#include "common/ga4/rate.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;

enum { NAME_BYTES = 100 };

/* ------------------------------------------------------------------------- parts */

/* A dealer in the part of a label, which is made when it is new. */
static size_t put_in(struct pool_part *parts, size_t n, const char *label, size_t member,
                     size_t n_members, struct arena *arena)
{
  size_t k = 0;
  while (k < n && strcmp(parts[k].label, label) != 0)
    k++;
  bool *has = k < n ? (bool *)(uintptr_t)parts[k].has : ARENA_ARRAY(arena, bool, n_members + 1);
  has[member] = true;
  parts[k] = (struct pool_part){label, has};
  return k < n ? n : n + 1;
}

/* Labels of a member: how many parts it is in at most. */
static size_t labels_of(const struct cohort_member *m, enum across_by by)
{
  return by == ACROSS_BY_GROUP && m->n_groups > 0 ? m->n_groups : 1;
}

static const char *label_of(const struct cohort_member *m, enum across_by by, size_t i)
{
  if (by == ACROSS_BY_DEALER)
    return m->dealer_id;
  if (by == ACROSS_BY_REGION)
    return m->region[0] != '\0' ? m->region : "(no region)";
  if (by == ACROSS_BY_GROUP)
    return m->n_groups > 0 ? m->groups[i] : "(no group)";
  return "";
}

size_t across_parts(const struct cohort *c, enum across_by by, struct pool_part **out,
                    struct arena *arena)
{
  size_t n = 0, most = 1;
  for (size_t i = 0; i < c->n; i++)
    most += labels_of(&c->members[i], by);
  struct pool_part *parts = *out = ARENA_ARRAY(arena, struct pool_part, most);
  for (size_t i = 0; i < c->n; i++)
    for (size_t k = 0; c->members[i].state == DEALER_OK && k < labels_of(&c->members[i], by); k++)
      n = put_in(parts, n, label_of(&c->members[i], by, k), i, c->n, arena);
  return n;
}

/* ----------------------------------------------------------------------- metrics */

/* The column of a metric in the tables; their number when the report has none. */
static size_t column_of(const struct across_question *q, const char *metric)
{
  size_t k = 0;
  while (k < q->tables->n_metrics && strcmp(q->metrics[k], metric) != 0)
    k++;
  return k;
}

bool across_can_pool(const struct across_question *q, size_t metric, bool one_currency,
                     struct pooled_column *out)
{
  enum additive kind = additive_kind(q->metrics[metric]);
  const struct ga4_rate *rate = ga4_rate_find(q->metrics[metric]);
  *out = (struct pooled_column){.metric = metric};
  if (ga4_defined_metric(&q->definitions, q->metrics[metric]) != NULL)
    return false;
  if (ga4_counts_cohort(q->metrics[metric]))
    return strcmp(q->metrics[metric], GA4_COHORT_TOTAL) != 0 || across_cohorts_agree(q, metric);
  if (rate == NULL)
    return kind == ADDITIVE_YES || (kind == ADDITIVE_CURRENCY && one_currency);
  out->weighted = true;
  out->weight = column_of(q, rate->weight);
  out->divided = rate->part != NULL;
  out->part = out->divided ? column_of(q, rate->part) : 0;
  out->scale = rate->scale;
  return out->weight < q->tables->n_metrics && out->part < q->tables->n_metrics &&
         (!rate->money || one_currency);
}

size_t across_choose_metrics(const struct across_question *q, Result *r,
                             struct pooled_column *columns, struct arena *arena)
{
  size_t n = 0;
  bool one_currency = notes_shared_currency(q->cohort, q->tables->notes) != NULL;
  r->pooled_metrics = ARENA_ARRAY(arena, char *, q->n_asked);
  r->not_pooled = ARENA_ARRAY(arena, char *, q->n_asked);
  for (size_t k = 0; k < q->n_asked; k++) {
    if (across_can_pool(q, k, one_currency, &columns[n])) {
      n++;
      r->pooled_metrics[r->n_pooled_metrics++] = q->metrics[k];
    } else {
      r->not_pooled[r->n_not_pooled++] = q->metrics[k];
    }
  }
  return n;
}

size_t across_choose_ordering(const struct across_question *q, struct pooled_column *columns,
                              size_t n)
{
  bool one_currency = notes_shared_currency(q->cohort, q->tables->notes) != NULL;
  for (size_t k = q->n_asked; k < q->n_ordered; k++)
    n += across_can_pool(q, k, one_currency, &columns[n]);
  return n;
}

enum err_code across_check_sums(const struct across_question *q, const struct across_pool *p,
                                const struct pooled_column *columns, struct err *e)
{
  for (size_t row = 0; row < p->n; row++)
    for (size_t i = 0; i < POOL_CELLS * p->n_metrics; i++) {
      const char *metric = q->metrics[columns[i % p->n_metrics].metric];
      size_t cell = i / p->n_metrics;
      if (across_pool_has(p, cell) && !isfinite(across_pool_at(p, row, cell, i % p->n_metrics)))
        return err_set(e, ERR_DATA_LOSS, "invalid_data",
                       "metrics: the values of %.*s are too large to be added over dealers; leave "
                       "it out, or ask for one dealer at a time",
                       (int)text_clip(metric, NAME_BYTES), metric);
    }
  return ERR_OK;
}

size_t across_cut_parts(const struct across_pool *p, size_t offset, size_t limit, size_t *order,
                        bool *more)
{
  size_t n = 0, in_part = 0, part = 0;
  *more = false;
  for (size_t i = 0; i < p->n; i++) {
    size_t of = p->rows[order[i]].part;
    in_part = of == part ? in_part + 1 : 1;
    part = of;
    if (in_part > offset && in_part - offset <= limit)
      order[n++] = order[i];
    *more = *more || (in_part > offset && in_part - offset > limit);
  }
  return n;
}

char **across_row_texts(const struct across_question *q, size_t member, size_t row,
                        struct arena *arena)
{
  size_t n = q->n_dimensions;
  char **texts = ARENA_ARRAY(arena, char *, n);
  for (size_t k = 0; k < n; k++)
    texts[k] = across_text(q->tables, member, row, k);
  return texts;
}
