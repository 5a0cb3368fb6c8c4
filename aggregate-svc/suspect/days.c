/* Finds lost days, waves and level shifts in daily counts. */
#include <math.h>

#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/suspect/suspect.h"

enum {
  WEEK = 7,
  WAVE_DAYS = 2,
  WAVE_REACH = 2,
  LOST_DAYS = 3,
  REMAINING_DAYS = 14,
  SHIFT_DAYS = 14
};

#define ALARM_Z 4.0
#define WAVE_SHARE 0.10
/* Below so many sessions a day, a day without one may be chance. */
#define USUAL_MIN 5.0
/* A lasting fall is low beyond so many standard errors in all, and in its first and its last week;
 * the level is below so much of what it was. These alone would suspect one clean dealer in a
 * hundred: it is together with rates that rose that they are a sign. */
#define SHIFT_Z 2.75
#define LOW_WEEK_Z 0.8
#define SHIFT_LEVEL 0.85
/* Rates rose by so much, beyond so many standard errors, variation as in crowded weeks. */
#define RATES_UP 1.10
#define RATES_Z 2.326
#define RATES_PHI 1.6

static size_t last_of(const struct suspect_days *d)
{
  return d->complete < d->n ? d->complete : d->n;
}

/* The SUSPECT_BASELINE days before an entry; days without a session, or before the first entry,
 * are left out. */
static void past_of(const struct suspect_days *d, const int64_t *y, size_t at,
                    double out[SUSPECT_BASELINE])
{
  for (size_t i = 0; i < SUSPECT_BASELINE; i++) {
    bool known = at + i >= SUSPECT_BASELINE;
    size_t k = known ? at + i - SUSPECT_BASELINE : 0;
    out[i] = known && d->sessions[k] > 0 ? (double)y[k] : NAN;
  }
}

static int64_t sum_of(const int64_t *x, size_t from, size_t to)
{
  int64_t sum = 0, more;
  for (size_t i = from; i < to; i++) /* what does not fit is left out, as stats_count_add() does */
    if (x[i] >= 0 && !__builtin_add_overflow(sum, x[i], &more))
      sum = more;
  return sum;
}

/* Adds a day to a finding. */
static void touch(struct suspect_finding *f, int64_t day)
{
  f->first = f->days == 0 ? day : f->first;
  f->last = day;
  f->days++;
}

/* -------------------------------------------------------------------------- waves */

/* Counts above the usual of a day that stands out; 0 for other days. */
static double excess_of(const struct suspect_days *d, const int64_t *y, size_t at)
{
  double past[SUSPECT_BASELINE], z, e;
  past_of(d, y, at, past);
  /* z is at most e / 1.3 */
  if (!stats_day_residual(past, (double)y[at], &e) || e <= ALARM_Z ||
      !stats_day_z(past, (double)y[at], &z) || z <= ALARM_Z)
    return 0;
  double usual = sqrt((double)y[at]) - e / 2;
  return (double)y[at] - usual * usual;
}

/* A wave in the days from an entry on. */
static struct suspect_finding wave_from(const struct suspect_days *d, const int64_t *y, size_t from)
{
  struct suspect_finding f = {.effects = EFFECT_NO_POOL};
  double excess = 0, all = (double)sum_of(d->sessions, from, d->n);
  for (size_t i = from; i < last_of(d); i++) {
    double more = excess_of(d, y, i);
    excess += more;
    if (more > 0)
      touch(&f, d->first + (int64_t)i);
  }
  f.amount = all > 0 ? excess / all : 0;
  f.found = f.days >= WAVE_DAYS && f.amount >= WAVE_SHARE;
  return f;
}

/* Whether the days of a base that stand out are part of a wave that began before it, or may be the
 * beginning of one that goes on after it. */
static bool crosses_border(const struct suspect_days *d, const int64_t *y,
                           const struct suspect_finding *in_base)
{
  if (in_base->days == 0)
    return false;
  size_t from = d->begin > WAVE_REACH ? d->begin - WAVE_REACH : 0;
  bool goes_on = in_base->last == d->first + (int64_t)d->n - 1 && in_base->amount >= WAVE_SHARE;
  return goes_on || wave_from(d, y, from).found;
}

struct suspect_reach suspect_reach_of(const struct suspect_days *d)
{
  size_t n = d->n;
  while (n > 0 && d->sessions[n - 1] <= 0)
    n--;
  return (struct suspect_reach){.newest = n > 0 ? d->first + (int64_t)n - 1 : 0,
                                .looked = d->first + (int64_t)d->n - 1};
}

struct suspect_finding suspect_wave(const struct suspect_days *d, const int64_t *y)
{
  struct suspect_finding f = wave_from(d, y, d->begin);
  f.found = f.found || (d->base && crosses_border(d, y, &f));
  return f;
}

struct suspect_finding suspect_traffic(const struct suspect_days *d)
{
  enum { DAYS_MAX = 512 };
  int64_t unengaged[DAYS_MAX];
  /* Of a longer series the last days, with what they are judged by. */
  size_t skip = d->n > DAYS_MAX ? d->n - DAYS_MAX : 0;
  struct suspect_days late = {.first = d->first + (int64_t)skip,
                              .n = d->n - skip,
                              .begin = d->begin > skip ? d->begin - skip : 0,
                              .complete = d->complete > skip ? d->complete - skip : 0,
                              .sessions = d->sessions + skip,
                              .base = d->base};
  for (size_t i = 0; i < late.n; i++)
    unengaged[i] = d->sessions[skip + i] > d->engaged[skip + i]
                       ? d->sessions[skip + i] - d->engaged[skip + i]
                       : 0;
  return suspect_wave(&late, unengaged);
}

/* -------------------------------------------------------------------------- lost days */

/* The first entry with a session; n when there is none. */
static size_t first_with_sessions(const struct suspect_days *d)
{
  size_t i = 0;
  while (i < d->n && d->sessions[i] == 0)
    i++;
  return i;
}

/* Sessions on a usual day: the median of the days that have any. */
static bool is_large_enough(const struct suspect_days *d)
{
  int64_t days = 0, sum = sum_of(d->sessions, 0, last_of(d));
  for (size_t i = 0; i < last_of(d); i++)
    days += d->sessions[i] > 0;
  return days > 0 && (double)sum >= USUAL_MIN * (double)days;
}

static int64_t days_with_sessions(const struct suspect_days *d)
{
  int64_t days = 0;
  for (size_t i = d->begin; i < d->n; i++)
    days += d->sessions[i] > 0;
  return days;
}

/* Days lost between two entries. */
static struct suspect_finding lost_between(const struct suspect_days *d, size_t from, size_t to)
{
  struct suspect_finding f = {0};
  for (size_t i = from; i < to; i++)
    if (d->sessions[i] == 0)
      touch(&f, d->first + (int64_t)i);
  int64_t remaining = days_with_sessions(d);
  f.found = f.days >= LOST_DAYS && remaining > 0 && is_large_enough(d);
  f.effects = EFFECT_NO_TREND | (remaining < REMAINING_DAYS ? EFFECT_NO_RATES : 0U);
  return f;
}

static bool starts_late(const struct suspect_days *d)
{
  return d->begin > 0 && first_with_sessions(d) > d->begin;
}

struct suspect_finding suspect_gap(const struct suspect_days *d)
{
  size_t from = starts_late(d) ? first_with_sessions(d) : d->begin;
  return lost_between(d, from, last_of(d));
}

struct suspect_finding suspect_late_start(const struct suspect_days *d)
{
  if (!starts_late(d))
    return (struct suspect_finding){0};
  size_t first = first_with_sessions(d);
  return lost_between(d, d->begin, first < last_of(d) ? first : last_of(d));
}

/* ---------------------------------------------------------------------------- shifts */

/* What the weekdays of 56 days brought, from the weekday after them on, and how far single days
 * were from it: the parts of stats_day_z(), once for many days. */
struct usual {
  double root[WEEK]; /* square root of the weekday's median */
  double scale;
};

static bool usual_of(const struct suspect_days *d, size_t start, struct usual *out)
{
  double past[SUSPECT_BASELINE], rolled[SUSPECT_BASELINE], e, z;
  past_of(d, d->sessions, start, past);
  for (size_t shift = 0; shift < WEEK; shift++) {
    for (size_t k = 0; k < SUSPECT_BASELINE; k++)
      rolled[k] = past[k - k % WEEK + (k % WEEK + shift) % WEEK];
    if (!stats_day_residual(rolled, 0, &e) || !(e < 0))
      return false;
    out->root[shift] = -e / 2;
  }
  if (!stats_day_residual(past, 0, &e) || !stats_day_z(past, 0, &z) || !(z < 0))
    return false;
  out->scale = e / z;
  return true;
}

/* Sum of z over some days, in standard errors. */
static double residual_sum(const struct suspect_days *d, const struct usual *u, size_t start,
                           size_t from, size_t to)
{
  double sum = 0;
  for (size_t i = from; i < to; i++)
    sum += 2 * (sqrt((double)d->sessions[i]) - u->root[(i - start) % WEEK]) / u->scale;
  return sum / sqrt((double)(to - from));
}

static double level_of(const struct suspect_days *d, const struct usual *u, size_t start, size_t to)
{
  double usual = 0;
  for (size_t i = start; i < to; i++)
    usual += u->root[(i - start) % WEEK] * u->root[(i - start) % WEEK];
  return usual > 0 ? (double)sum_of(d->sessions, start, to) / usual : 1;
}

/* A rate (y by n) before an entry and from it on, as sums that move on with the entry. y is a part
 * of n, as engaged sessions are, or events that come with it: a part varies less, the larger it is.
 */
struct rate {
  const int64_t *y, *n;
  bool part;
  size_t from, at; /* first entry that is counted before; the entry */
  __int128 y_before, y_after, n_before, n_after;
};

static int64_t count_of(const int64_t *x, size_t i)
{
  return x[i] > 0 ? x[i] : 0;
}

/* At `from`, with nothing before it. */
static struct rate rate_at(const int64_t *y, const int64_t *n, bool part, size_t from, size_t to)
{
  struct rate r = {.y = y, .n = n, .part = part, .from = from, .at = from};
  for (size_t i = from; i < to; i++) {
    r.y_after += count_of(y, i);
    r.n_after += count_of(n, i);
  }
  return r;
}

/* Neither goes back. */
static void rate_move(struct rate *r, size_t from, size_t at)
{
  for (; r->at < at; r->at++) {
    r->y_before += count_of(r->y, r->at);
    r->n_before += count_of(r->n, r->at);
    r->y_after -= count_of(r->y, r->at);
    r->n_after -= count_of(r->n, r->at);
  }
  for (; r->from < from; r->from++) {
    r->y_before -= count_of(r->y, r->from);
    r->n_before -= count_of(r->n, r->from);
  }
}

/* Whether it is clearly higher from the entry on. */
static bool rate_rose(const struct rate *r)
{
  double a = (double)r->y_before, b = (double)r->y_after;
  double m = (double)r->n_before, k = (double)r->n_after;
  if (!(a > 0 && b > 0 && m > 0 && k > 0))
    return false;
  double ratio = (b / k) / (a / m);
  if (ratio < RATES_UP)
    return false;
  double of_a = r->part ? fmax(0, 1 - a / m) / a : 1 / a;
  double of_b = r->part ? fmax(0, 1 - b / k) / b : 1 / b;
  return log(ratio) > RATES_Z * sqrt(RATES_PHI * (of_a + of_b));
}

static size_t max_of(size_t a, size_t b)
{
  return a > b ? a : b;
}

/* The first of the days that an entry is held against. */
static size_t baseline_of(size_t start)
{
  return start > SUSPECT_BASELINE ? start - SUSPECT_BASELINE : 0;
}

/* Standard errors by which the days from `start` on are low; 0 when they are not a lasting fall. */
static double fall_from(const struct suspect_days *d, size_t start, double *level)
{
  size_t end = last_of(d);
  struct usual u;
  if (!usual_of(d, start, &u))
    return 0;
  *level = level_of(d, &u, start, end);
  double z = residual_sum(d, &u, start, start, end);
  bool lasting = residual_sum(d, &u, start, start, start + WEEK) < -LOW_WEEK_Z &&
                 residual_sum(d, &u, start, end - WEEK, end) < -LOW_WEEK_Z;
  return z < -SHIFT_Z && lasting && *level < SHIFT_LEVEL ? -z : 0;
}

struct suspect_finding suspect_shift(const struct suspect_days *d)
{
  struct suspect_finding f = {.effects = EFFECT_NO_TREND};
  size_t end = last_of(d), from = baseline_of(d->begin), known = max_of(from, d->leads_from);
  struct rate engagement = rate_at(d->engaged, d->sessions, true, from, end);
  struct rate leads = rate_at(d->leads, d->sessions, false, known, end);
  double most = 0;
  for (size_t start = d->begin; start + SHIFT_DAYS <= end; start++) {
    rate_move(&engagement, baseline_of(start), start);
    if (start > known)
      rate_move(&leads, max_of(baseline_of(start), known), start);
    /* of both signs the one that costs less to look for */
    if (!rate_rose(&engagement) && !rate_rose(&leads))
      continue;
    double level, z = fall_from(d, start, &level);
    if (z <= most)
      continue;
    most = z;
    f.found = true;
    f.first = d->first + (int64_t)start;
    f.last = d->first + (int64_t)end - 1;
    f.days = (int64_t)(end - start);
    f.amount = level;
  }
  return f;
}

void suspect_find_days(struct suspect_findings *out, const struct suspect_days *d)
{
  out->of[SUSPECT_TRAFFIC] = suspect_traffic(d);
  out->of[SUSPECT_GAP] = suspect_gap(d);
  out->of[SUSPECT_LATE_START] = suspect_late_start(d);
  out->of[SUSPECT_SHIFT] = suspect_shift(d);
}
