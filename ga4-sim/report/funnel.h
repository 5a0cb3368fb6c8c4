/* runFunnelReport (v1alpha). */
#ifndef GA4_SIM_FUNNEL_H
#define GA4_SIM_FUNNEL_H

#include "ga4-sim/report/report.h"
#include "ga4-sim/report/request.h"
#include "ga4-sim/report/segment.h"

enum {
  FUNNEL_MAX_STEPS = 10,
  FUNNEL_DEFAULT_VALUES = 5,
  FUNNEL_MAX_VALUES = 50,
  FUNNEL_MAX_EVENTS = 20000, /* of one user */
  FUNNEL_MAX_GROUPS = 20000,
  FUNNEL_MAX_DEPTH = 30 /* of a filter */
};

struct funnel_step {
  const char *name; /* "1. Visit" */
  const char *sql;  /* a condition on an event */
  bool directly;    /* the event right after the one of the step before */
  double within_s;  /* 0: at any time */
};

struct funnel_request {
  struct report_request base; /* property, ranges, texts, needs, dimension filter */
  bool open, trended;
  struct funnel_step steps[FUNNEL_MAX_STEPS];
  size_t step_count;
  const char *breakdown, *breakdown_sql; /* NULL: none */
  int64_t breakdown_limit;
  const char *next_sql; /* next action; NULL: none */
  int64_t next_limit;
  int64_t limit; /* rows of each table */
  struct segments segments; /* none: all events */
};

/* Checks and reads a transcoded RunFunnelReportRequest, as request_read() does. */
enum err_code funnel_read(struct funnel_request *f, const cJSON *tree,
                          const struct world_property *property, int64_t today, struct arena *arena,
                          struct err *e);
/* A filter of a step or a segment as a condition on an event, in SQL. */
enum err_code funnel_filter(struct reader *x, const cJSON *expression, const char **sql);
/* The bounds, included, of a filter on how often an event happened. */
#define FUNNEL_EVENT_COUNT "event_count"
enum err_code funnel_count_bounds(struct reader *x, const cJSON *filter, double *from, double *to);
/* A duration such as "60s" or "0.5s"; 0 without a text. `name` is that of the field. */
enum err_code funnel_duration(struct reader *x, const char *name, const char *text, double *out);
/* Appends the RunFunnelReportResponse, as report_run() does. */
enum err_code funnel_run(struct world *w, const struct funnel_request *f, struct quota *quota,
                         unsigned project, const struct report_style *style, struct buf *out,
                         struct err *e);

#endif
