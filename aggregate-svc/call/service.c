/* The table of rpcs and the service's metrics. */
#include "aggregate-svc/call/service.h"

const struct rpc_method aggregate_methods[] = {
    {"CompareDealerSessions", RPC_SERVER_STREAMING, RPC_ON_POLLER, aggregate_compare},
    {"RunReportAcrossDealers", RPC_SERVER_STREAMING, RPC_ON_POLLER, aggregate_across},
};
const size_t aggregate_n_methods = sizeof(aggregate_methods) / sizeof(aggregate_methods[0]);

void aggregate_service_init(struct aggregate_service *s)
{
  atomic_init(&s->calls, 0);
  atomic_init(&s->bytes, 0);
  s->dealers_total = metrics_counter("aggregate_dealers_total",
                                     "Dealers asked in fan-outs, by outcome.", "outcome", NULL);
  s->seconds = metrics_histogram("aggregate_seconds", "Time from call to answer.", "rpc", NULL);
}
