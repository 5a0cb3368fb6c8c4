/* Puts the answer about traffic sources together. */
#include "aggregate-svc/answer/traffic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/answer/sliced.h"
#include "aggregate-svc/answer/traffic_parts.h"
#include "aggregate-svc/disclosure/cell.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareTrafficSourcesResult Result;
typedef Analytics__Aggregate__V1__TrafficSource Source;

enum { METRIC_BYTES = 160 };

#define LEADS_SCALE 100 /* leads per 100 sessions */
#define SOURCE_HAS(field) ANALYTICS__AGGREGATE__V1__TRAFFIC_SOURCE__##field

/* What the others do with one source. */
struct others {
  bool has_share, has_leads;
  double share, leads;        /* leads per 100 sessions */
  struct judge_others judged; /* for the verdict */
  enum disclosure_code share_code, leads_code;
};

struct answer {
  const struct traffic_question *q;
  struct arena *arena;
  struct traffic_parts parts;
  size_t *order; /* the subject's sources as places of the breakdown, most sessions first */
  size_t shown, sources;
  struct others *others; /* per place */
};

/* ------------------------------------------------------------------------- others */

static struct sliced sliced_of(const struct answer *a, bool leads, char metric[static METRIC_BYTES])
{
  int event = a->parts.lead_events[a->q->of.cohort->subject];
  snprintf(metric, METRIC_BYTES, leads ? "leads_per_100_sessions %.100s" : "session_share%s",
           leads && event != LEAD_UNKNOWN ? a->q->of.leads->names[event] : "");
  return (struct sliced){.q = &a->q->of,
                         .parts = &a->parts.by_source,
                         .bases = a->parts.bases,
                         .metric = metric,
                         .dimension = traffic_dimension(a->q->by),
                         .lead_events = leads ? a->parts.lead_events : NULL,
                         .scale = leads ? LEADS_SCALE : 1,
                         .dispersion = leads ? a->parts.phi : 1};
}

static void set_released(struct others *o, const struct door_figure *f, bool leads)
{
  if (leads) {
    o->leads_code = f->code;
    o->leads = f->pooled;
    o->has_leads = cell_pool_of_rate(LEADS_SCALE, f, &o->judged.pool);
    o->judged.phi = f->record.dispersion;
  } else {
    o->share_code = f->code;
    o->share = f->pooled;
    o->has_share = f->code == DISCLOSURE_RESTRICTED;
  }
}

static void ask_outside(struct answer *a)
{
  AUTO_FREE enum slice_fate *fates = xcalloc(a->parts.by_source.n + 1, sizeof(*fates));
  char metric[METRIC_BYTES];
  for (int leads = 0; leads < 2; leads++) {
    struct sliced s = sliced_of(a, leads != 0, metric);
    enum disclosure_code code = sliced_split(&s, fates);
    for (size_t k = 0; k < a->shown; k++) {
      CLEANUP(door_figure_free) struct door_figure f;
      sliced_release(&s, a->order[k], code, fates[a->order[k]], &f);
      set_released(&a->others[a->order[k]], &f, leads != 0);
    }
  }
}

/* The caller sees every dealer: the pool of all but the subject. */
static void pool_others(struct answer *a, size_t v)
{
  const struct cohort *c = a->q->of.cohort;
  struct others *o = &a->others[v];
  struct stats_ratio share = {0, 0}, leads = {0, 0};
  for (size_t i = 0; i < c->n; i++) {
    if ((long)i == c->subject || c->members[i].state != DEALER_OK || !subject_usable(&a->q->of, i))
      continue;
    struct stats_ratio part = *breakdown_part(&a->parts.by_source, v, i);
    share.numerator += part.denominator;
    share.denominator += breakdown_total(&a->parts.by_source, i).denominator;
    if (!subject_same_leads(c, a->parts.lead_events, i))
      continue;
    leads.numerator += part.numerator;
    leads.denominator += part.denominator;
  }
  o->has_share = stats_ratio_value(share, &o->share);
  o->has_leads = stats_ratio_value(leads, &o->leads);
  o->leads *= LEADS_SCALE;
  o->judged = (struct judge_others){.pool = leads, .phi = a->parts.phi};
}

/* ----------------------------------------------------------------------- messages */

/* `own`: what its rate counts; leads: its lead events. */
static void set_own(const struct answer *a, Source *s, struct stats_ratio own, int64_t leads)
{
  struct stats_ratio total = breakdown_total(&a->parts.by_source, (size_t)a->q->of.cohort->subject);
  s->sessions = own.denominator;
  if (total.denominator > 0) {
    s->opt_share_case = SOURCE_HAS(OPT_SHARE_SHARE);
    s->share = (double)own.denominator / (double)total.denominator;
  }
  if (a->parts.lead_events[a->q->of.cohort->subject] == LEAD_UNKNOWN)
    return;
  s->opt_leads_case = SOURCE_HAS(OPT_LEADS_LEADS);
  s->leads = leads;
  if (own.denominator <= 0)
    return;
  s->opt_lead_rate_case = SOURCE_HAS(OPT_LEAD_RATE_LEADS_PER_100_SESSIONS);
  s->leads_per_100_sessions = LEADS_SCALE * (double)own.numerator / (double)own.denominator;
}

static void set_others(Source *s, const struct others *o)
{
  if (o->has_share) {
    s->opt_others_share_case = SOURCE_HAS(OPT_OTHERS_SHARE_OTHERS_SHARE);
    s->others_share = o->share;
  }
  if (o->has_leads) {
    s->opt_others_lead_rate_case = SOURCE_HAS(OPT_OTHERS_LEAD_RATE_OTHERS_LEADS_PER_100_SESSIONS);
    s->others_leads_per_100_sessions = o->leads;
  }
  enum disclosure_code code = disclosure_ok(o->share_code) ? o->leads_code : o->share_code;
  s->suppressed = borrow_text(disclosure_code_name(code));
}

static void set_verdict(Source *s, const struct verdict_cell *cell, bool open)
{
  double low = cell->low, high = cell->high;
  s->standing = standing_message(cell->word);
  if (!cell->has_index || !cell->allowed)
    return;
  s->opt_index_case = SOURCE_HAS(OPT_INDEX_INDEX);
  s->index = open ? cell->index : nearbyint(cell->index);
  s->opt_expected_case = SOURCE_HAS(OPT_EXPECTED_EXPECTED);
  s->expected = open ? cell->expected : form_expected(cell->expected);
  if (cell->has_interval) {
    if (!open)
      form_interval(cell->low, cell->high, &low, &high);
    s->opt_index_low_case = SOURCE_HAS(OPT_INDEX_LOW_INDEX_LOW);
    s->index_low = low;
    s->opt_index_high_case = SOURCE_HAS(OPT_INDEX_HIGH_INDEX_HIGH);
    s->index_high = high;
  }
  if (!open || !cell->tested)
    return;
  s->opt_q_case = SOURCE_HAS(OPT_Q_Q);
  s->q = cell->q;
}

/* Only rows that stand for a source carry a verdict. */
static bool is_source(const char *label)
{
  return strcmp(label, traffic_self) != 0 && strcmp(label, breakdown_unset) != 0 &&
         strcmp(label, breakdown_other) != 0;
}

static struct verdict_cell cell_of(const struct answer *a, size_t v)
{
  const struct others *o = &a->others[v];
  const struct breakdown *b = &a->parts.by_source;
  bool judged = is_source(b->values[v]->label);
  bool known = a->parts.lead_events[a->q->of.cohort->subject] != LEAD_UNKNOWN;
  bool suspect = !subject_usable(&a->q->of, (size_t)a->q->of.cohort->subject);
  return (struct verdict_cell){.own = *breakdown_part(b, v, (size_t)a->q->of.cohort->subject),
                               .others = o->judged.pool,
                               .model = STATS_POISSON,
                               .phi = o->has_leads ? o->judged.phi : a->parts.phi,
                               .role = !judged   ? VERDICT_ROLE_CONTEXT
                                       : suspect ? VERDICT_ROLE_SUSPECT
                                                 : VERDICT_ROLE_JUDGED,
                               .allowed = known && o->has_leads && !suspect,
                               .withheld = known && !disclosure_ok(o->leads_code)};
}

/* The subject's sources that have no row of their own. */
static Source *rest_message(const struct answer *a)
{
  struct stats_ratio rest = {0, 0};
  int64_t leads = 0;
  Source *s = ARENA_NEW(a->arena, Source);
  analytics__aggregate__v1__traffic_source__init(s);
  for (size_t k = a->shown; k < a->sources; k++) {
    struct stats_ratio part =
        *breakdown_part(&a->parts.by_source, a->order[k], (size_t)a->q->of.cohort->subject);
    rest.numerator += part.numerator;
    rest.denominator += part.denominator;
    leads += a->parts.own[a->order[k]];
  }
  s->source = borrow_text(breakdown_other);
  s->standing = standing_message(VERDICT_CONTEXT);
  set_own(a, s, rest, leads);
  return s;
}

static void add_rows(struct answer *a, Result *r)
{
  AUTO_FREE struct verdict_cell *cells = xcalloc(a->shown + 1, sizeof(*cells));
  for (size_t k = 0; k < a->shown; k++)
    cells[k] = cell_of(a, a->order[k]);
  r->tested = (int32_t)verdict_judge(cells, a->shown);
  r->sources = ARENA_ARRAY(a->arena, Source *, a->shown + 1);
  for (size_t k = 0; k < a->shown; k++) {
    Source *s = ARENA_NEW(a->arena, Source);
    analytics__aggregate__v1__traffic_source__init(s);
    s->source = borrow_text(a->parts.by_source.values[a->order[k]]->label);
    set_own(a, s, cells[k].own, a->parts.own[a->order[k]]);
    set_others(s, &a->others[a->order[k]]);
    set_verdict(s, &cells[k], a->q->of.cohort->outside == 0);
    r->sources[r->n_sources++] = s;
  }
  if (a->sources > a->shown)
    r->sources[r->n_sources++] = rest_message(a);
}

/* --------------------------------------------------------------------------- order */

struct ranked {
  size_t place;
  int64_t sessions;
  const char *label;
};

static int most_first(const void *a, const void *b)
{
  const struct ranked *x = a, *y = b;
  if (x->sessions != y->sessions)
    return x->sessions > y->sessions ? -1 : 1;
  return strcmp(x->label, y->label);
}

/* The subject's sources; what has no place of its own is behind all others. */
static void rank(struct answer *a)
{
  const struct breakdown *b = &a->parts.by_source;
  AUTO_FREE struct ranked *list = xcalloc(b->n + 1, sizeof(*list));
  size_t n = 0, other = b->n - 1, member = (size_t)a->q->of.cohort->subject;
  for (size_t v = 0; v < other; v++)
    if (breakdown_part(b, v, member)->denominator > 0)
      list[n++] =
          (struct ranked){v, breakdown_part(b, v, member)->denominator, b->values[v]->label};
  qsort(list, n, sizeof(*list), most_first);
  a->order = ARENA_ARRAY(a->arena, size_t, b->n + 1);
  for (size_t k = 0; k < n; k++)
    a->order[k] = list[k].place;
  a->shown = n < TRAFFIC_ROWS_MAX ? n : TRAFFIC_ROWS_MAX;
  if (breakdown_part(b, other, member)->denominator > 0)
    a->order[n++] = other;
  a->sources = n;
}

Result *compare_traffic(const struct traffic_question *q, struct arena *arena)
{
  static const char *const by[] = {"channel", "source_medium", "campaign"};
  struct answer a = {.q = q, .arena = arena};
  size_t subject = (size_t)q->of.cohort->subject;
  Result *r = ARENA_NEW(arena, Result);
  analytics__aggregate__v1__compare_traffic_sources_result__init(r);
  traffic_parts_make(&a.parts, q, arena);
  struct cohort_figures live = {q->of.cohort, q->of.dealers, q->of.leads};
  struct outside_view shown;
  outside_show(q->of.door, "CompareTrafficSources", &live, q->of.notes, arena, &shown);
  r->dealer_id = borrow_text(q->of.cohort->members[subject].dealer_id);
  r->by = borrow_text(by[q->by]);
  r->sessions = breakdown_total(&a.parts.by_source, subject).denominator;
  if (a.parts.lead_events[subject] != LEAD_UNKNOWN)
    r->lead_event = q->of.leads->names[a.parts.lead_events[subject]];
  rank(&a);
  a.others = ARENA_ARRAY(arena, struct others, a.parts.by_source.n + 1);
  if (q->of.cohort->outside > 0)
    ask_outside(&a);
  for (size_t k = 0; q->of.cohort->outside == 0 && k < a.shown; k++)
    pool_others(&a, a.order[k]);
  add_rows(&a, r);
  traffic_words(q, &shown, &a.parts, a.sources - a.shown, r, arena);
  breakdown_free(&a.parts.by_source);
  return r;
}
