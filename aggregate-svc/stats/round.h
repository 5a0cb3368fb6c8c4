/* Rounding of what is shown. */
#ifndef AMCP_AGGREGATE_STATS_ROUND_H
#define AMCP_AGGREGATE_STATS_ROUND_H

/* x rounded to significant decimal digits (1 to 15), half to even on the exact value. */
double stats_round_significant(double x, int digits);

#endif
