/* Values and JSON as Google prints them. */
#ifndef GA4_SIM_VALUE_H
#define GA4_SIM_VALUE_H

#include <stddef.h>

#include "common/base/buf.h"

/* A double as protobuf prints it: %.15g, or %.17g when that does not read back as
 * the same number. out needs 32 bytes. */
void value_format_double(double value, char *out, size_t size);
/* Compact JSON -> Google's layout with two spaces (prettyPrint). The input must be
 * well-formed. */
bool value_pretty_json(struct buf *out, const char *json, size_t len);

#endif
