/* A group of dealers whose cells of views and leads a test fills, and a question about them. */
#ifndef AMCP_TESTS_AGGREGATE_MODELS_STAGE_H
#define AMCP_TESTS_AGGREGATE_MODELS_STAGE_H

#include "aggregate-svc/answer/vehicle_parts.h"
#include "aggregate-svc/figures/models.h"
#include "aggregate-svc/vehicle/vehicle.h"

enum {
  MODELS_STAGE_DEALERS = 20,
  MODELS_STAGE_MODELS = 30,    /* of the catalogue */
  MODELS_STAGE_MONDAY = 20703, /* first day of the period */
  MODELS_STAGE_WEEKS = 8,
};

struct models_stage {
  struct cohort cohort;
  struct cohort_member members[MODELS_STAGE_DEALERS];
  char names[MODELS_STAGE_DEALERS][16];
  struct models_fold fold;
  struct period period;
  struct arena *arena;
  struct dealer_figures dealers[MODELS_STAGE_DEALERS];
  struct vehicle_question question;
};

/* Candidates for the lead event; the first is asc_form_submission. */
extern const struct lead_events models_stage_leads;

/* Dealers d00, d01 ... that the caller sees, without a figure. */
void models_stage_begin(struct models_stage *s);
/* Checks that the budget was given back. */
void models_stage_end(struct models_stage *s);
/* The cell of a dealer with a key; zeroed when it is new. */
struct cell *models_stage_cell(struct models_stage *s, size_t dealer, struct models_key key);
/* 50 sessions on each day of the weeks. */
void models_stage_fill_days(struct models_stage *s, size_t dealer);
/* Lead events of the first candidate, each in a session of its own; none of a model. */
void models_stage_add_leads(struct models_stage *s, size_t dealer, int64_t n);

/* The i-th model of a test, spread over the catalogue. */
uint16_t models_stage_model(size_t i);
/* The i that a test does something to: a model of the body style that most have. */
size_t models_stage_planted(void);

#endif
