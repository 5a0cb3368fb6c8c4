/* Inside the room: single values of a field's type. */
#ifndef AMCP_GATEWAY_ARGUMENTS_SCALAR_H
#define AMCP_GATEWAY_ARGUMENTS_SCALAR_H

#include "gateway/arguments/internal.h"

/* Repairs one value of a field that is not a message, in place: numbers for texts and texts for
 * numbers and booleans, names of enum values in any spelling. Values of another type are left. */
enum err_code scalar_repair(const struct repair *r, const ProtobufCFieldDescriptor *field,
                            cJSON *value, const struct json_path *path);

/* Makes a text or number that means true or false ("yes", "False", 1) that boolean, in place; other
 * values are left. */
void scalar_to_bool(cJSON *value);

#endif
