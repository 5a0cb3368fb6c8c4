/* Dates of a report: what is accepted, and which days they stand for. */
#include <string.h>

#include "aggregate-svc/period/period.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/zone.h"
#include "tests/unit/harness.h"

/* 2026-11-22T15:00:00Z */
static int64_t now_ms(void)
{
  int64_t ms = 0;
  CU_ASSERT_TRUE(clock_parse_rfc3339("2026-11-22T15:00:00Z", &ms));
  return ms;
}

static const char *problem(const char *start, const char *end)
{
  static struct err e;
  struct period p;
  memset(&e, 0, sizeof(e));
  enum err_code code = period_parse(&p, true, start, end, now_ms(), &e);
  CU_ASSERT_EQUAL(code, e.code);
  CU_ASSERT_TRUE(code == ERR_OK || code == ERR_INVALID_ARGUMENT);
  return e.message;
}

static void good_dates_are_accepted(void)
{
  static const char *const good[][2] = {
      {"28daysAgo", "yesterday"},   {"2026-10-01", "2026-10-31"}, {"today", "today"},
      {"2015-08-14", "2026-01-01"}, {"0daysAgo", "today"},        {"2026-10-01", "yesterday"},
      {"7daysAgo", "2026-11-22"},   {"yesterday", "2026-11-21"},  {"2024-02-29", "2024-02-29"},
      {"2026-11-23", "today"}, /* it is the 23rd already in Auckland */
  };
  for (size_t i = 0; i < ARRAY_LEN(good); i++)
    CU_ASSERT_STRING_EQUAL(problem(good[i][0], good[i][1]), "");
}

static void bad_dates_are_named_with_their_path(void)
{
  static const char *const bad[][3] = {
      {"28 days ago", "yesterday", "date_range.start_date: \"28 days ago\" is not a date"},
      {"2026-02-29", "yesterday", "date_range.start_date: \"2026-02-29\" is not a date"},
      {"20261001", "yesterday", "date_range.start_date: \"20261001\""},
      {"2026-10-01", "Yesterday", "date_range.end_date: \"Yesterday\""},
      {"2026-10-01", "", "date_range.end_date: missing"},
      {"", "today", "date_range.start_date: missing"},
      {"-3daysAgo", "today", "date_range.start_date: \"-3daysAgo\""},
      {"daysAgo", "today", "date_range.start_date: \"daysAgo\""},
      {"99999999daysAgo", "today", "date_range.start_date: \"99999999daysAgo\""},
      {"2015-08-13", "today", "date_range.start_date: 2015-08-13 is before 2015-08-14"},
      {"9000daysAgo", "today", "date_range.start_date: 9000daysAgo is before 2015-08-14"},
      {"2026-01-01", "3000-01-01", "date_range.end_date: 3000-01-01 is after 2999-12-31"},
      {"2026-10-02", "2026-10-01",
       "date_range.start_date: 2026-10-02 is after end_date 2026-10-01"},
      {"yesterday", "28daysAgo", "date_range.start_date: yesterday is after end_date 28daysAgo"},
      {"today", "yesterday", "date_range.start_date: today is after"},
      {"today", "2026-11-20", "date_range.start_date: today is after end_date 2026-11-20"},
      {"2026-11-24", "today", "date_range.start_date: 2026-11-24 is after end_date today"},
  };
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    const char *text = problem(bad[i][0], bad[i][1]);
    if (strncmp(text, bad[i][2], strlen(bad[i][2])) != 0)
      fprintf(stderr, "%s..%s: %s\n", bad[i][0], bad[i][1], text);
    CU_ASSERT_TRUE(strncmp(text, bad[i][2], strlen(bad[i][2])) == 0);
  }
}

static void absent_range_is_the_last_28_full_days(void)
{
  struct period p;
  CU_ASSERT_EQUAL(period_parse(&p, false, NULL, NULL, now_ms(), NULL), ERR_OK);
  CU_ASSERT_STRING_EQUAL(p.start.text, "28daysAgo");
  CU_ASSERT_STRING_EQUAL(p.end.text, "yesterday");
  struct period_days d = period_resolve(&p, now_ms(), 0);
  CU_ASSERT_EQUAL(d.last - d.first + 1, 28);
}

static void relative_dates_resolve_in_the_property_s_zone(void)
{
  struct period p;
  char text[16];
  int64_t ms = 0;
  CU_ASSERT_TRUE(clock_parse_rfc3339("2026-11-22T03:00:00Z", &ms)); /* 21 Nov, 19:00 Pacific */
  CU_ASSERT_EQUAL(period_parse(&p, true, "7daysAgo", "yesterday", ms, NULL), ERR_OK);
  struct period_days d = period_resolve(&p, ms, -8 * 3600);
  clock_format_date(d.first, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "2026-11-14");
  clock_format_date(d.last, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "2026-11-20");
  d = period_resolve(&p, ms, 0);
  clock_format_date(d.last, text, sizeof(text));
  CU_ASSERT_STRING_EQUAL(text, "2026-11-21");
}

static void only_the_last_two_days_are_fresh(void)
{
  struct period p;
  period_parse(&p, true, "7daysAgo", "yesterday", now_ms(), NULL);
  struct period_days d = period_resolve(&p, now_ms(), 0);
  CU_ASSERT_TRUE(period_is_fresh(&d));
  period_parse(&p, true, "7daysAgo", "2026-11-20", now_ms(), NULL);
  d = period_resolve(&p, now_ms(), 0);
  CU_ASSERT_FALSE(period_is_fresh(&d));
}

static int64_t seconds(const char *rfc3339)
{
  int64_t ms = 0;
  CU_ASSERT_TRUE(clock_parse_rfc3339(rfc3339, &ms));
  return ms / 1000;
}

static void rules_give_the_offset_on_both_sides_of_a_change(void)
{
  static const struct {
    const char *rule, *at;
    int32_t offset;
  } cases[] = {
      {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T06:59:59Z", -18000},
      {"EST5EDT,M3.2.0,M11.1.0", "2026-03-08T07:00:00Z", -14400},
      {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T05:59:59Z", -14400},
      {"EST5EDT,M3.2.0,M11.1.0", "2026-11-01T06:00:00Z", -18000},
      {"MST7", "2026-07-01T00:00:00Z", -25200},
      {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-03-29T01:00:00Z", 7200},
      {"CET-1CEST,M3.5.0,M10.5.0/3", "2026-10-25T01:00:00Z", 3600},
      {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-01-15T00:00:00Z", 39600},
      {"AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-07-15T00:00:00Z", 36000},
      {"<+0330>-3:30", "2026-07-15T00:00:00Z", 12600},
      {"AAA3BBB,J60/0,J300/0", "2024-03-01T03:00:00Z", -7200},
      {"AAA3BBB,J60/0,J300/0", "2024-03-01T02:59:59Z", -10800},
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    int32_t offset = 1;
    CU_ASSERT_TRUE(zone_offset_of_rule(cases[i].rule, seconds(cases[i].at), &offset));
    if (offset != cases[i].offset)
      fprintf(stderr, "%s at %s: %d\n", cases[i].rule, cases[i].at, offset);
    CU_ASSERT_EQUAL(offset, cases[i].offset);
  }
}

static void malformed_rules_and_files_are_refused(void)
{
  static const char *const bad[] = {
      "", "E5", "EST", "EST5EDT", "EST5x", "EST5EDT,M13", "EST5EDT,M3.2.0", "<EST5"};
  int32_t offset;
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    CU_ASSERT_FALSE(zone_offset_of_rule(bad[i], 0, &offset));
  unsigned char file[200] = "TZif2";
  for (size_t n = 0; n <= sizeof(file); n++)
    CU_ASSERT_FALSE(zone_offset_in(file, n, 0, &offset));
  memset(file + 20, 0xff, 24);
  CU_ASSERT_FALSE(zone_offset_in(file, sizeof(file), 0, &offset));
}

static void zone_names_cannot_leave_the_database(void)
{
  int32_t offset;
  CU_ASSERT_FALSE(zone_offset("../../../etc/passwd", 0, &offset));
  CU_ASSERT_FALSE(zone_offset("/etc/passwd", 0, &offset));
  CU_ASSERT_FALSE(zone_offset("", 0, &offset));
  CU_ASSERT_FALSE(zone_offset(NULL, 0, &offset));
  CU_ASSERT_FALSE(zone_offset("Nowhere/Land", 0, &offset));
  CU_ASSERT_FALSE(zone_offset("America", 0, &offset));
}

/* Needs the system's time zone files; without them the caller falls back to UTC. */
static void system_zones_agree_with_known_offsets(void)
{
  int32_t offset = 0;
  if (!zone_offset("UTC", 0, &offset))
    return;
  CU_ASSERT_EQUAL(offset, 0);
  CU_ASSERT_TRUE(zone_offset("America/Los_Angeles", seconds("2026-11-22T00:00:00Z"), &offset));
  CU_ASSERT_EQUAL(offset, -8 * 3600);
  CU_ASSERT_TRUE(zone_offset("America/Los_Angeles", seconds("2026-07-01T00:00:00Z"), &offset));
  CU_ASSERT_EQUAL(offset, -7 * 3600);
  CU_ASSERT_TRUE(zone_offset("America/New_York", seconds("2045-07-01T00:00:00Z"), &offset));
  CU_ASSERT_EQUAL(offset, -4 * 3600);
  CU_ASSERT_TRUE(zone_offset("America/Phoenix", seconds("2026-07-01T00:00:00Z"), &offset));
  CU_ASSERT_EQUAL(offset, -7 * 3600);
  CU_ASSERT_TRUE(zone_offset("America/St_Johns", seconds("2026-11-22T00:00:00Z"), &offset));
  CU_ASSERT_EQUAL(offset, -12600);
  /* Asked once more: over the second at which the clocks change, and what another zone said. */
  static const char *const zones[] = {"America/New_York", "America/Chicago"};
  for (int i = 0; i < 4; i++) {
    int64_t change = seconds("2026-11-01T06:00:00Z") + 3600 * (i % 2);
    int32_t summer = -(4 + i % 2) * 3600;
    CU_ASSERT_TRUE(zone_offset(zones[i % 2], change - 1, &offset));
    CU_ASSERT_EQUAL(offset, summer);
    CU_ASSERT_TRUE(zone_offset(zones[i % 2], change, &offset));
    CU_ASSERT_EQUAL(offset, summer - 3600);
  }
}

static int64_t at(const char *rfc3339)
{
  int64_t ms = 0;
  CU_ASSERT_TRUE(clock_parse_rfc3339(rfc3339, &ms));
  return ms;
}

static void default_is_the_last_four_weeks_that_are_finished_everywhere(void)
{
  static const struct {
    const char *now, *first, *last;
  } cases[] = {
      {"2026-11-25T11:59:59Z", "2026-10-19", "2026-11-15"}, /* Tuesday 24th is the earliest day */
      {"2026-11-25T12:00:00Z", "2026-10-26", "2026-11-22"}, /* Wednesday everywhere: Sunday ends */
      {"2026-12-01T00:00:00Z", "2026-10-26", "2026-11-22"},
      {"2027-01-06T18:00:00Z", "2026-12-07", "2027-01-03"}, /* week 53 */
  };
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct period p, look_back;
    period_last_weeks(&p, at(cases[i].now));
    CU_ASSERT_STRING_EQUAL(p.start.text, cases[i].first);
    CU_ASSERT_STRING_EQUAL(p.end.text, cases[i].last);
    CU_ASSERT_FALSE(p.start.relative || p.end.relative);
    period_look_back(&look_back, at(cases[i].now));
    CU_ASSERT_EQUAL(look_back.end.day - look_back.start.day + 1, 90);
    CU_ASSERT_EQUAL(look_back.end.day, p.end.day);
  }
}

static void the_period_before_has_as_many_days_and_ends_the_day_before(void)
{
  static const char *const cases[][4] = {
      {"2026-10-26", "2026-11-22", "2026-09-28", "2026-10-25"},
      {"2026-03-01", "2026-03-01", "2026-02-28", "2026-02-28"},
      {"28daysAgo", "yesterday", "56daysAgo", "29daysAgo"},
      {"today", "today", "1daysAgo", "1daysAgo"},
      {"6daysAgo", "today", "13daysAgo", "7daysAgo"},
  };
  struct period p, before;
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    CU_ASSERT_EQUAL(period_parse(&p, true, cases[i][0], cases[i][1], now_ms(), NULL), ERR_OK);
    CU_ASSERT_TRUE(period_before(&p, now_ms(), &before));
    CU_ASSERT_STRING_EQUAL(before.start.text, cases[i][2]);
    CU_ASSERT_STRING_EQUAL(before.end.text, cases[i][3]);
  }
  period_parse(&p, true, "2026-10-26", "yesterday", now_ms(), NULL);
  CU_ASSERT_FALSE(period_before(&p, now_ms(), &before)); /* how long it is depends on the zone */
  period_parse(&p, true, "2015-08-14", "2016-08-14", now_ms(), NULL);
  CU_ASSERT_FALSE(period_before(&p, now_ms(), &before)); /* Google has no such days */
  period_parse(&p, true, "400daysAgo", "yesterday", now_ms(), NULL);
  CU_ASSERT_TRUE(period_before(&p, now_ms(), &before));
  period_parse(&p, true, "401daysAgo", "yesterday", now_ms(), NULL);
  CU_ASSERT_FALSE(period_before(&p, now_ms(), &before)); /* too long for a change to mean much */
}

TEST_MAIN("aggregate period", TEST(good_dates_are_accepted),
          TEST(bad_dates_are_named_with_their_path), TEST(absent_range_is_the_last_28_full_days),
          TEST(relative_dates_resolve_in_the_property_s_zone),
          TEST(only_the_last_two_days_are_fresh),
          TEST(default_is_the_last_four_weeks_that_are_finished_everywhere),
          TEST(the_period_before_has_as_many_days_and_ends_the_day_before),
          TEST(rules_give_the_offset_on_both_sides_of_a_change),
          TEST(malformed_rules_and_files_are_refused), TEST(zone_names_cannot_leave_the_database),
          TEST(system_zones_agree_with_known_offsets))
