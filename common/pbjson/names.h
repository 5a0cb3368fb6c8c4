/* Field names: snake_case and camelCase, and how close a wrong name is to one. */
#ifndef AMCP_PBJSON_NAMES_H
#define AMCP_PBJSON_NAMES_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

/* Whether key is the field's name as it stands in the .proto or in lowerCamelCase, as
 * protoc forms it (underscores dropped, the letter after one in upper case). */
bool name_matches(const char *field, const char *key);
/* Appends a name in lowerCamelCase. */
bool name_put_camel(struct buf *out, const char *field);

/* The field of either name; NULL when there is none. */
const ProtobufCFieldDescriptor *name_find_field(const ProtobufCMessageDescriptor *message,
                                                const char *key);
/* Whether a repeated field is a map: the entries are a message <Field>Entry{key, value}
 * nested in the message. (protobuf-c drops the map_entry option.) */
bool name_is_map(const ProtobufCMessageDescriptor *message, const ProtobufCFieldDescriptor *field);

/* How far a field name is from a word that names no field: nearest_distance() without regard to
 * underscores, and NEAREST_FAR when more than a third of the letters differ. */
unsigned name_distance(const char *word, const char *field);

#endif
