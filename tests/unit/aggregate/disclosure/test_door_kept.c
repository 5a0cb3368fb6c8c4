/* The door: answers from what was released before, without asking other dealers. */
#include <string.h>

#include "aggregate-svc/disclosure/outside.h"
#include "tests/unit/aggregate/support/door_world.h"
#include "tests/unit/harness.h"

/* --------------------------------------------------------------- answers from the store */

static void figures_that_were_released_are_had_without_asking_others(void)
{
  struct world w;
  struct door d;
  struct door_figure first, again;
  bool asked = false;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(world_ask_seen(&w, "m", &first, &asked), DISCLOSURE_RESTRICTED);
  CU_ASSERT_TRUE(asked);
  memset(&w.figures[1], 0, 8 * sizeof(w.figures[1])); /* nobody outside answers */
  CU_ASSERT_EQUAL_FATAL(world_ask_seen(&w, "m", &again, &asked), DISCLOSURE_RESTRICTED);
  CU_ASSERT_FALSE(asked);
  CU_ASSERT_EQUAL(again.pooled, first.pooled);
  CU_ASSERT_EQUAL(again.record.n_values, first.record.n_values);
  world_begin(&w, &d);
  for (size_t i = 0; i < 9; i++)
    CU_ASSERT_EQUAL(w.members[i].state, i == 0 ? DEALER_OK : DEALER_NOT_ASKED);
  CU_ASSERT_EQUAL(cohort_asked(&w.cohort), 9); /* as released */
  CU_ASSERT_EQUAL(cohort_in_figures(&w.cohort), 9);
  door_close(&d);
  door_figure_free(&first);
  door_figure_free(&again);
  world_free(&w);
}

static void a_figure_that_is_new_makes_others_be_asked(void)
{
  struct world w;
  struct door_figure f;
  bool asked = false;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(world_ask_seen(&w, "another", &f, &asked), DISCLOSURE_RESTRICTED);
  CU_ASSERT_TRUE(asked);
  CU_ASSERT_TRUE(rounds_to(world_pool(&w, 1), f.pooled));
  door_figure_free(&f);
  world_free(&w);
}

/* Else a question with one withheld figure would cost the others' quota each time. */
static void a_refusal_is_remembered_and_costs_nothing_either(void)
{
  struct world w;
  struct door_figure f;
  bool asked = false;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_RESTRICTED);
  w.figures[4].numerator = 100000;
  CU_ASSERT_EQUAL(world_ask_seen(&w, "unequal", &f, &asked), DISCLOSURE_DOMINANCE);
  CU_ASSERT_TRUE(asked);
  CU_ASSERT_EQUAL(world_ask_seen(&w, "unequal", &f, &asked), DISCLOSURE_DOMINANCE);
  CU_ASSERT_FALSE(asked);
  w.cohort.scope.version = "v2"; /* decided on other members */
  CU_ASSERT_NOT_EQUAL(world_ask_seen(&w, "unequal", &f, &asked), DISCLOSURE_OPEN);
  CU_ASSERT_TRUE(asked);
  world_free(&w);
}

static void a_new_figure_beside_released_ones_costs_budget_or_is_withheld(void)
{
  struct world w;
  struct door_figure f;
  bool asked = false;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL(world_code(&w), DISCLOSURE_RESTRICTED);
  w.cells_per_day = 3; /* question, coverage, figure: all used */
  CU_ASSERT_EQUAL(world_ask_seen(&w, "another", &f, &asked), DISCLOSURE_BUDGET);
  CU_ASSERT_FALSE(asked);
  CU_ASSERT_EQUAL(world_ask_seen(&w, "m", &f, &asked), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  world_free(&w);
}

static void what_is_said_of_dealers_outside_is_kept_with_the_release(void)
{
  struct world w;
  struct door d;
  struct outside_view shown;
  struct dealer_figures live[MEMBERS_MAX] = {{0}};
  struct dealer_notes notes[MEMBERS_MAX] = {{0}};
  char *names[] = {(char *)"asc_form_submission", (char *)"generate_lead", (char *)"form_submit",
                   (char *)"own_event"};
  struct lead_events leads = {names, 4};
  struct arena *arena = arena_new(1 << 20);
  world_init(&w, 9, 1);
  for (int i = 0; i < 9; i++)
    live[i] = (struct dealer_figures){.ok = i != 8,
                                      .lead_event = i == 2   ? LEAD_UNKNOWN
                                                    : i == 3 ? 3
                                                             : 1,
                                      .shopper = i == 4 ? SHOPPER_EVENT + 3 : SHOPPER_ENGAGED,
                                      .now = {.sessions = i == 5 ? 0 : 100 + i}};
  notes[6] = (struct dealer_notes){.thresholding = true, .sampled = true, .sample_rate = 0.125};
  struct cohort_figures figures = {&w.cohort, live, &leads};
  world_begin(&w, &d);
  outside_show(&d, "", &figures, notes, arena, &shown);
  door_close(&d);
  for (size_t i = 1; i < 9; i++) { /* all is different now, and nobody is asked */
    live[i] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
    w.members[i].code = ERR_UNAVAILABLE;
  }
  memset(notes, 0, sizeof(notes));
  world_begin(&w, &d);
  CU_ASSERT_TRUE(d.kept_only);
  outside_show(&d, "", &figures, notes, arena, &shown);
  CU_ASSERT_FALSE(d.missing);
  size_t ok = 0, unknown = 0, own = 0, engaged = 0, by_event = 0, empty = 0, noted = 0;
  for (size_t i = 1; i < 9; i++) {
    const struct dealer_figures *f = &shown.figures[i];
    ok += f->ok && shown.cohort.members[i].state == DEALER_OK;
    unknown += f->ok && f->lead_event == LEAD_UNKNOWN;
    own += f->ok && f->lead_event == 3;
    engaged += f->ok && f->shopper == SHOPPER_ENGAGED;
    by_event += f->ok && f->shopper == SHOPPER_EVENT + 3;
    empty += f->ok && f->now.sessions == 0;
    noted += shown.notes[i].thresholding && shown.notes[i].sampled &&
             shown.notes[i].sample_rate == 0.125;
  }
  CU_ASSERT_EQUAL(ok, 7);
  CU_ASSERT_EQUAL(unknown, 1);
  CU_ASSERT_EQUAL(own, 1);
  CU_ASSERT_EQUAL(engaged, 6);
  CU_ASSERT_EQUAL(by_event, 1);
  CU_ASSERT_EQUAL(empty, 1);
  CU_ASSERT_EQUAL(noted, 1);
  CU_ASSERT_EQUAL(shown.figures[0].now.sessions, 100); /* its own are as they are */
  door_close(&d);
  arena_free(arena);
  world_free(&w);
}

TEST_MAIN("aggregate door kept", TEST(figures_that_were_released_are_had_without_asking_others),
          TEST(a_figure_that_is_new_makes_others_be_asked),
          TEST(a_refusal_is_remembered_and_costs_nothing_either),
          TEST(a_new_figure_beside_released_ones_costs_budget_or_is_withheld),
          TEST(what_is_said_of_dealers_outside_is_kept_with_the_release))
