/* compare_dealer_sessions: sessions, engagement and leads of each dealer against the others. */
#include <string.h>

#include "aggregate-svc/answer/comparison.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/disclosure/outside.h"
#include "aggregate-svc/figures/daily.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;
typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;

/* What is known of a dealer's site before anything is asked. */
struct site {
  bool known;
  struct lead_finding finding;
};

struct state {
  struct daily_fold fold; /* first: the fold's figures */
  struct lead_events leads;
  struct period before, look_back;
  struct site *sites; /* per member */
  bool has_before, everyone;
};

static enum err_code check(struct tool_call *c, struct err *e)
{
  const char *detail = ((const Request *)c->request)->detail;
  struct state *s = c->state;
  s->everyone = strcmp(detail, "all") == 0;
  if (detail[0] != '\0' && !s->everyone)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "detail: must be \"all\", or left out");
  return ERR_OK;
}

/* --------------------------------------------------------------------- planning */

static char *by_day[] = {(char *)"date"};
static char *by_day_and_event[] = {(char *)"date", (char *)"eventName"};
static char *by_event[] = {(char *)"eventName"};
static char *session_metrics[] = {(char *)"sessions", (char *)"engagedSessions"};
static char *event_metrics[] = {(char *)"eventCount", (char *)"sessions"};

/* A report by day over the period and the one before. */
static struct query_spec daily(struct tool_call *c, uint32_t id)
{
  struct state *s = c->state;
  return (struct query_spec){.id = id,
                             .dimensions = by_day,
                             .n_dimensions = ARRAY_LEN(by_day),
                             .periods = {&c->period, &s->before},
                             .n_periods = s->has_before ? 2 : 1};
}

static bool add_sessions(struct tool_call *c, struct plan *p)
{
  struct query_spec spec = daily(c, DAILY_SESSIONS);
  spec.metrics = session_metrics;
  spec.n_metrics = ARRAY_LEN(session_metrics);
  return tool_plan_add(p, query_new(&spec, c->arena));
}

static bool add_events(struct tool_call *c, const struct lead_events *leads, struct plan *p)
{
  struct query_spec spec = daily(c, DAILY_EVENTS);
  spec.dimensions = by_day_and_event;
  spec.n_dimensions = ARRAY_LEN(by_day_and_event);
  spec.metrics = event_metrics;
  spec.n_metrics = ARRAY_LEN(event_metrics);
  spec.dimension_filter = query_in_list("eventName", leads->names, leads->n, c->arena);
  return spec.dimension_filter != NULL && tool_plan_add(p, query_new(&spec, c->arena));
}

static bool add_shoppers(struct tool_call *c, const struct lead_events *leads, struct plan *p)
{
  struct query_spec spec = daily(c, DAILY_SHOPPERS);
  spec.metrics = session_metrics;
  spec.n_metrics = 1;
  spec.dimension_filter =
      query_in_list("eventName", shopper_page_events(leads), SHOPPER_PAGES, c->arena);
  return spec.dimension_filter != NULL && tool_plan_add(p, query_new(&spec, c->arena));
}

static bool add_look_back(struct tool_call *c, const struct lead_events *leads, struct plan *p)
{
  struct state *s = c->state;
  struct query_spec spec = {.id = DAILY_LOOKBACK,
                            .dimensions = by_event,
                            .n_dimensions = ARRAY_LEN(by_event),
                            .metrics = event_metrics,
                            .n_metrics = 1,
                            .periods = {&s->look_back},
                            .n_periods = 1};
  size_t needed = 0;
  char **events = lead_look_back_events(leads, c->arena);
  s->sites = ARENA_ARRAY(c->arena, struct site, c->cohort.n);
  if (events == NULL || s->sites == NULL)
    return false;
  for (size_t i = 0; i < c->cohort.n; i++) {
    struct site *site = &s->sites[i];
    site->known =
        lookback_find(c->lookback, c->cohort.members[i].ref, s->look_back.end.day, &site->finding);
    needed += !site->known;
  }
  if (needed == 0)
    return true;
  spec.dimension_filter = query_in_list("eventName", events, LEAD_LOOK_BACK, c->arena);
  return spec.dimension_filter != NULL && tool_plan_add(p, query_new(&spec, c->arena));
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  struct state *s = c->state;
  s->has_before = period_before(&c->period, c->now_unix_ms, &s->before);
  period_look_back(&s->look_back, c->now_unix_ms);
  if (!lead_events_collect(&s->leads, &c->cohort, c->arena) || !add_sessions(c, p) ||
      !add_events(c, &s->leads, p) || !add_shoppers(c, &s->leads, p) ||
      !add_look_back(c, &s->leads, p))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "cohort_too_large",
                   "the comparison needs too much memory; ask for fewer dealers");
  daily_fold_init(&s->fold, &s->leads, c->cohort.n, s->has_before, c->budget);
  return ERR_OK;
}

/* -------------------------------------------------------------------- computing */

/* What was remembered of a site, else what its look-back says, which is remembered. */
static struct lead_finding finding_of(struct tool_call *c, size_t member)
{
  struct state *s = c->state;
  int64_t firings[LEAD_FIXED];
  if (s->sites[member].known)
    return s->sites[member].finding;
  daily_fold_firings(&s->fold, member, firings);
  struct lead_finding found = lead_find(firings);
  lookback_keep(c->lookback, c->cohort.members[member].ref, s->look_back.end.day, found);
  return found;
}

static bool collect_dealer(struct tool_call *c, size_t member, struct dealer_figures *out,
                           struct arena *arena)
{
  struct state *s = c->state;
  const struct cohort_member *m = &c->cohort.members[member];
  struct lead_finding found = finding_of(c, member);
  int lead_event =
      m->lead_event[0] != '\0' ? lead_events_find(&s->leads, m->lead_event) : found.lead_event;
  int shopper = shopper_of(&s->leads, m->qualified_session, found);
  return daily_fold_figures(&s->fold, member, lead_event, shopper, out, arena);
}

static enum err_code collect_figures(struct tool_call *c, struct dealer_figures *figures,
                                     struct arena *arena, struct err *e)
{
  for (size_t i = 0; i < c->cohort.n; i++) {
    figures[i] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
    if (c->cohort.members[i].state == DEALER_OK && !collect_dealer(c, i, &figures[i], arena))
      return err_set(e, ERR_DATA_LOSS, "invalid_data",
                     "the figures of a dealer are too large to be added up; ask again, for fewer "
                     "dealers or a shorter period");
  }
  return ERR_OK;
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  struct state *s = c->state;
  struct dealer_figures *figures = ARENA_ARRAY(arena, struct dealer_figures, c->cohort.n);
  if (collect_figures(c, figures, arena, e) != ERR_OK)
    return NULL;
  struct cohort_figures live = {&c->cohort, figures, &s->leads};
  struct outside_view shown;
  outside_show(&c->door, &live, s->fold.notes, arena, &shown);
  struct comparison question = {.of = {{&shown.cohort, shown.figures, &s->leads}, &c->door},
                                .notes = shown.notes,
                                .period = &c->period,
                                .now_unix_ms = c->now_unix_ms,
                                .everyone = s->everyone};
  return &compare_dealers(&question, arena)->base;
}

const struct tool compare_dealer_sessions_tool = {.rpc = "CompareDealerSessions",
                                                  .dealers = TOOL_PEERS,
                                                  .period = TOOL_LAST_4_WEEKS,
                                                  .batch = true,
                                                  .state_size = sizeof(struct state),
                                                  .fold = &daily_fold,
                                                  .check = check,
                                                  .plan = plan,
                                                  .result = result};
