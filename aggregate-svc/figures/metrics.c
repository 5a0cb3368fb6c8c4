/* The table of metrics and the values of its rows. */
#include "aggregate-svc/figures/metrics.h"

#include <string.h>

#define HIGHER ANALYTICS__AGGREGATE__V1__BETTER__HIGHER
#define LOWER ANALYTICS__AGGREGATE__V1__BETTER__LOWER
#define CONTEXT ANALYTICS__AGGREGATE__V1__BETTER__CONTEXT
#define PART(figure) offsetof(struct dealer_figures, figure)

/* Definitions: https://support.google.com/analytics/answer/12195621 (engagement and bounce). */
const struct dealer_metric dealer_metrics[METRIC_COUNT] = {
    [METRIC_SESSIONS] = {"sessions", "sessions", PART(sessions), 0, 0, 1, UNIT_COUNT, CONTEXT,
                         false},
    [METRIC_ENGAGED_SESSIONS] = {"engaged_sessions", "engaged sessions", PART(engaged_sessions), 0,
                                 0, 1, UNIT_COUNT, CONTEXT, false},
    [METRIC_ENGAGEMENT_RATE] = {"engagement_rate", "engagement rate", PART(engaged_sessions), 0,
                                PART(sessions), 1, UNIT_SHARE, HIGHER, false},
    [METRIC_BOUNCE_RATE] = {"bounce_rate", "bounce rate", PART(sessions), PART(engaged_sessions),
                            PART(sessions), 1, UNIT_SHARE, LOWER, false},
    [METRIC_LEAD_EVENTS] = {"lead_events", "lead events", PART(leads), 0, 0, 1, UNIT_COUNT, CONTEXT,
                            true},
    [METRIC_LEADS_PER_100_SESSIONS] = {"leads_per_100_sessions", "leads per 100 sessions",
                                       PART(leads), 0, PART(sessions), 100, UNIT_PER_100, HIGHER,
                                       true},
};

static int64_t part(const struct dealer_figures *f, size_t offset, int64_t none)
{
  int64_t x = none;
  if (offset != 0)
    memcpy(&x, (const char *)f + offset, sizeof(x));
  return x;
}

struct stats_ratio metric_parts(const struct dealer_metric *m, const struct dealer_figures *f)
{
  int64_t of = part(f, m->of, 0), less = part(f, m->less, 0);
  return (struct stats_ratio){of > less ? of - less : 0, part(f, m->per, 1)};
}

bool metric_value(const struct dealer_metric *m, struct stats_ratio parts, double *out)
{
  if (parts.denominator <= 0)
    return false;
  *out = m->scale * (double)parts.numerator / (double)parts.denominator;
  return true;
}
