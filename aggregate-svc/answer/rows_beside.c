/* What an answer of a report over dealers says beside the rows: figures over all rows of each
 * dealer, as Google gives them, and what is left of its quota. */
#include <string.h>

#include "aggregate-svc/answer/rows_parts.h"

typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult Result;
typedef Analytics__Aggregate__V1__DealerAggregate DealerAggregate;

enum { SEPARATORS = 8 }; /* of a line */

void across_begin_beside(const struct across_question *q, Result *r, struct arena *arena)
{
  size_t aggregates = 0, notes = 0;
  for (size_t i = 0; i < q->cohort->n; i++) {
    aggregates += q->tables->tables[i].n_aggregates;
    notes += q->tables->tables[i].n_quota;
  }
  r->aggregates = ARENA_ARRAY(arena, DealerAggregate *, aggregates);
  r->notes = ARENA_ARRAY(arena, char *, notes);
}

/* Metrics that are fetched along for rates are not shown. */
static DealerAggregate *aggregate_of(const struct across_question *q, size_t member,
                                     const struct across_aggregate *a, struct arena *arena)
{
  DealerAggregate *out = ARENA_NEW(arena, DealerAggregate);
  analytics__aggregate__v1__dealer_aggregate__init(out);
  out->dealer_id = (char *)q->cohort->members[member].dealer_id;
  out->aggregation = a->kind;
  out->of = a->of;
  out->n_values = a->n < q->n_asked ? a->n : q->n_asked;
  out->values = a->values;
  out->n_metrics = out->n_values;
  out->metrics = ARENA_ARRAY(arena, char *, out->n_metrics);
  memcpy(out->metrics, q->metrics, out->n_metrics * sizeof(*out->metrics));
  return out;
}

void across_add_beside(const struct across_question *q, size_t member, Result *r,
                       struct arena *arena)
{
  const struct across_table *t = &q->tables->tables[member];
  for (size_t i = 0; i < t->n_aggregates; i++)
    r->aggregates[r->n_aggregates++] = aggregate_of(q, member, &t->aggregates[i], arena);
  for (size_t i = 0; i < t->n_quota; i++)
    r->notes[r->n_notes++] =
        arena_printf(arena, "%s: %s", q->cohort->members[member].dealer_id, t->quota[i]);
}

size_t across_beside_bytes(const struct across_question *q, size_t member)
{
  const struct across_table *t = &q->tables->tables[member];
  size_t line = strlen(q->cohort->members[member].dealer_id) + SEPARATORS, bytes = 0;
  for (size_t i = 0; i < t->n_quota; i++)
    bytes += line + strlen(t->quota[i]);
  for (size_t i = 0; i < t->n_aggregates; i++) {
    bytes += line + strlen(t->aggregates[i].kind) + strlen(t->aggregates[i].of);
    for (size_t k = 0; k < t->aggregates[i].n && k < q->n_asked; k++)
      bytes += strlen(q->metrics[k]) + strlen(t->aggregates[i].values[k]) + SEPARATORS;
  }
  return bytes;
}
