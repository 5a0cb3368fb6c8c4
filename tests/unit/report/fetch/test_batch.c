/* FetchReports with batches: the first page of all reports of a dealer in one request. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fetch_run.h"

static void run(struct fetch_run *r, struct fakes *f, size_t dealers, size_t queries)
{
  fetch_init(r);
  r->batch = true;
  fetch_start(r, f, dealers, queries, 0, 20000);
  fetch_wait(r);
  CU_ASSERT_EQUAL(r->status.code, ERR_OK);
}

/* A reader that holds gets one message, whatever it is, or the end. */
static void wait_for_a_message(struct fetch_run *r)
{
  pthread_mutex_lock(&r->lock);
  while (r->chunks + r->dealers_done == 0 && !r->ended)
    pthread_cond_wait(&r->changed, &r->lock);
  pthread_mutex_unlock(&r->lock);
}

static void all_reports_of_a_dealer_come_with_one_request(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.rows = 50);
  run(&r, &f, 20, 5);
  for (size_t i = 0; i < 20; i++)
    CU_ASSERT(fetch_whole(&r, i, 5, 50));
  CU_ASSERT_STRING_EQUAL(r.properties[4], "104");
  CU_ASSERT_EQUAL(f.requests, 20);
  CU_ASSERT_EQUAL(f.token_calls, 20);
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(strstr(f.last_url, ":batchRunReports?prettyPrint=false")));
  fakes_stop(&f);
}

/* Short reports come with the end of their dealer, those of more than a chunk keep the rest for it.
 */
static void what_is_left_of_a_dealer_comes_in_one_message(void)
{
  struct fakes f;
  fakes_start(&f, &(struct fakes_options){.chunk_rows = 100});
  for (size_t i = 0; i < 4; i++) {
    bool apart = i % 2 == 1, longer = i >= 2;
    struct fetch_run r;
    fetch_init(&r);
    r.batch = true;
    r.apart = apart;
    LOCKED(&f, f.google.rows = longer ? 250 : 50);
    fetch_start(&r, &f, 4, 3, 0, 20000);
    fetch_wait(&r);
    for (size_t k = 0; k < 4; k++)
      CU_ASSERT(fetch_whole(&r, k, 3, longer ? 250 : 50));
    CU_ASSERT_EQUAL(r.received, 4 * (1 + 3 * (apart ? 2 : 0) + 3 * (longer ? 2 : 0)));
    CU_ASSERT_EQUAL(r.chunks, 4 * 3 * (longer ? 3 : 1));
  }
  fakes_stop(&f);
}

static void a_report_with_more_pages_goes_on_alone_with_the_same_token(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.page_rows = 10});
  LOCKED(&f, f.google.rows = 25);
  run(&r, &f, 3, 2);
  for (size_t i = 0; i < 3; i++)
    CU_ASSERT(fetch_whole(&r, i, 2, 25));
  CU_ASSERT_EQUAL(f.requests, 3 * (1 + 2 * 2));
  CU_ASSERT_EQUAL(f.token_calls, 3);
  fakes_stop(&f);
}

static void a_single_report_needs_no_batch(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google.rows = 3);
  run(&r, &f, 1, 1);
  CU_ASSERT(fetch_whole(&r, 0, 1, 3));
  LOCKED(&f, CU_ASSERT_PTR_NOT_NULL(strstr(f.last_url, ":runReport?")));
  fakes_stop(&f);
}

static void empty_reports_are_done_without_chunks(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  run(&r, &f, 2, 3);
  CU_ASSERT_EQUAL(r.chunks, 0);
  CU_ASSERT(fetch_whole(&r, 0, 3, 0) && fetch_whole(&r, 1, 3, 0));
  fakes_stop(&f);
}

/* The cut falls into the second report: what came of both is not asked for again. */
static void a_cut_batch_goes_on_after_the_rows_that_arrived(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.chunk_rows = 256});
  LOCKED(&f, f.google = (struct google_plan){.rows = 4000, .cut_times = 2});
  run(&r, &f, 1, 3);
  CU_ASSERT(fetch_whole(&r, 0, 3, 4000));
  CU_ASSERT_EQUAL(f.requests, 3);
  fakes_stop(&f);
}

static void a_slow_reader_stops_the_batch_and_gets_everything(void)
{
  enum { ROWS = 40000 };
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.timeout_ms = 60000});
  LOCKED(&f, f.google = (struct google_plan){.rows = ROWS, .value_bytes = 60});
  fetch_init(&r);
  r.batch = r.hold = true;
  fetch_start(&r, &f, 2, 3, 0, 60000);
  wait_for_a_message(&r);
  pthread_mutex_lock(&r.lock);
  r.hold = false;
  pthread_mutex_unlock(&r.lock);
  rpc_client_resume(r.call);
  fetch_wait(&r);
  CU_ASSERT(fetch_whole(&r, 0, 3, ROWS) && fetch_whole(&r, 1, 3, ROWS));
  CU_ASSERT_EQUAL(f.requests, 2);
  fakes_stop(&f);
}

static void failing_dealers_are_named_and_the_others_arrive(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 30,
                                             .fail_property = "103",
                                             .fail_status = 403,
                                             .fail_times = 1000,
                                             .fail_body = "{}",
                                             .odd_value = "\"(not set)\"",
                                             .odd_property = "104"});
  fetch_init(&r);
  r.batch = true;
  memcpy(r.ids[5], "revoked", 8);
  fetch_start(&r, &f, 10, 2, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_STRING_EQUAL(r.reasons[3], "permission_denied");
  CU_ASSERT_STRING_EQUAL(r.reasons[4], "invalid_data");
  CU_ASSERT_STRING_EQUAL(r.reasons[5], "invalid_grant");
  for (size_t i = 0; i < 10; i++)
    CU_ASSERT((i >= 3 && i <= 5) || fetch_whole(&r, i, 2, 30));
  fakes_stop(&f);
}

/* One report's fault fails Google's whole batch: the dealer is named with it, as without a batch.
 */
static void a_refused_report_fails_its_dealer_with_googles_words(void)
{
  struct fakes f;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){
                 .rows = 30,
                 .fail_property = "103",
                 .fail_status = 400,
                 .fail_times = 1000,
                 .fail_body = "{\"error\":{\"message\":\"Field customEvent:make is not a valid "
                              "dimension.\"}}"});
  char messages[2][sizeof(((struct fetch_run *)0)->messages[0])];
  for (size_t i = 0; i < 2; i++) {
    struct fetch_run r;
    fetch_init(&r);
    r.batch = i == 1;
    fetch_start(&r, &f, 5, 2, 0, 20000);
    fetch_wait(&r);
    CU_ASSERT_EQUAL(r.status.code, ERR_OK);
    CU_ASSERT_EQUAL(r.codes[3], ERR_INVALID_ARGUMENT);
    CU_ASSERT(fetch_whole(&r, 2, 2, 30) && fetch_whole(&r, 4, 2, 30));
    snprintf(messages[i], sizeof(messages[i]), "%s", r.messages[3]);
  }
  CU_ASSERT_PTR_NOT_NULL(strstr(messages[0], "customEvent:make"));
  CU_ASSERT_STRING_EQUAL(messages[0], messages[1]);
  fakes_stop(&f);
}

static void an_answer_with_another_number_of_reports_is_refused(void)
{
  static const char one[] = "{\"rows\":[{\"dimensionValues\":[{\"value\":\"a\"}],\"metricValues\":"
                            "[{\"value\":\"1\"}]}],\"rowCount\":1,\"dimensionHeaders\":"
                            "[{\"name\":\"city\"}],\"metricHeaders\":[{\"name\":\"sessions\"}]}";
  struct fakes f;
  fakes_start(&f, NULL);
  for (int n = 0; n <= 4; n++) {
    struct fetch_run r;
    AUTO_BUF struct buf body = BUF_INIT(10000);
    buf_puts(&body, "{\"reports\":[");
    for (int i = 0; i < n; i++)
      buf_printf(&body, "%s%s", i == 0 ? "" : ",", one);
    buf_puts(&body, "]}");
    LOCKED(&f, f.google.body = buf_str(&body));
    run(&r, &f, 1, 3);
    CU_ASSERT_EQUAL(r.codes[0], n == 3 ? ERR_OK : ERR_INTERNAL);
    CU_ASSERT_STRING_EQUAL(r.reasons[0], n == 3 ? "" : "malformed_response");
  }
  fakes_stop(&f);
}

static void a_row_count_that_disagrees_fails_the_dealer(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, NULL);
  LOCKED(&f, f.google = (struct google_plan){.rows = 30, .row_count_more = 1});
  run(&r, &f, 1, 2);
  CU_ASSERT_STRING_EQUAL(r.reasons[0], "inconsistent_paging");
  fakes_stop(&f);
}

static void cancel_while_the_stream_is_full_ends_all_transfers(void)
{
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.timeout_ms = 60000});
  LOCKED(&f, f.google = (struct google_plan){.rows = 40000, .value_bytes = 60});
  fetch_init(&r);
  r.batch = r.hold = true;
  fetch_start(&r, &f, 4, 2, 0, 60000);
  wait_for_a_message(&r);
  rpc_client_cancel(r.call);
  fetch_wait(&r);
  CU_ASSERT_EQUAL(r.status.code, ERR_CANCELLED);
  CU_ASSERT(fetch_idle_soon(&f));
  fakes_stop(&f);
}

TEST_MAIN("report-svc FetchReports in batches", TEST(all_reports_of_a_dealer_come_with_one_request),
          TEST(what_is_left_of_a_dealer_comes_in_one_message),
          TEST(a_report_with_more_pages_goes_on_alone_with_the_same_token),
          TEST(a_single_report_needs_no_batch), TEST(empty_reports_are_done_without_chunks),
          TEST(a_cut_batch_goes_on_after_the_rows_that_arrived),
          TEST(a_slow_reader_stops_the_batch_and_gets_everything),
          TEST(failing_dealers_are_named_and_the_others_arrive),
          TEST(a_refused_report_fails_its_dealer_with_googles_words),
          TEST(an_answer_with_another_number_of_reports_is_refused),
          TEST(a_row_count_that_disagrees_fails_the_dealer),
          TEST(cancel_while_the_stream_is_full_ends_all_transfers))
