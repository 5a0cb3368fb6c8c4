/* The words of models. */
#include "aggregate-svc/verdict/models.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

/* A share of 10 % that moves to 12 %, 1 to 3 points up, at 20 dealers that show it. */
static const struct stats_share_change up = {
    .before = 0.1, .after = 0.12, .change = 0.02, .low = 0.01, .high = 0.03};

static void a_move_needs_q_size_interval_and_two_of_three_dealers(void)
{
  struct stats_share_change small = up, unsure = up, down = up;
  small.change = 0.0099;
  unsure.low = 0;
  down.change = -0.02;
  down.low = -0.03;
  down.high = -0.01;
  CU_ASSERT_EQUAL(model_judge_move(&up, 0.10, 14, 6, 20), MODEL_RISING);
  CU_ASSERT_EQUAL(model_judge_move(&up, 0.1001, 14, 6, 20), MODEL_NO_CLEAR_CHANGE);
  CU_ASSERT_EQUAL(model_judge_move(&up, 0.01, 13, 7, 20), MODEL_NO_CLEAR_CHANGE);
  CU_ASSERT_EQUAL(model_judge_move(&small, 0.01, 20, 0, 20), MODEL_NO_CLEAR_CHANGE);
  CU_ASSERT_EQUAL(model_judge_move(&unsure, 0.01, 20, 0, 20), MODEL_NO_CLEAR_CHANGE);
  CU_ASSERT_EQUAL(model_judge_move(&down, 0.01, 6, 14, 20), MODEL_FALLING);
  CU_ASSERT_EQUAL(model_judge_move(&down, 0.01, 7, 13, 20), MODEL_NO_CLEAR_CHANGE);
  CU_ASSERT_STRING_EQUAL(model_move_name(MODEL_RISING), "rising");
  CU_ASSERT_STRING_EQUAL(model_move_name(MODEL_FALLING), "falling");
  CU_ASSERT_STRING_EQUAL(model_move_name((enum model_move)9), "no_clear_change");
}

static void leads_need_q_and_an_interval(void)
{
  struct stats_interval above = {1.01, 1.5}, below = {0.5, 0.99}, both = {0.9, 1.2};
  CU_ASSERT_EQUAL(model_judge_leads(above, 0.10), EXPECTED_ABOVE);
  CU_ASSERT_EQUAL(model_judge_leads(below, 0.10), EXPECTED_BELOW);
  CU_ASSERT_EQUAL(model_judge_leads(above, 0.11), EXPECTED_NO_CLEAR_DIFFERENCE);
  CU_ASSERT_EQUAL(model_judge_leads(both, 0.001), EXPECTED_NO_CLEAR_DIFFERENCE);
}

TEST_MAIN("aggregate model words", TEST(a_move_needs_q_size_interval_and_two_of_three_dealers),
          TEST(leads_need_q_and_an_interval))
