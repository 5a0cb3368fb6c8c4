/* A runReport request after all of Google's checks. */
#ifndef GA4_SIM_REQUEST_H
#define GA4_SIM_REQUEST_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "ga4-sim/report/messages.h"
#include "ga4-sim/world/world.h"

enum {
  REQUEST_MAX_DIMENSIONS = 9,
  REQUEST_MAX_METRICS = 10,
  REQUEST_MAX_RANGES = 4,
  REQUEST_MAX_COHORTS = 12,
  REQUEST_MAX_COMPARISONS = 4,
  REQUEST_MAX_KEY_EVENTS = 24,
  REQUEST_MAX_USED = 64,
  REQUEST_DEFAULT_LIMIT = 10000,
  REQUEST_MAX_LIMIT = 250000
};

enum dimension_role { ROLE_PLAIN, ROLE_DATE_RANGE, ROLE_COMPARISON, ROLE_COHORT };

struct request_dimension {
  const char *name;
  enum dimension_role role;
  const char *sql; /* ROLE_PLAIN: over the tables of query.c */
};

struct request_metric {
  const char *name;
  bool invisible;
  enum metric_type type;
  const char *sql; /* over the primitives of one group */
};

struct request_range {
  const char *name;
  int64_t start, end;    /* days since 1970-01-01, both included */
  const char *join;      /* further tables of its rows; NULL: none */
  const char *condition; /* on its rows; NULL: none */
};

/* What makes an answer differ from all the data; all zero: nothing does. */
struct report_conditions {
  uint32_t freshness_lag_days; /* the last days are not processed yet */
  uint32_t threshold_users;    /* rows about people with fewer users are withheld */
  uint32_t other_after;        /* pages beyond the most visited N are "(other)" */
  uint32_t sample_percent;     /* read so much of the sessions and extrapolate; 0: all */
  bool reverse_ties;           /* rows of equal rank come in another order */
  bool unknown_enum;           /* names that are newer than any client */
};

struct request_comparison {
  const char *name;
  const char *sql; /* a condition; NULL: everything */
};

struct request_order {
  const char *sql; /* expression over d1.., m1.., range and comparison */
  bool descending;
};

/* Everything lives in the arena and the request's tree. */
struct report_request {
  const struct world_property *property;
  struct arena *arena;
  unsigned needs;    /* tables all fields together need (enum field_need) */
  bool event_scoped; /* some field distinguishes events of one session */
  struct request_dimension dimensions[REQUEST_MAX_DIMENSIONS + 2];
  size_t dimension_count;
  struct request_metric metrics[REQUEST_MAX_METRICS];
  size_t metric_count;
  struct request_range ranges[REQUEST_MAX_COHORTS]; /* date ranges, or cohorts */
  size_t range_count;
  struct request_comparison comparisons[REQUEST_MAX_COMPARISONS];
  size_t comparison_count;
  const char *key_events[REQUEST_MAX_KEY_EVENTS]; /* of keyEvents:<name> and its like */
  size_t key_event_count;
  const char *used_metrics[REQUEST_MAX_USED]; /* of the schema, used anywhere, each once */
  size_t used_metric_count;
  const char *dimension_filter; /* SQL condition; NULL: none */
  const char *metric_filter;    /* SQL condition over primitives; NULL: none */
  struct request_order *orders;
  size_t order_count;
  const char **texts; /* values of the SQL parameters ?1.. */
  size_t text_count, text_capacity;
  bool total, minimum, maximum;
  bool keep_empty_rows, return_quota;
  int64_t limit, offset;
  const char *currency_code;
  size_t requested_dimensions; /* for the cost in tokens */
  bool has_high_cardinality, has_demographics;
  bool potentially_thresholded; /* age, gender, interests, audiences: counted by their own quota */
  bool no_data;              /* a dimension of which the world has nothing: the report is empty */
  bool by_calendar;          /* a dimension that belongs to its date range */
  const char *cohort_users;  /* the ranges are cohorts: SQL of their sizes by slice; else NULL */
  const char *conversions;   /* a report of conversions: SQL of their number; else NULL */
  const char *more_metadata; /* members of the answer's metadata, each after a comma; NULL: none */
  const char *minutes_ago;   /* a realtime report: SQL of an event's age; else NULL */
  struct report_conditions conditions;
};

/* Checks and reads a transcoded RunReportRequest in Google's order. The error's
 * message is Google's. tree and arena must outlive the request. r->conditions is kept, all else
 * is set. */
enum err_code request_read(struct report_request *r, const cJSON *tree,
                           const struct world_property *property, int64_t today,
                           struct arena *arena, struct err *e);

/* request_fields.c: sets INVALID_ARGUMENT with a message and returns it. */
enum err_code request_invalid(struct err *e, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Registers a text as an SQL parameter and returns its number. */
unsigned request_bind(struct report_request *r, const char *text);
/* SQL of a dimension by name, adding to what the request needs; an error says it is
 * no dimension. */
enum err_code request_dimension_sql(struct report_request *r, const char *name, const char **sql,
                                    struct err *e);
/* SQL and type of a metric by name: standard, keyEvents:<event> and its like, or one
 * named in the request. */
enum err_code request_metric_sql(struct report_request *r, const char *name, const char **sql,
                                 enum metric_type *type, struct err *e);

/* filter.c: a FilterExpression as an SQL condition. */
/* The value of a NumericValue; false when it has none. */
bool filter_number(const cJSON *value, double *out);
enum err_code filter_compile(struct report_request *r, const cJSON *expression, bool metrics,
                             const char **sql, struct err *e);
/* expression.c: a metric expression (+ - * / and parentheses) as SQL. */
enum err_code expression_compile(struct report_request *r, const char *text, const char **sql,
                                 enum metric_type *type, struct err *e);

#endif
