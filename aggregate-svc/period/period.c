/* Parses, checks and resolves the dates of a report. */
#include "aggregate-svc/period/period.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/period/week.h"
#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/ga4/leads.h"

enum { DAY_MS = 86400000, HOUR_MS = 3600000 };
enum { ZONES_BEHIND_H = 12, ZONES_AHEAD_H = 14 };

static const char first_day_of_google[] = "2015-08-14";
static const char last_day_of_google[] = "2999-12-31";

static bool parse_days_ago(const char *s, int64_t *out)
{
  int64_t n = 0;
  const char *p = s;
  for (; *p >= '0' && *p <= '9'; p++) {
    if (p - s > 5)
      return false;
    n = n * 10 + (*p - '0');
  }
  if (p == s || strcmp(p, "daysAgo") != 0)
    return false;
  *out = n;
  return true;
}

static bool parse_text(const char *s, struct period_date *out)
{
  out->relative = true;
  if (strcmp(s, "today") == 0)
    out->days_ago = 0;
  else if (strcmp(s, "yesterday") == 0)
    out->days_ago = 1;
  else if (!parse_days_ago(s, &out->days_ago)) {
    out->relative = false;
    return clock_parse_date(s, &out->day);
  }
  return true;
}

static enum err_code parse_date(struct period_date *out, const char *field, const char *s,
                                struct err *e)
{
  memset(out, 0, sizeof(*out));
  if (s == NULL || s[0] == '\0')
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "date_range.%s: missing; give YYYY-MM-DD, NdaysAgo, yesterday or today", field);
  if (strlen(s) > PERIOD_TEXT_MAX || !parse_text(s, out))
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "date_range.%s: \"%.*s\" is not a date; give YYYY-MM-DD (a day of the "
                   "calendar), NdaysAgo (28daysAgo), yesterday or today",
                   field, (int)text_clip(s, 40), s);
  memcpy(out->text, s, strlen(s) + 1);
  return ERR_OK;
}

static int64_t floor_days(int64_t ms)
{
  return ms / DAY_MS - (ms % DAY_MS < 0);
}

/* The day a date stands for when today is `today`. */
static int64_t day_of(const struct period_date *d, int64_t today)
{
  return d->relative ? today - d->days_ago : d->day;
}

static enum err_code check_bounds(const char *field, const struct period_date *d, int64_t today,
                                  struct err *e)
{
  int64_t first = 0, last = 0;
  clock_parse_date(first_day_of_google, &first);
  clock_parse_date(last_day_of_google, &last);
  int64_t day = day_of(d, today);
  if (day < first)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "date_range.%s: %s is before %s, the first day Google Analytics has data for",
                   field, d->text, first_day_of_google);
  if (day > last)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "date_range.%s: %s is after %s, the last day Google Analytics accepts", field,
                   d->text, last_day_of_google);
  return ERR_OK;
}

/* Two dates of the same kind are compared exactly. A relative with an absolute date is
 * wrong only when it is wrong in every time zone. */
static bool start_is_after_end(const struct period *p, int64_t unix_ms)
{
  if (p->start.relative && p->end.relative)
    return p->start.days_ago < p->end.days_ago;
  int64_t earliest_today = floor_days(unix_ms - (int64_t)ZONES_BEHIND_H * HOUR_MS);
  int64_t latest_today = floor_days(unix_ms + (int64_t)ZONES_AHEAD_H * HOUR_MS);
  return day_of(&p->start, earliest_today) > day_of(&p->end, latest_today);
}

enum err_code period_parse(struct period *out, bool given, const char *start, const char *end,
                           int64_t unix_ms, struct err *e)
{
  if (!given) {
    start = "28daysAgo";
    end = "yesterday";
  }
  enum err_code code = parse_date(&out->start, "start_date", start, e);
  if (code == ERR_OK)
    code = parse_date(&out->end, "end_date", end, e);
  int64_t today = floor_days(unix_ms + (int64_t)ZONES_AHEAD_H * HOUR_MS);
  if (code == ERR_OK)
    code = check_bounds("start_date", &out->start, today, e);
  if (code == ERR_OK)
    code = check_bounds("end_date", &out->end, today, e);
  if (code == ERR_OK && start_is_after_end(out, unix_ms))
    code = err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "date_range.start_date: %s is after end_date %s; swap them", out->start.text,
                   out->end.text);
  return code;
}

/* ------------------------------------------------------------- periods of our own */

enum { DEFAULT_WEEKS = 4, CHANGE_DAYS_MAX = 400 };

static struct period_date date_on(int64_t day)
{
  struct period_date d = {.day = day};
  clock_format_date(day, d.text, sizeof(d.text));
  return d;
}

static struct period_date date_ago(int64_t days)
{
  struct period_date d = {.relative = true, .days_ago = days};
  snprintf(d.text, sizeof(d.text), "%" PRId64 "daysAgo", days);
  return d;
}

void period_last_weeks(struct period *out, int64_t unix_ms)
{
  struct iso_span weeks = iso_weeks_through(lead_finished_day(unix_ms), DEFAULT_WEEKS);
  *out = (struct period){date_on(weeks.first), date_on(weeks.last)};
}

void period_of_days(struct period *out, int64_t first, int64_t last)
{
  *out = (struct period){date_on(first), date_on(last)};
}

void period_look_back(struct period *out, int64_t unix_ms)
{
  int64_t first, last;
  lead_look_back(unix_ms, &first, &last);
  *out = (struct period){date_on(first), date_on(last)};
}

bool period_before(const struct period *p, int64_t unix_ms, struct period *out)
{
  int64_t days =
      p->start.relative ? p->start.days_ago - p->end.days_ago + 1 : p->end.day - p->start.day + 1;
  if (p->start.relative != p->end.relative || days > CHANGE_DAYS_MAX)
    return false;
  return period_days_before(p, days, unix_ms, out);
}

bool period_days_before(const struct period *p, int64_t days, int64_t unix_ms, struct period *out)
{
  struct err e = {0};
  *out = p->start.relative
             ? (struct period){date_ago(p->start.days_ago + days), date_ago(p->start.days_ago + 1)}
             : (struct period){date_on(p->start.day - days), date_on(p->start.day - 1)};
  return check_bounds("start_date", &out->start, lead_finished_day(unix_ms), &e) == ERR_OK;
}

size_t period_baselines(const struct period *now, const struct period *before, int64_t days,
                        int64_t unix_ms, struct period out[2])
{
  size_t n = 0;
  int64_t between = now->start.relative ? 0 : now->start.day - before->end.day - 1;
  if (between > days)
    n += period_days_before(now, days, unix_ms, &out[n]);
  else if (between > 0)
    period_of_days(&out[n++], before->end.day + 1, now->start.day - 1);
  return n + period_days_before(before, days, unix_ms, &out[n]);
}

bool period_extend(const struct period *p, int64_t days, int64_t unix_ms, struct period *out)
{
  struct err e = {0};
  *out = *p;
  out->start =
      p->start.relative ? date_ago(p->start.days_ago + days) : date_on(p->start.day - days);
  if (check_bounds("start_date", &out->start, lead_finished_day(unix_ms), &e) == ERR_OK)
    return true;
  *out = *p;
  return false;
}

int64_t period_today(int64_t unix_ms, int32_t offset_s)
{
  return floor_days(unix_ms + (int64_t)offset_s * 1000);
}

struct period_days period_resolve(const struct period *p, int64_t unix_ms, int32_t offset_s)
{
  int64_t today = period_today(unix_ms, offset_s);
  return (struct period_days){day_of(&p->start, today), day_of(&p->end, today), today};
}

struct period_days period_resolve_last_zone(const struct period *p, int64_t unix_ms)
{
  return period_resolve(p, unix_ms, -12 * 3600);
}

bool period_is_fresh(const struct period_days *days)
{
  return days->last >= days->today - 1;
}
