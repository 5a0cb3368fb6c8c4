/* Daily rows of a comparison, kept per dealer and summed when all are there. */
#include "aggregate-svc/figures/daily.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/figures/channels.h"
#include "common/base/clock.h"
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
    [DAILY_CHANNEL_EVENTS - 1] = {{DIMENSION_CHANNEL, DIMENSION_EVENT}, 2, 2, false},
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
  static const char *const names[DAILY_PERIODS] = {"date_range_0", "date_range_1", "date_range_2"};
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

/* ----------------------------------------------------------------------- figures */

void daily_fold_firings(const struct daily_fold *f, size_t member, int64_t firings[LEAD_FIXED])
{
  const struct dealer_days *d = &f->dealers[member];
  memset(firings, 0, LEAD_FIXED * sizeof(*firings));
  for (size_t i = 0; i < d->n; i++)
    if (d->rows[i].query == DAILY_LOOKBACK && d->rows[i].event >= 0 &&
        d->rows[i].event < LEAD_FIXED)
      stats_count_add(&firings[d->rows[i].event], d->rows[i].a);
}

/* Signature of the event of a row of the look-back. */
static uint64_t signature_of(const struct daily_fold *f, const struct dealer_days *d,
                             const struct daily_row *row)
{
  return row->event >= 0 ? suspect_signature_add(0, f->leads->names[row->event])
                         : d->others[LEAD_UNKNOWN - 1 - row->event];
}

uint64_t daily_fold_key_events(const struct daily_fold *f, size_t member)
{
  const struct dealer_days *d = &f->dealers[member];
  const uint64_t start = suspect_signature_add(0, LEAD_SESSION_START);
  int64_t sessions = 0;
  uint64_t sum = 0;
  for (size_t i = 0; i < d->n; i++)
    if (d->rows[i].query == DAILY_LOOKBACK && signature_of(f, d, &d->rows[i]) == start)
      sessions = d->rows[i].b > sessions ? d->rows[i].b : sessions;
  for (size_t i = 0; i < d->n; i++) {
    const struct daily_row *row = &d->rows[i];
    bool candidate = row->event >= 0 && row->event < LEAD_DEFAULTS;
    if (row->query == DAILY_LOOKBACK && row->key && !candidate &&
        suspect_is_frequent(row->b, sessions))
      sum += signature_of(f, d, row);
  }
  return sum;
}

/* What counts on a dealer's site. */
struct meaning {
  int lead_event, shopper;
};

/* Pages of inventory, and contacts of other kinds. */
static bool add_fixed_event(struct dealer_counts *to, const struct daily_row *row)
{
  if (row->event == LEAD_EVENT_VDP)
    return stats_count_add(&to->vdp_views, row->a) && stats_count_add(&to->vdp_sessions, row->b);
  if (row->event == LEAD_EVENT_SRP)
    return stats_count_add(&to->srp_sessions, row->b);
  switch (lead_kind_of(row->event)) {
  case LEAD_KIND_CALL:
    return stats_count_add(&to->calls, row->a);
  case LEAD_KIND_CHAT:
    return stats_count_add(&to->chats, row->a);
  case LEAD_KIND_APPOINTMENT:
    return stats_count_add(&to->appointments, row->a);
  case LEAD_KINDS:
  default:
    return true;
  }
}

static bool add_event(struct dealer_counts *to, struct meaning m, const struct daily_row *row)
{
  bool ok = add_fixed_event(to, row);
  if (row->event == m.lead_event)
    ok = ok && stats_count_add(&to->leads, row->a) && stats_count_add(&to->lead_sessions, row->b);
  if (m.shopper >= SHOPPER_EVENT && row->event == m.shopper - SHOPPER_EVENT)
    ok = ok && stats_count_add(&to->shopper_sessions, row->b);
  return ok;
}

static bool add_counts(struct dealer_counts *to, struct meaning m, const struct daily_row *row)
{
  switch (row->query) {
  case DAILY_SESSIONS:
  case DAILY_CHANNEL_SESSIONS:
    return stats_count_add(&to->sessions, row->a) &&
           stats_count_add(&to->engaged_sessions, row->b) &&
           (m.shopper != SHOPPER_ENGAGED || stats_count_add(&to->shopper_sessions, row->b));
  case DAILY_SHOPPERS:
  case DAILY_CHANNEL_SHOPPERS:
    return stats_count_add(&to->inventory_sessions, row->a) &&
           (m.shopper != SHOPPER_INVENTORY || stats_count_add(&to->shopper_sessions, row->a));
  case DAILY_EVENTS:
  case DAILY_CHANNEL_EVENTS:
    return add_event(to, m, row);
  default:
    return true;
  }
}

/* Sessions with both kinds of pages: those with the one and those with the other, less those with
 * any, which were counted twice. */
static void finish(struct dealer_counts *c)
{
  int64_t both = c->vdp_sessions;
  if (!stats_count_add(&both, c->srp_sessions))
    both = c->srp_sessions;
  both -= c->inventory_sessions;
  c->vdp_srp_sessions = both < 0 ? 0 : both < c->srp_sessions ? both : c->srp_sessions;
}

/* Which rows are a dealer's figures. */
struct selection {
  bool window; /* those of days from..to; else those of the period asked about */
  int32_t from, to;
};

static bool is_now(struct selection s, const struct daily_row *row)
{
  return s.window ? row->date >= s.from && row->date <= s.to : row->period == DAILY_NOW;
}

static bool is_before(struct selection s, const struct daily_row *row)
{
  return !s.window && row->period == DAILY_BEFORE;
}

/* Sessions by day, in one piece or by channel. */
static bool is_sessions(const struct daily_row *row)
{
  return row->query == DAILY_SESSIONS || row->query == DAILY_CHANNEL_SESSIONS;
}

static int by_number(const void *a, const void *b)
{
  int32_t x = *(const int32_t *)a, y = *(const int32_t *)b;
  return (x > y) - (x < y);
}

/* The dates of either period that have sessions, ascending, each once. */
static size_t collect_dates(const struct dealer_days *d, struct selection s, bool now,
                            int32_t *dates)
{
  size_t n = 0, kept = 0;
  for (size_t i = 0; i < d->n; i++)
    if (is_sessions(&d->rows[i]) && (now ? is_now : is_before)(s, &d->rows[i]))
      dates[n++] = d->rows[i].date;
  if (n > 1)
    qsort(dates, n, sizeof(*dates), by_number);
  for (size_t i = 0; i < n; i++)
    if (i == 0 || dates[i] != dates[i - 1])
      dates[kept++] = dates[i];
  return kept;
}

/* Days of a period, in the order of their dates. */
struct day_list {
  int32_t *dates;
  struct dealer_counts *days;
  size_t n;
};

static void list_days(struct day_list *l, const struct dealer_days *d, struct selection s, bool now,
                      struct arena *arena)
{
  l->dates = xcalloc(d->n + 1, sizeof(*l->dates));
  l->n = collect_dates(d, s, now, l->dates);
  l->days = ARENA_ARRAY(arena, struct dealer_counts, l->n);
}

static bool add_day(const struct day_list *l, struct meaning m, const struct daily_row *row)
{
  const int32_t *day =
      l->n == 0 ? NULL : bsearch(&row->date, l->dates, l->n, sizeof(*l->dates), by_number);
  return day == NULL || add_counts(&l->days[day - l->dates], m, row);
}

static void finish_days(struct day_list *l)
{
  for (size_t i = 0; i < l->n; i++)
    finish(&l->days[i]);
  free(l->dates);
}

/* Where the figures of a dealer are added up. */
struct target {
  struct dealer_figures *out;
  struct dealer_counts *channels; /* NULL for none */
  struct day_list days[2];        /* before, now */
};

static bool add_row_to(const struct target *t, struct selection s, struct meaning m,
                       const struct daily_row *row)
{
  bool now = is_now(s, row);
  if (row->query >= DAILY_CHANNEL_SESSIONS && t->channels != NULL && now &&
      !add_counts(&t->channels[row->channel], m, row))
    return false;
  if (row->query == DAILY_CHANNEL_EVENTS || (!now && !is_before(s, row)))
    return true;
  return add_counts(now ? &t->out->now : &t->out->before, m, row) && add_day(&t->days[now], m, row);
}

static bool add_all(const struct dealer_days *d, struct target *t, struct selection s,
                    struct meaning m)
{
  bool fits = true;
  for (size_t i = 0; i < d->n && fits; i++)
    fits = add_row_to(t, s, m, &d->rows[i]);
  finish(&t->out->now);
  finish(&t->out->before);
  finish_days(&t->days[0]);
  finish_days(&t->days[1]);
  for (size_t i = 0; t->channels != NULL && i < CHANNELS; i++)
    finish(&t->channels[i]);
  t->out->kinds[LEAD_KIND_CALL] = t->out->now.calls;
  t->out->kinds[LEAD_KIND_CHAT] = t->out->now.chats;
  t->out->kinds[LEAD_KIND_APPOINTMENT] = t->out->now.appointments;
  return fits;
}

static bool has_channels(const struct dealer_days *d)
{
  for (size_t i = 0; i < d->n; i++)
    if (d->rows[i].query >= DAILY_CHANNEL_SESSIONS)
      return true;
  return false;
}

static bool figures_of(const struct daily_fold *f, size_t member, struct meaning m,
                       struct selection s, struct dealer_figures *out, struct arena *arena)
{
  const struct dealer_days *d = &f->dealers[member];
  struct target t = {.out = out};
  if (!s.window)
    list_days(&t.days[0], d, s, false, arena);
  list_days(&t.days[1], d, s, true, arena);
  if (!s.window && has_channels(d))
    t.channels = ARENA_ARRAY(arena, struct dealer_counts, CHANNELS);
  *out = (struct dealer_figures){.ok = true,
                                 .lead_event = m.lead_event,
                                 .shopper = m.shopper,
                                 .has_before = f->two_periods && !s.window,
                                 .days = t.days[1].days,
                                 .n_days = t.days[1].n,
                                 .before_days = t.days[0].days,
                                 .n_before_days = t.days[0].n,
                                 .channels = t.channels};
  return add_all(d, &t, s, m);
}

bool daily_fold_figures(const struct daily_fold *f, size_t member, int lead_event, int shopper,
                        struct dealer_figures *out, struct arena *arena)
{
  return figures_of(f, member, (struct meaning){lead_event, shopper}, (struct selection){0}, out,
                    arena);
}

bool daily_fold_window(const struct daily_fold *f, size_t member, int lead_event, int shopper,
                       int32_t from, int32_t to, struct dealer_figures *out, struct arena *arena)
{
  return figures_of(f, member, (struct meaning){lead_event, shopper},
                    (struct selection){true, from, to}, out, arena);
}

/* ---------------------------------------------------------------------- suspect days */

enum { FINDING_DAYS = 512 };

/* The days of a dealer as arrays. */
struct series {
  int64_t sessions[FINDING_DAYS], engaged[FINDING_DAYS], leads[FINDING_DAYS];
};

static int64_t day_number(int32_t date)
{
  return clock_days_from_civil(date / 10000, (unsigned)(date / 100 % 100), (unsigned)(date % 100));
}

static void add_to_series(struct series *s, int64_t at, int lead_event, const struct daily_row *row)
{
  if (at < 0 || at >= FINDING_DAYS)
    return;
  if (is_sessions(row)) {
    s->sessions[at] += row->a;
    s->engaged[at] += row->b;
  } else if (row->query == DAILY_EVENTS && row->event == lead_event) {
    s->leads[at] += row->a;
  }
}

void daily_fold_findings(const struct daily_fold *f, size_t member, struct period_days days,
                         int64_t complete, struct dealer_figures *out)
{
  const struct dealer_days *d = &f->dealers[member];
  AUTO_FREE struct series *s = xcalloc(1, sizeof(*s));
  int64_t first = days.first - (f->baseline ? SUSPECT_BASELINE : 0);
  int64_t length = days.last - days.first + 1;
  if (days.last - first >= FINDING_DAYS)
    first = days.last - FINDING_DAYS + 1;
  for (size_t i = 0; i < d->n; i++)
    if (is_sessions(&d->rows[i]) || d->rows[i].query == DAILY_EVENTS)
      add_to_series(s, day_number(d->rows[i].date) - first, out->lead_event, &d->rows[i]);
  struct suspect_days x = {.first = first,
                           .n = (size_t)(days.last - first + 1),
                           .begin = days.first > first ? (size_t)(days.first - first) : 0,
                           .complete = complete >= first ? (size_t)(complete - first + 1) : 0,
                           .sessions = s->sessions,
                           .engaged = s->engaged,
                           .leads = s->leads};
  x.leads_from = length < (int64_t)x.begin ? x.begin - (size_t)length : 0;
  suspect_find_days(&out->findings, &x);
  if (out->lead_event != LEAD_UNKNOWN)
    out->findings.of[SUSPECT_DUPLICATES] =
        suspect_duplicates(out->now.leads, out->now.lead_sessions);
  out->effects = suspect_effects(&out->findings);
  if (out->effects & EFFECT_NO_TREND)
    out->has_before = false;
}
