/* The figures of a dealer from its daily rows: sums of the period, of the one before, by day and by
 * channel. */
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/figures/channels.h"
#include "aggregate-svc/figures/daily.h"
#include "common/base/mem.h"

void daily_fold_firings(const struct daily_fold *f, size_t member, int64_t firings[LEAD_FIXED])
{
  const struct dealer_days *d = &f->dealers[member];
  memset(firings, 0, LEAD_FIXED * sizeof(*firings));
  for (size_t i = 0; i < d->n; i++)
    if (d->rows[i].query == DAILY_LOOKBACK && d->rows[i].event >= 0 &&
        d->rows[i].event < LEAD_FIXED)
      stats_count_add(&firings[d->rows[i].event], d->rows[i].a);
}

void daily_fold_leads(const struct daily_fold *f, size_t member, int event,
                      struct lead_finding *out)
{
  const struct dealer_days *d = &f->dealers[member];
  for (size_t i = 0; event != LEAD_UNKNOWN && i < d->n; i++) {
    if (d->rows[i].query != DAILY_LOOKBACK || d->rows[i].event != event)
      continue;
    stats_count_add(&out->lead_events, d->rows[i].a);
    stats_count_add(&out->lead_sessions, d->rows[i].b);
  }
}

bool daily_fold_has_kind(const struct daily_fold *f, size_t member, enum lead_kind kind)
{
  const struct dealer_days *d = &f->dealers[member];
  for (size_t i = 0; i < d->n; i++)
    if (d->rows[i].query == DAILY_EVENTS && d->rows[i].period == DAILY_NOW && d->rows[i].a > 0 &&
        lead_kind_of(d->rows[i].event) == kind)
      return true;
  return false;
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
  if (!s.window)
    return row->period == DAILY_NOW;
  return row->period < DAILY_BASELINE && row->date >= s.from && row->date <= s.to;
}

static bool is_before(struct selection s, const struct daily_row *row)
{
  return !s.window && row->period == DAILY_BEFORE;
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
    if (daily_is_sessions(&d->rows[i]) && (now ? is_now : is_before)(s, &d->rows[i]))
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
  if (has_channels(d))
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
