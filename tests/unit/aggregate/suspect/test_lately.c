/* Dealers with suspect data, as operators see them. */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/call/note.h"
#include "aggregate-svc/suspect/lately.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static const int64_t noon = INT64_C(1795953600);

static void note(struct suspect_lately *l, const char *dealer, bool gap, bool shift, int64_t now)
{
  struct suspect_findings f = {0};
  f.of[SUSPECT_GAP].found = gap;
  f.of[SUSPECT_SHIFT].found = shift;
  lately_note(l, dealer, &f, now);
}

static void the_last_check_of_a_dealer_is_what_holds(void)
{
  struct suspect_lately *l = lately_new();
  struct lately_dealer list[4];
  note(l, "d01", true, true, noon);
  note(l, "d02", true, false, noon);
  note(l, "d01", false, true, noon + 60);
  CU_ASSERT_EQUAL_FATAL(lately_list(l, list, 4, noon + 60), 2);
  CU_ASSERT_STRING_EQUAL(list[0].dealer_id, "d01"); /* checked last */
  CU_ASSERT_EQUAL(list[0].signs, 1U << SUSPECT_SHIFT);
  CU_ASSERT_EQUAL(list[0].seen_at, noon + 60);
  CU_ASSERT_EQUAL(list[1].signs, 1U << SUSPECT_GAP);
  note(l, "d02", false, false, noon + 61); /* clean now */
  CU_ASSERT_EQUAL(lately_list(l, list, 4, noon + 61), 1);
  lately_free(l);
}

static void a_look_for_some_signs_joins_what_is_known(void)
{
  struct suspect_lately *l = lately_new();
  struct lately_dealer list[4];
  struct suspect_findings shift = {.of[SUSPECT_SHIFT].found = true}, none = {0};
  note(l, "d01", true, false, noon);
  lately_add(l, "d01", &none, noon + 30); /* it did not look for the gap */
  CU_ASSERT_EQUAL_FATAL(lately_list(l, list, 4, noon + 30), 1);
  CU_ASSERT_EQUAL(list[0].seen_at, noon);
  lately_add(l, "d01", &shift, noon + 60);
  lately_add(l, "d02", &shift, noon + 60);
  CU_ASSERT_EQUAL_FATAL(lately_list(l, list, 4, noon + 60), 2);
  CU_ASSERT_EQUAL(list[0].signs, 1U << SUSPECT_SHIFT);
  CU_ASSERT_EQUAL(list[1].signs, 1U << SUSPECT_SHIFT | 1U << SUSPECT_GAP);
  CU_ASSERT_EQUAL(list[1].seen_at, noon + 60);
  note(l, "d01", false, false, noon + 61); /* a check for all of them found none */
  CU_ASSERT_EQUAL(lately_list(l, list, 4, noon + 61), 1);
  note(l, "d03", true, false, noon);
  lately_add(l, "d03", &shift, noon + LATELY_KEEP_S); /* the gap is a day old */
  CU_ASSERT_EQUAL_FATAL(lately_list(l, list, 1, noon + LATELY_KEEP_S), 1);
  CU_ASSERT_STRING_EQUAL(list[0].dealer_id, "d03");
  CU_ASSERT_EQUAL(list[0].signs, 1U << SUSPECT_SHIFT);
  lately_add(NULL, "d01", &shift, noon); /* without a list: nothing */
  lately_free(l);
}

static struct lately_dealer reach_of(struct suspect_lately *l, const char *dealer, int64_t now)
{
  struct lately_dealer list[8] = {0};
  size_t n = lately_list_reach(l, list, ARRAY_LEN(list), now);
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i].dealer_id, dealer) == 0)
      return list[i];
  return (struct lately_dealer){0};
}

static void how_far_data_reaches_only_grows_within_a_day(void)
{
  struct suspect_lately *l = lately_new();
  struct lately_dealer list[4], d;
  lately_reach(l, "d01", (struct suspect_reach){.newest = 20000, .looked = 20003}, noon);
  lately_reach(l, "d01", (struct suspect_reach){.newest = 19000, .looked = 19000}, noon + 1);
  d = reach_of(l, "d01", noon + 1);
  CU_ASSERT_EQUAL(d.reach.newest, 20000);
  CU_ASSERT_EQUAL(d.reach.looked, 20003);
  lately_reach(l, "d01", (struct suspect_reach){.newest = 20001, .looked = 20001}, noon + 2);
  lately_reach(l, "d01", (struct suspect_reach){.newest = 0, .looked = 20009}, noon + 3);
  d = reach_of(l, "d01", noon + 3);
  CU_ASSERT_EQUAL(d.reach.newest, 20001);
  CU_ASSERT_EQUAL(d.reach.looked, 20003); /* the answer without a session said nothing */
  CU_ASSERT_EQUAL(reach_of(l, "d01", noon + 2 + LATELY_KEEP_S).reach.newest, 0);
  lately_reach(l, "d01", (struct suspect_reach){.newest = 19500, .looked = 19600},
               noon + 2 + LATELY_KEEP_S);
  d = reach_of(l, "d01", noon + 2 + LATELY_KEEP_S);
  CU_ASSERT_EQUAL(d.reach.newest, 19500);
  CU_ASSERT_EQUAL(d.reach.looked, 19600);
  CU_ASSERT_EQUAL(lately_list(l, list, 4, noon), 0); /* nothing is suspect */
  lately_reach(NULL, "d01", d.reach, noon);          /* without a list: nothing */
  lately_free(l);
}

static void days_and_signs_of_a_dealer_are_kept_apart(void)
{
  struct suspect_lately *l = lately_new();
  struct lately_dealer list[4];
  lately_reach(l, "d01", (struct suspect_reach){.newest = 20000, .looked = 20000}, noon);
  note(l, "d01", true, false, noon + 10);
  CU_ASSERT_EQUAL(reach_of(l, "d01", noon + 10).reach.newest, 20000);
  CU_ASSERT_EQUAL(lately_list(l, list, 4, noon + 10), 1);
  CU_ASSERT_EQUAL(reach_of(l, "d01", noon + LATELY_KEEP_S).reach.newest, 0);
  CU_ASSERT_EQUAL(lately_list(l, list, 4, noon + LATELY_KEEP_S), 1);
  note(l, "d01", false, false, noon + 20); /* clean: its day stays */
  CU_ASSERT_EQUAL(lately_list(l, list, 4, noon + 20), 0);
  CU_ASSERT_EQUAL(reach_of(l, "d01", noon + 20).reach.newest, 20000);
  note(l, "d02", true, false, noon); /* signs without a day */
  CU_ASSERT_EQUAL(lately_list_reach(l, list, 4, noon), 1);
  CU_ASSERT_EQUAL(lately_count(l), 2);
  lately_free(l);
}

static void days_reach_as_far_as_the_last_session(void)
{
  static const int64_t sessions[] = {0, 7, 0, 3, 0, 0}, none[6] = {0};
  struct suspect_days days = {.first = 20000, .n = 6, .begin = 4, .sessions = sessions};
  struct suspect_reach reach = suspect_reach_of(&days);
  CU_ASSERT_EQUAL(reach.newest, 20003); /* before the period, too */
  CU_ASSERT_EQUAL(reach.looked, 20005);
  days.sessions = none;
  CU_ASSERT_EQUAL(suspect_reach_of(&days).newest, 0);
}

/* Not of dealers outside the view, nor of those that failed. */
static void a_call_notes_what_it_found_at_dealers_its_caller_sees(void)
{
  struct cohort_member members[] = {
      {.dealer_id = "d01", .visible = true, .state = DEALER_OK},
      {.dealer_id = "d02", .visible = false, .state = DEALER_OK},
      {.dealer_id = "d03", .visible = true, .state = DEALER_FAILED},
      {.dealer_id = "d04", .visible = true, .state = DEALER_OK},
  };
  struct dealer_figures figures[ARRAY_LEN(members)] = {0};
  struct tool_call c = {.lately = lately_new(),
                        .now_unix_ms = noon * 1000,
                        .cohort = {.members = members, .n = ARRAY_LEN(members)}};
  struct lately_dealer list[4];
  for (size_t i = 0; i < 3; i++)
    figures[i].findings.of[SUSPECT_GAP].found = true;
  for (size_t i = 0; i < 4; i++)
    figures[i].reach = (struct suspect_reach){.newest = 20000, .looked = 20001};
  note_findings(&c, figures);
  CU_ASSERT_EQUAL_FATAL(lately_list(c.lately, list, 4, noon), 1);
  CU_ASSERT_STRING_EQUAL(list[0].dealer_id, "d01");
  CU_ASSERT_EQUAL(list[0].signs, 1U << SUSPECT_GAP);
  CU_ASSERT_EQUAL(list[0].seen_at, noon);
  CU_ASSERT_EQUAL_FATAL(lately_list_reach(c.lately, list, 4, noon), 2);
  CU_ASSERT_STRING_EQUAL(list[0].dealer_id, "d04");
  CU_ASSERT_STRING_EQUAL(list[1].dealer_id, "d01");
  CU_ASSERT_EQUAL(list[0].reach.newest, 20000);
  CU_ASSERT_EQUAL(list[0].reach.looked, 20001);
  lately_free(c.lately);
}

static void it_is_forgotten_after_a_day(void)
{
  struct suspect_lately *l = lately_new();
  struct lately_dealer list[1];
  note(l, "d01", true, false, noon);
  CU_ASSERT_EQUAL(lately_list(l, list, 1, noon + LATELY_KEEP_S - 1), 1);
  CU_ASSERT_EQUAL(lately_list(l, list, 1, noon + LATELY_KEEP_S), 0);
  lately_free(l);
}

static void the_number_of_dealers_is_bounded(void)
{
  struct suspect_lately *l = lately_new();
  struct lately_dealer newest;
  char id[16];
  for (int i = 0; i < LATELY_MAX + 5; i++) {
    snprintf(id, sizeof(id), "d%d", i);
    note(l, id, true, false, noon);
  }
  CU_ASSERT_EQUAL(lately_count(l), LATELY_MAX);
  CU_ASSERT_EQUAL(lately_list(l, &newest, 1, noon), 1);
  CU_ASSERT_STRING_EQUAL(newest.dealer_id, "d10004");
  lately_note(NULL, "d01", &(struct suspect_findings){0}, noon); /* without a list: nothing */
  lately_free(l);
}

TEST_MAIN("aggregate_lately", TEST(the_last_check_of_a_dealer_is_what_holds),
          TEST(a_look_for_some_signs_joins_what_is_known),
          TEST(how_far_data_reaches_only_grows_within_a_day),
          TEST(days_and_signs_of_a_dealer_are_kept_apart),
          TEST(days_reach_as_far_as_the_last_session),
          TEST(a_call_notes_what_it_found_at_dealers_its_caller_sees),
          TEST(it_is_forgotten_after_a_day), TEST(the_number_of_dealers_is_bounded))
