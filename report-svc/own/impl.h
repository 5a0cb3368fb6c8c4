/* Inside the room. */
#ifndef AMCP_REPORT_OWN_IMPL_H
#define AMCP_REPORT_OWN_IMPL_H

#include "common/base/map.h"
#include "common/ga4/own.h"
#include "report-svc/own/own.h"

typedef Analytics__Ga4__V1beta__RunReportRequest own_request;
typedef Analytics__Ga4__V1beta__RunReportResponse own_response;
typedef Analytics__Ga4__V1beta__BatchRunReportsRequest own_batch;

enum { OWN_MAX_RANGES = 4, OWN_MAX_EVENTS = LEAD_FIXED + 2 };

/* How the values of several properties become one. */
enum own_merge {
  OWN_ADDED,
  OWN_POOLED, /* averaged by a weight */
  OWN_FIRST,  /* of the first property */
};

/* A metric that was asked for. */
struct own_column {
  const char *name;
  const struct own_metric *own; /* NULL: GA4's */
  size_t at;                    /* GA4's: its place in the report */
  enum own_merge merge;
  size_t weight; /* OWN_POOLED: its place in the report */
};

/* What is asked of every property. */
struct own_shape {
  struct own_column columns[REQUEST_MAX_METRICS];
  size_t n;
  char *metrics[REQUEST_MAX_METRICS]; /* of the report */
  size_t n_metrics;
  size_t sessions, engaged; /* places of GA4's sessions and engagedSessions, when needed */
  unsigned parts;           /* bit 1 << enum own_part: needed */
};

/* The reports of a batch. */
enum own_part_report { OWN_REPORT, OWN_EVENTS, OWN_SHOPPERS, OWN_LOOK_BACK, OWN_REPORTS };

/* What one property is asked. */
struct own_plan {
  own_batch body;
  own_request *requests[OWN_REPORTS];
  int place[OWN_REPORTS]; /* in the batch; -1: not asked */
  bool known;             /* `finding` is remembered */
  struct lead_finding finding;
  int64_t look_back;                   /* its last day */
  const char *lead_event, *form_event; /* NULL: not known */
  int shopper;
  const char *shopper_event;
};

/* A row of one date range. */
struct own_cell {
  Analytics__Ga4__V1beta__DimensionValue *range;                    /* NULL: there is one range */
  Analytics__Ga4__V1beta__MetricValue *google[REQUEST_MAX_METRICS]; /* of the first property */
  double values[REQUEST_MAX_METRICS]; /* of the report's metrics, added or times their weight */
  double parts[OWN_PARTS];
};

/* The rows of one combination of dimension values. */
struct own_combination {
  struct map_node in_map;
  const struct own_join *join;
  Analytics__Ga4__V1beta__DimensionValue **dimensions;
  struct own_cell *cells[OWN_MAX_RANGES];
};

struct own_join {
  const own_request *asked;
  const struct own_shape *shape;
  struct arena *arena;
  struct map by_key;
  struct own_combination **combinations;
  size_t n, cap;
  size_t properties;
  struct room_share *room; /* where the memory of the join is counted */
  size_t counted;
  bool full; /* there was no room */
};

/* plan.c */
/* Which metrics are read; several: there is more than one property. */
enum err_code own_shape_make(struct own_shape *out, const own_request *asked,
                             const struct token *token, bool several, struct err *e);
/* The batch for one property, in the arena. False at its cap. */
bool own_plan_make(struct own_plan *out, const own_request *asked, const struct own_shape *shape,
                   const struct token *token, struct lookback *sites, const char *property,
                   int64_t now_unix_ms, struct arena *arena);
/* What counts at the property, by its settings and the look-back of the answer. */
void own_plan_resolve(struct own_plan *p, const struct token *token, struct lookback *sites,
                      const char *property, own_response *const *reports);

/* join.c */
/* What is said where the parts take too much memory. */
extern const char own_too_large[];
/* Counts what the join has grown by. False when there is no room for it. */
bool own_join_count(struct own_join *j);
/* Adds one property's answer. ERR_RESOURCE_EXHAUSTED. */
enum err_code own_join_add(struct own_join *j, const struct own_plan *p,
                           own_response *const *reports, struct err *e);
void own_join_free(struct own_join *j);
/* The value of a column in a cell (NULL: 0). */
double own_value(const struct own_join *j, const struct own_column *c, const struct own_cell *cell);

/* page.c */
/* The rows in order, from the offset on; NULL at the arena's cap or without room. `first`: the
 * first property's report, whose headers and metadata these are. */
own_response *own_page(struct own_join *j, const own_response *first, bool all);
enum err_code own_check_order(const own_request *asked, struct err *e);

#endif
