/* Fills series of days and looks for signs in them. */
#include "aggregate-svc/figures/series.h"

#include <string.h>

#include "aggregate-svc/stats/stats.h"
#include "common/base/clock.h"

enum { DATE_DIGITS = 8 };

void series_begin(struct series *s, struct period_days period, bool baseline)
{
  int64_t first = period.first - (baseline ? SUSPECT_BASELINE : 0);
  int64_t complete = period.today - PERIOD_FRESH_DAYS;
  if (period.last - first >= SERIES_DAYS)
    first = period.last - SERIES_DAYS + 1;
  memset(s, 0, sizeof(*s));
  s->days =
      (struct suspect_days){.first = first,
                            .n = (size_t)(period.last - first + 1),
                            .begin = period.first > first ? (size_t)(period.first - first) : 0,
                            .complete = complete >= first ? (size_t)(complete - first + 1) : 0,
                            .sessions = s->sessions,
                            .engaged = s->engaged,
                            .leads = s->leads};
  s->days.leads_from = s->days.begin;
}

int64_t series_entry(const struct series *s, int64_t day)
{
  int64_t at = day - s->days.first;
  return at < (int64_t)s->days.n ? at : -1;
}

int64_t series_day(const char *date)
{
  int64_t x = 0;
  size_t n = 0;
  for (; n < DATE_DIGITS && date[n] >= '0' && date[n] <= '9'; n++)
    x = 10 * x + (date[n] - '0');
  if (n != DATE_DIGITS || date[n] != '\0')
    return 0;
  return clock_days_from_civil((int)(x / 10000), (unsigned)(x / 100 % 100), (unsigned)(x % 100));
}

/* A value as a count; what is none counts as 0. */
static int64_t count_of(double x)
{
  int64_t n;
  return stats_count_from_double(x, &n) ? n : 0;
}

void series_read(struct series *s, const struct across_tables *days, size_t member)
{
  for (size_t row = 0; row < days->tables[member].rows; row++) {
    int64_t at = series_entry(s, series_day(across_text(days, member, row, 0)));
    if (at < 0)
      continue;
    stats_count_add(&s->sessions[at], count_of(across_value(days, member, row, 0)));
    stats_count_add(&s->engaged[at], count_of(across_value(days, member, row, 1)));
  }
}

void series_settle(struct dealer_figures *out)
{
  out->effects = suspect_effects(&out->findings);
  if (out->effects & EFFECT_NO_TREND)
    out->has_before = false;
}

void series_add_duplicates(struct dealer_figures *out, const struct suspect_finding *look_back,
                           bool visible)
{
  struct suspect_finding *found = &out->findings.of[SUSPECT_DUPLICATES];
  if (!visible || !found->found)
    *found = *look_back;
  series_settle(out);
}

void series_merge(struct dealer_figures *out, const struct dealer_figures *other)
{
  for (size_t i = 0; i < SUSPECT_CODES; i++)
    if (!out->findings.of[i].found)
      out->findings.of[i] = other->findings.of[i];
  series_settle(out);
}

void series_find(const struct series *s, struct dealer_figures *out)
{
  suspect_find_days(&out->findings, &s->days);
  out->reach = suspect_reach_of(&s->days);
  if (out->lead_event != LEAD_UNKNOWN)
    out->findings.of[SUSPECT_DUPLICATES] =
        suspect_duplicates(out->now.leads, out->now.lead_sessions);
  series_settle(out);
}
