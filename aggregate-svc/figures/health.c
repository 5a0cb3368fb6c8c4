/* Reads the reports of check_data_health and looks for signs in them. */
#include "aggregate-svc/figures/health.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/figures/series.h"
#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"

/* ----------------------------------------------------------------------------- fold */

static const struct {
  size_t dimensions, metrics;
} layouts[HEALTH_QUERIES] = {[HEALTH_DAYS - 1] = {1, 2},
                             [HEALTH_EVENTS - 1] = {3, 2},
                             [HEALTH_PLACES - 1] = {2, 1},
                             [HEALTH_REFERRALS - 1] = {2, 1},
                             [HEALTH_LOOKBACK - 1] = {1, 1}};

void health_fold_init(struct health_fold *f, size_t n_members, int64_t max_rows,
                      struct budget budget)
{
  f->n = n_members;
  f->notes = xcalloc(n_members + 1, sizeof(*f->notes));
  for (size_t q = 0; q < HEALTH_QUERIES; q++)
    across_tables_init(&f->of[q], n_members, layouts[q].dimensions, layouts[q].metrics, max_rows,
                       budget);
}

static bool is_ours(uint32_t query_id)
{
  return query_id >= 1 && query_id <= HEALTH_QUERIES;
}

static enum err_code chunk(void *figures, size_t member,
                           const Analytics__Report__V1__ColumnChunk *c, struct err *e)
{
  struct health_fold *f = figures;
  if (!is_ours(c->query_id))
    return fold_bad_data(e, "it was not asked for");
  return across_tables_chunk(&f->of[c->query_id - 1], member, c, e);
}

static void query_done(void *figures, size_t member, const Analytics__Report__V1__QueryDone *done)
{
  struct health_fold *f = figures;
  if (is_ours(done->query_id) && done->query_id != HEALTH_LOOKBACK)
    notes_add(&f->notes[member], done->metadata, done->query_id == HEALTH_DAYS);
}

static void drop(void *figures, size_t member)
{
  struct health_fold *f = figures;
  memset(&f->notes[member], 0, sizeof(f->notes[member]));
  for (size_t q = 0; q < HEALTH_QUERIES; q++)
    across_tables_drop(&f->of[q], member);
}

static void free_fold(void *figures)
{
  struct health_fold *f = figures;
  for (size_t q = 0; q < HEALTH_QUERIES; q++)
    across_tables_free(&f->of[q]);
  free(f->notes);
  memset(f, 0, sizeof(*f));
}

const struct fold health_fold = {chunk, query_done, drop, free_fold};

void health_firings(const struct health_fold *f, const struct lead_events *leads, size_t member,
                    int64_t firings[LEAD_FIXED])
{
  const struct across_tables *t = &f->of[HEALTH_LOOKBACK - 1];
  memset(firings, 0, LEAD_FIXED * sizeof(*firings));
  for (size_t i = 0; i < t->tables[member].rows; i++) {
    int event = lead_events_find(leads, across_text(t, member, i, 0));
    if (event >= 0 && event < LEAD_FIXED)
      firings[event] += (int64_t)across_value(t, member, i, 0);
  }
}

/* --------------------------------------------------------------------------- series */

struct health_series {
  struct series of;
  int64_t other[SERIES_DAYS];                /* one event, or sessions from abroad */
  bool key[SERIES_DAYS], plain[SERIES_DAYS]; /* the event was a key event, was none */
};

/* One dealer while it is looked at. */
struct look {
  const struct health_fold *f;
  size_t member;
  const struct health_question *q;
  struct health_series *s;
  const struct suspect_days *days; /* of the series */
  struct health_dealer *out;
};

/* Entry of a date (YYYYMMDD); negative when it is none of the window. */
static int64_t entry_of(const struct look *l, const char *date)
{
  return series_entry(&l->s->of, series_day(date));
}

/* A value as a count; what is none counts as 0. */
static int64_t count_of(double x)
{
  int64_t n;
  return stats_count_from_double(x, &n) ? n : 0;
}

static void read_totals(struct look *l)
{
  struct health_dealer *out = l->out;
  out->reach = suspect_reach_of(l->days);
  for (size_t i = l->days->begin; i < l->days->n; i++) {
    out->sessions += l->s->of.sessions[i];
    out->days_without += i < l->days->complete && l->s->of.sessions[i] == 0;
  }
}

/* --------------------------------------------------------------------------- events */

/* Sums of an event in the period. */
struct event_sums {
  int64_t firings, sessions;
  bool key;
};

static struct event_sums read_event(struct look *l, uint32_t event)
{
  const struct across_tables *t = &l->f->of[HEALTH_EVENTS - 1];
  const struct across_table *d = &t->tables[l->member];
  struct event_sums sums = {0};
  memset(l->s->other, 0, sizeof(l->s->other));
  memset(l->s->key, 0, sizeof(l->s->key));
  memset(l->s->plain, 0, sizeof(l->s->plain));
  for (size_t i = 0; i < d->rows; i++) {
    int64_t at = d->indices[i * t->n_dimensions + 1] == event
                     ? entry_of(l, across_text(t, l->member, i, 0))
                     : -1;
    if (at < 0)
      continue;
    int64_t firings = count_of(across_value(t, l->member, i, 0));
    bool key = strcmp(across_text(t, l->member, i, 2), "true") == 0;
    l->s->other[at] += firings;
    (key ? l->s->key : l->s->plain)[at] = true;
    if (at < (int64_t)l->days->begin)
      continue;
    sums.firings += firings;
    sums.sessions += count_of(across_value(t, l->member, i, 1));
    sums.key = sums.key || key;
  }
  return sums;
}

static void add_change(struct look *l, const char *name, enum health_change change, int64_t day)
{
  if (l->out->n_events < HEALTH_EVENTS_MAX)
    l->out->events[l->out->n_events++] = (struct health_event){name, change, day};
}

/* The first day of the period on which the event is a key event and was none the time before, or
 * the other way round. */
static void find_key_change(struct look *l, const char *name)
{
  bool known = false, was = false;
  for (size_t i = 0; i < l->days->n; i++) {
    if (!l->s->key[i] && !l->s->plain[i])
      continue;
    if (known && was != l->s->key[i] && i >= l->days->begin) {
      add_change(l, name, EVENT_CHANGE_KEY, l->days->first + (int64_t)i);
      return;
    }
    known = true;
    was = l->s->key[i];
  }
}

static void look_at_event(struct look *l, uint32_t event, const char *name)
{
  struct health_dealer *out = l->out;
  struct event_sums sums = read_event(l, event);
  int64_t day = 0;
  enum suspect_event what = suspect_event(l->days, l->s->other, &day);
  if (what != EVENT_STEADY)
    add_change(l, name, what == EVENT_STOPPED ? EVENT_CHANGE_STOPPED : EVENT_CHANGE_BEGAN, day);
  find_key_change(l, name);
  if (strcmp(name, l->q->lead_event) == 0) {
    memcpy(l->s->of.leads, l->s->other, sizeof(l->s->of.leads));
    out->findings.of[SUSPECT_DUPLICATES] = suspect_duplicates(sums.firings, sums.sessions);
  } else if (sums.key && !lead_is_candidate(name) &&
             suspect_is_frequent(sums.sessions, out->sessions)) {
    out->key_events = suspect_signature_add(out->key_events, name);
  }
}

static void look_at_events(struct look *l)
{
  const struct across_dictionary *names =
      &l->f->of[HEALTH_EVENTS - 1].tables[l->member].dictionaries[1];
  for (uint32_t k = 0; k < names->n; k++)
    look_at_event(l, k, names->texts[k]);
}

/* --------------------------------------------------------------------------- places */

/* Sessions of a country, of all days. */
static int64_t sessions_from(const struct look *l, uint32_t country)
{
  const struct across_tables *t = &l->f->of[HEALTH_PLACES - 1];
  const struct across_table *d = &t->tables[l->member];
  int64_t sum = 0;
  for (size_t i = 0; i < d->rows; i++)
    if (d->indices[i * t->n_dimensions + 1] == country)
      sum += count_of(across_value(t, l->member, i, 0));
  return sum;
}

/* The country with the most sessions, but for one. */
static uint32_t main_country(const struct look *l, uint32_t but)
{
  const struct across_table *d = &l->f->of[HEALTH_PLACES - 1].tables[l->member];
  uint32_t best = UINT32_MAX;
  int64_t most = -1;
  for (uint32_t k = 0; k < d->dictionaries[1].n; k++) {
    int64_t n = k == but ? -1 : sessions_from(l, k);
    if (n > most) {
      most = n;
      best = k;
    }
  }
  return best;
}

/* A wave from abroad counts where there is none without engagement. */
static void look_at_places(struct look *l)
{
  const struct across_tables *t = &l->f->of[HEALTH_PLACES - 1];
  const struct across_table *d = &t->tables[l->member];
  uint32_t home = main_country(l, UINT32_MAX), far = main_country(l, home);
  struct suspect_finding *traffic = &l->out->findings.of[SUSPECT_TRAFFIC];
  memset(l->s->other, 0, sizeof(l->s->other));
  for (size_t i = 0; i < d->rows; i++) {
    int64_t at = d->indices[i * t->n_dimensions + 1] != home
                     ? entry_of(l, across_text(t, l->member, i, 0))
                     : -1;
    if (at >= 0)
      l->s->other[at] += count_of(across_value(t, l->member, i, 0));
  }
  struct suspect_finding wave = suspect_wave(l->days, l->s->other);
  if (wave.found && far != UINT32_MAX)
    l->out->far_place = d->dictionaries[1].texts[far];
  if (wave.found && !traffic->found)
    *traffic = wave;
}

/* ------------------------------------------------------------------------- referrals */

/* Whether a source is the host that it leads to, another host of this dealer, or a tool's. */
static bool is_self(const struct look *l, const char *source)
{
  const struct across_dictionary *hosts =
      &l->f->of[HEALTH_REFERRALS - 1].tables[l->member].dictionaries[0];
  for (size_t k = 0; k < hosts->n; k++)
    if (suspect_same_site(source, hosts->texts[k]))
      return true;
  return suspect_tool_host(source);
}

static void look_at_referrals(struct look *l)
{
  const struct across_tables *t = &l->f->of[HEALTH_REFERRALS - 1];
  int64_t sum = 0, most = 0;
  for (size_t i = 0; i < t->tables[l->member].rows; i++) {
    const char *source = across_text(t, l->member, i, 1);
    int64_t n = is_self(l, source) ? count_of(across_value(t, l->member, i, 0)) : 0;
    sum += n;
    if (n > most) {
      most = n;
      l->out->self_source = source;
    }
  }
  l->out->findings.of[SUSPECT_SELF_REFERRAL] = suspect_self_referral(sum, l->out->sessions);
  if (!l->out->findings.of[SUSPECT_SELF_REFERRAL].found)
    l->out->self_source = "";
}

void health_find(const struct health_fold *f, size_t member, const struct health_question *q,
                 struct health_dealer *out)
{
  AUTO_FREE struct health_series *s = xcalloc(1, sizeof(*s));
  struct look l = {.f = f, .member = member, .q = q, .s = s, .days = &s->of.days, .out = out};
  *out = (struct health_dealer){.far_place = "", .self_source = ""};
  series_begin(&s->of, q->days, q->baseline);
  series_read(&s->of, &f->of[HEALTH_DAYS - 1], member);
  s->of.days.leads_from = 0; /* all events of the baseline are read */
  read_totals(&l);
  look_at_events(&l);
  suspect_find_days(&out->findings, l.days);
  look_at_places(&l);
  look_at_referrals(&l);
}
