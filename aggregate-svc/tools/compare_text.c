/* The headline and the caveats of a comparison. */
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/tools/compare.h"
#include "aggregate-svc/words/text.h"
#include "common/base/buf.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;
typedef Analytics__Aggregate__V1__DealerIndex DealerIndex;

enum { HEADLINE_BYTES = 2000, HEADLINE_NAME_BYTES = 200, EVENT_BYTES = 100 };

/* -------------------------------------------------------------------- headline */

/* The metrics a headline tells, and how. */
static const struct {
  enum compare_metric metric;
  const char *words;
  const char *format; /* of the value */
  double factor;
} told[] = {
    {METRIC_ENGAGEMENT_RATE, "engagement rate", "%.1f %%", 100},
    {METRIC_LEADS_PER_100_SESSIONS, "leads per 100 sessions", "%.2f", 1},
};

__attribute__((format(printf, 2, 0))) static void put_number(struct buf *b, const char *format,
                                                             double x)
{
  char text[40];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
  snprintf(text, sizeof(text), format, x);
#pragma GCC diagnostic pop
  buf_puts(b, text);
}

static const char *standing_words(const MetricIndex *x)
{
  switch (x->standing) {
  case ANALYTICS__AGGREGATE__V1__STANDING__BETTER:
    return "better";
  case ANALYTICS__AGGREGATE__V1__STANDING__WORSE:
    return "worse";
  case ANALYTICS__AGGREGATE__V1__STANDING__SIMILAR:
    return "similar";
  default:
    return "too little data to judge";
  }
}

/* "engagement rate 58.2 % against 53.1 % (index 110, 4th of 22: better)" */
static void put_metric(struct buf *b, size_t t, const MetricIndex *x)
{
  buf_printf(b, "%s ", told[t].words);
  if (x->opt_value_case == 0) {
    buf_puts(b, "not known");
    return;
  }
  put_number(b, told[t].format, told[t].factor * x->value);
  if (x->suppressed[0] != '\0') {
    buf_printf(b, " (benchmark withheld: %s)", x->suppressed);
    return;
  }
  if (x->opt_benchmark_case == 0) {
    buf_puts(b, " (no other dealer to compare with)");
    return;
  }
  buf_puts(b, " against ");
  put_number(b, told[t].format, told[t].factor * x->benchmark);
  if (x->opt_index_case != 0)
    buf_printf(b, " (index %.0f, %d%s of %d: %s)", x->index, x->rank, text_ordinal(x->rank), x->of,
               standing_words(x));
}

static const DealerIndex *index_of(const Result *r, const char *dealer_id)
{
  for (size_t i = 0; i < r->n_performance_index; i++)
    if (strcmp(r->performance_index[i]->dealer_id, dealer_id) == 0)
      return r->performance_index[i];
  return NULL;
}

static void put_scope(struct buf *b, const Result *r)
{
  text_put_clipped(b, r->cohort->label, HEADLINE_NAME_BYTES);
  buf_printf(b, " (%d of %d dealers), %s to %s", r->coverage->ok, r->coverage->asked,
             r->period->start_date, r->period->end_date);
}

static void put_subject(struct buf *b, const struct comparison *c, const Result *r)
{
  const struct cohort_member *m = &c->cohort->members[c->cohort->subject];
  const DealerIndex *index = index_of(r, m->dealer_id);
  text_put_clipped(b, m->name, HEADLINE_NAME_BYTES);
  if (index == NULL) {
    buf_printf(b, " could not be read (%s), so it is not compared with ", m->reason);
    put_scope(b, r);
    return;
  }
  buf_puts(b, " against the other dealers of ");
  put_scope(b, r);
  if (c->figures[c->cohort->subject].sessions == 0) {
    buf_puts(b, ": no sessions, so there is nothing to compare");
    return;
  }
  for (size_t t = 0; t < sizeof(told) / sizeof(told[0]); t++) {
    buf_puts(b, t == 0 ? ": " : "; ");
    put_metric(b, t, index->metrics[told[t].metric]);
  }
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
  for (size_t t = 0; t < sizeof(told) / sizeof(told[0]); t++) {
    const MetricAverage *a = r->regional_average->metrics[told[t].metric];
    if (a->opt_pooled_case == 0)
      continue;
    buf_printf(b, "%s%s ", any ? "; " : ": ", told[t].words);
    put_number(b, told[t].format, told[t].factor * a->pooled);
    any = true;
  }
  if (!any)
    buf_puts(b, ": figures of the dealers may not be told");
}

char *compare_headline(const struct comparison *c, const Result *r, struct arena *arena)
{
  AUTO_BUF struct buf b = BUF_INIT(HEADLINE_BYTES);
  if (c->cohort->subject >= 0)
    put_subject(&b, c, r);
  else
    put_region(&b, r);
  buf_putc(&b, '.');
  return arena_strdup(arena, buf_str(&b));
}

/* --------------------------------------------------------------------- caveats */

struct lead_filter {
  const struct comparison *c;
  int event;
};

static bool counts_event(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct lead_filter *f = arg;
  (void)cohort;
  return f->c->figures[member].ok && f->c->figures[member].lead_event == f->event;
}

static bool counts_event_seen(const struct cohort *cohort, size_t member, const void *arg)
{
  return cohort->members[member].visible && counts_event(cohort, member, arg);
}

/* Outside dealers whose leads are not in the region's lead figures. */
static bool counts_other_unseen(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct lead_filter *f = arg;
  return !cohort->members[member].visible && f->c->figures[member].ok &&
         f->c->figures[member].lead_event != f->event;
}

/* Dealers that count another event than the region, one sentence per event. */
static void add_other_events(struct caveats *out, const struct comparison *c, int region_event)
{
  for (int event = 0; event < (int)c->leads->n; event++) {
    struct lead_filter f = {c, event};
    if (event == region_event || cohort_count_if(c->cohort, counts_event_seen, &f) == 0)
      continue;
    caveats_add(out,
                "%s count%s %.*s as leads and %s compared in lead figures only with dealers that "
                "count the same event.",
                cohort_names(c->cohort, counts_event_seen, &f, out->arena),
                cohort_count_if(c->cohort, counts_event_seen, &f) == 1 ? "s" : "",
                (int)text_clip(c->leads->names[event], EVENT_BYTES), c->leads->names[event],
                cohort_count_if(c->cohort, counts_event_seen, &f) == 1 ? "is" : "are");
  }
  struct lead_filter f = {c, region_event};
  size_t unseen = cohort_count_if(c->cohort, counts_other_unseen, &f);
  if (unseen > 0)
    caveats_add(out,
                "%zu dealer%s you may not see by name count%s another lead event or none and %s "
                "left out of the lead figures.",
                unseen, text_s(unseen), unseen == 1 ? "s" : "", unseen == 1 ? "is" : "are");
}

static void add_leads(struct caveats *out, const struct comparison *c)
{
  int event = compare_region_lead_event(c);
  struct lead_filter f = {c, event};
  if (event != LEAD_UNKNOWN) {
    size_t same = cohort_count_if(c->cohort, counts_event, &f);
    caveats_add(out,
                "Leads are %.*s events, which %zu of %zu dealers in the figures count%s; calls, "
                "chats and visits to the store are not in them.",
                (int)text_clip(c->leads->names[event], EVENT_BYTES), c->leads->names[event], same,
                cohort_count(c->cohort, DEALER_OK), same == 1 ? "s" : "");
  }
  add_other_events(out, c, event);
  struct lead_filter none = {c, LEAD_UNKNOWN};
  if (cohort_count_if(c->cohort, counts_event_seen, &none) > 0)
    caveats_add(out,
                "No lead event was found for %s: leads are unknown there, not 0. Configure "
                "lead_event for a site that reports leads under another name.",
                cohort_names(c->cohort, counts_event_seen, &none, out->arena));
}

static bool has_no_sessions(const struct cohort *cohort, size_t member, const void *arg)
{
  const struct comparison *c = arg;
  (void)cohort;
  return c->figures[member].ok && c->figures[member].sessions == 0;
}

static void add_privacy(struct caveats *out, const struct comparison *c, const Result *r)
{
  if (c->cohort->outside == 0)
    return;
  caveats_add(out,
              "%zu of the %zu dealers may not be shown: rates of the cohort are rounded to 3 "
              "significant digits, indices to whole numbers, medians are typical values of the "
              "dealers not shown, and counts of theirs are left out.",
              c->cohort->outside, c->cohort->n);
  for (size_t m = 0; m < r->n_performance_index; m++)
    if (r->performance_index[m]->metrics[METRIC_ENGAGEMENT_RATE]->suppressed[0] != '\0') {
      caveats_add(out,
                  "Benchmarks are withheld (%s): too few or too unequal dealers to hide a single "
                  "one's figures.",
                  r->performance_index[m]->metrics[METRIC_ENGAGEMENT_RATE]->suppressed);
      return;
    }
}

void compare_caveats(const struct comparison *c, Result *r, const struct resolved_period *period,
                     struct arena *arena)
{
  struct caveats out = {.arena = arena};
  caveats_add_missing(&out, c->cohort);
  add_privacy(&out, c, r);
  add_leads(&out, c);
  if (cohort_count_if(c->cohort, has_no_sessions, c) > 0)
    caveats_add(&out, "No sessions in the period, so no rates, for: %s.",
                cohort_names(c->cohort, has_no_sessions, c, arena));
  caveats_add_notes(&out, c->cohort, c->notes);
  period_caveats(&out, c->period, r->period, period);
  r->caveats = out.items;
  r->n_caveats = out.n;
}
