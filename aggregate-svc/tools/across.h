/* Inside the room: the arguments of run_report_across_dealers. */
#ifndef AMCP_AGGREGATE_ACROSS_H
#define AMCP_AGGREGATE_ACROSS_H

#include "aggregate-svc/answer/rows.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/call/tool.h"
#include "aggregate-svc/figures/tables.h"

struct across_state {
  struct report_tables tables; /* first: the fold's figures */
  /* Those asked for that are shown, those that rows are only ordered by, weights of rates, and
   * those that Google does not show us either. */
  char *metrics[ACROSS_MAX_METRICS];
  size_t n_asked, n_ordered, n_metrics, n_queried; /* the end of each part */
  struct ga4_definitions definitions;              /* of dimensions and metrics of the report */
  char *dimensions[ACROSS_MAX_COLUMNS]; /* of the rows, but for dateRange of compare_to */
  size_t n_dimensions;
  enum across_by by;
  struct period before;                               /* of compare_to */
  struct period ranges[QUERY_MAX_PERIODS];            /* several, the first one being the call's */
  const char *range_names[QUERY_MAX_PERIODS];         /* what dateRange says of their rows */
  size_t n_ranges;                                    /* 0: one period */
  Analytics__Ga4__V1beta__Comparison *comparisons[4]; /* each with a name */
  size_t n_comparisons;
  struct across_order order;
  size_t limit_per_dealer, pooled_limit, dealers_per_page, offset, row_offset, pooled_offset;
};

/* Whether rows are compared, with another period or with other dealers. */
bool across_is_compared(const struct tool_call *c);
/* Steps of the tool (call/tool.h): fill the state, or name the argument that is wrong. */
enum err_code across_check(struct tool_call *c, struct err *e);
enum err_code across_days(struct tool_call *c, struct err *e);
/* What names among dimensions and metrics are made of; puts the metrics that are shown into the
 * state (across_definitions.c). */
enum err_code across_check_definitions(struct tool_call *c, struct err *e);
/* The column of a metric that rows may be ordered by: one that is shown, or one that is not, which
 * then has a column behind them. n_ordered: the report has no such metric. */
size_t across_ordering_column(struct tool_call *c, const char *metric);
/* Adds to the metrics what rates are pooled by, where it fits, and what is not shown. False when
 * the arena is full. */
bool across_choose_queried(struct tool_call *c);
/* Comparisons and cohorts among the arguments (across_slices.c). */
enum err_code across_check_slices(struct tool_call *c, struct err *e);
/* Whether the sizes of cohorts are asked for, and the report that says them; NULL when the arena is
 * full. */
bool across_asks_sizes(const struct tool_call *c);
Analytics__Report__V1__ReportQuery *across_sizes_query(const struct tool_call *c);
/* An error of request_period() names date_range: here it is another field. Returns its code. */
enum err_code across_rename_range(struct err *e, const char *field);

#endif
