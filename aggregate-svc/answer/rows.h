/* The rows of a report over dealers as an answer: a pure function. */
#ifndef AMCP_AGGREGATE_ROWS_H
#define AMCP_AGGREGATE_ROWS_H

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/figures/table.h"
#include "aggregate-svc/period/period.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/ga4/definition.h"

enum { ACROSS_MAX_ANSWER_ROWS = 100000, ACROSS_MAX_ANSWER_BYTES = 16 * 1024 * 1024 };

/* The reports of a question: rows as asked for, and where they are compared each day's figures, or
 * where cohorts are counted their sizes. */
enum { ACROSS_ROWS = 1, ACROSS_DAYS = 2, ACROSS_SIZES = 2 };

/* What rows are put together. */
enum across_by { ACROSS_BY_UNSET, ACROSS_BY_DEALER, ACROSS_BY_REGION, ACROSS_BY_GROUP };

struct across_question {
  const struct cohort *cohort;  /* visible dealers only; its subject is set against the others */
  size_t not_visible;           /* dealers of the region that take no part */
  struct across_tables *tables; /* rows without a landing page are joined in them */
  /* Of the same metrics by date, where rows are compared; else NULL. With `before` both reports
   * have dateRange as their last dimension, date_range_1 being the period before. */
  const struct across_tables *days;
  const struct period *before;
  /* Of cohortTotalUsers by cohort and step, the first step alone, where that metric was asked for;
   * else NULL. */
  const struct across_tables *sizes;
  bool comparisons, cohorts; /* what was asked about; cohorts have days of their own */
  enum across_by by;
  char **dimensions;   /* those of the tables */
  size_t n_dimensions; /* of them, without dateRange of `before` */
  /* Those of the tables: the ones asked for, those that rows are only ordered by (up to n_ordered),
   * then weights of rates. */
  char *const *metrics;
  size_t n_asked, n_ordered;
  struct ga4_definitions definitions; /* of metrics and dimensions of the tables */
  bool metric_filter;
  const struct across_order *order;
  size_t limit_per_dealer, row_offset; /* of a dealer's rows; SIZE_MAX: all */
  size_t pooled_limit, pooled_offset;
  size_t offset; /* dealers to skip, or compared rows; pooled rows stand on the first page */
  size_t dealers_per_page; /* 0 for those that fit what a model is shown */
  const struct period *period;
  int64_t now_unix_ms;
};

/* Texts live in the tables, the rest in the arena, which must have no cap. NULL with *e:
 * ERR_INVALID_ARGUMENT when the answer would have too many rows, ERR_RESOURCE_EXHAUSTED
 * when it or the pooling needs too much memory, ERR_DATA_LOSS when a sum is too large for a
 * number. Reads a time zone file: not for a poller. */
Analytics__Aggregate__V1__RunReportAcrossDealersResult *
across_result(const struct across_question *q, struct arena *arena, struct err *e);

#endif
