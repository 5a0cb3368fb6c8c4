/* Shares of benchmarks per principal, and the count of an hour under them. */
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/metrics.h"
#include "common/rpc/grant_reasons.h"
#include "report-svc/google/benchmark.h"
#include "report-svc/google/hour.h"
#include "tests/unit/harness.h"

enum { MINUTE = 60000, HOUR = 3600000 };
/* 2026-11-29 12:00 UTC */
static const int64_t noon = INT64_C(1795953600000);

/* Against a list of everything that was used. */
static void an_hour_counts_the_last_sixty_minutes(void)
{
  enum { EVENTS = 500 };
  static int64_t at[EVENTS];
  static uint32_t amounts[EVENTS];
  struct hour h = {0};
  uint32_t seed = 7;
  int64_t now = noon;
  CU_ASSERT_EQUAL(hour_frees_ms(&h, now), now);
  for (int i = 0; i < EVENTS; i++) {
    seed = seed * 1664525 + 1013904223;
    now += seed % (i % 50 == 49 ? 5 * HOUR : 7 * MINUTE);
    at[i] = now;
    amounts[i] = seed >> 20;
    hour_add(&h, now, amounts[i]);
    uint64_t want = 0;
    int64_t oldest = now;
    for (int k = i; k >= 0 && at[k] / MINUTE > now / MINUTE - 60; k--) {
      want += amounts[k];
      if (amounts[k] > 0)
        oldest = at[k];
    }
    CU_ASSERT_EQUAL(hour_sum(&h, now), want);
    if (want > 0)
      CU_ASSERT_EQUAL(hour_frees_ms(&h, now), (oldest / MINUTE + 60) * MINUTE);
  }
  CU_ASSERT_EQUAL(hour_sum(&h, now + 60 * MINUTE), 0);
}

static void a_principal_has_its_reports_of_an_hour_and_no_more(void)
{
  struct benchmark *b = benchmark_new(3);
  struct err e = {0};
  for (int i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(benchmark_admit(b, "p1", noon + i * 10 * MINUTE, &e), ERR_OK);
  CU_ASSERT_EQUAL(benchmark_admit(b, "p1", noon + 30 * MINUTE, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_STRING_EQUAL(e.reason, GRANT_REASON_SHARE_SPENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "3 reports"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "try again after 13:00Z"));
  CU_ASSERT_EQUAL(benchmark_admit(b, "p2", noon + 30 * MINUTE, &e), ERR_OK);
  CU_ASSERT_EQUAL(benchmark_admit(b, "p1", noon + HOUR - 1, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_EQUAL(benchmark_admit(b, "p1", noon + HOUR, &e), ERR_OK); /* as the error said */
  CU_ASSERT_EQUAL(benchmark_admit(b, "p1", noon + HOUR, &e), ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "try again after 13:10Z"));
  benchmark_free(b);
}

static void no_bound_and_no_name_are_not_counted(void)
{
  struct benchmark *open = benchmark_new(0), *b = benchmark_new(1);
  struct err e = {0};
  for (int i = 0; i < 10; i++) {
    CU_ASSERT_EQUAL(benchmark_admit(open, "p1", noon, &e), ERR_OK);
    CU_ASSERT_EQUAL(benchmark_admit(b, "", noon, &e), ERR_OK);
  }
  CU_ASSERT_EQUAL(benchmark_principals(open), 0);
  CU_ASSERT_EQUAL(benchmark_principals(b), 0);
  benchmark_free(open);
  benchmark_free(b);
}

static void principals_in_memory_are_bounded_and_those_in_use_stay(void)
{
  struct benchmark *b = benchmark_new(1);
  struct err e = {0};
  char name[16];
  CU_ASSERT_EQUAL(benchmark_admit(b, "busy", noon, &e), ERR_OK);
  for (int i = 0; i < BENCHMARK_MAX_PRINCIPALS + 1000; i++) {
    snprintf(name, sizeof(name), "p%d", i);
    CU_ASSERT_EQUAL(benchmark_admit(b, name, noon, &e), ERR_OK);
    if (i % 1000 == 0)
      CU_ASSERT_EQUAL(benchmark_admit(b, "busy", noon, &e), ERR_RESOURCE_EXHAUSTED);
  }
  CU_ASSERT_EQUAL(benchmark_principals(b), BENCHMARK_MAX_PRINCIPALS);
  benchmark_free(b);
}

TEST_MAIN("report benchmark shares", TEST(an_hour_counts_the_last_sixty_minutes),
          TEST(a_principal_has_its_reports_of_an_hour_and_no_more),
          TEST(no_bound_and_no_name_are_not_counted),
          TEST(principals_in_memory_are_bounded_and_those_in_use_stay))
