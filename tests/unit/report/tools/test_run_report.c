/* RunReport through the whole service, between fakes. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/zone.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fakes.h"

typedef Analytics__Report__V1__RunReportRequest tool_request;
typedef Analytics__Report__V1__RunReportResponse tool_response;

static const char grant[] = "sealed";

static const struct rpc_client_options *call_options(uint32_t timeout_ms)
{
  static const struct rpc_metadata metadata = {RPC_META_GRANT, grant, sizeof(grant) - 1};
  static struct rpc_client_options options;
  options =
      (struct rpc_client_options){.timeout_ms = timeout_ms, .metadata = &metadata, .n_metadata = 1};
  return &options;
}

static void request_init(tool_request *r, const char *dealer)
{
  static char sessions[] = "sessions", city[] = "city", *metrics[] = {sessions},
              *dimensions[] = {city};
  analytics__report__v1__run_report_request__init(r);
  r->dealer_id = (char *)(uintptr_t)dealer;
  r->n_metrics = r->n_dimensions = 1;
  r->metrics = metrics;
  r->dimensions = dimensions;
}

static tool_response *run(struct fakes *f, const tool_request *r, uint32_t timeout_ms,
                          struct err *e)
{
  ProtobufCMessage *response = NULL;
  *e = (struct err){0};
  rpc_client_call_sync(&response, f->report, &analytics__report__v1__report_service__descriptor,
                       "RunReport", &r->base, call_options(timeout_ms), e);
  return (tool_response *)response;
}

static tool_response *run_dealer(struct fakes *f, const char *dealer, struct err *e)
{
  tool_request r;
  request_init(&r, dealer);
  return run(f, &r, 10000, e);
}

static void response_free(void *message)
{
  if (message != NULL)
    protobuf_c_message_free_unpacked(message, NULL);
}

/* Whether a call of dealer d00 ends with this error. */
static bool fails(struct fakes *f, enum err_code code, const char *reason)
{
  struct err e;
  tool_response *response = run_dealer(f, "d00", &e);
  bool ok = response == NULL && e.code == code && strcmp(e.reason, reason) == 0;
  if (!ok)
    printf("\n    got %s, %s: %s\n", err_code_name(e.code), e.reason, e.message);
  response_free(response);
  return ok;
}

static bool succeeds(struct fakes *f, size_t rows)
{
  struct err e;
  tool_request request;
  request_init(&request, "d00");
  request.limit = 1000;
  tool_response *response = run(f, &request, 10000, &e);
  bool ok = response != NULL && response->n_rows == rows;
  if (!ok)
    printf("\n    got %s, %s: %s\n", err_code_name(e.code), e.reason, e.message);
  response_free(response);
  return ok;
}

/* ------------------------------------------------------------------ tests */

static void answer_has_rows_headers_metadata_and_dealer(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.rows = 3);
  tool_response *r = run_dealer(&f, "d07", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->dealer_id, "d07");
  CU_ASSERT_STRING_EQUAL(r->dealer_name, "Dealer 7");
  CU_ASSERT_STRING_EQUAL(r->property, "properties/107");
  CU_ASSERT_EQUAL_FATAL(r->n_rows, 3);
  CU_ASSERT_STRING_EQUAL(r->rows[2]->dimension_values[0]->value, "city 2 ");
  CU_ASSERT_STRING_EQUAL(r->rows[2]->metric_values[0]->value, "2");
  CU_ASSERT_STRING_EQUAL(r->dimension_headers[0]->name, "city");
  CU_ASSERT_STRING_EQUAL(r->metadata->time_zone, "America/New_York");
  CU_ASSERT(r->metadata->data_loss_from_other_row);
  CU_ASSERT_EQUAL(r->row_count, 3);
  CU_ASSERT_EQUAL(r->next_offset, 0);
  CU_ASSERT_EQUAL(strncmp(r->headline, "3 rows of sessions by city for Dealer 7 (d07), ", 47), 0);
  CU_ASSERT_EQUAL(r->period->days, 28);
  CU_ASSERT_STRING_EQUAL(r->period->time_zones[0], "America/New_York");
  CU_ASSERT(strcmp(r->period->complete_through, r->period->end_date) < 0);
  CU_ASSERT_EQUAL_FATAL(r->n_caveats, 2);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->caveats[0], "\"(other)\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(r->caveats[1], r->period->complete_through));
  CU_ASSERT_EQUAL(f.grants_seen, 1);
  LOCKED(&f, CU_ASSERT_STRING_EQUAL(f.last_quota_project, "billing"));
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(strstr(f.last_body, "\"limit\":\"100\"")));
  response_free(r);
  fakes_stop(&f);
}

/* Nothing is computed here, so a value is shown as it came, number or not. */
static void values_are_shown_as_google_gave_them(void)
{
  static const char *const odd[] = {"NaN", "(not set)", "", "1e999", "-0", "1,234"};
  struct fakes f;
  fakes_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
    struct err e;
    AUTO_FREE char *json = xasprintf("\"%s\"", odd[i]);
    LOCKED(&f, f.google = (struct google_plan){.rows = 3, .odd_value = json});
    tool_response *r = run_dealer(&f, "d07", &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    CU_ASSERT_STRING_EQUAL(r->rows[2]->metric_values[0]->value, odd[i]);
    LOCKED(&f, f.google.odd_value = NULL);
    response_free(r);
  }
  fakes_stop(&f);
}

static void an_empty_report_is_a_good_answer(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  CU_ASSERT(succeeds(&f, 0));
  fakes_stop(&f);
}

static void next_offset_leads_through_all_rows(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.rows = 25);
  request_init(&request, "d00");
  request.limit = 10;
  int pages = 0;
  size_t rows = 0;
  do {
    tool_response *r = run(&f, &request, 10000, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    rows += r->n_rows;
    request.offset = r->next_offset;
    pages++;
    response_free(r);
  } while (request.offset != 0 && pages < 10);
  CU_ASSERT_EQUAL(pages, 3);
  CU_ASSERT_EQUAL(rows, 25);
  fakes_stop(&f);
}

static void a_refused_token_is_renewed_once(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.rows = 2);
  LOCKED(&f, f.google.token = "token-1");
  LOCKED(&f, f.renews = true);
  CU_ASSERT(succeeds(&f, 2));
  CU_ASSERT_EQUAL(f.renewals, 1);
  CU_ASSERT_EQUAL(f.requests, 2);
  LOCKED(&f, f.renews = false);
  LOCKED(&f, f.google.token = "token-9");
  CU_ASSERT(fails(&f, ERR_FAILED_PRECONDITION, "unauthenticated"));
  CU_ASSERT_EQUAL(f.renewals, 2);
  CU_ASSERT_EQUAL(f.requests, 4);
  fakes_stop(&f);
}

static void server_errors_are_tried_three_times(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){
                 .rows = 1, .fail_status = 503, .fail_times = 2, .fail_body = "<html>busy</html>"});
  CU_ASSERT(succeeds(&f, 1));
  CU_ASSERT_EQUAL(f.requests, 3);
  LOCKED(&f, f.google.fail_times = 9);
  CU_ASSERT(fails(&f, ERR_UNAVAILABLE, "unavailable"));
  CU_ASSERT_EQUAL(f.requests, 6);
  fakes_stop(&f);
}

static void the_same_request_failing_twice_with_500_is_one_google_cannot_answer(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){
                 .rows = 1, .fail_status = 500, .fail_times = 1, .fail_body = ""});
  CU_ASSERT(succeeds(&f, 1));
  CU_ASSERT_EQUAL(f.requests, 2);
  LOCKED(&f, f.google.fail_times = 9);
  CU_ASSERT(fails(&f, ERR_FAILED_PRECONDITION, "unanswerable"));
  CU_ASSERT_EQUAL(f.requests, 4);
  fakes_stop(&f);
}

static void server_errors_within_the_hour_hold_back_the_property_alone(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, &(struct fakes_options){.server_errors = 6});
  LOCKED(&f, f.google = (struct google_plan){.rows = 1,
                                             .fail_property = "100",
                                             .fail_status = 503,
                                             .fail_times = 100,
                                             .fail_body = ""});
  CU_ASSERT(fails(&f, ERR_UNAVAILABLE, "unavailable"));
  CU_ASSERT(fails(&f, ERR_UNAVAILABLE, "unavailable"));
  CU_ASSERT_EQUAL(f.requests, 6);
  CU_ASSERT(fails(&f, ERR_UNAVAILABLE, "server_errors"));
  CU_ASSERT_EQUAL(f.requests, 6);
  tool_response *r = run_dealer(&f, "d01", &e);
  CU_ASSERT_PTR_NOT_NULL(r);
  response_free(r);
  fakes_stop(&f);
}

static void quota_that_is_gone_is_not_asked_for_again(void)
{
  struct fakes f;
  fakes_start(&f, &(struct fakes_options){.quota_probe_ms = 60000});
  LOCKED(&f, f.google = (struct google_plan){
                 .rows = 1,
                 .fail_status = 429,
                 .fail_times = 1,
                 .fail_body = "{\"error\":{\"message\":\"Exhausted property tokens per hour\"}}"});
  CU_ASSERT(fails(&f, ERR_RESOURCE_EXHAUSTED, "quota_exhausted"));
  CU_ASSERT(fails(&f, ERR_RESOURCE_EXHAUSTED, "quota_exhausted"));
  CU_ASSERT_EQUAL(f.requests, 1);
  fakes_stop(&f);
}

static void a_token_endpoint_that_fails_once_is_tried_again_once(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.rows = 1);
  LOCKED(&f, f.token_failures = 1);
  CU_ASSERT(succeeds(&f, 1));
  CU_ASSERT_EQUAL(f.token_calls, 2);
  LOCKED(&f, f.token_failures = 5);
  CU_ASSERT(fails(&f, ERR_UNAVAILABLE, "token_endpoint_unavailable"));
  CU_ASSERT_EQUAL(f.token_calls, 4);
  fakes_stop(&f);
}

static void too_many_at_once_is_tried_again_and_hourly_quota_is_not(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  LOCKED(&f,
         f.google = (struct google_plan){
             .rows = 1,
             .fail_status = 429,
             .fail_times = 5,
             .fail_body = "{\"error\":{\"message\":\"Exhausted concurrent requests quota.\"}}"});
  CU_ASSERT(succeeds(&f, 1));
  CU_ASSERT_EQUAL(f.requests, 6);
  LOCKED(&f, f.google.fail_times = 6);
  CU_ASSERT(fails(&f, ERR_RESOURCE_EXHAUSTED, "quota_exhausted"));
  CU_ASSERT_EQUAL(f.requests, 12);
  LOCKED(&f, f.google.fail_times = 1);
  LOCKED(&f,
         f.google.fail_body = "{\"error\":{\"message\":\"Exhausted property tokens per hour\"}}");
  CU_ASSERT(fails(&f, ERR_RESOURCE_EXHAUSTED, "quota_exhausted"));
  CU_ASSERT_EQUAL(f.requests, 13);
  fakes_stop(&f);
}

static void googles_refusals_are_passed_on_at_once(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){
                 .fail_status = 403,
                 .fail_times = 1,
                 .fail_body =
                     "{\"error\":{\"message\":\"User does not have sufficient permissions\"}}"});
  struct err e;
  CU_ASSERT_PTR_NULL(run_dealer(&f, "d00", &e));
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_STRING_EQUAL(e.reason, "permission_denied");
  CU_ASSERT_EQUAL(strncmp(e.message, "dealer \"d00\" ", 13), 0); /* whose failure it is */
  LOCKED(&f, f.google.fail_status = 400);
  LOCKED(&f, f.google.fail_times = 1);
  LOCKED(&f, f.google.fail_body =
                 "{\"error\":{\"message\":\"Field x is not a valid metric.  For a list\"}}");
  CU_ASSERT_PTR_NULL(run_dealer(&f, "d00", &e));
  CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message, "Field x is not a valid metric.  For a list");
  CU_ASSERT_EQUAL(f.requests, 2);
  fakes_stop(&f);
}

static void a_cut_answer_is_tried_again(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 1000, .cut_times = 1});
  CU_ASSERT(succeeds(&f, 1000));
  CU_ASSERT_EQUAL(f.requests, 2);
  fakes_stop(&f);
}

static void a_slow_google_ends_as_timeout_within_the_deadline(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  fakes_start(&f, &(struct fakes_options){.timeout_ms = 100});
  LOCKED(&f, f.google.delay_ms = 60000);
  CU_ASSERT(fails(&f, ERR_DEADLINE_EXCEEDED, "timeout"));
  CU_ASSERT_EQUAL(f.requests, 1);
  request_init(&request, "d00");
  int64_t start = clock_mono_ms();
  CU_ASSERT_PTR_NULL(run(&f, &request, 300, &e));
  CU_ASSERT_EQUAL(e.code, ERR_DEADLINE_EXCEEDED);
  CU_ASSERT(clock_mono_ms() - start < 30000);
  fakes_stop(&f);
}

/* Nobody has said yet how the dealer is called. */
static void a_slow_token_ends_as_timeout_that_names_whose(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  fakes_start(&f, &(struct fakes_options){.deadline_ms = 200});
  LOCKED(&f, f.token_delay_ms = 60000);
  request_init(&request, "d00");
  CU_ASSERT_PTR_NULL(run(&f, &request, 20000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_DEADLINE_EXCEEDED);
  CU_ASSERT_STRING_EQUAL(e.reason, "timeout");
  CU_ASSERT_STRING_EQUAL(e.message,
                         "dealer \"d00\": no access token came in time from auth-svc, or from "
                         "Google's token endpoint behind it; try again in a minute");
  CU_ASSERT_EQUAL(f.requests, 0);
  fakes_stop(&f);
}

static void auth_errors_pass_through_with_the_remedy(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  CU_ASSERT_PTR_NULL(run_dealer(&f, "revoked", &e));
  CU_ASSERT_EQUAL(e.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "invalid_grant");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "dealer must re-consent"));
  CU_ASSERT_PTR_NULL(run_dealer(&f, "stranger", &e));
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_EQUAL(f.requests, 0);
  fakes_stop(&f);
}

static void an_absent_auth_svc_is_named(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  fakes_start(&f, NULL);
  rpc_server_stop(f.auth_server);
  f.auth_server = NULL;
  request_init(&request, "d00");
  CU_ASSERT_PTR_NULL(run(&f, &request, 1500, &e));
  CU_ASSERT(e.code == ERR_UNAVAILABLE || e.code == ERR_DEADLINE_EXCEEDED);
  if (strstr(e.message, "auth-svc") == NULL)
    printf("\n    %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "auth-svc"));
  fakes_stop(&f);
}

static void property_must_be_the_dealers(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  static char own[] = "properties/905", strange[] = "777", malformed[] = "abc", by_id[] = "105";
  static char none[] = "";
  fakes_start(&f, NULL);
  f.several_properties = true;
  request_init(&request, "d05");
  request.property_id = own;
  tool_response *r = run(&f, &request, 10000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->property, "properties/905");
  response_free(r);
  request.property_id = strange;
  CU_ASSERT_PTR_NULL(run(&f, &request, 10000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "105, 905"));
  request.property_id = malformed;
  CU_ASSERT_PTR_NULL(run(&f, &request, 10000, &e));
  CU_ASSERT_EQUAL(strncmp(e.message, "property_id: ", 13), 0);
  request.dealer_id = none;
  request.property_id = by_id;
  r = run(&f, &request, 10000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r);
  CU_ASSERT_STRING_EQUAL(r->dealer_id, "d05");
  response_free(r);
  fakes_stop(&f);
}

static void an_answer_beyond_the_cap_is_served_in_pages_that_fit(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  size_t rows = 0, pages = 0;
  fakes_start(&f, &(struct fakes_options){.max_answer_bytes = 10000});
  LOCKED(&f, f.google = (struct google_plan){.rows = 1000, .value_bytes = 80});
  request_init(&request, "d00");
  request.limit = 250000;
  do {
    char first[32];
    tool_response *r = run(&f, &request, 10000, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    snprintf(first, sizeof(first), "city %zu ", rows); /* where the page before ended */
    CU_ASSERT_EQUAL(strncmp(r->rows[0]->dimension_values[0]->value, first, strlen(first)), 0);
    CU_ASSERT_EQUAL(r->row_count, 1000);
    CU_ASSERT(protobuf_c_message_get_packed_size(&r->base) < 20000);
    rows += r->n_rows;
    request.offset = r->next_offset;
    response_free(r);
  } while (request.offset != 0 && ++pages < 100);
  CU_ASSERT_EQUAL(rows, 1000);
  CU_ASSERT(pages > 3);
  fakes_stop(&f);
}

static void a_single_row_beyond_the_cap_is_an_error_that_says_so(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, &(struct fakes_options){.max_answer_bytes = 50});
  LOCKED(&f, f.google = (struct google_plan){.rows = 3, .value_bytes = 80});
  CU_ASSERT_PTR_NULL(run_dealer(&f, "d00", &e));
  CU_ASSERT_EQUAL(e.code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, "answer_too_large");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "limit="));
  fakes_stop(&f);
}

/* 37 cities in two ranges, ten a page: 74 rows, each once, the ranges by their days in the order
 * asked. */
static void two_date_ranges_come_in_the_order_asked_and_are_named(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  static char late_start[] = "2026-10-26", late_end[] = "2026-11-22", early_start[] = "2026-09-28",
              early_end[] = "2026-10-25";
  Analytics__Ga4__V1beta__DateRange late = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  Analytics__Ga4__V1beta__DateRange early = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  Analytics__Ga4__V1beta__DateRange *ranges[] = {&late, &early};
  late.start_date = late_start;
  late.end_date = late_end;
  early.start_date = early_start;
  early.end_date = early_end;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 37, .ranges = 2});
  request_init(&request, "d00");
  request.n_date_ranges = 2;
  request.date_ranges = ranges;
  request.limit = 10;
  size_t rows = 0, pages = 0;
  do {
    tool_response *r = run(&f, &request, 10000, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(r);
    for (size_t i = 0; i < r->n_rows; i++, rows++) {
      char city[32], value[32];
      snprintf(city, sizeof(city), "city %zu ", rows / 2);
      snprintf(value, sizeof(value), "%zu", rows / 2 + 1000 * (rows % 2));
      CU_ASSERT_STRING_EQUAL(r->rows[i]->dimension_values[0]->value, city);
      CU_ASSERT_STRING_EQUAL(r->rows[i]->metric_values[0]->value, value);
      CU_ASSERT_STRING_EQUAL(r->rows[i]->dimension_values[1]->value,
                             rows % 2 == 0 ? "2026-10-26 to 2026-11-22"
                                           : "2026-09-28 to 2026-10-25");
    }
    if (pages == 0)
      CU_ASSERT_STRING_EQUAL(r->headline, "20 rows of sessions by city for Dealer 0 (d00), 26 Oct "
                                          "to 22 Nov 2026 and 28 Sep to 25 Oct 2026");
    request.offset = r->next_offset;
    response_free(r);
  } while (request.offset != 0 && ++pages < 10);
  CU_ASSERT_EQUAL(rows, 74);
  fakes_stop(&f);
}

static void a_repeated_request_is_answered_from_the_cache_after_the_grant_was_checked(void)
{
  struct fakes f;
  struct err e;
  tool_request request;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 20});
  LOCKED(&f, f.google.rows = 5);
  CU_ASSERT(succeeds(&f, 5));
  CU_ASSERT(succeeds(&f, 5));
  CU_ASSERT_EQUAL(f.requests, 1);
  CU_ASSERT_EQUAL(f.token_calls, 2);
  request_init(&request, "d00");
  request.limit = 3;
  response_free(run(&f, &request, 10000, &e));
  CU_ASSERT_EQUAL(f.requests, 2);
  tool_response *other = run_dealer(&f, "d01", &e);
  CU_ASSERT_STRING_EQUAL(other->dealer_id, "d01");
  CU_ASSERT_EQUAL(f.requests, 3);
  response_free(other);
  request.return_property_quota = true;
  response_free(run(&f, &request, 10000, &e));
  response_free(run(&f, &request, 10000, &e));
  CU_ASSERT_EQUAL(f.requests, 5);
  fakes_stop(&f);
}

/* The day before today in New York, where the fake's properties are. */
static void yesterday_text(char out[16])
{
  struct tm day;
  time_t now = time(NULL);
  int32_t offset_s = 0;
  CU_ASSERT(zone_offset("America/New_York", now, &offset_s));
  now += offset_s - 86400;
  gmtime_r(&now, &day);
  strftime(out, 16, "%Y-%m-%d", &day);
}

static void relative_dates_and_the_days_they_stand_for_are_one_question(void)
{
  struct fakes f;
  struct err e;
  static char word[] = "yesterday", ago[] = "1daysAgo", today[] = "today";
  char day[16];
  char *const forms[] = {word, ago, day};
  yesterday_text(day);
  tool_request request;
  Analytics__Ga4__V1beta__DateRange range = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT,
                                    *ranges[] = {&range};
  request_init(&request, "d00");
  request.n_date_ranges = 1;
  request.date_ranges = ranges;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 20});
  LOCKED(&f, f.google.rows = 2);
  for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
    range.start_date = range.end_date = forms[i];
    response_free(run(&f, &request, 10000, &e));
    CU_ASSERT_EQUAL(f.requests, 1);
  }
  range.end_date = today;
  response_free(run(&f, &request, 10000, &e));
  CU_ASSERT_EQUAL(f.requests, 2);
  request.dealer_id = (char *)(uintptr_t) "d01"; /* whose zone is not known yet */
  response_free(run(&f, &request, 10000, &e));
  CU_ASSERT_EQUAL(f.requests, 3);
  fakes_stop(&f);
}

static void errors_are_not_cached(void)
{
  struct fakes f;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 20});
  LOCKED(&f, f.google = (struct google_plan){
                 .rows = 1, .fail_status = 400, .fail_times = 1, .fail_body = "{\"error\":{}}"});
  CU_ASSERT(fails(&f, ERR_INVALID_ARGUMENT, "invalid_argument"));
  CU_ASSERT(succeeds(&f, 1));
  fakes_stop(&f);
}

/* ------------------------------------------------------------------ many at once, cancel */

struct pending {
  atomic_int *left;
  enum err_code code;
};

static bool on_message(void *user, const ProtobufCMessage *message)
{
  (void)user;
  (void)message;
  return true;
}

static void on_done(void *user, const struct err *status)
{
  struct pending *p = user;
  p->code = status->code;
  atomic_fetch_sub(p->left, 1);
}

static const struct rpc_client_callbacks callbacks = {on_message, on_done};

static bool wait_for(const atomic_int *value, int expected)
{
  for (int i = 0; i < 1000; i++) {
    if (atomic_load(value) == expected)
      return true;
    usleep(10000);
  }
  return false;
}

static void never_more_than_ten_at_once_per_property(void)
{
  enum { CALLS = 40 };
  struct fakes f;
  struct pending pending[CALLS];
  tool_request request;
  struct err e;
  atomic_int left = CALLS;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 30});
  request_init(&request, "d00");
  for (int i = 0; i < CALLS; i++) {
    pending[i] = (struct pending){&left, ERR_UNKNOWN};
    request.limit = i + 1; /* equal ones would share an answer */
    CU_ASSERT_EQUAL(rpc_client_start(NULL, f.report,
                                     &analytics__report__v1__report_service__descriptor,
                                     "RunReport", RPC_UNARY, &request.base, call_options(10000),
                                     &callbacks, &pending[i], &e),
                    ERR_OK);
  }
  CU_ASSERT(wait_for(&left, 0));
  for (int i = 0; i < CALLS; i++)
    CU_ASSERT_EQUAL(pending[i].code, ERR_OK);
  CU_ASSERT_EQUAL(f.requests, CALLS);
  CU_ASSERT(f.worst_active <= 10);
  CU_ASSERT(f.worst_active >= 5);
  fakes_stop(&f);
}

static void cancelled_calls_free_their_places(void)
{
  enum { CALLS = 30 };
  struct fakes f;
  struct pending pending[CALLS];
  struct rpc_client_call *calls[CALLS];
  tool_request request;
  struct err e;
  atomic_int left = CALLS;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 60000});
  request_init(&request, "d00");
  for (int i = 0; i < CALLS; i++) {
    pending[i] = (struct pending){&left, ERR_UNKNOWN};
    request.limit = i + 1; /* equal ones would share an answer */
    rpc_client_start(&calls[i], f.report, &analytics__report__v1__report_service__descriptor,
                     "RunReport", RPC_UNARY, &request.base, call_options(10000), &callbacks,
                     &pending[i], &e);
  }
  CU_ASSERT(wait_for(&f.requests, 10));
  for (int i = 0; i < CALLS; i++) {
    rpc_client_cancel(calls[i]);
    rpc_client_release(calls[i]);
  }
  CU_ASSERT(wait_for(&left, 0));
  struct governor *governor = google_governor(f.service.google);
  for (int i = 0; i < 200 && governor_active(governor) + governor_waiting(governor) > 0; i++)
    usleep(10000);
  CU_ASSERT_EQUAL(governor_active(governor), 0);
  CU_ASSERT_EQUAL(governor_waiting(governor), 0);
  CU_ASSERT(f.requests < CALLS);
  fakes_stop(&f);
}

/* The n calls of one question, at once. */
static void ask_at_once(struct fakes *f, struct pending *pending, struct rpc_client_call **calls,
                        int n, atomic_int *left)
{
  tool_request request;
  struct err e;
  request_init(&request, "d00");
  for (int i = 0; i < n; i++) {
    pending[i] = (struct pending){left, ERR_UNKNOWN};
    rpc_client_start(&calls[i], f->report, &analytics__report__v1__report_service__descriptor,
                     "RunReport", RPC_UNARY, &request.base, call_options(10000), &callbacks,
                     &pending[i], &e);
  }
}

static void equal_questions_at_the_same_time_are_one_request(void)
{
  enum { CALLS = 20 };
  struct fakes f;
  struct pending pending[CALLS];
  struct rpc_client_call *calls[CALLS];
  atomic_int left = CALLS;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 20});
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 60000});
  ask_at_once(&f, pending, calls, CALLS, &left);
  CU_ASSERT(wait_for(&f.requests, 1) && wait_for(&f.token_calls, CALLS));
  fakes_release(&f);
  CU_ASSERT(wait_for(&left, 0));
  for (int i = 0; i < CALLS; i++) {
    CU_ASSERT_EQUAL(pending[i].code, ERR_OK);
    rpc_client_release(calls[i]);
  }
  CU_ASSERT_EQUAL(f.requests, 1);
  CU_ASSERT_EQUAL(f.token_calls, CALLS); /* each grant was checked */
  fakes_stop(&f);
}

/* Google answers at once, so that questions meet one that just ends. */
static void a_question_is_asked_of_google_once_however_its_equals_come_in(void)
{
  enum { CALLS = 16, ROUNDS = 60 };
  struct fakes f;
  struct pending pending[CALLS];
  struct rpc_client_call *calls[CALLS];
  tool_request request;
  struct err e;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 20});
  LOCKED(&f, f.google = (struct google_plan){.rows = 1});
  for (int round = 0; round < ROUNDS; round++) {
    atomic_int left = CALLS;
    char dealer[16]; /* another each time, whose zone is not known yet */
    snprintf(dealer, sizeof(dealer), "d%02d", round);
    request_init(&request, dealer);
    for (int i = 0; i < CALLS; i++) {
      pending[i] = (struct pending){&left, ERR_UNKNOWN};
      rpc_client_start(&calls[i], f.report, &analytics__report__v1__report_service__descriptor,
                       "RunReport", RPC_UNARY, &request.base, call_options(10000), &callbacks,
                       &pending[i], &e);
    }
    CU_ASSERT(wait_for(&left, 0));
    for (int i = 0; i < CALLS; i++) {
      CU_ASSERT_EQUAL(pending[i].code, ERR_OK);
      rpc_client_release(calls[i]);
    }
  }
  CU_ASSERT_EQUAL(f.requests, ROUNDS);
  fakes_stop(&f);
}

static void when_the_first_of_equal_questions_goes_away_another_asks(void)
{
  enum { CALLS = 8 };
  struct fakes f;
  struct pending pending[CALLS];
  struct rpc_client_call *calls[CALLS];
  atomic_int left = CALLS;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 20});
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 500});
  ask_at_once(&f, pending, calls, CALLS, &left);
  CU_ASSERT(wait_for(&f.requests, 1) && wait_for(&f.token_calls, CALLS));
  for (int i = 0; i < CALLS - 1; i++) /* the leader is among them, or else is the last */
    rpc_client_cancel(calls[i]);
  CU_ASSERT(wait_for(&left, 0));
  CU_ASSERT_EQUAL(pending[CALLS - 1].code, ERR_OK);
  CU_ASSERT(f.requests <= CALLS);
  for (int i = 0; i < CALLS; i++)
    rpc_client_release(calls[i]);
  fakes_stop(&f);
}

static bool has_caveat(const tool_response *r, const char *part)
{
  for (size_t i = 0; r != NULL && i < r->n_caveats; i++)
    if (strstr(r->caveats[i], part) != NULL)
      return true;
  return false;
}

/* What is said of a report of d00 without rows over such days. */
static bool says_of_days(struct fakes *f, const char *start, const char *end, const char *part)
{
  struct err e;
  tool_request r;
  Analytics__Ga4__V1beta__DateRange range = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  Analytics__Ga4__V1beta__DateRange *ranges[] = {&range};
  range.start_date = (char *)(uintptr_t)start;
  range.end_date = (char *)(uintptr_t)end;
  request_init(&r, "d00");
  r.date_ranges = ranges;
  r.n_date_ranges = 1;
  tool_response *response = run(f, &r, 10000, &e);
  bool says = has_caveat(response, part);
  for (size_t i = 0; response != NULL && !says && i < response->n_caveats; i++)
    printf("\n    %s\n", response->caveats[i]);
  CU_ASSERT_PTR_NOT_NULL(response);
  response_free(response);
  return says;
}

static void days_before_the_first_data_are_said_with_its_day_looked_up_once(void)
{
  struct fakes f;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 20});
  LOCKED(&f, f.google.first_date = "20200302");
  CU_ASSERT(says_of_days(&f, "2016-01-01", "2016-01-31",
                         "before the first data: properties/100 has data from 2020-03-02 on."));
  CU_ASSERT_EQUAL(f.requests, 2);
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(strstr(f.last_body, "\"limit\":\"1\"")));
  CU_ASSERT(says_of_days(&f, "2021-01-01", "2021-01-31", "though properties/100 has data from"));
  CU_ASSERT_EQUAL(f.requests, 3);
  CU_ASSERT(says_of_days(&f, "2999-01-01", "2999-01-31", "None of these days has begun"));
  CU_ASSERT_EQUAL(f.requests, 4);
  fakes_stop(&f);
}

static void a_property_without_any_data_is_said(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  CU_ASSERT(says_of_days(&f, "2016-01-01", "2016-01-31", "properties/100 has no data yet"));
  fakes_stop(&f);
}

static void a_look_up_of_the_first_day_that_fails_leaves_the_answer(void)
{
  struct fakes f;
  struct err e;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.first_date = "not a day");
  CU_ASSERT(says_of_days(&f, "2016-01-01", "2016-01-31", "may lie before"));
  LOCKED(&f, f.google.rows = 3);
  tool_response *some = run_dealer(&f, "d00", &e);
  CU_ASSERT_PTR_NOT_NULL(some);
  CU_ASSERT_FALSE(has_caveat(some, "first data"));
  CU_ASSERT_EQUAL(f.requests, 3); /* of which the report with rows looked nothing up */
  response_free(some);
  fakes_stop(&f);
}

TEST_MAIN(
    "report-svc RunReport", TEST(days_before_the_first_data_are_said_with_its_day_looked_up_once),
    TEST(a_property_without_any_data_is_said),
    TEST(a_look_up_of_the_first_day_that_fails_leaves_the_answer),
    TEST(answer_has_rows_headers_metadata_and_dealer), TEST(values_are_shown_as_google_gave_them),
    TEST(an_empty_report_is_a_good_answer), TEST(next_offset_leads_through_all_rows),
    TEST(a_refused_token_is_renewed_once), TEST(server_errors_are_tried_three_times),
    TEST(the_same_request_failing_twice_with_500_is_one_google_cannot_answer),
    TEST(server_errors_within_the_hour_hold_back_the_property_alone),
    TEST(quota_that_is_gone_is_not_asked_for_again),
    TEST(a_token_endpoint_that_fails_once_is_tried_again_once),
    TEST(too_many_at_once_is_tried_again_and_hourly_quota_is_not),
    TEST(googles_refusals_are_passed_on_at_once), TEST(a_cut_answer_is_tried_again),
    TEST(a_slow_google_ends_as_timeout_within_the_deadline),
    TEST(a_slow_token_ends_as_timeout_that_names_whose),
    TEST(auth_errors_pass_through_with_the_remedy), TEST(an_absent_auth_svc_is_named),
    TEST(property_must_be_the_dealers), TEST(an_answer_beyond_the_cap_is_served_in_pages_that_fit),
    TEST(a_single_row_beyond_the_cap_is_an_error_that_says_so),
    TEST(two_date_ranges_come_in_the_order_asked_and_are_named),
    TEST(a_repeated_request_is_answered_from_the_cache_after_the_grant_was_checked),
    TEST(relative_dates_and_the_days_they_stand_for_are_one_question), TEST(errors_are_not_cached),
    TEST(never_more_than_ten_at_once_per_property), TEST(cancelled_calls_free_their_places),
    TEST(equal_questions_at_the_same_time_are_one_request),
    TEST(a_question_is_asked_of_google_once_however_its_equals_come_in),
    TEST(when_the_first_of_equal_questions_goes_away_another_asks))
