/* What the rpcs of aggregate-svc stand on: backends, workers, caps, metrics. */
#ifndef AMCP_AGGREGATE_SERVICE_H
#define AMCP_AGGREGATE_SERVICE_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/call/definitions.h"
#include "aggregate-svc/call/finish.h"
#include "aggregate-svc/disclosure/disclosure.h"
#include "aggregate-svc/disclosure/store.h"
#include "aggregate-svc/suspect/lately.h"
#include "common/base/metrics.h"
#include "common/base/pool.h"
#include "common/ga4/lookback.h"
#include "common/rpc/rpc.h"
#include "common/status/facts.h"
#include "common/status/gate.h"

struct aggregate_options {
  int64_t batch_dealers; /* dealers per stream */
  int64_t timeout_ms;    /* longest work on one call, also without a deadline */
  int64_t max_calls;     /* served at once; more are refused */
  int64_t max_rows;      /* rows of one call, over all dealers */
  int64_t max_bytes;     /* memory for rows, over all calls */
  int64_t lead_memory;   /* dealers whose lead event is remembered; 0 asks every time */
  int64_t late_max;      /* questions finished in the background; 0 for none */
  int64_t late_delay_ms; /* before their first attempt */
  struct disclosure_policy policy;
  int64_t cells_per_day; /* new figures over others' dealers, per viewer */
};

#define AGGREGATE_OPTIONS_DEFAULT                                                                  \
  ((struct aggregate_options){.batch_dealers = 25,                                                 \
                              .timeout_ms = 100000,                                                \
                              .max_calls = 64,                                                     \
                              .max_rows = 1000000,                                                 \
                              .max_bytes = 256 * 1024 * 1024,                                      \
                              .lead_memory = 10000,                                                \
                              .late_max = 16,                                                      \
                              .late_delay_ms = 10000,                                              \
                              .policy = DISCLOSURE_POLICY_DEFAULT,                                 \
                              .cells_per_day = 500})

struct aggregate_service {
  struct rpc_channel *auth;
  struct rpc_channel *report;
  struct pool *pool;           /* computes answers */
  struct release_store *store; /* NULL: nothing of dealers outside a caller's view is released */
  struct aggregate_options options;
  atomic_llong calls;       /* under way */
  atomic_llong bytes;       /* held for rows */
  struct table definitions; /* of definitions.h */
  struct lookback lookback;
  struct suspect_lately *lately; /* suspect data that checks found */
  struct status_self self;       /* what GetStatus says of the process */
  const char *gateway_identity;  /* that may call it without a grant; NULL without TLS: anybody */
  struct finish_queue *late;     /* see late.h */
  struct metric *dealers_total;
  struct metric *seconds;
  struct metric *late_total, *late_waiting;
};

/* Registers the metrics, makes what is remembered between calls and starts the queue of late
 * questions, by the options; the other members are the caller's. */
void aggregate_service_init(struct aggregate_service *s);
/* Ends what goes on after its answer, at once. Before the server and the channels end; fine without
 * an init. */
void aggregate_service_stop(struct aggregate_service *s);
/* After that and after the last call: frees what is remembered, not the other members. */
void aggregate_service_free(struct aggregate_service *s);

#endif
