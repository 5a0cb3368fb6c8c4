/* compare_dealer_sessions: sessions, engagement and leads of each dealer against the others. */
#include <string.h>

#include "aggregate-svc/answer/comparison.h"
#include "aggregate-svc/call/daily.h"
#include "aggregate-svc/disclosure/outside.h"
#include "aggregate-svc/tools/tools.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;

struct state {
  struct daily_question daily; /* first: the fold's figures */
  bool everyone;
  size_t limit, offset;
};

static enum err_code check(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  const char *detail = r->detail;
  struct state *s = c->state;
  s->everyone = strcmp(detail, "all") == 0;
  if (detail[0] != '\0' && !s->everyone)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "detail: must be \"all\", or left out");
  return request_check_page("limit", r->limit, r->offset, &s->limit, &s->offset, e);
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  struct daily_question *q = &((struct state *)c->state)->daily;
  q->channels = daily_shares_reports(c);
  q->has_other = period_before(&c->period, c->now_unix_ms, &q->other);
  return daily_plan(c, q, p, e);
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  struct state *s = c->state;
  struct dealer_figures *figures = daily_figures(c, &s->daily, arena, e);
  if (figures == NULL)
    return NULL;
  struct cohort_figures live = {&c->cohort, figures, &s->daily.leads};
  struct outside_view shown;
  outside_show(&c->door, "", &live, s->daily.fold.notes, arena, &shown);
  struct comparison question = {.of = {{&shown.cohort, shown.figures, &s->daily.leads}, &c->door},
                                .notes = shown.notes,
                                .period = &c->period,
                                .now_unix_ms = c->now_unix_ms,
                                .everyone = s->everyone,
                                .offset = s->offset,
                                .limit = s->limit};
  return &compare_dealers(&question, arena)->base;
}

const struct tool compare_dealer_sessions_tool = {.rpc = "CompareDealerSessions",
                                                  .dealers = TOOL_PEERS,
                                                  .period = TOOL_LAST_4_WEEKS,
                                                  .kept = true,
                                                  .state_size = sizeof(struct state),
                                                  .fold = &daily_fold,
                                                  .has_messages = daily_has_messages,
                                                  .check = check,
                                                  .plan = plan,
                                                  .result = result};
