/* The sentences of an answer about interest in models. */
#include "aggregate-svc/answer/vehicle_interest.h"
#include "aggregate-svc/words/text.h"

typedef Analytics__Aggregate__V1__AnalyzeVehicleInterestResult Result;

enum { HEADLINE_BYTES = 1000, HEADLINE_MODELS = 3 };

/* "Toyota RAV4 leads with 11.0 % of 52,310 vehicle page views, ahead of Ford F-150 (9.6 %)". */
static void put_leaders(struct buf *b, const Result *r, int64_t matched)
{
  size_t n = r->n_models < HEADLINE_MODELS ? r->n_models : HEADLINE_MODELS;
  buf_printf(b, "%s has %.1f %% of the ", r->models[0]->model, 100 * r->models[0]->share);
  text_put_count(b, matched);
  buf_puts(b, " vehicle page views that name a model");
  for (size_t i = 1; i < n; i++) {
    if (i == 1)
      buf_puts(b, ", ahead of ");
    else
      text_put_separator(b, i - 1, n - 1);
    buf_printf(b, "%s (%.1f %%)", r->models[i]->model, 100 * r->models[i]->share);
  }
}

static char *headline(const struct vehicle_question *q, const Result *r,
                      struct vehicle_matching matching, const struct resolved_period *resolved,
                      struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  if (!vehicle_rankable(matching))
    vehicle_put_refusal(&b, matching, resolved);
  else if (r->n_models == 0)
    buf_printf(&b, "There are no more than %d models", r->totals->models);
  else if (q->offset > 0)
    buf_printf(&b, "Models %zu to %zu of %d by vehicle page views", q->offset + 1,
               q->offset + r->n_models, r->totals->models);
  else
    put_leaders(&b, r, matching.matched);
  vehicle_put_scope(&b, r->coverage, r->period);
  return arena_strdup(arena, buf_str(&b));
}

static bool is_new_in_range(const struct cohort *c, size_t member, const void *arg)
{
  const struct models_totals *t = ((const struct models_fold *)arg)->members[member].totals;
  return c->members[member].state == DEALER_OK && t[0].sessions > 0 && t[1].sessions == 0;
}

static void before_caveats(struct caveats *c, const struct vehicle_question *q)
{
  if (!q->has_before)
    caveats_add(c, "Changes are not given: how long the period is depends on the time zone, or the "
                   "period before begins earlier than Google Analytics has data for.");
  else if (cohort_count_if(q->cohort, is_new_in_range, q->fold) > 0)
    caveats_add(c, "In the period before there are no sessions of %s, so changes include that.",
                cohort_names(q->cohort, is_new_in_range, q->fold, c->arena));
}

void vehicle_interest_words(const struct vehicle_question *q, struct vehicle_matching matching,
                            Result *r, struct arena *arena)
{
  struct resolved_period resolved;
  struct caveats c = {.arena = arena};
  r->period =
      period_message(q->period, q->cohort, q->fold->notes, q->now_unix_ms, arena, &resolved);
  r->coverage = vehicle_coverage(q, arena);
  vehicle_caveats(&c, q, matching, r->period, &resolved);
  vehicle_lead_caveats(&c, q);
  before_caveats(&c, q);
  r->caveats = c.items;
  r->n_caveats = c.n;
  r->headline = headline(q, r, matching, &resolved, arena);
}
