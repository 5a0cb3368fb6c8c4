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

static struct measured_change measure(int64_t y1, int64_t n1, int64_t y2, int64_t n2)
{
  return verdict_measure_change((struct stats_ratio){y1, n1}, (struct stats_ratio){y2, n2},
                                STATS_POISSON, 1);
}

/* The word of a change that is judged alone. */
static enum verdict_change word_of(struct measured_change m)
{
  struct change_cell c = verdict_change_cell(&m.change, m.known && m.enough);
  verdict_judge_changes(&c, 1);
  return c.word;
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
  struct measured_change m = measure(117, 5320, 96, 5190);
  CU_ASSERT_TRUE_FATAL(m.known);
  CU_ASSERT_DOUBLE_EQUAL(m.change.ratio, 0.841065, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(m.change.low, 0.642114, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(m.change.high, 1.101660, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(m.change.se, sqrt(1.0 / 117 + 1.0 / 96), 1e-9);
  CU_ASSERT_TRUE(m.enough);
  CU_ASSERT_EQUAL(word_of(m), CHANGE_NO_CLEAR);
}

static void few_events_before_or_expected_have_no_word(void)
{
  CU_ASSERT_FALSE(measure(0, 500, 9, 500).known);
  CU_ASSERT_FALSE(measure(0, 0, 5, 10).known);
  CU_ASSERT_TRUE(measure(19, 500, 60, 500).known);
  CU_ASSERT_FALSE(measure(19, 500, 60, 500).enough);
  CU_ASSERT_TRUE(measure(100, 5000, 40, 499).known);
  CU_ASSERT_FALSE(measure(100, 5000, 40, 499).enough);
  CU_ASSERT_EQUAL(word_of(measure(19, 500, 190, 500)), CHANGE_TOO_LITTLE_DATA);
  CU_ASSERT_EQUAL(word_of(measure(0, 0, 5, 10)), CHANGE_TOO_LITTLE_DATA);
}

static void a_large_change_of_enough_events_has_a_word(void)
{
  CU_ASSERT_EQUAL(word_of(measure(100, 5000, 200, 5000)), CHANGE_RISING);
  CU_ASSERT_EQUAL(word_of(measure(200, 5000, 100, 5000)), CHANGE_FALLING);
  /* 4 %, however sure */
  CU_ASSERT_EQUAL(word_of(measure(1000000, 10000000, 1040000, 10000000)), CHANGE_NO_CLEAR);
}

static void nothing_after_much_is_a_fall(void)
{
  struct measured_change m = measure(100, 5000, 0, 5000);
  CU_ASSERT_TRUE_FATAL(m.known);
  CU_ASSERT_EQUAL(word_of(m), CHANGE_FALLING);
  CU_ASSERT_DOUBLE_EQUAL(m.change.ratio, 0, 0);
}

static void over_dispersion_widens_the_interval(void)
{
  struct stats_ratio before = {100, 5000}, after = {140, 5000};
  CU_ASSERT_EQUAL(word_of(verdict_measure_change(before, after, STATS_POISSON, 1)), CHANGE_RISING);
  CU_ASSERT_EQUAL(word_of(verdict_measure_change(before, after, STATS_POISSON, 4)),
                  CHANGE_NO_CLEAR);
}

static void what_the_market_did_is_taken_out(void)
{
  struct change_cell cells[2];
  struct change_row row = {.own = measure(1000, 28, 830, 28),       /* -17 % */
                           .market = measure(10000, 28, 7500, 28)}; /* -25 % */
  verdict_compare_changes(&row, cells);
  CU_ASSERT_EQUAL(verdict_judge_changes(cells, 2), 2);
  CU_ASSERT_EQUAL(cells[0].word, CHANGE_FALLING);
  CU_ASSERT_EQUAL(cells[1].word, CHANGE_RISING);
  CU_ASSERT_DOUBLE_EQUAL(row.relative.ratio, 0.83 / 0.75, 1e-9);
  row.market = measure(0, 28, 7500, 28);
  verdict_compare_changes(&row, cells);
  CU_ASSERT_FALSE(row.has_relative);
  CU_ASSERT_EQUAL(verdict_judge_changes(cells, 2), 1);
  CU_ASSERT_EQUAL(cells[1].word, CHANGE_TOO_LITTLE_DATA);
}

static void many_changes_are_tested_together(void)
{
  struct change_cell many[20];
  struct measured_change alone = measure(100, 5000, 134, 5000),
                         still = measure(100, 5000, 101, 5000);
  CU_ASSERT_EQUAL(word_of(alone), CHANGE_RISING); /* p 0.027 */
  for (size_t i = 0; i < ARRAY_LEN(many); i++)
    many[i] = verdict_change_cell(i == 0 ? &alone.change : &still.change, true);
  CU_ASSERT_EQUAL(verdict_judge_changes(many, ARRAY_LEN(many)), ARRAY_LEN(many));
  CU_ASSERT_EQUAL(many[0].word, CHANGE_NO_CLEAR);
}

static void an_unknown_word_is_too_little_data(void)
{
  CU_ASSERT_STRING_EQUAL(verdict_change_name((enum verdict_change)99), "too_little_data");
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
      struct measured_change m = verdict_measure_change(parts[0], parts[1], STATS_POISSON, 1);
      CU_ASSERT_TRUE(m.known);
      cells[k] = verdict_change_cell(&m.change, m.enough);
    }
    verdict_judge_changes(cells, 2);
    wrong += cells[0].word != CHANGE_NO_CLEAR || cells[1].word != CHANGE_NO_CLEAR;
  }
  CU_ASSERT_TRUE(wrong <= WORLDS * 8 / 100);
  CU_ASSERT_TRUE(wrong > 0);
}

TEST_MAIN("aggregate change", TEST(a_word_needs_an_interval_a_q_and_a_size),
          TEST(a_change_is_measured_as_a_ratio_with_its_interval),
          TEST(few_events_before_or_expected_have_no_word),
          TEST(a_large_change_of_enough_events_has_a_word), TEST(nothing_after_much_is_a_fall),
          TEST(over_dispersion_widens_the_interval), TEST(what_the_market_did_is_taken_out),
          TEST(many_changes_are_tested_together), TEST(an_unknown_word_is_too_little_data),
          TEST(words_are_rare_where_nothing_changes))
