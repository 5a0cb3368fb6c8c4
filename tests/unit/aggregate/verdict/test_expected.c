/* Counts against their expectations: who is tested. */
#include <math.h>

#include "aggregate-svc/verdict/expected.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static void five_expected_are_tested_however_they_were_added_up(void)
{
  double sum = 0;
  for (int i = 0; i < 341; i++) /* 5 leads of 341 sessions, a session at a time */
    sum += 5.0 / 341;
  struct expected_cell cells[] = {{.observed = 5, .expected = sum},
                                  {.observed = 5, .expected = nextafter(5, 0)},
                                  {.observed = 5, .expected = 5},
                                  {.observed = 5, .expected = 4.999},
                                  {.observed = 5, .expected = 5, .suspect = true}};
  CU_ASSERT_EQUAL(expected_judge(cells, ARRAY_LEN(cells)), 3);
  CU_ASSERT_TRUE(cells[0].tested && cells[1].tested && cells[2].tested);
  CU_ASSERT_EQUAL(cells[0].word, EXPECTED_NO_CLEAR_DIFFERENCE);
  CU_ASSERT_EQUAL(cells[3].word, EXPECTED_TOO_LITTLE_DATA);
  CU_ASSERT_EQUAL(cells[4].word, EXPECTED_SUSPECT);
}

static void what_is_withheld_is_not_too_little_data(void)
{
  struct expected_cell cells[] = {{.observed = 50, .withheld = true}, {.observed = 50}};
  CU_ASSERT_EQUAL(expected_judge(cells, ARRAY_LEN(cells)), 0);
  CU_ASSERT_STRING_EQUAL(expected_word_name(cells[0].word), "benchmark_withheld");
  CU_ASSERT_STRING_EQUAL(expected_word_name(cells[1].word), "too_little_data");
}

/* Byar's interval of 30 against 10 is 2.02 to 4.28. */
static void a_count_far_off_has_a_word_and_its_interval(void)
{
  struct expected_cell cells[] = {{.observed = 30, .expected = 10},
                                  {.observed = 2, .expected = 20}};
  CU_ASSERT_EQUAL(expected_judge(cells, ARRAY_LEN(cells)), 2);
  CU_ASSERT_EQUAL(cells[0].word, EXPECTED_ABOVE);
  CU_ASSERT_EQUAL(cells[1].word, EXPECTED_BELOW);
  CU_ASSERT_DOUBLE_EQUAL(cells[0].ratio, 3, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(cells[0].low, 2.02, 0.01);
  CU_ASSERT_DOUBLE_EQUAL(cells[0].high, 4.28, 0.01);
}

TEST_MAIN("aggregate expected", TEST(five_expected_are_tested_however_they_were_added_up),
          TEST(what_is_withheld_is_not_too_little_data),
          TEST(a_count_far_off_has_a_word_and_its_interval))
