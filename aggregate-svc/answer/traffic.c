/* Puts the answer about traffic sources together. */
#include "aggregate-svc/answer/traffic.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/answer/traffic_parts.h"
#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/disclosure/split.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareTrafficSourcesResult Result;
typedef Analytics__Aggregate__V1__TrafficSource Source;

enum { SLICE_BYTES = 256, METRIC_BYTES = 160 };

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

/* The dealers of one metric as the disclosure wants them: totals of each, or of one source. */
static struct disclosure_member *members_of(const struct answer *a, bool leads)
{
  const struct cohort *c = a->q->cohort;
  struct disclosure_member *m = xcalloc(c->n + 1, sizeof(*m));
  for (size_t i = 0; i < c->n; i++) {
    struct stats_ratio total = breakdown_total(&a->parts.by_source, i);
    m[i].visible = c->members[i].visible;
    m[i].owner = c->members[i].owner;
    m[i].contributes = c->members[i].state == DEALER_OK && total.denominator > 0 &&
                       traffic_usable(a->q, i) && (!leads || traffic_same_leads(&a->parts, c, i));
    m[i].denominator = total.denominator;
  }
  return m;
}

static void name_metric(const struct answer *a, bool leads, char out[static METRIC_BYTES])
{
  int event = a->parts.lead_events[a->q->cohort->subject];
  if (leads)
    snprintf(out, METRIC_BYTES, "leads_per_100_sessions %.100s",
             event != LEAD_UNKNOWN ? a->q->leads->names[event] : "");
  else
    snprintf(out, METRIC_BYTES, "session_share");
}

/* Parts of one source in one of the door's bases. */
static struct stats_ratio base_part(const struct answer *a, size_t base, size_t v, size_t member)
{
  return a->parts.bases[(base * a->parts.by_source.n + v) * a->q->cohort->n + member];
}

/* Whether a member is in the figures of a base. */
static bool is_in_base(const struct answer *a, size_t base, size_t member)
{
  const struct dealer_figures *f =
      &a->q->door->bases[DOOR_NOW].figures[base * a->q->cohort->n + member];
  return f->ok && metric_is_usable(&dealer_metrics[METRIC_LEADS_PER_100_SESSIONS], f);
}

static size_t bases_of(const struct answer *a)
{
  return a->parts.bases != NULL ? a->q->door->bases[DOOR_NOW].n : 0;
}

/* Who may contribute to one metric at all: what is suspect in a base is looked at there. */
static bool may_contribute(const struct answer *a, const struct disclosure_member *m, size_t member,
                           bool leads)
{
  return bases_of(a) == 0 ? m->contributes
                          : a->q->cohort->members[member].state == DEALER_OK &&
                                (!leads || traffic_same_leads(&a->parts, a->q->cohort, member));
}

static struct slice_part slice_of(struct stats_ratio part, bool leads)
{
  return (struct slice_part){part.denominator, leads ? part.numerator : 0};
}

/* Which sources the benchmark shows apart in one metric. */
static enum disclosure_code split(const struct answer *a, bool leads, enum slice_fate *fates)
{
  const struct breakdown *b = &a->parts.by_source;
  size_t n = b->n * b->n_members, n_bases = bases_of(a);
  AUTO_FREE struct disclosure_member *members = members_of(a, leads);
  AUTO_FREE struct slice_part *parts = xcalloc((n_bases + 1) * n + 1, sizeof(*parts));
  AUTO_FREE const struct slice_part **bases = xcalloc(n_bases + 1, sizeof(*bases));
  AUTO_FREE const char **labels = xcalloc(b->n + 1, sizeof(*labels));
  char metric[METRIC_BYTES];
  name_metric(a, leads, metric);
  for (size_t i = 0; i < b->n_members; i++)
    members[i].contributes = may_contribute(a, &members[i], i, leads);
  for (size_t k = 0; k < n_bases; k++)
    bases[k] = parts + (k + 1) * n;
  for (size_t v = 0; v < b->n; v++) {
    labels[v] = b->values[v]->label;
    for (size_t i = 0; i < b->n_members; i++) {
      size_t at = v * b->n_members + i;
      if (members[i].contributes)
        parts[at] = slice_of(*breakdown_part(b, v, i), leads);
      for (size_t k = 0; k < n_bases && members[i].contributes; k++)
        if (is_in_base(a, k, i))
          parts[(k + 1) * n + at] = slice_of(base_part(a, k, v, i), leads);
    }
  }
  struct split_question q = {metric,
                             traffic_dimension(a->q->by),
                             labels,
                             {members, b->n_members, parts, b->n, leads, bases, n_bases}};
  return split_decide(a->q->door, &q, fates);
}

/* A member in the figure of one source: its lead rate there, or the source's share of it. */
static void set_member(struct disclosure_member *m, struct stats_ratio part, int64_t sessions,
                       bool leads)
{
  m->numerator = leads ? part.numerator : part.denominator;
  m->denominator = leads ? part.denominator : sessions;
  /* A dealer without the source is in the share, as 0, and in no lead rate. */
  m->contributes = m->contributes && m->denominator > 0;
}

static int64_t sessions_in_base(const struct answer *a, size_t base, size_t member)
{
  int64_t sum = 0;
  for (size_t v = 0; v < a->parts.by_source.n; v++)
    sum += base_part(a, base, v, member).denominator;
  return sum;
}

/* One source of the outside dealers in one metric. */
static enum disclosure_code release(const struct answer *a, size_t v, bool leads,
                                    struct door_figure *out)
{
  const struct breakdown *b = &a->parts.by_source;
  size_t n = b->n_members, n_bases = bases_of(a);
  AUTO_FREE struct disclosure_member *members = members_of(a, leads);
  AUTO_FREE struct disclosure_member *rows = xcalloc(n_bases * n + 1, sizeof(*rows));
  AUTO_FREE const struct disclosure_member **bases = xcalloc(n_bases + 1, sizeof(*bases));
  char metric[METRIC_BYTES], slice[SLICE_BYTES];
  name_metric(a, leads, metric);
  split_slice(slice, sizeof(slice), traffic_dimension(a->q->by), b->values[v]->label);
  for (size_t k = 0; k < n_bases; k++) {
    bases[k] = rows + k * n;
    for (size_t i = 0; i < n; i++) {
      struct disclosure_member *m = &rows[k * n + i];
      *m = members[i];
      m->contributes = may_contribute(a, m, i, leads) && is_in_base(a, k, i);
      set_member(m, base_part(a, k, v, i), leads ? 0 : sessions_in_base(a, k, i), leads);
    }
  }
  for (size_t i = 0; i < n; i++)
    set_member(&members[i], *breakdown_part(b, v, i), members[i].denominator, leads);
  struct door_cell cell = {.metric = metric,
                           .slice = slice,
                           .members = members,
                           .bases = bases,
                           .n_bases = n_bases,
                           .rate = true,
                           .share = !leads,
                           .scale = leads ? LEADS_SCALE : 1,
                           .dispersion = leads ? a->parts.phi : 1};
  door_figure(a->q->door, &cell, out);
  return out->code;
}

static void ask_door(struct answer *a, size_t v, enum disclosure_code code, enum slice_fate fate,
                     bool leads)
{
  struct others *o = &a->others[v];
  struct door_figure f = {.code = code};
  if (code == DISCLOSURE_RESTRICTED && fate != SLICE_RELEASED)
    f.code = DISCLOSURE_MIN_CONTRIBUTORS;
  else if (code == DISCLOSURE_RESTRICTED)
    release(a, v, leads, &f);
  bool released = f.code == DISCLOSURE_RESTRICTED;
  if (leads) {
    o->leads_code = f.code;
    o->leads = f.pooled;
    o->has_leads = cell_pool_of_rate(LEADS_SCALE, &f, &o->judged.pool);
    o->judged.phi = f.record.dispersion;
  } else {
    o->share_code = f.code;
    o->share = f.pooled;
    o->has_share = released;
  }
  door_figure_free(&f);
}

static void ask_outside(struct answer *a)
{
  size_t n = a->parts.by_source.n;
  AUTO_FREE enum slice_fate *fates = xcalloc(n + 1, sizeof(*fates));
  for (int leads = 0; leads < 2; leads++) {
    enum disclosure_code code = split(a, leads != 0, fates);
    for (size_t k = 0; k < a->shown; k++)
      ask_door(a, a->order[k], code, fates[a->order[k]], leads != 0);
  }
}

/* The caller sees every dealer: the pool of all but the subject. */
static void pool_others(struct answer *a, size_t v)
{
  const struct cohort *c = a->q->cohort;
  struct others *o = &a->others[v];
  struct stats_ratio share = {0, 0}, leads = {0, 0};
  for (size_t i = 0; i < c->n; i++) {
    if ((long)i == c->subject || c->members[i].state != DEALER_OK || !traffic_usable(a->q, i))
      continue;
    struct stats_ratio part = *breakdown_part(&a->parts.by_source, v, i);
    share.numerator += part.denominator;
    share.denominator += breakdown_total(&a->parts.by_source, i).denominator;
    if (!traffic_same_leads(&a->parts, c, i))
      continue;
    leads.numerator += part.numerator;
    leads.denominator += part.denominator;
  }
  o->has_share = stats_ratio_value(share, &o->share);
  o->has_leads = stats_ratio_value(leads, &o->leads);
  o->leads *= LEADS_SCALE;
  o->judged = (struct judge_others){leads, a->parts.phi};
}

/* ----------------------------------------------------------------------- messages */

/* `own`: what its rate counts; leads: its lead events. */
static void set_own(const struct answer *a, Source *s, struct stats_ratio own, int64_t leads)
{
  struct stats_ratio total = breakdown_total(&a->parts.by_source, (size_t)a->q->cohort->subject);
  s->sessions = own.denominator;
  if (total.denominator > 0) {
    s->opt_share_case = SOURCE_HAS(OPT_SHARE_SHARE);
    s->share = (double)own.denominator / (double)total.denominator;
  }
  if (a->parts.lead_events[a->q->cohort->subject] == LEAD_UNKNOWN)
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
  bool known = a->parts.lead_events[a->q->cohort->subject] != LEAD_UNKNOWN;
  bool suspect = !traffic_usable(a->q, (size_t)a->q->cohort->subject);
  return (struct verdict_cell){.own = *breakdown_part(b, v, (size_t)a->q->cohort->subject),
                               .others = o->judged.pool,
                               .model = STATS_POISSON,
                               .phi = o->has_leads ? o->judged.phi : a->parts.phi,
                               .role = !judged   ? VERDICT_ROLE_CONTEXT
                                       : suspect ? VERDICT_ROLE_SUSPECT
                                                 : VERDICT_ROLE_JUDGED,
                               .allowed = known && o->has_leads && !suspect};
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
        *breakdown_part(&a->parts.by_source, a->order[k], (size_t)a->q->cohort->subject);
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
    set_verdict(s, &cells[k], a->q->cohort->outside == 0);
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
  size_t n = 0, other = b->n - 1, member = (size_t)a->q->cohort->subject;
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
  size_t subject = (size_t)q->cohort->subject;
  Result *r = ARENA_NEW(arena, Result);
  analytics__aggregate__v1__compare_traffic_sources_result__init(r);
  traffic_parts_make(&a.parts, q, arena);
  struct cohort_figures live = {q->cohort, q->dealers, q->leads};
  struct outside_view shown;
  outside_show(q->door, "CompareTrafficSources", &live, q->notes, arena, &shown);
  r->dealer_id = borrow_text(q->cohort->members[subject].dealer_id);
  r->by = borrow_text(by[q->by]);
  r->sessions = breakdown_total(&a.parts.by_source, subject).denominator;
  if (a.parts.lead_events[subject] != LEAD_UNKNOWN)
    r->lead_event = q->leads->names[a.parts.lead_events[subject]];
  rank(&a);
  a.others = ARENA_ARRAY(arena, struct others, a.parts.by_source.n + 1);
  if (q->cohort->outside > 0)
    ask_outside(&a);
  for (size_t k = 0; q->cohort->outside == 0 && k < a.shown; k++)
    pool_others(&a, a.order[k]);
  add_rows(&a, r);
  traffic_words(q, &shown, &a.parts, a.sources - a.shown, r, arena);
  breakdown_free(&a.parts.by_source);
  return r;
}
