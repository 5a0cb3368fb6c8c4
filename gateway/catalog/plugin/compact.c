/* Compact schemas of filters and sort orders.
 *
 * Google's FilterExpression unrolled three levels takes more than 5 kB, and every model reads it
 * with every question. The form shown here says the same in one level: a list of conditions {field,
 * match, values, not}, joined by "and" or "or". The gateway (gateway/arguments) turns it into
 * Google's form, and takes Google's form, single conditions, a single `value`, "and", "or" and
 * "not" in any depth and plain {field: value} maps, too. A sort order is shown as text, "sessions
 * desc"; Google's OrderBy and {field, desc} are taken. */
#include "gateway/catalog/plugin/compact.h"

#include "gateway/catalog/catalog.h"

#define TEXT "{\"type\":\"string\"}"
#define NUMBER "{\"type\":\"number\"}"
#define FLAG "{\"type\":\"boolean\"}"
#define CLOSED "},\"additionalProperties\":false"
#define LIST(item) "{\"type\":\"array\",\"items\":" item "}"

#define CONDITION(matches, value, more)                                                            \
  "{\"type\":\"object\",\"properties\":{\"field\":" TEXT                                           \
  ",\"match\":{\"type\":\"string\",\"enum\":[" matches                                             \
  "]},\"values\":" LIST(value) ",\"not\":" FLAG more CLOSED "}"

#define FILTER(matches, value, more)                                                               \
  "\"type\":\"object\",\"properties\":{\"join\":{\"type\":\"string\",\"enum\":[\"and\",\"or\"]}"   \
  ",\"conditions\":" LIST(CONDITION(matches, value, more)) CLOSED

static const char dimension_filter[] =
    FILTER("\"EXACT\",\"CONTAINS\",\"BEGINS_WITH\",\"ENDS_WITH\",\"FULL_REGEXP\","
           "\"PARTIAL_REGEXP\",\"EMPTY\"",
           TEXT, ",\"case_sensitive\":" FLAG);

static const char metric_filter[] =
    FILTER("\"EQUAL\",\"LESS_THAN\",\"LESS_THAN_OR_EQUAL\",\"GREATER_THAN\","
           "\"GREATER_THAN_OR_EQUAL\",\"BETWEEN\"",
           NUMBER, "");

static const char order[] = "\"type\":\"string\"";

const char *compact_schema(const struct field_info *field)
{
  switch ((enum catalog_meaning)field->options->meaning) {
  case CATALOG_DIMENSION_FILTER:
    return dimension_filter;
  case CATALOG_METRIC_FILTER:
    return metric_filter;
  case CATALOG_ORDER:
    return order;
  default:
    return NULL;
  }
}
