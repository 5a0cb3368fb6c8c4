/* compare_trends: one metric of a dealer over weeks or months beside the others. */
#include <string.h>

#include "aggregate-svc/answer/trends.h"
#include "aggregate-svc/call/daily.h"
#include "aggregate-svc/disclosure/outside.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__CompareTrendsRequest Request;

struct state {
  struct daily_question daily; /* first: the fold's figures */
  enum metric_id metric;
  enum grain grain;
  struct iso_span spans[GRAIN_WEEKS_MAX];
  size_t n;
};

static enum err_code check_metric(struct state *s, const char *name, struct err *e)
{
  s->metric = METRIC_LEADS_PER_100_SESSIONS;
  for (size_t m = 0; name[0] != '\0' && m < METRIC_COUNT; m++)
    if (metric_has_trend(&dealer_metrics[m]) && metric_is_called(&dealer_metrics[m], name))
      s->metric = (enum metric_id)m;
  if (name[0] == '\0' || metric_is_called(&dealer_metrics[s->metric], name))
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "metric: must be one of sessions, engagement_rate, shopper_rate, vdp_reach, "
                 "vdp_views_per_session, srp_to_vdp, leads_per_100_sessions, "
                 "leads_per_100_shopper_sessions");
}

static enum err_code check(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  bool month = strcmp(r->grain, "month") == 0;
  s->grain = month ? GRAIN_MONTH : GRAIN_WEEK;
  if (r->grain[0] != '\0' && !month && strcmp(r->grain, "week") != 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "grain: must be \"week\" or \"month\"");
  return check_metric(s, r->metric, e);
}

/* The weeks or months that lie in what was asked for and are complete everywhere. */
static enum err_code days(struct tool_call *c, struct err *e)
{
  struct state *s = c->state;
  int64_t last = lattice_complete_through(c->now_unix_ms),
          first = grain_usual_first(s->grain, last);
  if (c->fields.date_range != NULL) {
    struct period_days asked = period_resolve(&c->period, c->now_unix_ms, 0);
    last = asked.last < last ? asked.last : last;
    first = asked.first;
  }
  s->n = grain_spans(s->grain, first, last, s->spans);
  if (s->n == 0)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "date_range: holds no whole %s that is complete; ask for more days, or leave it "
                   "out",
                   s->grain == GRAIN_WEEK ? "week (Monday to Sunday)" : "month");
  period_of_days(&c->period, s->spans[0].first, s->spans[s->n - 1].last);
  return ERR_OK;
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  struct state *s = c->state;
  if (c->cohort.subject < 0)
    return request_no_subject(e);
  struct iso_span from = grain_year_before(s->grain, s->spans[0]);
  struct iso_span to = grain_year_before(s->grain, s->spans[s->n - 1]);
  s->daily.has_other = from.first >= PERIOD_FIRST_DAY;
  if (s->daily.has_other)
    period_of_days(&s->daily.other, from.first, to.last);
  return daily_plan(c, &s->daily, p, e);
}

/* ---------------------------------------------------------------------- computing */

static bool fill(struct tool_call *c, struct iso_span days_of, struct trend_span *out,
                 struct arena *arena, struct err *e)
{
  struct state *s = c->state;
  struct lattice_span span = {days_of.first, days_of.last};
  const struct dealer_figures *f = daily_figures_within(c, &s->daily, span, arena, e);
  *out = (struct trend_span){days_of, {&c->cohort, f, &s->daily.leads}};
  return f != NULL;
}

/* The figures of n weeks or months in a row, each and together. */
static bool fill_block(struct tool_call *c, const struct iso_span *spans, size_t n,
                       struct trend_block *out, struct arena *arena, struct err *e)
{
  struct trend_span *single = ARENA_ARRAY(arena, struct trend_span, n);
  *out = (struct trend_block){.single = single, .n = n};
  for (size_t i = 0; i < n; i++)
    if (!fill(c, spans[i], &single[i], arena, e))
      return false;
  return n == 0 ||
         fill(c, (struct iso_span){spans[0].first, spans[n - 1].last}, &out->all, arena, e);
}

static bool fill_all(struct tool_call *c, struct trends *t, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  struct iso_span year[GRAIN_WEEKS_MAX];
  size_t block = grain_block(s->grain, s->n), n = block > 0 ? block : 1;
  for (size_t i = 0; i < n; i++)
    year[i] = grain_year_before(s->grain, s->spans[s->n - n + i]);
  return fill_block(c, s->spans, s->n, &t->series, arena, e) &&
         fill_block(c, s->spans + s->n - n, n, &t->after, arena, e) &&
         fill_block(c, s->spans + s->n - n - block, block, &t->before, arena, e) &&
         fill_block(c, year, s->daily.has_other ? n : 0, &t->year_before, arena, e);
}

/* What is suspect in the whole series, in what it is compared with, or in one of its weeks, as
 * found first: an answer says it once. What is lost before the series leaves the series' own rates
 * as they are: there is no change against these days, and that is all that is said. */
static void gather(const struct trend_span *s, bool before, size_t n_members,
                   struct dealer_figures *out)
{
  for (size_t i = 0; s->figures.dealers != NULL && i < n_members; i++)
    for (size_t code = 0; code < SUSPECT_CODES; code++) {
      struct suspect_finding *to = &out[i].findings.of[code];
      if (to->found)
        continue;
      *to = s->figures.dealers[i].findings.of[code];
      if (before)
        to->effects &= ~(unsigned)EFFECT_NO_RATES;
    }
}

static const struct dealer_figures *
with_findings(const struct trends *t, const struct outside_view *shown, struct arena *arena)
{
  size_t n_members = shown->cohort.n;
  const struct trend_block *blocks[] = {&t->after, &t->before, &t->series, &t->year_before};
  struct dealer_figures *out = ARENA_ARRAY(arena, struct dealer_figures, n_members);
  for (size_t i = 0; i < n_members; i++)
    out[i] = shown->figures[i];
  for (size_t b = 0; b < ARRAY_LEN(blocks); b++)
    gather(&blocks[b]->all, blocks[b] == &t->year_before, n_members, out);
  for (size_t b = 0; b < ARRAY_LEN(blocks); b++)
    for (size_t k = 0; k < blocks[b]->n; k++)
      gather(&blocks[b]->single[k], blocks[b] == &t->year_before, n_members, out);
  return out;
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  struct state *s = c->state;
  struct trends t = {.notes = s->daily.fold.notes,
                     .period = &c->period,
                     .now_unix_ms = c->now_unix_ms,
                     .metric = s->metric,
                     .grain = s->grain};
  if (!fill_all(c, &t, arena, e))
    return NULL;
  t.of = (struct benchmarked){t.series.all.figures, &c->door};
  struct outside_view shown;
  outside_show(&c->door, "", &t.series.all.figures, s->daily.fold.notes, arena, &shown);
  t.of.figures.cohort = &shown.cohort;
  t.of.figures.dealers = with_findings(&t, &shown, arena);
  t.notes = shown.notes;
  return &trends_make(&t, arena)->base;
}

const struct tool compare_trends_tool = {.rpc = "CompareTrends",
                                         .dealers = TOOL_PEERS,
                                         .period = TOOL_LAST_4_WEEKS,
                                         .kept = true,
                                         .state_size = sizeof(struct state),
                                         .fold = &daily_fold,
                                         .check = check,
                                         .days = days,
                                         .plan = plan,
                                         .result = result};
