/* compare_landing_pages: which landing pages bring more or fewer leads than their kind. */
#include <string.h>

#include "aggregate-svc/answer/pages.h"
#include "aggregate-svc/tools/subject.h"
#include "aggregate-svc/tools/tools.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareLandingPagesRequest Request;

struct state {
  struct subject_state of; /* first: the fold's figures */
  bool from_region;
  char *alone[1]; /* the dealers of a question that rests on the subject alone */
};

static enum err_code check(struct tool_call *c, struct err *e)
{
  const char *from = ((const Request *)c->request)->expected_from;
  struct state *s = c->state;
  s->from_region = strcmp(from, "region") == 0;
  if (c->fields.subject[0] == '\0')
    return request_no_subject(e);
  if (from[0] != '\0' && strcmp(from, "own") != 0 && !s->from_region)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "expected_from: must be own or region");
  if (s->from_region)
    return ERR_OK;
  s->alone[0] = borrow_text(c->fields.subject);
  c->fields.dealer_ids = s->alone;
  c->fields.n_dealer_ids = 1;
  c->fields.region = c->fields.cohort = "";
  return ERR_OK;
}

static bool add_reports(struct tool_call *c, struct plan *p)
{
  static char *by_page[] = {(char *)"landingPage", (char *)"sessionDefaultChannelGroup",
                            (char *)"eventName"};
  static char *sessions[] = {(char *)"sessions"};
  struct state *s = c->state;
  struct query_spec pages = {.id = PAGES_SESSIONS,
                             .dimensions = by_page,
                             .n_dimensions = 2,
                             .metrics = sessions,
                             .n_metrics = 1,
                             .periods = {&c->period},
                             .n_periods = 1};
  struct query_spec leads = pages;
  leads.id = PAGES_LEADS;
  leads.n_dimensions = 3;
  return subject_add(c, &s->of, &p->all, pages, false) &&
         subject_add(c, &s->of, &p->all, leads, true) &&
         subject_add_look_back(c, &s->of, &p->all, PAGES_LOOKBACK) &&
         tool_plan_add(p, window_query(c, &s->of.window, PAGES_DAYS));
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  static const struct table_shape shapes[PAGES_QUERIES] = {{2, 1}, {3, 1}, {1, 2}, {1, 2}};
  struct state *s = c->state;
  return subject_begin(c, &s->of, shapes, PAGES_QUERIES, p) && add_reports(c, p)
             ? ERR_OK
             : tool_cohort_too_large(e, "comparison");
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  struct pages_question q = {
      subject_question_with_days(c, &s->of, PAGES_DAYS, PAGES_LOOKBACK, arena), s->from_region};
  (void)e;
  return &compare_pages(&q, arena)->base;
}

const struct tool compare_landing_pages_tool = {.rpc = "CompareLandingPages",
                                                .dealers = TOOL_PEERS,
                                                .period = TOOL_LAST_4_WEEKS,
                                                .batch = true,
                                                .kept = true,
                                                .state_size = sizeof(struct state),
                                                .fold = &report_tables_fold,
                                                .check = check,
                                                .plan = plan,
                                                .result = result};
