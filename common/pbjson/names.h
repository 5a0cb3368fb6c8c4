/* Field names: snake_case and camelCase, and the known name closest to a wrong one. */
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

/* Picks the candidate closest to a word, without regard to letter case and underscores.
 * Start with a zeroed struct, offer every candidate, read `best`: NULL when none is close
 * enough to be meant. Words are compared up to 64 bytes. */
struct name_guess {
  const char *best;
  size_t distance;
};
void name_guess_offer(struct name_guess *guess, const char *word, const char *candidate);

#endif
