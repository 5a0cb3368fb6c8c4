/* Message types of the Data API v1beta that the simulator reads. */
#ifndef GA4_SIM_MESSAGES_H
#define GA4_SIM_MESSAGES_H

#include "ga4-sim/report/transcode.h"

extern const struct message_type message_run_report_request;
extern const struct message_type message_run_alpha_report_request; /* v1alpha: conversions */
extern const struct message_type message_batch_run_reports_request;
extern const struct message_type message_run_pivot_report_request;
extern const struct message_type message_batch_run_pivot_reports_request;
extern const struct message_type message_check_compatibility_request;
extern const struct message_type message_run_realtime_report_request;

extern const struct message_type message_run_funnel_report_request; /* funnel_messages.c */

enum funnel_visualization { FUNNEL_VISUALIZATION_UNSPECIFIED, FUNNEL_STANDARD, FUNNEL_TRENDED };
/* Parts that the messages of v1alpha have in common with v1beta. */
extern const struct message_type message_date_range, message_dimension, message_string_filter,
    message_in_list_filter, message_numeric_filter, message_between_filter,
    message_filter_expression;

enum compatibility { COMPATIBILITY_UNSPECIFIED, COMPATIBLE, INCOMPATIBLE };

enum match_type {
  MATCH_UNSPECIFIED,
  MATCH_EXACT,
  MATCH_BEGINS_WITH,
  MATCH_ENDS_WITH,
  MATCH_CONTAINS,
  MATCH_FULL_REGEXP,
  MATCH_PARTIAL_REGEXP
};
enum numeric_operation {
  OPERATION_UNSPECIFIED,
  OPERATION_EQUAL,
  OPERATION_LESS_THAN,
  OPERATION_LESS_THAN_OR_EQUAL,
  OPERATION_GREATER_THAN,
  OPERATION_GREATER_THAN_OR_EQUAL
};
enum order_type {
  ORDER_TYPE_UNSPECIFIED,
  ORDER_TYPE_ALPHANUMERIC,
  ORDER_TYPE_CASE_INSENSITIVE_ALPHANUMERIC,
  ORDER_TYPE_NUMERIC
};
enum metric_aggregation {
  AGGREGATION_UNSPECIFIED,
  AGGREGATION_TOTAL,
  AGGREGATION_COUNT = 4,
  AGGREGATION_MINIMUM,
  AGGREGATION_MAXIMUM
};
enum metric_type {
  METRIC_TYPE_UNSPECIFIED,
  METRIC_TYPE_INTEGER,
  METRIC_TYPE_FLOAT,
  METRIC_TYPE_SECONDS,
  METRIC_TYPE_MILLISECONDS,
  METRIC_TYPE_CURRENCY
};
/* "TYPE_INTEGER" */
const char *metric_type_name(enum metric_type type);
/* The number the published enum has for it. */
int metric_type_number(enum metric_type type);

#endif
