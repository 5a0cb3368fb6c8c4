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
  note_findings(&c, figures);
  CU_ASSERT_EQUAL_FATAL(lately_list(c.lately, list, 4, noon), 1);
  CU_ASSERT_STRING_EQUAL(list[0].dealer_id, "d01");
  CU_ASSERT_EQUAL(list[0].signs, 1U << SUSPECT_GAP);
  CU_ASSERT_EQUAL(list[0].seen_at, noon);
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
          TEST(a_call_notes_what_it_found_at_dealers_its_caller_sees),
          TEST(it_is_forgotten_after_a_day), TEST(the_number_of_dealers_is_bounded))
