/* Running sums of a comparison: sessions, engaged sessions, counts of lead events. */
#include "aggregate-svc/figures/sums.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;

/* Distinct event names of one property; Google folds more than 2,000 a day. */
enum { DICTIONARY_MAX = 20000 };

void sums_fold_init(struct sums_fold *f, const struct lead_events *leads, size_t n_members)
{
  f->leads = leads;
  f->n = n_members;
  f->sums = xcalloc(n_members + 1, sizeof(*f->sums));
  f->notes = xcalloc(n_members + 1, sizeof(*f->notes));
}

void sums_fold_drop(struct sums_fold *f, size_t member)
{
  struct dealer_sums *s = &f->sums[member];
  free(s->events);
  free(s->dictionary);
  memset(s, 0, sizeof(*s));
  memset(&f->notes[member], 0, sizeof(f->notes[member]));
}

void sums_fold_free(struct sums_fold *f)
{
  for (size_t i = 0; i < f->n; i++)
    sums_fold_drop(f, i);
  free(f->sums);
  free(f->notes);
  memset(f, 0, sizeof(*f));
}

const int64_t *sums_fold_events(struct sums_fold *f, size_t member)
{
  struct dealer_sums *s = &f->sums[member];
  if (s->events == NULL)
    s->events = xcalloc(f->leads->n + 1, sizeof(*s->events));
  return s->events;
}

static enum err_code bad_data(struct err *e, const char *what)
{
  return err_set(e, ERR_DATA_LOSS, "invalid_data",
                 "the report could not be used: %s; ask again, and check the property if it stays",
                 what);
}

static enum err_code add_value(int64_t *total, double value, struct err *e, const char *metric)
{
  int64_t count;
  if (!stats_count_from_double(value, &count) || !stats_count_add(total, count))
    return bad_data(e, metric);
  return ERR_OK;
}

static enum err_code fold_sessions(struct dealer_sums *s, const ColumnChunk *c, struct err *e)
{
  if (c->n_metrics != 2 || c->metrics[0]->n_values != c->row_count ||
      c->metrics[1]->n_values != c->row_count)
    return bad_data(e, "its columns are not sessions and engaged sessions");
  enum err_code code = ERR_OK;
  for (size_t i = 0; i < c->row_count && code == ERR_OK; i++) {
    code =
        add_value(&s->sessions, c->metrics[0]->values[i], e, "a value of sessions is not a count");
    if (code == ERR_OK)
      code = add_value(&s->engaged_sessions, c->metrics[1]->values[i], e,
                       "a value of engagedSessions is not a count");
  }
  return code;
}

static enum err_code grow_dictionary(struct dealer_sums *s, const struct lead_events *leads,
                                     const DimensionColumn *d, struct err *e)
{
  size_t need = s->dictionary_len + d->n_dictionary;
  if (need > DICTIONARY_MAX)
    return bad_data(e, "it has too many event names");
  if (need > s->dictionary_cap) {
    s->dictionary_cap = need < 16 ? 16 : 2 * need;
    s->dictionary = xrealloc(s->dictionary, s->dictionary_cap * sizeof(*s->dictionary));
  }
  for (size_t i = 0; i < d->n_dictionary; i++)
    s->dictionary[s->dictionary_len++] = (int16_t)lead_events_find(leads, d->dictionary[i]);
  return ERR_OK;
}

static enum err_code fold_leads(struct sums_fold *f, size_t member, const ColumnChunk *c,
                                struct err *e)
{
  struct dealer_sums *s = &f->sums[member];
  if (c->n_dimensions != 1 || c->n_metrics != 1 || c->metrics[0]->n_values != c->row_count ||
      c->dimensions[0]->n_indices != c->row_count)
    return bad_data(e, "its columns are not eventName and eventCount");
  const DimensionColumn *d = c->dimensions[0];
  enum err_code code = grow_dictionary(s, f->leads, d, e);
  sums_fold_events(f, member);
  for (size_t i = 0; i < c->row_count && code == ERR_OK; i++) {
    if (d->indices[i] >= s->dictionary_len)
      return bad_data(e, "a row names a value that was not sent");
    int event = s->dictionary[d->indices[i]];
    if (event != LEAD_UNKNOWN)
      code = add_value(&s->events[event], c->metrics[0]->values[i], e,
                       "a value of eventCount is not a count");
  }
  return code;
}

enum err_code sums_fold_chunk(struct sums_fold *f, size_t member, const ColumnChunk *c,
                              struct err *e)
{
  if (c->query_id == SUMS_QUERY_SESSIONS)
    return fold_sessions(&f->sums[member], c, e);
  return fold_leads(f, member, c, e);
}

void sums_fold_query_done(struct sums_fold *f, size_t member,
                          const Analytics__Report__V1__QueryDone *done)
{
  notes_add(&f->notes[member], done->metadata, done->query_id == SUMS_QUERY_SESSIONS);
}

static enum err_code chunk(void *f, size_t member, const ColumnChunk *c, struct err *e)
{
  return sums_fold_chunk(f, member, c, e);
}

static void query_done(void *f, size_t member, const Analytics__Report__V1__QueryDone *done)
{
  sums_fold_query_done(f, member, done);
}

static void drop(void *f, size_t member)
{
  sums_fold_drop(f, member);
}

static void free_fold(void *f)
{
  sums_fold_free(f);
}

const struct fold sums_fold = {chunk, query_done, drop, free_fold};
