/* The members of a oneof that are messages, by their names in the .proto: for code that handles
 * many generated types in one way, such as { oneof event { Progress progress; Result result; } }.
 * Thread-safe as far as the message is not changed meanwhile. */
#ifndef AMCP_PBJSON_ONEOF_H
#define AMCP_PBJSON_ONEOF_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>

/* The message in the member, borrowed from `message`; NULL when another member or none is set, and
 * when the type has no such member or it is not a message. */
const ProtobufCMessage *oneof_get(const ProtobufCMessage *message, const char *member);

/* Sets the member; the message is lent, never freed or copied here, and what was set before is
 * dropped without being freed. False, and nothing changed, when the type has no such member or it
 * is of another type than `value`. */
bool oneof_set(ProtobufCMessage *message, const char *member, ProtobufCMessage *value);

#endif
