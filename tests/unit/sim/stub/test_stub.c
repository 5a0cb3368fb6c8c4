/* The stub: answers that fit the question, and waiting without a thread each. */
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/stub/answer.h"
#include "ga4-sim/stub/kept.h"
#include "ga4-sim/stub/queue.h"
#include "tests/unit/harness.h"

enum { TODAY = 20000 }; /* 2024-10-04 */

static cJSON *ask(const char *path, const char *body, int wanted)
{
  AUTO_BUF struct buf out = BUF_INIT(1 << 20);
  const struct stub_facts facts = {TODAY, STUB_ROWS};
  cJSON *answer = NULL;
  CU_ASSERT_EQUAL(stub_answer(&out, path, body, strlen(body), &facts), wanted);
  CU_ASSERT_EQUAL_FATAL(json_parse(&answer, out.data, out.len, NULL, NULL), ERR_OK);
  return answer;
}

static const cJSON *at(const cJSON *list, int i)
{
  const cJSON *item = cJSON_GetArrayItem(list, i);
  CU_ASSERT_PTR_NOT_NULL_FATAL(item);
  return item;
}

static const char *cell(const cJSON *report, int row, int dimension)
{
  const cJSON *one = at(cJSON_GetObjectItem(report, "rows"), row);
  return json_get_string(at(cJSON_GetObjectItem(one, "dimensionValues"), dimension), "value");
}

static void a_report_has_a_row_for_each_day_of_each_range(void)
{
  AUTO_JSON cJSON *r = ask("/v1beta/properties/1:runReport",
                           "{\"dimensions\":[{\"name\":\"date\"}],\"metrics\":[{\"name\":"
                           "\"sessions\"}],\"dateRanges\":[{\"startDate\":\"3daysAgo\","
                           "\"endDate\":\"yesterday\"},{\"startDate\":\"2024-09-28\","
                           "\"endDate\":\"2024-09-30\"}]}",
                           200);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(r, "rows")), 6);
  CU_ASSERT_EQUAL(json_get_number(r, "rowCount", 0), 6);
  CU_ASSERT_STRING_EQUAL(cell(r, 0, 0), "20241001");
  CU_ASSERT_STRING_EQUAL(cell(r, 0, 1), "date_range_0");
  CU_ASSERT_STRING_EQUAL(cell(r, 5, 0), "20240930");
  CU_ASSERT_STRING_EQUAL(cell(r, 5, 1), "date_range_1");
  CU_ASSERT_STRING_EQUAL(json_get_string(at(cJSON_GetObjectItem(r, "dimensionHeaders"), 1), "name"),
                         "dateRange");
}

static void rows_are_counted_by_their_dimensions_without_the_range(void)
{
  static const char ranges[] = "\"metrics\":[{\"name\":\"sessions\"}],\"dateRanges\":[{"
                               "\"startDate\":\"2024-10-01\",\"endDate\":\"2024-10-03\"},{"
                               "\"startDate\":\"2024-10-03\",\"endDate\":\"2024-10-04\"}]}";
  AUTO_FREE char *days = xasprintf("{\"dimensions\":[{\"name\":\"date\"}],%s", ranges);
  AUTO_FREE char *cities = xasprintf("{\"dimensions\":[{\"name\":\"city\"}],%s", ranges);
  AUTO_JSON cJSON *by_day = ask("/v1beta/properties/1:runReport", days, 200);
  AUTO_JSON cJSON *by_city = ask("/v1beta/properties/1:runReport", cities, 200);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(by_day, "rows")), 5);
  CU_ASSERT_EQUAL(json_get_number(by_day, "rowCount", 0), 4); /* 3 October is in both */
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(by_city, "rows")), 2 * STUB_ROWS);
  CU_ASSERT_EQUAL(json_get_number(by_city, "rowCount", 0), STUB_ROWS);
}

static void rows_come_by_limit_and_offset(void)
{
  AUTO_JSON cJSON *r = ask("/v1beta/properties/1:runReport",
                           "{\"dimensions\":[{\"name\":\"city\"}],\"metrics\":[{\"name\":"
                           "\"sessions\"}],\"dateRanges\":[{\"startDate\":\"2024-10-01\","
                           "\"endDate\":\"2024-10-03\"}],\"limit\":\"3\",\"offset\":\"5\"}",
                           200);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(r, "rows")), 2);
  CU_ASSERT_EQUAL(json_get_number(r, "rowCount", 0), STUB_ROWS);
  CU_ASSERT_STRING_EQUAL(cell(r, 0, 0), "value 5");
}

static void a_batch_has_a_report_for_each_request(void)
{
  AUTO_JSON cJSON *r =
      ask("/v1beta/properties/1:batchRunReports",
          "{\"requests\":[{\"metrics\":[{\"name\":\"sessions\"}],\"dateRanges\":[{\"startDate\":"
          "\"2024-10-01\",\"endDate\":\"2024-10-02\"}]},{\"dimensions\":[{\"name\":\"city\"}],"
          "\"metrics\":[{\"name\":\"sessions\"}],\"dateRanges\":[{\"startDate\":\"2024-10-01\","
          "\"endDate\":\"2024-10-02\"}],\"offset\":\"7\"}]}",
          200);
  const cJSON *reports = cJSON_GetObjectItem(r, "reports");
  CU_ASSERT_EQUAL(cJSON_GetArraySize(reports), 2);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(at(reports, 0), "rows")), 1);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(cJSON_GetObjectItem(at(reports, 1), "rows")), 0);
}

static void what_the_stub_lacks_and_what_is_no_json_are_errors(void)
{
  AUTO_JSON cJSON *lacks = ask("/v1beta/properties/1:runRealtimeReport", "{}", 404);
  AUTO_JSON cJSON *junk = ask("/v1beta/properties/1:runReport", "{", 400);
  AUTO_JSON cJSON *token = ask("/token", "grant_type=refresh_token", 200);
  CU_ASSERT_STRING_EQUAL(json_get_string(token, "token_type"), "Bearer");
}

static void the_stubs_properties_have_nothing_custom(void)
{
  struct buf out AUTO_BUF = BUF_INIT(4096);
  stub_metadata(&out, "/v1beta/properties/7/metadata");
  CU_ASSERT_STRING_EQUAL(buf_str(&out),
                         "{\"name\":\"properties/7/metadata\",\"dimensions\":[],\"metrics\":[]}");
}

/* ------------------------------------------------------------------ the queue */

enum { MANY = 500, DELAY_MS = 60 };

static struct stub_waiter waiters[MANY];
static atomic_int done;
static int64_t early; /* waiters that came before their time, or out of turn */

static void on_due(struct stub_waiter *w)
{
  early += w != &waiters[done] || clock_mono_ms() < w->due_ms;
  done++;
}

static void all_wait_at_the_same_time_and_go_on_in_their_order(void)
{
  done = 0;
  early = 0;
  struct stub_queue *q = stub_queue_new(DELAY_MS, on_due);
  int64_t start = clock_mono_ms();
  for (size_t i = 0; i < MANY; i++)
    stub_queue_add(q, &waiters[i]);
  for (int i = 0; i < 2000 && done < MANY; i++)
    usleep(2000);
  CU_ASSERT_EQUAL(done, MANY);
  CU_ASSERT_EQUAL(early, 0);
  CU_ASSERT(clock_mono_ms() - start >= DELAY_MS);
  stub_queue_end(q);
  stub_queue_free(q);
}

static void the_end_lets_go_of_all_that_wait_and_of_what_comes_late(void)
{
  done = 0;
  struct stub_queue *q = stub_queue_new(3600 * 1000, on_due);
  stub_queue_add(q, &waiters[0]);
  stub_queue_add(q, &waiters[1]);
  stub_queue_end(q);
  CU_ASSERT_EQUAL(done, 2);
  stub_queue_add(q, &waiters[2]);
  CU_ASSERT_EQUAL(done, 3);
  stub_queue_free(q);
}

static struct stub_text *text(const char *s)
{
  return stub_text_new(xstrdup(s), strlen(s));
}

/* Asks for what is kept of a body and holds it against what it should be; NULL: nothing. */
static void check_kept(struct stub_kept *k, bool batch, const char *body, const char *wanted)
{
  struct stub_text *t = stub_kept_get(k, batch, body, strlen(body));
  CU_ASSERT_EQUAL(t == NULL, wanted == NULL);
  if (t != NULL && wanted != NULL)
    CU_ASSERT_EQUAL(memcmp(stub_text_data(t), wanted, stub_text_len(t)), 0);
  stub_text_unref(t);
}

static void an_equal_question_has_the_answer_that_was_made(void)
{
  struct stub_kept *k = stub_kept_new();
  struct stub_text *one = text("one"), *two = text("two");
  stub_kept_put(k, false, "{}", 2, one);
  check_kept(k, false, "{}", "one");
  check_kept(k, true, "{}", NULL);
  check_kept(k, false, "{} ", NULL);
  stub_kept_put(k, true, "{}", 2, two);
  check_kept(k, true, "{}", "two");
  CU_ASSERT_EQUAL(memcmp(stub_text_data(one), "one", 3), 0); /* who holds it has it */
  stub_text_unref(one);
  stub_text_unref(two);
  stub_kept_free(k);
}

static void few_and_short_answers_are_kept(void)
{
  struct stub_kept *k = stub_kept_new();
  struct stub_text *large = stub_text_new(xcalloc(1, STUB_KEPT_MAX), STUB_KEPT_MAX);
  int kept = 0;
  stub_kept_put(k, false, "{}", 2, large);
  check_kept(k, false, "{}", NULL);
  stub_text_unref(large);
  for (int i = 0; i < 10 * STUB_KEPT_SLOTS; i++) {
    AUTO_FREE char *body = xasprintf("{%d}", i);
    struct stub_text *t = text(body);
    stub_kept_put(k, false, body, strlen(body), t);
    check_kept(k, false, body, body);
    stub_text_unref(t);
  }
  for (int i = 0; i < 10 * STUB_KEPT_SLOTS; i++) {
    AUTO_FREE char *body = xasprintf("{%d}", i);
    struct stub_text *t = stub_kept_get(k, false, body, strlen(body));
    kept += t != NULL;
    stub_text_unref(t);
  }
  CU_ASSERT_TRUE(kept > 0 && kept <= STUB_KEPT_SLOTS);
  stub_kept_free(k);
}

TEST_MAIN("sim stub", TEST(an_equal_question_has_the_answer_that_was_made),
          TEST(few_and_short_answers_are_kept), TEST(a_report_has_a_row_for_each_day_of_each_range),
          TEST(rows_are_counted_by_their_dimensions_without_the_range),
          TEST(rows_come_by_limit_and_offset), TEST(a_batch_has_a_report_for_each_request),
          TEST(what_the_stub_lacks_and_what_is_no_json_are_errors),
          TEST(the_stubs_properties_have_nothing_custom),
          TEST(all_wait_at_the_same_time_and_go_on_in_their_order),
          TEST(the_end_lets_go_of_all_that_wait_and_of_what_comes_late))
