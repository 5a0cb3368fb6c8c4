/* The words of changes. */
#include <math.h>
#include <string.h>

#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/verdict/change.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static struct change_cell cell(double size, int direction, double p)
{
  return (struct change_cell){.enough = true, .size = size, .direction = direction, .p = p};
}

static void a_word_needs_an_interval_a_q_and_a_size(void)
{
  struct change_cell c[] = {cell(0.2, 1, 1e-6), cell(-0.2, -1, 1e-6), cell(0.04, 1, 1e-6),
                            cell(0.2, 0, 0.2),  cell(0.2, 1, 0.049),  {.enough = false, .p = 0},
                            cell(NAN, 1, 1e-6), cell(0.2, 1, NAN)};
  static const char *const words[] = {"rising",          "falling",         "no_clear_change",
                                      "no_clear_change", "no_clear_change", "too_little_data",
                                      "no_clear_change", "no_clear_change"};
  CU_ASSERT_EQUAL(verdict_judge_changes(c, 5), 5);
  CU_ASSERT_EQUAL(verdict_judge_changes(c + 5, 1), 0);
  CU_ASSERT_EQUAL(verdict_judge_changes(c + 6, 2), 2);
  /* 0.049 is the fourth of five: q = 0.049 x 5 / 4. */
  CU_ASSERT_DOUBLE_EQUAL(c[4].q, 0.06125, 1e-12);
  for (size_t i = 0; i < ARRAY_LEN(c); i++)
    CU_ASSERT_STRING_EQUAL(verdict_change_name(c[i].word), words[i]);
}

/* 117 of 5,320 and 96 of 5,190: 16 % down, and no clear change. */
static void a_change_is_measured_as_a_ratio_with_its_interval(void)
{
  struct stats_change c;
  bool enough;
  CU_ASSERT_TRUE_FATAL(verdict_measure_change((struct stats_ratio){117, 5320},
                                              (struct stats_ratio){96, 5190}, STATS_POISSON, 1, &c,
                                              &enough));
  CU_ASSERT_DOUBLE_EQUAL(c.ratio, 0.841065, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(c.low, 0.642114, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(c.high, 1.101660, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(c.se, sqrt(1.0 / 117 + 1.0 / 96), 1e-9);
  CU_ASSERT_TRUE(enough);
  struct change_cell one = verdict_change_cell(&c, enough);
  verdict_judge_changes(&one, 1);
  CU_ASSERT_EQUAL(one.word, CHANGE_NO_CLEAR);
}

static void few_events_before_or_expected_have_no_word(void)
{
  struct stats_change c;
  bool enough;
  CU_ASSERT_FALSE(verdict_measure_change((struct stats_ratio){0, 500}, (struct stats_ratio){9, 500},
                                         STATS_POISSON, 1, &c, &enough));
  CU_ASSERT_TRUE(verdict_measure_change(
      (struct stats_ratio){19, 500}, (struct stats_ratio){60, 500}, STATS_POISSON, 1, &c, &enough));
  CU_ASSERT_FALSE(enough);
  CU_ASSERT_TRUE(verdict_measure_change((struct stats_ratio){100, 5000},
                                        (struct stats_ratio){40, 499}, STATS_POISSON, 1, &c,
                                        &enough));
  CU_ASSERT_FALSE(enough);
}

static void nothing_after_much_is_a_fall(void)
{
  struct stats_change c;
  bool enough;
  CU_ASSERT_TRUE_FATAL(verdict_measure_change((struct stats_ratio){100, 5000},
                                              (struct stats_ratio){0, 5000}, STATS_POISSON, 1, &c,
                                              &enough));
  struct change_cell one = verdict_change_cell(&c, enough);
  verdict_judge_changes(&one, 1);
  CU_ASSERT_EQUAL(one.word, CHANGE_FALLING);
  CU_ASSERT_DOUBLE_EQUAL(one.size, -1, 0);
}

/* Where nothing changes, at most 8 % of answers hold a word: two independent changes of one rate.
 */
static void words_are_rare_where_nothing_changes(void)
{
  uint64_t seed = 5;
  int wrong = 0;
  enum { WORLDS = 4000, SESSIONS = 4000, RATE = 50 };
  for (int w = 0; w < WORLDS; w++) {
    struct change_cell cells[2];
    for (int k = 0; k < 2; k++) {
      struct stats_ratio parts[2] = {{0, SESSIONS}, {0, SESSIONS}};
      for (int i = 0; i < 2 * SESSIONS; i++) {
        seed = seed * 6364136223846793005u + 1442695040888963407u;
        parts[i % 2].numerator += (seed >> 33) % RATE == 0;
      }
      struct stats_change c = {0};
      bool enough = false;
      CU_ASSERT_TRUE(verdict_measure_change(parts[0], parts[1], STATS_POISSON, 1, &c, &enough));
      cells[k] = verdict_change_cell(&c, enough);
    }
    verdict_judge_changes(cells, 2);
    wrong += cells[0].word != CHANGE_NO_CLEAR || cells[1].word != CHANGE_NO_CLEAR;
  }
  CU_ASSERT_TRUE(wrong <= WORLDS * 8 / 100);
  CU_ASSERT_TRUE(wrong > 0);
}

TEST_MAIN("aggregate change", TEST(a_word_needs_an_interval_a_q_and_a_size),
          TEST(a_change_is_measured_as_a_ratio_with_its_interval),
          TEST(few_events_before_or_expected_have_no_word), TEST(nothing_after_much_is_a_fall),
          TEST(words_are_rare_where_nothing_changes))
