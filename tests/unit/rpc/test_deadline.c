/* The part of a deadline that is kept back for the answer. */
#include "common/base/mem.h"
#include "common/rpc/rpc.h"
#include "tests/unit/harness.h"

static void part_of_the_deadline_is_kept_back_for_the_answer(void)
{
  static const int64_t cases[][3] = {
      /* time left, longest, work */
      {110000, 200000, 108000}, {20000, 200000, 18000}, {10000, 200000, 9000}, {1000, 200000, 900},
      {999, 200000, 899},       {500, 200000, 400},     {200, 200000, 100},    {150, 200000, 75},
      {1, 200000, 1},           {0, 200000, 0},         {110000, 5000, 5000},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    CU_ASSERT_EQUAL(rpc_work_deadline_ms(1000, 1000 + cases[i][0], cases[i][1]) - 1000,
                    cases[i][2]);
}

static void a_call_without_a_deadline_gets_the_longest(void)
{
  CU_ASSERT_EQUAL(rpc_work_deadline_ms(1000, INT64_MAX, 5000), 6000);
}

static void work_for_a_call_that_is_over_ends_at_once(void)
{
  CU_ASSERT_EQUAL(rpc_work_deadline_ms(1000, 900, 5000), 1000);
}

TEST_MAIN("rpc/deadline", TEST(part_of_the_deadline_is_kept_back_for_the_answer),
          TEST(a_call_without_a_deadline_gets_the_longest),
          TEST(work_for_a_call_that_is_over_ends_at_once))
