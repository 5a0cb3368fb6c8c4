/* How Google orders values of dimensions. */
#include "common/ga4/order.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

int ga4_compare_numbers(double x, double y)
{
  return x < y ? -1 : x > y;
}

int ga4_compare_texts(int type, const char *x, const char *y)
{
  enum { CASE_INSENSITIVE = 2, NUMERIC = 3 };
  if (type == NUMERIC)
    return ga4_compare_numbers(strtod(x, NULL), strtod(y, NULL));
  return type == CASE_INSENSITIVE ? strcasecmp(x, y) : strcmp(x, y);
}
