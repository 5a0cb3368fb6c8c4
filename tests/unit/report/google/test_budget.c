/* What is left of a property's quota, and the bound on server errors. */
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "report-svc/google/budget.h"
#include "report-svc/google/google_error.h"
#include "tests/unit/harness.h"

enum { MINUTE = 60000, HOUR = 3600000 };
/* What the last answer or refusal changed, for other replicas. */
static struct budget_change change;
/* 2026-11-29 12:00 UTC */
static const int64_t noon = INT64_C(1795953600000);

static struct budget *make(uint32_t errors)
{
  return budget_new(&(struct budget_options){.server_errors = errors, .probe_ms = 5 * MINUTE});
}

static bool admits(struct budget *b, int64_t now)
{
  struct err e = {0};
  return budget_admit(b, "properties/1", now, &e) == ERR_OK;
}

static void saw_for(struct budget *b, bool benchmark, int cost, int hour, int day, int project,
                    int64_t now)
{
  Analytics__Ga4__V1beta__PropertyQuota quota = ANALYTICS__GA4__V1BETA__PROPERTY_QUOTA__INIT;
  Analytics__Ga4__V1beta__QuotaStatus status[3];
  const int remaining[3] = {hour, day, project};
  for (int i = 0; i < 3; i++) {
    analytics__ga4__v1beta__quota_status__init(&status[i]);
    status[i].consumed = cost;
    status[i].remaining = remaining[i];
  }
  quota.tokens_per_hour = &status[0];
  quota.tokens_per_day = &status[1];
  quota.tokens_per_project_per_hour = &status[2];
  budget_saw(b, "properties/1", &quota, benchmark, now, &change);
}

static void saw(struct budget *b, int cost, int hour, int day, int project, int64_t now)
{
  saw_for(b, false, cost, hour, day, project, now);
}

static void a_report_that_would_not_fit_is_refused_with_the_time_it_will(void)
{
  struct budget *b = make(6);
  struct err e = {0};
  saw(b, 7, 7, 1000, 1000, noon);
  CU_ASSERT_TRUE(admits(b, noon));
  saw(b, 7, 6, 1000, 1000, noon);
  CU_ASSERT_EQUAL(budget_admit(b, "properties/1", noon, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, "quota_exhausted");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "until 13:00Z at the latest"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "Ask again then, or from 12:05Z on"));
  CU_ASSERT_EQUAL(budget_admit(b, "properties/1", noon + 300000, &e), ERR_OK); /* at 12:05Z */
  CU_ASSERT_EQUAL(budget_admit(b, "properties/2", noon, &e), ERR_OK); /* of another property */
  budget_free(b);
}

static void the_tokens_of_the_project_and_of_the_day_count_too(void)
{
  struct budget *b = make(6);
  struct err e = {0};
  saw(b, 7, 1000, 1000, 6, noon);
  CU_ASSERT_FALSE(admits(b, noon));
  saw(b, 7, 1000, 6, 1000, noon);
  CU_ASSERT_EQUAL(budget_admit(b, "properties/1", noon, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "until 08:00Z: ")); /* midnight in Los Angeles */
  CU_ASSERT_TRUE(admits(b, google_quota_day_end_ms(noon)));
  budget_free(b);
}

static void one_request_now_and_then_sees_whether_the_quota_has_returned(void)
{
  struct budget *b = make(6);
  budget_refused(b, "properties/1", BUDGET_HOUR, noon, &change);
  CU_ASSERT_FALSE(admits(b, noon + 5 * MINUTE - 1));
  CU_ASSERT_TRUE(admits(b, noon + 5 * MINUTE));
  CU_ASSERT_FALSE(admits(b, noon + 5 * MINUTE));
  saw(b, 1, 500, 500, 500, noon + 5 * MINUTE); /* it has */
  CU_ASSERT_TRUE(admits(b, noon + 5 * MINUTE));
  CU_ASSERT_TRUE(admits(b, noon + 5 * MINUTE));
  budget_refused(b, "properties/1", BUDGET_HOUR, noon, &change);
  CU_ASSERT_TRUE(admits(b, noon + HOUR));
  budget_refused(b, "properties/1", BUDGET_OTHER, noon + HOUR, &change);
  CU_ASSERT_TRUE(admits(b, noon + HOUR));
  budget_free(b);
}

static void six_server_errors_within_an_hour_hold_requests_back(void)
{
  struct budget *b = make(6);
  struct err e = {0};
  for (int i = 0; i < 6; i++) {
    CU_ASSERT_TRUE(admits(b, noon + i * MINUTE));
    budget_server_error(b, "properties/1", noon + i * MINUTE);
  }
  CU_ASSERT_EQUAL(budget_admit(b, "properties/1", noon + 30 * MINUTE, &e), ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(e.reason, "server_errors");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "until 13:00Z"));
  CU_ASSERT_TRUE(admits(b, noon + HOUR)); /* the first is an hour old */
  budget_server_error(b, "properties/1", noon + HOUR);
  CU_ASSERT_FALSE(admits(b, noon + HOUR));
  CU_ASSERT_TRUE(admits(b, noon + HOUR + MINUTE));
  budget_refused(b, "properties/1", BUDGET_SERVER_ERRORS, noon + 2 * HOUR, &change);
  CU_ASSERT_FALSE(admits(b, noon + 3 * HOUR - 1));
  CU_ASSERT_TRUE(admits(b, noon + 3 * HOUR));
  budget_free(b);
}

static void what_other_replicas_should_know_is_said_once_it_changes(void)
{
  struct budget *b = make(6);
  saw(b, 1, 500, 500, 500, noon);
  CU_ASSERT_EQUAL(change.what, BUDGET_AS_BEFORE);
  saw(b, 7, 6, 500, 500, noon);
  CU_ASSERT_EQUAL(change.what, BUDGET_NOW_GONE);
  CU_ASSERT_EQUAL(change.until_ms, noon + HOUR);
  CU_ASSERT_EQUAL(change.probe_at_ms, noon + 5 * MINUTE);
  CU_ASSERT_FALSE(change.day);
  saw(b, 1, 500, 500, 500, noon + MINUTE);
  CU_ASSERT_EQUAL(change.what, BUDGET_NOW_BACK);
  saw(b, 1, 500, 500, 500, noon + MINUTE);
  CU_ASSERT_EQUAL(change.what, BUDGET_AS_BEFORE);
  budget_refused(b, "properties/1", BUDGET_DAY, noon, &change);
  CU_ASSERT_EQUAL(change.what, BUDGET_NOW_GONE);
  CU_ASSERT_TRUE(change.day);
  CU_ASSERT_EQUAL(change.until_ms, google_quota_day_end_ms(noon));
  budget_refused(b, "properties/1", BUDGET_OTHER, noon, &change);
  CU_ASSERT_EQUAL(change.what, BUDGET_AS_BEFORE);
  budget_refused(b, "properties/1", BUDGET_SERVER_ERRORS, noon, &change);
  CU_ASSERT_EQUAL(change.what, BUDGET_NOW_HELD);
  CU_ASSERT_EQUAL(change.until_ms, noon + HOUR);
  budget_free(b);
}

static void what_another_replica_found_holds_here_too(void)
{
  struct budget *b = make(6);
  struct err e = {0};
  budget_learn_gone(b, "properties/1", noon + 20 * MINUTE, false, noon);
  CU_ASSERT_EQUAL(budget_admit(b, "properties/1", noon, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "until 12:20Z at the latest"));
  CU_ASSERT_EQUAL(budget_admit_errors(b, "properties/1", noon, &e), ERR_OK);
  CU_ASSERT_TRUE(admits(b, noon + 20 * MINUTE));
  saw(b, 1, 500, 500, 500, noon); /* a probe that found tokens */
  CU_ASSERT_EQUAL(change.what, BUDGET_NOW_BACK);
  CU_ASSERT_TRUE(admits(b, noon));
  budget_learn_held(b, "properties/1", noon + 30 * MINUTE);
  budget_learn_held(b, "properties/1", noon + 10 * MINUTE); /* the later one counts */
  CU_ASSERT_EQUAL(budget_admit_errors(b, "properties/1", noon + 29 * MINUTE, &e), ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "until 12:30Z"));
  CU_ASSERT_TRUE(admits(b, noon + 30 * MINUTE));
  budget_free(b);
}

static void the_table_of_properties_is_bounded(void)
{
  struct budget *b = make(1);
  struct err e = {0};
  char key[32];
  for (int i = 0; i <= BUDGET_MAX_KEYS; i++) {
    snprintf(key, sizeof(key), "properties/%d", i);
    budget_server_error(b, key, noon);
  }
  CU_ASSERT_EQUAL(budget_admit(b, "properties/0", noon, &e), ERR_OK); /* forgotten */
  CU_ASSERT_EQUAL(budget_admit(b, key, noon, &e), ERR_UNAVAILABLE);
  budget_free(b);
}

static enum err_code asks(struct budget *b, int64_t now, struct err *e)
{
  return budget_admit_benchmark(b, "properties/1", now, e);
}

/* The hour of the property has 400 tokens, other programs have used 100 of them. */
static void benchmarks_may_use_a_quarter_of_the_hour(void)
{
  struct budget *b = budget_new(&(struct budget_options){.benchmark_percent = 25});
  struct err e = {0};
  CU_ASSERT_EQUAL(asks(b, noon, &e), ERR_OK); /* nothing is known yet */
  saw_for(b, true, 40, 260, 9999, 9999, noon);
  CU_ASSERT_EQUAL(asks(b, noon, &e), ERR_OK); /* 40 of 75: the other program's are not known */
  saw_for(b, true, 40, 220, 9999, 9999, noon + 10 * MINUTE);
  CU_ASSERT_EQUAL(asks(b, noon + 10 * MINUTE, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, "quota_exhausted");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "25 %"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "try again after 13:00Z"));
  CU_ASSERT_TRUE(admits(b, noon + 10 * MINUTE));              /* the owner goes on */
  saw_for(b, true, 1, 399, 9999, 9999, noon + HOUR - MINUTE); /* a new hour of Google's */
  CU_ASSERT_EQUAL(asks(b, noon + HOUR - MINUTE, &e), ERR_OK); /* 81 of 120 */
  CU_ASSERT_EQUAL(asks(b, noon + HOUR, &e), ERR_OK);
  budget_free(b);
}

static void tokens_of_the_owner_do_not_count_as_a_benchmark(void)
{
  struct budget *b = budget_new(&(struct budget_options){.benchmark_percent = 25});
  struct err e = {0};
  saw_for(b, true, 1, 399, 9999, 9999, noon);
  for (int i = 1; i <= 3; i++)
    saw_for(b, false, 100, 399 - 100 * i, 9999, 9999, noon);
  CU_ASSERT_EQUAL(asks(b, noon, &e), ERR_OK);
  saw_for(b, true, 99, 0, 9999, 9999, noon);
  CU_ASSERT_EQUAL(asks(b, noon, &e), ERR_RESOURCE_EXHAUSTED);
  budget_free(b);
}

TEST_MAIN("report budget", TEST(a_report_that_would_not_fit_is_refused_with_the_time_it_will),
          TEST(the_tokens_of_the_project_and_of_the_day_count_too),
          TEST(one_request_now_and_then_sees_whether_the_quota_has_returned),
          TEST(six_server_errors_within_an_hour_hold_requests_back),
          TEST(benchmarks_may_use_a_quarter_of_the_hour),
          TEST(tokens_of_the_owner_do_not_count_as_a_benchmark),
          TEST(what_other_replicas_should_know_is_said_once_it_changes),
          TEST(what_another_replica_found_holds_here_too), TEST(the_table_of_properties_is_bounded))
