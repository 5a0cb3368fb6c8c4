/* Plans the daily reports and collects the figures of dealers from them. */
#include "aggregate-svc/call/daily.h"

#include <string.h>

#include "aggregate-svc/call/note.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/figures/channels.h"
#include "aggregate-svc/figures/group.h"
#include "aggregate-svc/figures/series.h"
#include "aggregate-svc/figures/signs.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

/* What is known of a dealer's site before anything is asked. */
struct daily_site {
  bool known;
  struct lead_finding finding;
};

/* --------------------------------------------------------------------- planning */

static char *by_day[] = {(char *)"date"};
static char *by_day_and_channel[] = {(char *)"date", (char *)channel_dimension};
static char *by_day_and_event[] = {(char *)"date", (char *)"eventName"};
static char *by_channel_and_event[] = {(char *)"date", (char *)channel_dimension,
                                       (char *)"eventName"};
static char *by_event[] = {(char *)"eventName", (char *)"isKeyEvent"};
static char *is_true[] = {(char *)"true"};
static char *session_metrics[] = {(char *)"sessions", (char *)"engagedSessions"};
static char *event_metrics[] = {(char *)"eventCount", (char *)"sessions"};

/* A report by day, and by channel when the question asks for them, over both periods. */
static struct query_spec daily(struct tool_call *c, const struct daily_question *q,
                               enum daily_query id, enum daily_query by_channel)
{
  struct query_spec spec = {.id = q->channels ? by_channel : id,
                            .dimensions = q->channels ? by_day_and_channel : by_day,
                            .n_dimensions = q->channels ? 2 : 1,
                            .metrics = session_metrics,
                            .periods = {&c->period, &q->other},
                            .n_periods = q->has_other ? 2 : 1};
  return spec;
}

static bool add_sessions(struct tool_call *c, const struct daily_question *q, struct plan *p)
{
  struct query_spec spec = daily(c, q, DAILY_SESSIONS, DAILY_CHANNEL_SESSIONS);
  spec.n_metrics = ARRAY_LEN(session_metrics);
  for (size_t i = 0; i < q->n_baselines; i++)
    spec.periods[spec.n_periods++] = &q->baselines[i];
  return tool_plan_add(p, query_new(&spec, c->arena));
}

static bool add_shoppers(struct tool_call *c, const struct daily_question *q, struct plan *p)
{
  struct query_spec spec = daily(c, q, DAILY_SHOPPERS, DAILY_CHANNEL_SHOPPERS);
  spec.n_metrics = 1;
  spec.dimension_filter =
      query_in_list("eventName", shopper_page_events(&q->leads), SHOPPER_PAGES, c->arena);
  return spec.dimension_filter != NULL && tool_plan_add(p, query_new(&spec, c->arena));
}

static bool add_events(struct tool_call *c, const struct daily_question *q, struct plan *p)
{
  struct query_spec spec = {.id = DAILY_EVENTS,
                            .dimensions = by_day_and_event,
                            .n_dimensions = ARRAY_LEN(by_day_and_event),
                            .metrics = event_metrics,
                            .n_metrics = ARRAY_LEN(event_metrics),
                            .periods = {&c->period, &q->other},
                            .n_periods = q->has_other ? 2 : 1};
  spec.dimension_filter = query_in_list("eventName", q->leads.names, q->leads.n, c->arena);
  if (spec.dimension_filter == NULL || !tool_plan_add(p, query_new(&spec, c->arena)))
    return false;
  if (!q->channels)
    return true;
  spec.id = DAILY_CHANNEL_EVENTS;
  spec.dimensions = by_channel_and_event;
  spec.n_dimensions = ARRAY_LEN(by_channel_and_event);
  spec.n_periods = 1;
  return tool_plan_add(p, query_new(&spec, c->arena));
}

/* Of every dealer, unless all are known. */
static bool add_look_back(struct tool_call *c, struct daily_question *q, struct plan *p)
{
  struct query_spec spec = {.id = DAILY_LOOKBACK,
                            .dimensions = by_event,
                            .n_dimensions = ARRAY_LEN(by_event),
                            .metrics = event_metrics,
                            .n_metrics = ARRAY_LEN(event_metrics),
                            .periods = {&q->look_back},
                            .n_periods = 1};
  size_t needed = 0, n_events;
  char **events = lead_look_back_events(&q->leads, &n_events, c->arena);
  q->sites = ARENA_ARRAY(c->arena, struct daily_site, c->cohort.n);
  if (events == NULL || q->sites == NULL)
    return false;
  for (size_t i = 0; i < c->cohort.n; i++) {
    struct daily_site *site = &q->sites[i];
    site->known =
        lookback_find(c->lookback, c->cohort.members[i].ref, q->look_back.end.day, &site->finding);
    needed += !site->known;
  }
  if (needed == 0)
    return true;
  spec.dimension_filter = query_either(query_in_list("eventName", events, n_events, c->arena),
                                       query_in_list("isKeyEvent", is_true, 1, c->arena), c->arena);
  return spec.dimension_filter != NULL && tool_plan_add(p, query_new(&spec, c->arena));
}

/* Rows by channel are ten times as many: of a few hundred dealers they would be what a comparison
 * waits for. FINAL_DAYS: after which report-svc keeps what Google said of a day. */
bool daily_shares_reports(const struct tool_call *c)
{
  enum { SHARING_DEALERS = 100, FINAL_DAYS = 3 };
  const struct period *p = &c->period;
  return c->cohort.n <= SHARING_DEALERS && !p->start.relative && !p->end.relative &&
         p->end.day <= period_today(c->now_unix_ms, 0) - FINAL_DAYS;
}

enum err_code daily_plan(struct tool_call *c, struct daily_question *q, struct plan *p,
                         struct err *e)
{
  period_look_back(&q->look_back, c->now_unix_ms);
  if (q->has_other)
    q->n_baselines =
        period_baselines(&c->period, &q->other, SUSPECT_BASELINE, c->now_unix_ms, q->baselines);
  if (!lead_events_collect(&q->leads, &c->cohort, c->arena) || !add_sessions(c, q, p) ||
      !add_events(c, q, p) || !add_shoppers(c, q, p) || !add_look_back(c, q, p))
    return tool_cohort_too_large(e, "comparison");
  daily_fold_init(&q->fold, &q->leads, c->cohort.n, q->has_other, c->budget);
  q->fold.baseline = q->has_other;
  return ERR_OK;
}

enum err_code daily_plan_look_back(struct tool_call *c, struct daily_question *q, struct plan *p,
                                   struct err *e)
{
  period_look_back(&q->look_back, c->now_unix_ms);
  if (!lead_events_collect(&q->leads, &c->cohort, c->arena) || !add_look_back(c, q, p))
    return tool_cohort_too_large(e, "question");
  for (size_t i = 0; i < c->cohort.n; i++)
    if (q->sites[i].known && c->cohort.members[i].state == DEALER_PENDING)
      c->cohort.members[i].state = DEALER_OK;
  daily_fold_init(&q->fold, &q->leads, c->cohort.n, false, c->budget);
  return ERR_OK;
}

/* ------------------------------------------------------------------- collecting */

/* What was remembered of a site, else what its look-back says, which is remembered. */
static struct lead_finding finding_of(struct tool_call *c, const struct daily_question *q,
                                      size_t member)
{
  int64_t firings[LEAD_FIXED];
  if (q->sites[member].known)
    return q->sites[member].finding;
  daily_fold_firings(&q->fold, member, firings);
  struct lead_finding found = lead_find(firings);
  found.key_events = daily_fold_key_events(&q->fold, member);
  daily_fold_leads(&q->fold, member, lead_event_of(&q->leads, &c->cohort.members[member], found),
                   &found);
  lookback_keep(c->lookback, c->cohort.members[member].ref, q->look_back.end.day, found);
  return found;
}

struct daily_meaning daily_meaning_of(struct tool_call *c, const struct daily_question *q,
                                      size_t member)
{
  struct lead_finding found = finding_of(c, q, member);
  return (struct daily_meaning){
      lead_event_of(&q->leads, &c->cohort.members[member], found),
      shopper_of(&q->leads, c->cohort.members[member].qualified_session, found),
      found.inventory_pages,
      found.key_events,
      found.contacts,
      suspect_duplicates(found.lead_events, found.lead_sessions)};
}

bool daily_has_messages(const void *state, size_t member)
{
  const struct daily_question *q = state;
  return daily_fold_has_kind(&q->fold, member, LEAD_KIND_CHAT);
}

/* YYYYMMDD of a day. */
static int32_t date_of(int64_t day)
{
  char text[16];
  int32_t date = 0;
  clock_format_date(day, text, sizeof(text));
  for (const char *p = text; *p != '\0'; p++)
    if (*p >= '0' && *p <= '9')
      date = 10 * date + (*p - '0');
  return date;
}

static bool collect(struct tool_call *c, const struct daily_question *q, size_t member,
                    const struct lattice_span *span, struct dealer_figures *out,
                    struct arena *arena)
{
  struct daily_meaning m = daily_meaning_of(c, q, member);
  bool ok = span == NULL ? daily_fold_figures(&q->fold, member, m.lead_event, m.shopper, out, arena)
                         : daily_fold_window(&q->fold, member, m.lead_event, m.shopper,
                                             date_of(span->first), date_of(span->last), out, arena);
  out->pages = m.pages;
  out->key_events = m.key_events;
  if (ok) {
    struct period_days days =
        signs_days(&c->period, q->fold.notes[member].time_zone, c->now_unix_ms);
    if (span != NULL)
      days = (struct period_days){span->first, span->last, days.today};
    bool visible = c->cohort.members[member].visible;
    daily_fold_findings(&q->fold, member, days, span != NULL && !visible, out);
    series_add_duplicates(out, &m.duplicates, visible);
  }
  return ok;
}

static struct dealer_figures *collect_all(struct tool_call *c, const struct daily_question *q,
                                          const struct lattice_span *span, struct arena *arena,
                                          struct err *e)
{
  struct dealer_figures *figures = ARENA_ARRAY(arena, struct dealer_figures, c->cohort.n);
  for (size_t i = 0; i < c->cohort.n; i++) {
    figures[i] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
    if (c->cohort.members[i].state == DEALER_OK && !collect(c, q, i, span, &figures[i], arena)) {
      err_set(e, ERR_DATA_LOSS, "invalid_data",
              "the figures of a dealer are too large to be added up; ask again, for fewer "
              "dealers or a shorter period");
      return NULL;
    }
  }
  return figures;
}

/* Dealers outside the view are not compared with: what their sites count is not disclosed. */
static void mark_key_events(const struct tool_call *c, struct dealer_figures *figures)
{
  struct cohort_figures all = {&c->cohort, figures, NULL};
  uint64_t usual = group_usual_key_events(&all, GROUP_VISIBLE);
  for (size_t i = 0; i < c->cohort.n; i++) {
    if (!figures[i].ok || !c->cohort.members[i].visible)
      continue;
    figures[i].findings.of[SUSPECT_KEY_EVENTS] = suspect_key_events(figures[i].key_events, usual);
    figures[i].effects = suspect_effects(&figures[i].findings);
  }
}

/* --------------------------------------------------------------- weeks and months */

/* The figures of the dealers outside in a week or month; of the others they are not asked for. Sums
 * of parts of what fitted fit. */
static void figures_in(struct tool_call *c, const struct daily_question *q,
                       const struct dealer_figures *figures, struct lattice_span span,
                       struct dealer_figures *out, struct arena *arena)
{
  for (size_t i = 0; i < c->cohort.n; i++) {
    out[i] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
    if (!c->cohort.members[i].visible && figures[i].ok && !collect(c, q, i, &span, &out[i], arena))
      out[i].ok = false;
    /* What a site reports is known by the whole period: a week without calls is one of 0. */
    memcpy(out[i].kinds, figures[i].kinds, sizeof(out[i].kinds));
  }
}

/* The weeks or months of a period, each of which the door looks at. */
static struct door_bases bases_of(struct tool_call *c, const struct daily_question *q,
                                  const struct dealer_figures *figures, struct lattice_span span,
                                  struct arena *arena)
{
  size_t n = lattice_bases(span, NULL, 0);
  struct lattice_span *spans = ARENA_ARRAY(arena, struct lattice_span, n + 1);
  struct dealer_figures *out = ARENA_ARRAY(arena, struct dealer_figures, n * c->cohort.n);
  lattice_bases(span, spans, n);
  for (size_t i = 0; i < n; i++)
    figures_in(c, q, figures, spans[i], out + i * c->cohort.n, arena);
  return (struct door_bases){out, spans, n};
}

/* For the dealers outside, when some were asked. */
static void give_bases(struct tool_call *c, const struct daily_question *q,
                       const struct dealer_figures *figures, bool before_too, struct arena *arena)
{
  struct door *d = &c->door;
  struct lattice_span now = d->period;
  struct lattice_span before = {2 * now.first - now.last - 1, now.first - 1};
  if (d->withheld != DISCLOSURE_RESTRICTED || d->kept_only)
    return;
  d->bases[DOOR_NOW] = bases_of(c, q, figures, now, arena);
  if (before_too && q->has_other)
    d->bases[DOOR_BEFORE] = bases_of(c, q, figures, before, arena);
}

struct dealer_figures *daily_figures(struct tool_call *c, const struct daily_question *q,
                                     struct arena *arena, struct err *e)
{
  struct dealer_figures *figures = collect_all(c, q, NULL, arena, e);
  if (figures != NULL)
    give_bases(c, q, figures, true, arena);
  if (figures != NULL)
    mark_key_events(c, figures);
  if (figures != NULL)
    note_findings(c, figures);
  return figures;
}

struct dealer_figures *daily_figures_within(struct tool_call *c, const struct daily_question *q,
                                            struct lattice_span span, struct arena *arena,
                                            struct err *e)
{
  struct dealer_figures *figures = collect_all(c, q, &span, arena, e);
  if (figures == NULL)
    return NULL;
  mark_key_events(c, figures);
  note_findings(c, figures);
  if (span.first == c->door.period.first && span.last == c->door.period.last)
    give_bases(c, q, figures, false, arena);
  return figures;
}
