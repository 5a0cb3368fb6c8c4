/* Puts the result of a comparison together. */
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/tools/compare.h"
#include "common/base/mem.h"

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
  m->id = (char *)c->id;
  m->label = (char *)c->label;
  m->dealers = (int32_t)c->n;
  m->undisclosed = (int32_t)c->outside;
  return m;
}

/* --------------------------------------------------------------------- dealers */

static DealerSessions *dealer_message(const struct comparison *c, size_t member,
                                      struct arena *arena)
{
  const struct cohort_member *m = &c->cohort->members[member];
  const struct dealer_figures *f = &c->figures[member];
  struct metric_group leads = {METRIC_LEADS_PER_100_SESSIONS, f->lead_event};
  DealerSessions *d = ARENA_NEW(arena, DealerSessions);
  double x;
  analytics__aggregate__v1__dealer_sessions__init(d);
  d->dealer_id = (char *)m->dealer_id;
  d->name = (char *)m->name;
  d->region = (char *)m->region;
  d->sessions = f->sessions;
  d->engaged_sessions = f->engaged_sessions;
  d->subject = c->cohort->subject == (long)member;
  if (compare_value(c, (struct metric_group){METRIC_ENGAGEMENT_RATE, 0}, member, &x)) {
    d->opt_engagement_rate_case =
        ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_ENGAGEMENT_RATE_ENGAGEMENT_RATE;
    d->engagement_rate = x;
  }
  if (compare_value(c, (struct metric_group){METRIC_BOUNCE_RATE, 0}, member, &x)) {
    d->opt_bounce_rate_case =
        ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_BOUNCE_RATE_BOUNCE_RATE;
    d->bounce_rate = x;
  }
  if (f->lead_event != LEAD_UNKNOWN) {
    d->lead_event = c->leads->names[f->lead_event];
    d->opt_lead_events_case =
        ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_LEAD_EVENTS_LEAD_EVENTS;
    d->lead_events = f->leads;
  }
  if (compare_value(c, leads, member, &x)) {
    d->opt_leads_per_100_sessions_case =
        ANALYTICS__AGGREGATE__V1__DEALER_SESSIONS__OPT_LEADS_PER_100_SESSIONS_LEADS_PER_100_SESSIONS;
    d->leads_per_100_sessions = x;
  }
  return d;
}

static DealerIndex *index_message(const struct comparison *c, size_t member, struct arena *arena)
{
  DealerIndex *d = ARENA_NEW(arena, DealerIndex);
  analytics__aggregate__v1__dealer_index__init(d);
  d->dealer_id = (char *)c->cohort->members[member].dealer_id;
  d->n_metrics = METRIC_COUNT;
  d->metrics = ARENA_ARRAY(arena, MetricIndex *, METRIC_COUNT);
  for (size_t m = 0; m < METRIC_COUNT; m++)
    d->metrics[m] = compare_index(c, (enum compare_metric)m, member, arena);
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
  AUTO_FREE struct shown *order = xcalloc(c->cohort->n + 1, sizeof(*order));
  for (size_t i = 0; i < c->cohort->n; i++)
    if (c->figures[i].ok && c->cohort->members[i].visible)
      order[n++] = (struct shown){i, c->figures[i].sessions, c->cohort->members[i].dealer_id};
  qsort(order, n, sizeof(*order), most_sessions_first);
  r->n_dealers = r->n_performance_index = n;
  r->dealers = ARENA_ARRAY(arena, DealerSessions *, n);
  r->performance_index = ARENA_ARRAY(arena, DealerIndex *, n);
  for (size_t i = 0; i < n; i++) {
    r->dealers[i] = dealer_message(c, order[i].member, arena);
    r->performance_index[i] = index_message(c, order[i].member, arena);
  }
}

/* ---------------------------------------------------------------------- region */

/* Sum of a count over its group; false when there is none or it may not be told. */
static bool region_count(const struct comparison *c, struct metric_group g, int64_t *out)
{
  if (c->cohort->outside > 0)
    return false;
  int64_t sum = 0;
  bool any = false;
  for (size_t i = 0; i < c->cohort->n; i++) {
    if (!compare_in_group(c, g, i))
      continue;
    any = true;
    if (!stats_count_add(&sum, compare_parts(g.metric, &c->figures[i]).numerator))
      return false;
  }
  *out = sum;
  return any;
}

static RegionalAverage *region_message(const struct comparison *c, struct arena *arena)
{
  RegionalAverage *a = ARENA_NEW(arena, RegionalAverage);
  int lead_event = compare_region_lead_event(c);
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
        compare_average(c, (struct metric_group){(enum compare_metric)m, lead_event}, arena);
  return a;
}

Result *compare_dealers(const struct comparison *c, struct arena *arena)
{
  Result *r = ARENA_NEW(arena, Result);
  struct resolved_period period;
  analytics__aggregate__v1__compare_dealer_sessions_result__init(r);
  r->cohort = cohort_message(c->cohort, arena);
  r->period = period_message(c->period, c->cohort, c->notes, c->now_unix_ms, arena, &period);
  add_dealers(c, r, arena);
  r->regional_average = region_message(c, arena);
  r->coverage = cohort_coverage(c->cohort, arena);
  compare_caveats(c, r, &period, arena);
  r->headline = compare_headline(c, r, arena);
  return r;
}
