/* The table of metrics and the values of its rows. */
#include "aggregate-svc/figures/metrics.h"

#include <string.h>

#include "common/ga4/own.h"

#define HIGHER ANALYTICS__AGGREGATE__V1__BETTER__HIGHER
#define LOWER ANALYTICS__AGGREGATE__V1__BETTER__LOWER
#define CONTEXT ANALYTICS__AGGREGATE__V1__BETTER__CONTEXT
#define PART(count) (1 + offsetof(struct dealer_counts, count))

/* Events of one kind of contact per 100 sessions: shown, not judged, because sites differ in which
 * contacts they report. */
#define KIND(id, called, count, of_kind, per_words, per_count, shoppers)                           \
  [id] = {.name = called "_per_100_" #per_count,                                                   \
          .words = called " per 100 " per_words,                                                   \
          .of = PART(count),                                                                       \
          .per = PART(per_count),                                                                  \
          .scale = 100,                                                                            \
          .unit = UNIT_PER_100,                                                                    \
          .better = HIGHER,                                                                        \
          .shopper = (shoppers),                                                                   \
          .kind = 1 + (of_kind)}

/* Definitions: https://support.google.com/analytics/answer/12195621 (engagement and bounce). */
const struct dealer_metric dealer_metrics[METRIC_COUNT] = {
    [METRIC_SESSIONS] = {.name = "sessions",
                         .words = "sessions",
                         .of = PART(sessions),
                         .scale = 1,
                         .unit = UNIT_COUNT,
                         .better = CONTEXT},
    [METRIC_ENGAGED_SESSIONS] = {.name = "engaged_sessions",
                                 .words = "engaged sessions",
                                 .of = PART(engaged_sessions),
                                 .scale = 1,
                                 .unit = UNIT_COUNT,
                                 .better = CONTEXT,
                                 .engagement = true},
    [METRIC_ENGAGEMENT_RATE] = {.name = "engagement_rate",
                                .words = "engagement rate",
                                .of = PART(engaged_sessions),
                                .per = PART(sessions),
                                .scale = 1,
                                .unit = UNIT_SHARE,
                                .better = HIGHER,
                                .engagement = true,
                                .judged = true},
    [METRIC_BOUNCE_RATE] = {.name = "bounce_rate",
                            .words = "bounce rate",
                            .of = PART(sessions),
                            .less = PART(engaged_sessions),
                            .per = PART(sessions),
                            .scale = 1,
                            .unit = UNIT_SHARE,
                            .better = LOWER,
                            .engagement = true},
    [METRIC_LEAD_EVENTS] = {.name = "lead_events",
                            .words = "lead events",
                            .of = PART(leads),
                            .scale = 1,
                            .unit = UNIT_COUNT,
                            .better = CONTEXT,
                            .lead = true},
    [METRIC_LEADS_PER_100_SESSIONS] = {.name = "leads_per_100_sessions",
                                       .words = "leads per 100 sessions",
                                       .of = PART(leads),
                                       .per = PART(sessions),
                                       .scale = 100,
                                       .unit = UNIT_PER_100,
                                       .better = HIGHER,
                                       .lead = true,
                                       .judged = true},
    [METRIC_SHOPPER_SESSIONS] = {.name = "shopper_sessions",
                                 .words = "shopper sessions",
                                 .of = PART(shopper_sessions),
                                 .scale = 1,
                                 .unit = UNIT_COUNT,
                                 .better = CONTEXT,
                                 .shopper = true},
    [METRIC_SHOPPER_RATE] = {.name = "shopper_rate",
                             .words = "shopper rate",
                             .of = PART(shopper_sessions),
                             .per = PART(sessions),
                             .scale = 1,
                             .unit = UNIT_SHARE,
                             .better = HIGHER,
                             .shopper = true,
                             .judged = true},
    [METRIC_LEADS_PER_100_SHOPPER_SESSIONS] = {.name = "leads_per_100_shopper_sessions",
                                               .words = "leads per 100 shopper sessions",
                                               .of = PART(leads),
                                               .per = PART(shopper_sessions),
                                               .scale = 100,
                                               .unit = UNIT_PER_100,
                                               .better = HIGHER,
                                               .lead = true,
                                               .shopper = true,
                                               .judged = true},
    [METRIC_VDP_REACH] = {.name = "vdp_reach",
                          .words = "VDP reach",
                          .of = PART(vdp_sessions),
                          .per = PART(sessions),
                          .scale = 1,
                          .unit = UNIT_SHARE,
                          .better = HIGHER,
                          .pages = true,
                          .judged = true},
    [METRIC_VDP_VIEWS_PER_SESSION] = {.name = "vdp_views_per_session",
                                      .words = "VDP views per session",
                                      .of = PART(vdp_views),
                                      .per = PART(sessions),
                                      .scale = 1,
                                      .unit = UNIT_PER_SESSION,
                                      .better = HIGHER,
                                      .pages = true,
                                      .judged = true},
    [METRIC_SRP_TO_VDP] = {.name = "srp_to_vdp",
                           .words = "SRP to VDP",
                           .of = PART(vdp_srp_sessions),
                           .per = PART(srp_sessions),
                           .scale = 1,
                           .unit = UNIT_SHARE,
                           .better = HIGHER,
                           .pages = true,
                           .judged = true},
    KIND(METRIC_CALLS_PER_100_SESSIONS, "calls", calls, LEAD_KIND_CALL, "sessions", sessions,
         false),
    KIND(METRIC_CALLS_PER_100_SHOPPER_SESSIONS, "calls", calls, LEAD_KIND_CALL, "shopper sessions",
         shopper_sessions, true),
    KIND(METRIC_CHATS_PER_100_SESSIONS, "chats", chats, LEAD_KIND_CHAT, "sessions", sessions,
         false),
    KIND(METRIC_CHATS_PER_100_SHOPPER_SESSIONS, "chats", chats, LEAD_KIND_CHAT, "shopper sessions",
         shopper_sessions, true),
    KIND(METRIC_APPOINTMENTS_PER_100_SESSIONS, "appointments", appointments, LEAD_KIND_APPOINTMENT,
         "sessions", sessions, false),
    KIND(METRIC_APPOINTMENTS_PER_100_SHOPPER_SESSIONS, "appointments", appointments,
         LEAD_KIND_APPOINTMENT, "shopper sessions", shopper_sessions, true),
};

static int64_t part(const struct dealer_counts *c, size_t place, int64_t none)
{
  int64_t x = none;
  if (place != 0)
    memcpy(&x, (const char *)c + place - 1, sizeof(x));
  return x;
}

struct stats_ratio metric_parts_of(const struct dealer_metric *m, const struct dealer_counts *c)
{
  int64_t of = part(c, m->of, 0), less = part(c, m->less, 0);
  return (struct stats_ratio){of > less ? of - less : 0, part(c, m->per, 1)};
}

struct stats_ratio metric_parts_on(const struct dealer_metric *m, const struct dealer_figures *f,
                                   const struct dealer_counts *day)
{
  struct dealer_counts counts = *day;
  if ((f->effects & EFFECT_LEADS_BY_SESSION) && metric_is_rate(m))
    counts.leads = counts.lead_sessions;
  return metric_parts_of(m, &counts);
}

struct stats_ratio metric_parts(const struct dealer_metric *m, const struct dealer_figures *f)
{
  return metric_parts_on(m, f, &f->now);
}

bool metric_is_usable(const struct dealer_metric *m, const struct dealer_figures *f)
{
  unsigned against = EFFECT_NO_POOL | (metric_is_rate(m) ? EFFECT_NO_RATES : 0);
  return (f->effects & against) == 0;
}

bool metric_has_change(const struct dealer_metric *m, const struct dealer_figures *f)
{
  return metric_is_usable(m, f) && (f->effects & EFFECT_NO_TREND) == 0;
}

bool metric_value(const struct dealer_metric *m, struct stats_ratio parts, double *out)
{
  if (parts.denominator <= 0)
    return false;
  *out = m->scale * (double)parts.numerator / (double)parts.denominator;
  return true;
}

bool metric_is_called(const struct dealer_metric *m, const char *name)
{
  if (strcmp(m->name, name) == 0)
    return true;
  const struct own_metric *own = own_metric_find(name);
  return own != NULL && own == own_metric_find(m->name);
}
