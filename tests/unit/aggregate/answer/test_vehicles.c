/* Answers about vehicles as pure functions: worlds in which nothing happens bring no words, planted
 * effects are found, and models are not ranked when too few views name one. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/metric_list.h"
#include "aggregate-svc/answer/vehicle_interest.h"
#include "aggregate-svc/answer/vehicle_leads.h"
#include "aggregate-svc/answer/vehicle_movers.h"
#include "aggregate-svc/figures/metrics.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/models_stage.h"
#include "tests/unit/harness.h"

enum {
  DEALERS = MODELS_STAGE_DEALERS,
  MODELS = MODELS_STAGE_MODELS,
  MONDAY = MODELS_STAGE_MONDAY,
  WEEKS = MODELS_STAGE_WEEKS,
  WORLDS = 300
};

/* ------------------------------------------------------------------------- chance */

static double uniform(unsigned *seed)
{
  return (rand_r(seed) + 0.5) / ((double)RAND_MAX + 1);
}

static double normal(unsigned *seed)
{
  return sqrt(-2 * log(uniform(seed))) * cos(2 * 3.14159265358979 * uniform(seed));
}

/* Knuth's for small means, the normal one for large. */
static int64_t poisson(double mean, unsigned *seed)
{
  if (mean > 50) {
    double x = floor(mean + sqrt(mean) * normal(seed) + 0.5);
    return x < 0 ? 0 : (int64_t)x;
  }
  double limit = exp(-mean), product = uniform(seed);
  int64_t n = 0;
  for (; product > limit; n++)
    product *= uniform(seed);
  return n;
}

/* ------------------------------------------------------------------------- movers */

/* Views by week: each dealer has a mix of its own and weeks in which a model does well or badly
 * there (an advertisement, a truckload), the same before and after. `factor` multiplies the planted
 * model's weeks in the later half. */
static void draw_weeks(struct models_stage *s, double factor, double spread, unsigned *seed)
{
  for (size_t d = 0; d < DEALERS; d++) {
    models_stage_fill_days(s, d);
    double size = 40 + 120 * uniform(seed);
    for (size_t m = 0; m < MODELS; m++) {
      double taste = exp(0.7 * normal(seed));
      for (size_t w = 0; w < WEEKS; w++) {
        double mean = size / 4 * taste * exp(spread * normal(seed));
        if (m == models_stage_planted() && w >= 4)
          mean *= factor;
        models_stage_cell(s, d,
                          (struct models_key){.query = MODELS_VIEWS,
                                              .model = models_stage_model(m),
                                              .slot = (uint16_t)(MONDAY + 7 * w)})
            ->events = poisson(mean, seed);
      }
    }
  }
}

static bool says(const Analytics__Aggregate__V1__VehicleMoversResult *r, size_t model,
                 const char *verdict, struct arena *arena)
{
  const char *label = vehicle_label(model, arena);
  for (size_t i = 0; i < r->n_models; i++)
    if (strcmp(r->models[i]->comparison, "4_weeks") == 0 &&
        strcmp(r->models[i]->model, label) == 0 && strcmp(r->models[i]->verdict, verdict) == 0)
      return true;
  return false;
}

/* The promise: verdicts keep the share of false ones at a tenth, so that at most a tenth of the
 * answers about a world in which nothing changes has a word. */
static void a_world_without_change_has_no_rising_or_falling_models(void)
{
  unsigned seed = 4711;
  size_t tested = 0, wrong_answers = 0;
  for (size_t i = 0; i < WORLDS; i++) {
    struct models_stage s;
    models_stage_begin(&s);
    draw_weeks(&s, 1, 0.2 * (double)(i % 3), &seed);
    Analytics__Aggregate__V1__VehicleMoversResult *r = vehicle_movers(&s.question, MONDAY, s.arena);
    int32_t words = 0;
    for (size_t c = 0; c < r->n_comparisons; c++) {
      words += r->comparisons[c]->rising + r->comparisons[c]->falling;
      tested += (size_t)r->comparisons[c]->tested;
    }
    wrong_answers += words > 0;
    models_stage_end(&s);
  }
  printf("    %zu models tested in %d worlds, %zu answers with a false word\n", tested, WORLDS,
         wrong_answers);
  CU_ASSERT_TRUE(tested > (size_t)WORLDS * MODELS / 2);
  CU_ASSERT_TRUE(wrong_answers * 10 <= WORLDS);
}

static void a_model_that_gains_six_tenths_at_all_dealers_is_called_rising(void)
{
  unsigned seed = 815;
  size_t found = 0, worlds = 40;
  for (size_t i = 0; i < worlds; i++) {
    struct models_stage s;
    models_stage_begin(&s);
    draw_weeks(&s, 1.6, 0.2, &seed);
    found += says(vehicle_movers(&s.question, MONDAY, s.arena),
                  models_stage_model(models_stage_planted()), "rising", s.arena);
    models_stage_end(&s);
  }
  printf("    found in %zu of %zu worlds\n", found, worlds);
  CU_ASSERT_TRUE(found * 10 >= worlds * 8);
}

static void a_dealer_with_a_day_without_sessions_is_in_no_comparison_that_holds_it(void)
{
  unsigned seed = 3;
  struct models_stage s;
  models_stage_begin(&s);
  draw_weeks(&s, 1, 0.2, &seed);
  models_stage_cell(
      &s, 4, (struct models_key){.query = MODELS_DAYS, .model = MODELS_NONE, .slot = MONDAY + 10})
      ->sessions = 0; /* in the second week */
  Analytics__Aggregate__V1__VehicleMoversResult *r = vehicle_movers(&s.question, MONDAY, s.arena);
  CU_ASSERT_EQUAL(r->comparisons[0]->dealers, DEALERS);
  CU_ASSERT_EQUAL(r->comparisons[1]->dealers, DEALERS - 1);
  bool named = false;
  for (size_t i = 0; i < r->n_caveats; i++)
    named |= strstr(r->caveats[i], "d04") != NULL;
  CU_ASSERT_TRUE(named);
  models_stage_end(&s);
}

/* Three days with twice the sessions more, none of them engaged, in the last 4 weeks. */
static void a_dealer_with_a_wave_is_in_no_comparison(void)
{
  unsigned seed = 4;
  struct models_stage s;
  models_stage_begin(&s);
  draw_weeks(&s, 1, 0.2, &seed);
  for (uint16_t day = MONDAY; day < MONDAY + 7 * WEEKS; day++)
    models_stage_cell(&s, 4,
                      (struct models_key){.query = MODELS_DAYS, .model = MODELS_NONE, .slot = day})
        ->engaged_sessions = 30;
  for (uint16_t day = MONDAY + 45; day < MONDAY + 48; day++)
    models_stage_cell(&s, 4,
                      (struct models_key){.query = MODELS_DAYS, .model = MODELS_NONE, .slot = day})
        ->sessions = 150;
  struct period early, late;
  vehicle_movers_halves(MONDAY, &early, &late);
  struct models_signs signs = {&s.cohort, &late, &early, s.question.now_unix_ms};
  s.question.dealers = models_find_signs(&s.fold, &signs, s.arena);
  Analytics__Aggregate__V1__VehicleMoversResult *r = vehicle_movers(&s.question, MONDAY, s.arena);
  CU_ASSERT_EQUAL(r->comparisons[0]->dealers, DEALERS - 1);
  CU_ASSERT_EQUAL(r->comparisons[1]->dealers, DEALERS - 1);
  bool named = false, gap = false;
  for (size_t i = 0; i < r->n_caveats; i++) {
    named |= strstr(r->caveats[i], "(suspect_traffic): a wave") != NULL;
    gap |= strstr(r->caveats[i], "days without sessions") != NULL;
  }
  CU_ASSERT_TRUE(named && !gap);
  models_stage_end(&s);
}

/* Models of which each is before the next by number and behind it by name. */
static size_t first_out_of_order(struct arena *arena)
{
  size_t i = 0;
  while (i + 2 < vehicle_models_len &&
         strcmp(vehicle_label(i, arena), vehicle_label(i + 1, arena)) < 0)
    i++;
  return i;
}

/* Views of a model at the first `dealers`, the same in each week of a half. */
static void set_halves(struct models_stage *s, size_t model, size_t dealers, int64_t before,
                       int64_t after)
{
  for (size_t d = 0; d < dealers; d++)
    for (size_t w = 0; w < WEEKS; w++)
      models_stage_cell(s, d,
                        (struct models_key){.query = MODELS_VIEWS,
                                            .model = (uint16_t)model,
                                            .slot = (uint16_t)(MONDAY + 7 * w)})
          ->events = w < WEEKS / 2 ? before : after;
}

/* Two models whose shares change alike, one at fewer dealers than the other, and a third. */
static void models_with_equal_changes_are_in_the_order_of_their_names(void)
{
  unsigned seed = 5;
  struct models_stage s;
  models_stage_begin(&s);
  draw_weeks(&s, 1, 0, &seed);
  size_t one = first_out_of_order(s.arena), two = one + 1;
  for (size_t i = 0; i < vehicle_models_len; i++)
    set_halves(&s, i, DEALERS, 0, 0);
  set_halves(&s, one, DEALERS, 20, 30);
  set_halves(&s, two, DEALERS / 2, 40, 60);
  set_halves(&s, two + 1, DEALERS, 100, 100);
  Analytics__Aggregate__V1__VehicleMoversResult *r = vehicle_movers(&s.question, MONDAY, s.arena);
  size_t equal = 0;
  for (size_t i = 1; i < r->n_models; i++) {
    const Analytics__Aggregate__V1__ModelMove *a = r->models[i - 1], *b = r->models[i];
    if (strcmp(a->comparison, b->comparison) != 0 || strcmp(a->verdict, b->verdict) != 0 ||
        a->change_pp != b->change_pp)
      continue;
    equal++;
    CU_ASSERT_TRUE(strcmp(a->model, b->model) < 0);
  }
  CU_ASSERT_TRUE(equal > 0);
  models_stage_end(&s);
}

static void few_dealers_are_told_that_nothing_can_be_tested(void)
{
  static const struct {
    size_t dealers;
    const char *text;
  } all[] = {{1, "with 1 dealer; at least 5 are needed"}, {4, "with 4 dealers; at least 5 are needed"}};
  unsigned seed = 6;
  for (size_t i = 0; i < ARRAY_LEN(all); i++) {
    struct models_stage s;
    models_stage_begin(&s);
    draw_weeks(&s, 2, 0, &seed);
    s.cohort.n = all[i].dealers;
    Analytics__Aggregate__V1__VehicleMoversResult *r = vehicle_movers(&s.question, MONDAY, s.arena);
    const char *text = r->headline;
    for (size_t c = 0; c < r->n_comparisons; c++) { /* the dealers are what is missing, not views */
      CU_ASSERT_EQUAL(r->comparisons[c]->low_volume, 0);
      CU_ASSERT_TRUE(r->comparisons[c]->few_dealers > 0);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(text, all[i].text));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "analyze_vehicle_interest"));
    CU_ASSERT_PTR_NULL(strstr(text, "too few"));
    s.cohort.n = DEALERS;
    models_stage_end(&s);
  }
}

/* Twenty are asked about, and all but three miss a day of the first weeks. */
static void a_comparison_that_lacks_dealers_says_so(void)
{
  unsigned seed = 7;
  struct models_stage s;
  models_stage_begin(&s);
  draw_weeks(&s, 1, 0, &seed);
  for (size_t d = 3; d < DEALERS; d++)
    models_stage_cell(
        &s, d, (struct models_key){.query = MODELS_DAYS, .model = MODELS_NONE, .slot = MONDAY})
        ->sessions = 0;
  Analytics__Aggregate__V1__VehicleMoversResult *r = vehicle_movers(&s.question, MONDAY, s.arena);
  CU_ASSERT_TRUE(r->comparisons[0]->tested > 0);
  CU_ASSERT_EQUAL(r->comparisons[1]->dealers, 3);
  CU_ASSERT_EQUAL(r->comparisons[1]->tested, 0);
  CU_ASSERT_EQUAL(r->comparisons[1]->low_volume, 0);
  CU_ASSERT_TRUE(r->comparisons[1]->few_dealers > 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "nothing can be tested with 3 dealers; at least 5 "
                                             "are needed with sessions on every day of both"));
  models_stage_end(&s);
}

/* -------------------------------------------------------------------------- leads */

/* Views and lead sessions: classes convert differently, dealers too (by a factor of two), models do
 * not, but for the planted one, whose rate is multiplied. */
static void draw_leads(struct models_stage *s, double factor, unsigned *seed)
{
  for (size_t d = 0; d < DEALERS; d++) {
    double level = 0.6 + 0.9 * uniform(seed);
    for (size_t m = 0; m < MODELS; m++) {
      if (uniform(seed) < 0.3 && m != models_stage_planted())
        continue; /* the dealer does not carry it */
      for (int condition = CONDITION_NEW; condition <= CONDITION_USED; condition++) {
        uint16_t model = models_stage_model(m);
        int64_t sessions = 20 + poisson(150 * exp(0.8 * normal(seed)), seed);
        double rate = (0.01 + 0.005 * (vehicle_models[model].body % 4)) *
                      (condition == CONDITION_NEW ? 1 : 1.4) * level;
        int64_t n =
            poisson((double)sessions * rate * (m == models_stage_planted() ? factor : 1), seed);
        struct models_key key = {
            .query = MODELS_VIEWS, .condition = (enum models_condition)condition, .model = model};
        struct cell *c = models_stage_cell(s, d, key);
        c->events = sessions + sessions / 10;
        c->sessions = sessions;
        key.query = MODELS_LEADS;
        c = models_stage_cell(s, d, key);
        c->events = c->sessions = n;
        models_stage_add_leads(s, d, n);
      }
    }
  }
}

static void a_world_of_equal_models_has_no_model_above_or_below(void)
{
  unsigned seed = 1234;
  size_t tested = 0, wrong_answers = 0;
  for (size_t i = 0; i < WORLDS; i++) {
    struct models_stage s;
    models_stage_begin(&s);
    draw_leads(&s, 1, &seed);
    Analytics__Aggregate__V1__VehicleLeadConversionResult *r = vehicle_leads(&s.question, s.arena);
    size_t words = 0;
    for (size_t k = 0; k < r->n_models; k++)
      words += strcmp(r->models[k]->verdict, "above_expected") == 0 ||
               strcmp(r->models[k]->verdict, "below_expected") == 0;
    tested += (size_t)r->tested;
    wrong_answers += words > 0;
    models_stage_end(&s);
  }
  printf("    %zu models tested in %d worlds, %zu answers with a false word\n", tested, WORLDS,
         wrong_answers);
  CU_ASSERT_TRUE(tested > (size_t)WORLDS * MODELS / 2);
  CU_ASSERT_TRUE(wrong_answers * 10 <= WORLDS);
}

static void a_model_with_half_the_leads_of_its_class_is_signalled(void)
{
  unsigned seed = 99;
  size_t found = 0, worlds = 40;
  for (size_t i = 0; i < worlds; i++) {
    struct models_stage s;
    models_stage_begin(&s);
    draw_leads(&s, 0.5, &seed);
    Analytics__Aggregate__V1__VehicleLeadConversionResult *r = vehicle_leads(&s.question, s.arena);
    const char *label = vehicle_label(models_stage_model(models_stage_planted()), s.arena);
    for (size_t k = 0; k < r->n_models; k++)
      found += strcmp(r->models[k]->model, label) == 0 &&
               strcmp(r->models[k]->verdict, "below_expected") == 0;
    models_stage_end(&s);
  }
  printf("    found in %zu of %zu worlds\n", found, worlds);
  CU_ASSERT_TRUE(found * 10 >= worlds * 8);
}

static void expected_leads_add_up_to_the_leads_there_are(void)
{
  unsigned seed = 5;
  struct models_stage s;
  models_stage_begin(&s);
  draw_leads(&s, 0.7, &seed);
  Analytics__Aggregate__V1__VehicleLeadConversionResult *r = vehicle_leads(&s.question, s.arena);
  double expected = 0, observed = 0;
  for (size_t i = 0; i < r->n_models; i++) {
    expected += r->models[i]->expected;
    observed += (double)r->models[i]->lead_sessions;
  }
  CU_ASSERT_TRUE(observed > 100 && fabs(expected - observed) < 1e-6 * observed);
  models_stage_end(&s);
}

/* ----------------------------------------------------------------------- interest */

static void set_views(struct models_stage *s, size_t dealer, uint16_t model, unsigned day,
                      int64_t views)
{
  struct cell *c = models_stage_cell(
      s, dealer,
      (struct models_key){.query = MODELS_VIEWS, .model = model, .slot = (uint16_t)(MONDAY + day)});
  c->events = c->sessions = views;
}

static void models_are_not_ranked_when_too_few_views_name_one(void)
{
  for (int64_t unmatched = 20; unmatched <= 30; unmatched += 10) {
    struct models_stage s;
    models_stage_begin(&s);
    set_views(&s, 0, models_stage_model(3), 0, 80);
    set_views(&s, 1, MODELS_NONE, 0, unmatched); /* 80 % and less */
    Analytics__Aggregate__V1__AnalyzeVehicleInterestResult *r =
        vehicle_interest(&s.question, s.arena);
    CU_ASSERT_EQUAL(r->n_models > 0, unmatched == 20);
    CU_ASSERT_EQUAL(r->n_shares > 0, unmatched == 20);
    CU_ASSERT_EQUAL(strstr(r->headline, "too few to rank") != NULL, unmatched == 30);
    CU_ASSERT_EQUAL(vehicle_leads(&s.question, s.arena)->n_models, 0);
    models_stage_end(&s);
  }
}

static void a_world_without_views_says_so(void)
{
  struct models_stage s;
  models_stage_begin(&s);
  Analytics__Aggregate__V1__AnalyzeVehicleInterestResult *r =
      vehicle_interest(&s.question, s.arena);
  CU_ASSERT_EQUAL(r->n_models, 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(r->headline, "No vehicle page was viewed"));
  s.question.now_unix_ms = (MODELS_STAGE_MONDAY - 10) * INT64_C(86400000);
  r = vehicle_interest(&s.question, s.arena);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(r->headline, "The period has not begun, so there is nothing to rank"));
  CU_ASSERT_EQUAL(r->totals->opt_matched_case, 0);
  models_stage_end(&s);
}

static void a_failed_dealer_is_in_no_figure(void)
{
  struct models_stage s;
  models_stage_begin(&s);
  set_views(&s, 0, models_stage_model(3), 0, 80);
  set_views(&s, 1, models_stage_model(4), 0, 500);
  s.members[1].state = DEALER_FAILED;
  Analytics__Aggregate__V1__AnalyzeVehicleInterestResult *r =
      vehicle_interest(&s.question, s.arena);
  CU_ASSERT_EQUAL_FATAL(r->n_models, 1);
  CU_ASSERT_EQUAL(r->models[0]->views, 80);
  CU_ASSERT_EQUAL(r->coverage->n_failed, 1);
  CU_ASSERT_EQUAL(r->models[0]->opt_low_case, 0); /* one day has no variation */
  models_stage_end(&s);
}

/* ------------------------------------------------------------------------ metrics */

static void every_metric_of_the_table_has_a_meaning(void)
{
  for (size_t i = 0; i < METRIC_COUNT; i++)
    CU_ASSERT_PTR_NOT_NULL(metric_meaning(dealer_metrics[i].name));
}

static void the_meaning_of_leads_says_where_the_event_of_a_dealer_stands(void)
{
  CU_ASSERT_PTR_NOT_NULL(strstr(metric_meaning("lead_events"), "see `leads`"));
}

TEST_MAIN("aggregate vehicles", TEST(the_meaning_of_leads_says_where_the_event_of_a_dealer_stands),
          TEST(a_dealer_with_a_wave_is_in_no_comparison),
          TEST(a_world_without_change_has_no_rising_or_falling_models),
          TEST(a_model_that_gains_six_tenths_at_all_dealers_is_called_rising),
          TEST(a_dealer_with_a_day_without_sessions_is_in_no_comparison_that_holds_it),
          TEST(models_with_equal_changes_are_in_the_order_of_their_names),
          TEST(few_dealers_are_told_that_nothing_can_be_tested),
          TEST(a_comparison_that_lacks_dealers_says_so),
          TEST(a_world_of_equal_models_has_no_model_above_or_below),
          TEST(a_model_with_half_the_leads_of_its_class_is_signalled),
          TEST(expected_leads_add_up_to_the_leads_there_are),
          TEST(models_are_not_ranked_when_too_few_views_name_one),
          TEST(a_world_without_views_says_so), TEST(a_failed_dealer_is_in_no_figure),
          TEST(every_metric_of_the_table_has_a_meaning))
