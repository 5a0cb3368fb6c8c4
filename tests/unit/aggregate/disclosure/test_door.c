/* The door: what an outside viewer gets of the dealers it does not see, and what is frozen with it.
 */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/disclosure/outside.h"
#include "common/base/mem.h"
#include "common/rpc/grant_reasons.h"
#include "tests/unit/aggregate/support/door_world.h"
#include "tests/unit/harness.h"

/* ------------------------------------------------------------------------ the pool */

static void the_pool_is_that_of_the_dealers_outside_alone(void) /* A1, A7 */
{
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 3);
  CU_ASSERT_EQUAL_FATAL(world_ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_TRUE(rounds_to(world_pool(&w, 3), f.pooled));
  CU_ASSERT_FALSE(rounds_to(world_pool(&w, 0), f.pooled));
  CU_ASSERT_EQUAL(f.asked, 6);
  CU_ASSERT_EQUAL(f.dealers, 6);
  CU_ASSERT_EQUAL(f.record.n_values, 6);
  door_figure_free(&f);
  world_free(&w);
}

static void P9_four_own_of_nine_leave_enough_and_five_do_not(void)
{
  struct world w;
  world_init(&w, 9, 4);
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_RESTRICTED);
  world_free(&w);
  world_init(&w, 9, 5);
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_MIN_CONTRIBUTORS);
  world_free(&w);
}

static void P10_a_caller_that_sees_all_passes_no_door(void)
{
  struct world w;
  world_init(&w, 9, 9);
  w.period.last--; /* any period */
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_OPEN);
  world_free(&w);
}

static void a_share_is_withheld_when_its_rest_must_be(void)
{
  struct world w;
  world_init(&w, 8, 1);
  for (size_t i = 1; i < 8; i++)
    w.figures[i].numerator = w.figures[i].denominator - 1;
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_RESTRICTED);
  w.share = true;
  struct door_figure f;
  CU_ASSERT_EQUAL(world_ask(&w, "share", &f), DISCLOSURE_MIN_VOLUME);
  world_free(&w);
}

static void of_counts_only_the_rank_comes_out(void)
{
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 1);
  w.rate = false;
  CU_ASSERT_EQUAL(world_ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f.pooled, 0);
  CU_ASSERT_FALSE(f.typical.quartiles || f.typical.middle);
  CU_ASSERT_EQUAL(f.record.n_values, 8);
  door_figure_free(&f);
  world_free(&w);
}

/* ------------------------------------------------------------------------ freezing */

static void P13_the_same_question_after_a_dealer_failed_has_the_same_answer(void) /* A3 */
{
  struct world w;
  struct door_figure first, again;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(world_ask(&w, "m", &first), DISCLOSURE_RESTRICTED);
  w.members[5].state = DEALER_FAILED;
  w.members[5].code = ERR_PERMISSION_DENIED; /* consent withdrawn */
  w.figures[5].contributes = false;
  w.figures[2].numerator += 50; /* late data */
  CU_ASSERT_EQUAL_FATAL(world_ask(&w, "m", &again), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(again.pooled, first.pooled);
  CU_ASSERT_EQUAL(again.dealers, first.dealers);
  CU_ASSERT_EQUAL(again.record.numerator, first.record.numerator);
  CU_ASSERT_TRUE(w.cohort.outside_frozen);
  CU_ASSERT_EQUAL(cohort_asked(&w.cohort), 9);
  CU_ASSERT_EQUAL(cohort_in_figures(&w.cohort), 9); /* as it was */
  door_figure_free(&first);
  door_figure_free(&again);
  world_free(&w);
}

static void a_release_is_one_for_all_who_see_the_same_and_another_for_others(void)
{
  struct world w;
  struct door_figure mine, partners, others;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(world_ask(&w, "m", &mine), DISCLOSURE_RESTRICTED);
  w.cohort.scope.viewer = "another person of the dealer";
  for (size_t i = 1; i < 9; i++)
    w.figures[i].numerator += 3;
  world_ask(&w, "m", &partners);
  CU_ASSERT_EQUAL(partners.pooled, mine.pooled);
  w.cohort.scope.view = "another dealer's";
  world_ask(&w, "m", &others);
  CU_ASSERT_NOT_EQUAL(others.pooled, mine.pooled);
  door_figure_free(&mine);
  door_figure_free(&partners);
  door_figure_free(&others);
  world_free(&w);
}

static void a_new_dealer_is_not_the_difference_of_two_releases(void) /* A3 */
{
  struct world w;
  struct door_figure f;
  world_init(&w, 10, 1);
  w.cohort.n--;
  w.cohort.outside--;
  CU_ASSERT_EQUAL_FATAL(world_ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  w.cohort.n++;
  w.cohort.outside++;
  w.cohort.scope.version = "v2";
  w.period.first += 7; /* overlaps */
  w.period.last += 7;
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_COHORT_CHANGED);
  w.period.first += 21; /* begins where the last one ended */
  w.period.last += 21;
  w.now_unix_ms += (int64_t)40 * 86400000;
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_RESTRICTED);
  world_free(&w);
}

static void a_dealer_that_is_late_withholds_what_was_not_released_before(void)
{
  static const enum err_code passing[] = {ERR_DEADLINE_EXCEEDED, ERR_UNAVAILABLE,
                                          ERR_RESOURCE_EXHAUSTED, ERR_INTERNAL};
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(world_ask(&w, "before", &f), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  w.members[5].state = DEALER_FAILED;
  w.figures[5].contributes = false;
  for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
    w.members[5].code = passing[i];
    CU_ASSERT_EQUAL(world_ask(&w, "now", &f), DISCLOSURE_NOT_READY);
    CU_ASSERT_EQUAL(world_ask(&w, "before", &f), DISCLOSURE_RESTRICTED);
    CU_ASSERT_EQUAL(f.dealers, 8);
    door_figure_free(&f);
  }
  w.members[5].state = DEALER_OK; /* it has answered now */
  w.figures[5].contributes = true;
  CU_ASSERT_EQUAL(world_ask(&w, "now", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f.dealers, 8);
  door_figure_free(&f);
  world_free(&w);
}

/* report-svc asks nobody for a caller whose share is used up; figures of before need nobody. */
static void a_caller_without_a_share_left_gets_what_was_released_and_a_time(void)
{
  struct world w;
  struct door d;
  struct door_figure f;
  AUTO_BUF struct buf why = BUF_INIT(4096);
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(world_ask(&w, "before", &f), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  world_begin_anew(&w, &d);
  CU_ASSERT_PTR_NULL(d.spent);
  door_close(&d);
  for (size_t i = 0; i < 9; i++) {
    w.members[i].state = DEALER_FAILED;
    w.members[i].code = ERR_RESOURCE_EXHAUSTED;
    snprintf(w.members[i].message, sizeof(w.members[i].message), "no more, try again after 13:00Z");
    w.figures[i].contributes = false;
  }
  snprintf(w.members[7].reason, sizeof(w.members[7].reason), "%s", GRANT_REASON_SHARE_SPENT);
  CU_ASSERT_EQUAL(world_ask(&w, "now", &f), DISCLOSURE_NOT_READY);
  CU_ASSERT_EQUAL(world_ask(&w, "before", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f.dealers, 8);
  door_figure_free(&f);
  world_begin_anew(&w, &d);
  CU_ASSERT_PTR_EQUAL(d.spent, &w.members[7]);
  door_explain(&d, &why);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&why), "try again after 13:00Z"));
  door_close(&d);
  world_free(&w);
}

static void a_failure_that_lasts_leaves_the_dealer_out_before_the_freeze(void)
{
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 1);
  w.members[5].state = DEALER_FAILED;
  w.members[5].code = ERR_PERMISSION_DENIED;
  w.figures[5].contributes = false;
  CU_ASSERT_EQUAL(world_ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f.asked, 8);
  CU_ASSERT_EQUAL(f.dealers, 7);
  door_figure_free(&f);
  world_free(&w);
}

TEST_MAIN("aggregate door", TEST(the_pool_is_that_of_the_dealers_outside_alone),
          TEST(P9_four_own_of_nine_leave_enough_and_five_do_not),
          TEST(P10_a_caller_that_sees_all_passes_no_door),
          TEST(a_share_is_withheld_when_its_rest_must_be), TEST(of_counts_only_the_rank_comes_out),
          TEST(P13_the_same_question_after_a_dealer_failed_has_the_same_answer),
          TEST(a_release_is_one_for_all_who_see_the_same_and_another_for_others),
          TEST(a_new_dealer_is_not_the_difference_of_two_releases),
          TEST(a_dealer_that_is_late_withholds_what_was_not_released_before),
          TEST(a_caller_without_a_share_left_gets_what_was_released_and_a_time),
          TEST(a_failure_that_lasts_leaves_the_dealer_out_before_the_freeze))
