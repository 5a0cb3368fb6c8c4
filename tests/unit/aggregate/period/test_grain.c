/* Weeks and months of a series, and holidays against known dates. */
#include <string.h>

#include "aggregate-svc/period/grain.h"
#include "aggregate-svc/period/holiday.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static int64_t day(const char *text)
{
  int64_t out = 0;
  CU_ASSERT_TRUE_FATAL(clock_parse_date(text, &out));
  return out;
}

static void only_whole_weeks_and_months_count(void)
{
  struct iso_span s[GRAIN_WEEKS_MAX];
  char label[GRAIN_LABEL_BYTES];
  CU_ASSERT_EQUAL(grain_spans(GRAIN_WEEK, day("2026-10-06"), day("2026-11-07"), s), 3);
  CU_ASSERT_EQUAL(s[0].first, day("2026-10-12"));
  CU_ASSERT_EQUAL(s[2].last, day("2026-11-01"));
  grain_label(GRAIN_WEEK, s[2], label);
  CU_ASSERT_STRING_EQUAL(label, "2026-W44");
  CU_ASSERT_EQUAL(grain_spans(GRAIN_MONTH, day("2025-12-02"), day("2026-03-30"), s), 2);
  CU_ASSERT_EQUAL(s[0].first, day("2026-01-01"));
  CU_ASSERT_EQUAL(s[1].last, day("2026-02-28"));
  grain_label(GRAIN_MONTH, s[1], label);
  CU_ASSERT_STRING_EQUAL(label, "2026-02");
  CU_ASSERT_EQUAL(grain_spans(GRAIN_WEEK, day("2026-10-06"), day("2026-10-17"), s), 0);
}

static void a_series_is_a_year_at_most_and_its_year_before_is_another(void)
{
  struct iso_span s[GRAIN_WEEKS_MAX];
  static const enum grain grains[] = {GRAIN_WEEK, GRAIN_MONTH};
  for (size_t g = 0; g < ARRAY_LEN(grains); g++)
    for (int64_t end = day("2019-12-20"); end < day("2025-01-10"); end += 3) {
      size_t n = grain_spans(grains[g], day("2015-08-14"), end, s);
      CU_ASSERT_EQUAL(n, grains[g] == GRAIN_WEEK ? GRAIN_WEEKS_MAX : GRAIN_MONTHS_MAX);
      CU_ASSERT_TRUE(s[n - 1].last <= end);
      for (size_t i = 1; i < n; i++)
        CU_ASSERT_EQUAL(s[i].first, s[i - 1].last + 1);
      struct iso_span year = grain_year_before(grains[g], s[n - 1]);
      CU_ASSERT_TRUE(year.last < s[0].first);
    }
}

static void blocks_are_four_weeks_or_a_month_and_half_of_the_series_at_most(void)
{
  CU_ASSERT_EQUAL(grain_block(GRAIN_WEEK, 13), 4);
  CU_ASSERT_EQUAL(grain_block(GRAIN_WEEK, 7), 3);
  CU_ASSERT_EQUAL(grain_block(GRAIN_WEEK, 1), 0);
  CU_ASSERT_EQUAL(grain_block(GRAIN_MONTH, 6), 1);
  CU_ASSERT_EQUAL(grain_block(GRAIN_MONTH, 1), 0);
  CU_ASSERT_EQUAL(grain_usual_first(GRAIN_WEEK, day("2026-11-26")), day("2026-08-24"));
  CU_ASSERT_EQUAL(grain_usual_first(GRAIN_MONTH, day("2026-11-29")), day("2026-05-01"));
  CU_ASSERT_EQUAL(grain_usual_first(GRAIN_MONTH, day("2026-11-30")), day("2026-06-01"));
}

static void weeks_a_year_before_keep_weekdays_and_months_keep_their_names(void)
{
  struct iso_span w =
      grain_year_before(GRAIN_WEEK, (struct iso_span){day("2026-11-23"), day("2026-11-29")});
  CU_ASSERT_EQUAL(w.first, day("2025-11-24"));
  CU_ASSERT_EQUAL(w.last, day("2025-11-30"));
  struct iso_span m =
      grain_year_before(GRAIN_MONTH, (struct iso_span){day("2025-02-01"), day("2025-02-28")});
  CU_ASSERT_EQUAL(m.first, day("2024-02-01"));
  CU_ASSERT_EQUAL(m.last, day("2024-02-29"));
}

/* Days by the almanac. */
static void holidays_fall_on_their_days(void)
{
  static const struct {
    const char *date, *name;
  } known[] = {{"2025-01-20", "Martin Luther King Day"},
               {"2026-01-19", "Martin Luther King Day"},
               {"2026-02-16", "Presidents' Day"},
               {"2024-03-31", "Easter Sunday"},
               {"2025-04-20", "Easter Sunday"},
               {"2026-04-05", "Easter Sunday"},
               {"2038-04-25", "Easter Sunday"},
               {"2026-05-25", "Memorial Day"},
               {"2027-05-31", "Memorial Day"},
               {"2026-06-19", "Juneteenth"},
               {"2026-07-04", "Independence Day"},
               {"2026-09-07", "Labor Day"},
               {"2026-10-12", "Columbus Day"},
               {"2026-11-11", "Veterans Day"},
               {"2026-11-26", "Thanksgiving"},
               {"2024-11-28", "Thanksgiving"},
               {"2026-11-27", "Black Friday"},
               {"2029-11-23", "Black Friday"},
               {"2026-12-25", "Christmas Day"},
               {"2027-01-01", "New Year's Day"},
               {"2026-02-16", "Family Day (Canada)"},
               {"2026-04-03", "Good Friday"},
               {"2025-04-18", "Good Friday"},
               {"2026-05-18", "Victoria Day (Canada)"},
               {"2027-05-24", "Victoria Day (Canada)"},
               {"2021-05-24", "Victoria Day (Canada)"},
               {"2020-05-18", "Victoria Day (Canada)"},
               {"2026-07-01", "Canada Day (Canada)"},
               {"2026-10-12", "Thanksgiving (Canada)"},
               {"2025-10-13", "Thanksgiving (Canada)"},
               {"2026-12-26", "Boxing Day (Canada)"}};
  for (size_t i = 0; i < ARRAY_LEN(known); i++) {
    struct holiday h[3];
    size_t n = holidays_within(day(known[i].date), day(known[i].date), h, ARRAY_LEN(h)), named = 0;
    for (size_t k = 0; k < n; k++)
      named += strcmp(h[k].name, known[i].name) == 0;
    CU_ASSERT_EQUAL(named, 1);
    /* Two countries have another holiday on the same day in February and October alone. */
    bool both = strstr(known[i].date, "-02-16") != NULL || strstr(known[i].date, "-10-1") != NULL;
    CU_ASSERT_EQUAL(n, both ? 2u : 1u);
  }
}

static void holidays_of_a_span_are_in_order_and_no_more_than_asked_for(void)
{
  struct holiday h[40];
  size_t n = holidays_within(day("2025-12-01"), day("2027-01-31"), h, ARRAY_LEN(h));
  CU_ASSERT_EQUAL(n, HOLIDAYS_PER_YEAR +
                         4); /* Christmas and the day after before; New Year and King after */
  for (size_t i = 1; i < n; i++)
    CU_ASSERT_TRUE(h[i].day >= h[i - 1].day);
  CU_ASSERT_EQUAL(holidays_within(day("2025-12-01"), day("2027-01-31"), h, 3), 3);
  CU_ASSERT_EQUAL(holidays_within(day("2026-08-01"), day("2026-08-31"), h, 3), 0);
}

TEST_MAIN("aggregate grain", TEST(only_whole_weeks_and_months_count),
          TEST(a_series_is_a_year_at_most_and_its_year_before_is_another),
          TEST(blocks_are_four_weeks_or_a_month_and_half_of_the_series_at_most),
          TEST(weeks_a_year_before_keep_weekdays_and_months_keep_their_names),
          TEST(holidays_fall_on_their_days),
          TEST(holidays_of_a_span_are_in_order_and_no_more_than_asked_for))
