/* Compact schemas of filters and sort orders.
 *
 * Google's FilterExpression unrolled three levels takes more than 5 kB, and every model reads it
 * with every question. The form shown here says the same in one level per join: a condition is
 * {field, match, value or values}, joined by and, or, not. The gateway (gateway/arguments) turns it
 * into Google's form, and takes Google's form, deeper joins and plain {field: value} maps, too. */
#include "gateway/catalog/plugin/compact.h"

#include "gateway/catalog/catalog.h"

#define TEXT "{\"type\":\"string\"}"
#define NUMBER "{\"type\":\"number\"}"
#define CLOSED "},\"additionalProperties\":false"
#define LIST(item) "{\"type\":\"array\",\"items\":" item "}"

/* A condition inside and, or, not: its match is described where the argument begins. */
#define INNER(value)                                                                               \
  "{\"type\":\"object\",\"properties\":{\"field\":" TEXT ",\"match\":" TEXT ",\"value\":" value    \
  ",\"values\":" LIST(value) CLOSED "}"

#define FILTER(matches, value, more)                                                               \
  "\"type\":\"object\",\"properties\":{\"field\":" TEXT                                            \
  ",\"match\":{\"type\":\"string\",\"enum\":[" matches "]},\"value\":" value                       \
  ",\"values\":" LIST(value) more                                                                  \
      ",\"and\":" LIST(INNER(value)) ",\"or\":" LIST(INNER(value)) ",\"not\":" INNER(value) CLOSED

static const char dimension_filter[] = FILTER(
    "\"EXACT\",\"CONTAINS\",\"BEGINS_WITH\",\"ENDS_WITH\",\"FULL_REGEXP\",\"PARTIAL_REGEXP\","
    "\"IN_LIST\",\"EMPTY\"",
    TEXT, ",\"case_sensitive\":{\"type\":\"boolean\"}");

static const char metric_filter[] =
    FILTER("\"EQUAL\",\"LESS_THAN\",\"LESS_THAN_OR_EQUAL\",\"GREATER_THAN\","
           "\"GREATER_THAN_OR_EQUAL\",\"BETWEEN\"",
           NUMBER, "");

static const char order[] =
    "\"type\":\"object\",\"properties\":{\"field\":" TEXT
    ",\"desc\":{\"type\":\"boolean\"}},\"required\":[\"field\"],\"additionalProperties\":false";

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
