/* Reads the offset of a time zone from TZif files and POSIX TZ rules. */
#include "common/base/zone.h"

#include <ctype.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/config.h"
#include "common/base/hash.h"
#include "common/base/mem.h"

enum { ZONE_NAME_MAX = 128, ZONE_FILE_MAX = 64 * 1024, TZIF_HEADER = 44, DAY_S = 86400 };

/* ------------------------------------------------------------ POSIX TZ rules */

/* A day of the year on which the clocks change, and the local time of the change. */
struct change {
  char kind; /* 'M' month.week.weekday, 'J' day 1-365 without 29 February, 'N' day 0-365 */
  int month, week, day;
  int32_t time_s;
};

static bool read_int(const char **s, int max, int *out)
{
  if (!isdigit((unsigned char)**s))
    return false;
  int value = 0;
  for (; isdigit((unsigned char)**s); (*s)++) {
    value = value * 10 + (**s - '0');
    if (value > max)
      return false;
  }
  *out = value;
  return true;
}

/* [+-]hh[:mm[:ss]]; hours up to 167 as in RFC 8536. */
static bool read_time(const char **s, int32_t *out)
{
  int sign = 1;
  int part[3] = {0, 0, 0};
  if (**s == '-' || **s == '+')
    sign = *(*s)++ == '-' ? -1 : 1;
  if (!read_int(s, 167, &part[0]))
    return false;
  for (int i = 1; i < 3 && **s == ':'; i++) {
    (*s)++;
    if (!read_int(s, 59, &part[i]))
      return false;
  }
  *out = sign * (part[0] * 3600 + part[1] * 60 + part[2]);
  return true;
}

/* Zone abbreviation: letters, or anything between < and >. */
static bool skip_name(const char **s)
{
  const char *start = *s;
  if (**s == '<') {
    const char *end = strchr(*s, '>');
    if (end == NULL)
      return false;
    *s = end + 1;
    return true;
  }
  while (isalpha((unsigned char)**s))
    (*s)++;
  return *s - start >= 3;
}

static bool read_change(const char **s, struct change *c)
{
  if (*(*s)++ != ',')
    return false;
  c->time_s = 2 * 3600;
  if (**s == 'M') {
    (*s)++;
    c->kind = 'M';
    if (!read_int(s, 12, &c->month) || *(*s)++ != '.' || !read_int(s, 5, &c->week) ||
        *(*s)++ != '.' || !read_int(s, 6, &c->day) || c->month < 1 || c->week < 1)
      return false;
  } else {
    c->kind = **s == 'J' ? 'J' : 'N';
    *s += **s == 'J';
    if (!read_int(s, 365, &c->day))
      return false;
  }
  if (**s != '/')
    return true;
  (*s)++;
  return read_time(s, &c->time_s);
}

static bool is_leap(int year)
{
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

/* Days since 1970-01-01 on which a change falls in a year. */
static int64_t day_of_change(const struct change *c, int year)
{
  int64_t new_year = clock_days_from_civil(year, 1, 1);
  if (c->kind == 'N')
    return new_year + c->day;
  if (c->kind == 'J')
    return new_year + c->day - 1 + (is_leap(year) && c->day >= 60);
  int64_t first = clock_days_from_civil(year, (unsigned)c->month, 1);
  int weekday = (int)((first + 4) % 7); /* 1970-01-01 was a Thursday */
  weekday = (weekday + 7) % 7;
  int64_t day = first + (c->day - weekday + 7) % 7 + 7 * (c->week - 1);
  int64_t next_month = c->month == 12 ? clock_days_from_civil(year + 1, 1, 1)
                                      : clock_days_from_civil(year, (unsigned)c->month + 1, 1);
  return day < next_month ? day : day - 7;
}

static int year_of(int64_t local_s)
{
  int64_t days = local_s / DAY_S - (local_s % DAY_S < 0);
  int year;
  unsigned month, day;
  clock_civil_from_days(days, &year, &month, &day);
  return year;
}

bool zone_offset_of_rule(const char *rule, int64_t unix_s, int32_t *offset_s)
{
  int32_t west, summer_west;
  struct change begin = {0}, end = {0};
  if (!skip_name(&rule) || !read_time(&rule, &west))
    return false;
  *offset_s = -west;
  if (*rule == '\0')
    return true;
  if (!skip_name(&rule))
    return false;
  summer_west = west - 3600;
  if (*rule != ',' && !read_time(&rule, &summer_west))
    return false;
  if (!read_change(&rule, &begin) || !read_change(&rule, &end) || *rule != '\0')
    return false;
  int year = year_of(unix_s - west);
  int64_t summer_begins = day_of_change(&begin, year) * DAY_S + begin.time_s + west;
  int64_t summer_ends = day_of_change(&end, year) * DAY_S + end.time_s + summer_west;
  bool summer = summer_begins < summer_ends
                    ? unix_s >= summer_begins && unix_s < summer_ends
                    : unix_s >= summer_begins || unix_s < summer_ends; /* south of the equator */
  *offset_s = summer ? -summer_west : -west;
  return true;
}

/* ------------------------------------------------------------------ TZif files */

static uint32_t be32(const unsigned char *p)
{
  return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
  return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct tzif_counts {
  size_t isut, isstd, leap, time, type, chars;
};

static bool read_header(const unsigned char *p, size_t len, struct tzif_counts *c)
{
  if (len < TZIF_HEADER || memcmp(p, "TZif", 4) != 0)
    return false;
  size_t *fields[] = {&c->isut, &c->isstd, &c->leap, &c->time, &c->type, &c->chars};
  for (size_t i = 0; i < 6; i++) {
    *fields[i] = be32(p + 20 + 4 * i);
    if (*fields[i] > ZONE_FILE_MAX)
      return false;
  }
  return c->type > 0;
}

static size_t block_size(const struct tzif_counts *c, size_t time_size)
{
  return c->time * (time_size + 1) + c->type * 6 + c->chars + c->leap * (time_size + 4) + c->isstd +
         c->isut;
}

/* The rule behind the second data block: a line between two newlines. */
static bool offset_of_footer(const unsigned char *p, size_t len, int64_t unix_s, int32_t *offset_s)
{
  char rule[128];
  if (len < 3 || p[0] != '\n')
    return false;
  const unsigned char *end = memchr(p + 1, '\n', len - 1);
  size_t n = end == NULL ? 0 : (size_t)(end - p - 1);
  if (n == 0 || n >= sizeof(rule))
    return false;
  memcpy(rule, p + 1, n);
  rule[n] = '\0';
  return zone_offset_of_rule(rule, unix_s, offset_s);
}

bool zone_offset_in(const unsigned char *p, size_t len, int64_t unix_s, int32_t *offset_s)
{
  struct tzif_counts c;
  if (!read_header(p, len, &c) || p[4] < '2')
    return false;
  size_t skip = TZIF_HEADER + block_size(&c, 4);
  if (skip > len || !read_header(p + skip, len - skip, &c))
    return false;
  p += skip + TZIF_HEADER;
  len -= skip + TZIF_HEADER;
  size_t size = block_size(&c, 8);
  if (size > len)
    return false;
  size_t past = 0; /* transitions at or before the time; they ascend */
  while (past < c.time && be64(p + 8 * past) <= unix_s)
    past++;
  if (past == c.time && offset_of_footer(p + size, len - size, unix_s, offset_s))
    return true;
  size_t type = past == 0 ? 0 : p[8 * c.time + past - 1];
  if (type >= c.type)
    return false;
  *offset_s = (int32_t)be32(p + 9 * c.time + 6 * type);
  return true;
}

const char *zone_folder(void)
{
  const char *set = config_text("TZDIR");
  return set != NULL ? set : "/usr/share/zoneinfo";
}

bool zone_is_name(const char *name)
{
  size_t n = strlen(name);
  if (n == 0 || n > ZONE_NAME_MAX || name[0] == '/' || strstr(name, "//") != NULL)
    return false;
  for (size_t i = 0; i < n; i++)
    if (!isalnum((unsigned char)name[i]) && strchr("_+-/", name[i]) == NULL)
      return false;
  return true;
}

static void close_file(FILE **f)
{
  if (*f != NULL)
    fclose(*f);
}

static bool read_offset(const char *name, int64_t unix_s, int32_t *offset_s)
{
  char path[512];
  snprintf(path, sizeof(path), "%s/%s", zone_folder(), name);
  CLEANUP(close_file) FILE *f = fopen(path, "re");
  if (f == NULL)
    return false;
  AUTO_FREE unsigned char *content = xmalloc(ZONE_FILE_MAX);
  size_t len = fread(content, 1, ZONE_FILE_MAX, f);
  return ferror(f) == 0 && zone_offset_in(content, len, unix_s, offset_s);
}

/* ------------------------------------------------------------- what was read */

/* Clocks change at whole minutes since then. */
enum { WHOLE_MINUTES = 1 << 30, PLACES = 128 };

/* The offset of a zone in one minute. A later question takes the place of an earlier one. */
static struct place {
  char name[ZONE_NAME_MAX + 1];
  int64_t minute;
  int32_t offset_s;
  bool known;
} places[PLACES];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* guards the places */

bool zone_offset(const char *name, int64_t unix_s, int32_t *offset_s)
{
  if (name == NULL || !zone_is_name(name))
    return false;
  if (unix_s < WHOLE_MINUTES)
    return read_offset(name, unix_s, offset_s);
  struct place *place = &places[hash_text(name) % PLACES];
  pthread_mutex_lock(&lock);
  if (place->minute != unix_s / 60 || strcmp(place->name, name) != 0) {
    place->known = read_offset(name, unix_s, &place->offset_s);
    place->minute = unix_s / 60;
    snprintf(place->name, sizeof(place->name), "%s", name);
  }
  bool known = place->known;
  if (known)
    *offset_s = place->offset_s;
  pthread_mutex_unlock(&lock);
  return known;
}
