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
#include "aggregate-svc/verdict/change.h"
#include "aggregate-svc/verdict/verdict.h"

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
/* Days of a period that have begun, the first one at least. */
struct period_days compared_days(const struct across_question *q, bool before);
/* Whether every day of both periods is over, everywhere. */
bool compared_is_over(const struct across_question *q);
/* Which members were not measured on 3 or more finished days of a period: days without anything
 * that the metrics count, at a website with 5 a day on others. Their counts fell for that reason,
 * or rose. lost: per member. */
void compared_find_lost(const struct across_question *q, const struct compared_metric *metrics,
                        size_t n, bool *lost);

/* One metric of one row. */
struct compared_cell {
  struct change_row change;     /* with a second period */
  struct verdict_cell standing; /* without one, and with a subject */
};

/* All rows, measured and judged. */
struct compared {
  const struct across_question *q;
  struct compared_metric metrics[ACROSS_MAX_METRICS];
  size_t n_metrics;
  struct pool_part *parts;
  size_t n_parts;
  bool in_parts; /* rows are those of each dealer, region or group */
  bool *lost;    /* per member, see compared_find_lost() */
  bool *lost_in; /* per part: one of its dealers is lost; without parts the subject, or any */
  bool lost_others;
  struct across_pool pool;
  struct stats_ratio totals[2][ACROSS_MAX_METRICS]; /* of counts: all rows of subject and others */
  struct compared_cell *cells;                      /* rows x metrics */
  struct change_cell *changes;                      /* rows x metrics x 2 */
  size_t *order; /* the rows of the answer, over all pages: of several parts the first of each */
  size_t n;
};

/* Fills *out, and in the result what belongs to all rows. ERR_RESOURCE_EXHAUSTED and ERR_DATA_LOSS
 * as across_result(). Free *out with compared_free() in any case. */
enum err_code compared_make(struct compared *out, const struct across_question *q,
                            Analytics__Aggregate__V1__RunReportAcrossDealersResult *r,
                            struct arena *arena, struct err *e);
void compared_free(struct compared *c);
/* What to keep in mind about them. */
void compared_caveats(struct caveats *out, const struct compared *c);
/* Fills in the page of them that the question asks for: rows that fit into so many bytes of text.
 */
void compared_page(const struct compared *c,
                   Analytics__Aggregate__V1__RunReportAcrossDealersResult *r, size_t max_text,
                   struct arena *arena);

#endif
