/* FetchReports through the whole service, between fakes: columns, paging, failing dealers,
 * room in the stream, cancel. */
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fetch_run.h"

static void all_pages_of_all_dealers_arrive_as_columns(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 7});
  LOCKED(&f, f.google.rows = 50);
  fetch_init(&r);
  fetch_start(&r, &f, 20, 2, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  for (size_t i = 0; i < 20; i++)
    CU_ASSERT(fetch_whole(&r, i, 2, 50));
  CU_ASSERT_STRING_EQUAL(r.properties[4], "104");
  CU_ASSERT_EQUAL(f.requests, 20 * 2 * 8);
  CU_ASSERT_EQUAL(f.token_calls, f.grants_seen);
  CU_ASSERT(f.token_calls <= 40);
  fakes_stop(&f);
}

static void a_page_shorter_than_asked_is_not_the_end(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 50, .max_page_rows = 20});
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT(fetch_whole(&r, 0, 1, 50));
  CU_ASSERT_EQUAL(f.requests, 3);
  fakes_stop(&f);
}

static void an_empty_report_is_done_without_chunks(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  fetch_init(&r);
  fetch_start(&r, &f, 3, 2, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.chunks, 0);
  for (size_t i = 0; i < 3; i++)
    CU_ASSERT(fetch_whole(&r, i, 2, 0));
  fakes_stop(&f);
}

static void failing_dealers_are_named_and_the_others_arrive(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){
                 .rows = 30,
                 .fail_property = "103",
                 .fail_status = 403,
                 .fail_times = 1000,
                 .fail_body =
                     "{\"error\":{\"message\":\"User does not have sufficient permissions\"}}"});
  fetch_init(&r);
  snprintf(r.ids[5], sizeof(r.ids[5]), "revoked");
  fetch_start(&r, &f, 10, 2, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  CU_ASSERT_EQUAL(r.codes[3], ERR_PERMISSION_DENIED);
  CU_ASSERT_STRING_EQUAL(r.reasons[3], "permission_denied");
  CU_ASSERT_EQUAL(r.codes[5], ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(r.reasons[5], "invalid_grant");
  CU_ASSERT_PTR_NOT_NULL(strstr(r.messages[5], "re-consent"));
  for (size_t i = 0; i < 10; i++)
    CU_ASSERT(i == 3 || i == 5 || fetch_whole(&r, i, 2, 30));
  fakes_stop(&f);
}

/* Truth of numbers comes first: nothing is computed from a report with such a value. */
static void a_value_that_is_no_number_fails_the_dealer_and_names_the_metric(void)
{
  static const char *const odd[] = {"\"NaN\"",       "\"Infinity\"", "\"-Infinity\"", "\"\"",
                                    "\"(not set)\"", "\"1e999\"",    "\"0x1F\"",      "\"1,234\"",
                                    "\"12 %\"",      "null",         "1e999"};
  struct fakes f;
  fakes_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
    struct fetch_run r;
    LOCKED(&f,
           f.google = (struct google_plan){.rows = 30, .odd_value = odd[i], .odd_property = "101"});
    fetch_init(&r);
    fetch_start(&r, &f, 3, 1, 0, 20000);
    fetch_wait(&r);
    CU_ASSERT_EQUAL(r.status.code, ERR_OK);
    CU_ASSERT_EQUAL(r.codes[1], ERR_DATA_LOSS);
    CU_ASSERT_STRING_EQUAL(r.reasons[1], "invalid_data");
    CU_ASSERT_PTR_NOT_NULL(strstr(r.messages[1], "metric sessions: Google's value \""));
    CU_ASSERT_FALSE(r.reports[1][0].done);
    CU_ASSERT(fetch_whole(&r, 0, 1, 30) && fetch_whole(&r, 2, 1, 30));
  }
  fakes_stop(&f);
}

/* A tenth of the call's time is left for the answer: more on a machine that is slow. */
static void a_dealer_that_is_too_slow_times_out_before_the_call_does(void)
{
  struct fakes f;
  struct fetch_run r = {.status.code = ERR_UNKNOWN};
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 3, .delay_ms = 60000});
  for (uint32_t ms = 700; ms < 20000 && r.status.code != ERR_OK; ms *= 4) {
    fetch_init(&r);
    fetch_start(&r, &f, 2, 1, 0, ms);
    fetch_wait(&r);
  }
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "timeout");
  CU_ASSERT_STRING_EQUAL(r.reasons[1], "timeout");
  fakes_stop(&f);
}

/* The caller has a minute; the others must not wait for it. */
static void late_dealers_are_named_at_the_deadline_of_the_fan_out(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.deadline_ms = 400});
  LOCKED(&f, f.google = (struct google_plan){.rows = 3, .delay_ms = 60000});
  fetch_init(&r);
  int64_t start = clock_mono_ms();
  fetch_start(&r, &f, 2, 1, 0, 60000);
  fetch_wait(&r);
  CU_ASSERT(clock_mono_ms() - start < 30000);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "timeout");
  CU_ASSERT_STRING_EQUAL(r.reasons[1], "timeout");
  fakes_stop(&f);
}

static void a_row_count_that_disagrees_is_an_error(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 10});
  LOCKED(&f, f.google = (struct google_plan){.rows = 30, .row_count_more = 1});
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.codes[0], ERR_ABORTED);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "inconsistent_paging");
  LOCKED(&f, f.google.row_count_more = -5);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "inconsistent_paging");
  fakes_stop(&f);
}

static void a_cut_page_goes_on_after_the_rows_that_arrived(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.chunk_rows = 256});
  LOCKED(&f, f.google = (struct google_plan){.rows = 5000, .cut_times = 2});
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT(fetch_whole(&r, 0, 1, 5000));
  CU_ASSERT_EQUAL(f.requests, 3);
  fakes_stop(&f);
}

/* Rows of equal value come in another order after the cut, so going on in the middle would lose
 * some and take others twice. */
static void a_cut_page_starts_again_and_every_row_is_taken_once(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.chunk_rows = 256, .page_rows = 3000});
  LOCKED(&f,
         f.google = (struct google_plan){.rows = 5000, .cut_times = 1, .turned_after_cut = true});
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT(fetch_whole(&r, 0, 1, 5000));
  CU_ASSERT_EQUAL(f.requests, 3);
  fakes_stop(&f);
}

static void a_page_that_does_not_continue_its_predecessor_fails_the_dealer(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 10});
  LOCKED(&f, f.google = (struct google_plan){.rows = 30, .repeats = true});
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.codes[0], ERR_ABORTED);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "inconsistent_paging");
  CU_ASSERT_PTR_NOT_NULL(strstr(r.messages[0], "has the dimension values of an earlier row"));
  CU_ASSERT_FALSE(r.reports[0][0].done);
  fakes_stop(&f);
}

/* 37 cities in two ranges, ten cities a page: all 74 rows, each once. */
static void several_date_ranges_are_paged_by_combination(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 10});
  LOCKED(&f, f.google = (struct google_plan){.rows = 37, .ranges = 2});
  fetch_init(&r);
  r.ranges = 2;
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.codes[0], ERR_OK);
  CU_ASSERT_EQUAL(r.reports[0][0].rows, 74);
  CU_ASSERT_EQUAL(r.reports[0][0].sum, 2 * 36 * 37 / 2 + 37 * 1000);
  CU_ASSERT(r.reports[0][0].done);
  CU_ASSERT_EQUAL(f.requests, 4);
  fakes_stop(&f);
}

static void an_answer_to_another_question_fails_the_dealer_even_without_rows(void)
{
  static const char *const bodies[] = {"{}", "{\"error\":{\"code\":500,\"message\":\"x\"}}"};
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  for (int rows = 0; rows <= 3; rows += 3) {
    LOCKED(&f, f.google = (struct google_plan){.rows = rows, .metric = "totalUsers"});
    fetch_init(&r);
    fetch_start(&r, &f, 1, 1, 0, 20000);
    fetch_wait(&r);
    CU_ASSERT_STRING_EQUAL(r.reasons[0], "malformed_response");
    CU_ASSERT_PTR_NOT_NULL(strstr(r.messages[0], "totalUsers"));
  }
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    LOCKED(&f, f.google = (struct google_plan){.body = bodies[i]});
    fetch_init(&r);
    fetch_start(&r, &f, 1, 1, 0, 20000);
    fetch_wait(&r);
    CU_ASSERT_STRING_EQUAL(r.reasons[0], "malformed_response");
    CU_ASSERT_FALSE(r.reports[0][0].done);
  }
  fakes_stop(&f);
}

static void rows_of_every_page_come_in_the_same_order(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.rows = 3);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(strstr(
                 f.last_body, "\"orderBys\":[{\"metric\":{\"metricName\":\"sessions\"},\"desc\":"
                              "true},{\"dimension\":{\"dimensionName\":\"city\"}}]")));
  fakes_stop(&f);
}

static void a_name_that_no_property_knows_ends_the_fan_out_with_one_message(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.fan_out = 4});
  LOCKED(&f, f.google = (struct google_plan){
                 .rows = 3,
                 .delay_ms = 20,
                 .fail_status = 400,
                 .fail_times = 1000,
                 .fail_body = "{\"error\":{\"message\":\"Did you mean sessions? Field sessions is "
                              "not a valid metric.  For a list\"}}"});
  fetch_init(&r);
  fetch_start(&r, &f, 40, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(strncmp(r.status.message, "metrics[0]: Did you mean", 24), 0);
  CU_ASSERT(f.requests <= 4);
  CU_ASSERT(fetch_idle_soon(&f));
  LOCKED(&f, f.google.fail_body = "{\"error\":{\"message\":\"Field customEvent:make is not a valid "
                                  "dimension.\"}}");
  LOCKED(&f, f.google.fail_property = "103");
  fetch_init(&r);
  fetch_start(&r, &f, 10, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_OK);
  CU_ASSERT_EQUAL(r.codes[3], ERR_INVALID_ARGUMENT);
  CU_ASSERT(fetch_whole(&r, 4, 1, 3));
  fakes_stop(&f);
}

/* Of the dealers that start at once; who is given none, or a token that Google refuses, asks. */
static void tokens_of_many_dealers_come_with_one_call(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.fan_out = 20});
  LOCKED(&f, f.google.rows = 3; f.gives_many = true);
  fetch_init(&r);
  r.batch = true;
  memcpy(r.ids[4], "revoked", 8);
  fetch_start(&r, &f, 30, 2, 0, 20000);
  fetch_wait(&r);
  for (size_t i = 0; i < 30; i++)
    CU_ASSERT(i == 4 || fetch_whole(&r, i, 2, 3));
  CU_ASSERT_STRING_EQUAL(r.reasons[4], "invalid_grant");
  CU_ASSERT_EQUAL(f.many_calls, 1);
  CU_ASSERT_EQUAL(f.token_calls, 1 + 10);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000); /* one dealer asks as ever */
  fetch_wait(&r);
  CU_ASSERT_EQUAL(f.many_calls, 1);
  fakes_stop(&f);
}

/* A token that was given before is asked for again, like any, when Google refuses it. */
static void a_given_token_that_google_refuses_is_renewed(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.rows = 3; f.google.token = "token-1"; f.gives_many = f.renews = true);
  fetch_init(&r);
  r.batch = true;
  memcpy(r.ids[1], "revoked", 8);
  fetch_start(&r, &f, 2, 2, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT(fetch_whole(&r, 0, 2, 3));
  CU_ASSERT_EQUAL(f.many_calls, 1);
  CU_ASSERT_EQUAL(f.renewals, 1);
  CU_ASSERT_EQUAL(f.token_calls, 2);
  fakes_stop(&f);
}

static void too_many_rows_end_the_dealer(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 10});
  LOCKED(&f, f.google.rows = 50);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 2, 49, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.codes[0], ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "too_many_rows");
  fetch_init(&r);
  fetch_start(&r, &f, 1, 2, 50, 20000);
  fetch_wait(&r);
  CU_ASSERT(fetch_whole(&r, 0, 2, 50));
  fakes_stop(&f);
}

static void a_token_refused_between_pages_is_renewed(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 10});
  LOCKED(&f, f.google = (struct google_plan){.rows = 50, .token = "token-1"});
  LOCKED(&f, f.renews = true);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT(fetch_whole(&r, 0, 1, 50));
  CU_ASSERT_EQUAL(f.renewals, 1);
  CU_ASSERT_EQUAL(f.requests, 6);
  fakes_stop(&f);
}

static void dealers_run_side_by_side_within_the_bound(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.fan_out = 8});
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 100});
  fetch_init(&r);
  fetch_start(&r, &f, 32, 2, 0, 20000);
  fetch_wait(&r);
  for (size_t i = 0; i < 32; i++)
    CU_ASSERT(fetch_whole(&r, i, 2, 1));
  CU_ASSERT(f.worst_total <= 16);
  CU_ASSERT(f.worst_total >= 9);
  CU_ASSERT(f.worst_active <= 10);
  fakes_stop(&f);
}

static void a_slow_reader_stops_the_transfer_and_gets_everything(void)
{
  enum { ROWS = 100000 };
  struct fakes f;
  struct fetch_run r;
  /* What is tested is that nothing is lost, not how long it takes. */
  fakes_start(&f, &(struct fakes_options){.timeout_ms = 60000});
  LOCKED(&f, f.google = (struct google_plan){.rows = ROWS, .value_bytes = 60});
  fetch_init(&r);
  r.hold = true;
  fetch_start(&r, &f, 2, 1, 0, 60000);
  pthread_mutex_lock(&r.lock);
  while (r.chunks == 0)
    pthread_cond_wait(&r.changed, &r.lock);
  pthread_mutex_unlock(&r.lock);
  usleep(1000000);
  pthread_mutex_lock(&r.lock);
  CU_ASSERT_EQUAL(r.chunks, 1);
  CU_ASSERT_EQUAL(r.dealers_done, 0);
  r.hold = false;
  pthread_mutex_unlock(&r.lock);
  CU_ASSERT_EQUAL(governor_active(google_governor(f.service.google)), 2);
  rpc_client_resume(r.call);
  fetch_wait(&r);
  CU_ASSERT(fetch_whole(&r, 0, 1, ROWS));
  CU_ASSERT(fetch_whole(&r, 1, 1, ROWS));
  CU_ASSERT_EQUAL(f.requests, 2);
  fakes_stop(&f);
}

static void cancel_ends_all_transfers(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 60000});
  fetch_init(&r);
  fetch_start(&r, &f, 64, 2, 0, 20000);
  CU_ASSERT(fakes_reach(&f.requests, 9)); /* more than one property is asked for */
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_CANCELLED);
  CU_ASSERT(fetch_idle_soon(&f));
  fakes_stop(&f);
}

static void cancel_while_tokens_are_awaited_is_clean(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.token_delay_ms = 60000);
  fetch_init(&r);
  fetch_start(&r, &f, 20, 2, 0, 20000);
  CU_ASSERT(fakes_reach(&f.token_calls, 1));
  int64_t start = clock_mono_ms();
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  rpc_server_stop(f.report_server); /* waits for the handler */
  f.report_server = NULL;
  CU_ASSERT(clock_mono_ms() - start < 30000);
  CU_ASSERT_EQUAL(f.requests, 0);
  fakes_stop(&f);
}

/* Transfers that wait to be tried again. */
static void cancel_during_a_backoff_is_clean(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.backoff_ms = 4900});
  LOCKED(&f,
         f.google = (struct google_plan){.fail_status = 503, .fail_times = 1000, .fail_body = ""});
  fetch_init(&r);
  fetch_start(&r, &f, 5, 2, 0, 60000);
  CU_ASSERT(fakes_reach(&f.requests, 10));
  CU_ASSERT_EQUAL(f.requests, 10);
  CU_ASSERT(fetch_idle_soon(&f)); /* places are given back for the wait */
  int64_t start = clock_mono_ms();
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  rpc_server_stop(f.report_server);
  f.report_server = NULL;
  CU_ASSERT(clock_mono_ms() - start < 2400); /* less than the least wait */
  fakes_stop(&f);
}

static void cancel_while_the_stream_is_full_ends_all_transfers(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.timeout_ms = 60000});
  LOCKED(&f, f.google = (struct google_plan){.rows = 60000, .value_bytes = 60});
  fetch_init(&r);
  r.hold = true;
  fetch_start(&r, &f, 4, 2, 0, 60000);
  CU_ASSERT(fakes_reach(&f.requests, 8));
  pthread_mutex_lock(&r.lock);
  while (r.chunks == 0)
    pthread_cond_wait(&r.changed, &r.lock);
  pthread_mutex_unlock(&r.lock);
  CU_ASSERT(governor_active(google_governor(f.service.google)) > 0);
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  CU_ASSERT(fetch_idle_soon(&f));
  fakes_stop(&f);
}

static void stopping_the_server_in_the_middle_is_clean(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 1, .delay_ms = 60000});
  fetch_init(&r);
  fetch_start(&r, &f, 10, 2, 0, 20000);
  CU_ASSERT(fakes_reach(&f.requests, 1));
  int64_t start = clock_mono_ms();
  rpc_server_stop(f.report_server);
  f.report_server = NULL;
  CU_ASSERT(clock_mono_ms() - start < 15000);
  fetch_wait(&r);
  CU_ASSERT_NOT_EQUAL(r.status.code, ERR_OK);
  fakes_stop(&f);
}

static void malformed_requests_are_refused(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  fetch_init(&r);
  fetch_start(&r, &f, 0, 1, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(strncmp(r.status.message, "dealer_refs: ", 13), 0);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 0, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(strncmp(r.status.message, "queries: ", 9), 0);
  fetch_init(&r);
  fetch_start(&r, &f, 1, 1, -1, 20000);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(strncmp(r.status.message, "max_rows_per_report: ", 21), 0);
  fakes_stop(&f);
}

TEST_MAIN("report-svc FetchReports", TEST(all_pages_of_all_dealers_arrive_as_columns),
          TEST(a_page_shorter_than_asked_is_not_the_end),
          TEST(an_empty_report_is_done_without_chunks),
          TEST(failing_dealers_are_named_and_the_others_arrive),
          TEST(a_value_that_is_no_number_fails_the_dealer_and_names_the_metric),
          TEST(a_dealer_that_is_too_slow_times_out_before_the_call_does),
          TEST(late_dealers_are_named_at_the_deadline_of_the_fan_out),
          TEST(a_row_count_that_disagrees_is_an_error),
          TEST(a_cut_page_goes_on_after_the_rows_that_arrived),
          TEST(tokens_of_many_dealers_come_with_one_call),
          TEST(a_given_token_that_google_refuses_is_renewed), TEST(too_many_rows_end_the_dealer),
          TEST(a_name_that_no_property_knows_ends_the_fan_out_with_one_message),
          TEST(a_cut_page_starts_again_and_every_row_is_taken_once),
          TEST(a_page_that_does_not_continue_its_predecessor_fails_the_dealer),
          TEST(several_date_ranges_are_paged_by_combination),
          TEST(an_answer_to_another_question_fails_the_dealer_even_without_rows),
          TEST(rows_of_every_page_come_in_the_same_order),
          TEST(a_token_refused_between_pages_is_renewed),
          TEST(dealers_run_side_by_side_within_the_bound),
          TEST(a_slow_reader_stops_the_transfer_and_gets_everything),
          TEST(cancel_ends_all_transfers), TEST(cancel_while_tokens_are_awaited_is_clean),
          TEST(cancel_during_a_backoff_is_clean),
          TEST(cancel_while_the_stream_is_full_ends_all_transfers),
          TEST(stopping_the_server_in_the_middle_is_clean), TEST(malformed_requests_are_refused))
