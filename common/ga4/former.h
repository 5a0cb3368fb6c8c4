/* What Universal Analytics, and GA4 itself before, called a dimension or metric. */
#ifndef AMCP_GA4_FORMER_H
#define AMCP_GA4_FORMER_H

#include <stdbool.h>

enum ga4_kind { GA4_DIMENSION = 1, GA4_METRIC = 2, GA4_EITHER = 3 };

struct ga4_former {
  const char *name;  /* without "ga:": letters and digits alone */
  const char *field; /* what GA4 calls it; NULL when it has no equivalent */
  const char *hint;  /* without equivalent: what to ask instead */
  bool per_page;     /* equal to `field` only in a report by page */
};

/* What a former name means, in any letter case; NULL when it was none. The name of a field that GA4
 * has today may be among them ("source"). */
const struct ga4_former *ga4_former_find(enum ga4_kind kind, const char *name);

/* The former name of a field, by its API name of today; NULL when it had none or the same. kind is
 * one of the two. */
const char *ga4_former_name(enum ga4_kind kind, const char *field);

#endif
