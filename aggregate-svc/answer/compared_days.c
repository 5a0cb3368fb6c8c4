/* What the days of a report say about its metrics: over-dispersion, and which weekdays there are.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/answer/compared.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/ga4/leads.h"

enum { WEEKDAYS = 7, DAYS_MAX = 4000, DAYS_ENOUGH = 28 };

/* A larger value is not a count of what happened on a website. */
#define COUNT_MAX 1e15

struct period_days compared_days(const struct across_question *q, bool before)
{
  struct period_days d = period_resolve(before ? q->before : q->period, q->now_unix_ms, 0);
  d.last = d.last < d.today ? d.last : d.today;
  d.last = d.last > d.first ? d.last : d.first;
  return d;
}

bool compared_is_over(const struct across_question *q)
{
  struct period_days now = period_resolve_last_zone(q->period, q->now_unix_ms);
  struct period_days then = period_resolve_last_zone(q->before, q->now_unix_ms);
  return now.last < now.today && then.last < then.today;
}

bool compared_same_weekdays(const struct across_question *q)
{
  struct period_days now = compared_days(q, false), then = compared_days(q, true);
  int64_t a = now.last - now.first + 1, b = then.last - then.first + 1;
  bool aligned = a == b && (now.first - then.first) % WEEKDAYS == 0;
  return aligned || (a % WEEKDAYS == 0 && b % WEEKDAYS == 0) ||
         (a >= DAYS_ENOUGH && b >= DAYS_ENOUGH);
}

/* YYYYMMDD as days since 1970-01-01; 0 for another text. */
static int64_t day_of(const char *date)
{
  long x = strtol(date, NULL, 10);
  if (x < 10000101 || x > 99991231)
    return 0;
  return clock_days_from_civil((int)(x / 10000), (unsigned)(x / 100 % 100), (unsigned)(x % 100));
}

/* A dealer's days in one period: of each metric the parts. */
struct days {
  int64_t first;
  size_t n;
  struct stats_ratio *parts; /* days x metrics */
};

static bool is_in(const struct across_question *q, size_t member, size_t row, bool before)
{
  return q->before == NULL ||
         (strcmp(across_text(q->days, member, row, 1), "date_range_1") == 0) == before;
}

static struct stats_ratio part_of(const struct across_question *q, const struct compared_metric *m,
                                  size_t member, size_t row)
{
  double value = across_value(q->days, member, row, m->column.metric);
  double weight = m->rate ? across_value(q->days, member, row, m->column.weight) : 1;
  double events = m->rate ? across_above(q->days, member, row, &m->column) : value;
  if (!(events >= 0 && events <= COUNT_MAX && weight >= 0 && weight <= COUNT_MAX))
    return (struct stats_ratio){0, 0};
  return (struct stats_ratio){llround(events), llround(weight)};
}

static void find_days(const struct across_question *q, size_t member, bool before, struct days *d)
{
  int64_t last = INT64_MIN;
  d->first = INT64_MAX;
  for (size_t row = 0; row < q->days->tables[member].rows; row++) {
    int64_t day = day_of(across_text(q->days, member, row, 0));
    if (!is_in(q, member, row, before))
      continue;
    d->first = day < d->first ? day : d->first;
    last = day > last ? day : last;
  }
  d->n = last >= d->first && last - d->first < DAYS_MAX ? (size_t)(last - d->first + 1) : 0;
}

/* A day without a row had nothing to count. */
static void fill_days(const struct across_question *q, size_t member, bool before,
                      const struct compared_metric *metrics, size_t n, struct days *d)
{
  d->parts = xcalloc(d->n * n + 1, sizeof(*d->parts));
  for (size_t i = 0; i < d->n * n; i++)
    d->parts[i].denominator = !metrics[i % n].rate;
  for (size_t row = 0; d->n > 0 && row < q->days->tables[member].rows; row++)
    for (size_t k = 0; k < n && is_in(q, member, row, before); k++) {
      size_t day = (size_t)(day_of(across_text(q->days, member, row, 0)) - d->first);
      d->parts[day * n + k] = part_of(q, &metrics[k], member, row);
    }
}

/* Days of a dealer with anything to count, and what there was. */
struct presence {
  int64_t days, sum, lost;
};

/* What the metrics count on a day: the largest of what they count or are a share of. */
static int64_t activity(const struct compared_metric *metrics, size_t n,
                        const struct stats_ratio *day)
{
  int64_t most = 0;
  for (size_t k = 0; k < n; k++) {
    int64_t x = metrics[k].rate ? day[k].denominator : day[k].numerator;
    most = metrics[k].counted && x > most ? x : most;
  }
  return most;
}

/* Adds the days of one period; `lost` becomes the larger number of finished ones without anything.
 */
static void add_presence(const struct across_question *q, size_t member, bool before,
                         const struct compared_metric *metrics, size_t n, struct presence *p)
{
  struct days d = {.parts = NULL};
  struct period_days span = compared_days(q, before);
  int64_t finished = lead_finished_day(q->now_unix_ms), with = 0;
  int64_t last = span.last < finished ? span.last : finished;
  find_days(q, member, before, &d);
  fill_days(q, member, before, metrics, n, &d);
  for (size_t i = 0; i < d.n; i++) {
    int64_t x = activity(metrics, n, &d.parts[i * n]);
    p->days += x > 0;
    p->sum += x;
    with += x > 0 && d.first + (int64_t)i <= last;
  }
  free(d.parts);
  int64_t lost = last - span.first + 1 - with;
  p->lost = lost > p->lost ? lost : p->lost;
}

void compared_find_lost(const struct across_question *q, const struct compared_metric *metrics,
                        size_t n, bool *lost)
{
  enum { LOST_DAYS = 3, USUAL = 5 };
  for (size_t i = 0; i < q->cohort->n; i++) {
    struct presence p = {0};
    if (q->cohort->members[i].state != DEALER_OK)
      continue;
    add_presence(q, i, false, metrics, n, &p);
    add_presence(q, i, true, metrics, n, &p);
    lost[i] = p.days > 0 && p.sum >= USUAL * p.days && p.lost >= LOST_DAYS;
  }
}

/* A rate varies around the dealer's rate; a count, of two weeks and more, around the
 * weekday's mean, because weekdays differ and both periods hold the same ones. */
static void add_metric(struct stats_dispersion *out, const struct compared_metric *m, size_t k,
                       const struct days *d, size_t n)
{
  size_t step = m->rate || d->n < 2 * WEEKDAYS ? 1 : WEEKDAYS;
  AUTO_FREE struct stats_ratio *list = xcalloc(d->n + 1, sizeof(*list));
  for (size_t first = 0; first < step; first++) {
    size_t found = 0;
    for (size_t day = first; day < d->n; day += step)
      list[found++] = d->parts[day * n + k];
    stats_dispersion_add(out, list, found, m->model);
  }
}

void compared_dispersion(const struct across_question *q, struct compared_metric *metrics, size_t n)
{
  struct stats_dispersion of[ACROSS_MAX_METRICS] = {{0, 0}};
  for (size_t i = 0; i < q->cohort->n; i++)
    for (int before = 0; before <= (q->before != NULL); before++) {
      struct days d = {.parts = NULL};
      if (q->cohort->members[i].state != DEALER_OK)
        continue;
      find_days(q, i, before, &d);
      fill_days(q, i, before, metrics, n, &d);
      for (size_t k = 0; k < n; k++)
        if (metrics[k].counted)
          add_metric(&of[k], &metrics[k], k, &d, n);
      free(d.parts);
    }
  for (size_t k = 0; k < n; k++)
    metrics[k].phi = of[k].df > 0 ? stats_dispersion_phi(&of[k]) : 0;
}
