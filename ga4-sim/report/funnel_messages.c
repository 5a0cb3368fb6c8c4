/* Descriptors of RunFunnelReportRequest, after the published proto of v1alpha. */
#include "common/base/mem.h"
#include "ga4-sim/report/alpha.h"

static const struct message_field parameter_filter_fields[] = {
    {.name = "eventParameterName", .oneof = "one_parameter"},
    {.name = "itemParameterName", .oneof = "one_parameter"},
    FOUR_FILTERS};
static const struct message_type parameter_filter = {ALPHA "FunnelParameterFilter",
                                                     FIELDS(parameter_filter_fields)};
static const struct message_type parameter_expression;
static const struct message_field parameter_list_fields[] = {
    PARTS("expressions", parameter_expression)};
static const struct message_type parameter_list = {ALPHA "FunnelParameterFilterExpressionList",
                                                   FIELDS(parameter_list_fields)};
static const struct message_field parameter_expression_fields[] = {
    ONE("andGroup", parameter_list, "expr"), ONE("orGroup", parameter_list, "expr"),
    ONE("notExpression", parameter_expression, "expr"),
    ONE("funnelParameterFilter", parameter_filter, "expr")};
static const struct message_type parameter_expression = {ALPHA "FunnelParameterFilterExpression",
                                                         FIELDS(parameter_expression_fields)};

static const struct message_field event_filter_fields[] = {
    {.name = "eventName"}, PART("funnelParameterFilterExpression", parameter_expression)};
static const struct message_type event_filter = {ALPHA "FunnelEventFilter",
                                                 FIELDS(event_filter_fields)};
static const struct message_field field_filter_fields[] = {{.name = "fieldName"}, FOUR_FILTERS};
static const struct message_type field_filter = {ALPHA "FunnelFieldFilter",
                                                 FIELDS(field_filter_fields)};
static const struct message_type funnel_expression;
static const struct message_field funnel_list_fields[] = {PARTS("expressions", funnel_expression)};
static const struct message_type funnel_list = {ALPHA "FunnelFilterExpressionList",
                                                FIELDS(funnel_list_fields)};
static const struct message_field funnel_expression_fields[] = {
    ONE("andGroup", funnel_list, "expr"), ONE("orGroup", funnel_list, "expr"),
    ONE("notExpression", funnel_expression, "expr"), ONE("funnelFieldFilter", field_filter, "expr"),
    ONE("funnelEventFilter", event_filter, "expr")};
static const struct message_type funnel_expression = {ALPHA "FunnelFilterExpression",
                                                      FIELDS(funnel_expression_fields)};

static const struct message_field step_fields[] = {
    {.name = "name"},
    {.name = "isDirectlyFollowedBy", .kind = KIND_BOOL},
    {.name = "withinDurationFromPriorStep"}, /* a Duration is text in JSON */
    PART("filterExpression", funnel_expression)};
static const struct message_type step = {ALPHA "FunnelStep", FIELDS(step_fields)};
static const struct message_field funnel_fields[] = {{.name = "isOpenFunnel", .kind = KIND_BOOL},
                                                     PARTS("steps", step)};
static const struct message_type funnel = {ALPHA "Funnel", FIELDS(funnel_fields)};
static const struct message_field breakdown_fields[] = {
    PART("breakdownDimension", message_dimension), {.name = "limit", .kind = KIND_INT64}};
static const struct message_type breakdown = {ALPHA "FunnelBreakdown", FIELDS(breakdown_fields)};
static const struct message_field next_action_fields[] = {
    PART("nextActionDimension", message_dimension), {.name = "limit", .kind = KIND_INT64}};
static const struct message_type next_action = {ALPHA "FunnelNextAction",
                                                FIELDS(next_action_fields)};
static const char *const visualization_names[] = {"FUNNEL_VISUALIZATION_TYPE_UNSPECIFIED",
                                                  "STANDARD_FUNNEL", "TRENDED_FUNNEL"};
static const struct enum_type visualization = {ALPHA
                                               "RunFunnelReportRequest.FunnelVisualizationType",
                                               visualization_names, ARRAY_LEN(visualization_names)};
static const struct message_field run_funnel_report_fields[] = {
    {.name = "property"},
    PARTS("dateRanges", message_date_range),
    PART("funnel", funnel),
    PART("funnelBreakdown", breakdown),
    PART("funnelNextAction", next_action),
    {.name = "funnelVisualizationType", .kind = KIND_ENUM, .enumeration = &visualization},
    PARTS("segments", message_segment),
    {.name = "limit", .kind = KIND_INT64},
    PART("dimensionFilter", message_filter_expression),
    {.name = "returnPropertyQuota", .kind = KIND_BOOL}};
const struct message_type message_run_funnel_report_request = {ALPHA "RunFunnelReportRequest",
                                                               FIELDS(run_funnel_report_fields)};
