/* Parts that the answers about vehicles share. */
#include "aggregate-svc/answer/vehicle_parts.h"

#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/dealer_caveats.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "aggregate-svc/words/text.h"
#include "common/base/mem.h"

char *vehicle_label(size_t model, struct arena *arena)
{
  const struct vehicle_model *m = &vehicle_models[model];
  return arena_printf(arena, "%s %s", vehicle_makes[m->make], m->name);
}

const char *vehicle_body(size_t model)
{
  return vehicle_bodies[vehicle_models[model].body];
}

int vehicle_lead_event(const struct vehicle_question *q, size_t member)
{
  return lead_event_of(q->leads, &q->cohort->members[member],
                       lead_find(q->fold->members[member].firings));
}

static bool is_sound(const struct vehicle_question *q, size_t member)
{
  return q->cohort->members[member].state == DEALER_OK &&
         metric_is_usable(&dealer_metrics[METRIC_SESSIONS], &q->dealers[member]);
}

static bool has_sound(const struct vehicle_question *q)
{
  bool any = false;
  for (size_t i = 0; i < q->cohort->n; i++)
    any = any || is_sound(q, i);
  return any;
}

bool vehicle_counts(const struct vehicle_question *q, size_t member)
{
  return is_sound(q, member) || (q->cohort->members[member].state == DEALER_OK && !has_sound(q));
}

static int most_first(const void *a, const void *b)
{
  const struct vehicle_rank *x = a, *y = b;
  if (x->amount != y->amount)
    return x->amount > y->amount ? -1 : 1;
  return strcmp(x->label, y->label);
}

void vehicle_rank(struct vehicle_rank *list, size_t n)
{
  qsort(list, n, sizeof(*list), most_first);
}

struct vehicle_matching vehicle_matching_of(const struct vehicle_question *q)
{
  struct vehicle_matching out = {0, 0};
  for (size_t i = 0; i < q->cohort->n; i++) {
    const struct cells *cells = &q->fold->members[i].cells;
    bool counts = vehicle_counts(q, i);
    for (size_t k = 0; counts && k < cells->n; k++) {
      struct models_key key = models_unpack(cells->list[k].key);
      if (key.query != MODELS_VIEWS || key.range != 0)
        continue;
      out.views += cells->list[k].events;
      out.matched += key.model != MODELS_NONE ? cells->list[k].events : 0;
    }
  }
  return out;
}

bool vehicle_rankable(struct vehicle_matching m)
{
  return m.matched > 0 && (double)m.matched >= VEHICLE_MATCHED_MIN * (double)m.views;
}

Analytics__Report__V1__Coverage *vehicle_coverage(const struct vehicle_question *q,
                                                  struct arena *arena)
{
  Analytics__Report__V1__Coverage *coverage = cohort_coverage(q->cohort, arena);
  if (has_sound(q))
    dealer_left_out(coverage, q->cohort, q->dealers, arena);
  return coverage;
}

/* ---------------------------------------------------------------------- sentences */

static bool is_read_by_path(const struct cohort *c, size_t member, const void *arg)
{
  const struct models_fold *f = arg;
  return c->members[member].state == DEALER_OK && !models_source_of(f, member)->fields;
}

static void path_caveat(struct caveats *c, const struct vehicle_question *q)
{
  size_t n = cohort_count_if(q->cohort, is_read_by_path, q->fold);
  if (n > 0)
    caveats_add(c,
                "%s %s read by the paths and titles of vehicle pages, because item_make and "
                "item_model are not registered there: a session counts once per page, so sessions "
                "of a model are too high, and a lead belongs to the page that it was sent from.",
                cohort_names(q->cohort, is_read_by_path, q->fold, c->arena), n == 1 ? "is" : "are");
}

static void matching_caveat(struct caveats *c, struct vehicle_matching m)
{
  double share = m.views > 0 ? (double)m.matched / (double)m.views : 1;
  if (share >= VEHICLE_MATCHED_MIN && share < VEHICLE_MATCHED_GOOD)
    caveats_add(c,
                "Only %.1f %% of the vehicle page views name a model of the catalogue; the others "
                "are in no share.",
                100 * share);
}

void vehicle_caveats(struct caveats *c, const struct vehicle_question *q,
                     struct vehicle_matching matching,
                     const Analytics__Aggregate__V1__Period *period,
                     const struct resolved_period *resolved)
{
  caveats_add_missing(c, q->cohort);
  if (q->not_visible > 0)
    caveats_add(c, "%zu dealer%s of the region that you may not see by name %s no part.",
                q->not_visible, text_s(q->not_visible), q->not_visible == 1 ? "takes" : "take");
  dealer_caveats_suspect(c, q->cohort, q->dealers);
  if (cohort_count(q->cohort, DEALER_OK) > 0 && !has_sound(q))
    caveats_add(c,
                "The traffic of every dealer in the answer is suspect; the figures are shown all "
                "the same.");
  matching_caveat(c, matching);
  path_caveat(c, q);
  dealer_caveats_names(c, q->cohort->members, q->cohort->n);
  caveats_add_notes(c, q->cohort, q->fold->notes);
  period_caveats(c, q->period, period, resolved);
}

struct event_arg {
  const struct vehicle_question *q;
  int event;
};

static bool counts_event(const struct cohort *c, size_t member, const void *arg)
{
  const struct event_arg *a = arg;
  return c->members[member].state == DEALER_OK && vehicle_lead_event(a->q, member) == a->event;
}

void vehicle_lead_caveats(struct caveats *c, const struct vehicle_question *q)
{
  size_t kinds = 0, dealers = cohort_count(q->cohort, DEALER_OK);
  struct event_arg a = {q, 0};
  for (a.event = 0; a.event < (int)q->leads->n; a.event++)
    kinds += cohort_count_if(q->cohort, counts_event, &a) > 0;
  for (a.event = 0; kinds > 1 && a.event < (int)q->leads->n; a.event++) {
    size_t n = cohort_count_if(q->cohort, counts_event, &a);
    if (n > 0 && 2 * n <= dealers)
      caveats_add(c, "Leads are counted by different events: %s %s %s.",
                  cohort_names(q->cohort, counts_event, &a, c->arena), n == 1 ? "counts" : "count",
                  q->leads->names[a.event]);
  }
  a.event = LEAD_UNKNOWN;
  if (cohort_count_if(q->cohort, counts_event, &a) > 0)
    caveats_add(c, "No lead event is known for %s; %s leads are in no figure.",
                cohort_names(q->cohort, counts_event, &a, c->arena),
                cohort_count_if(q->cohort, counts_event, &a) == 1 ? "its" : "their");
}

void vehicle_put_refusal(struct buf *b, struct vehicle_matching matching,
                         const struct resolved_period *resolved)
{
  if (matching.views == 0) {
    buf_puts(b, resolved->days.first > resolved->days.today
                    ? "The period has not begun, so there is nothing to rank"
                    : "No vehicle page was viewed");
    return;
  }
  buf_printf(b, "Only %.1f %% of ", 100 * (double)matching.matched / (double)matching.views);
  text_put_count(b, matching.views);
  buf_printf(b,
             " vehicle page views name a model of the catalogue, too few to rank models (%.0f %% "
             "are needed); `unmatched` lists the rest",
             100 * VEHICLE_MATCHED_MIN);
}

void vehicle_put_scope(struct buf *b, const Analytics__Report__V1__Coverage *coverage,
                       const Analytics__Aggregate__V1__Period *period)
{
  buf_printf(b, ": %d of %d dealer%s, %s to %s", coverage->ok, coverage->asked,
             text_s((size_t)coverage->asked), period->start_date, period->end_date);
}
