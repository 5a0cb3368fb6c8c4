/* check_data_health: what is suspect in the data of dealers, and what that makes unusable. */
#include "aggregate-svc/answer/data_health.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/figures/group.h"
#include "aggregate-svc/figures/signs.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"

enum { DAYS_MAX = 366 };

struct state {
  struct health_fold fold; /* first: the fold's figures */
  struct lead_events leads;
  struct period window, look_back;
  bool baseline;
  size_t limit, offset;
};

static enum err_code check(struct tool_call *c, struct err *e)
{
  const Analytics__Ga4__V1beta__DateRange *range = c->fields.date_range;
  const Analytics__Aggregate__V1__CheckDataHealthRequest *r = (const void *)c->request;
  struct state *s = c->state;
  struct period asked;
  if (request_check_page("limit", r->limit, r->offset, &s->limit, &s->offset, e) != ERR_OK)
    return e->code;
  if (range == NULL)
    return ERR_OK;
  if (request_period(&asked, range, c->now_unix_ms, e) != ERR_OK)
    return e->code;
  struct period_days days = period_resolve(&asked, c->now_unix_ms, 0);
  if (days.last - days.first >= DAYS_MAX)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "date_range: at most %d days; ask for a shorter period", DAYS_MAX);
  return ERR_OK;
}

/* ------------------------------------------------------------------------- planning */

#define TEXT(s) (char *)(s)

static bool add(struct tool_call *c, struct plan *p, uint32_t id, const struct period *period,
                char *const *dimensions, size_t n_dimensions, char *const *metrics,
                size_t n_metrics, Analytics__Ga4__V1beta__FilterExpression *filter)
{
  struct query_spec spec = {.id = id,
                            .dimensions = dimensions,
                            .n_dimensions = n_dimensions,
                            .metrics = metrics,
                            .n_metrics = n_metrics,
                            .periods = {period},
                            .n_periods = 1,
                            .dimension_filter = filter};
  return tool_plan_add(p, query_new(&spec, c->arena));
}

static bool add_reports(struct tool_call *c, struct plan *p)
{
  static char *date[] = {TEXT("date")};
  static char *events[] = {TEXT("date"), TEXT("eventName"), TEXT("isKeyEvent")};
  static char *places[] = {TEXT("date"), TEXT("country")};
  static char *referrals[] = {TEXT("hostName"), TEXT("sessionSource")};
  static char *event[] = {TEXT("eventName")};
  static char *sessions[] = {TEXT("sessions"), TEXT("engagedSessions")};
  static char *counts[] = {TEXT("eventCount"), TEXT("sessions")};
  static char *referral[] = {TEXT("referral")};
  struct state *s = c->state;
  size_t n_names;
  char **names = lead_look_back_events(&s->leads, &n_names, c->arena);
  Analytics__Ga4__V1beta__FilterExpression *by_referral = query_in_list("sessionMedium", referral,
                                                                        1, c->arena),
                                           *in_look_back = names != NULL
                                                               ? query_in_list("eventName", names,
                                                                               n_names, c->arena)
                                                               : NULL;
  return by_referral != NULL && in_look_back != NULL &&
         add(c, p, HEALTH_DAYS, &s->window, date, 1, sessions, 2, NULL) &&
         add(c, p, HEALTH_EVENTS, &s->window, events, 3, counts, 2, NULL) &&
         add(c, p, HEALTH_PLACES, &s->window, places, 2, sessions, 1, NULL) &&
         add(c, p, HEALTH_REFERRALS, &c->period, referrals, 2, sessions, 1, by_referral) &&
         add(c, p, HEALTH_LOOKBACK, &s->look_back, event, 1, counts, 1, in_look_back);
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  struct state *s = c->state;
  s->baseline = period_extend(&c->period, SUSPECT_BASELINE, c->now_unix_ms, &s->window);
  period_look_back(&s->look_back, c->now_unix_ms);
  if (!lead_events_collect(&s->leads, &c->cohort, c->arena) || !add_reports(c, p))
    return tool_cohort_too_large(e, "check");
  p->max_rows_per_report = c->max_rows;
  health_fold_init(&s->fold, c->cohort.n, c->max_rows, c->budget);
  return ERR_OK;
}

/* ------------------------------------------------------------------------ computing */

/* The dealer's lead event: configured, remembered, or found by the look-back. */
static const char *lead_event_name(struct tool_call *c, size_t member)
{
  struct state *s = c->state;
  int64_t firings[LEAD_FIXED];
  health_firings(&s->fold, &s->leads, member, firings);
  int event = lead_event_of(&s->leads, &c->cohort.members[member], lead_find(firings));
  return event == LEAD_UNKNOWN ? "" : s->leads.names[event];
}

static void look_at(struct tool_call *c, size_t member, struct health_dealer *out, bool *no_lead)
{
  struct state *s = c->state;
  struct health_question q = {
      .days = signs_days(&c->period, s->fold.notes[member].time_zone, c->now_unix_ms),
      .baseline = s->baseline,
      .lead_event = lead_event_name(c, member)};
  *no_lead = q.lead_event[0] == '\0';
  health_find(&s->fold, member, &q, out);
}

/* The frequent key events of most dealers of the call; one dealer has nobody to differ from. */
static void compare_key_events(struct tool_call *c, struct health_dealer *dealers,
                               struct arena *arena)
{
  struct dealer_figures *figures = ARENA_ARRAY(arena, struct dealer_figures, c->cohort.n);
  for (size_t i = 0; i < c->cohort.n; i++)
    figures[i] = (struct dealer_figures){.ok = c->cohort.members[i].state == DEALER_OK,
                                         .key_events = dealers[i].key_events};
  struct cohort_figures all = {&c->cohort, figures, NULL};
  uint64_t usual = group_usual_key_events(&all, GROUP_ALL);
  for (size_t i = 0; i < c->cohort.n; i++)
    if (figures[i].ok)
      dealers[i].findings.of[SUSPECT_KEY_EVENTS] = suspect_key_events(dealers[i].key_events, usual);
}

/* For operators; the caller sees every dealer of the call. */
static void note(const struct tool_call *c, size_t member, const struct health_dealer *d)
{
  const char *id = c->cohort.members[member].dealer_id;
  lately_note(c->lately, id, &d->findings, c->now_unix_ms / 1000);
  lately_reach(c->lately, id, d->reach, c->now_unix_ms / 1000);
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  struct state *s = c->state;
  struct health_dealer *dealers = ARENA_ARRAY(arena, struct health_dealer, c->cohort.n);
  bool *no_lead = ARENA_ARRAY(arena, bool, c->cohort.n);
  (void)e;
  for (size_t i = 0; i < c->cohort.n; i++)
    if (c->cohort.members[i].state == DEALER_OK)
      look_at(c, i, &dealers[i], &no_lead[i]);
  compare_key_events(c, dealers, arena);
  for (size_t i = 0; i < c->cohort.n; i++)
    if (c->cohort.members[i].state == DEALER_OK)
      note(c, i, &dealers[i]);
  struct health_answer a = {.cohort = &c->cohort,
                            .not_visible = c->not_visible,
                            .dealers = dealers,
                            .no_lead_event = no_lead,
                            .notes = s->fold.notes,
                            .period = &c->period,
                            .now_unix_ms = c->now_unix_ms,
                            .offset = s->offset,
                            .limit = s->limit};
  return &data_health(&a, arena)->base;
}

const struct tool check_data_health_tool = {.rpc = "CheckDataHealth",
                                            .dealers = TOOL_VISIBLE,
                                            .period = TOOL_LAST_4_WEEKS,
                                            .definitions = TOOL_VEHICLE_DEFINITIONS,
                                            .state_size = sizeof(struct state),
                                            .fold = &health_fold,
                                            .check = check,
                                            .plan = plan,
                                            .result = result};
