/* Inside the room: one condition of a filter. */
#ifndef AMCP_GATEWAY_ARGUMENTS_CONDITION_H
#define AMCP_GATEWAY_ARGUMENTS_CONDITION_H

#include "gateway/arguments/internal.h"

/* What a filter's repair needs at every place of it. */
struct filter_context {
  const struct repair *r;
  enum catalog_meaning meaning; /* CATALOG_DIMENSION_FILTER or CATALOG_METRIC_FILTER */
  const cJSON *dimensions;      /* of the report; NULL for none */
};

/* Parts of a condition by what callers name them. */
enum condition_key {
  KEY_OTHER,
  KEY_FIELD,
  KEY_MATCH,
  KEY_VALUE,
  KEY_VALUES,
  KEY_FROM,
  KEY_TO,
  KEY_CASE,
  KEY_GOOGLE /* string_filter and the like */
};
enum condition_key condition_key(const char *name);

/* Makes {field, match, value...} or Google's Filter into Google's FilterExpression with that one
 * filter, in place. */
enum err_code condition_repair(const struct filter_context *c, cJSON *condition,
                               const struct json_path *path);

#endif
