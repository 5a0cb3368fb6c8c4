/* The verdict: a table of facts, the gate, many tests at once, and random worlds in which word,
 * index, interval and rank must never contradict each other. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/verdict/judge.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

/* ------------------------------------------------------------------- total function */

static void every_fact_has_its_word(void)
{
  /* A clear case on either side of a border, one fact at a time. */
  static const struct {
    struct verdict_facts facts;
    enum verdict word;
  } table[] = {
#define FACTS(role, lower, allowed, expected, peers, measured, index, low, high, q)                \
  {role, lower, allowed, expected, peers, measured, index, low, high, q, false}
#define JUDGED VERDICT_ROLE_JUDGED
      {FACTS(JUDGED, false, true, 10, 20, true, 120, 101, 140, 0.01), VERDICT_BETTER},
      {FACTS(JUDGED, true, true, 10, 20, true, 120, 101, 140, 0.01), VERDICT_WORSE},
      {FACTS(JUDGED, false, true, 10, 20, true, 80, 70, 99, 0.01), VERDICT_WORSE},
      {FACTS(JUDGED, true, true, 10, 20, true, 80, 70, 99, 0.01), VERDICT_BETTER},
      {FACTS(JUDGED, false, true, 9.999, 20, true, 120, 101, 140, 0.01), VERDICT_TOO_LITTLE_DATA},
      {FACTS(JUDGED, false, true, 10, 19.999, true, 120, 101, 140, 0.01), VERDICT_TOO_LITTLE_DATA},
      {FACTS(JUDGED, false, false, 10, 20, true, 120, 101, 140, 0.01), VERDICT_TOO_LITTLE_DATA},
      {FACTS(JUDGED, false, true, 10, 20, false, 120, 101, 140, 0.01), VERDICT_TOO_LITTLE_DATA},
      {FACTS(JUDGED, false, true, 10, 20, true, 120, 100, 140, 0.01), VERDICT_NO_CLEAR_DIFFERENCE},
      {FACTS(JUDGED, false, true, 10, 20, true, 80, 70, 100, 0.01), VERDICT_NO_CLEAR_DIFFERENCE},
      {FACTS(JUDGED, false, true, 10, 20, true, 120, 101, 140, 0.05), VERDICT_BETTER},
      {FACTS(JUDGED, false, true, 10, 20, true, 120, 101, 140, 0.051), VERDICT_NO_CLEAR_DIFFERENCE},
      {FACTS(JUDGED, false, true, 10, 20, true, 105, 101, 109, 0.01), VERDICT_BETTER},
      {FACTS(JUDGED, false, true, 10, 20, true, 104.9, 101, 109, 0.01),
       VERDICT_NO_CLEAR_DIFFERENCE},
      {FACTS(JUDGED, false, true, 10, 20, true, 95, 91, 99, 0.01), VERDICT_WORSE},
      {FACTS(JUDGED, false, true, 10, 20, true, 95.1, 91, 99, 0.01), VERDICT_NO_CLEAR_DIFFERENCE},
      {FACTS(VERDICT_ROLE_BESIDE, false, true, 10, 20, true, 120, 101, 140, 0.01),
       VERDICT_NOT_JUDGED},
      {FACTS(VERDICT_ROLE_BESIDE, false, true, 9, 20, true, 120, 101, 140, 0.01),
       VERDICT_TOO_LITTLE_DATA},
      {FACTS(VERDICT_ROLE_CONTEXT, false, true, 10, 20, true, 120, 101, 140, 0.01),
       VERDICT_CONTEXT},
      {FACTS(VERDICT_ROLE_CONTEXT, false, false, 0, 0, false, 0, 0, 0, 1), VERDICT_CONTEXT},
      {{JUDGED, false, false, 0, 0, false, 0, 0, 0, 1, true}, VERDICT_WITHHELD},
      {{VERDICT_ROLE_BESIDE, false, false, 0, 0, false, 0, 0, 0, 1, true}, VERDICT_WITHHELD},
      {{VERDICT_ROLE_CONTEXT, false, false, 0, 0, false, 0, 0, 0, 1, true}, VERDICT_CONTEXT},
      {{VERDICT_ROLE_SUSPECT, false, false, 0, 0, false, 0, 0, 0, 1, true}, VERDICT_SUSPECT},
      {FACTS(JUDGED, false, true, NAN, 20, true, 120, 101, 140, 0.01), VERDICT_TOO_LITTLE_DATA},
      {FACTS(JUDGED, false, true, 10, 20, true, NAN, NAN, NAN, NAN), VERDICT_NO_CLEAR_DIFFERENCE},
  };
  for (size_t i = 0; i < ARRAY_LEN(table); i++)
    CU_ASSERT_EQUAL(verdict_of(&table[i].facts), table[i].word);
}

static void words_have_names(void)
{
  CU_ASSERT_STRING_EQUAL(verdict_name(VERDICT_BETTER), "better");
  CU_ASSERT_STRING_EQUAL(verdict_name(VERDICT_NO_CLEAR_DIFFERENCE), "no_clear_difference");
  CU_ASSERT_STRING_EQUAL(verdict_name(VERDICT_TOO_LITTLE_DATA), "too_little_data");
  CU_ASSERT_STRING_EQUAL(verdict_name(VERDICT_WITHHELD), "benchmark_withheld");
  CU_ASSERT_STRING_EQUAL(verdict_name((enum verdict)99), "too_little_data");
}

/* --------------------------------------------------------------------------- cells */

static struct verdict_cell cell_of(int64_t y, int64_t n, int64_t others, int64_t all)
{
  return (struct verdict_cell){.own = {y, n},
                               .others = {others, all},
                               .model = STATS_POISSON,
                               .phi = 1,
                               .role = VERDICT_ROLE_JUDGED,
                               .allowed = true};
}

static void a_cell_matches_the_published_vector(void)
{
  struct verdict_cell c = cell_of(117, 5320, 573, 31250);
  CU_ASSERT_EQUAL(verdict_judge(&c, 1), 1);
  CU_ASSERT_DOUBLE_EQUAL(c.index, 119.9415, 5e-5);
  CU_ASSERT_DOUBLE_EQUAL(c.low, 98.3139, 5e-5);
  CU_ASSERT_DOUBLE_EQUAL(c.high, 146.3270, 5e-5);
  CU_ASSERT_DOUBLE_EQUAL(c.expected, 97.54752, 1e-9);
  CU_ASSERT_EQUAL(c.word, VERDICT_NO_CLEAR_DIFFERENCE);
  c = cell_of(117, 5320, 573, 31250);
  c.model = STATS_BINOMIAL;
  verdict_judge(&c, 1);
  CU_ASSERT_DOUBLE_EQUAL(c.low, 98.5241, 5e-5);
  CU_ASSERT_DOUBLE_EQUAL(c.high, 146.0147, 5e-5);
}

static void the_gate_is_by_expected_and_not_by_own_events(void)
{
  struct verdict_cell lucky = cell_of(60, 80, 119, 1000), unlucky = cell_of(0, 100, 119, 1000);
  CU_ASSERT_EQUAL(verdict_judge(&lucky, 1), 0);
  CU_ASSERT_EQUAL(lucky.word, VERDICT_TOO_LITTLE_DATA);
  CU_ASSERT_EQUAL(lucky.q, 1);
  CU_ASSERT_EQUAL(verdict_judge(&unlucky, 1), 1);
  CU_ASSERT_EQUAL(unlucky.word, VERDICT_WORSE);
}

static void no_event_at_all_has_a_limit_and_an_exact_chance(void)
{
  struct verdict_cell c = cell_of(0, 1000, 200, 10000);
  verdict_judge(&c, 1);
  CU_ASSERT_EQUAL(c.index, 0);
  CU_ASSERT_EQUAL(c.low, 0);
  CU_ASSERT_DOUBLE_EQUAL(c.high, 100 * 3.668012 / 20, 1e-5);   /* Byar's limit of 0 over E = 20 */
  CU_ASSERT_DOUBLE_EQUAL(c.p, 2 * pow(10.0 / 11, 200), 1e-15); /* none of the 200 here */
  c.phi = 2;
  verdict_judge(&c, 1);
  CU_ASSERT_DOUBLE_EQUAL(c.high, 200 * 3.668012 / 20, 1e-5);
  CU_ASSERT_DOUBLE_EQUAL(c.p, 2 * pow(10.0 / 11, 100), 1e-12);
}

static void without_sessions_or_others_there_is_too_little(void)
{
  struct verdict_cell cells[] = {cell_of(0, 0, 100, 1000), cell_of(5, 100, 0, 0),
                                 cell_of(5, 100, 0, 1000), cell_of(0, 0, 0, 0)};
  CU_ASSERT_EQUAL(verdict_judge(cells, ARRAY_LEN(cells)), 0);
  for (size_t i = 0; i < ARRAY_LEN(cells); i++) {
    CU_ASSERT_EQUAL(cells[i].word, VERDICT_TOO_LITTLE_DATA);
    CU_ASSERT_FALSE(cells[i].has_interval);
  }
}

/* The same cell beside 0, 3 and 95 others without a difference: one more test, one more chance. */
static void many_cells_at_once_need_clearer_differences(void)
{
  static const enum verdict words[] = {VERDICT_BETTER, VERDICT_BETTER, VERDICT_NO_CLEAR_DIFFERENCE};
  static const size_t sizes[] = {1, 4, 96};
  struct verdict_cell cells[96];
  for (size_t s = 0; s < ARRAY_LEN(sizes); s++) {
    for (size_t i = 0; i < sizes[s]; i++)
      cells[i] = cell_of(i == 0 ? 62 : 40, 2000, 280, 14000);
    CU_ASSERT_EQUAL(verdict_judge(cells, sizes[s]), sizes[s]);
    CU_ASSERT_EQUAL(cells[0].word, words[s]);
    CU_ASSERT_DOUBLE_EQUAL(cells[0].q, fmin(1, cells[0].p * (double)sizes[s]), 1e-12);
  }
  /* What is not judged is not counted. */
  for (size_t i = 1; i < 96; i++)
    cells[i].role = i % 2 == 0 ? VERDICT_ROLE_BESIDE : VERDICT_ROLE_CONTEXT;
  CU_ASSERT_EQUAL(verdict_judge(cells, 96), 1);
  CU_ASSERT_EQUAL(cells[0].word, VERDICT_BETTER);
}

/* ------------------------------------------------------------------- random worlds */

enum { DEALERS_MAX = 30, DAYS = 5, WORLDS = 10000 };

struct world {
  struct cohort cohort;
  struct cohort_member members[DEALERS_MAX];
  struct dealer_figures figures[DEALERS_MAX];
  struct dealer_counts days[DEALERS_MAX][DAYS];
};

static int64_t below(unsigned *seed, int64_t bound)
{
  return bound <= 0 ? 0 : rand_r(seed) % bound;
}

static void draw_day(struct dealer_counts *day, struct dealer_counts *sum, int64_t size,
                     unsigned *seed)
{
  day->sessions = below(seed, size);
  day->engaged_sessions = below(seed, day->sessions + 1);
  day->shopper_sessions = below(seed, day->sessions + 1);
  day->leads = below(seed, day->sessions / 20 + 2);
  sum->sessions += day->sessions;
  sum->engaged_sessions += day->engaged_sessions;
  sum->shopper_sessions += day->shopper_sessions;
  sum->leads += day->leads;
}

/* Dealers of all sizes, some without data, with different lead events, some out of sight. */
static void draw_world(struct world *w, unsigned *seed)
{
  static const int64_t sizes[] = {1, 40, 400, 4000};
  memset(w, 0, sizeof(*w));
  w->cohort = (struct cohort){
      .members = w->members, .n = 1 + (size_t)below(seed, DEALERS_MAX), .subject = -1};
  for (size_t i = 0; i < w->cohort.n; i++) {
    struct dealer_figures *f = &w->figures[i];
    w->members[i].visible = below(seed, 5) > 0;
    *f = (struct dealer_figures){.ok = below(seed, 12) > 0,
                                 .lead_event =
                                     (int)below(seed, 8) == 0 ? LEAD_UNKNOWN : (int)below(seed, 2),
                                 .shopper = (int)below(seed, 2),
                                 .days = w->days[i],
                                 .n_days = DAYS};
    for (size_t k = 0; k < DAYS; k++)
      draw_day(&w->days[i][k], &f->now, sizes[below(seed, ARRAY_LEN(sizes))], seed);
  }
}

/* Dealers of the group before and behind this one. */
static void count_sides(const struct cohort_figures *c, struct metric_group g, size_t member,
                        size_t *above, size_t *below_it)
{
  double own, x;
  group_value(c, g, member, &own);
  *above = *below_it = 0;
  for (size_t i = 0; i < c->cohort->n; i++) {
    if (i == member || !group_value(c, g, i, &x))
      continue;
    *above += x > own;
    *below_it += x < own;
  }
}

static bool is_consistent(const struct cohort_figures *c, enum metric_id m, size_t member,
                          const struct verdict_cell *cell)
{
  size_t above, below_it;
  if (cell->word != VERDICT_BETTER && cell->word != VERDICT_WORSE)
    return true;
  bool high = cell->word == VERDICT_BETTER; /* no judged metric is better when lower */
  count_sides(c, group_of(c, m, member), member, &above, &below_it);
  long printed = lround(cell->index);
  return high ? printed >= 105 && cell->low > 100 && below_it > 0
              : printed <= 95 && cell->high < 100 && above > 0;
}

/* An interval holds its index, a figure that is not tested has no q, and what is in no group has
 * no figures. */
static bool is_sound(const struct verdict_cell *cell)
{
  if (cell->has_interval && !(cell->low <= cell->index && cell->index <= cell->high))
    return false;
  if (!cell->tested && cell->q != 1 && cell->q != 0)
    return false;
  return !cell->tested ||
         (cell->q >= cell->p * (1 - 1e-12) && cell->q <= 1 && cell->expected >= 10);
}

static void word_index_and_rank_never_contradict_in_10000_worlds(void)
{
  struct world *w = xcalloc(1, sizeof(*w));
  unsigned seed = 20261129;
  size_t bad = 0, words = 0;
  for (int k = 0; k < WORLDS; k++) {
    draw_world(w, &seed);
    struct cohort_figures c = {&w->cohort, w->figures, NULL};
    struct judge_question q = {&c, -1, NULL, NULL, 0};
    CLEANUP(judgement_free) struct judgement j;
    judge(&j, &q);
    for (size_t i = 0; i < w->cohort.n; i++)
      for (size_t m = 0; m < METRIC_COUNT; m++) {
        const struct verdict_cell *cell = judgement_cell(&j, i, (enum metric_id)m);
        bad += !is_consistent(&c, (enum metric_id)m, i, cell) || !is_sound(cell);
        words += cell->word == VERDICT_BETTER || cell->word == VERDICT_WORSE;
      }
  }
  CU_ASSERT_EQUAL(bad, 0);
  CU_ASSERT_TRUE(words > WORLDS); /* there is something to contradict */
  free(w);
}

/* A subject's words rest on its own cells: neither what else is shown nor who looks matters. */
static void a_subject_gets_the_same_words_whoever_looks(void)
{
  struct world *w = xcalloc(1, sizeof(*w));
  unsigned seed = 77;
  size_t compared = 0;
  for (int k = 0; k < WORLDS / 10; k++) {
    draw_world(w, &seed);
    struct cohort_figures c = {&w->cohort, w->figures, NULL};
    struct judge_question q = {&c, 0, NULL, NULL, 0};
    CLEANUP(judgement_free) struct judgement all, alone;
    for (size_t i = 0; i < w->cohort.n; i++)
      w->members[i].visible = true;
    judge(&all, &q);
    for (size_t i = 1; i < w->cohort.n; i++)
      w->members[i].visible = false;
    judge(&alone, &q);
    CU_ASSERT_EQUAL(all.tested, alone.tested);
    for (size_t m = 0; m < METRIC_COUNT; m++) {
      const struct verdict_cell *x = judgement_cell(&all, 0, (enum metric_id)m);
      const struct verdict_cell *y = judgement_cell(&alone, 0, (enum metric_id)m);
      CU_ASSERT_TRUE(x->word == y->word && x->index == y->index && x->q == y->q);
      compared += x->tested;
    }
  }
  CU_ASSERT_TRUE(compared > 100);
  free(w);
}

/* Eight dealers that vary a little, and one at five times their rate. */
static void a_dealer_far_from_the_ordinary_spread_is_unusual(void)
{
  struct world *w = xcalloc(1, sizeof(*w));
  w->cohort = (struct cohort){.members = w->members, .n = 9, .subject = -1};
  for (size_t i = 0; i < 9; i++) {
    w->members[i].visible = true;
    w->figures[i] = (struct dealer_figures){
        .ok = true, .now = {.sessions = 5000, .leads = i == 8 ? 500 : 95 + 2 * (int64_t)i}};
  }
  struct cohort_figures c = {&w->cohort, w->figures, NULL};
  struct judge_question q = {&c, -1, NULL, NULL, 0};
  CLEANUP(judgement_free) struct judgement j;
  judge(&j, &q);
  for (size_t i = 0; i < 9; i++)
    CU_ASSERT_EQUAL(j.unusual[i * METRIC_COUNT + METRIC_LEADS_PER_100_SESSIONS],
                    i == 8 ? UNUSUAL_YES : UNUSUAL_NO);
  free(w);
}

/* Over-dispersed days widen every dealer's interval, those of a steady one, too. */
static void dispersion_is_pooled_over_the_cohort(void)
{
  struct world *w = xcalloc(1, sizeof(*w));
  w->cohort = (struct cohort){.members = w->members, .n = 2, .subject = -1};
  static const int64_t leads[2][DAYS] = {{20, 20, 20, 20, 20}, {0, 60, 0, 0, 40}};
  for (size_t i = 0; i < 2; i++) {
    w->members[i].visible = true;
    w->figures[i] = (struct dealer_figures){.ok = true,
                                            .now = {.sessions = 1000 * DAYS, .leads = 100},
                                            .days = w->days[i],
                                            .n_days = DAYS};
    for (size_t k = 0; k < DAYS; k++)
      w->days[i][k] = (struct dealer_counts){.sessions = 1000, .leads = leads[i][k]};
  }
  struct cohort_figures c = {&w->cohort, w->figures, NULL};
  /* Pearson 0 and (400 + 1600 + 400 + 400 + 400) / 20 = 160 over 8 degrees of freedom. */
  CU_ASSERT_DOUBLE_EQUAL(group_dispersion(&c, METRIC_LEADS_PER_100_SESSIONS), 20, 1e-9);
  w->figures[1].ok = false;
  CU_ASSERT_EQUAL(group_dispersion(&c, METRIC_LEADS_PER_100_SESSIONS), 1);
  free(w);
}

TEST_MAIN("aggregate verdict", TEST(every_fact_has_its_word), TEST(words_have_names),
          TEST(a_cell_matches_the_published_vector),
          TEST(the_gate_is_by_expected_and_not_by_own_events),
          TEST(no_event_at_all_has_a_limit_and_an_exact_chance),
          TEST(without_sessions_or_others_there_is_too_little),
          TEST(many_cells_at_once_need_clearer_differences),
          TEST(word_index_and_rank_never_contradict_in_10000_worlds),
          TEST(a_subject_gets_the_same_words_whoever_looks),
          TEST(a_dealer_far_from_the_ordinary_spread_is_unusual),
          TEST(dispersion_is_pooled_over_the_cohort))
