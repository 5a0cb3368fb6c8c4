/* The headline and the caveats of a comparison. */
#include <string.h>

#include "aggregate-svc/answer/comparison.h"
#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/figures/findings.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;
typedef Analytics__Aggregate__V1__DealerIndex DealerIndex;

enum { HEADLINE_BYTES = 2000, HEADLINE_NAME_BYTES = 200, EVENT_BYTES = 100 };

/* -------------------------------------------------------------------- headline */

/* The metrics of a headline. */
static const enum metric_id headline_metrics[] = {METRIC_ENGAGEMENT_RATE,
                                                  METRIC_LEADS_PER_100_SESSIONS};

/* A value in the unit's usual form: "58.2 %", "1.95". */
static void put_value(struct buf *b, const struct dealer_metric *m, double x)
{
  if (m->unit == UNIT_SHARE)
    buf_printf(b, "%.1f %%", 100 * x);
  else
    buf_printf(b, "%.2f", x);
}

static const char *standing_words(const MetricIndex *x)
{
  switch (x->standing) {
  case ANALYTICS__AGGREGATE__V1__STANDING__BETTER:
    return "better";
  case ANALYTICS__AGGREGATE__V1__STANDING__WORSE:
    return "worse";
  case ANALYTICS__AGGREGATE__V1__STANDING__NO_CLEAR_DIFFERENCE:
    return "no clear difference";
  case ANALYTICS__AGGREGATE__V1__STANDING__SUSPECT_DATA:
    return "not judged: its data is suspect";
  default:
    return "too little data to judge";
  }
}

/* " (index 110, 95 % interval 104 to 117, 4th of 22: better)" */
static void put_index(struct buf *b, const MetricIndex *x)
{
  buf_printf(b, " (index %.0f", x->index);
  if (x->opt_index_low_case != 0 && x->opt_index_high_case != 0)
    buf_printf(b, ", 95 %% interval %.0f to %.0f", x->index_low, x->index_high);
  buf_printf(b, ", %d%s of %d: %s)", x->rank, text_ordinal(x->rank), x->of, standing_words(x));
}

/* "engagement rate 58.2 % against 53.1 % (index 110, ...)" */
static void put_metric(struct buf *b, const struct dealer_metric *m, const MetricIndex *x)
{
  buf_printf(b, "%s ", m->words);
  if (x->opt_value_case == 0) {
    buf_puts(b, "not known");
    return;
  }
  put_value(b, m, x->value);
  if (x->suppressed[0] != '\0') {
    buf_printf(b, " (benchmark withheld: %s)", x->suppressed);
    return;
  }
  if (x->opt_benchmark_case == 0) {
    buf_puts(b, " (no other dealer to compare with)");
    return;
  }
  buf_puts(b, " against ");
  put_value(b, m, x->benchmark);
  if (x->opt_index_case != 0)
    put_index(b, x);
  else if (x->standing == ANALYTICS__AGGREGATE__V1__STANDING__SUSPECT_DATA)
    buf_printf(b, " (%s)", standing_words(x));
}

static void put_scope(struct buf *b, const Result *r)
{
  text_put_clipped(b, r->cohort->label, HEADLINE_NAME_BYTES);
  buf_printf(b, " (%d of %d dealers), %s to %s", r->coverage->ok, r->coverage->asked,
             r->period->start_date, r->period->end_date);
}

/* "Sessions changed by -17 % against the period before, those of the others by -25 %." */
static void put_change(struct buf *b, const MetricIndex *x)
{
  if (x->opt_change_percent_case == 0)
    return;
  buf_printf(b, "; sessions %+.0f %% against the period before", x->change_percent);
  if (x->opt_others_change_percent_case != 0)
    buf_printf(b, ", the others %+.0f %%", x->others_change_percent);
}

static void put_subject(struct buf *b, const struct comparison *c, const Result *r)
{
  const struct cohort_member *m = &c->of.figures.cohort->members[c->of.figures.cohort->subject];
  const DealerIndex *index = comparison_index_of_subject(c, r);
  text_put_clipped(b, m->name, HEADLINE_NAME_BYTES);
  if (index == NULL) {
    buf_printf(b, " could not be read (%s), so it is not compared with ", m->reason);
    put_scope(b, r);
    return;
  }
  buf_puts(b, " against the other dealers of ");
  put_scope(b, r);
  if (c->of.figures.dealers[c->of.figures.cohort->subject].now.sessions == 0) {
    buf_puts(b, ": no sessions, so there is nothing to compare");
    return;
  }
  for (size_t i = 0; i < ARRAY_LEN(headline_metrics); i++) {
    enum metric_id id = headline_metrics[i];
    buf_puts(b, i == 0 ? ": " : "; ");
    put_metric(b, &dealer_metrics[id], index->metrics[id]);
  }
  put_change(b, index->metrics[METRIC_SESSIONS]);
}

static void put_region(struct buf *b, const Result *r)
{
  bool any = false;
  put_scope(b, r);
  if (r->regional_average->opt_sessions_case != 0) {
    buf_puts(b, ": ");
    text_put_count(b, r->regional_average->sessions);
    buf_puts(b, " sessions");
    any = true;
  }
  for (size_t i = 0; i < ARRAY_LEN(headline_metrics); i++) {
    const struct dealer_metric *m = &dealer_metrics[headline_metrics[i]];
    const MetricAverage *a = r->regional_average->metrics[headline_metrics[i]];
    if (a->opt_pooled_case == 0)
      continue;
    buf_printf(b, "%s%s ", any ? "; " : ": ", m->words);
    put_value(b, m, a->pooled);
    any = true;
  }
  if (!any)
    buf_puts(b, ": figures of the dealers may not be shown");
}

static void put_future(struct buf *b, const Result *r)
{
  put_scope(b, r);
  buf_puts(b, ": the period has not begun, so there is nothing to compare");
}

static bool has_any_sessions(const struct comparison *c)
{
  for (size_t i = 0; i < c->of.figures.cohort->n; i++)
    if (c->of.figures.dealers[i].ok && c->of.figures.dealers[i].now.sessions > 0)
      return true;
  return false;
}

static void put_no_data(struct buf *b, const Result *r)
{
  put_scope(b, r);
  buf_puts(b, ": no dealer has a session in the period, so there is nothing to compare; it may lie "
              "before their first data");
}

char *comparison_headline(const struct comparison *c, const Result *r,
                          const struct resolved_period *period, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  if (period->days.first > period->days.today)
    put_future(&b, r);
  else if (!has_any_sessions(c))
    put_no_data(&b, r);
  else if (c->of.figures.cohort->subject >= 0)
    put_subject(&b, c, r);
  else
    put_region(&b, r);
  buf_putc(&b, '.');
  return arena_strdup(arena, buf_str(&b));
}

/* --------------------------------------------------------------------- caveats */

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
static void add_other_events(struct caveats *out, const struct comparison *c, int region_event)
{
  for (int event = 0; event < (int)c->of.figures.leads->n; event++) {
    struct lead_filter f = {&c->of.figures, event};
    if (event == region_event || cohort_count_if(c->of.figures.cohort, counts_event_seen, &f) == 0)
      continue;
    caveats_add(out,
                "%s count%s %.*s as leads and %s compared in lead figures only with dealers that "
                "count the same event.",
                cohort_names(c->of.figures.cohort, counts_event_seen, &f, out->arena),
                cohort_count_if(c->of.figures.cohort, counts_event_seen, &f) == 1 ? "s" : "",
                (int)text_clip(c->of.figures.leads->names[event], EVENT_BYTES),
                c->of.figures.leads->names[event],
                cohort_count_if(c->of.figures.cohort, counts_event_seen, &f) == 1 ? "is" : "are");
  }
  struct lead_filter f = {&c->of.figures, region_event};
  size_t unseen = cohort_count_if(c->of.figures.cohort, counts_other_unseen, &f);
  if (unseen > 0)
    caveats_add(out,
                "%zu dealer%s you may not see by name count%s another lead event or none and %s "
                "left out of the lead figures.",
                unseen, text_s(unseen), unseen == 1 ? "s" : "", unseen == 1 ? "is" : "are");
}

static void add_leads(struct caveats *out, const struct comparison *c)
{
  int event = group_lead_event(&c->of.figures);
  struct lead_filter f = {&c->of.figures, event};
  if (event != LEAD_UNKNOWN) {
    size_t same = cohort_count_if(c->of.figures.cohort, counts_event, &f);
    caveats_add(out,
                "Leads are %.*s events, which %zu of %zu dealers in the figures count%s; calls, "
                "chats and visits to the store are not in them.",
                (int)text_clip(c->of.figures.leads->names[event], EVENT_BYTES),
                c->of.figures.leads->names[event], same,
                cohort_count(c->of.figures.cohort, DEALER_OK), same == 1 ? "s" : "");
  }
  add_other_events(out, c, event);
  struct lead_filter none = {&c->of.figures, LEAD_UNKNOWN};
  if (cohort_count_if(c->of.figures.cohort, counts_event_seen, &none) > 0)
    caveats_add(out,
                "No lead event was found for %s: leads are unknown there, not 0. Configure "
                "lead_event for a site that reports leads under another name.",
                cohort_names(c->of.figures.cohort, counts_event_seen, &none, out->arena));
}

static bool has_no_sessions(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct dealer_figures *f = &((const struct cohort_figures *)arg)->dealers[member];
  (void)cohort;
  return f->ok && f->now.sessions == 0;
}

static void add_privacy(struct caveats *out, const struct comparison *c)
{
  const struct cohort_figures *figures = &c->of.figures;
  if (c->of.figures.cohort->outside == 0)
    return;
  caveats_add(out,
              "%zu of the %zu dealers may not be shown: benchmarks pool these dealers alone, the "
              "same for each of yours, as they were when first asked for; rates are rounded to 3 "
              "significant digits, indices to whole numbers, medians are typical values of them, "
              "and counts of theirs are left out.",
              c->of.figures.cohort->outside, c->of.figures.cohort->n);
  AUTO_BUF struct buf why = BUF_INIT(HEADLINE_BYTES);
  door_explain(c->of.door, &why);
  if (why.len > 0) {
    caveats_add(out, "%s", buf_str(&why));
    return;
  }
  for (size_t i = 0; i < figures->cohort->n; i++) {
    if (!figures->cohort->members[i].visible || !figures->dealers[i].ok)
      continue;
    struct metric_group g = group_of(figures, METRIC_ENGAGEMENT_RATE, i);
    CLEANUP(door_figure_free) struct door_figure f;
    cell_figure(c->of.door, figures, g, CELL_NOW, &f);
    if (!group_has(figures, g, i) || disclosure_ok(f.code))
      continue;
    caveats_add(out,
                "Benchmarks are withheld (%s): too few or too unequal dealers to hide a single "
                "one's figures.",
                disclosure_code_name(f.code));
    return;
  }
}

static bool has_several_properties(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct cohort_member *m = &cohort->members[member];
  (void)arg;
  return m->state == DEALER_OK && m->visible && m->properties > 1;
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
static void add_shoppers(struct caveats *out, const struct comparison *c)
{
  const struct cohort_figures *figures = &c->of.figures;
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

/* Where nothing is clear, a longer period may be. */
static void add_power(struct caveats *out, const struct comparison *c, const Result *r)
{
  enum { LONG_DAYS = 91 };
  const DealerIndex *x = comparison_index_of_subject(c, r);
  if (x == NULL || r->period->days >= LONG_DAYS)
    return;
  for (size_t m = 0; m < x->n_metrics; m++)
    if (x->metrics[m]->standing == ANALYTICS__AGGREGATE__V1__STANDING__BETTER ||
        x->metrics[m]->standing == ANALYTICS__AGGREGATE__V1__STANDING__WORSE)
      return;
  caveats_add(out, "No difference is clear with this much data; 13 weeks may show more.");
}

static const struct suspect_findings *findings_of_dealer(const void *arg, size_t member)
{
  const struct cohort_figures *f = arg;
  return &f->dealers[member].findings;
}

void comparison_caveats(const struct comparison *c, Result *r, const struct resolved_period *period,
                        struct arena *arena)
{
  struct caveats out = {.arena = arena};
  caveats_add_missing(&out, c->of.figures.cohort);
  add_privacy(&out, c);
  findings_add_caveats(&out, c->of.figures.cohort, findings_of_dealer, &c->of.figures);
  add_leads(&out, c);
  add_shoppers(&out, c);
  if (cohort_count_if(c->of.figures.cohort, is_shopless, &c->of.figures) > 0)
    caveats_add(&out,
                "Shopper sessions are unknown, not 0, for %s: inventory pages are not "
                "reported as asc_item_pageview or asc_itemlist_pageview. Configure "
                "qualified_session.",
                cohort_names(c->of.figures.cohort, is_shopless, &c->of.figures, arena));
  if (cohort_count_if(c->of.figures.cohort, has_no_sessions, &c->of.figures) > 0)
    caveats_add(&out, "No sessions in the period, so no rates, for: %s.",
                cohort_names(c->of.figures.cohort, has_no_sessions, &c->of.figures, arena));
  if (cohort_count_if(c->of.figures.cohort, has_several_properties, NULL) > 0)
    caveats_add(&out, "Only the first of several properties was read for: %s.",
                cohort_names(c->of.figures.cohort, has_several_properties, NULL, arena));
  add_power(&out, c, r);
  caveats_add_notes(&out, c->of.figures.cohort, c->notes);
  period_caveats(&out, c->period, r->period, period);
  r->caveats = out.items;
  r->n_caveats = out.n;
}
