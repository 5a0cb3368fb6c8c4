/* What has no single meaning is refused, and the refusal says what to send instead. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/ambiguity.h"
#include "tests/unit/gateway/arguments/reading.h"
#include "tests/unit/harness.h"

struct trap {
  const char *tool, *arguments, *expected; /* expected: part of the error */
};

static const struct trap traps[] = {
#include "tests/unit/gateway/arguments/traps.inc"
};

static void nothing_with_several_meanings_is_guessed(void)
{
  for (size_t i = 0; i < ARRAY_LEN(traps); i++) {
    AUTO_READING struct reading r = {0};
    reading_make(&r, traps[i].tool, traps[i].arguments);
    bool refused = r.code == ERR_INVALID_ARGUMENT && strstr(r.e.message, traps[i].expected) != NULL;
    CU_ASSERT_TRUE(refused);
    if (!refused)
      printf("\n  %s %s\n  gave %s%s\n  not  %s\n", traps[i].tool, traps[i].arguments,
             buf_str(&r.request), r.e.message, traps[i].expected);
  }
}

static void there_are_at_least_300_traps(void)
{
  CU_ASSERT_TRUE(ARRAY_LEN(traps) >= 300);
  for (size_t i = 0; i < ARRAY_LEN(traps); i++) {
    for (size_t k = 0; k < i; k++)
      CU_ASSERT_FALSE(strcmp(traps[i].arguments, traps[k].arguments) == 0 &&
                      strcmp(traps[i].tool, traps[k].tool) == 0);
  }
}

static void every_error_of_a_date_says_what_today_is(void)
{
  for (size_t i = 0; i < ARRAY_LEN(traps); i++) {
    AUTO_READING struct reading r = {0};
    reading_make(&r, traps[i].tool, traps[i].arguments);
    if (strcmp(r.e.reason, "bad_date") == 0 && strstr(r.e.message, "is one day") == NULL)
      CU_ASSERT_PTR_NOT_NULL(strstr(r.e.message, "today is Monday 2026-11-30 (UTC)"));
  }
}

static void a_date_in_either_order_names_both_days_for_programs(void)
{
  AUTO_READING struct reading r = {0};
  reading_make(&r, "run_report",
               "{\"metrics\":[\"sessions\"],\"date_ranges\":[{\"start_date\":\" 03/04/2026\","
               "\"end_date\":\"2026-05-01\"}]}");
  Analytics__Error__V1__Ambiguity *a = ambiguity_get(&r.e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  CU_ASSERT_EQUAL(a->kind, ANALYTICS__ERROR__V1__KIND__DAY);
  CU_ASSERT_STRING_EQUAL(a->asked, "03/04/2026");
  CU_ASSERT_EQUAL_FATAL(a->n_candidates, 2);
  CU_ASSERT_STRING_EQUAL(a->candidates[0]->value, "2026-03-04");
  CU_ASSERT_STRING_EQUAL(a->candidates[0]->title, "Wednesday, 04 March 2026");
  CU_ASSERT_STRING_EQUAL(a->candidates[1]->value, "2026-04-03");
  CU_ASSERT_STRING_EQUAL(a->candidates[1]->title, "Friday, 03 April 2026");
  analytics__error__v1__ambiguity__free_unpacked(a, NULL);
  reading_free(&r);
  reading_make(&r, "run_report",
               "{\"metrics\":[\"sessions\"],\"date_ranges\":[{\"start_date\":\"31/31/2026\","
               "\"end_date\":\"2026-05-01\"}]}");
  CU_ASSERT_EQUAL(r.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_EQUAL(r.e.details_len, 0);
}

TEST_MAIN("traps", TEST(nothing_with_several_meanings_is_guessed),
          TEST(there_are_at_least_300_traps), TEST(every_error_of_a_date_says_what_today_is),
          TEST(a_date_in_either_order_names_both_days_for_programs))
