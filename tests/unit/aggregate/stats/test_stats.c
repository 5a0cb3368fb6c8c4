/* Statistics against the vectors of the method and against straight formulas. */
#include <math.h>
#include <stdlib.h>

#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

/* Dealers A to H: lead events and sessions. */
static const struct stats_ratio dealers[] = {{248, 12400}, {147, 8650}, {117, 5320}, {62, 4110},
                                             {66, 2980},   {24, 1740},  {22, 960},   {4, 410}};

static bool near(double a, double b, double tolerance)
{
  return fabs(a - b) <= tolerance * fmax(1.0, fabs(b));
}

static void pooled_rate_is_the_ratio_of_sums(void)
{
  struct stats_ratio pool;
  double rate = 0;
  CU_ASSERT_TRUE_FATAL(stats_pool(dealers, ARRAY_LEN(dealers), &pool));
  CU_ASSERT_EQUAL(pool.numerator, 690);
  CU_ASSERT_EQUAL(pool.denominator, 36570);
  CU_ASSERT_TRUE(stats_ratio_value(pool, &rate));
  CU_ASSERT_TRUE(near(rate, 690.0 / 36570.0, 1e-15));
  CU_ASSERT_TRUE(near(rate, 0.01886792, 1e-8));
}

static void pooled_rate_differs_from_mean_and_median_of_rates(void)
{
  double rates[ARRAY_LEN(dealers)], mean = 0, median = 0;
  for (size_t i = 0; i < ARRAY_LEN(dealers); i++)
    CU_ASSERT_TRUE(stats_ratio_value(dealers[i], &rates[i]));
  CU_ASSERT_TRUE(stats_mean(rates, ARRAY_LEN(rates), &mean));
  CU_ASSERT_TRUE(near(mean, 0.01783567, 5e-9));
  stats_sort(rates, ARRAY_LEN(rates));
  CU_ASSERT_TRUE(stats_median(rates, ARRAY_LEN(rates), &median));
  CU_ASSERT_TRUE(near(median, 0.01849711, 5e-9));
}

static void leave_one_out_index_of_dealer_c(void)
{
  struct stats_ratio pool;
  double own = 0, others = 0, index = 0;
  CU_ASSERT_TRUE(stats_pool(dealers, ARRAY_LEN(dealers), &pool));
  struct stats_ratio rest = stats_leave_out(pool, dealers[2]);
  CU_ASSERT_EQUAL(rest.numerator, 573);
  CU_ASSERT_EQUAL(rest.denominator, 31250);
  CU_ASSERT_TRUE(stats_ratio_value(dealers[2], &own));
  CU_ASSERT_TRUE(stats_ratio_value(rest, &others));
  CU_ASSERT_TRUE(near(others, 0.018336, 1e-15));
  CU_ASSERT_TRUE(stats_index(own, others, &index));
  CU_ASSERT_TRUE(near(index, 119.9415, 5e-7));
  CU_ASSERT_TRUE(near(index, 100.0 * (117.0 / 5320.0) / (573.0 / 31250.0), 1e-14));
}

static void rate_without_denominator_is_unknown(void)
{
  double out = -1;
  CU_ASSERT_FALSE(stats_ratio_value((struct stats_ratio){0, 0}, &out));
  CU_ASSERT_FALSE(stats_ratio_value((struct stats_ratio){5, 0}, &out));
  CU_ASSERT_FALSE(stats_index(5, 0, &out));
  CU_ASSERT_FALSE(stats_mean(NULL, 0, &out));
  CU_ASSERT_FALSE(stats_median(NULL, 0, &out));
  CU_ASSERT_FALSE(stats_percentile(NULL, 0, 1, STATS_LARGEST_FIRST, &out));
  CU_ASSERT_EQUAL(out, -1);
}

static void quantile_type_7_matches_the_vectors(void)
{
  static const double x[] = {1.02, 1.31, 1.55, 1.62, 1.70, 1.77, 1.94, 2.20, 6.40};
  static const double p[] = {0.10, 0.25, 0.50, 0.75, 0.90};
  static const double expected[] = {1.252, 1.55, 1.70, 1.94, 3.04};
  double out = 0;
  for (size_t i = 0; i < ARRAY_LEN(p); i++) {
    CU_ASSERT_TRUE(stats_quantile(x, ARRAY_LEN(x), p[i], &out));
    CU_ASSERT_TRUE(near(out, expected[i], 1e-12));
  }
  static const double y[] = {10, 20, 30, 45};
  CU_ASSERT_TRUE(stats_quantile(y, 4, 0.25, &out) && near(out, 17.5, 1e-15));
  CU_ASSERT_TRUE(stats_quantile(y, 4, 0.50, &out) && near(out, 25, 1e-15));
  CU_ASSERT_TRUE(stats_quantile(y, 4, 0.75, &out) && near(out, 33.75, 1e-15));
  CU_ASSERT_TRUE(stats_quantile(y, 1, 1.0, &out) && out == 10);
  CU_ASSERT_FALSE(stats_quantile(y, 4, 1.5, &out));
  CU_ASSERT_TRUE(stats_mean(x, ARRAY_LEN(x), &out) && near(out, 2.167777777777778, 1e-14));
}

static void middle_mean_is_no_single_value(void)
{
  static const double five[] = {1.02, 1.31, 1.55, 1.62, 9.0};
  static const double six[] = {1, 2, 3, 4, 5, 60};
  double out = 0;
  CU_ASSERT_TRUE(stats_middle_mean(five, 5, &out));
  CU_ASSERT_TRUE(near(out, (1.31 + 1.55 + 1.62) / 3, 1e-14));
  CU_ASSERT_EQUAL(stats_round_significant(out, 3), 1.49);
  CU_ASSERT_TRUE(stats_middle_mean(six, 6, &out) && near(out, 3.5, 1e-15));
  CU_ASSERT_FALSE(stats_middle_mean(six, 3, &out));
}

static void percentile_is_the_mid_rank_among_the_others(void)
{
  static const double x[] = {1.02, 1.31, 1.55, 1.62, 1.70, 1.77, 1.94, 2.20};
  double out = 0;
  CU_ASSERT_TRUE(stats_percentile(x, ARRAY_LEN(x), 1.70, STATS_LARGEST_FIRST, &out));
  CU_ASSERT_EQUAL(out, 56.25);
  CU_ASSERT_TRUE(stats_percentile(x, ARRAY_LEN(x), 1.70, STATS_SMALLEST_FIRST, &out));
  CU_ASSERT_EQUAL(out, 43.75);
  CU_ASSERT_TRUE(stats_percentile(x, ARRAY_LEN(x), 9, STATS_LARGEST_FIRST, &out) && out == 100);
  CU_ASSERT_TRUE(stats_percentile(x, ARRAY_LEN(x), 9, STATS_SMALLEST_FIRST, &out) && out == 0);
}

static void equal_values_share_a_rank_and_skip_the_next(void)
{
  static const double x[] = {30, 20, 20, 10};
  CU_ASSERT_EQUAL(stats_rank(x, 4, 30, STATS_LARGEST_FIRST), 1);
  CU_ASSERT_EQUAL(stats_rank(x, 4, 20, STATS_LARGEST_FIRST), 2);
  CU_ASSERT_EQUAL(stats_rank(x, 4, 10, STATS_LARGEST_FIRST), 4);
  CU_ASSERT_EQUAL(stats_rank(x, 4, 10, STATS_SMALLEST_FIRST), 1);
  CU_ASSERT_EQUAL(stats_rank(x, 4, 20, STATS_SMALLEST_FIRST), 2);
  CU_ASSERT_EQUAL(stats_rank(x, 4, 30, STATS_SMALLEST_FIRST), 4);
}

static void compensated_sum_keeps_what_plain_addition_loses(void)
{
  struct stats_sum s = {0, 0};
  static const double x[] = {1.0, 1e100, 1.0, -1e100};
  for (size_t i = 0; i < ARRAY_LEN(x); i++)
    stats_sum_add(&s, x[i]);
  CU_ASSERT_EQUAL(stats_sum_value(&s), 2.0);
  struct stats_sum tenth = {0, 0};
  for (int i = 0; i < 1000000; i++)
    stats_sum_add(&tenth, 0.1);
  CU_ASSERT_TRUE(near(stats_sum_value(&tenth), 100000.0, 1e-15));
}

static void counts_refuse_overflow_and_what_is_no_count(void)
{
  int64_t total = INT64_MAX - 1, count = -1;
  CU_ASSERT_TRUE(stats_count_add(&total, 1));
  CU_ASSERT_FALSE(stats_count_add(&total, 1));
  CU_ASSERT_EQUAL(total, INT64_MAX);
  CU_ASSERT_FALSE(stats_count_add(&total, -1));
  static const double bad[] = {-1, 0.5, NAN, INFINITY, 9007199254740994.0};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++)
    CU_ASSERT_FALSE(stats_count_from_double(bad[i], &count));
  CU_ASSERT_EQUAL(count, -1);
  CU_ASSERT_TRUE(stats_count_from_double(9007199254740992.0, &count));
  CU_ASSERT_EQUAL(count, INT64_C(9007199254740992));
  struct stats_ratio parts[2] = {{INT64_MAX, 1}, {1, 1}}, pool;
  CU_ASSERT_FALSE(stats_pool(parts, 2, &pool));
}

static void rounding_keeps_significant_digits(void)
{
  CU_ASSERT_EQUAL(stats_round_significant(0.018336, 3), 0.0183);
  CU_ASSERT_EQUAL(stats_round_significant(0.58449, 3), 0.584);
  CU_ASSERT_EQUAL(stats_round_significant(1234.5, 2), 1200);
  CU_ASSERT_EQUAL(stats_round_significant(0, 3), 0);
  CU_ASSERT_TRUE(isnan(stats_round_significant(NAN, 3)));
}

/* Random dealers: pool, leave-one-out, quantiles and ranks against direct formulas. */
static void random_vectors_agree_with_direct_formulas(void)
{
  unsigned seed = 4711;
  for (int round = 0; round < 200; round++) {
    struct stats_ratio parts[40], pool;
    double rates[40], sorted[40], out;
    size_t n = 1 + (size_t)(rand_r(&seed) % 40);
    int64_t events = 0, sessions = 0;
    for (size_t i = 0; i < n; i++) {
      parts[i].denominator = 1 + rand_r(&seed) % 100000;
      parts[i].numerator = rand_r(&seed) % (parts[i].denominator + 1);
      events += parts[i].numerator;
      sessions += parts[i].denominator;
      rates[i] = sorted[i] = (double)parts[i].numerator / (double)parts[i].denominator;
    }
    CU_ASSERT_TRUE(stats_pool(parts, n, &pool));
    CU_ASSERT_TRUE(pool.numerator == events && pool.denominator == sessions);
    stats_sort(sorted, n);
    for (size_t i = 0; i < n; i++) {
      size_t above = 0, below = 0;
      for (size_t j = 0; j < n; j++) {
        above += rates[j] > rates[i];
        below += rates[j] < rates[i];
      }
      CU_ASSERT_EQUAL(stats_rank(rates, n, rates[i], STATS_LARGEST_FIRST), above + 1);
      CU_ASSERT_EQUAL(stats_rank(rates, n, rates[i], STATS_SMALLEST_FIRST), below + 1);
    }
    CU_ASSERT_TRUE(stats_median(sorted, n, &out));
    double direct = n % 2 == 1 ? sorted[n / 2] : (sorted[n / 2 - 1] + sorted[n / 2]) / 2;
    CU_ASSERT_TRUE(near(out, direct, 1e-14));
  }
}

/* Sizes on both sides of where the way of sorting changes, with values that come more than once. */
static void values_of_any_number_are_sorted(void)
{
  unsigned seed = 815;
  for (size_t n = 0; n <= 140; n++) {
    double x[140], counted[50] = {0};
    for (size_t i = 0; i < n; i++) {
      x[i] = (double)(rand_r(&seed) % 50);
      counted[(size_t)x[i]]++;
    }
    stats_sort(x, n);
    for (size_t i = 0; i < n; i++) {
      CU_ASSERT_TRUE(i == 0 || x[i - 1] <= x[i]);
      counted[(size_t)x[i]]--;
    }
    for (size_t k = 0; k < ARRAY_LEN(counted); k++)
      CU_ASSERT_EQUAL(counted[k], 0);
  }
}

TEST_MAIN("aggregate stats", TEST(values_of_any_number_are_sorted), TEST(pooled_rate_is_the_ratio_of_sums),
          TEST(pooled_rate_differs_from_mean_and_median_of_rates),
          TEST(leave_one_out_index_of_dealer_c), TEST(rate_without_denominator_is_unknown),
          TEST(quantile_type_7_matches_the_vectors), TEST(middle_mean_is_no_single_value),
          TEST(percentile_is_the_mid_rank_among_the_others),
          TEST(equal_values_share_a_rank_and_skip_the_next),
          TEST(compensated_sum_keeps_what_plain_addition_loses),
          TEST(counts_refuse_overflow_and_what_is_no_count),
          TEST(rounding_keeps_significant_digits), TEST(random_vectors_agree_with_direct_formulas))
