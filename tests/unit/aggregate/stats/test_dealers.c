/* Dealers against each other: intervals of an index, dispersion, funnel, shrinkage, mix. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { N = 8 };
/* Dealers A to H: lead events and sessions. */
static const struct stats_ratio dealers[N] = {{248, 12400}, {147, 8650}, {117, 5320}, {62, 4110},
                                              {66, 2980},   {24, 1740},  {22, 960},   {4, 410}};
static const struct stats_ratio others_of_c = {573, 31250};

static bool close_to(double a, double b, double tolerance)
{
  return fabs(a - b) <= tolerance;
}

/* ------------------------------------------------------------ interval of the index */

static void index_interval_matches_the_vectors(void)
{
  struct stats_index_interval x;
  CU_ASSERT_TRUE(stats_index_interval(dealers[2], others_of_c, STATS_POISSON, 1, 1, STATS_Z95, &x));
  CU_ASSERT_TRUE(close_to(x.index, 119.9415, 5e-5));
  CU_ASSERT_TRUE(close_to(x.se, 0.101451, 5e-7));
  CU_ASSERT_TRUE(close_to(x.low, 98.3139, 5e-5) && close_to(x.high, 146.3270, 5e-5));
  CU_ASSERT_TRUE(
      stats_index_interval(dealers[2], others_of_c, STATS_BINOMIAL, 1, 1, STATS_Z95, &x));
  CU_ASSERT_TRUE(close_to(x.se, 0.100361, 5e-7));
  CU_ASSERT_TRUE(close_to(x.low, 98.5241, 5e-5) && close_to(x.high, 146.0147, 5e-5));
}

static void index_interval_and_its_p_never_contradict(void)
{
  unsigned seed = 11;
  for (int round = 0; round < 5000; round++) {
    struct stats_ratio own = {1 + rand_r(&seed) % 300, 301 + rand_r(&seed) % 20000};
    struct stats_ratio others = {1 + rand_r(&seed) % 3000, 3001 + rand_r(&seed) % 200000};
    enum stats_model model = round % 2 == 0 ? STATS_POISSON : STATS_BINOMIAL;
    double phi = 1 + rand_r(&seed) % 100 / 50.0;
    struct stats_index_interval x;
    CU_ASSERT_TRUE_FATAL(stats_index_interval(own, others, model, phi, phi, STATS_Z95, &x));
    CU_ASSERT_TRUE(x.low <= x.index && x.index <= x.high);
    bool excludes = x.low > 100 || x.high < 100;
    CU_ASSERT_TRUE(excludes == (x.p < 0.05) || close_to(x.p, 0.05, 1e-9));
  }
}

static void over_dispersion_widens_the_interval_by_its_root(void)
{
  struct stats_index_interval plain, wide;
  stats_index_interval(dealers[2], others_of_c, STATS_POISSON, 1, 1, STATS_Z95, &plain);
  stats_index_interval(dealers[2], others_of_c, STATS_POISSON, 1.6, 1.6, STATS_Z95, &wide);
  CU_ASSERT_TRUE(close_to(wide.se / plain.se, sqrt(1.6), 1e-12));
  CU_ASSERT_EQUAL(wide.index, plain.index);
}

static void without_events_there_is_no_index_interval(void)
{
  struct stats_index_interval x = {.index = -1};
  struct stats_ratio none = {0, 100}, empty = {0, 0}, more = {200, 100};
  CU_ASSERT_FALSE(stats_index_interval(none, others_of_c, STATS_POISSON, 1, 1, STATS_Z95, &x));
  CU_ASSERT_FALSE(stats_index_interval(dealers[2], none, STATS_POISSON, 1, 1, STATS_Z95, &x));
  CU_ASSERT_FALSE(stats_index_interval(empty, others_of_c, STATS_POISSON, 1, 1, STATS_Z95, &x));
  CU_ASSERT_FALSE(stats_index_interval(more, others_of_c, STATS_BINOMIAL, 1, 1, STATS_Z95, &x));
  CU_ASSERT_EQUAL(x.index, -1);
  CU_ASSERT_TRUE(stats_index_interval(more, others_of_c, STATS_POISSON, 1, 1, STATS_Z95, &x));
}

static void peers_as_a_sample_of_dealers(void)
{
  double y[N - 1], n[N - 1], t = 0;
  size_t k = 0;
  for (size_t i = 0; i < N; i++) {
    if (i == 2)
      continue;
    y[k] = (double)dealers[i].numerator;
    n[k++] = (double)dealers[i].denominator;
  }
  struct stats_clustered b;
  CU_ASSERT_TRUE(stats_clustered_ratio(y, n, k, &b));
  CU_ASSERT_TRUE(close_to(b.value, 0.018336, 1e-12));
  CU_ASSERT_TRUE(close_to(b.se * b.se, 1.149491e-06, 5e-13));
  CU_ASSERT_TRUE(close_to(b.se, 0.00107214, 5e-9));
  CU_ASSERT_EQUAL(b.df, 6);
  double se = hypot(b.se / b.value, sqrt(1.0 / 117));
  CU_ASSERT_TRUE(close_to(se, 0.109389, 5e-7));
  CU_ASSERT_TRUE(stats_t_limit(0.05, b.df, &t));
  CU_ASSERT_TRUE(close_to(119.9415 * exp(-t * se), 91.7749, 1e-4));
  CU_ASSERT_TRUE(close_to(119.9415 * exp(t * se), 156.7528, 1e-4));
  CU_ASSERT_TRUE(close_to(119.9415 * exp(-STATS_Z95 * se), 96.7960, 1e-4));
}

static void mean_of_unknown_variance_from_its_days(void)
{
  static const double x[] = {70200, 68900, 71500, 66400, 83000, 51000, 39900,
                             72600, 70100, 69000, 67800, 84100, 52500, 41000};
  static const double n[] = {610, 590, 625, 570, 660, 430, 335, 630, 602, 598, 580, 671, 441, 344};
  struct stats_clustered r;
  double t = 0;
  CU_ASSERT_TRUE(stats_clustered_ratio(x, n, ARRAY_LEN(x), &r));
  CU_ASSERT_TRUE(close_to(r.value, 118.136872, 5e-7) && close_to(r.se, 1.106095, 5e-7));
  CU_ASSERT_TRUE(stats_t_limit(0.05, r.df, &t));
  CU_ASSERT_TRUE(close_to(r.value - t * r.se, 115.7473, 5e-5));
  CU_ASSERT_TRUE(close_to(r.value + t * r.se, 120.5264, 5e-5));
  CU_ASSERT_FALSE(stats_clustered_ratio(x, n, 1, &r));
  static const double zeros[] = {0, 0};
  CU_ASSERT_FALSE(stats_clustered_ratio(x, zeros, 2, &r));
}

static void dispersion_of_daily_rows_matches_the_vector(void)
{
  static const struct stats_ratio days[] = {{5, 190}, {3, 180}, {9, 200}, {4, 185},
                                            {2, 170}, {0, 120}, {6, 155}, {0, 0}};
  struct stats_dispersion d = {0, 0};
  stats_dispersion_add(&d, days, ARRAY_LEN(days),
                       STATS_POISSON); /* the day without sessions does not count */
  CU_ASSERT_EQUAL(d.df, 6);
  CU_ASSERT_TRUE(close_to(stats_dispersion_phi(&d), 1.57254881, 5e-9));
  stats_dispersion_add(&d, days, ARRAY_LEN(days),
                       STATS_POISSON); /* pooled over two dealers alike */
  CU_ASSERT_EQUAL(d.df, 12);
  CU_ASSERT_TRUE(close_to(stats_dispersion_phi(&d), 1.57254881, 5e-9));
}

static void dispersion_is_never_below_one(void)
{
  static const struct stats_ratio even[] = {{5, 100}, {5, 100}, {5, 100}};
  static const struct stats_ratio none[] = {{0, 100}, {0, 100}};
  struct stats_dispersion d = {0, 0};
  CU_ASSERT_EQUAL(stats_dispersion_phi(&d), 1);
  stats_dispersion_add(&d, none, 2, STATS_POISSON);
  stats_dispersion_add(&d, even, 1, STATS_POISSON);
  CU_ASSERT_EQUAL(d.df, 0);
  stats_dispersion_add(&d, even, 3, STATS_POISSON);
  CU_ASSERT_EQUAL(d.df, 2);
  CU_ASSERT_EQUAL(stats_dispersion_phi(&d), 1);
}

/* --------------------------------------------------------------------------- funnel */

static void expected_counts(double *observed, double *expected)
{
  struct stats_ratio pool;
  stats_pool(dealers, N, &pool);
  for (size_t i = 0; i < N; i++) {
    observed[i] = (double)dealers[i].numerator;
    expected[i] =
        (double)dealers[i].denominator * (double)pool.numerator / (double)pool.denominator;
  }
}

static void funnel_matches_the_vector(void)
{
  static const double z[N] = {0.431992, -0.710230, 1.019119, -1.279936,
                              0.929265, -1.368260, 0.773504, -1.481994};
  double o[N], e[N], z_d[N], scratch[N];
  struct stats_funnel f;
  expected_counts(o, e);
  CU_ASSERT_TRUE(close_to(e[0], 233.962264, 5e-7) && close_to(e[7], 7.735849, 5e-7));
  CU_ASSERT_TRUE(stats_funnel(o, e, N, 0, z_d, scratch, &f));
  CU_ASSERT_TRUE(close_to(f.low, -1.722345, 5e-7) && close_to(f.high, 1.354537, 5e-7));
  CU_ASSERT_TRUE(close_to(f.phi, 1.854655, 5e-7));
  CU_ASSERT_TRUE(close_to(f.tau2, 0.00361469, 5e-9));
  for (size_t i = 0; i < N; i++)
    CU_ASSERT_TRUE(close_to(z_d[i], z[i], 1e-6));
}

static void funnel_limits_match_the_vector(void)
{
  double low, high;
  stats_funnel_limits(50, 0.00361469, STATS_Z95, &low, &high);
  CU_ASSERT_TRUE(close_to(100 * low, 66.93, 5e-3) && close_to(100 * high, 139.69, 5e-3));
  stats_funnel_limits(50, 0.00361469, STATS_Z998, &low, &high);
  CU_ASSERT_TRUE(close_to(100 * low, 50.86, 5e-3) && close_to(100 * high, 165.59, 5e-3));
  stats_funnel_limits(0.1, 0, STATS_Z998, &low, &high);
  CU_ASSERT_EQUAL(low, 0);
}

static void few_dealers_get_only_the_floor_of_tau(void)
{
  double o[N], e[N], z_d[N], scratch[N];
  struct stats_funnel f;
  expected_counts(o, e);
  CU_ASSERT_TRUE(stats_funnel(o, e, 4, 0, z_d, scratch, &f));
  CU_ASSERT_EQUAL(f.tau2, 0);
  CU_ASSERT_TRUE(stats_funnel(o, e, N, 0.10, z_d, scratch, &f));
  CU_ASSERT_TRUE(close_to(f.tau2, 0.01, 1e-15));
  e[3] = 0;
  CU_ASSERT_FALSE(stats_funnel(o, e, N, 0, z_d, scratch, &f));
  CU_ASSERT_FALSE(stats_funnel(o, e, 0, 0, z_d, scratch, &f));
}

/* ------------------------------------------------------------------------ shrinkage */

static void shrunk_rates_match_the_vector(void)
{
  static const double shrunk[N] = {0.019666, 0.017698, 0.020448, 0.017198,
                                   0.020063, 0.017595, 0.019499, 0.018202};
  double rates[N];
  struct stats_shrinkage s;
  CU_ASSERT_TRUE(stats_shrink(dealers, N, rates, &s));
  CU_ASSERT_TRUE(close_to(s.mean, 690.0 / 36570.0, 1e-15));
  CU_ASSERT_TRUE(close_to(s.variance, 3.62891935e-06, 5e-15));
  for (size_t i = 0; i < N; i++)
    CU_ASSERT_TRUE(close_to(rates[i], shrunk[i], 5e-7));
  CU_ASSERT_EQUAL(stats_rank(rates, N, rates[2], STATS_LARGEST_FIRST), 1); /* C, not small G */
  CU_ASSERT_EQUAL(stats_rank(rates, N, rates[6], STATS_LARGEST_FIRST), 4);
}

static void shrunk_rates_lie_between_the_own_and_the_pool(void)
{
  unsigned seed = 12;
  for (int round = 0; round < 500; round++) {
    struct stats_ratio parts[20];
    double rates[20], r;
    size_t n = 2 + (size_t)rand_r(&seed) % 19;
    struct stats_shrinkage s;
    for (size_t i = 0; i < n; i++) {
      parts[i].denominator = rand_r(&seed) % 8 == 0 ? 0 : 1 + rand_r(&seed) % 5000;
      parts[i].numerator = parts[i].denominator == 0 ? 0 : rand_r(&seed) % 200;
    }
    parts[0] = (struct stats_ratio){10, 1000};
    CU_ASSERT_TRUE_FATAL(stats_shrink(parts, n, rates, &s));
    for (size_t i = 0; i < n; i++) {
      if (!stats_ratio_value(parts[i], &r))
        r = s.mean;
      CU_ASSERT_TRUE(rates[i] >= fmin(r, s.mean) - 1e-15 && rates[i] <= fmax(r, s.mean) + 1e-15);
    }
  }
}

static void dealers_without_sessions_do_not_change_the_shrinkage(void)
{
  struct stats_ratio more[N + 2] = {{0, 0}};
  double rates[N], with[N + 2];
  struct stats_shrinkage a, b;
  memcpy(more, dealers, sizeof(dealers));
  CU_ASSERT_TRUE(stats_shrink(dealers, N, rates, &a) && stats_shrink(more, N + 2, with, &b));
  CU_ASSERT_TRUE(close_to(a.variance, b.variance, 1e-20));
  CU_ASSERT_TRUE(close_to(rates[3], with[3], 1e-15));
  CU_ASSERT_EQUAL(with[N], b.mean);
}

static void like_dealers_shrink_to_the_pool(void)
{
  static const struct stats_ratio alike[] = {{20, 1000}, {40, 2000}, {60, 3000}};
  double rates[3];
  struct stats_shrinkage s;
  CU_ASSERT_TRUE(stats_shrink(alike, 3, rates, &s));
  CU_ASSERT_EQUAL(s.variance, 0);
  for (size_t i = 0; i < 3; i++)
    CU_ASSERT_EQUAL(rates[i], s.mean);
  static const struct stats_ratio none[] = {{0, 0}};
  CU_ASSERT_FALSE(stats_shrink(none, 1, rates, &s));
}

static void shrunk_ratios_of_the_landing_pages(void)
{
  static const double o[] = {3, 41, 8, 0, 19}, e[] = {9.6, 25.2, 7.1, 4.2, 18};
  static const double expected[] = {0.547945, 1.523179, 1.074380, 0.543478, 1.043478};
  for (size_t i = 0; i < ARRAY_LEN(o); i++)
    CU_ASSERT_TRUE(close_to(stats_shrunk_ratio(o[i], e[i], 5), expected[i], 5e-7));
}

/* ------------------------------------------------------------------------------ mix */

/* Paid search, organic, direct, paid social, referral. */
static const struct stats_cell cells[] = {{{52, 2600}, {119, 7000}},
                                          {{35, 1400}, {276, 11500}},
                                          {{17, 700}, {137, 7200}},
                                          {{2, 500}, {17, 4300}},
                                          {{5, 120}, {24, 1250}}};

static void standardisation_matches_the_vector(void)
{
  struct stats_standardised s;
  CU_ASSERT_TRUE(stats_standardise(cells, ARRAY_LEN(cells), STATS_Z95, &s));
  CU_ASSERT_EQUAL(s.observed, 111);
  CU_ASSERT_EQUAL(s.fallback_cells, 0);
  CU_ASSERT_TRUE(close_to(s.expected, 95.400189, 5e-7));
  CU_ASSERT_TRUE(close_to(s.index, 116.3520, 5e-5));
  CU_ASSERT_TRUE(close_to(s.low, 95.7142, 5e-5) && close_to(s.high, 140.1189, 5e-5));
  CU_ASSERT_TRUE(close_to(s.se, 0.107024, 5e-7));
  CU_ASSERT_TRUE(close_to(s.index * exp(-STATS_Z95 * s.se), 94.3354, 5e-5));
  CU_ASSERT_TRUE(close_to(s.index * exp(STATS_Z95 * s.se), 143.5069, 5e-5));
  CU_ASSERT_TRUE(close_to(s.adjusted_rate, 0.02133430, 5e-9));
}

static void small_cells_of_the_peers_take_their_overall_rate(void)
{
  static const struct stats_cell small[] = {
      {{10, 500}, {100, 10000}}, {{1, 50}, {4, 400}}, {{1, 40}, {20, 49}}, {{0, 0}, {0, 3}}};
  struct stats_standardised s;
  CU_ASSERT_TRUE(stats_standardise(small, ARRAY_LEN(small), STATS_Z95, &s));
  double overall = 124.0 / 10452;
  CU_ASSERT_EQUAL(s.fallback_cells, 2);
  CU_ASSERT_TRUE(close_to(s.expected, 5 + 90 * overall, 1e-12));
  static const struct stats_cell no_peers[] = {{{10, 500}, {0, 0}}};
  CU_ASSERT_FALSE(stats_standardise(no_peers, 1, STATS_Z95, &s));
}

static void kitagawa_matches_the_vector(void)
{
  static const double mix[] = {0.004897, -0.002569, -0.002140, -0.000173, -0.000531};
  static const double rate[] = {0.001069, 0.000316, 0.000952, 0.000005, 0.000703};
  struct stats_gap_part parts[5];
  struct stats_gap g;
  double centred = 0;
  CU_ASSERT_TRUE(stats_kitagawa(cells, 5, parts, &g));
  CU_ASSERT_TRUE(close_to(g.gap, 0.00252866, 5e-9));
  CU_ASSERT_TRUE(close_to(g.mix, -0.00051573, 5e-9) && close_to(g.rate, 0.00304440, 5e-9));
  for (size_t i = 0; i < 5; i++) {
    CU_ASSERT_TRUE(close_to(parts[i].mix, mix[i], 5.1e-7));
    CU_ASSERT_TRUE(close_to(parts[i].rate, rate[i], 5.1e-7));
    centred += parts[i].mix_centred;
  }
  CU_ASSERT_TRUE(close_to(centred, g.mix, 1e-15));
}

static void mix_and_rate_add_up_to_the_gap(void)
{
  unsigned seed = 13;
  for (int round = 0; round < 2000; round++) {
    struct stats_cell c[6];
    struct stats_gap g;
    size_t n = 1 + (size_t)rand_r(&seed) % 6;
    for (size_t i = 0; i < n; i++) {
      c[i].own.denominator = rand_r(&seed) % 4 == 0 ? 0 : 1 + rand_r(&seed) % 3000;
      c[i].peers.denominator = rand_r(&seed) % 4 == 0 ? 0 : 1 + rand_r(&seed) % 30000;
      c[i].own.numerator = c[i].own.denominator == 0 ? 0 : rand_r(&seed) % 90;
      c[i].peers.numerator = c[i].peers.denominator == 0 ? 0 : rand_r(&seed) % 900;
    }
    if (stats_kitagawa(c, n, NULL, &g))
      CU_ASSERT_TRUE(close_to(g.mix + g.rate, g.gap, 1e-12 * fmax(1, fabs(g.mix))));
  }
}

static void a_cell_that_one_side_lacks_counts_as_mix(void)
{
  static const struct stats_cell c[] = {{{20, 1000}, {20, 1000}}, {{0, 0}, {50, 1000}}};
  struct stats_gap_part parts[2];
  struct stats_gap g;
  CU_ASSERT_TRUE(stats_kitagawa(c, 2, parts, &g));
  CU_ASSERT_EQUAL(g.rate, 0);
  CU_ASSERT_TRUE(close_to(g.mix, 0.02 - 0.035, 1e-15));
}

/* --------------------------------------------------------------------------- robust */

static void mad_and_modified_z_match_the_vector(void)
{
  static const double x[] = {1.02, 1.31, 1.55, 1.62, 1.70, 1.77, 1.94, 2.20, 6.40};
  static const double z[] = {-1.911054, -1.096046, -0.421556, -0.224830, 0,
                             0.196726,  0.674490,  1.405187,  13.208758};
  double scratch[ARRAY_LEN(x)], mad = 0, got = 0;
  CU_ASSERT_TRUE(stats_mad(x, ARRAY_LEN(x), scratch, &mad));
  CU_ASSERT_TRUE(close_to(mad, 0.24, 1e-12));
  CU_ASSERT_TRUE(close_to(STATS_MAD_TO_SD * mad, 0.355824, 1e-12));
  for (size_t i = 0; i < ARRAY_LEN(x); i++) {
    CU_ASSERT_TRUE(stats_modified_z(x[i], 1.70, mad, &got));
    CU_ASSERT_TRUE(close_to(got, z[i], 1e-6));
  }
  CU_ASSERT_FALSE(stats_modified_z(1, 1, 0, &got));
  CU_ASSERT_FALSE(stats_mad(x, 0, scratch, &mad));
}

TEST_MAIN("aggregate dealers", TEST(index_interval_matches_the_vectors),
          TEST(index_interval_and_its_p_never_contradict),
          TEST(over_dispersion_widens_the_interval_by_its_root),
          TEST(without_events_there_is_no_index_interval), TEST(peers_as_a_sample_of_dealers),
          TEST(mean_of_unknown_variance_from_its_days),
          TEST(dispersion_of_daily_rows_matches_the_vector), TEST(dispersion_is_never_below_one),
          TEST(funnel_matches_the_vector), TEST(funnel_limits_match_the_vector),
          TEST(few_dealers_get_only_the_floor_of_tau), TEST(shrunk_rates_match_the_vector),
          TEST(shrunk_rates_lie_between_the_own_and_the_pool),
          TEST(dealers_without_sessions_do_not_change_the_shrinkage),
          TEST(like_dealers_shrink_to_the_pool), TEST(shrunk_ratios_of_the_landing_pages),
          TEST(standardisation_matches_the_vector),
          TEST(small_cells_of_the_peers_take_their_overall_rate), TEST(kitagawa_matches_the_vector),
          TEST(mix_and_rate_add_up_to_the_gap), TEST(a_cell_that_one_side_lacks_counts_as_mix),
          TEST(mad_and_modified_z_match_the_vector))
