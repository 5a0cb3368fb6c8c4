/* list_metrics: what the metrics of the answers mean. No dealer is asked. */
#include "aggregate-svc/answer/metric_list.h"
#include "aggregate-svc/tools/tools.h"
#include "common/rpc/rpc.h"

enum { ARENA_BYTES = 256 * 1024 };

void list_metrics_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  (void)service;
  const Analytics__Aggregate__V1__ListMetricsRequest *r = (const void *)request;
  struct err e = {0};
  struct arena *arena = arena_new(ARENA_BYTES);
  Analytics__Aggregate__V1__ListMetricsResponse *list = metric_list(r->query, arena);
  if (list != NULL) {
    rpc_call_reply(call, &list->base);
  } else {
    err_set(&e, ERR_INTERNAL, "internal", "the list of metrics does not fit its memory");
    rpc_call_finish(call, &e);
  }
  arena_free(arena);
}
