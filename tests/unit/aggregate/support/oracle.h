/* A second, independent computation of a comparison: straight loops over the inputs in
 * long double, no code shared with the service. */
#ifndef AMCP_TESTS_AGGREGATE_ORACLE_H
#define AMCP_TESTS_AGGREGATE_ORACLE_H

#include <CUnit/CUnit.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "analytics/aggregate/v1/aggregate.pb-c.h"

enum { ORACLE_MAX = 64 };

struct oracle_dealer {
  char id[16];
  long long sessions, engaged, leads, shoppers;
  const char *event; /* NULL when unknown */
};

static inline bool oracle_near(double a, long double b)
{
  return fabsl((long double)a - b) <= 1e-12L * fmaxl(1.0L, fabsl(b));
}

/* Metric number in the order of the answer: numerator, denominator and 100-scale. */
static inline bool oracle_parts(const struct oracle_dealer *d, int metric, long double *num,
                                long double *den)
{
  switch (metric) {
  case 0:
    *num = d->sessions, *den = 1;
    return true;
  case 1:
    *num = d->engaged, *den = 1;
    return true;
  case 2:
    *num = d->engaged, *den = d->sessions;
    return d->sessions > 0;
  case 3:
    *num = d->sessions - d->engaged, *den = d->sessions;
    return d->sessions > 0;
  case 4:
    *num = d->leads, *den = 1;
    return d->event != NULL;
  case 5:
    *num = 100.0L * d->leads, *den = d->sessions;
    return d->event != NULL && d->sessions > 0;
  case 6:
    *num = d->shoppers, *den = 1;
    return true;
  case 7:
    *num = d->shoppers, *den = d->sessions;
    return d->sessions > 0;
  default:
    *num = 100.0L * d->leads, *den = d->shoppers;
    return d->event != NULL && d->shoppers > 0;
  }
}

static inline bool oracle_is_lead(int metric)
{
  return metric == 4 || metric == 5 || metric == 8;
}

static inline bool oracle_is_count(int metric)
{
  return metric == 0 || metric == 1 || metric == 4 || metric == 6;
}

static inline int oracle_descending(const void *a, const void *b)
{
  long double x = *(const long double *)a, y = *(const long double *)b;
  return (x < y) - (x > y);
}

/* Checks one dealer's indices against all n dealers of the figures. */
static inline void oracle_check_index(const struct oracle_dealer *all, size_t n, size_t who,
                                      const Analytics__Aggregate__V1__DealerIndex *got)
{
  CU_ASSERT_STRING_EQUAL(got->dealer_id, all[who].id);
  for (int m = 0; m < 9; m++) {
    const Analytics__Aggregate__V1__MetricIndex *x = got->metrics[m];
    long double num, den, sum_num = 0, sum_den = 0, sum_value = 0;
    if (!oracle_parts(&all[who], m, &num, &den)) {
      CU_ASSERT_EQUAL(x->opt_value_case, 0);
      CU_ASSERT_TRUE(x->opt_rank_case == 0 && x->opt_of_case == 0);
      continue;
    }
    long double own = num / den;
    size_t others = 0, better = 0, worse = 0;
    for (size_t i = 0; i < n; i++) {
      long double a, b;
      if (i == who || !oracle_parts(&all[i], m, &a, &b) ||
          (oracle_is_lead(m) && strcmp(all[i].event, all[who].event) != 0))
        continue;
      others++;
      sum_num += a;
      sum_den += b;
      sum_value += a / b;
      bool above = a * den > num * b, below = a * den < num * b; /* exact for these sizes */
      better += m == 3 ? below : above;
      worse += m == 3 ? above : below;
    }
    CU_ASSERT_TRUE(x->opt_value_case != 0 && oracle_near(x->value, own));
    CU_ASSERT_EQUAL(x->rank, (int)better + 1);
    CU_ASSERT_EQUAL(x->of, (int)others + 1);
    CU_ASSERT_STRING_EQUAL(x->suppressed, "");
    if (others == 0) {
      CU_ASSERT_EQUAL(x->opt_benchmark_case, 0);
      CU_ASSERT_EQUAL(x->opt_percentile_case, 0);
      continue;
    }
    long double benchmark =
        oracle_is_count(m) ? sum_value / (long double)others : sum_num / sum_den;
    CU_ASSERT_TRUE(x->opt_benchmark_case != 0 && oracle_near(x->benchmark, benchmark));
    if (benchmark > 0)
      CU_ASSERT_TRUE(x->opt_index_case != 0 && oracle_near(x->index, 100 * own / benchmark));
    size_t equal = others - better - worse;
    CU_ASSERT_TRUE(oracle_near(x->percentile,
                               100.0L * ((long double)worse + equal / 2.0L) / (long double)others));
  }
}

/* Checks the averages; `event` is the region's lead event (NULL for none). */
static inline void oracle_check_region(const struct oracle_dealer *all, size_t n, const char *event,
                                       const Analytics__Aggregate__V1__RegionalAverage *got)
{
  for (int m = 0; m < 9; m++) {
    const Analytics__Aggregate__V1__MetricAverage *a = got->metrics[m];
    long double values[ORACLE_MAX], sum_num = 0, sum_den = 0, sum = 0;
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
      long double num, den;
      if (!oracle_parts(&all[i], m, &num, &den) ||
          (oracle_is_lead(m) && (event == NULL || strcmp(all[i].event, event) != 0)))
        continue;
      sum_num += num;
      sum_den += den;
      sum += num / den;
      values[k++] = num / den;
    }
    CU_ASSERT_EQUAL(a->dealers, (int)k);
    if (k == 0) {
      CU_ASSERT_TRUE(a->opt_pooled_case == 0 && a->opt_mean_case == 0 && a->opt_median_case == 0);
      continue;
    }
    qsort(values, k, sizeof(values[0]), oracle_descending);
    long double median = k % 2 == 1 ? values[k / 2] : (values[k / 2] + values[k / 2 - 1]) / 2;
    bool count = oracle_is_count(m);
    CU_ASSERT_TRUE(oracle_near(a->pooled, count ? sum_num : sum_num / sum_den));
    CU_ASSERT_TRUE(oracle_near(a->mean, sum / (long double)k));
    CU_ASSERT_TRUE(oracle_near(a->median, median));
    if (m == 0)
      CU_ASSERT_EQUAL(got->sessions, (long long)sum_num);
    if (m == 4)
      CU_ASSERT_EQUAL(got->lead_events, (long long)sum_num);
  }
}

#endif
