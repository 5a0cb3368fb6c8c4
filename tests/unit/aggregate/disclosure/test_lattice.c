/* The periods for outside viewers, and the forms of what they are shown. */
#include "aggregate-svc/disclosure/forms.h"
#include "aggregate-svc/disclosure/lattice.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static int64_t day(const char *text)
{
  int64_t d = 0;
  CU_ASSERT_TRUE_FATAL(clock_parse_date(text, &d));
  return d;
}

static struct lattice_span span(const char *first, const char *last)
{
  return (struct lattice_span){day(first), day(last)};
}

static void P14_a_period_that_is_a_day_short_is_refused(void)
{
  CU_ASSERT_EQUAL(lattice_of(span("2026-10-05", "2026-11-01")), LATTICE_WEEKS);
  CU_ASSERT_EQUAL(lattice_of(span("2026-10-05", "2026-10-31")), LATTICE_NONE);
  struct lattice_nearest near =
      lattice_nearest(span("2026-10-05", "2026-10-31"), day("2026-11-26"));
  CU_ASSERT_EQUAL(near.weeks.first, day("2026-10-05"));
  CU_ASSERT_EQUAL(near.weeks.last, day("2026-11-01"));
  CU_ASSERT_EQUAL(near.months.first, day("2026-10-01"));
  CU_ASSERT_EQUAL(near.months.last, day("2026-10-31"));
}

static void weeks_and_months_are_whole(void)
{
  CU_ASSERT_EQUAL(lattice_of(span("2026-11-02", "2026-11-08")), LATTICE_WEEKS);
  CU_ASSERT_EQUAL(lattice_of(span("2026-11-03", "2026-11-09")), LATTICE_NONE);
  CU_ASSERT_EQUAL(lattice_of(span("2026-11-02", "2026-11-02")), LATTICE_NONE);
  CU_ASSERT_EQUAL(lattice_of(span("2026-11-08", "2026-11-02")), LATTICE_NONE);
  CU_ASSERT_EQUAL(lattice_of(span("2026-10-01", "2026-10-31")), LATTICE_MONTHS);
  CU_ASSERT_EQUAL(lattice_of(span("2024-02-01", "2024-02-29")), LATTICE_MONTHS);
  CU_ASSERT_EQUAL(lattice_of(span("2024-02-01", "2024-02-28")), LATTICE_NONE);
  CU_ASSERT_EQUAL(lattice_of(span("2025-11-01", "2026-01-31")), LATTICE_MONTHS);
  CU_ASSERT_EQUAL(lattice_of(span("2021-02-01", "2021-02-28")), LATTICE_WEEKS); /* both */
  CU_ASSERT_EQUAL(lattice_of(span("1969-12-29", "1970-01-04")), LATTICE_WEEKS);
}

/* Every answer is in the lattice, ends in time, and is itself when asked again. */
static void a_period_is_made_of_its_weeks_or_months(void)
{
  struct lattice_span out[4];
  CU_ASSERT_EQUAL_FATAL(lattice_bases(span("2026-10-05", "2026-11-01"), out, 4), 4);
  CU_ASSERT_EQUAL(out[0].first, day("2026-10-05"));
  CU_ASSERT_EQUAL(out[0].last, day("2026-10-11"));
  CU_ASSERT_EQUAL(out[3].first, day("2026-10-26"));
  CU_ASSERT_EQUAL(out[3].last, day("2026-11-01"));
  CU_ASSERT_EQUAL_FATAL(lattice_bases(span("2025-12-01", "2026-02-28"), out, 4), 3);
  CU_ASSERT_EQUAL(out[1].first, day("2026-01-01"));
  CU_ASSERT_EQUAL(out[2].last, day("2026-02-28"));
  CU_ASSERT_EQUAL(lattice_bases(span("2026-10-05", "2026-11-01"), out, 1), 4); /* how many */
  CU_ASSERT_EQUAL(lattice_bases(span("2025-01-06", "2025-12-28"), NULL, 0), 51);
  CU_ASSERT_EQUAL(lattice_bases(span("2026-10-05", "2026-10-31"), NULL, 0), 0);
}

static void weeks_and_months_are_written_as_google_does(void)
{
  static const struct {
    const char *first, *last, *dimension, *text;
  } rows[] = {{"2026-10-05", "2026-11-01", "isoYearIsoWeek", "202641"},
              {"2026-12-28", "2027-01-03", "isoYearIsoWeek", "202653"},
              {"2024-12-30", "2025-01-05", "isoYearIsoWeek", "202501"},
              {"2026-11-01", "2026-11-30", "yearMonth", "202611"}};
  char text[LATTICE_TEXT_BYTES];
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct lattice_span p = span(rows[i].first, rows[i].last), base;
    CU_ASSERT(lattice_bases(p, &base, 1) > 0);
    lattice_text(p, base, text);
    CU_ASSERT_STRING_EQUAL(text, rows[i].text);
    CU_ASSERT_STRING_EQUAL(lattice_dimension(p), rows[i].dimension);
  }
  struct lattice_span none = span("2026-10-05", "2026-10-31");
  CU_ASSERT_PTR_NULL(lattice_dimension(none));
  lattice_text(none, none, text);
  CU_ASSERT_STRING_EQUAL(text, "");
}

static void the_nearest_periods_are_allowed_ones_whatever_is_asked(void)
{
  int64_t through = day("2026-11-26"), first = day("2024-01-01");
  for (int64_t start = first; start < through + 40; start += 3)
    for (int64_t days = 1; days < 100; days += 4) {
      struct lattice_span asked = {start, start + days - 1};
      struct lattice_nearest near = lattice_nearest(asked, through);
      CU_ASSERT_EQUAL_FATAL(lattice_of(near.weeks), LATTICE_WEEKS);
      CU_ASSERT_NOT_EQUAL_FATAL(lattice_of(near.months), LATTICE_NONE);
      CU_ASSERT_TRUE_FATAL(near.weeks.last <= through && near.months.last <= through);
      if (asked.last < through - 10 && days > 4) {
        CU_ASSERT_TRUE_FATAL(near.weeks.first - start <= 3 && start - near.weeks.first <= 3);
      }
      struct lattice_nearest again = lattice_nearest(near.weeks, through);
      CU_ASSERT_EQUAL_FATAL(again.weeks.first, near.weeks.first);
      CU_ASSERT_EQUAL_FATAL(again.weeks.last, near.weeks.last);
    }
}

static void a_day_is_complete_three_days_after_it_ended_everywhere(void)
{
  int64_t noon = (day("2026-11-30") * 24 + 12) * 3600000;
  CU_ASSERT_EQUAL(lattice_complete_through(noon), day("2026-11-27"));
  CU_ASSERT_EQUAL(lattice_complete_through(noon - 1), day("2026-11-26"));
}

static void figures_of_peers_are_rounded(void)
{
  double index, low, high;
  CU_ASSERT_DOUBLE_EQUAL(form_pooled(0.0186792), 0.0187, 1e-15);
  CU_ASSERT_TRUE(form_index(0.02199248, 0.0183, &index));
  CU_ASSERT_EQUAL(index, 120);
  CU_ASSERT_FALSE(form_index(0.02, 0, &index));
  form_interval(98.3139, 146.3270, &low, &high);
  CU_ASSERT_EQUAL(low, 95);
  CU_ASSERT_EQUAL(high, 150);
  form_interval(95, 150, &low, &high);
  CU_ASSERT_EQUAL(low, 95);
  CU_ASSERT_EQUAL(high, 150);
  form_interval(-3, 0.1, &low, &high);
  CU_ASSERT_EQUAL(low, 0);
  CU_ASSERT_EQUAL(high, 5);
  CU_ASSERT_EQUAL(form_events(19), 0);
  CU_ASSERT_EQUAL(form_events(20), 20);
  CU_ASSERT_EQUAL(form_events(79), 20);
  CU_ASSERT_EQUAL(form_events(80), 80);
  CU_ASSERT_EQUAL(form_events(573), 320);
  CU_ASSERT_TRUE(form_events(INT64_MAX) > INT64_MAX / 4);
  CU_ASSERT_EQUAL(form_expected(9.678), 9.7);
  CU_ASSERT_EQUAL(form_expected(1234), 1200);
}

static void P17_five_dealers_give_the_mean_of_the_middle_three_and_no_quartile(void)
{
  static const double nine[] = {1.02, 1.31, 1.55, 1.62, 1.70, 1.77, 1.94, 2.20, 6.40};
  struct form_typical five = form_typical(nine, 5, 8, 5), eight = form_typical(nine, 8, 8, 5),
                      four = form_typical(nine, 4, 8, 5), all = form_typical(nine, 9, 8, 5);
  CU_ASSERT_FALSE(five.quartiles);
  CU_ASSERT_TRUE(five.middle);
  CU_ASSERT_DOUBLE_EQUAL(five.middle_mean, 1.49, 1e-12);
  CU_ASSERT_TRUE(eight.quartiles);
  CU_ASSERT_FALSE(eight.middle);
  CU_ASSERT_FALSE(four.quartiles || four.middle);
  CU_ASSERT_DOUBLE_EQUAL(all.p25, 1.6, 1e-12); /* 1.55 */
  CU_ASSERT_DOUBLE_EQUAL(all.p50, 1.7, 1e-12);
  CU_ASSERT_DOUBLE_EQUAL(all.p75, 1.9, 1e-12); /* 1.94 */
}

TEST_MAIN("aggregate lattice", TEST(P14_a_period_that_is_a_day_short_is_refused),
          TEST(weeks_and_months_are_whole), TEST(weeks_and_months_are_written_as_google_does),
          TEST(a_period_is_made_of_its_weeks_or_months),
          TEST(the_nearest_periods_are_allowed_ones_whatever_is_asked),
          TEST(a_day_is_complete_three_days_after_it_ended_everywhere),
          TEST(figures_of_peers_are_rounded),
          TEST(P17_five_dealers_give_the_mean_of_the_middle_three_and_no_quartile))
