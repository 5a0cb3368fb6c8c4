/* Distributions, exact probabilities, intervals and many tests at once, against SciPy (norm,
 * t, poisson, binom, binomtest, chi2) and the vectors of the method. */
#include <math.h>
#include <stdlib.h>

#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

/* Relative error. */
static bool near(double a, double b, double tolerance)
{
  return fabs(a - b) <= tolerance * fmax(fabs(b), 1e-300);
}

static void normal_p_agrees_with_the_reference(void)
{
  static const double cases[][2] = {{0, 1},
                                    {0.5, 0.6170750774519738},
                                    {-1.96, 0.04999579029644087},
                                    {2.598076211353316, 0.009374768459434876},
                                    {5, 5.733031437583866e-07},
                                    {-10, 1.523970604832094e-23}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++)
    CU_ASSERT_TRUE(near(stats_normal_p(cases[i][0]), cases[i][1], 1e-12));
  CU_ASSERT_TRUE(near(stats_normal_p(STATS_Z95), 0.05, 1e-12));
  CU_ASSERT_TRUE(near(stats_normal_p(STATS_Z998), 0.002, 1e-12));
}

static void t_p_and_limit_agree_with_the_reference(void)
{
  static const struct {
    int64_t df;
    double t95, t99, t80;
  } limits[] = {{1, 12.706204736174694, 63.656741162871526, 3.0776835371752544},
                {2, 4.302652729749462, 9.924843200918287, 1.8856180831641272},
                {3, 3.1824463052837078, 5.840909309733355, 1.637744353696209},
                {5, 2.5705818356363146, 4.032142983555228, 1.4758840488244815},
                {6, 2.4469118511449786, 3.7074280213248065, 1.4397557472651483},
                {13, 2.1603686564627913, 3.012275838716578, 1.3501712887800552},
                {30, 2.0422724563012378, 2.7499956535672254, 1.3104150253913955},
                {100, 1.9839715185235518, 2.6258905214380173, 1.290074761346516},
                {1000, 1.9623390808264083, 2.580754698065951, 1.2823987214609247}};
  static const struct {
    double t, p;
    int64_t df;
  } tails[] = {{1, 0.5, 1},
               {2.255907, 0.0737288975242032, 5},
               {-3, 0.09546596626670913, 2},
               {0.5, 0.6207230048851272, 30},
               {4, 0.0015120793588119755, 13}};
  double t = 0;
  for (size_t i = 0; i < ARRAY_LEN(limits); i++) {
    CU_ASSERT_TRUE(stats_t_limit(0.05, limits[i].df, &t) && near(t, limits[i].t95, 1e-10));
    CU_ASSERT_TRUE(stats_t_limit(0.01, limits[i].df, &t) && near(t, limits[i].t99, 1e-10));
    CU_ASSERT_TRUE(stats_t_limit(0.20, limits[i].df, &t) && near(t, limits[i].t80, 1e-10));
    CU_ASSERT_TRUE(near(stats_t_p(t, limits[i].df), 0.20, 1e-10));
  }
  for (size_t i = 0; i < ARRAY_LEN(tails); i++)
    CU_ASSERT_TRUE(near(stats_t_p(tails[i].t, tails[i].df), tails[i].p, 1e-10));
  CU_ASSERT_TRUE(stats_t_limit(0.05, 1000000, &t) && fabs(t - STATS_Z95) < 3e-4);
  CU_ASSERT_FALSE(stats_t_limit(0.05, 0, &t));
  CU_ASSERT_FALSE(stats_t_limit(0, 5, &t));
  CU_ASSERT_FALSE(stats_t_limit(1, 5, &t));
  CU_ASSERT_EQUAL(stats_t_p(3, 0), 1);
}

static void poisson_tails_agree_with_the_reference(void)
{
  static const struct {
    int64_t k;
    double mean, p;
  } below[] = {{0, 3, 0.04978706836786395},
               {4, 9.6, 0.03779469391548583},
               {41, 25.2, 0.9986398241121405},
               {500, 480, 0.825544597692806},
               {100000, 100300, 0.17216882090954314}},
    above[] = {{0, 3, 1},
               {4, 9.6, 0.9861741266477031},
               {41, 25.2, 0.00233465448102649},
               {500, 480, 0.18628197319032458},
               {100000, 99700, 0.17141731451450296},
               {60, 10, 6.521903327818604e-27}};
  for (size_t i = 0; i < ARRAY_LEN(below); i++)
    CU_ASSERT_TRUE(near(stats_poisson_below(below[i].k, below[i].mean), below[i].p, 1e-10));
  for (size_t i = 0; i < ARRAY_LEN(above); i++)
    CU_ASSERT_TRUE(near(stats_poisson_above(above[i].k, above[i].mean), above[i].p, 1e-10));
  CU_ASSERT_EQUAL(stats_poisson_below(-1, 5), 0);
  CU_ASSERT_EQUAL(stats_poisson_below(0, 0), 1);
  CU_ASSERT_EQUAL(stats_poisson_above(1, 0), 0);
}

static void poisson_p_of_the_landing_pages(void)
{
  static const struct {
    int64_t observed;
    double expected, p;
  } cases[] = {{3, 9.6, 0.02765174670459391},        {41, 25.2, 0.00466930896205298},
               {8, 7.1, 0.8323658412656022},         {0, 4.2, 0.029991153640955413},
               {19, 18, 0.8755100279119263},         {0, 0.001, 1},
               {100000, 100700, 0.02735984052415797}};
  double p[ARRAY_LEN(cases)];
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    p[i] = stats_poisson_p(cases[i].observed, cases[i].expected);
    CU_ASSERT_TRUE(near(p[i], cases[i].p, 1e-9));
  }
  static const double q[] = {0.04998526, 0.02334654, 0.87551003, 0.04998526, 0.87551003};
  double got[5];
  size_t order[5];
  stats_benjamini_hochberg(p, 5, got, order);
  for (size_t i = 0; i < 5; i++)
    CU_ASSERT_TRUE(fabs(got[i] - q[i]) < 1e-8);
}

static void binomial_p_agrees_with_the_reference(void)
{
  CU_ASSERT_TRUE(near(stats_binomial_p(96, 213, 5190.0 / 10510.0), 0.2177641390332175, 1e-9));
  CU_ASSERT_TRUE(near(stats_binomial_p(0, 10, 0.5), 0.001953125, 1e-12));
  CU_ASSERT_TRUE(near(stats_binomial_p(10, 10, 0.5), 0.001953125, 1e-12));
  CU_ASSERT_TRUE(near(stats_binomial_p(3, 20, 0.1), 0.4446498494011033, 1e-10));
  CU_ASSERT_EQUAL(stats_binomial_p(5, 10, 0.5), 1);
  CU_ASSERT_EQUAL(stats_binomial_p(0, 0, 0.5), 1);
  CU_ASSERT_EQUAL(stats_binomial_p(3, 3, 0), 0);
}

/* The definition, from products of plain factors in long double. */
static double naive_binomial(int k, int n, double p)
{
  long double x = 1;
  for (int i = 0; i < k; i++)
    x *= (long double)p * (n - i) / (i + 1);
  for (int i = 0; i < n - k; i++)
    x *= 1 - (long double)p;
  return (double)x;
}

static void binomial_tails_and_p_agree_with_their_definition(void)
{
  unsigned seed = 5;
  for (int round = 0; round < 2000; round++) {
    int n = 1 + rand_r(&seed) % 60, k = rand_r(&seed) % (n + 1);
    double p = (1 + rand_r(&seed) % 998) / 999.0, below = 0, above = 0, as_rare = 0;
    double at = naive_binomial(k, n, p);
    for (int i = 0; i <= n; i++) {
      double x = naive_binomial(i, n, p);
      below += i <= k ? x : 0;
      above += i >= k ? x : 0;
      as_rare += x <= at * (1 + 1e-7) ? x : 0;
    }
    CU_ASSERT_TRUE(fabs(stats_binomial_below(k, n, p) - below) < 1e-12);
    CU_ASSERT_TRUE(fabs(stats_binomial_above(k, n, p) - above) < 1e-12);
    CU_ASSERT_TRUE(fabs(stats_binomial_p(k, n, p) - fmin(1, as_rare)) < 1e-11);
  }
}

static void poisson_tails_agree_with_their_definition(void)
{
  unsigned seed = 6;
  for (int round = 0; round < 2000; round++) {
    double mean = (1 + rand_r(&seed) % 60000) / 1000.0;
    int k = rand_r(&seed) % 120;
    long double term = expl(-(long double)mean), below = term;
    for (int i = 1; i <= k; i++)
      below += term *= (long double)mean / i;
    CU_ASSERT_TRUE(fabs(stats_poisson_below(k, mean) - (double)below) < 1e-12);
    CU_ASSERT_TRUE(fabs(stats_poisson_above(k + 1, mean) - (double)(1 - below)) < 1e-12);
    double p = stats_poisson_p(k, mean);
    CU_ASSERT_TRUE(p > 0 && p <= 1);
  }
}

static void very_large_counts_end_and_stay_continuous(void)
{
  double exact = stats_poisson_below(1000000000 - 30000, 1e9);
  double normal = stats_poisson_below(1000000000 - 30000 + 1, 1e9 + 1);
  CU_ASSERT_TRUE(fabs(exact - normal) < 1e-5);
  CU_ASSERT_TRUE(stats_binomial_p(4503599627370496, 9007199254740992, 0.51) < 1e-9);
  CU_ASSERT_TRUE(stats_poisson_p(9007199254740992, 9007199254740992.0) > 0.99);
}

static void wilson_matches_the_vectors(void)
{
  static const struct {
    int64_t k, n;
    double low, high;
  } cases[] = {{117, 5320, 0.01838280, 0.02629198},
               {4, 410, 0.00380031, 0.02481320},
               {0, 120, 0, 0.03101917},
               {1, 1, 0.20654931, 1}};
  struct stats_interval x = {-1, -1};
  CU_ASSERT_FALSE(stats_wilson(0, 0, STATS_Z95, &x));
  CU_ASSERT_FALSE(stats_wilson(2, 1, STATS_Z95, &x));
  CU_ASSERT_FALSE(stats_wilson(-1, 1, STATS_Z95, &x));
  CU_ASSERT_EQUAL(x.low, -1);
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    CU_ASSERT_TRUE(stats_wilson(cases[i].k, cases[i].n, STATS_Z95, &x));
    CU_ASSERT_TRUE(fabs(x.low - cases[i].low) < 1e-8 && fabs(x.high - cases[i].high) < 1e-8);
  }
}

/* The score interval holds exactly the p0 with |k / n - p0| <= z sqrt(p0 (1 - p0) / n). */
static void ends_of_wilson_solve_the_score_equation(void)
{
  unsigned seed = 7;
  for (int round = 0; round < 1000; round++) {
    int64_t n = 2 + rand_r(&seed) % 20000, k = 1 + rand_r(&seed) % (n - 1);
    struct stats_interval x;
    CU_ASSERT_TRUE_FATAL(stats_wilson(k, n, STATS_Z95, &x));
    double p = (double)k / (double)n;
    CU_ASSERT_TRUE(x.low > 0 && x.low < p && p < x.high && x.high < 1);
    CU_ASSERT_TRUE(near(p - x.low, STATS_Z95 * sqrt(x.low * (1 - x.low) / (double)n), 1e-8));
    CU_ASSERT_TRUE(near(x.high - p, STATS_Z95 * sqrt(x.high * (1 - x.high) / (double)n), 1e-8));
  }
}

static void byar_matches_the_vectors_and_is_close_to_the_exact_interval(void)
{
  static const struct {
    int64_t n;
    double low, high, exact_low, exact_high; /* exact: chi-square quantiles */
  } cases[] = {
      {0, 0, 3.6680118321737507, 0, 3.6888794541139354},
      {1, 0.013072132901504331, 5.5637555824752605, 0.025317807984289876, 5.571643390938898},
      {4, 1.0761504081617193, 10.240752739114052, 1.0898653736263249, 10.241588675403694},
      {10, 4.787449913967563, 18.391458605756473, 4.7953886961324335, 18.39035604201778},
      {22, 13.782492731613571, 33.309778779540906, 13.78728287222961, 33.308264387125234},
      {117, 96.76046841526012, 140.22251379987836, 96.76218773917968, 140.2214292026565},
      {1000000, 998040.9833249864, 1001961.9119606657, 998040.9833402939, 1001961.9119454322}};
  struct stats_interval x;
  CU_ASSERT_FALSE(stats_byar(-1, STATS_Z95, &x));
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    CU_ASSERT_TRUE(stats_byar(cases[i].n, STATS_Z95, &x));
    CU_ASSERT_TRUE(near(x.low, cases[i].low, 1e-10) && near(x.high, cases[i].high, 1e-10));
    if (cases[i].n >= 4)
      CU_ASSERT_TRUE(near(x.low, cases[i].exact_low, 0.02) &&
                     near(x.high, cases[i].exact_high, 0.02));
  }
}

/* The ends of the exact interval are where the tails are 2.5 %. */
static void tails_at_the_ends_of_the_exact_interval_are_two_and_a_half_percent(void)
{
  static const struct {
    int64_t n;
    double low, high;
  } exact[] = {{1, 0.025317807984289876, 5.571643390938898},
               {22, 13.78728287222961, 33.308264387125234},
               {2500, 2402.952365431124, 2599.9614843405425},
               {1000000, 998040.9833402939, 1001961.9119454322}};
  for (size_t i = 0; i < ARRAY_LEN(exact); i++) {
    CU_ASSERT_TRUE(near(stats_poisson_above(exact[i].n, exact[i].low), 0.025, 1e-7));
    CU_ASSERT_TRUE(near(stats_poisson_below(exact[i].n, exact[i].high), 0.025, 1e-7));
  }
}

static void benjamini_hochberg_matches_the_vector(void)
{
  static const double p[] = {.0008, .009, .0165, .0205, .0396, .045, .0741, .205, .396, .58};
  static const double expected[] = {.008, .045,       .05125, .05125, .075,
                                    .075, .105857143, .25625, .44,    .58};
  double q[10];
  size_t order[10], at_10 = 0, at_5 = 0;
  stats_benjamini_hochberg(p, 10, q, order);
  for (size_t i = 0; i < 10; i++) {
    CU_ASSERT_TRUE(near(q[i], expected[i], 1e-8));
    at_10 += q[i] <= 0.10;
    at_5 += q[i] <= 0.05;
  }
  CU_ASSERT_EQUAL(at_10, 6);
  CU_ASSERT_EQUAL(at_5, 2);
}

/* Straight from the definition: q(i) = min over all p(j) >= p(i) of p(j) M / #{p <= p(j)}. */
static void benjamini_hochberg_agrees_with_its_definition_in_any_order(void)
{
  unsigned seed = 8;
  for (int round = 0; round < 300; round++) {
    double p[40], q[40];
    size_t order[40], m = 1 + (size_t)rand_r(&seed) % 40;
    for (size_t i = 0; i < m; i++)
      p[i] = rand_r(&seed) % 200 / 199.0; /* with ties */
    stats_benjamini_hochberg(p, m, q, order);
    for (size_t i = 0; i < m; i++) {
      double least = 1;
      for (size_t j = 0; j < m; j++) {
        size_t rank = 0;
        for (size_t k = 0; k < m; k++)
          rank += p[k] <= p[j];
        if (p[j] >= p[i])
          least = fmin(least, p[j] * (double)m / (double)rank);
      }
      CU_ASSERT_TRUE(fabs(q[i] - least) < 1e-12);
    }
  }
}

TEST_MAIN("aggregate exact", TEST(normal_p_agrees_with_the_reference),
          TEST(t_p_and_limit_agree_with_the_reference),
          TEST(poisson_tails_agree_with_the_reference), TEST(poisson_p_of_the_landing_pages),
          TEST(binomial_p_agrees_with_the_reference),
          TEST(binomial_tails_and_p_agree_with_their_definition),
          TEST(poisson_tails_agree_with_their_definition),
          TEST(very_large_counts_end_and_stay_continuous), TEST(wilson_matches_the_vectors),
          TEST(ends_of_wilson_solve_the_score_equation),
          TEST(byar_matches_the_vectors_and_is_close_to_the_exact_interval),
          TEST(tails_at_the_ends_of_the_exact_interval_are_two_and_a_half_percent),
          TEST(benjamini_hochberg_matches_the_vector),
          TEST(benjamini_hochberg_agrees_with_its_definition_in_any_order))
