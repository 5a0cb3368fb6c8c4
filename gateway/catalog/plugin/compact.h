/* Compact schemas of arguments whose meaning is known: filters and sort orders. */
#ifndef AMCP_CATALOG_PLUGIN_COMPACT_H
#define AMCP_CATALOG_PLUGIN_COMPACT_H

#include "gateway/catalog/plugin/model.h"

/* The keywords of one value of the field without its description, as members of a JSON object:
 * "\"type\":\"object\",..."; NULL when the field's schema follows from its type. */
const char *compact_schema(const struct field_info *field);

#endif
