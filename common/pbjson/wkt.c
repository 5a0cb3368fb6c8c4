/* Timestamp and Duration as text, in both directions, without the C library's time zones. */
#include "common/pbjson/wkt.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { NANOS_PER_SECOND = 1000000000, SECONDS_PER_DAY = 86400 };
/* 0001-01-01T00:00:00Z and 9999-12-31T23:59:59Z; ranges stated in timestamp.proto. */
static const int64_t timestamp_min = -62135596800;
static const int64_t timestamp_max = 253402300799;
/* 60 * 60 * 24 * 365.25 * 10000, stated in duration.proto. */
static const int64_t duration_max = 315576000000;

struct date {
  int64_t year;
  int month;
  int day;
};

/* Days since 1970-01-01 of a date of the Gregorian calendar, counted in eras of 400 years
 * that begin on 1 March, so the leap day is the last of a year. */
static int64_t days_of_date(struct date d)
{
  int64_t year = d.year - (d.month <= 2);
  int64_t era = (year >= 0 ? year : year - 399) / 400;
  int64_t year_of_era = year - era * 400;
  int64_t day_of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
  return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719468;
}

static struct date date_of_days(int64_t days)
{
  days += 719468;
  int64_t era = (days >= 0 ? days : days - 146096) / 146097;
  int64_t day_of_era = days - era * 146097;
  int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
  int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  int64_t month = (5 * day_of_year + 2) / 153;
  struct date d = {.day = (int)(day_of_year - (153 * month + 2) / 5 + 1),
                   .month = (int)(month < 10 ? month + 3 : month - 9)};
  d.year = year_of_era + era * 400 + (d.month <= 2);
  return d;
}

static int days_in_month(int64_t year, int month)
{
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return days[month - 1] + (month == 2 && leap);
}

/* Writes ".5", ".005" ... with 3, 6 or 9 digits; nothing for 0. */
static void format_fraction(char out[12], int32_t nanos)
{
  out[0] = '\0';
  if (nanos == 0)
    return;
  if (nanos % 1000000 == 0)
    snprintf(out, 12, ".%03d", nanos / 1000000);
  else if (nanos % 1000 == 0)
    snprintf(out, 12, ".%06d", nanos / 1000);
  else
    snprintf(out, 12, ".%09d", nanos);
}

bool wkt_timestamp_format(char out[WKT_TEXT], struct wkt_time t)
{
  if (t.seconds < timestamp_min || t.seconds > timestamp_max || t.nanos < 0 ||
      t.nanos >= NANOS_PER_SECOND)
    return false;
  int64_t days = t.seconds / SECONDS_PER_DAY;
  int second = (int)(t.seconds % SECONDS_PER_DAY);
  if (second < 0) {
    second += SECONDS_PER_DAY;
    days--;
  }
  struct date d = date_of_days(days);
  char fraction[12];
  format_fraction(fraction, t.nanos);
  snprintf(out, WKT_TEXT, "%04d-%02d-%02dT%02d:%02d:%02d%sZ", (int)d.year, d.month, d.day,
           second / 3600, second / 60 % 60, second % 60, fraction);
  return true;
}

/* Reads exactly n digits and the character after them ('\0' for none expected). */
static bool take_digits(const char **s, int n, char after, int *out)
{
  *out = 0;
  for (int i = 0; i < n; i++, (*s)++) {
    if (!isdigit((unsigned char)**s))
      return false;
    *out = *out * 10 + (**s - '0');
  }
  if (after == '\0')
    return true;
  return *(*s)++ == after;
}

/* Reads an optional fraction of 1 to 9 digits. */
static bool take_fraction(const char **s, int32_t *nanos)
{
  *nanos = 0;
  if (**s != '.')
    return true;
  (*s)++;
  int digits = 0;
  for (; isdigit((unsigned char)**s); (*s)++) {
    if (++digits > 9)
      return false;
    *nanos = *nanos * 10 + (**s - '0');
  }
  for (int i = digits; i < 9; i++)
    *nanos *= 10;
  return digits > 0;
}

/* Reads "Z" or "+05:30"; gives seconds east of UTC. */
static bool take_offset(const char **s, int *offset)
{
  *offset = 0;
  char sign = *(*s)++;
  if (sign == 'Z' || sign == 'z')
    return true;
  int hours;
  int minutes;
  if ((sign != '+' && sign != '-') || !take_digits(s, 2, ':', &hours) ||
      !take_digits(s, 2, '\0', &minutes) || hours > 23 || minutes > 59)
    return false;
  *offset = (sign == '-' ? -1 : 1) * (hours * 3600 + minutes * 60);
  return true;
}

static bool take_date(const char **s, struct date *d)
{
  int year;
  if (!take_digits(s, 4, '-', &year) || !take_digits(s, 2, '-', &d->month) ||
      !take_digits(s, 2, '\0', &d->day))
    return false;
  d->year = year;
  return d->month >= 1 && d->month <= 12 && d->day >= 1 && d->day <= days_in_month(year, d->month);
}

bool wkt_timestamp_parse(struct wkt_time *out, const char *s)
{
  struct date d;
  int hour;
  int minute;
  int second;
  int offset;
  if (!take_date(&s, &d) || (*s != 'T' && *s != 't'))
    return false;
  s++;
  if (!take_digits(&s, 2, ':', &hour) || !take_digits(&s, 2, ':', &minute) ||
      !take_digits(&s, 2, '\0', &second) || !take_fraction(&s, &out->nanos) || *s == '\0' ||
      !take_offset(&s, &offset) || *s != '\0')
    return false;
  if (hour > 23 || minute > 59 || second > 59)
    return false;
  int64_t minutes = (int64_t)hour * 60 + minute;
  out->seconds = days_of_date(d) * SECONDS_PER_DAY + minutes * 60 + second - offset;
  return out->seconds >= timestamp_min && out->seconds <= timestamp_max;
}

bool wkt_duration_format(char out[WKT_TEXT], struct wkt_time t)
{
  if (t.seconds < -duration_max || t.seconds > duration_max || t.nanos <= -NANOS_PER_SECOND ||
      t.nanos >= NANOS_PER_SECOND || (t.seconds > 0 && t.nanos < 0) ||
      (t.seconds < 0 && t.nanos > 0))
    return false;
  char fraction[12];
  format_fraction(fraction, abs(t.nanos));
  bool negative = t.seconds < 0 || t.nanos < 0;
  snprintf(out, WKT_TEXT, "%s%lld%ss", negative ? "-" : "", llabs((long long)t.seconds), fraction);
  return true;
}

bool wkt_duration_parse(struct wkt_time *out, const char *s)
{
  bool negative = *s == '-';
  if (negative)
    s++;
  if (!isdigit((unsigned char)*s))
    return false;
  out->seconds = 0;
  for (; isdigit((unsigned char)*s); s++) {
    out->seconds = out->seconds * 10 + (*s - '0');
    if (out->seconds > duration_max)
      return false;
  }
  if (!take_fraction(&s, &out->nanos) || s[0] != 's' || s[1] != '\0')
    return false;
  if (negative) {
    out->seconds = -out->seconds;
    out->nanos = -out->nanos;
  }
  return true;
}
