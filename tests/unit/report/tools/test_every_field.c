/* Every field of Google's requests for reports can be asked for: a call with all of a tool's
 * arguments becomes a body with all fields of Google's message. Both are written by hand, the body
 * after the published protos of v1beta and v1alpha. */
#include <stdio.h>
#include <string.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/tool_run.h"

/* Parts that our arguments and Google's fields write alike, with ' for ". */
#define OUR_FILTERS                                                                                \
  "'dimension_filter':{'and_group':{'expressions':[{'filter':{'field_name':'city','string_filter'" \
  ":{'match_type':'CONTAINS','value':'a','case_sensitive':true}}},{'not_expression':{'filter':{"   \
  "'field_name':'town','in_list_filter':{'values':['x'],'case_sensitive':true}}}},{'or_group':{"   \
  "'expressions':[{'filter':{'field_name':'city','empty_filter':{}}}]}}]}},"                       \
  "'metric_filter':{'or_group':{'expressions':[{'filter':{'field_name':'sessions',"                \
  "'numeric_filter':{'operation':'LESS_THAN','value':{'int64_value':'9'}}}},{'filter':{"           \
  "'field_name':'per','between_filter':{'from_value':{'double_value':0.5},'to_value':{"            \
  "'double_value':1.5}}}}]}},"
#define FILTERS                                                                                    \
  "'dimensionFilter':{'andGroup':{'expressions':[{'filter':{'fieldName':'city','stringFilter':{"   \
  "'matchType':'CONTAINS','value':'a','caseSensitive':true}}},{'notExpression':{'filter':{"        \
  "'fieldName':'town','inListFilter':{'values':['x'],'caseSensitive':true}}}},{'orGroup':{"        \
  "'expressions':[{'filter':{'fieldName':'city','emptyFilter':{}}}]}}]}},"                         \
  "'metricFilter':{'orGroup':{'expressions':[{'filter':{'fieldName':'sessions','numericFilter':{"  \
  "'operation':'LESS_THAN','value':{'int64Value':'9'}}}},{'filter':{'fieldName':'per',"            \
  "'betweenFilter':{'fromValue':{'doubleValue':0.5},'toValue':{'doubleValue':1.5}}}}]}},"
#define OUR_FIELDS                                                                                 \
  "'dealer_id':'d07','dimensions':['town','both'],'metrics':['sessions','per'],"                   \
  "'metric_expressions':[{'name':'sessions','invisible':true},{'name':'per','expression':"         \
  "'eventCount/sessions'}],'dimension_expressions':[{'name':'town','dimension_expression':{"       \
  "'lower_case':{'dimension_name':'city'}}},{'name':'both','dimension_expression':{'concatenate':" \
  "{'dimension_names':['city','region'],'delimiter':'-'}}}],"
#define FIELDS                                                                                     \
  "'dimensions':[{'name':'town','dimensionExpression':{'lowerCase':{'dimensionName':'city'}}},{"   \
  "'name':'both','dimensionExpression':{'concatenate':{'dimensionNames':['city','region'],"        \
  "'delimiter':'-'}}}],'metrics':[{'name':'sessions','invisible':true},{'name':'per',"             \
  "'expression':'eventCount/sessions'}],"
#define OUR_DAYS "'date_ranges':[{'start_date':'2026-10-01','end_date':'2026-10-02','name':'r'}],"
#define DAYS "'dateRanges':[{'startDate':'2026-10-01','endDate':'2026-10-02','name':'r'}],"
#define OUR_COMPARISONS                                                                            \
  "'comparisons':[{'name':'all','comparison':'comparisons/1'},{'name':'a','dimension_filter':{"    \
  "'filter':{'field_name':'city','string_filter':{'value':'a'}}}}],"
#define COMPARISONS                                                                                \
  "'comparisons':[{'name':'all','comparison':'comparisons/1'},{'name':'a','dimensionFilter':{"     \
  "'filter':{'fieldName':'city','stringFilter':{'value':'a'}}}}],"
#define OUR_COHORTS                                                                                \
  "'cohort_spec':{'cohorts':[{'name':'c','dimension':'firstSessionDate','date_range':{"            \
  "'start_date':'2026-10-01','end_date':'2026-10-02'}}],'cohorts_range':{'granularity':'WEEKLY',"  \
  "'start_offset':1,'end_offset':3},'cohort_report_settings':{'accumulate':true}},"
#define COHORTS                                                                                    \
  "'cohortSpec':{'cohorts':[{'name':'c','dimension':'firstSessionDate','dateRange':{'startDate':"  \
  "'2026-10-01','endDate':'2026-10-02'}}],'cohortsRange':{'granularity':'WEEKLY','startOffset':1," \
  "'endOffset':3},'cohortReportSettings':{'accumulate':true}},"
/* All dimensions of a report are in its order, so that its pages follow each other. */
#define OUR_ORDER                                                                                  \
  "'order_bys':[{'metric':{'metric_name':'per'},'desc':true},{'dimension':{'dimension_name':"      \
  "'town','order_type':'CASE_INSENSITIVE_ALPHANUMERIC'}},{'dimension':{'dimension_name':"          \
  "'both'}}],"
#define ORDER                                                                                      \
  "'orderBys':[{'metric':{'metricName':'per'},'desc':true},{'dimension':{'dimensionName':'town',"  \
  "'orderType':'CASE_INSENSITIVE_ALPHANUMERIC'}},{'dimension':{'dimensionName':'both'}}],"
#define OUR_PAGE "'limit':'7','offset':'3','currency_code':'EUR','return_property_quota':true,"
#define PAGE "'limit':'7','offset':'3','currencyCode':'EUR','returnPropertyQuota':true,"
#define OUR_FIGURES "'metric_aggregations':['TOTAL','MINIMUM','MAXIMUM']"
#define FIGURES "'metricAggregations':['TOTAL','MINIMUM','MAXIMUM']"

/* One argument of each kind of filter of a parameter. */
#define OUR_STEPS                                                                                  \
  "'funnel_steps':[{'name':'A','event':'a'},{'name':'B','is_directly_followed_by':true,"           \
  "'within_duration_from_prior_step':'90s','filter_expression':{'and_group':{'expressions':[{"     \
  "'funnel_event_filter':{'event_name':'b','funnel_parameter_filter_expression':{'and_group':{"    \
  "'expressions':[{'funnel_parameter_filter':{'event_parameter_name':'p','string_filter':{"        \
  "'value':'x'}}},{'not_expression':{'funnel_parameter_filter':{'item_parameter_name':'i',"        \
  "'numeric_filter':{'operation':'EQUAL','value':{'int64_value':'1'}}}}},{'or_group':{"            \
  "'expressions':[{'funnel_parameter_filter':{'event_parameter_name':'q','in_list_filter':{"       \
  "'values':['y']}}}]}}]}}}},{'not_expression':{'funnel_field_filter':{'field_name':'city',"       \
  "'string_filter':{'value':'z'}}}},{'or_group':{'expressions':[{'funnel_event_filter':{"          \
  "'event_name':'c'}}]}}]}}}],"
#define STEPS                                                                                      \
  "'steps':[{'name':'A','filterExpression':{'funnelEventFilter':{'eventName':'a'}}},{'name':'B',"  \
  "'isDirectlyFollowedBy':true,'withinDurationFromPriorStep':'90s','filterExpression':{"           \
  "'andGroup':{'expressions':[{'funnelEventFilter':{'eventName':'b',"                              \
  "'funnelParameterFilterExpression':{'andGroup':{'expressions':[{'funnelParameterFilter':{"       \
  "'eventParameterName':'p','stringFilter':{'value':'x'}}},{'notExpression':{"                     \
  "'funnelParameterFilter':{'itemParameterName':'i','numericFilter':{'operation':'EQUAL','value':" \
  "{'int64Value':'1'}}}}},{'orGroup':{'expressions':[{'funnelParameterFilter':{"                   \
  "'eventParameterName':'q','inListFilter':{'values':['y']}}}]}}]}}}},{'notExpression':{"          \
  "'funnelFieldFilter':{'fieldName':'city','stringFilter':{'value':'z'}}}},{'orGroup':{"           \
  "'expressions':[{'funnelEventFilter':{'eventName':'c'}}]}}]}}}]"

struct tool_case {
  const char *rpc;
  const ProtobufCMessageDescriptor *type;
  const char *ours, *url, *googles;
};

static const struct tool_case cases[] = {
    {"RunReport", &analytics__report__v1__run_report_request__descriptor,
     "{" OUR_FIELDS OUR_DAYS OUR_FILTERS OUR_ORDER OUR_PAGE OUR_COMPARISONS
     "'keep_empty_rows':true," OUR_FIGURES "}",
     "/v1beta/properties/107:runReport",
     "{" FIELDS DAYS FILTERS ORDER PAGE COMPARISONS "'keepEmptyRows':true," FIGURES "}"},
    {"RunReport", &analytics__report__v1__run_report_request__descriptor,
     "{" OUR_FIELDS OUR_COHORTS OUR_ORDER "'limit':'7'}", "/v1beta/properties/107:runReport",
     "{" FIELDS COHORTS ORDER "'returnPropertyQuota':true,'limit':'7'}"},
    {"BatchRunReports", &analytics__report__v1__batch_run_reports_request__descriptor,
     "{'dealer_id':'d07','requests':[{" OUR_FIELDS OUR_DAYS OUR_FILTERS OUR_ORDER OUR_PAGE
         OUR_COMPARISONS "'keep_empty_rows':true," OUR_FIGURES "}]}",
     "/v1beta/properties/107:batchRunReports",
     "{'requests':[{" FIELDS DAYS FILTERS ORDER PAGE COMPARISONS "'keepEmptyRows':true," FIGURES
     "}]}"},
    {"RunPivotReport", &analytics__report__v1__run_pivot_report_request__descriptor,
     "{" OUR_FIELDS OUR_DAYS OUR_FILTERS OUR_COMPARISONS
     "'currency_code':'EUR','keep_empty_rows':true,'return_property_quota':true,'pivots':[{"
     "'field_names':['town'],'limit':'4','offset':'2','metric_aggregations':['COUNT'],"
     "'order_bys':[{'pivot':{'metric_name':'per','pivot_selections':[{'dimension_name':'both',"
     "'dimension_value':'v'}]},'desc':true}]},{'field_names':['both'],'limit':'5'}]}",
     "/v1beta/properties/107:runPivotReport",
     "{" FIELDS DAYS FILTERS COMPARISONS
     "'currencyCode':'EUR','keepEmptyRows':true,'returnPropertyQuota':true,'pivots':[{"
     "'fieldNames':['town'],'limit':'4','offset':'2','metricAggregations':['COUNT'],'orderBys':[{"
     "'pivot':{'metricName':'per','pivotSelections':[{'dimensionName':'both','dimensionValue':'v'}"
     "]},'desc':true}]},{'fieldNames':['both'],'limit':'5'}]}"},
    {"RunPivotReport", &analytics__report__v1__run_pivot_report_request__descriptor,
     "{" OUR_FIELDS OUR_COHORTS "'pivots':[{'field_names':['town'],'limit':'4'}]}",
     "/v1beta/properties/107:runPivotReport",
     "{" FIELDS COHORTS
     "'returnPropertyQuota':true,'pivots':[{'fieldNames':['town'],'limit':'4'}]}"},
    {"RunRealtimeReport", &analytics__report__v1__run_realtime_report_request__descriptor,
     "{" OUR_FIELDS OUR_FILTERS OUR_ORDER
     "'limit':'7','return_property_quota':true,'minute_ranges':[{'name':'m','start_minutes_ago':9,"
     "'end_minutes_ago':0}]," OUR_FIGURES "}",
     "/v1beta/properties/107:runRealtimeReport",
     "{" FIELDS FILTERS ORDER
     "'limit':'7','returnPropertyQuota':true,'minuteRanges':[{'name':'m','startMinutesAgo':9,"
     "'endMinutesAgo':0}]," FIGURES "}"},
    {"CheckCompatibility", &analytics__report__v1__check_compatibility_request__descriptor,
     "{" OUR_FIELDS OUR_FILTERS "'compatibility_filter':'COMPATIBLE'}",
     "/v1beta/properties/107:checkCompatibility",
     "{" FIELDS FILTERS "'compatibilityFilter':'COMPATIBLE'}"},
    {"RunConversionsReport", &analytics__report__v1__run_conversions_report_request__descriptor,
     "{" OUR_FIELDS OUR_DAYS OUR_FILTERS OUR_ORDER OUR_PAGE OUR_COMPARISONS
     "'keep_empty_rows':true,'conversion_spec':{'conversion_actions':['conversionActions/1'],"
     "'attribution_model':'LAST_CLICK'}," OUR_FIGURES "}",
     "/v1alpha/properties/107:runReport",
     "{" FIELDS DAYS FILTERS ORDER PAGE COMPARISONS
     "'keepEmptyRows':true,'conversionSpec':{'conversionActions':['conversionActions/1'],"
     "'attributionModel':'LAST_CLICK'}," FIGURES "}"},
    {"RunConversionsReport", &analytics__report__v1__run_conversions_report_request__descriptor,
     "{" OUR_FIELDS OUR_COHORTS "'limit':'7'}", "/v1alpha/properties/107:runReport",
     "{" FIELDS COHORTS "'returnPropertyQuota':true,'limit':'7','conversionSpec':{"
     "'attributionModel':'DATA_DRIVEN'}}"},
    {"RunFunnelReport", &analytics__report__v1__run_funnel_report_request__descriptor,
     "{'dealer_id':'d07'," OUR_DAYS OUR_STEPS
     "'is_open_funnel':true,'funnel_breakdown':{'breakdown_dimension':'town','limit':'4'},"
     "'funnel_next_action':{'next_action_dimension':'eventName','limit':'3'},'limit':'9',"
     "'return_property_quota':true,'funnel_visualization_type':'TRENDED_FUNNEL',"
     "'dimension_filter':{'filter':{'field_name':'city','string_filter':{'value':'a'}}},"
     "'dimension_expressions':[{'name':'town','dimension_expression':{'upper_case':{"
     "'dimension_name':'city'}}}],'segments':[{'name':'s','session_segment':{"
     "'session_inclusion_criteria':{'and_condition_groups':[{'segment_filter_expression':{"
     "'segment_filter':{'field_name':'city','string_filter':{'value':'b'}}}}]}}}]}",
     "/v1alpha/properties/107:runFunnelReport",
     "{" DAYS "'funnel':{'isOpenFunnel':true," STEPS
     "},'funnelBreakdown':{'breakdownDimension':{'name':'town','dimensionExpression':{'upperCase':"
     "{'dimensionName':'city'}}},'limit':'4'},'funnelNextAction':{'nextActionDimension':{'name':"
     "'eventName'},'limit':'3'},'limit':'9','returnPropertyQuota':true,"
     "'funnelVisualizationType':'TRENDED_FUNNEL','dimensionFilter':{'filter':{'fieldName':'city',"
     "'stringFilter':{'value':'a'}}},'segments':[{'name':'s','sessionSegment':{"
     "'sessionInclusionCriteria':{'andConditionGroups':[{'segmentFilterExpression':{"
     "'segmentFilter':{'fieldName':'city','stringFilter':{'value':'b'}}}}]}}}]}"},
};

/* Text with " for ', to be freed. */
static char *quoted(const char *text)
{
  char *out = xstrdup(text);
  for (char *p = out; *p != '\0'; p++)
    if (*p == '\'')
      *p = '"';
  return out;
}

static bool same_json(const char *body, const char *expected)
{
  AUTO_FREE char *text = quoted(expected);
  cJSON *a = cJSON_Parse(body), *b = cJSON_Parse(text);
  CU_ASSERT_PTR_NOT_NULL_FATAL(b);
  bool same = cJSON_Compare(a, b, true);
  if (!same)
    printf("\n    asked:    %s\n    expected: %s\n", body, text);
  cJSON_Delete(a);
  cJSON_Delete(b);
  return same;
}

static void asks_for_all(struct fakes *f, const struct tool_case *c)
{
  AUTO_FREE char *text = quoted(c->ours);
  struct arena *arena = arena_new(1 << 20);
  ProtobufCMessage *request = NULL;
  struct err e = {0};
  pbjson_read_text(&request, c->type, text, strlen(text), arena, NULL, &e);
  if (request == NULL)
    printf("\n    %s: %s\n", c->rpc, e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(request);
  tool_free(tool_run(f, c->rpc, request, &e)); /* the fake's answer does not matter */
  if (strncmp(f->last_url, c->url, strlen(c->url)) != 0)
    printf("\n    %s asked %s: %s\n", c->rpc, f->last_url, e.message);
  CU_ASSERT_EQUAL(strncmp(f->last_url, c->url, strlen(c->url)), 0);
  CU_ASSERT(same_json(f->last_body, c->googles));
  f->last_url[0] = '\0';
  arena_free(arena);
}

static void all_fields_of_googles_requests_can_be_asked_for(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    asks_for_all(&f, &cases[i]);
  fakes_stop(&f);
}

/* What cannot be asked is refused before Google is, with the field and the remedy. */
static void definitions_without_a_place_are_refused(void)
{
  static const struct {
    const char *rpc;
    const ProtobufCMessageDescriptor *type;
    const char *ours, *start;
  } refused[] = {
      {"CheckCompatibility", &analytics__report__v1__check_compatibility_request__descriptor,
       "{'dealer_id':'d07','metrics':['x'],'metric_expressions':[{'name':'y','expression':'1'}]}",
       "metric_expressions[0].name: y is not in metrics; name it there, too"},
      {"RunConversionsReport", &analytics__report__v1__run_conversions_report_request__descriptor,
       "{'dealer_id':'d07','metrics':['x'],'metric_expressions':[{'name':'x'}]}",
       "metric_expressions[0].expression: missing"},
      {"RunConversionsReport", &analytics__report__v1__run_conversions_report_request__descriptor,
       "{'dealer_id':'d07','metrics':['x'],'metric_aggregations':['COUNT']}",
       "metric_aggregations[0]: give TOTAL, MINIMUM or MAXIMUM"},
      {"RunConversionsReport", &analytics__report__v1__run_conversions_report_request__descriptor,
       "{'dealer_id':'d07','metrics':['x'],'comparisons':[{'name':'a'}]}", "comparisons[0]: "},
      {"RunConversionsReport", &analytics__report__v1__run_conversions_report_request__descriptor,
       "{'dealer_id':'d07','metrics':['x'],'cohort_spec':{}}", "cohort_spec.cohorts: "},
      {"RunFunnelReport", &analytics__report__v1__run_funnel_report_request__descriptor,
       "{'dealer_id':'d07','funnel_steps':[{'event':'a'}],'dimension_expressions':[{'name':'x'}]}",
       "dimension_expressions[0].name: neither funnel_breakdown nor funnel_next_action is by x"},
  };
  struct fakes f;
  fakes_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
    AUTO_FREE char *text = quoted(refused[i].ours);
    struct arena *arena = arena_new(1 << 20);
    ProtobufCMessage *request = NULL;
    struct err e = {0};
    pbjson_read_text(&request, refused[i].type, text, strlen(text), arena, NULL, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CU_ASSERT_PTR_NULL(tool_run(&f, refused[i].rpc, request, &e));
    if (strncmp(e.message, refused[i].start, strlen(refused[i].start)) != 0)
      printf("\n    got: %s\n", e.message);
    CU_ASSERT_EQUAL(strncmp(e.message, refused[i].start, strlen(refused[i].start)), 0);
    arena_free(arena);
  }
  CU_ASSERT_EQUAL(f.requests, 0);
  fakes_stop(&f);
}

/* A refusal of Google's is about a field of ours, whatever the method. */
static void refusals_name_the_argument_of_every_report(void)
{
  static const struct {
    const char *rpc;
    const ProtobufCMessageDescriptor *type;
  } tools[] = {
      {"RunReport", &analytics__report__v1__run_report_request__descriptor},
      {"RunRealtimeReport", &analytics__report__v1__run_realtime_report_request__descriptor},
      {"CheckCompatibility", &analytics__report__v1__check_compatibility_request__descriptor},
      {"RunConversionsReport", &analytics__report__v1__run_conversions_report_request__descriptor},
  };
  static const char ours[] = "{\"dealer_id\":\"d07\",\"metrics\":[\"per\"],"
                             "\"metric_expressions\":[{\"name\":\"per\",\"expression\":"
                             "\"visits/2\"}]}";
  struct fakes f;
  fakes_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(tools); i++) {
    struct arena *arena = arena_new(1 << 20);
    ProtobufCMessage *request = NULL;
    struct err e = {0};
    LOCKED(&f, f.google.fail_status = 400);
    LOCKED(&f, f.google.fail_times = 1);
    LOCKED(&f, f.google.fail_body =
                   "{\"error\":{\"code\":400,\"status\":\"INVALID_ARGUMENT\",\"message\":"
                   "\"Field visits is not a valid metric.\"}}");
    pbjson_read_text(&request, tools[i].type, ours, strlen(ours), arena, NULL, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CU_ASSERT_PTR_NULL(tool_run(&f, tools[i].rpc, request, &e));
    CU_ASSERT_STRING_EQUAL(e.message,
                           "metric_expressions (per): Field visits is not a valid metric.");
    arena_free(arena);
  }
  fakes_stop(&f);
}

TEST_MAIN("report-svc every field", TEST(all_fields_of_googles_requests_can_be_asked_for),
          TEST(definitions_without_a_place_are_refused),
          TEST(refusals_name_the_argument_of_every_report))
