/* Looks at the rows of a call for those of its period. */
#include "aggregate-svc/call/presence.h"

#include <string.h>

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Ga4__V1beta__RunReportRequest Report;

void presence_init(struct presence *p, const struct period *period, size_t members,
                   struct arena *arena)
{
  p->period = period;
  p->of = ARENA_ARRAY(arena, struct presence_dealer, members + 1);
  if (p->of != NULL)
    memset(p->of, 0, (members + 1) * sizeof(*p->of));
}

/* The first range is the period itself, whose texts query_new() lends to the report. */
static bool reads_period(const struct presence *p, const Report *r)
{
  return r->n_date_ranges > 0 && r->date_ranges[0]->start_date == p->period->start.text &&
         r->date_ranges[0]->end_date == p->period->end.text;
}

void presence_ask(struct presence *p, size_t member, const struct query_set *set)
{
  if (p->of == NULL)
    return;
  struct presence_dealer *d = &p->of[member];
  *d = (struct presence_dealer){0};
  for (size_t i = 0; i < set->n; i++) {
    d->asked |= reads_period(p, set->queries[i]->report);
    d->at[i] = -1;
  }
}

static bool has_figure(const ColumnChunk *c, size_t row)
{
  for (size_t i = 0; i < c->n_metrics; i++)
    if (c->metrics[i]->values[row] != 0)
      return true;
  return false;
}

/* Of several ranges the last dimension says which one a row is of. */
static bool see_range(struct presence_dealer *d, size_t query, const ColumnChunk *c)
{
  const Analytics__Report__V1__DimensionColumn *range = c->dimensions[c->n_dimensions - 1];
  for (size_t i = 0; i < range->n_dictionary; i++)
    if (strcmp(range->dictionary[i], "date_range_0") == 0)
      d->at[query] = (int64_t)d->entries[query] + (int64_t)i;
  d->entries[query] += (uint32_t)range->n_dictionary;
  for (size_t row = 0; row < c->row_count; row++)
    if (range->indices[row] == d->at[query] && has_figure(c, row))
      return true;
  return false;
}

static bool see_rows(const ColumnChunk *c)
{
  for (size_t row = 0; row < c->row_count; row++)
    if (has_figure(c, row))
      return true;
  return false;
}

void presence_see(struct presence *p, size_t member, const struct query_set *set,
                  const ColumnChunk *chunk)
{
  size_t i = 0;
  while (i < set->n && set->queries[i]->query_id != chunk->query_id)
    i++;
  if (p->of == NULL || p->of[member].seen || i == set->n ||
      !reads_period(p, set->queries[i]->report))
    return;
  bool several = set->queries[i]->report->n_date_ranges > 1 && chunk->n_dimensions > 0;
  p->of[member].seen = several ? see_range(&p->of[member], i, chunk) : see_rows(chunk);
}

bool presence_lacks(const struct presence *p, size_t member)
{
  return p->of != NULL && p->of[member].asked && !p->of[member].seen;
}
