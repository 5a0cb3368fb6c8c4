/* Changes of two periods, share shifts over dealers, trends, days that stand out. */
#include <math.h>
#include <stdlib.h>

#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

static bool close_to(double a, double b, double tolerance)
{
  return fabs(a - b) <= tolerance;
}

/* -------------------------------------------------------------------------- periods */

static void change_of_two_periods_matches_the_vector(void)
{
  struct stats_change c;
  CU_ASSERT_TRUE(stats_change((struct stats_ratio){117, 5320}, (struct stats_ratio){96, 5190}, 1,
                              STATS_Z95, &c));
  CU_ASSERT_TRUE(close_to(c.ratio, 0.841065, 5e-7));
  CU_ASSERT_TRUE(close_to(c.low, 0.642114, 5e-7) && close_to(c.high, 1.101660, 5e-7));
  CU_ASSERT_TRUE(close_to(c.p, 0.2177641390332175, 1e-9)); /* SciPy's binomtest */
}

static void over_dispersed_change_takes_its_p_from_its_interval(void)
{
  unsigned seed = 21;
  for (int round = 0; round < 2000; round++) {
    struct stats_ratio before = {1 + rand_r(&seed) % 400, 1000 + rand_r(&seed) % 9000};
    struct stats_ratio after = {1 + rand_r(&seed) % 400, 1000 + rand_r(&seed) % 9000};
    struct stats_change c;
    CU_ASSERT_TRUE_FATAL(stats_change(before, after, 1.6, STATS_Z95, &c));
    CU_ASSERT_TRUE((c.low > 1 || c.high < 1) == (c.p < 0.05) || close_to(c.p, 0.05, 1e-9));
  }
}

static void change_without_events_is_unknown(void)
{
  struct stats_change c = {.ratio = -1};
  CU_ASSERT_FALSE(stats_change((struct stats_ratio){0, 10}, (struct stats_ratio){1, 10}, 1, 2, &c));
  CU_ASSERT_FALSE(stats_change((struct stats_ratio){1, 10}, (struct stats_ratio){0, 10}, 1, 2, &c));
  CU_ASSERT_FALSE(stats_change((struct stats_ratio){1, 0}, (struct stats_ratio){1, 10}, 1, 2, &c));
  CU_ASSERT_EQUAL(c.ratio, -1);
}

/* A dip of 17 % in a market that dips 25 % is a gain of some 11 %. */
static void change_is_judged_relative_to_the_market(void)
{
  struct stats_change own, market;
  CU_ASSERT_TRUE(stats_change((struct stats_ratio){1000, 50000}, (struct stats_ratio){830, 50000},
                              1, STATS_Z95, &own));
  CU_ASSERT_TRUE(stats_change((struct stats_ratio){20000, 1000000},
                              (struct stats_ratio){15000, 1000000}, 1, STATS_Z95, &market));
  struct stats_change r = stats_change_relative(&own, &market, STATS_Z95);
  CU_ASSERT_TRUE(close_to(r.ratio, 0.83 / 0.75, 1e-12));
  double variance = 1.0 / 1000 + 1.0 / 830 + 1.0 / 20000 + 1.0 / 15000;
  CU_ASSERT_TRUE(close_to(r.se, sqrt(variance), 1e-12));
  CU_ASSERT_TRUE(r.low > 1 && r.p < 0.05);
  CU_ASSERT_TRUE(close_to(r.high / r.ratio, exp(STATS_Z95 * r.se), 1e-12));
}

/* --------------------------------------------------------------------------- shares */

static const struct stats_share views[] = {{420, 4000, 520, 4100}, {310, 3100, 300, 3000},
                                           {150, 1800, 190, 1750}, {90, 1100, 95, 1150},
                                           {60, 700, 80, 720},     {30, 300, 28, 310}};

static void share_shift_matches_the_vector(void)
{
  struct stats_share_change c;
  CU_ASSERT_TRUE(stats_share_shift(views, ARRAY_LEN(views), 0.05, &c));
  CU_ASSERT_TRUE(close_to(c.before, 0.09636364, 5e-9) && close_to(c.after, 0.10997280, 5e-9));
  CU_ASSERT_TRUE(close_to(100 * c.change, 1.360917, 5e-7));
  CU_ASSERT_TRUE(close_to(c.change / c.se, 2.255907, 5e-7));
  CU_ASSERT_TRUE(close_to(100 * c.low, -0.189833, 5e-7));
  CU_ASSERT_TRUE(close_to(100 * c.high, 2.911666, 5e-7));
  CU_ASSERT_TRUE(close_to(c.p, 0.0737288975, 5e-7)); /* SciPy: 2 t.sf(2.255907, 5) */
  CU_ASSERT_EQUAL(c.up, 4);
  CU_ASSERT_EQUAL(c.down, 1); /* the second dealer stays at exactly 10 % */
}

static void share_shift_of_dealers_that_move_alike_has_no_error(void)
{
  static const struct stats_share alike[] = {{10, 100, 20, 100}, {20, 200, 40, 200}};
  struct stats_share_change c;
  CU_ASSERT_TRUE(stats_share_shift(alike, 2, 0.05, &c));
  CU_ASSERT_TRUE(close_to(c.change, 0.1, 1e-15) && close_to(c.se, 0, 1e-15));
  CU_ASSERT_EQUAL(c.up, 2);
  CU_ASSERT_FALSE(stats_share_shift(alike, 1, 0.05, &c));
  static const struct stats_share empty[] = {{0, 0, 20, 100}, {0, 0, 40, 200}};
  CU_ASSERT_FALSE(stats_share_shift(empty, 2, 0.05, &c));
}

static void share_that_no_dealer_changes_is_neither_up_nor_down(void)
{
  struct stats_share same[] = {{1, 3, 2, 6}, {10, 70, 1, 7}, {0, 0, 5, 9}};
  struct stats_share_change c;
  CU_ASSERT_TRUE(stats_share_shift(same, 3, 0.05, &c));
  CU_ASSERT_EQUAL(c.up + c.down, 0); /* a dealer new in the second period has no direction */
}

/* --------------------------------------------------------------------------- trends */

static void mann_kendall_and_theil_sen_match_the_vector(void)
{
  static const double x[] = {9.6, 9.9, 9.7, 10.2, 10.4, 10.1, 10.9, 11.0};
  struct stats_mann_kendall m;
  double scratch[28], slope = 0;
  CU_ASSERT_TRUE(stats_mann_kendall(x, ARRAY_LEN(x), &m));
  CU_ASSERT_EQUAL(m.s, 22);
  CU_ASSERT_TRUE(close_to(m.variance, 65.333333, 5e-7) && close_to(m.z, 2.598076, 5e-7));
  CU_ASSERT_TRUE(close_to(m.p, 0.009375, 5e-7));
  CU_ASSERT_TRUE(stats_theil_sen(x, ARRAY_LEN(x), scratch, &slope));
  CU_ASSERT_TRUE(close_to(slope, 0.20, 1e-12));
}

/* [7 6 19 - 2 1 9 - 3 2 11] / 18, by hand. */
static void ties_reduce_the_variance_of_mann_kendall(void)
{
  static const double x[] = {1, 1, 2, 3, 3, 3, 5}, flat[] = {4, 4, 4, 4};
  struct stats_mann_kendall m;
  CU_ASSERT_TRUE(stats_mann_kendall(x, ARRAY_LEN(x), &m));
  CU_ASSERT_EQUAL(m.s, 17);
  CU_ASSERT_TRUE(close_to(m.variance, (798.0 - 18 - 66) / 18, 1e-12));
  CU_ASSERT_TRUE(stats_mann_kendall(flat, 4, &m));
  CU_ASSERT_EQUAL(m.variance, 0);
  CU_ASSERT_EQUAL(m.z, 0);
  CU_ASSERT_EQUAL(m.p, 1);
  CU_ASSERT_FALSE(stats_mann_kendall(x, 2, &m));
}

static void a_line_is_found_through_odd_weeks(void)
{
  unsigned seed = 22;
  for (int round = 0; round < 200; round++) {
    double x[20], scratch[190], slope = 0, a = rand_r(&seed) % 100 / 10.0 - 5;
    for (size_t i = 0; i < 20; i++)
      x[i] = 3 + a * (double)i;
    x[rand_r(&seed) % 20] += 1000; /* two outliers of 20 do not move the median */
    x[rand_r(&seed) % 20] -= 1000;
    CU_ASSERT_TRUE(stats_theil_sen(x, 20, scratch, &slope));
    CU_ASSERT_TRUE(close_to(slope, a, 1e-9));
  }
  double one = 1, slope = -7;
  CU_ASSERT_FALSE(stats_theil_sen(&one, 1, NULL, &slope));
  CU_ASSERT_EQUAL(slope, -7);
}

static void a_reversed_series_has_the_opposite_trend(void)
{
  unsigned seed = 23;
  for (int round = 0; round < 200; round++) {
    double x[12], back[12], scratch[66], up = 0, down = 0;
    struct stats_mann_kendall a, b;
    for (size_t i = 0; i < 12; i++)
      x[i] = back[11 - i] = rand_r(&seed) % 9;
    CU_ASSERT_TRUE(stats_mann_kendall(x, 12, &a) && stats_mann_kendall(back, 12, &b));
    CU_ASSERT_EQUAL(a.s, -b.s);
    CU_ASSERT_TRUE(close_to(a.p, b.p, 1e-15));
    CU_ASSERT_TRUE(stats_theil_sen(x, 12, scratch, &up));
    CU_ASSERT_TRUE(stats_theil_sen(back, 12, scratch, &down));
    CU_ASSERT_TRUE(close_to(up, -down, 1e-15));
  }
}

/* ----------------------------------------------------------------------------- days */

/* Eight weeks whose first weekday is the vector's and whose others are quiet. */
static void fill_weeks(double past[STATS_DAY_PAST])
{
  static const double same_weekday[] = {520, 548, 505, 530, 610, 541, 515, 533};
  for (size_t i = 0; i < STATS_DAY_PAST; i++)
    past[i] = i % 7 == 0 ? same_weekday[i / 7] : 400;
}

static void day_residual_matches_the_vector(void)
{
  double past[STATS_DAY_PAST], e = 0, z = 0;
  fill_weeks(past);
  CU_ASSERT_TRUE(stats_day_residual(past, 640, &e));
  CU_ASSERT_TRUE(close_to(e, 4.487875, 5e-7));
  CU_ASSERT_TRUE(stats_day_z(past, 640, &z)); /* quiet weeks: s is 1.3 */
  CU_ASSERT_TRUE(close_to(z, e / 1.3, 1e-12));
  CU_ASSERT_TRUE(stats_day_z(past, 531.5, &z));
  CU_ASSERT_TRUE(close_to(z, 0, 1e-12));
}

static void days_left_out_do_not_count_and_five_weeks_are_needed(void)
{
  double past[STATS_DAY_PAST], e = 0, z = -9;
  fill_weeks(past);
  past[4 * 7] = NAN; /* the 610 */
  CU_ASSERT_TRUE(stats_day_residual(past, 640, &e));
  CU_ASSERT_TRUE(close_to(e, 2 * (sqrt(640) - sqrt(530)), 1e-12));
  past[0] = past[7] = NAN;
  CU_ASSERT_TRUE(stats_day_residual(past, 640, &e));
  past[14] = NAN;
  CU_ASSERT_FALSE(stats_day_residual(past, 640, &e));
  CU_ASSERT_FALSE(stats_day_z(past, 640, &z));
  CU_ASSERT_EQUAL(z, -9);
}

/* Poisson counts by waiting times, no code shared with the room. */
static double poisson_draw(double mean, unsigned *seed)
{
  double t = 0;
  int n = -1;
  while (t < mean) {
    t -= log((rand_r(seed) + 1.0) / (RAND_MAX + 2.0));
    n++;
  }
  return n;
}

static void clean_days_hardly_alarm_and_a_bot_wave_does(void)
{
  unsigned seed = 24;
  int alarms = 0, found = 0;
  enum { ROUNDS = 2000 };
  for (int round = 0; round < ROUNDS; round++) {
    double past[STATS_DAY_PAST], z = 0;
    for (size_t i = 0; i < STATS_DAY_PAST; i++)
      past[i] = poisson_draw(i % 7 == 5 ? 50 : 100, &seed);
    CU_ASSERT_TRUE_FATAL(stats_day_z(past, poisson_draw(100, &seed), &z));
    alarms += fabs(z) > 4;
    CU_ASSERT_TRUE_FATAL(stats_day_z(past, poisson_draw(300, &seed), &z));
    found += z > 4;
  }
  CU_ASSERT_TRUE(alarms <= 2);
  CU_ASSERT_TRUE(found >= ROUNDS * 99 / 100);
}

TEST_MAIN("aggregate trend", TEST(change_of_two_periods_matches_the_vector),
          TEST(over_dispersed_change_takes_its_p_from_its_interval),
          TEST(change_without_events_is_unknown), TEST(change_is_judged_relative_to_the_market),
          TEST(share_shift_matches_the_vector),
          TEST(share_shift_of_dealers_that_move_alike_has_no_error),
          TEST(share_that_no_dealer_changes_is_neither_up_nor_down),
          TEST(mann_kendall_and_theil_sen_match_the_vector),
          TEST(ties_reduce_the_variance_of_mann_kendall), TEST(a_line_is_found_through_odd_weeks),
          TEST(a_reversed_series_has_the_opposite_trend), TEST(day_residual_matches_the_vector),
          TEST(days_left_out_do_not_count_and_five_weeks_are_needed),
          TEST(clean_days_hardly_alarm_and_a_bot_wave_does))
