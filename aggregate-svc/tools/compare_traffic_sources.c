/* compare_traffic_sources: where a dealer's sessions and leads come from, against the others. */
#include <string.h>

#include "aggregate-svc/answer/traffic.h"
#include "aggregate-svc/call/window.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareTrafficSourcesRequest Request;

struct state {
  struct report_tables tables; /* first: the fold's figures */
  struct lead_events leads;
  struct period look_back;
  struct suspect_window window;
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
static char *by_event[] = {(char *)"eventName"};

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

static bool add(struct plan *p, const struct query_spec *spec, struct arena *arena)
{
  return tool_plan_add(p, query_new(spec, arena));
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
  struct query_spec look_back = {.id = TRAFFIC_LOOKBACK,
                                 .dimensions = by_event,
                                 .n_dimensions = 1,
                                 .metrics = events,
                                 .n_metrics = 2,
                                 .periods = {&s->look_back},
                                 .n_periods = 1};
  size_t n_names;
  char **looked_for = lead_look_back_events(&s->leads, &n_names, c->arena);
  if (looked_for == NULL || plain.dimensions == NULL || leads.dimensions == NULL)
    return false;
  leads.dimension_filter = query_in_list("eventName", s->leads.names, s->leads.n, c->arena);
  look_back.dimension_filter = query_in_list("eventName", looked_for, n_names, c->arena);
  return leads.dimension_filter != NULL && look_back.dimension_filter != NULL &&
         add(p, &plain, c->arena) && add(p, &leads, c->arena) && add(p, &hosts, c->arena) &&
         add(p, &look_back, c->arena) &&
         tool_plan_add(p, window_query(c, &s->window, TRAFFIC_DAYS));
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  static const struct table_shape shapes[TRAFFIC_QUERIES] = {
      {4, 1}, {5, 2}, {1, 1}, {1, 2}, {1, 2}};
  struct state *s = c->state;
  period_look_back(&s->look_back, c->now_unix_ms);
  if (!lead_events_collect(&s->leads, &c->cohort, c->arena) || !add_reports(c, p))
    return tool_cohort_too_large(e, "comparison");
  report_tables_init(&s->tables, shapes, TRAFFIC_QUERIES, c->cohort.n, c->max_rows, c->budget);
  p->max_rows_per_report = c->max_rows;
  return ERR_OK;
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  const struct dealer_notes *notes = report_tables_notes(&s->tables, arena);
  window_give_bases(c, &s->window, &s->tables, &s->leads, TRAFFIC_DAYS, TRAFFIC_LOOKBACK, notes,
                    arena);
  struct traffic_question q = {.cohort = &c->cohort,
                               .door = &c->door,
                               .tables = &s->tables,
                               .leads = &s->leads,
                               .dealers = window_find(c, &s->window, &s->tables, &s->leads,
                                                      TRAFFIC_DAYS, TRAFFIC_LOOKBACK, notes, arena),
                               .notes = notes,
                               .by = s->by,
                               .period = &c->period,
                               .now_unix_ms = c->now_unix_ms};
  (void)e;
  return &compare_traffic(&q, arena)->base;
}

const struct tool compare_traffic_sources_tool = {.rpc = "CompareTrafficSources",
                                                  .dealers = TOOL_PEERS,
                                                  .period = TOOL_LAST_4_WEEKS,
                                                  .batch = true,
                                                  .kept = true,
                                                  .state_size = sizeof(struct state),
                                                  .fold = &report_tables_fold,
                                                  .check = check,
                                                  .plan = plan,
                                                  .result = result};
