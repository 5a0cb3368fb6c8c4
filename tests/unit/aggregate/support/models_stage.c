/* Cells of views and leads, and a question about them. */
#include "tests/unit/aggregate/support/models_stage.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { DEALERS = MODELS_STAGE_DEALERS };

static atomic_llong used;
static char *event_names[] = {(char *)"asc_form_submission", (char *)"generate_lead",
                              (char *)"form_submit"};
const struct lead_events models_stage_leads = {event_names, 3};
static const struct models_source by_fields = {.fields = true};
static const uint16_t source_of[DEALERS];

void models_stage_begin(struct models_stage *s)
{
  memset(s, 0, sizeof(*s));
  s->cohort = (struct cohort){.members = s->members, .n = DEALERS, .subject = -1, .label = "all"};
  for (size_t i = 0; i < DEALERS; i++) {
    snprintf(s->names[i], sizeof(s->names[i]), "d%02zu", i);
    s->members[i] = (struct cohort_member){.visible = true,
                                           .dealer_id = s->names[i],
                                           .name = s->names[i],
                                           .region = i % 2 == 0 ? "East" : "West",
                                           .lead_event = "",
                                           .state = DEALER_OK};
  }
  models_fold_init(&s->fold, &by_fields, source_of, &models_stage_leads, DEALERS,
                   (struct budget){&used, 1LL << 30, 0});
  period_of_days(&s->period, MODELS_STAGE_MONDAY, MODELS_STAGE_MONDAY + 7 * MODELS_STAGE_WEEKS - 1);
  s->arena = arena_new(SIZE_MAX / 4);
  s->question =
      (struct vehicle_question){.cohort = &s->cohort,
                                .fold = &s->fold,
                                .leads = &models_stage_leads,
                                .dealers = s->dealers,
                                .period = &s->period,
                                .now_unix_ms = (MODELS_STAGE_MONDAY + 70) * INT64_C(86400000),
                                .limit = 200};
}

void models_stage_end(struct models_stage *s)
{
  models_fold.free(&s->fold);
  arena_free(s->arena);
  CU_ASSERT_EQUAL(atomic_load(&used), 0);
}

struct cell *models_stage_cell(struct models_stage *s, size_t dealer, struct models_key key)
{
  return cells_at(&s->fold.members[dealer].cells, &s->fold.budget, models_pack(key));
}

void models_stage_fill_days(struct models_stage *s, size_t dealer)
{
  for (int k = 0; k < 7 * MODELS_STAGE_WEEKS; k++)
    models_stage_cell(s, dealer,
                      (struct models_key){.query = MODELS_DAYS,
                                          .model = MODELS_NONE,
                                          .slot = (uint16_t)(MODELS_STAGE_MONDAY + k)})
        ->sessions = 50;
}

void models_stage_add_leads(struct models_stage *s, size_t dealer, int64_t n)
{
  struct models_member *member = &s->fold.members[dealer];
  if (member->lead_events == NULL) {
    member->lead_events = xcalloc(MODELS_RANGES * models_stage_leads.n + 1, sizeof(int64_t));
    member->lead_sessions = xcalloc(MODELS_RANGES * models_stage_leads.n + 1, sizeof(int64_t));
  }
  member->firings[0] += n;
  member->lead_events[0] += n;
  member->lead_sessions[0] += n;
}

uint16_t models_stage_model(size_t i)
{
  return (uint16_t)(i * (vehicle_models_len / MODELS_STAGE_MODELS));
}

size_t models_stage_planted(void)
{
  for (size_t i = 0; i < MODELS_STAGE_MODELS; i++)
    if (strcmp(vehicle_body(models_stage_model(i)), "suv") == 0)
      return i;
  return 0;
}
