/* list_metrics: what the metrics of the answers mean, and what counts as a lead for whom. Only a
 * list with metrics of leads asks dealers, and those only whose look-back is not remembered: a few
 * rows each, once a week. */
#include "aggregate-svc/answer/lead_list.h"
#include "aggregate-svc/answer/metric_list.h"
#include "aggregate-svc/call/daily.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"
#include "common/rpc/rpc.h"

typedef Analytics__Aggregate__V1__ListMetricsRequest Request;
typedef Analytics__Aggregate__V1__ListMetricsResponse Response;

/* NAME_BYTES: of the dealers, beside the whole list and beside some of it. */
enum { ARENA_BYTES = 256 * 1024, NAME_BYTES = 250, NAME_BYTES_OF_FEW = 900 };

struct state {
  struct daily_question daily; /* first: the fold's figures */
};

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  return daily_plan_look_back(c, &((struct state *)c->state)->daily, p, e);
}

static struct lead_site *sites_of(struct tool_call *c, struct arena *arena)
{
  const struct daily_question *q = &((struct state *)c->state)->daily;
  struct lead_site *sites = ARENA_ARRAY(arena, struct lead_site, c->cohort.n + 1);
  for (size_t i = 0; i < c->cohort.n; i++) {
    const struct cohort_member *m = &c->cohort.members[i];
    if (m->state != DEALER_OK)
      continue;
    struct daily_meaning meaning = daily_meaning_of(c, q, i);
    sites[i] = (struct lead_site){meaning.lead_event, m->lead_event[0] != '\0', meaning.contacts,
                                  (m->vehicles.registered & PARAMETER_COMM_TYPE) != 0};
  }
  return sites;
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct daily_question *q = &((struct state *)c->state)->daily;
  const char *query = ((const Request *)c->request)->query;
  Response *list = metric_list(query, arena);
  (void)e;
  lead_list(list, &c->cohort, &q->leads, sites_of(c, arena),
            query[0] == '\0' ? NAME_BYTES : NAME_BYTES_OF_FEW, &c->without, arena);
  return &list->base;
}

static const struct tool with_leads = {.rpc = "ListMetrics",
                                       .dealers = TOOL_VISIBLE,
                                       .definitions = TOOL_ALL_DEFINITIONS,
                                       .optional = true,
                                       .state_size = sizeof(struct state),
                                       .fold = &daily_fold,
                                       .plan = plan,
                                       .result = result};

void list_metrics_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  const Request *r = (const Request *)request;
  struct err e = {0};
  struct arena *arena = arena_new(ARENA_BYTES);
  Response *list = metric_list(r->query, arena);
  if (list == NULL) {
    err_set(&e, ERR_INTERNAL, "internal", "the list of metrics does not fit its memory");
    rpc_call_finish(call, &e);
  } else if (metric_list_has_leads(list)) {
    tool_serve(&with_leads, service, call, request);
  } else {
    rpc_call_reply(call, &list->base);
  }
  arena_free(arena);
}
