/* How the columns of many dealers become figures while they arrive.
 *
 * A fold keeps, per dealer, sums or rows of what report-svc sends. The fan-out calls it under
 * one lock, so a fold needs none of its own. `member` is a dealer's place in the cohort. */
#ifndef AMCP_AGGREGATE_FOLD_H
#define AMCP_AGGREGATE_FOLD_H

#include <stddef.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/error.h"

struct fold {
  /* Adds a chunk; its columns are as long as its row_count says. ERR_RESOURCE_EXHAUSTED ends
   * the whole call; any other error means that this dealer's data cannot be used. */
  enum err_code (*chunk)(void *figures, size_t member,
                         const Analytics__Report__V1__ColumnChunk *chunk, struct err *e);
  /* One of a dealer's reports is whole. */
  void (*query_done)(void *figures, size_t member, const Analytics__Report__V1__QueryDone *done);
  /* Forgets all that a dealer sent: it failed, or it is asked again. */
  void (*drop)(void *figures, size_t member);
  /* Frees what the figures hold. They may be zeroed memory that was never filled. */
  void (*free)(void *figures);
};

/* ERR_DATA_LOSS: the dealer's report is not what was asked for. */
static inline enum err_code fold_bad_data(struct err *e, const char *what)
{
  return err_set(
      e, ERR_DATA_LOSS, "invalid_data",
      "the report could not be used: %s; ask again, and check the property if this persists", what);
}

/* ERR_RESOURCE_EXHAUSTED: "the daily figures need too much memory: ask for ...". */
static inline enum err_code fold_no_memory(struct err *e, const char *what, const char *remedy)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large", "%s need too much memory: %s", what,
                 remedy);
}

#endif
