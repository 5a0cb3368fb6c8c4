/* Caveats that all answers about a dealer beside others share. */
#include "aggregate-svc/answer/dealer_caveats.h"

#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/figures/findings.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

enum { WHY_BYTES = 2000, EVENT_BYTES = 100, NAMES_SHOWN = 3 };

struct lead_filter {
  const struct cohort_figures *figures;
  int event;
};

static bool counts_event(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct lead_filter *f = arg;
  (void)cohort;
  return f->figures->dealers[member].ok && f->figures->dealers[member].lead_event == f->event;
}

static bool counts_event_seen(const struct cohort *cohort, size_t member, const void *arg)
{
  return cohort->members[member].visible && counts_event(cohort, member, arg);
}

/* Outside dealers whose leads are not in the region's lead figures. */
static bool counts_other_unseen(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct lead_filter *f = arg;
  return !cohort->members[member].visible && f->figures->dealers[member].ok &&
         f->figures->dealers[member].lead_event != f->event;
}

/* Dealers that count another event than the region, one sentence per event. */
static void add_other_events(struct caveats *out, const struct benchmarked *b, int region_event)
{
  for (int event = 0; event < (int)b->figures.leads->n; event++) {
    struct lead_filter f = {&b->figures, event};
    if (event == region_event || cohort_count_if(b->figures.cohort, counts_event_seen, &f) == 0)
      continue;
    caveats_add(out, "%s count%s %.*s as leads and %s compared in leads only with the same event.",
                cohort_names(b->figures.cohort, counts_event_seen, &f, out->arena),
                cohort_count_if(b->figures.cohort, counts_event_seen, &f) == 1 ? "s" : "",
                (int)text_clip(b->figures.leads->names[event], EVENT_BYTES),
                b->figures.leads->names[event],
                cohort_count_if(b->figures.cohort, counts_event_seen, &f) == 1 ? "is" : "are");
  }
  struct lead_filter f = {&b->figures, region_event};
  size_t unseen = cohort_count_if(b->figures.cohort, counts_other_unseen, &f);
  if (unseen > 0)
    caveats_add(out,
                "%zu dealer%s you may not see by name count%s another lead event or none and %s "
                "left out of the lead figures.",
                unseen, text_s(unseen), unseen == 1 ? "s" : "", unseen == 1 ? "is" : "are");
}

static void add_leads(struct caveats *out, const struct benchmarked *b)
{
  int event = group_lead_event(&b->figures);
  struct lead_filter f = {&b->figures, event};
  if (event != LEAD_UNKNOWN) {
    size_t same = cohort_count_if(b->figures.cohort, counts_event, &f);
    caveats_add(out,
                "Leads are %.*s events, which %zu of %zu dealer%s in the figures count%s; calls, "
                "chats and visits to the store are not in them.",
                (int)text_clip(b->figures.leads->names[event], EVENT_BYTES),
                b->figures.leads->names[event], same, cohort_count(b->figures.cohort, DEALER_OK),
                text_s(cohort_count(b->figures.cohort, DEALER_OK)), same == 1 ? "s" : "");
  }
  add_other_events(out, b, event);
  struct lead_filter none = {&b->figures, LEAD_UNKNOWN};
  if (cohort_count_if(b->figures.cohort, counts_event_seen, &none) > 0)
    caveats_add(out,
                "No lead event was found for %s: leads are unknown there, not 0. Configure "
                "lead_event for a site that reports leads under another name.",
                cohort_names(b->figures.cohort, counts_event_seen, &none, out->arena));
}

static bool has_no_sessions(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct dealer_figures *f = &((const struct cohort_figures *)arg)->dealers[member];
  (void)cohort;
  return f->ok && f->now.sessions == 0;
}

/* What is shown of dealers outside the caller's view, and how; true when nothing is, and why. */
static bool add_outside(struct caveats *out, const struct cohort *c, const struct door *door,
                        const char *form)
{
  AUTO_BUF struct buf why = BUF_INIT(WHY_BYTES);
  caveats_add(out,
              "%zu of the %zu dealers may not be shown: benchmarks pool these dealers alone, the "
              "same for each of yours, as they were when first asked for; %s.",
              c->outside, c->n, form);
  door_explain(door, &why);
  if (why.len > 0)
    caveats_add(out, "%s", buf_str(&why));
  return why.len > 0;
}

void dealer_caveats_outside(struct caveats *out, const struct cohort *c, const struct door *door)
{
  if (c->outside > 0)
    add_outside(out, c, door, "they are rounded");
}

static void add_privacy(struct caveats *out, const struct benchmarked *b)
{
  const struct cohort_figures *figures = &b->figures;
  if (figures->cohort->outside == 0 ||
      add_outside(out, figures->cohort, b->door,
                  "rates are rounded to 3 significant digits, indices to whole numbers, medians "
                  "are typical values of them, and counts of theirs are left out"))
    return;
  for (size_t i = 0; i < figures->cohort->n; i++) {
    if (!figures->cohort->members[i].visible || !figures->dealers[i].ok)
      continue;
    struct metric_group g = group_of(figures, METRIC_ENGAGEMENT_RATE, i);
    CLEANUP(door_figure_free) struct door_figure f;
    cell_figure(b->door, figures, g, CELL_NOW, &f);
    if (!group_has(figures, g, i) || disclosure_ok(f.code))
      continue;
    caveats_add(out,
                "Benchmarks are withheld (%s): too few or too unequal dealers to hide a single "
                "one's figures.",
                disclosure_code_name(f.code));
    return;
  }
}

/* Why the others have no change against the period before, by the first dealer that has one. */
static void add_before(struct caveats *out, const struct benchmarked *b)
{
  const struct cohort_figures *c = &b->figures;
  AUTO_FREE struct dealer_figures *space = xcalloc(c->cohort->n + 1, sizeof(*space));
  struct cohort_figures then = group_trend(c, true, space);
  for (size_t i = 0; i < c->cohort->n && c->cohort->outside > 0; i++) {
    struct metric_group g = group_of(c, METRIC_ENGAGEMENT_RATE, i);
    CLEANUP(door_figure_free) struct door_figure now = {0};
    CLEANUP(door_figure_free) struct door_figure before = {0};
    if (!c->cohort->members[i].visible || !c->dealers[i].has_before || !group_has(c, g, i) ||
        !group_has(&then, g, i))
      continue;
    cell_figure(b->door, c, g, CELL_NOW, &now);
    if (disclosure_ok(now.code))
      cell_figure(b->door, &then, g, CELL_BEFORE, &before);
    if (!disclosure_ok(before.code))
      caveats_add(out, "Changes of the others against the period before are withheld (%s): %s%s.",
                  disclosure_code_name(before.code),
                  text_withheld_before(disclosure_code_name(before.code)),
                  before.code == DISCLOSURE_MIN_CONTRIBUTORS ? " in each week or month of it" : "");
    return;
  }
}

struct shopper_filter {
  const struct cohort_figures *figures;
  int shopper;
};

static bool shops_so(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct shopper_filter *f = arg;
  return cohort->members[member].visible && f->figures->dealers[member].ok &&
         f->figures->dealers[member].shopper == f->shopper;
}

/* What a shopper session is, and which dealers mean something else by it. */
static void add_shoppers(struct caveats *out, const struct benchmarked *b)
{
  const struct cohort_figures *figures = &b->figures;
  int region = group_of_region(figures, METRIC_SHOPPER_RATE).shopper;
  if (region != SHOPPER_UNKNOWN && region != SHOPPER_INVENTORY)
    caveats_add(out, "Shopper sessions are %s.", shopper_words(figures->leads, region, out->arena));
  for (int shopper = 0; shopper < SHOPPER_EVENT + (int)figures->leads->n; shopper++) {
    struct shopper_filter f = {figures, shopper};
    if (shopper == region || cohort_count_if(figures->cohort, shops_so, &f) == 0)
      continue;
    caveats_add(out, "Shopper sessions of %s are %s; they are compared only with the same.",
                cohort_names(figures->cohort, shops_so, &f, out->arena),
                shopper_words(figures->leads, shopper, out->arena));
  }
}

static bool is_shopless(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct dealer_figures *f = &((const struct cohort_figures *)arg)->dealers[member];
  return cohort->members[member].visible && f->ok && f->shopper == SHOPPER_UNKNOWN;
}

static const struct suspect_findings *findings_of_dealer(const void *arg, size_t member)
{
  return &((const struct dealer_figures *)arg)[member].findings;
}

void dealer_caveats_suspect(struct caveats *out, const struct cohort *c,
                            const struct dealer_figures *dealers)
{
  findings_add_caveats(out, c, findings_of_dealer, dealers);
}

void dealer_left_out(Analytics__Report__V1__Coverage *coverage, const struct cohort *c,
                     const struct dealer_figures *dealers, struct arena *arena)
{
  findings_add_left_out(coverage, c, findings_of_dealer, dealers, arena);
}

bool dealer_is_alone(const struct cohort *c)
{
  return c->subject >= 0 && c->n == 1;
}

void dealer_caveats_alone(struct caveats *out, const struct cohort *c)
{
  if (dealer_is_alone(c))
    caveats_add(out, "There is no other dealer to compare with: name a larger region or group, see "
                     "list_cohorts.");
}

void dealer_caveats(struct caveats *out, const struct benchmarked *b)
{
  const struct cohort *cohort = b->figures.cohort;
  caveats_add_missing(out, cohort);
  dealer_caveats_alone(out, cohort);
  add_privacy(out, b);
  add_before(out, b);
  dealer_caveats_suspect(out, cohort, b->figures.dealers);
  add_leads(out, b);
  add_shoppers(out, b);
  if (cohort_count_if(cohort, is_shopless, &b->figures) > 0)
    caveats_add(out,
                "Shopper sessions are unknown, not 0, for %s: no asc_item_pageview or "
                "asc_itemlist_pageview is reported. Configure qualified_session.",
                cohort_names(cohort, is_shopless, &b->figures, out->arena));
  if (cohort_count_if(cohort, has_no_sessions, &b->figures) > 0)
    caveats_add(out, "No sessions in the period, so no rates, for: %s.",
                cohort_names(cohort, has_no_sessions, &b->figures, out->arena));
}

/* ----------------------------------------------------------------- of one dealer */

struct event_filter {
  const int *lead_events;
  int event;
};

static bool counts_other(const struct cohort *c, size_t member, const void *arg)
{
  const struct event_filter *f = arg;
  return c->members[member].state == DEALER_OK && c->members[member].visible &&
         f->lead_events[member] != f->event;
}

void dealer_caveats_leads(struct caveats *out, const struct cohort *c,
                          const struct lead_events *leads, const int *lead_events)
{
  struct event_filter f = {lead_events, lead_events[c->subject]};
  if (c->members[c->subject].state != DEALER_OK)
    return;
  if (f.event == LEAD_UNKNOWN) {
    caveats_add(out, "No lead event was found for the dealer: its leads are unknown, not 0. "
                     "Configure lead_event for a site that reports leads under another name.");
    return;
  }
  caveats_add(out, "Leads are %.*s events; calls, chats and visits to the store are not in them.",
              (int)text_clip(leads->names[f.event], EVENT_BYTES), leads->names[f.event]);
  size_t n = cohort_count_if(c, counts_other, &f);
  if (n > 0)
    caveats_add(out, "%s count%s another lead event or none and %s left out of the lead figures.",
                cohort_names(c, counts_other, &f, out->arena), n == 1 ? "s" : "",
                n == 1 ? "is" : "are");
}

/* -------------------------------------------------------------------- vehicle names */

void dealer_caveats_names(struct caveats *out, const struct cohort_member *members, size_t n)
{
  struct vehicle_alias alias;
  size_t unknown = 0;
  AUTO_BUF struct buf b = BUF_INIT(4096);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < members[i].vehicles.n_names; k++) {
      const struct vehicle_name *x = &members[i].vehicles.names[k];
      if (vehicle_alias_make(&alias, x->value, x->make, x->model) || unknown++ >= NAMES_SHOWN)
        continue;
      buf_printf(&b, "%s\"%s\" (%s %s) of %s", unknown > 1 ? ", " : "", x->value, x->make, x->model,
                 members[i].name);
    }
  if (unknown > 0)
    caveats_add(out, "vehicle_overrides: %zu name%s no model of the catalogue: %s%s.", unknown,
                unknown == 1 ? "s" : "", buf_str(&b), unknown > NAMES_SHOWN ? ", ..." : "");
}
