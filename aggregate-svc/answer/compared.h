/* Rows of a report over dealers in two periods, or of one dealer beside the others.
 *
 * A count is compared per day, a rate over what it is a share of; intervals know the
 * over-dispersion of the daily figures (compared_days.c). All changes or standings of the answer
 * are judged together, before it is cut. What is not made of counts (people over dealers, seconds,
 * money) is shown without an interval and has no word. Inside the room. */
#ifndef AMCP_AGGREGATE_COMPARED_H
#define AMCP_AGGREGATE_COMPARED_H

#include "aggregate-svc/answer/rows.h"
#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/figures/pool.h"
#include "aggregate-svc/stats/ratio.h"

/* What of a metric can be measured. */
struct compared_metric {
  struct pooled_column column;
  bool counted;       /* its parts are counts */
  bool rate;          /* over a weight; else a count, over days */
  bool judged;        /* gets a word */
  signed char better; /* 1, -1 or 0 */
  enum stats_model model;
  double phi; /* 0: the days do not show it, so nothing is measured */
};

/* The metrics' over-dispersion from the days of every dealer in the figures. */
void compared_dispersion(const struct across_question *q, struct compared_metric *metrics,
                         size_t n);
/* Whether both periods hold the same weekdays, or so many days that one more does not matter. */
bool compared_same_weekdays(const struct across_question *q);
/* Days of a period. */
struct period_days compared_days(const struct across_question *q, bool before);

/* Fills compared, and what belongs to it. ERR_RESOURCE_EXHAUSTED, ERR_INVALID_ARGUMENT and
 * ERR_DATA_LOSS as across_result(). */
enum err_code compared_rows(const struct across_question *q,
                            Analytics__Aggregate__V1__RunReportAcrossDealersResult *r,
                            struct arena *arena, struct err *e);
/* What to keep in mind about them. */
void compared_caveats(struct caveats *c, const struct across_question *q,
                      const Analytics__Aggregate__V1__RunReportAcrossDealersResult *r);

#endif
