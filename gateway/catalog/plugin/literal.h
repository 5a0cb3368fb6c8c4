/* Checks default_json and examples_json against the field they stand on. */
#ifndef AMCP_CATALOG_PLUGIN_LITERAL_H
#define AMCP_CATALOG_PLUGIN_LITERAL_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "gateway/catalog/plugin/model.h"

/* Parses text and checks its type, names, enum values and the field's own bounds.
 * ERR_INVALID_ARGUMENT with the path inside the literal. */
enum err_code literal_check(const struct field_info *field, const char *text, struct err *e);

#endif
