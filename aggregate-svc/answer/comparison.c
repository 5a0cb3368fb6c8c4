/* Puts the result of a comparison together. */
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/comparison.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__DealerSessions DealerSessions;
typedef Analytics__Aggregate__V1__DealerIndex DealerIndex;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Aggregate__V1__MetricAverage MetricAverage;
typedef Analytics__Aggregate__V1__RegionalAverage RegionalAverage;
typedef Analytics__Aggregate__V1__Cohort CohortMessage;

static CohortMessage *cohort_message(const struct cohort *c, struct arena *arena)
{
  CohortMessage *m = ARENA_NEW(arena, CohortMessage);
  analytics__aggregate__v1__cohort__init(m);
  m->id = borrow_text(c->id);
  m->label = borrow_text(c->label);
  m->dealers = (int32_t)c->n;
  m->undisclosed = (int32_t)c->outside;
  return m;
}

/* --------------------------------------------------------------------- dealers */

static DealerSessions *dealer_message(const struct comparison *c, size_t member,
                                      struct arena *arena)
{
  const struct cohort_member *m = &c->of.figures.cohort->members[member];
  const struct dealer_figures *f = &c->of.figures.dealers[member];
  struct metric_group leads = {METRIC_LEADS_PER_100_SESSIONS, f->lead_event};
  DealerSessions *d = ARENA_NEW(arena, DealerSessions);
  double x;
  analytics__aggregate__v1__dealer_sessions__init(d);
  d->dealer_id = borrow_text(m->dealer_id);
  d->name = borrow_text(m->name);
  d->region = borrow_text(m->region);
  d->sessions = f->sessions;
  d->engaged_sessions = f->engaged_sessions;
  d->subject = c->of.figures.cohort->subject == (long)member;
  if (group_value(&c->of.figures, (struct metric_group){METRIC_ENGAGEMENT_RATE, 0}, member, &x)) {
    d->opt_engagement_rate_case =
        ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_ENGAGEMENT_RATE_ENGAGEMENT_RATE;
    d->engagement_rate = x;
  }
  if (group_value(&c->of.figures, (struct metric_group){METRIC_BOUNCE_RATE, 0}, member, &x)) {
    d->opt_bounce_rate_case =
        ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_BOUNCE_RATE_BOUNCE_RATE;
    d->bounce_rate = x;
  }
  if (f->lead_event != LEAD_UNKNOWN) {
    d->lead_event = c->of.figures.leads->names[f->lead_event];
    d->opt_lead_events_case =
        ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_LEAD_EVENTS_LEAD_EVENTS;
    d->lead_events = f->leads;
  }
  if (group_value(&c->of.figures, leads, member, &x)) {
    d->opt_leads_per_100_sessions_case =
        ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_LEADS_PER_100_SESSIONS_LEADS_PER_100_SESSIONS;
    d->leads_per_100_sessions = x;
  }
  return d;
}

static DealerIndex *indices_message(const struct comparison *c, size_t member, struct arena *arena)
{
  DealerIndex *d = ARENA_NEW(arena, DealerIndex);
  analytics__aggregate__v1__dealer_index__init(d);
  d->dealer_id = borrow_text(c->of.figures.cohort->members[member].dealer_id);
  d->n_metrics = METRIC_COUNT;
  d->metrics = ARENA_ARRAY(arena, MetricIndex *, METRIC_COUNT);
  for (size_t m = 0; m < METRIC_COUNT; m++)
    d->metrics[m] = index_message(&c->of, (enum metric_id)m, member, arena);
  return d;
}

/* A shown dealer while the order is made. */
struct shown {
  size_t member;
  int64_t sessions;
  const char *dealer_id;
};

static int most_sessions_first(const void *a, const void *b)
{
  const struct shown *x = a, *y = b;
  if (x->sessions != y->sessions)
    return x->sessions > y->sessions ? -1 : 1;
  return strcmp(x->dealer_id, y->dealer_id);
}

static void add_dealers(const struct comparison *c, Result *r, struct arena *arena)
{
  size_t n = 0;
  AUTO_FREE struct shown *order = xcalloc(c->of.figures.cohort->n + 1, sizeof(*order));
  for (size_t i = 0; i < c->of.figures.cohort->n; i++)
    if (c->of.figures.dealers[i].ok && c->of.figures.cohort->members[i].visible)
      order[n++] = (struct shown){i, c->of.figures.dealers[i].sessions,
                                  c->of.figures.cohort->members[i].dealer_id};
  qsort(order, n, sizeof(*order), most_sessions_first);
  r->n_dealers = r->n_performance_index = n;
  r->dealers = ARENA_ARRAY(arena, DealerSessions *, n);
  r->performance_index = ARENA_ARRAY(arena, DealerIndex *, n);
  for (size_t i = 0; i < n; i++) {
    r->dealers[i] = dealer_message(c, order[i].member, arena);
    r->performance_index[i] = indices_message(c, order[i].member, arena);
  }
}

/* ---------------------------------------------------------------------- region */

/* Sum of a count over its group; false when there is none or it may not be shown. */
static bool region_count(const struct comparison *c, struct metric_group g, int64_t *out)
{
  return c->of.figures.cohort->outside == 0 && group_count(&c->of.figures, g, out);
}

static RegionalAverage *region_message(const struct comparison *c, struct arena *arena)
{
  RegionalAverage *a = ARENA_NEW(arena, RegionalAverage);
  int lead_event = group_lead_event(&c->of.figures);
  analytics__aggregate__v1__regional_average__init(a);
  if (region_count(c, (struct metric_group){METRIC_SESSIONS, lead_event}, &a->sessions))
    a->opt_sessions_case = ANALYTICS__AGGREGATE__V1__REGIONAL_AVERAGE__OPT_SESSIONS_SESSIONS;
  if (region_count(c, (struct metric_group){METRIC_ENGAGED_SESSIONS, lead_event},
                   &a->engaged_sessions))
    a->opt_engaged_sessions_case =
        ANALYTICS__AGGREGATE__V1__REGIONAL_AVERAGE__OPT_ENGAGED_SESSIONS_ENGAGED_SESSIONS;
  if (region_count(c, (struct metric_group){METRIC_LEAD_EVENTS, lead_event}, &a->lead_events))
    a->opt_lead_events_case =
        ANALYTICS__AGGREGATE__V1__REGIONAL_AVERAGE__OPT_LEAD_EVENTS_LEAD_EVENTS;
  a->n_metrics = METRIC_COUNT;
  a->metrics = ARENA_ARRAY(arena, MetricAverage *, METRIC_COUNT);
  for (size_t m = 0; m < METRIC_COUNT; m++)
    a->metrics[m] =
        average_message(&c->of, (struct metric_group){(enum metric_id)m, lead_event}, arena);
  return a;
}

Result *compare_dealers(const struct comparison *c, struct arena *arena)
{
  Result *r = ARENA_NEW(arena, Result);
  struct resolved_period period;
  analytics__aggregate__v1__compare_dealer_sessions_result__init(r);
  r->cohort = cohort_message(c->of.figures.cohort, arena);
  r->period =
      period_message(c->period, c->of.figures.cohort, c->notes, c->now_unix_ms, arena, &period);
  add_dealers(c, r, arena);
  r->regional_average = region_message(c, arena);
  r->coverage = cohort_coverage(c->of.figures.cohort, arena);
  comparison_caveats(c, r, &period, arena);
  r->headline = comparison_headline(c, r, arena);
  return r;
}
