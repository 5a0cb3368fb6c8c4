/* Shares of vehicle models in weeks in which nothing changes: at most 8 % of the answers may call a
 * model rising or falling; and a model whose share is planted to grow or shrink is found.
 *
 * Groups of dealers are drawn and answered by the product's own answer/vehicle_movers. Each dealer
 * has a mix of its own, and weeks in which a model does well or badly there (an advertisement, a
 * truckload), as much before as after. AMCP_TRUTH_REGIONS takes another number of groups. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/vehicle_movers.h"
#include "common/base/mem.h"
#include "tests/truth/null/draw.h"
#include "tests/unit/aggregate/support/models_stage.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__VehicleMoversResult Result;

enum {
  GROUPS = 150,
  DEALERS = MODELS_STAGE_DEALERS,
  MODELS = MODELS_STAGE_MODELS,
  WEEKS = MODELS_STAGE_WEEKS,
  MONDAY = MODELS_STAGE_MONDAY,
  SEED = 20261203
};

static long groups(void)
{
  const char *s = getenv("AMCP_TRUTH_REGIONS");
  long n = s != NULL ? strtol(s, NULL, 10) : 0;
  return n > 0 ? n : GROUPS;
}

/* A factor around 1, from 1 / (1 + spread)^2 to (1 + spread)^2. */
static double around(double spread, struct draw *d)
{
  return exp(log(1 + spread) * (4 * draw_uniform(d) - 2));
}

/* effect: on the views of the planted model in the last four weeks. */
static void draw_group(struct models_stage *s, size_t dealers, double spread, double effect,
                       struct draw *d)
{
  s->cohort.n = dealers;
  for (size_t i = 0; i < dealers; i++) {
    double size = 40 + 120 * draw_uniform(d);
    models_stage_fill_days(s, i);
    for (size_t m = 0; m < MODELS; m++) {
      double taste = around(1, d);
      for (size_t w = 0; w < WEEKS; w++) {
        double mean = size / 3 * taste * around(spread, d);
        struct models_key key = {.query = MODELS_VIEWS,
                                 .model = models_stage_model(m),
                                 .slot = (uint16_t)(MONDAY + 7 * w)};
        if (m == models_stage_planted() && w >= WEEKS / 2)
          mean *= effect;
        models_stage_cell(s, i, key)->events = draw_events(d, mean, 1.6);
      }
    }
  }
}

struct count {
  long answers, with_word, tested, words, planted;
};

static void count_answer(struct models_stage *s, const char *verdict, struct count *c)
{
  const Result *r = vehicle_movers(&s->question, MONDAY, s->arena);
  const char *planted = vehicle_label(models_stage_model(models_stage_planted()), s->arena);
  long words = 0;
  for (size_t i = 0; i < r->n_comparisons; i++) {
    words += r->comparisons[i]->rising + r->comparisons[i]->falling;
    c->tested += r->comparisons[i]->tested;
  }
  for (size_t i = 0; i < r->n_models; i++)
    c->planted += strcmp(r->models[i]->comparison, "4_weeks") == 0 &&
                  strcmp(r->models[i]->model, planted) == 0 &&
                  strcmp(r->models[i]->verdict, verdict) == 0;
  c->answers++;
  c->with_word += words > 0;
  c->words += words;
}

static struct count world(size_t dealers, double spread, double effect)
{
  struct count c = {0};
  struct draw d = {.state = SEED + (uint64_t)(effect * 100) + (uint64_t)(spread * 1000) + dealers};
  struct models_stage *s = xcalloc(1, sizeof(*s));
  for (long k = 0; k < groups(); k++) {
    models_stage_begin(s);
    draw_group(s, dealers, spread, effect, &d);
    count_answer(s, effect > 1 ? "rising" : "falling", &c);
    s->cohort.n = DEALERS;
    models_stage_end(s);
  }
  free(s);
  return c;
}

static void weeks_without_change_get_false_words_in_at_most_8_percent_of_answers(void)
{
  static const size_t dealers[] = {8, DEALERS};
  static const double spreads[] = {0, 0.15, 0.3};
  struct count all = {0};
  for (size_t n = 0; n < ARRAY_LEN(dealers); n++)
    for (size_t i = 0; i < ARRAY_LEN(spreads); i++) {
      struct count c = world(dealers[n], spreads[i], 1);
      printf("  %zu dealers, spread %.2f: %ld of %ld answers, %ld of %ld tested models\n",
             dealers[n], spreads[i], c.with_word, c.answers, c.words, c.tested);
      all.answers += c.answers;
      all.with_word += c.with_word;
      all.tested += c.tested;
      all.words += c.words;
    }
  CU_ASSERT_TRUE(all.tested > 10 * all.answers);
  CU_ASSERT_TRUE(100 * all.with_word <= 8 * all.answers);
  CU_ASSERT_TRUE(100 * all.words <= 2 * all.tested);
}

static void a_model_that_gains_or_loses_at_all_dealers_is_found(void)
{
  struct count up = world(DEALERS, 0.15, 1.5), down = world(DEALERS, 0.15, 0.6);
  printf("  rising: %ld of %ld found, falling: %ld of %ld\n", up.planted, up.answers, down.planted,
         down.answers);
  CU_ASSERT_TRUE(100 * up.planted >= 85 * up.answers);
  CU_ASSERT_TRUE(100 * down.planted >= 85 * down.answers);
}

TEST_MAIN("truth movers",
          TEST(weeks_without_change_get_false_words_in_at_most_8_percent_of_answers),
          TEST(a_model_that_gains_or_loses_at_all_dealers_is_found))
