/* Several tables of rows behind one fold. */
#include "aggregate-svc/figures/tables.h"

#include <string.h>

#include "common/base/mem.h"

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__QueryDone QueryDone;

/* Sums of so many counts cannot overflow an int64 within the rows of a call. */
#define COUNT_MAX 1e12

void report_tables_init(struct report_tables *t, const struct table_shape *shapes, size_t n,
                        size_t n_members, int64_t max_rows, struct budget budget)
{
  memset(t, 0, sizeof(*t));
  t->n = n;
  for (size_t i = 0; i < n; i++)
    across_tables_init(&t->of[i], n_members, shapes[i].dimensions, shapes[i].metrics, max_rows,
                       budget);
}

static enum err_code no_count(struct err *e)
{
  return err_set(e, ERR_DATA_LOSS, "invalid_data",
                 "the report could not be used: a number of sessions or events is not a count");
}

static enum err_code chunk(void *arg, size_t member, const ColumnChunk *c, struct err *e)
{
  struct report_tables *t = arg;
  if (c->query_id == 0 || c->query_id > t->n)
    return err_set(e, ERR_DATA_LOSS, "invalid_data",
                   "the report could not be used: it was not asked for");
  for (size_t k = 0; k < c->n_metrics && !t->any_values; k++)
    for (size_t i = 0; i < c->metrics[k]->n_values; i++) {
      double x = c->metrics[k]->values[i];
      if (!(x >= 0 && x <= COUNT_MAX) || x != (double)(int64_t)x)
        return no_count(e);
    }
  return across_tables_chunk(&t->of[c->query_id - 1], member, c, e);
}

static void query_done(void *arg, size_t member, const QueryDone *done)
{
  struct report_tables *t = arg;
  if (done->query_id > 0 && done->query_id <= t->n)
    across_tables_query_done(&t->of[done->query_id - 1], member, done);
}

static void drop(void *arg, size_t member)
{
  struct report_tables *t = arg;
  for (size_t i = 0; i < t->n; i++)
    across_tables_drop(&t->of[i], member);
}

static void free_tables(void *arg)
{
  struct report_tables *t = arg;
  for (size_t i = 0; i < t->n; i++)
    across_tables_free(&t->of[i]);
}

const struct fold report_tables_fold = {chunk, query_done, drop, free_tables};

int64_t table_count(const struct across_tables *t, size_t member, size_t row, size_t metric)
{
  return (int64_t)across_value(t, member, row, metric);
}

void table_firings(const struct across_tables *t, size_t member, const struct lead_events *leads,
                   int64_t firings[LEAD_FIXED])
{
  memset(firings, 0, LEAD_FIXED * sizeof(*firings));
  for (size_t row = 0; row < t->tables[member].rows; row++) {
    int event = lead_events_find(leads, across_text(t, member, row, 0));
    if (event >= 0 && event < LEAD_FIXED)
      firings[event] += table_count(t, member, row, 0);
  }
}

int table_lead_event(const struct across_tables *look_back, const struct cohort_member *m,
                     size_t member, const struct lead_events *leads)
{
  int64_t firings[LEAD_FIXED];
  table_firings(look_back, member, leads, firings);
  return lead_event_of(leads, m, lead_find(firings));
}

struct suspect_finding table_duplicates(const struct across_tables *look_back, size_t member,
                                        const char *event)
{
  int64_t events = 0, sessions = 0;
  for (size_t row = 0; row < look_back->tables[member].rows; row++) {
    if (strcmp(across_text(look_back, member, row, 0), event) != 0)
      continue;
    events += table_count(look_back, member, row, 0);
    sessions += table_count(look_back, member, row, 1);
  }
  return suspect_duplicates(events, sessions);
}

/* A note of one report into those of all. */
static void merge(struct dealer_notes *to, const struct dealer_notes *n)
{
  to->thresholding |= n->thresholding;
  to->other_row |= n->other_row;
  to->restricted |= n->restricted;
  to->truncated |= n->truncated;
  if (n->sampled && (!to->sampled || n->sample_rate < to->sample_rate))
    to->sample_rate = n->sample_rate;
  to->sampled |= n->sampled;
  if (to->truncation[0] == '\0')
    memcpy(to->truncation, n->truncation, sizeof(to->truncation));
  if (to->time_zone[0] == '\0')
    memcpy(to->time_zone, n->time_zone, sizeof(to->time_zone));
  if (to->currency[0] == '\0')
    memcpy(to->currency, n->currency, sizeof(to->currency));
}

struct dealer_notes *report_tables_notes(const struct report_tables *t, struct arena *arena)
{
  size_t members = t->n > 0 ? t->of[0].n : 0;
  struct dealer_notes *notes = ARENA_ARRAY(arena, struct dealer_notes, members + 1);
  for (size_t i = 0; notes != NULL && i < members; i++)
    for (size_t k = 0; k < t->n; k++)
      merge(&notes[i], &t->of[k].notes[i]);
  return notes;
}
