/* What has no single meaning is refused, and the refusal says what to send instead. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
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

TEST_MAIN("traps", TEST(nothing_with_several_meanings_is_guessed),
          TEST(there_are_at_least_300_traps), TEST(every_error_of_a_date_says_what_today_is))
