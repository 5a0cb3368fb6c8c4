/* The nine comparisons that every property has from the start. */
#ifndef GA4_SIM_COMPARISONS_H
#define GA4_SIM_COMPARISONS_H

#include <stddef.h>

struct stock_comparison {
  const char *resource; /* comparisons/allUsers */
  const char *ui_name, *description;
  const char *sql; /* a condition on sessions s; NULL: everything */
};

extern const struct stock_comparison stock_comparisons[];
extern const size_t stock_comparison_count;

#endif
