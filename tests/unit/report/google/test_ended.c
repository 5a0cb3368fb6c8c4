/* Counts of ended calls by property: against counts kept beside, by the hour, within the cap. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/google/ended.h"
#include "tests/unit/harness.h"

enum { HOUR = 3600 };
/* 2026-11-29 12:00 UTC */
static const int64_t noon = INT64_C(1795953600);

static void note(struct ended_calls *s, const char *property, const char *dealer,
                 enum err_code code, const char *reason, int64_t now)
{
  struct err e = {0};
  if (code != ERR_OK)
    err_set(&e, code, reason, "it failed");
  ended_note(s, &(struct ended_subject){property, dealer}, &e, now);
}

static struct ended_account only(struct ended_calls *s, int64_t now)
{
  struct ended_account a = {0};
  CU_ASSERT_EQUAL_FATAL(ended_count(s), 1);
  CU_ASSERT_EQUAL_FATAL(ended_list(s, &a, 1, now), 1);
  return a;
}

static void counts_are_those_of_the_last_24_hours(void)
{
  struct ended_calls *s = ended_new(0);
  for (int hour = 0; hour < 30; hour++)
    note(s, "11", "d01", hour % 3 == 0 ? ERR_UNAVAILABLE : ERR_OK, "timeout", noon + hour * HOUR);
  struct ended_account a = only(s, noon + 29 * HOUR);
  /* Hours 6 to 29 count: failures at 6, 9, ... 27 are 8 of 24. */
  CU_ASSERT_EQUAL(a.ok, 16);
  CU_ASSERT_EQUAL_FATAL(a.n_failures, 1);
  CU_ASSERT_EQUAL(a.failures[0].count, 8);
  CU_ASSERT_STRING_EQUAL(a.failures[0].reason, "timeout");
  CU_ASSERT_STRING_EQUAL(a.last_outcome, "ok");
  CU_ASSERT_EQUAL(a.last_at, noon + 29 * HOUR);
  CU_ASSERT_EQUAL(a.last_ok_at, noon + 29 * HOUR);
  /* Two days later nothing is left of the counts, but of when it was. */
  a = only(s, noon + 77 * HOUR);
  CU_ASSERT_EQUAL(a.ok, 0);
  CU_ASSERT_EQUAL(a.n_failures, 0);
  CU_ASSERT_EQUAL(a.last_at, noon + 29 * HOUR);
  ended_free(s);
}

static void callers_own_faults_do_not_count(void)
{
  struct ended_calls *s = ended_new(0);
  note(s, "11", "", ERR_INVALID_ARGUMENT, "invalid_argument", noon);
  note(s, "11", "", ERR_CANCELLED, "cancelled", noon);
  note(s, "11", "", ERR_FAILED_PRECONDITION, "unanswerable", noon);
  note(s, "11", "", ERR_RESOURCE_EXHAUSTED, "benchmark_share_spent", noon);
  note(s, "", "", ERR_UNAVAILABLE, "timeout", noon);
  CU_ASSERT_EQUAL(ended_count(s), 0);
  note(s, "11", "", ERR_RESOURCE_EXHAUSTED, "quota_exhausted", noon);
  CU_ASSERT_EQUAL(ended_count(s), 1);
  ended_free(s);
}

static void the_least_frequent_reason_gives_way_to_a_new_one(void)
{
  struct ended_calls *s = ended_new(0);
  char reason[16];
  for (int i = 0; i < ENDED_REASONS; i++)
    for (int k = 0; k <= i; k++) {
      snprintf(reason, sizeof(reason), "r%d", i);
      note(s, "11", "", ERR_UNAVAILABLE, reason, noon);
    }
  note(s, "11", "", ERR_UNAVAILABLE, "new", noon);
  struct ended_account a = only(s, noon);
  CU_ASSERT_EQUAL(a.n_failures, ENDED_REASONS);
  CU_ASSERT_STRING_EQUAL(a.failures[0].reason, "r5"); /* the most frequent first */
  CU_ASSERT_EQUAL(a.failures[0].count, 6);
  CU_ASSERT_STRING_EQUAL(a.failures[ENDED_REASONS - 1].reason, "new");
  for (size_t i = 0; i < a.n_failures; i++)
    CU_ASSERT_STRING_NOT_EQUAL(a.failures[i].reason, "r0");
  ended_free(s);
}

static void the_least_recently_used_leaves_first(void)
{
  struct ended_calls *s = ended_new(3);
  struct ended_account list[4];
  static const char *const ids[] = {"1", "2", "3", "1", "4"};
  for (size_t i = 0; i < ARRAY_LEN(ids); i++)
    note(s, ids[i], "", ERR_OK, "", noon);
  CU_ASSERT_EQUAL(ended_list(s, list, 4, noon), 3);
  CU_ASSERT_STRING_EQUAL(list[0].property_id, "4");
  CU_ASSERT_STRING_EQUAL(list[1].property_id, "1");
  CU_ASSERT_STRING_EQUAL(list[2].property_id, "3");
  ended_free(s);
}

static void a_dealer_and_a_property_of_one_name_are_two(void)
{
  struct ended_calls *s = ended_new(0);
  struct ended_account list[2];
  note(s, "7", "", ERR_OK, "", noon);
  note(s, "", "7", ERR_FAILED_PRECONDITION, "invalid_grant", noon);
  CU_ASSERT_EQUAL_FATAL(ended_list(s, list, 2, noon), 2);
  CU_ASSERT_STRING_EQUAL(list[0].property_id, "");
  CU_ASSERT_STRING_EQUAL(list[0].dealer_id, "7");
  CU_ASSERT_STRING_EQUAL(list[0].last_outcome, "invalid_grant");
  CU_ASSERT_STRING_EQUAL(list[1].property_id, "7");
  CU_ASSERT_STRING_EQUAL(list[1].last_outcome, "ok");
  ended_free(s);
}

static void quota_is_what_an_answer_said_last(void)
{
  struct ended_calls *s = ended_new(0);
  ended_quota(s, "11", 900, 9000, noon);
  ended_quota(s, "11", 890, 8990, noon + 1);
  struct ended_account a = only(s, noon + 1);
  CU_ASSERT_TRUE(a.has_quota);
  CU_ASSERT_EQUAL(a.hour_left, 890);
  CU_ASSERT_EQUAL(a.day_left, 8990);
  CU_ASSERT_STRING_EQUAL(a.last_outcome, "");
  ended_free(s);
}

TEST_MAIN("report_ended", TEST(counts_are_those_of_the_last_24_hours),
          TEST(callers_own_faults_do_not_count),
          TEST(the_least_frequent_reason_gives_way_to_a_new_one),
          TEST(the_least_recently_used_leaves_first),
          TEST(a_dealer_and_a_property_of_one_name_are_two),
          TEST(quota_is_what_an_answer_said_last))
