/* Finishes in the background what an answer had to withhold because a dealer outside the caller's
 * view was late or throttled: asks that dealer again, some times, and freezes the figures once it
 * has answered, so that a slow minute does not keep a benchmark from everybody.
 *
 * A job goes on after its answer. It has nothing but the grant of its caller, which auth-svc and
 * report-svc check each time: once that has run out or is revoked, the job is dropped, and its
 * reports count in the caller's share. Private to call/. */
#ifndef AMCP_AGGREGATE_LATE_H
#define AMCP_AGGREGATE_LATE_H

#include <stdbool.h>

#include "aggregate-svc/call/finish.h"
#include "aggregate-svc/call/service.h"

struct job;

/* The queue of a service, for late jobs. */
struct finish_queue *late_queue_new(const struct aggregate_options *o);

/* Before the answer is made: takes a place for the job when a dealer is late, and tells the door
 * when to ask again. */
void late_admit(struct job *j);
/* After the answer was sent: ends the call, and keeps the job when it has a place. False when it
 * has none: the call is still to be ended. When true the job must not be touched. */
bool late_keep(struct job *j);
/* An attempt has ended; on a worker. The job must not be touched afterwards. */
void late_compute(struct job *j);
/* Likewise, when no worker is free: it counts as an attempt. On any thread. */
void late_skip(struct job *j);

#endif
