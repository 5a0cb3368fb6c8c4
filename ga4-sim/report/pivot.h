/* runPivotReport. */
#ifndef GA4_SIM_PIVOT_H
#define GA4_SIM_PIVOT_H

#include "ga4-sim/report/report.h"
#include "ga4-sim/report/request.h"

enum { PIVOT_MAX = REQUEST_MAX_DIMENSIONS + 1, PIVOT_SELECTIONS_MAX = 8 };

/* An order by the metric of a cell: that of the values selected in other pivots. */
struct pivot_order {
  size_t metric;
  bool descending;
  const char *filter; /* SQL: the selected values */
};

struct pivot {
  /* The request as far as this pivot's headers go: its dimensions, order, offset and limit. */
  struct report_request headers;
  size_t fields[REQUEST_MAX_DIMENSIONS + 2]; /* indices into the cells' dimensions */
  size_t field_count;
  struct pivot_order by_cell[PIVOT_SELECTIONS_MAX];
  size_t by_cell_count;
  bool total, minimum, maximum, count;
};

struct pivot_request {
  struct report_request cells; /* its dimensions are those of any pivot, in the request's order */
  struct pivot pivots[PIVOT_MAX];
  size_t pivot_count;
};

/* Checks and reads a transcoded RunPivotReportRequest, as request_read() does. */
enum err_code pivot_read(struct pivot_request *p, const cJSON *tree,
                         const struct world_property *property, int64_t today, struct arena *arena,
                         struct err *e);
/* Appends the RunPivotReportResponse, as report_run() does. */
enum err_code pivot_run(struct world *w, const struct pivot_request *p, struct quota *quota,
                        unsigned project, const struct report_style *style, struct buf *out,
                        struct err *e);

#endif
