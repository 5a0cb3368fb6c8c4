/* Leads of vehicle models where none brings more or fewer than its class does at its dealer: at
 * most 8 % of the answers may hold a false word; and a model whose lead rate is planted is found.
 *
 * Groups of dealers are drawn and answered by the product's own answer/vehicle_leads. Dealers
 * convert unequally, as classes do. AMCP_TRUTH_REGIONS takes another number of groups. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/vehicle_leads.h"
#include "common/base/mem.h"
#include "tests/truth/null/draw.h"
#include "tests/unit/aggregate/support/models_stage.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__VehicleLeadConversionResult Result;

enum {
  GROUPS = 250,
  DEALERS = MODELS_STAGE_DEALERS,
  MODELS = MODELS_STAGE_MODELS,
  SEED = 20261202
};

static long groups(void)
{
  const char *s = getenv("AMCP_TRUTH_REGIONS");
  long n = s != NULL ? strtol(s, NULL, 10) : 0;
  return n > 0 ? n : GROUPS;
}

/* A model in a condition at a dealer; `rate` is its lead rate. */
static void draw_cell(struct models_stage *s, size_t dealer, struct models_key key, double sessions,
                      double rate, struct draw *d)
{
  int64_t n = 20 + draw_events(d, sessions, 2);
  key.query = MODELS_VIEWS;
  struct cell *views = models_stage_cell(s, dealer, key);
  views->events = n + n / 10;
  views->sessions = n;
  int64_t k = draw_share(d, n, rate, 1);
  key.query = MODELS_LEADS;
  struct cell *leads = models_stage_cell(s, dealer, key);
  leads->events = leads->sessions = k;
  models_stage_add_leads(s, dealer, k);
}

/* effect: on the lead rate of the planted model. */
static void draw_group(struct models_stage *s, double effect, struct draw *d)
{
  for (size_t i = 0; i < DEALERS; i++) {
    double level = 0.6 + 0.9 * draw_uniform(d), size = 60 + 200 * draw_uniform(d);
    for (size_t m = 0; m < MODELS; m++) {
      bool is_planted = m == models_stage_planted();
      if (draw_uniform(d) < 0.3 && !is_planted)
        continue; /* the dealer does not carry it */
      struct models_key key = {.model = models_stage_model(m)};
      double rate = level * (0.01 + 0.005 * (vehicle_models[key.model].body % 4));
      double sessions = size * (0.2 + 1.6 * draw_uniform(d));
      for (key.condition = CONDITION_NEW; key.condition <= CONDITION_USED; key.condition++)
        draw_cell(s, i, key, sessions,
                  rate * (key.condition == CONDITION_NEW ? 1 : 1.4) * (is_planted ? effect : 1), d);
    }
  }
}

struct count {
  long answers, with_word, tested, words, above, below;
};

static void count_answer(struct models_stage *s, struct count *c)
{
  const Result *r = vehicle_leads(&s->question, s->arena);
  const char *planted = vehicle_label(models_stage_model(models_stage_planted()), s->arena);
  long words = 0;
  for (size_t i = 0; i < r->n_models; i++) {
    bool above = strcmp(r->models[i]->verdict, "above_expected") == 0;
    bool below = strcmp(r->models[i]->verdict, "below_expected") == 0;
    words += above || below;
    if (strcmp(r->models[i]->model, planted) == 0) {
      c->above += above;
      c->below += below;
    }
  }
  c->answers++;
  c->with_word += words > 0;
  c->words += words;
  c->tested += r->tested;
}

static struct count world(double effect)
{
  struct count c = {0};
  struct draw d = {.state = SEED + (uint64_t)(effect * 100)};
  struct models_stage *s = xcalloc(1, sizeof(*s));
  for (long k = 0; k < groups(); k++) {
    models_stage_begin(s);
    draw_group(s, effect, &d);
    count_answer(s, &c);
    models_stage_end(s);
  }
  free(s);
  return c;
}

static void equal_models_get_false_words_in_at_most_8_percent_of_answers(void)
{
  struct count c = world(1);
  printf("  %ld of %ld answers, %ld of %ld tested models\n", c.with_word, c.answers, c.words,
         c.tested);
  CU_ASSERT_TRUE(c.tested > 10 * c.answers);
  CU_ASSERT_TRUE(100 * c.with_word <= 8 * c.answers);
  CU_ASSERT_TRUE(100 * c.words <= 2 * c.tested);
}

static void a_model_with_half_or_twice_the_leads_of_its_class_is_found(void)
{
  struct count half = world(0.5), twice = world(2);
  printf("  half: %ld of %ld found, twice: %ld of %ld\n", half.below, half.answers, twice.above,
         twice.answers);
  CU_ASSERT_TRUE(100 * half.below >= 85 * half.answers);
  CU_ASSERT_TRUE(100 * twice.above >= 85 * twice.answers);
}

TEST_MAIN("truth models", TEST(equal_models_get_false_words_in_at_most_8_percent_of_answers),
          TEST(a_model_with_half_or_twice_the_leads_of_its_class_is_found))
