/* Keeps the daily rows of a comparison, per dealer, while they arrive. */
#include "aggregate-svc/figures/daily.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/figures/channels.h"
#include "common/base/mem.h"

typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__DimensionColumn DimensionColumn;

/* Distinct values of a dimension of one property: days, and events of the filter. */
enum { DICTIONARY_MAX = 20000, METRICS_MAX = 2, DATE_DIGITS = 8 };

/* What a dimension's values are. */
enum dimension {
  DIMENSION_DATE,
  DIMENSION_EVENT,     /* one of the leads, or not wanted */
  DIMENSION_ANY_EVENT, /* also another one */
  DIMENSION_KEY,
  DIMENSION_CHANNEL,
  DIMENSION_PERIOD
};

struct layout {
  enum dimension dimensions[DAILY_DIMENSIONS];
  size_t n_dimensions; /* without the period */
  size_t n_metrics;
  bool periods; /* reads the period before, too */
};
static const struct layout layouts[DAILY_QUERIES] = {
    [DAILY_SESSIONS - 1] = {{DIMENSION_DATE}, 1, 2, true},
    [DAILY_EVENTS - 1] = {{DIMENSION_DATE, DIMENSION_EVENT}, 2, 2, true},
    [DAILY_SHOPPERS - 1] = {{DIMENSION_DATE}, 1, 1, true},
    [DAILY_LOOKBACK - 1] = {{DIMENSION_ANY_EVENT, DIMENSION_KEY}, 2, 2, false},
    [DAILY_CHANNEL_SESSIONS - 1] = {{DIMENSION_DATE, DIMENSION_CHANNEL}, 2, 2, true},
    [DAILY_CHANNEL_SHOPPERS - 1] = {{DIMENSION_DATE, DIMENSION_CHANNEL}, 2, 1, true},
    [DAILY_CHANNEL_EVENTS -
        1] = {{DIMENSION_DATE, DIMENSION_CHANNEL, DIMENSION_EVENT}, 3, 2, false},
};

/* ------------------------------------------------------------ beginning and end */

void daily_fold_init(struct daily_fold *f, const struct lead_events *leads, size_t n_members,
                     bool two_periods, struct budget budget)
{
  f->leads = leads;
  f->n = n_members;
  f->two_periods = two_periods;
  f->budget = budget;
  f->dealers = xcalloc(n_members + 1, sizeof(*f->dealers));
  f->notes = xcalloc(n_members + 1, sizeof(*f->notes));
}

static void drop(void *figures, size_t member)
{
  struct daily_fold *f = figures;
  struct dealer_days *d = &f->dealers[member];
  free(d->rows);
  free(d->others);
  for (size_t q = 0; q < DAILY_QUERIES; q++)
    for (size_t k = 0; k < DAILY_DIMENSIONS; k++)
      free(d->dictionaries[q][k].values);
  budget_give(&f->budget, d->bytes);
  memset(d, 0, sizeof(*d));
  memset(&f->notes[member], 0, sizeof(f->notes[member]));
}

static void free_fold(void *figures)
{
  struct daily_fold *f = figures;
  for (size_t i = 0; i < f->n; i++)
    drop(f, i);
  free(f->dealers);
  free(f->notes);
  memset(f, 0, sizeof(*f));
}

static enum err_code no_memory(struct err *e)
{
  return fold_no_memory(e, "the daily figures",
                        "ask for a shorter period or fewer dealers, or again in a moment");
}

/* Room for n values of a growing array, paid for by the budget. */
static bool grow(struct daily_fold *f, struct dealer_days *d, void **array, size_t *cap, size_t n,
                 size_t size)
{
  if (n <= *cap)
    return true;
  size_t want = n < 16 ? 16 : 2 * n;
  if (!budget_take(&f->budget, (want - *cap) * size))
    return false;
  d->bytes += (long long)((want - *cap) * size);
  *array = xrealloc(*array, want * size);
  *cap = want;
  return true;
}

/* ------------------------------------------------------------------ dictionaries */

static bool read_date(const char *text, int32_t *out)
{
  int32_t x = 0;
  size_t n = 0;
  for (; n < DATE_DIGITS && text[n] >= '0' && text[n] <= '9'; n++)
    x = 10 * x + (text[n] - '0');
  *out = x;
  return n == DATE_DIGITS && text[n] == '\0';
}

/* Google names the ranges of a report date_range_0, date_range_1, ... */
static bool read_period(const char *text, int32_t *out)
{
  static const char *const names[DAILY_PERIODS] = {"date_range_0", "date_range_1", "date_range_2",
                                                   "date_range_3"};
  for (*out = 0; *out < DAILY_PERIODS; (*out)++)
    if (strcmp(text, names[*out]) == 0)
      return true;
  return false;
}

static bool read_value(const struct daily_fold *f, enum dimension dimension, const char *text,
                       int32_t *out)
{
  switch (dimension) {
  case DIMENSION_DATE:
    return read_date(text, out);
  case DIMENSION_PERIOD:
    return read_period(text, out);
  case DIMENSION_KEY:
    *out = strcmp(text, "true") == 0;
    return true;
  case DIMENSION_CHANNEL:
    *out = (int32_t)channel_find(text);
    return true;
  case DIMENSION_EVENT:
  case DIMENSION_ANY_EVENT:
  default:
    *out = lead_events_find(f->leads, text);
    return true;
  }
}

/* Gives an event of the look-back that is not of the leads a number below LEAD_UNKNOWN. */
static bool number_other(struct daily_fold *f, struct dealer_days *d, const char *name,
                         int32_t *value)
{
  void *others = d->others;
  if (!grow(f, d, &others, &d->cap_others, d->n_others + 1, sizeof(*d->others)))
    return false;
  d->others = others;
  d->others[d->n_others++] = suspect_signature_add(0, name);
  *value = LEAD_UNKNOWN - (int32_t)d->n_others;
  return true;
}

static enum err_code grow_dictionary(struct daily_fold *f, struct dealer_days *d,
                                     struct daily_dictionary *dictionary, enum dimension dimension,
                                     const DimensionColumn *column, struct err *e)
{
  size_t need = dictionary->n + column->n_dictionary;
  void *values = dictionary->values;
  if (need > DICTIONARY_MAX)
    return fold_bad_data(e, "a dimension has too many values");
  if (!grow(f, d, &values, &dictionary->cap, need, sizeof(*dictionary->values)))
    return no_memory(e);
  dictionary->values = values;
  for (size_t i = 0; i < column->n_dictionary; i++) {
    int32_t *value = &dictionary->values[dictionary->n++];
    if (!read_value(f, dimension, column->dictionary[i], value))
      return fold_bad_data(e, "a value of date or dateRange is not one");
    if (dimension == DIMENSION_ANY_EVENT && *value == LEAD_UNKNOWN &&
        !number_other(f, d, column->dictionary[i], value))
      return no_memory(e);
  }
  return ERR_OK;
}

/* -------------------------------------------------------------------------- rows */

static size_t dimensions_of(const struct daily_fold *f, const struct layout *l)
{
  return l->n_dimensions + (l->periods && f->two_periods);
}

static enum dimension dimension_at(const struct layout *l, size_t k)
{
  return k < l->n_dimensions ? l->dimensions[k] : DIMENSION_PERIOD;
}

static enum err_code check_columns(const struct daily_fold *f, const struct layout *l,
                                   const ColumnChunk *c, struct err *e)
{
  if (c->n_dimensions != dimensions_of(f, l) || c->n_metrics != l->n_metrics)
    return fold_bad_data(e, "its columns are not those that were asked for");
  for (size_t k = 0; k < c->n_dimensions; k++)
    if (c->dimensions[k]->n_indices != c->row_count)
      return fold_bad_data(e, "a dimension column has the wrong length");
  for (size_t k = 0; k < c->n_metrics; k++)
    if (c->metrics[k]->n_values != c->row_count)
      return fold_bad_data(e, "a metric column has the wrong length");
  return ERR_OK;
}

static void set_dimension(struct daily_row *row, enum dimension dimension, int32_t value)
{
  if (dimension == DIMENSION_DATE)
    row->date = value;
  else if (dimension == DIMENSION_EVENT || dimension == DIMENSION_ANY_EVENT)
    row->event = (int16_t)value;
  else if (dimension == DIMENSION_KEY)
    row->key = value != 0;
  else if (dimension == DIMENSION_CHANNEL)
    row->channel = (uint8_t)value;
  else
    row->period = (unsigned)value & 0x7U;
}

static enum err_code read_row(const struct layout *l, const struct dealer_days *d,
                              const ColumnChunk *c, size_t i, struct daily_row *row, struct err *e)
{
  int64_t values[METRICS_MAX] = {0, 0};
  *row = (struct daily_row){.query = c->query_id & 0xf, .event = LEAD_UNKNOWN};
  for (size_t k = 0; k < c->n_dimensions; k++) {
    const struct daily_dictionary *dictionary = &d->dictionaries[c->query_id - 1][k];
    uint32_t index = c->dimensions[k]->indices[i];
    if (index >= dictionary->n)
      return fold_bad_data(e, "a row names a value that was not sent");
    set_dimension(row, dimension_at(l, k), dictionary->values[index]);
  }
  for (size_t k = 0; k < c->n_metrics; k++)
    if (!stats_count_from_double(c->metrics[k]->values[i], &values[k]))
      return fold_bad_data(e, "a value of sessions or events is not a count");
  row->a = values[0];
  row->b = values[1];
  return ERR_OK;
}

static bool is_wanted(const struct layout *l, const struct daily_row *row)
{
  for (size_t k = 0; k < l->n_dimensions; k++)
    if (l->dimensions[k] == DIMENSION_EVENT && row->event == LEAD_UNKNOWN)
      return false;
  return true;
}

static enum err_code add_row(struct daily_fold *f, struct dealer_days *d, struct daily_row row,
                             struct err *e)
{
  void *rows = d->rows;
  if (!grow(f, d, &rows, &d->cap, d->n + 1, sizeof(*d->rows)))
    return no_memory(e);
  d->rows = rows;
  d->rows[d->n++] = row;
  return ERR_OK;
}

static enum err_code add_rows(struct daily_fold *f, struct dealer_days *d, const struct layout *l,
                              const ColumnChunk *c, struct err *e)
{
  for (size_t i = 0; i < c->row_count; i++) {
    struct daily_row row;
    if (read_row(l, d, c, i, &row, e) != ERR_OK ||
        (is_wanted(l, &row) && add_row(f, d, row, e) != ERR_OK))
      return e->code;
  }
  return ERR_OK;
}

static enum err_code chunk(void *figures, size_t member, const ColumnChunk *c, struct err *e)
{
  struct daily_fold *f = figures;
  struct dealer_days *d = &f->dealers[member];
  if (c->query_id < 1 || c->query_id > DAILY_QUERIES)
    return fold_bad_data(e, "it was not asked for");
  const struct layout *l = &layouts[c->query_id - 1];
  enum err_code code = check_columns(f, l, c, e);
  for (size_t k = 0; k < c->n_dimensions && code == ERR_OK; k++)
    code = grow_dictionary(f, d, &d->dictionaries[c->query_id - 1][k], dimension_at(l, k),
                           c->dimensions[k], e);
  return code == ERR_OK ? add_rows(f, d, l, c, e) : code;
}

/* The look-back is about other days: what Google says of it does not concern the answer. */
static void query_done(void *figures, size_t member, const Analytics__Report__V1__QueryDone *done)
{
  struct daily_fold *f = figures;
  if (done->query_id != DAILY_LOOKBACK)
    notes_add(&f->notes[member], done->metadata,
              done->query_id == DAILY_SESSIONS || done->query_id == DAILY_CHANNEL_SESSIONS);
}

const struct fold daily_fold = {chunk, query_done, drop, free_fold};
