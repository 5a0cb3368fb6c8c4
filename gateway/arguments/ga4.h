/* Inside the room: names of GA4 dimensions and metrics, and what Universal Analytics called them.
 */
#ifndef AMCP_GATEWAY_ARGUMENTS_GA4_H
#define AMCP_GATEWAY_ARGUMENTS_GA4_H

#include <stdbool.h>
#include <stddef.h>

#include "common/ga4/former.h"

struct ga4_field {
  const char *name; /* API name */
  const char
      *label; /* in Google's pages; NULL when it differs from the name in case and blanks alone */
};

/* The API name for a name in any letter case, with or without underscores, or for the label of the
 * user interface; NULL when there is none. GA4 gains fields: one that is not known here may be
 * valid. */
const char *ga4_find(enum ga4_kind kind, const char *text);

/* All of one kind (GA4_DIMENSION or GA4_METRIC), sorted by name. */
const struct ga4_field *ga4_fields(enum ga4_kind kind, size_t *n);

/* What a name of Universal Analytics means, with or without "ga:"; NULL when it was none, or when
 * GA4 has the same name. *prefixed says whether the text begins with "ga:". */
const struct ga4_former *ua_find(enum ga4_kind kind, const char *text, bool *prefixed);

#endif
