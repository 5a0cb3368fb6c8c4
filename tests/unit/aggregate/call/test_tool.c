/* The skeleton's pure parts: shared fields by name, envelopes by descriptor, queries, plans. */
#include <string.h>

#include "aggregate-svc/call/envelope.h"
#include "aggregate-svc/call/query.h"
#include "aggregate-svc/call/request.h"
#include "aggregate-svc/call/tool.h"
#include "aggregate-svc/methods.h"
#include "analytics/aggregate/v1/aggregate.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest CompareRequest;
typedef Analytics__Aggregate__V1__CompareDealerSessionsResponse CompareResponse;
typedef Analytics__Aggregate__V1__CompareDealerSessionsResult CompareResult;
typedef Analytics__Aggregate__V1__RunReportAcrossDealersRequest AcrossRequest;
typedef Analytics__Aggregate__V1__RunReportAcrossDealersResult AcrossResult;
typedef Analytics__Ga4__V1beta__DateRange DateRange;

static void every_rpc_of_the_service_has_a_tool(void)
{
  const ProtobufCServiceDescriptor *d = &analytics__aggregate__v1__aggregate_service__descriptor;
  CU_ASSERT_EQUAL(aggregate_n_methods, d->n_methods);
  for (unsigned i = 0; i < d->n_methods; i++) {
    bool found = false;
    for (size_t k = 0; k < aggregate_n_methods; k++)
      found |= strcmp(aggregate_methods[k].name, d->methods[i].name) == 0;
    CU_ASSERT_TRUE(found);
    CU_ASSERT_PTR_EQUAL(envelope_of(d->methods[i].name), d->methods[i].output);
  }
}

static void shared_fields_are_found_by_name(void)
{
  char *ids[] = {(char *)"d01", (char *)"d02"};
  DateRange range = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  CompareRequest r = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
  r.dealer_ids = ids;
  r.n_dealer_ids = 2;
  r.region = (char *)"West";
  r.cohort = (char *)"west";
  r.subject = (char *)"d02";
  r.date_range = &range;
  struct request_fields f = request_read(&r.base);
  CU_ASSERT_PTR_EQUAL(f.dealer_ids, ids);
  CU_ASSERT_EQUAL(f.n_dealer_ids, 2);
  CU_ASSERT_STRING_EQUAL(f.region, "West");
  CU_ASSERT_STRING_EQUAL(f.cohort, "west");
  CU_ASSERT_STRING_EQUAL(f.subject, "d02");
  CU_ASSERT_PTR_EQUAL(f.date_range, &range);
}

static void fields_that_a_request_lacks_are_empty(void)
{
  AcrossRequest r = ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_REQUEST__INIT;
  struct request_fields f = request_read(&r.base); /* no cohort, no subject */
  CU_ASSERT_STRING_EQUAL(f.cohort, "");
  CU_ASSERT_STRING_EQUAL(f.subject, "");
  CU_ASSERT_STRING_EQUAL(f.region, "");
  CU_ASSERT_EQUAL(f.n_dealer_ids, 0);
  CU_ASSERT_PTR_NULL(f.date_range);
  DateRange other = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT; /* has none of them */
  f = request_read(&other.base);
  CU_ASSERT_STRING_EQUAL(f.region, "");
  CU_ASSERT_PTR_NULL(f.dealer_ids);
}

static void the_envelope_holds_progress_or_the_result(void)
{
  struct arena *arena = arena_new(1 << 16);
  Mcp__V1__Progress progress = MCP__V1__PROGRESS__INIT;
  CompareResult result = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESULT__INIT;
  const ProtobufCMessageDescriptor *d = envelope_of("CompareDealerSessions");
  const CompareResponse *r = (const void *)envelope_wrap(d, "progress", &progress.base, arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(r->event_case,
                  ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_PROGRESS);
  CU_ASSERT_PTR_EQUAL(r->progress, &progress);
  r = (const void *)envelope_wrap(d, "result", &result.base, arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_EQUAL(r->event_case,
                  ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESPONSE__EVENT_RESULT);
  CU_ASSERT_PTR_EQUAL(r->result, &result);
  arena_free(arena);
}

static void the_envelope_refuses_what_its_response_cannot_hold(void)
{
  struct arena *arena = arena_new(1 << 16), *full = arena_new(8);
  CompareResult result = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_RESULT__INIT;
  AcrossResult other = ANALYTICS__AGGREGATE__V1__RUN_REPORT_ACROSS_DEALERS_RESULT__INIT;
  const ProtobufCMessageDescriptor *d = envelope_of("CompareDealerSessions");
  CU_ASSERT_PTR_NULL(envelope_of("NoSuchRpc"));
  CU_ASSERT_PTR_NULL(envelope_wrap(d, "result", &other.base, arena));
  CU_ASSERT_PTR_NULL(envelope_wrap(d, "answer", &result.base, arena));
  CU_ASSERT_PTR_NULL(envelope_wrap(d, "result", &result.base, full));
  arena_free(full);
  arena_free(arena);
}

static void one_report_reads_two_periods_with_its_order_and_filter(void)
{
  struct arena *arena = arena_new(1 << 16);
  struct period now, before;
  char *dimensions[] = {(char *)"date"}, *metrics[] = {(char *)"sessions", (char *)"eventCount"};
  char *values[] = {(char *)"Paid Search"};
  period_parse(&now, true, "2026-10-05", "2026-11-01", clock_unix_ms(), NULL);
  period_parse(&before, true, "2026-09-07", "2026-10-04", clock_unix_ms(), NULL);
  struct query_spec spec = {.id = 3,
                            .dimensions = dimensions,
                            .n_dimensions = 1,
                            .metrics = metrics,
                            .n_metrics = 2,
                            .periods = {&now, &before},
                            .n_periods = 2,
                            .dimension_filter =
                                query_in_list("sessionDefaultChannelGroup", values, 1, arena),
                            .largest_first = true};
  Analytics__Report__V1__ReportQuery *q = query_new(&spec, arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(q);
  CU_ASSERT_EQUAL(q->query_id, 3);
  CU_ASSERT_EQUAL_FATAL(q->report->n_date_ranges, 2);
  CU_ASSERT_STRING_EQUAL(q->report->date_ranges[0]->start_date, "2026-10-05");
  CU_ASSERT_STRING_EQUAL(q->report->date_ranges[1]->end_date, "2026-10-04");
  CU_ASSERT_STRING_EQUAL(q->report->dimensions[0]->name, "date");
  CU_ASSERT_STRING_EQUAL(q->report->metrics[1]->name, "eventCount");
  CU_ASSERT_PTR_EQUAL(q->report->dimension_filter, spec.dimension_filter);
  CU_ASSERT_EQUAL_FATAL(q->report->n_order_bys, 1);
  CU_ASSERT_STRING_EQUAL(q->report->order_bys[0]->metric->metric_name, "sessions");
  CU_ASSERT_TRUE(q->report->order_bys[0]->desc);
  arena_free(arena);
  arena = arena_new(100);
  CU_ASSERT_PTR_NULL(query_new(&spec, arena));
  arena_free(arena);
}

static void a_name_that_is_defined_is_sent_as_its_definition(void)
{
  struct arena *arena = arena_new(1 << 16);
  struct period now;
  char *dimensions[] = {(char *)"town", (char *)"date"};
  char *metrics[] = {(char *)"sessions", (char *)"share"};
  Analytics__Ga4__V1beta__Metric share = ANALYTICS__GA4__V1BETA__METRIC__INIT, *made[] = {&share};
  Analytics__Ga4__V1beta__Dimension town = ANALYTICS__GA4__V1BETA__DIMENSION__INIT;
  Analytics__Ga4__V1beta__Dimension *towns[] = {&town};
  share.name = metrics[1];
  share.expression = (char *)"engagedSessions/sessions";
  town.name = dimensions[0];
  period_parse(&now, true, "2026-10-05", "2026-11-01", clock_unix_ms(), NULL);
  struct query_spec spec = {.id = 1,
                            .dimensions = dimensions,
                            .n_dimensions = 2,
                            .metrics = metrics,
                            .n_metrics = 2,
                            .periods = {&now},
                            .n_periods = 1,
                            .definitions = {made, 1, towns, 1}};
  Analytics__Report__V1__ReportQuery *q = query_new(&spec, arena);
  CU_ASSERT_PTR_NOT_NULL_FATAL(q);
  CU_ASSERT_EQUAL_FATAL(q->report->n_metrics, 2);
  CU_ASSERT_STRING_EQUAL(q->report->metrics[0]->name, "sessions");
  CU_ASSERT_STRING_EQUAL(q->report->metrics[0]->expression, "");
  CU_ASSERT_PTR_EQUAL(q->report->metrics[1], &share);
  CU_ASSERT_PTR_EQUAL(q->report->dimensions[0], &town);
  CU_ASSERT_STRING_EQUAL(q->report->dimensions[1]->name, "date");
  arena_free(arena);
}

static void a_plan_takes_five_reports_and_no_more(void)
{
  Analytics__Report__V1__ReportQuery query;
  struct plan p = {.all.n = 0};
  CU_ASSERT_FALSE(tool_plan_add(&p, NULL));
  for (int i = 0; i < QUERY_SET_MAX; i++)
    CU_ASSERT_TRUE(tool_plan_add(&p, &query));
  CU_ASSERT_FALSE(tool_plan_add(&p, &query));
  CU_ASSERT_EQUAL(p.all.n, 5);
}

static void ids_are_checked_by_field(void)
{
  char long_id[700];
  struct err e = {0};
  memset(long_id, 'x', sizeof(long_id) - 1);
  long_id[sizeof(long_id) - 1] = '\0';
  char *ids[] = {(char *)"d01", (char *)""};
  struct request_fields f = {.region = "", .cohort = "", .subject = long_id};
  CU_ASSERT_EQUAL(request_check_fields(&f, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_EQUAL(strstr(e.message, "subject: "), e.message);
  f = (struct request_fields){.region = "", .cohort = long_id, .subject = ""};
  CU_ASSERT_EQUAL(request_check_fields(&f, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_EQUAL(strstr(e.message, "cohort: "), e.message);
  f = (struct request_fields){ids, 2, "", "", "", NULL};
  CU_ASSERT_EQUAL(request_check_fields(&f, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_EQUAL(strstr(e.message, "dealer_ids[1]: "), e.message);
  f = (struct request_fields){ids, 1, "", "", "d01", NULL};
  CU_ASSERT_EQUAL(request_check_fields(&f, &e), ERR_OK);
}

static void limits_have_a_default_and_a_bound(void)
{
  struct err e = {0};
  size_t out = 0;
  CU_ASSERT_EQUAL(request_check_limit("limit", 0, 25, 100, &out, &e), ERR_OK);
  CU_ASSERT_EQUAL(out, 25);
  CU_ASSERT_EQUAL(request_check_limit("limit", 100, 25, 100, &out, &e), ERR_OK);
  CU_ASSERT_EQUAL(out, 100);
  CU_ASSERT_EQUAL(request_check_limit("limit", 101, 25, 100, &out, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message, "limit: 101 is not from 1 to 100");
  CU_ASSERT_EQUAL(request_check_limit("limit", -1, 0, 100, &out, &e), ERR_INVALID_ARGUMENT);
}

TEST_MAIN("aggregate tool", TEST(every_rpc_of_the_service_has_a_tool),
          TEST(shared_fields_are_found_by_name), TEST(fields_that_a_request_lacks_are_empty),
          TEST(the_envelope_holds_progress_or_the_result),
          TEST(the_envelope_refuses_what_its_response_cannot_hold),
          TEST(one_report_reads_two_periods_with_its_order_and_filter),
          TEST(a_name_that_is_defined_is_sent_as_its_definition),
          TEST(a_plan_takes_five_reports_and_no_more), TEST(ids_are_checked_by_field),
          TEST(limits_have_a_default_and_a_bound))
