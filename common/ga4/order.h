/* How Google orders values of dimensions. */
#ifndef AMCP_GA4_ORDER_H
#define AMCP_GA4_ORDER_H

/* Compares as strcmp() does. `type` is the number of OrderBy.DimensionOrderBy.OrderType: 2 leaves
 * letter case out, 3 compares numbers, and all others are alphanumeric by code point. */
int ga4_compare_texts(int type, const char *x, const char *y);
int ga4_compare_numbers(double x, double y);

#endif
