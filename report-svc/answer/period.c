/* Relative and absolute dates to days, days to words. */
#include "report-svc/answer/period.h"

#include "common/base/clock.h"
#include "report-svc/request/request.h"

/* Google takes 24 to 48 hours to finish a day, counted from its end: a day is final on the third day
 * after it, as in the answers over many dealers. */
enum { DAYS_IN_PROCESS = 3 };

struct answer_days answer_days_of(const Analytics__Ga4__V1beta__DateRange *range, const char *zone,
                                  int64_t now_unix_ms)
{
  int64_t today = request_today(zone, now_unix_ms);
  struct answer_days days = {.first = request_day(range->start_date, today),
                             .last = request_day(range->end_date, today),
                             .today = today};
  days.complete = today - DAYS_IN_PROCESS < days.last ? today - DAYS_IN_PROCESS : days.last;
  return days;
}

static char *date_text(int64_t day, struct arena *arena)
{
  char text[16];
  clock_format_date(day, text, sizeof(text));
  return arena_strdup(arena, text);
}

Analytics__Report__V1__Period *answer_period(const struct answer_days *days, const char *zone,
                                             struct arena *arena)
{
  Analytics__Report__V1__Period *p = ARENA_NEW(arena, Analytics__Report__V1__Period);
  if (p == NULL)
    return NULL;
  analytics__report__v1__period__init(p);
  p->start_date = date_text(days->first, arena);
  p->end_date = date_text(days->last, arena);
  p->days = (int32_t)(days->last - days->first + 1);
  if (days->complete >= days->first)
    p->complete_through = date_text(days->complete, arena);
  bool whole = p->start_date != NULL && p->end_date != NULL && p->complete_through != NULL;
  if (zone != NULL && zone[0] != '\0') {
    p->time_zones = ARENA_ARRAY(arena, char *, 1);
    whole = whole && p->time_zones != NULL;
    if (whole)
      p->time_zones[p->n_time_zones++] = arena_strdup(arena, zone);
    whole = whole && p->time_zones[0] != NULL;
  }
  return whole ? p : NULL;
}

static void put_day(struct buf *out, int64_t day, bool with_year)
{
  static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  int year;
  unsigned month, day_of_month;
  clock_civil_from_days(day, &year, &month, &day_of_month);
  buf_printf(out, "%u %s", day_of_month, months[month - 1]);
  if (with_year)
    buf_printf(out, " %d", year);
}

void answer_put_days(struct buf *out, const struct answer_days *days)
{
  int first_year, last_year;
  unsigned month, day;
  clock_civil_from_days(days->first, &first_year, &month, &day);
  clock_civil_from_days(days->last, &last_year, &month, &day);
  if (days->first != days->last) {
    put_day(out, days->first, first_year != last_year);
    buf_puts(out, " to ");
  }
  put_day(out, days->last, true);
}
