/* The door: which periods are released, week by week, and how many figures a day. */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/disclosure/cell.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/door_world.h"
#include "tests/unit/harness.h"

/* ------------------------------------------------------------------------- periods */

/* Nobody outside is asked, the caller's own dealers are. */
static void expect_not_asked(struct world *w, enum disclosure_code code, const char *words)
{
  struct door d;
  struct door_options o = {w->store, DISCLOSURE_POLICY_DEFAULT, w->cells_per_day};
  AUTO_BUF struct buf text = BUF_INIT(1000);
  door_init(&d, &o, &w->cohort, w->now_unix_ms);
  door_admit(&d, w->period, w->relative);
  CU_ASSERT_EQUAL(d.withheld, code);
  for (size_t i = 0; i < w->cohort.n; i++) {
    CU_ASSERT_EQUAL(w->members[i].state, w->members[i].visible ? DEALER_OK : DEALER_NOT_ASKED);
    w->members[i].state = DEALER_OK;
  }
  door_explain(&d, &text);
  if (strstr(buf_str(&text), words) == NULL)
    printf("\n  %s\n", buf_str(&text));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&text), words));
  door_close(&d);
}

static void P14_a_period_a_day_shorter_is_refused_with_the_nearest(void) /* A4 */
{
  struct world w;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_RESTRICTED);
  w.period.last--;
  expect_not_asked(&w, DISCLOSURE_NOT_IN_LATTICE,
                   "2026-10-05 to 2026-11-01 (weeks) and 2026-10-01 to 2026-10-31 (months)");
  w.period.last++;
  w.relative = true; /* other days in other zones */
  expect_not_asked(&w, DISCLOSURE_NOT_IN_LATTICE, "2026-10-05 to 2026-11-01 (weeks)");
  world_free(&w);
}

static void a_week_that_is_not_complete_is_not_frozen(void)
{
  struct world w;
  world_init(&w, 9, 1);
  w.now_unix_ms = world_day("2026-11-04") * 86400000;
  expect_not_asked(&w, DISCLOSURE_NOT_READY, "2026-09-28 to 2026-10-25 (weeks)");
  w.now_unix_ms += (int64_t)12 * 3600000 - 1;
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_NOT_READY);
  for (size_t i = 0; i < w.cohort.n; i++)
    w.members[i].state = DEALER_OK;
  w.now_unix_ms++; /* the fourth day has begun everywhere */
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_RESTRICTED);
  world_free(&w);
}

/* 4 weeks pass, but one of them must not be the difference to 3. */
static void a_week_that_does_not_pass_by_itself_withholds_the_weeks_it_is_in(void)
{
  struct world w;
  struct door d;
  struct door_figure f;
  struct disclosure_member week[MEMBERS_MAX];
  const struct disclosure_member *bases[] = {w.figures, week};
  world_init(&w, 9, 1);
  memcpy(week, w.figures, sizeof(week));
  struct door_cell cell = {.metric = "m",
                           .slice = "",
                           .members = w.figures,
                           .bases = bases,
                           .n_bases = 2,
                           .rate = true,
                           .scale = 100};
  week[4].numerator = 100000; /* one dealer has that week's events */
  world_begin(&w, &d);
  door_figure(&d, &cell, &f);
  CU_ASSERT_EQUAL(f.code, DISCLOSURE_DOMINANCE);
  week[4] = w.figures[4];
  cell.metric = "n"; /* the refusal of the other one holds for a day */
  door_figure(&d, &cell, &f);
  CU_ASSERT_EQUAL(f.code, DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  door_close(&d);
  world_free(&w);
}

enum { CROWD = 9 };

/* Engagement of 9 dealers over some weeks in a row from the world's first on. `weeks` is filled
 * with the figures of each, week x dealer; the period's own are their sums, with `effects` at
 * dealer 4. */
static void engagement_of_weeks(struct world *w, const struct dealer_figures *weeks, size_t n,
                                unsigned effects, struct door_figure *out)
{
  struct door d;
  struct dealer_figures live[CROWD] = {{0}};
  struct lead_events leads = {NULL, 0};
  for (size_t i = 0; i < CROWD; i++) {
    live[i] = weeks[i];
    live[i].effects = i == 4 ? effects : 0;
    for (size_t k = 1; k < n; k++) {
      live[i].now.sessions += weeks[k * CROWD + i].now.sessions;
      live[i].now.engaged_sessions += weeks[k * CROWD + i].now.engaged_sessions;
    }
  }
  struct cohort_figures figures = {&w->cohort, live, &leads};
  struct metric_group g = {
      .metric = METRIC_ENGAGEMENT_RATE, .lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
  world_begin_anew(w, &d);
  d.bases[DOOR_NOW] = (struct door_bases){weeks, NULL, n};
  cell_figure(&d, &figures, g, CELL_NOW, out);
  door_close(&d);
}

static void set_week(struct dealer_figures *f, int64_t sessions, int64_t engaged)
{
  *f = (struct dealer_figures){.ok = true, .lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
  f->now = (struct dealer_counts){.sessions = sessions, .engaged_sessions = engaged};
}

static void each_week_must_have_the_dealers_and_no_one_that_dominates(void)
{
  for (int wrong = 0; wrong < 7; wrong++) {
    struct world w;
    struct door_figure f;
    struct dealer_figures weeks[2 * CROWD];
    world_init(&w, CROWD, 1);
    for (size_t i = 0; i < 2 * CROWD; i++)
      set_week(&weeks[i], 1000, 500);
    if (wrong == 1) /* in the second week four of eight had visitors */
      for (size_t i = 14; i < 2 * CROWD; i++)
        set_week(&weeks[i], 0, 0);
    if (wrong == 2) /* one had as many as all others in it, and few in the first */
      set_week(&weeks[CROWD + 4], 7000, 3500);
    if (wrong == 3) /* not the denominator: the engaged sessions of it */
      for (size_t i = CROWD; i < 2 * CROWD; i++)
        set_week(&weeks[i], 1000, i == CROWD + 4 ? 500 : 20);
    if (wrong == 4) /* nothing wrong: a week with few events in it, most of them of one dealer */
      for (size_t i = CROWD; i < 2 * CROWD; i++)
        set_week(&weeks[i], 1000, i == 12 ? 12 : 1);
    if (wrong == 5) /* the first week is before the first day of all but the caller's own */
      for (size_t i = 1; i < CROWD; i++)
        set_week(&weeks[i], 0, 0);
    if (wrong == 6) /* nothing wrong: two of eight join in the second week */
      for (size_t i = 1; i < 3; i++)
        set_week(&weeks[i], 0, 0);
    static const enum disclosure_code expected[] = {
        DISCLOSURE_RESTRICTED, DISCLOSURE_MIN_CONTRIBUTORS, DISCLOSURE_DOMINANCE,
        DISCLOSURE_DOMINANCE,  DISCLOSURE_RESTRICTED,       DISCLOSURE_MIN_CONTRIBUTORS,
        DISCLOSURE_RESTRICTED};
    engagement_of_weeks(&w, weeks, 2, 0, &f);
    CU_ASSERT_EQUAL(f.code, expected[wrong]);
    if (wrong == 6) /* with the weeks that they have */
      CU_ASSERT_TRUE(f.record.denominator == 14 * 1000 && f.record.numerator == 14 * 500 &&
                     f.dealers == 8);
    door_figure_free(&f);
    world_free(&w);
  }
}

/* Attack: the data of a dealer is suspect in one week, or over the whole period, or in neither. If
 * it were in the pool of three weeks and not in that of four, their difference would give it away.
 * So a pool of weeks is the sum of theirs, whatever is found over the period as a whole. */
static void a_dealer_suspect_in_one_week_is_not_the_difference_of_two_releases(void)
{
  for (int plan = 0; plan < 4; plan++) {
    struct world w;
    struct door_figure all;
    struct dealer_figures weeks[2 * CROWD];
    int64_t numerator = 0, denominator = 0;
    for (size_t i = 0; i < 2 * CROWD; i++) {
      set_week(&weeks[i], 1000 + 37 * (int64_t)i, 500 + 11 * (int64_t)i);
      if (i == CROWD + 4 && plan % 2 == 1)
        weeks[i].effects = EFFECT_NO_POOL;
    }
    world_init(&w, CROWD, 1);
    engagement_of_weeks(&w, weeks, 2, plan >= 2 ? EFFECT_NO_POOL : 0, &all);
    CU_ASSERT_EQUAL(all.code, DISCLOSURE_RESTRICTED);
    world_free(&w);
    for (size_t k = 0; k < 2; k++) {
      struct door_figure one;
      world_init(&w, CROWD, 1);
      engagement_of_weeks(&w, weeks + k * CROWD, 1, 0, &one);
      CU_ASSERT_EQUAL(one.code, DISCLOSURE_RESTRICTED);
      numerator += one.record.numerator;
      denominator += one.record.denominator;
      door_figure_free(&one);
      world_free(&w);
    }
    CU_ASSERT_EQUAL(all.record.numerator, numerator);
    CU_ASSERT_EQUAL(all.record.denominator, denominator);
    door_figure_free(&all);
  }
}

/* -------------------------------------------------------------------------- budget */

static void A13_who_floods_gets_what_it_had_and_asks_nobody(void)
{
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 1);
  w.cells_per_day = 20;
  int released = 0;
  for (int i = 0; i < 30; i++) {
    w.period.first -= 7;
    w.period.last -= 7;
    released += world_code(&w) == DISCLOSURE_RESTRICTED;
    for (size_t k = 0; k < w.cohort.n; k++)
      w.members[k].state = DEALER_OK;
  }
  CU_ASSERT_TRUE(released >= 5 && released <= 7); /* question, coverage, figure */
  expect_not_asked(&w, DISCLOSURE_BUDGET, "asked for 20 new figures");
  w.period =
      (struct lattice_span){world_day("2026-09-28"), world_day("2026-10-25")}; /* the first one */
  CU_ASSERT_EQUAL(world_ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  world_free(&w);
}

static void without_a_store_nothing_is_released(void)
{
  struct world w;
  world_init(&w, 9, 1);
  release_store_free(w.store);
  w.store = NULL;
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_NOT_READY);
}

TEST_MAIN("aggregate door periods", TEST(P14_a_period_a_day_shorter_is_refused_with_the_nearest),
          TEST(a_week_that_is_not_complete_is_not_frozen),
          TEST(a_week_that_does_not_pass_by_itself_withholds_the_weeks_it_is_in),
          TEST(each_week_must_have_the_dealers_and_no_one_that_dominates),
          TEST(a_dealer_suspect_in_one_week_is_not_the_difference_of_two_releases),
          TEST(A13_who_floods_gets_what_it_had_and_asks_nobody),
          TEST(without_a_store_nothing_is_released))
