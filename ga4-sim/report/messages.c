/* Descriptors of RunReportRequest and everything in it, after the published protos. */
#include "ga4-sim/report/messages.h"

#include "common/base/mem.h"

#define V1 "google.analytics.data.v1beta."
#define FIELDS(table) table, ARRAY_LEN(table)

static const char *const match_names[] = {
    "MATCH_TYPE_UNSPECIFIED", "EXACT", "BEGINS_WITH", "ENDS_WITH", "CONTAINS", "FULL_REGEXP",
    "PARTIAL_REGEXP"};
static const struct enum_type match_enum = {V1 "Filter.StringFilter.MatchType", match_names,
                                            ARRAY_LEN(match_names)};
static const char *const operation_names[] = {
    "OPERATION_UNSPECIFIED", "EQUAL",        "LESS_THAN",
    "LESS_THAN_OR_EQUAL",    "GREATER_THAN", "GREATER_THAN_OR_EQUAL"};
static const struct enum_type operation_enum = {V1 "Filter.NumericFilter.Operation",
                                                operation_names, ARRAY_LEN(operation_names)};
static const char *const order_names[] = {"ORDER_TYPE_UNSPECIFIED", "ALPHANUMERIC",
                                          "CASE_INSENSITIVE_ALPHANUMERIC", "NUMERIC"};
static const struct enum_type order_enum = {V1 "OrderBy.DimensionOrderBy.OrderType", order_names,
                                            ARRAY_LEN(order_names)};
static const char *const aggregation_names[] = {[AGGREGATION_UNSPECIFIED] =
                                                    "METRIC_AGGREGATION_UNSPECIFIED",
                                                [AGGREGATION_TOTAL] = "TOTAL",
                                                [AGGREGATION_COUNT] = "COUNT",
                                                [AGGREGATION_MINIMUM] = "MINIMUM",
                                                [AGGREGATION_MAXIMUM] = "MAXIMUM"};
static const struct enum_type aggregation_enum = {V1 "MetricAggregation", aggregation_names,
                                                  ARRAY_LEN(aggregation_names)};
static const char *const granularity_names[] = {"GRANULARITY_UNSPECIFIED", "DAILY", "WEEKLY",
                                                "MONTHLY"};
static const struct enum_type granularity_enum = {V1 "CohortsRange.Granularity", granularity_names,
                                                  ARRAY_LEN(granularity_names)};

static const struct message_field date_range_fields[] = {
    {.name = "startDate"}, {.name = "endDate"}, {.name = "name"}};
const struct message_type message_date_range = {V1 "DateRange", FIELDS(date_range_fields)};

static const struct message_field case_fields[] = {{.name = "dimensionName"}};
static const struct message_type case_expression = {V1 "DimensionExpression.CaseExpression",
                                                    FIELDS(case_fields)};
static const struct message_field concatenate_fields[] = {
    {.name = "dimensionNames", .repeated = true}, {.name = "delimiter"}};
static const struct message_type concatenate_expression = {
    V1 "DimensionExpression.ConcatenateExpression", FIELDS(concatenate_fields)};
static const struct message_field dimension_expression_fields[] = {
    {.name = "lowerCase",
     .kind = KIND_MESSAGE,
     .message = &case_expression,
     .oneof = "one_expression"},
    {.name = "upperCase",
     .kind = KIND_MESSAGE,
     .message = &case_expression,
     .oneof = "one_expression"},
    {.name = "concatenate",
     .kind = KIND_MESSAGE,
     .message = &concatenate_expression,
     .oneof = "one_expression"}};
static const struct message_type dimension_expression = {V1 "DimensionExpression",
                                                         FIELDS(dimension_expression_fields)};
static const struct message_field dimension_fields[] = {
    {.name = "name"},
    {.name = "dimensionExpression", .kind = KIND_MESSAGE, .message = &dimension_expression}};
const struct message_type message_dimension = {V1 "Dimension", FIELDS(dimension_fields)};

static const struct message_field metric_fields[] = {
    {.name = "name"}, {.name = "expression"}, {.name = "invisible", .kind = KIND_BOOL}};
static const struct message_type metric = {V1 "Metric", FIELDS(metric_fields)};

static const struct message_field numeric_value_fields[] = {
    {.name = "int64Value", .kind = KIND_INT64, .oneof = "one_value"},
    {.name = "doubleValue", .kind = KIND_DOUBLE, .oneof = "one_value"}};
static const struct message_type numeric_value = {V1 "NumericValue", FIELDS(numeric_value_fields)};
static const struct message_field string_filter_fields[] = {
    {.name = "matchType", .kind = KIND_ENUM, .enumeration = &match_enum},
    {.name = "value"},
    {.name = "caseSensitive", .kind = KIND_BOOL}};
const struct message_type message_string_filter = {V1 "Filter.StringFilter",
                                                   FIELDS(string_filter_fields)};
static const struct message_field in_list_fields[] = {{.name = "values", .repeated = true},
                                                      {.name = "caseSensitive", .kind = KIND_BOOL}};
const struct message_type message_in_list_filter = {V1 "Filter.InListFilter",
                                                    FIELDS(in_list_fields)};
static const struct message_field numeric_filter_fields[] = {
    {.name = "operation", .kind = KIND_ENUM, .enumeration = &operation_enum},
    {.name = "value", .kind = KIND_MESSAGE, .message = &numeric_value}};
const struct message_type message_numeric_filter = {V1 "Filter.NumericFilter",
                                                    FIELDS(numeric_filter_fields)};
static const struct message_field between_fields[] = {
    {.name = "fromValue", .kind = KIND_MESSAGE, .message = &numeric_value},
    {.name = "toValue", .kind = KIND_MESSAGE, .message = &numeric_value}};
const struct message_type message_between_filter = {V1 "Filter.BetweenFilter",
                                                    FIELDS(between_fields)};
static const struct message_type empty_filter = {V1 "Filter.EmptyFilter", NULL, 0};
#define ONE_FILTER(field, type)                                                                    \
  {                                                                                                \
    .name = field, .kind = KIND_MESSAGE, .message = &(type), .oneof = "one_filter"                 \
  }
static const struct message_field filter_fields[] = {
    {.name = "fieldName"},
    ONE_FILTER("stringFilter", message_string_filter),
    ONE_FILTER("inListFilter", message_in_list_filter),
    ONE_FILTER("numericFilter", message_numeric_filter),
    ONE_FILTER("betweenFilter", message_between_filter),
    ONE_FILTER("emptyFilter", empty_filter)};
static const struct message_type filter = {V1 "Filter", FIELDS(filter_fields)};

static const struct message_field expression_list_fields[] = {
    {.name = "expressions",
     .kind = KIND_MESSAGE,
     .repeated = true,
     .message = &message_filter_expression}};
static const struct message_type expression_list = {V1 "FilterExpressionList",
                                                    FIELDS(expression_list_fields)};
#define ONE_EXPRESSION(field, type)                                                                \
  {                                                                                                \
    .name = field, .kind = KIND_MESSAGE, .message = &(type), .oneof = "expr"                       \
  }
static const struct message_field filter_expression_fields[] = {
    ONE_EXPRESSION("andGroup", expression_list), ONE_EXPRESSION("orGroup", expression_list),
    ONE_EXPRESSION("notExpression", message_filter_expression), ONE_EXPRESSION("filter", filter)};
const struct message_type message_filter_expression = {V1 "FilterExpression",
                                                       FIELDS(filter_expression_fields)};

static const struct message_field metric_order_fields[] = {{.name = "metricName"}};
static const struct message_type metric_order = {V1 "OrderBy.MetricOrderBy",
                                                 FIELDS(metric_order_fields)};
static const struct message_field dimension_order_fields[] = {
    {.name = "dimensionName"},
    {.name = "orderType", .kind = KIND_ENUM, .enumeration = &order_enum}};
static const struct message_type dimension_order = {V1 "OrderBy.DimensionOrderBy",
                                                    FIELDS(dimension_order_fields)};
static const struct message_field pivot_selection_fields[] = {{.name = "dimensionName"},
                                                              {.name = "dimensionValue"}};
static const struct message_type pivot_selection = {V1 "OrderBy.PivotOrderBy.PivotSelection",
                                                    FIELDS(pivot_selection_fields)};
static const struct message_field pivot_order_fields[] = {{.name = "metricName"},
                                                          {.name = "pivotSelections",
                                                           .kind = KIND_MESSAGE,
                                                           .repeated = true,
                                                           .message = &pivot_selection}};
static const struct message_type pivot_order = {V1 "OrderBy.PivotOrderBy",
                                                FIELDS(pivot_order_fields)};
static const struct message_field order_by_fields[] = {
    {.name = "metric", .kind = KIND_MESSAGE, .message = &metric_order, .oneof = "one_order_by"},
    {.name = "dimension",
     .kind = KIND_MESSAGE,
     .message = &dimension_order,
     .oneof = "one_order_by"},
    {.name = "pivot", .kind = KIND_MESSAGE, .message = &pivot_order, .oneof = "one_order_by"},
    {.name = "desc", .kind = KIND_BOOL}};
static const struct message_type order_by = {V1 "OrderBy", FIELDS(order_by_fields)};

static const struct message_field cohort_fields[] = {
    {.name = "name"},
    {.name = "dimension"},
    {.name = "dateRange", .kind = KIND_MESSAGE, .message = &message_date_range}};
static const struct message_type cohort = {V1 "Cohort", FIELDS(cohort_fields)};
static const struct message_field cohorts_range_fields[] = {
    {.name = "granularity", .kind = KIND_ENUM, .enumeration = &granularity_enum},
    {.name = "startOffset", .kind = KIND_INT32},
    {.name = "endOffset", .kind = KIND_INT32}};
static const struct message_type cohorts_range = {V1 "CohortsRange", FIELDS(cohorts_range_fields)};
static const struct message_field cohort_settings_fields[] = {
    {.name = "accumulate", .kind = KIND_BOOL}};
static const struct message_type cohort_settings = {V1 "CohortReportSettings",
                                                    FIELDS(cohort_settings_fields)};
static const struct message_field cohort_spec_fields[] = {
    {.name = "cohorts", .kind = KIND_MESSAGE, .repeated = true, .message = &cohort},
    {.name = "cohortsRange", .kind = KIND_MESSAGE, .message = &cohorts_range},
    {.name = "cohortReportSettings", .kind = KIND_MESSAGE, .message = &cohort_settings}};
static const struct message_type cohort_spec = {V1 "CohortSpec", FIELDS(cohort_spec_fields)};

static const struct message_field comparison_fields[] = {
    {.name = "name"},
    {.name = "dimensionFilter",
     .kind = KIND_MESSAGE,
     .message = &message_filter_expression,
     .oneof = "one_comparison"},
    {.name = "comparison", .oneof = "one_comparison"}};
static const struct message_type comparison = {V1 "Comparison", FIELDS(comparison_fields)};

/* What runReport of both versions has. */
#define RUN_REPORT_FIELDS                                                                          \
  {.name = "property"},                                                                            \
      {.name = "dimensions",                                                                       \
       .kind = KIND_MESSAGE,                                                                       \
       .repeated = true,                                                                           \
       .message = &message_dimension},                                                             \
      {.name = "metrics", .kind = KIND_MESSAGE, .repeated = true, .message = &metric},             \
      {.name = "dateRanges",                                                                       \
       .kind = KIND_MESSAGE,                                                                       \
       .repeated = true,                                                                           \
       .message = &message_date_range},                                                            \
      {.name = "dimensionFilter", .kind = KIND_MESSAGE, .message = &message_filter_expression},    \
      {.name = "metricFilter", .kind = KIND_MESSAGE, .message = &message_filter_expression},       \
      {.name = "offset", .kind = KIND_INT64}, {.name = "limit", .kind = KIND_INT64},               \
      {.name = "metricAggregations",                                                               \
       .kind = KIND_ENUM,                                                                          \
       .repeated = true,                                                                           \
       .enumeration = &aggregation_enum},                                                          \
      {.name = "orderBys", .kind = KIND_MESSAGE, .repeated = true, .message = &order_by},          \
      {.name = "currencyCode"},                                                                    \
      {.name = "cohortSpec", .kind = KIND_MESSAGE, .message = &cohort_spec},                       \
      {.name = "keepEmptyRows", .kind = KIND_BOOL},                                                \
      {.name = "returnPropertyQuota", .kind = KIND_BOOL},                                          \
  {                                                                                                \
    .name = "comparisons", .kind = KIND_MESSAGE, .repeated = true, .message = &comparison          \
  }

static const struct message_field run_report_fields[] = {RUN_REPORT_FIELDS};
const struct message_type message_run_report_request = {V1 "RunReportRequest",
                                                        FIELDS(run_report_fields)};

#define ALPHA "google.analytics.data.v1alpha."
static const char *const attribution_names[] = {"ATTRIBUTION_MODEL_UNSPECIFIED", "DATA_DRIVEN",
                                                "LAST_CLICK"};
static const struct enum_type attribution = {ALPHA "ConversionSpec.AttributionModel",
                                             attribution_names, ARRAY_LEN(attribution_names)};
static const struct message_field conversion_spec_fields[] = {
    {.name = "conversionActions", .repeated = true},
    {.name = "attributionModel", .kind = KIND_ENUM, .enumeration = &attribution}};
static const struct message_type conversion_spec = {ALPHA "ConversionSpec",
                                                    FIELDS(conversion_spec_fields)};
static const struct message_field run_alpha_report_fields[] = {
    RUN_REPORT_FIELDS,
    {.name = "conversionSpec", .kind = KIND_MESSAGE, .message = &conversion_spec}};
const struct message_type message_run_alpha_report_request = {ALPHA "RunReportRequest",
                                                              FIELDS(run_alpha_report_fields)};

static const struct message_field batch_fields[] = {{.name = "property"},
                                                    {.name = "requests",
                                                     .kind = KIND_MESSAGE,
                                                     .repeated = true,
                                                     .message = &message_run_report_request}};
const struct message_type message_batch_run_reports_request = {V1 "BatchRunReportsRequest",
                                                               FIELDS(batch_fields)};

/* What pivot reports share with runReport, in the order of the proto. */
static const struct message_field pivot_fields[] = {
    {.name = "fieldNames", .repeated = true},
    {.name = "orderBys", .kind = KIND_MESSAGE, .repeated = true, .message = &order_by},
    {.name = "offset", .kind = KIND_INT64},
    {.name = "limit", .kind = KIND_INT64},
    {.name = "metricAggregations",
     .kind = KIND_ENUM,
     .repeated = true,
     .enumeration = &aggregation_enum}};
static const struct message_type pivot = {V1 "Pivot", FIELDS(pivot_fields)};

static const struct message_field run_pivot_report_fields[] = {
    {.name = "property"},
    {.name = "dimensions", .kind = KIND_MESSAGE, .repeated = true, .message = &message_dimension},
    {.name = "metrics", .kind = KIND_MESSAGE, .repeated = true, .message = &metric},
    {.name = "dateRanges", .kind = KIND_MESSAGE, .repeated = true, .message = &message_date_range},
    {.name = "pivots", .kind = KIND_MESSAGE, .repeated = true, .message = &pivot},
    {.name = "dimensionFilter", .kind = KIND_MESSAGE, .message = &message_filter_expression},
    {.name = "metricFilter", .kind = KIND_MESSAGE, .message = &message_filter_expression},
    {.name = "currencyCode"},
    {.name = "cohortSpec", .kind = KIND_MESSAGE, .message = &cohort_spec},
    {.name = "keepEmptyRows", .kind = KIND_BOOL},
    {.name = "returnPropertyQuota", .kind = KIND_BOOL},
    {.name = "comparisons", .kind = KIND_MESSAGE, .repeated = true, .message = &comparison}};
const struct message_type message_run_pivot_report_request = {V1 "RunPivotReportRequest",
                                                              FIELDS(run_pivot_report_fields)};

static const struct message_field batch_pivot_fields[] = {
    {.name = "property"},
    {.name = "requests",
     .kind = KIND_MESSAGE,
     .repeated = true,
     .message = &message_run_pivot_report_request}};
const struct message_type message_batch_run_pivot_reports_request = {
    V1 "BatchRunPivotReportsRequest", FIELDS(batch_pivot_fields)};

static const char *const compatibility_names[] = {"COMPATIBILITY_UNSPECIFIED", "COMPATIBLE",
                                                  "INCOMPATIBLE"};
static const struct enum_type compatibility_enum = {V1 "Compatibility", compatibility_names,
                                                    ARRAY_LEN(compatibility_names)};
static const struct message_field check_compatibility_fields[] = {
    {.name = "property"},
    {.name = "dimensions", .kind = KIND_MESSAGE, .repeated = true, .message = &message_dimension},
    {.name = "metrics", .kind = KIND_MESSAGE, .repeated = true, .message = &metric},
    {.name = "dimensionFilter", .kind = KIND_MESSAGE, .message = &message_filter_expression},
    {.name = "metricFilter", .kind = KIND_MESSAGE, .message = &message_filter_expression},
    {.name = "compatibilityFilter", .kind = KIND_ENUM, .enumeration = &compatibility_enum}};
const struct message_type message_check_compatibility_request = {
    V1 "CheckCompatibilityRequest", FIELDS(check_compatibility_fields)};

static const struct message_field minute_range_fields[] = {
    {.name = "name"},
    {.name = "startMinutesAgo", .kind = KIND_INT32},
    {.name = "endMinutesAgo", .kind = KIND_INT32}};
static const struct message_type minute_range = {V1 "MinuteRange", FIELDS(minute_range_fields)};
static const struct message_field run_realtime_report_fields[] = {
    {.name = "property"},
    {.name = "dimensions", .kind = KIND_MESSAGE, .repeated = true, .message = &message_dimension},
    {.name = "metrics", .kind = KIND_MESSAGE, .repeated = true, .message = &metric},
    {.name = "dimensionFilter", .kind = KIND_MESSAGE, .message = &message_filter_expression},
    {.name = "metricFilter", .kind = KIND_MESSAGE, .message = &message_filter_expression},
    {.name = "limit", .kind = KIND_INT64},
    {.name = "metricAggregations",
     .kind = KIND_ENUM,
     .repeated = true,
     .enumeration = &aggregation_enum},
    {.name = "orderBys", .kind = KIND_MESSAGE, .repeated = true, .message = &order_by},
    {.name = "returnPropertyQuota", .kind = KIND_BOOL},
    {.name = "minuteRanges", .kind = KIND_MESSAGE, .repeated = true, .message = &minute_range}};
const struct message_type message_run_realtime_report_request = {
    V1 "RunRealtimeReportRequest", FIELDS(run_realtime_report_fields)};

const char *metric_type_name(enum metric_type type)
{
  static const char *const names[] = {
      "METRIC_TYPE_UNSPECIFIED", "TYPE_INTEGER", "TYPE_FLOAT", "TYPE_SECONDS",
      "TYPE_MILLISECONDS",       "TYPE_CURRENCY"};
  return names[type];
}

int metric_type_number(enum metric_type type)
{
  /* The published MetricType: TYPE_INTEGER, _FLOAT, _SECONDS, _MILLISECONDS, _CURRENCY. */
  static const int numbers[] = {0, 1, 2, 4, 5, 9};
  return numbers[type];
}
