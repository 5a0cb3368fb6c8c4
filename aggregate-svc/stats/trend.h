/* Trends of a series of complete weeks, and days that stand out. */
#ifndef AMCP_AGGREGATE_STATS_TREND_H
#define AMCP_AGGREGATE_STATS_TREND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct stats_mann_kendall {
  int64_t s;       /* pairs that rise - pairs that fall */
  double variance; /* of s without a trend, less for ties */
  double z;        /* (s - sign s) / sqrt variance; 0 when the variance is 0 */
  double p;        /* two-sided, normal */
};

/* Mann-Kendall test of a monotone trend (Mann 1945; Kendall 1975), variance
 * [n (n - 1) (2 n + 5) - sum t (t - 1) (2 t + 5)] / 18 over groups of t equal values. Rough for
 * n < 10, optimistic under autocorrelation. False when n < 3. */
bool stats_mann_kendall(const double *x, size_t n, struct stats_mann_kendall *out);

/* Theil-Sen slope: the median of (x(j) - x(i)) / (j - i) over all pairs, per step of the series.
 * scratch holds n (n - 1) / 2 values. False when n < 2. */
bool stats_theil_sen(const double *x, size_t n, double *scratch, double *out);

enum { STATS_DAY_WEEKS = 8, STATS_DAY_PAST = 7 * STATS_DAY_WEEKS, STATS_DAY_MIN_WEEKS = 5 };

/* How far a day's count is from the same weekday of eight weeks, on square roots:
 * m = median of the same weekday, e = 2 (sqrt y - sqrt m). past holds the 56 days before, oldest
 * first; NAN is a day to leave out (a holiday, a day without data). False when fewer than 5 days
 * of the weekday are there. */
bool stats_day_residual(const double past[STATS_DAY_PAST], double y, double *e);
/* e in units of its usual size: z = e / s, s = 1.3 max(1, 1.4826 MAD of the residuals of the past
 * days). The 1.3 makes up for residuals taken from the days that made the medians. Alarm beyond
 * 4: some one false alarm in 2 to 5 years of days; small series (5 a day) are not worth it. */
bool stats_day_z(const double past[STATS_DAY_PAST], double y, double *z);

#endif
