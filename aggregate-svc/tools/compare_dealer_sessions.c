/* compare_dealer_sessions: sessions, engagement and leads of each dealer against the others. */
#include "aggregate-svc/answer/comparison.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/figures/sums.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"

struct state {
  struct sums_fold fold; /* first: the fold's figures */
  struct lead_events leads;
};

/* --------------------------------------------------------------------- planning */

static char *session_metrics[] = {(char *)"sessions", (char *)"engagedSessions"};
static char *lead_dimensions[] = {(char *)"eventName"};
static char *lead_metrics[] = {(char *)"eventCount"};

static bool add_sessions(struct tool_call *c, struct plan *p)
{
  struct query_spec spec = {.id = SUMS_QUERY_SESSIONS,
                            .metrics = session_metrics,
                            .n_metrics = ARRAY_LEN(session_metrics),
                            .periods = {&c->period},
                            .n_periods = 1};
  return tool_plan_add(p, query_new(&spec, c->arena));
}

static bool add_leads(struct tool_call *c, const struct lead_events *leads, struct plan *p)
{
  struct query_spec spec = {.id = SUMS_QUERY_LEADS,
                            .dimensions = lead_dimensions,
                            .n_dimensions = ARRAY_LEN(lead_dimensions),
                            .metrics = lead_metrics,
                            .n_metrics = ARRAY_LEN(lead_metrics),
                            .periods = {&c->period},
                            .n_periods = 1,
                            .dimension_filter =
                                query_in_list("eventName", leads->names, leads->n, c->arena)};
  return spec.dimension_filter != NULL && tool_plan_add(p, query_new(&spec, c->arena));
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  struct state *s = c->state;
  if (!lead_events_collect(&s->leads, &c->cohort, c->arena) || !add_sessions(c, p) ||
      !add_leads(c, &s->leads, p))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "cohort_too_large",
                   "the comparison needs too much memory; ask for fewer dealers");
  sums_fold_init(&s->fold, &s->leads, c->cohort.n);
  return ERR_OK;
}

/* -------------------------------------------------------------------- computing */

static void collect_figures(struct tool_call *c, struct dealer_figures *figures)
{
  struct state *s = c->state;
  for (size_t i = 0; i < c->cohort.n; i++) {
    const struct cohort_member *m = &c->cohort.members[i];
    struct dealer_figures *f = &figures[i];
    f->lead_event = LEAD_UNKNOWN;
    f->ok = m->state == DEALER_OK;
    if (!f->ok)
      continue;
    const int64_t *events = sums_fold_events(&s->fold, i);
    f->sessions = s->fold.sums[i].sessions;
    f->engaged_sessions = s->fold.sums[i].engaged_sessions;
    f->lead_event = lead_event_of(&s->leads, m->lead_event, events);
    f->leads = f->lead_event == LEAD_UNKNOWN ? 0 : events[f->lead_event];
  }
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  struct state *s = c->state;
  struct dealer_figures *figures = ARENA_ARRAY(arena, struct dealer_figures, c->cohort.n);
  (void)e;
  collect_figures(c, figures);
  struct comparison question = {
      {{&c->cohort, figures, &s->leads}, c->policy}, s->fold.notes, &c->period, c->now_unix_ms};
  Analytics__Aggregate__V1__CompareDealerSessionsResult *r = compare_dealers(&question, arena);
  for (size_t i = 0; i < r->regional_average->n_metrics; i++)
    c->released += r->regional_average->metrics[i]->opt_pooled_case != 0;
  return &r->base;
}

const struct tool compare_dealer_sessions_tool = {.rpc = "CompareDealerSessions",
                                                  .dealers = TOOL_PEERS,
                                                  .state_size = sizeof(struct state),
                                                  .fold = &sums_fold,
                                                  .plan = plan,
                                                  .result = result};
