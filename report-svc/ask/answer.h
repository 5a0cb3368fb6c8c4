/* A finished RunReport answer in an arena of its own, shared by the reply and the cache.
 * Immutable once made; reference-counted, thread-safe. */
#ifndef AMCP_REPORT_ANSWER_H
#define AMCP_REPORT_ANSWER_H

#include <stdatomic.h>
#include <stddef.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/arena.h"

enum { ANSWER_MAX_ARENA = 96 * 1024 * 1024 };

struct answer {
  atomic_int refs;
  struct arena *arena;
  Analytics__Ga4__V1beta__Row **rows; /* heap: grows while rows arrive */
  size_t n_rows, cap_rows;
  Analytics__Report__V1__RunReportResponse message;
};

struct answer *answer_new(void);
struct answer *answer_ref(struct answer *a);
/* NULL is fine. */
void answer_unref(struct answer *a);
/* Memory it takes, in bytes. */
size_t answer_size(const struct answer *a);

#endif
