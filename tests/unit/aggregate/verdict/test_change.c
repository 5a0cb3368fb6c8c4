/* Words about changes: the gate, the interval, the market, and how often chance gets a word. */
#include <math.h>
#include <string.h>

#include "aggregate-svc/verdict/change.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static struct change_cell cell(int64_t y1, int64_t n1, int64_t y2, int64_t n2)
{
  return (struct change_cell){.own = {{y1, n1}, {y2, n2}, 1}, .model = STATS_POISSON};
}

static enum change_word word_of(struct change_cell c)
{
  change_judge(&c, 1);
  return c.word;
}

static void down_16_percent_of_117_leads_is_no_clear_change(void)
{
  struct change_cell c = cell(117, 5320, 96, 5190);
  CU_ASSERT_EQUAL(change_judge(&c, 1), 1);
  CU_ASSERT_EQUAL(c.word, CHANGE_NO_CLEAR_CHANGE);
  CU_ASSERT_DOUBLE_EQUAL(c.change.ratio, 0.841065, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(c.change.low, 0.642114, 1e-6);
  CU_ASSERT_DOUBLE_EQUAL(c.change.high, 1.101660, 1e-6);
}

static void a_word_needs_data_an_interval_and_a_tenth(void)
{
  CU_ASSERT_EQUAL(word_of(cell(100, 5000, 200, 5000)), CHANGE_ROSE);
  CU_ASSERT_EQUAL(word_of(cell(200, 5000, 100, 5000)), CHANGE_FELL);
  CU_ASSERT_EQUAL(word_of(cell(19, 500, 190, 500)), CHANGE_TOO_LITTLE_DATA);
  CU_ASSERT_EQUAL(word_of(cell(100, 5000, 9, 400)), CHANGE_TOO_LITTLE_DATA); /* 8 expected */
  CU_ASSERT_EQUAL(word_of(cell(100000, 1000000, 105000, 1000000)), CHANGE_NO_CLEAR_CHANGE);
  CU_ASSERT_EQUAL(word_of(cell(0, 0, 5, 10)), CHANGE_TOO_LITTLE_DATA);
  CU_ASSERT_EQUAL(word_of(cell(50, 5000, 0, 5000)), CHANGE_FELL); /* no event at all */
}

static void over_dispersion_widens_the_interval(void)
{
  struct change_cell c = cell(100, 5000, 140, 5000);
  CU_ASSERT_EQUAL(word_of(c), CHANGE_ROSE);
  c.own.phi = 4;
  CU_ASSERT_EQUAL(word_of(c), CHANGE_NO_CLEAR_CHANGE);
}

static void what_the_market_did_is_taken_out(void)
{
  struct change_cell c = cell(1000, 28, 830, 28); /* -17 % */
  c.has_market = true;
  c.market = (struct change_pair){{10000, 28}, {7500, 28}, 1}; /* -25 % */
  CU_ASSERT_EQUAL(change_judge(&c, 1), 2);
  CU_ASSERT_EQUAL(c.word, CHANGE_FELL);
  CU_ASSERT_EQUAL(c.relative_word, CHANGE_ROSE);
  CU_ASSERT_DOUBLE_EQUAL(c.relative.ratio, 0.83 / 0.75, 1e-12);
  c.market.before = (struct stats_ratio){0, 28};
  CU_ASSERT_EQUAL(change_judge(&c, 1), 1);
  CU_ASSERT_FALSE(c.has_market);
  CU_ASSERT_EQUAL(c.relative_word, CHANGE_TOO_LITTLE_DATA);
}

static void many_changes_are_tested_together(void)
{
  struct change_cell alone = cell(100, 5000, 134, 5000), many[20];
  CU_ASSERT_EQUAL(word_of(alone), CHANGE_ROSE); /* p 0.027 */
  many[0] = alone;
  for (size_t i = 1; i < ARRAY_LEN(many); i++)
    many[i] = cell(100, 5000, 101, 5000);
  CU_ASSERT_EQUAL(change_judge(many, ARRAY_LEN(many)), ARRAY_LEN(many));
  CU_ASSERT_EQUAL(many[0].word, CHANGE_NO_CLEAR_CHANGE);
}

static void every_word_has_a_name(void)
{
  CU_ASSERT_STRING_EQUAL(change_word_name(CHANGE_ROSE), "rose");
  CU_ASSERT_STRING_EQUAL(change_word_name(CHANGE_FELL), "fell");
  CU_ASSERT_STRING_EQUAL(change_word_name(CHANGE_NO_CLEAR_CHANGE), "no_clear_change");
  CU_ASSERT_STRING_EQUAL(change_word_name((enum change_word)99), "too_little_data");
}

TEST_MAIN("aggregate change", TEST(down_16_percent_of_117_leads_is_no_clear_change),
          TEST(a_word_needs_data_an_interval_and_a_tenth),
          TEST(over_dispersion_widens_the_interval), TEST(what_the_market_did_is_taken_out),
          TEST(many_changes_are_tested_together), TEST(every_word_has_a_name))
