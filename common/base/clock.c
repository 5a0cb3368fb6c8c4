/* Clocks and civil dates. */
#include "common/base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

int64_t clock_mono_ns(void)
{
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t clock_mono_ms(void)
{
  return clock_mono_ns() / 1000000;
}

int64_t clock_unix_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_REALTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

int64_t clock_days_from_civil(int year, unsigned month, unsigned day)
{
  int64_t y = month <= 2 ? (int64_t)year - 1 : year;
  int64_t era = (y >= 0 ? y : y - 399) / 400;
  int64_t year_of_era = y - era * 400;
  int64_t day_of_year = (153 * ((int64_t)month + (month > 2 ? -3 : 9)) + 2) / 5 + (int64_t)day - 1;
  int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
  return era * 146097 + day_of_era - 719468;
}

void clock_civil_from_days(int64_t days, int *year, unsigned *month, unsigned *day)
{
  int64_t z = days + 719468;
  int64_t era = (z >= 0 ? z : z - 146096) / 146097;
  int64_t doe = z - era * 146097;
  int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
  int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
  int64_t mp = (5 * doy + 2) / 153;
  *day = (unsigned)(doy - (153 * mp + 2) / 5 + 1);
  *month = (unsigned)(mp < 10 ? mp + 3 : mp - 9);
  *year = (int)(yoe + era * 400 + (*month <= 2 ? 1 : 0));
}

/* Reads exactly n digits; -1 when there are others. */
static int digits(const char *s, int n)
{
  int value = 0;
  for (int i = 0; i < n; i++) {
    if (s[i] < '0' || s[i] > '9')
      return -1;
    value = value * 10 + (s[i] - '0');
  }
  return value;
}

/* Reads a date at the start of s, whatever follows. */
static bool parse_date_prefix(const char *s, int64_t *days)
{
  if (strnlen(s, 10) < 10 || s[4] != '-' || s[7] != '-')
    return false;
  int year = digits(s, 4), month = digits(s + 5, 2), day = digits(s + 8, 2);
  if (year < 1 || month < 1 || month > 12 || day < 1 || day > 31)
    return false;
  int64_t n = clock_days_from_civil(year, (unsigned)month, (unsigned)day);
  int back_year;
  unsigned back_month, back_day;
  clock_civil_from_days(n, &back_year, &back_month, &back_day);
  if (back_month != (unsigned)month || back_day != (unsigned)day)
    return false; /* 31 April */
  *days = n;
  return true;
}

bool clock_parse_date(const char *s, int64_t *days)
{
  return strnlen(s, 11) == 10 && parse_date_prefix(s, days);
}

static void put_digits(char *out, unsigned value, size_t n)
{
  for (; n > 0; value /= 10)
    out[--n] = (char)('0' + value % 10);
}

void clock_format_date(int64_t days, char *out, size_t size)
{
  int year;
  unsigned month, day;
  clock_civil_from_days(days, &year, &month, &day);
  if (year < 0 || year > 9999 || size < sizeof("YYYY-MM-DD")) {
    snprintf(out, size, "%04d-%02u-%02u", year, month, day);
    return;
  }
  put_digits(out, (unsigned)year, 4);
  out[4] = '-';
  put_digits(out + 5, month, 2);
  out[7] = '-';
  put_digits(out + 8, day, 2);
  out[10] = '\0';
}

void clock_format_rfc3339(int64_t unix_ms, char *out, size_t size)
{
  int64_t days = unix_ms / 86400000;
  int64_t rest = unix_ms % 86400000;
  if (rest < 0) {
    rest += 86400000;
    days--;
  }
  char date[32];
  clock_format_date(days, date, sizeof(date));
  snprintf(out, size, "%sT%02d:%02d:%02d.%03dZ", date, (int)(rest / 3600000),
           (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
}

/* Reads "Z" or "+hh:mm" that ends the text; minutes east of UTC. */
static bool parse_offset(const char *s, int *minutes)
{
  if ((s[0] == 'Z' || s[0] == 'z') && s[1] == '\0') {
    *minutes = 0;
    return true;
  }
  if ((s[0] != '+' && s[0] != '-') || strlen(s) != 6 || s[3] != ':')
    return false;
  int h = digits(s + 1, 2), m = digits(s + 4, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59)
    return false;
  *minutes = (s[0] == '-' ? -1 : 1) * (h * 60 + m);
  return true;
}

bool clock_parse_rfc3339(const char *s, int64_t *unix_ms)
{
  int64_t days;
  if (strnlen(s, 20) < 20 || !parse_date_prefix(s, &days) || (s[10] != 'T' && s[10] != 't') ||
      s[13] != ':' || s[16] != ':')
    return false;
  int h = digits(s + 11, 2), m = digits(s + 14, 2), sec = digits(s + 17, 2);
  if (h < 0 || h > 23 || m < 0 || m > 59 || sec < 0 || sec > 60)
    return false;
  const char *p = s + 19;
  int64_t ms = 0;
  if (*p == '.') {
    int64_t scale = 100;
    const char *first = ++p;
    for (; *p >= '0' && *p <= '9'; p++, scale /= 10)
      ms += (*p - '0') * scale;
    if (p == first)
      return false;
  }
  int offset;
  if (!parse_offset(p, &offset))
    return false;
  *unix_ms = days * 86400000 + ((int64_t)h * 60 + m - offset) * 60000 + (int64_t)sec * 1000 + ms;
  return true;
}
