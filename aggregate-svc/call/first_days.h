/* From which day on dealers have data that have none in the period of a call.
 *
 * report-svc looks it up and keeps it until the property's day ends. Dealers outside the caller's
 * view are not asked. What cannot be looked up stays unknown: the answer does without. */
#ifndef AMCP_AGGREGATE_FIRST_DAYS_H
#define AMCP_AGGREGATE_FIRST_DAYS_H

#include "aggregate-svc/call/presence.h"
#include "aggregate-svc/cohort/cohort.h"
#include "common/rpc/rpc.h"

enum { FIRST_DAYS_AT_ONCE = 64 };

struct first_days_options {
  struct rpc_channel *report; /* to report-svc */
  struct rpc_call *parent;    /* the call being served */
  struct cohort *cohort;      /* `first_day` of its members is filled in */
  const struct presence *presence;
  int64_t last;        /* day of the period, since 1970-01-01: a first day after it is kept */
  int64_t deadline_ms; /* on clock_mono_ms()'s scale */
};

struct first_days;

/* Whether a dealer must be asked about. */
bool first_days_needed(const struct first_days_options *options);
/* finished() runs once, without a lock, possibly before this returns; its status is an error only
 * when the caller's grant is no longer taken. */
void first_days_find(struct first_days **out, const struct first_days_options *options,
                     void (*finished)(void *user, const struct err *status), void *user);
/* After `finished`. NULL is fine. */
void first_days_free(struct first_days *f);

#endif
