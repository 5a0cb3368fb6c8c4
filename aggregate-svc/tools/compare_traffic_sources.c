/* compare_traffic_sources: where a dealer's sessions and leads come from, against the others. */
#include <string.h>

#include "aggregate-svc/answer/traffic.h"
#include "aggregate-svc/tools/subject.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareTrafficSourcesRequest Request;

struct state {
  struct subject_state of; /* first: the fold's figures */
  enum traffic_by by;
};

static enum err_code check(struct tool_call *c, struct err *e)
{
  static const char *const names[] = {"channel", "source_medium", "campaign"};
  const char *by = ((const Request *)c->request)->by;
  struct state *s = c->state;
  if (c->fields.subject[0] == '\0')
    return request_no_subject(e);
  for (size_t i = 0; i < ARRAY_LEN(names); i++)
    if (strcmp(by, names[i]) == 0 || (i == 0 && by[0] == '\0')) {
      s->by = (enum traffic_by)i;
      return ERR_OK;
    }
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "by: must be channel, source_medium or campaign");
}

/* --------------------------------------------------------------------- planning */

static char *sessions[] = {(char *)"sessions"};
static char *events[] = {(char *)"eventCount", (char *)"sessions"};
static char *by_host[] = {(char *)"hostName"};

/* Sessions by day and source, or with one column more their lead events. */
static struct query_spec by_source(struct tool_call *c, bool leads)
{
  struct state *s = c->state;
  char **names = ARENA_ARRAY(c->arena, char *, 5);
  if (names != NULL) {
    names[0] = (char *)"date";
    names[1] = (char *)"sessionDefaultChannelGroup";
    names[2] = (char *)"sessionSource";
    names[3] = (char *)(s->by == TRAFFIC_BY_CAMPAIGN ? "sessionCampaignName" : "sessionMedium");
    names[4] = (char *)"eventName";
  }
  return (struct query_spec){.id = leads ? TRAFFIC_LEADS : TRAFFIC_SESSIONS,
                             .dimensions = names,
                             .n_dimensions = names == NULL ? 0
                                             : leads       ? 5
                                                           : 4,
                             .metrics = leads ? events : sessions,
                             .n_metrics = leads ? 2 : 1,
                             .periods = {&c->period},
                             .n_periods = 1};
}

static bool add_reports(struct tool_call *c, struct plan *p)
{
  struct state *s = c->state;
  struct query_spec plain = by_source(c, false), leads = by_source(c, true);
  struct query_spec hosts = {.id = TRAFFIC_HOSTS,
                             .dimensions = by_host,
                             .n_dimensions = 1,
                             .metrics = sessions,
                             .n_metrics = 1,
                             .periods = {&c->period},
                             .n_periods = 1};
  return plain.dimensions != NULL && leads.dimensions != NULL &&
         subject_add(c, &s->of, &p->all, plain, false) &&
         subject_add(c, &s->of, &p->all, leads, true) &&
         subject_add(c, &s->of, &p->all, hosts, false) &&
         subject_add_look_back(c, &s->of, &p->all, TRAFFIC_LOOKBACK) &&
         tool_plan_add(p, window_query(c, &s->of.window, TRAFFIC_DAYS));
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  static const struct table_shape shapes[TRAFFIC_QUERIES] = {
      {4, 1}, {5, 2}, {1, 1}, {1, 2}, {1, 2}};
  struct state *s = c->state;
  return subject_begin(c, &s->of, shapes, TRAFFIC_QUERIES, p) && add_reports(c, p)
             ? ERR_OK
             : tool_cohort_too_large(e, "comparison");
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  struct traffic_question q = {
      subject_question_with_days(c, &s->of, TRAFFIC_DAYS, TRAFFIC_LOOKBACK, arena), s->by};
  window_give_bases(c, &s->of.window, &s->of.tables, &s->of.leads, TRAFFIC_DAYS, TRAFFIC_LOOKBACK,
                    q.of.notes, arena);
  (void)e;
  return &compare_traffic(&q, arena)->base;
}

const struct tool compare_traffic_sources_tool = {.rpc = "CompareTrafficSources",
                                                  .dealers = TOOL_PEERS,
                                                  .period = TOOL_LAST_4_WEEKS,
                                                  .kept = true,
                                                  .state_size = sizeof(struct state),
                                                  .fold = &report_tables_fold,
                                                  .check = check,
                                                  .plan = plan,
                                                  .result = result};
