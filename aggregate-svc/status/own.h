/* What aggregate-svc says of itself: cohorts, suspect data, releases. */
#ifndef AMCP_AGGREGATE_STATUS_OWN_H
#define AMCP_AGGREGATE_STATUS_OWN_H

#include "aggregate-svc/call/service.h"
#include "analytics/aggregate/v1/status.pb-c.h"

/* What GetStatus answers a caller that may have it, in the arena; NULL and *e for others, and when
 * the arena is full. Waits for auth-svc and the store of releases: on a worker. */
Analytics__Aggregate__V1__AggregateStatus *
status_own(struct aggregate_service *s, struct rpc_call *call, struct arena *arena, struct err *e);
/* The handler of GetStatus; `user` is a struct aggregate_service. */
rpc_handler status_own_handle;
/* Dealers with suspect data as a metric, before metrics are rendered. */
void status_own_gauges(void *user);

#endif
