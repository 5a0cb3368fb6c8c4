/* Inside of google/; not for others. */
#ifndef AMCP_REPORT_GOOGLE_IMPL_H
#define AMCP_REPORT_GOOGLE_IMPL_H

#include <pthread.h>

#include "common/base/metrics.h"
#include "report-svc/google/benchmark.h"
#include "report-svc/google/google.h"
#include "report-svc/google/lease.h"
#include "report-svc/google/place.h"

/* Google allows a standard property so many requests at once. */
enum { GOOGLE_PLACES = 10 };

struct google {
  struct google_options options;
  struct governor *governor;
  struct budget *budget;
  struct benchmark *benchmark;
  struct ended_calls *ended;
  atomic_bool sweeping; /* the clock of the governor's queue is set */
  struct metric *requests;
  struct metric *seconds;
  struct metric *waiting;
  struct found_cache *found; /* properties of dealers without configured ones */
  struct leases *leases;
  atomic_bool watching_leases; /* the clock that ends them is set */
  pthread_mutex_t reports_lock;
  pthread_cond_t reports_ended;
  size_t reports; /* of their uses, under way to auth-svc; guarded by reports_lock */
  struct metric *uses_lost;
};

/* Sets the clock that ends waiters at their deadline, while there are any. */
void google_watch_queue(struct google *g);
/* Lets the other replicas know what became of a property's quota. */
void google_share_change(struct google *g, const char *key, const struct budget_change *change);

/* The lease that a call's subject would have under its grant; false when there can be none. */
bool google_lease_name(struct lease_name *out, const struct google *g,
                       const struct google_call_options *o, const char *subject_id);
/* Takes auth-svc's answer under a lease. */
void google_lease(struct google *g, const struct lease_name *name, struct token *token,
                  uint32_t lease_ms);
/* What leases need, and its end. */
void google_init_leases(struct google *g);
void google_free_leases(struct google *g);

#endif
