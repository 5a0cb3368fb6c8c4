/* Inside of google/; not for others. */
#ifndef AMCP_REPORT_GOOGLE_IMPL_H
#define AMCP_REPORT_GOOGLE_IMPL_H

#include "common/base/metrics.h"
#include "report-svc/google/benchmark.h"
#include "report-svc/google/google.h"

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

#endif
