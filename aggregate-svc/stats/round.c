/* Significant digits. */
#include "aggregate-svc/stats/round.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

double stats_round_significant(double x, int digits)
{
  char text[40];
  if (!isfinite(x) || digits < 1 || digits > 15)
    return x;
  snprintf(text, sizeof(text), "%.*e", digits - 1, x);
  return strtod(text, NULL);
}
