/* Inside of google/; not for others. */
#ifndef AMCP_REPORT_GOOGLE_IMPL_H
#define AMCP_REPORT_GOOGLE_IMPL_H

#include "common/base/metrics.h"
#include "report-svc/google/benchmark.h"
#include "report-svc/google/google.h"
#include "report-svc/google/place.h"

/* Google allows a standard property so many requests at once. */
enum { GOOGLE_PLACES = 10 };

struct google {
  struct google_options options;
  struct governor *governor;
  struct budget *budget;
  struct benchmark *benchmark;
  atomic_bool sweeping; /* the clock of the governor's queue is set */
  struct metric *requests;
  struct metric *seconds;
  struct metric *waiting;
};

/* Sets the clock that ends waiters at their deadline, while there are any. */
void google_watch_queue(struct google *g);
/* Lets the other replicas know what became of a property's quota. */
void google_share_change(struct google *g, const char *key, const struct budget_change *change);

#endif
