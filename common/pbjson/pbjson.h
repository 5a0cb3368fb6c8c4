/* proto3 JSON to protobuf-c messages and back, driven by descriptors.
 *
 * Follows https://protobuf.dev/programming-guides/json/: int64 as string, bytes as
 * base64, enums by name (numbers accepted), Timestamp/Duration/Struct/Value/ListValue
 * in their own forms, maps as objects, NaN and Infinity as strings, null as absent.
 * Thread-safe: no state. */
#ifndef AMCP_PBJSON_PBJSON_H
#define AMCP_PBJSON_PBJSON_H

#include <cjson/cJSON.h>
#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/base/error.h"

enum { PBJSON_MAX_DEPTH = 32 };

enum pbjson_names { PBJSON_SNAKE_CASE, PBJSON_CAMEL_CASE };

struct pbjson_write_options {
  enum pbjson_names names; /* of fields */
  bool emit_defaults;      /* scalars and lists that are zero or empty, too */
  bool omit_empty;         /* with emit_defaults: numbers and booleans alone, no empty texts, lists,
                            * messages, nor an enum's value 0 */
  bool whole_numbers;      /* 64-bit numbers of up to 2^53 as numbers, others as strings */
  bool enums_as_numbers;
};

/* Appends the message as JSON. Only fields that are set, in the order of their numbers.
 * options may be NULL: snake_case, no defaults, enum names. ERR_RESOURCE_EXHAUSTED when
 * the buffer's cap is reached; after any error the buffer holds a part of the text. */
enum err_code pbjson_write(struct buf *out, const ProtobufCMessage *message,
                           const struct pbjson_write_options *options, struct err *e);

/* Appends the value of one field, a list as an array. Otherwise as pbjson_write(). */
enum err_code pbjson_write_field(struct buf *out, const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field,
                                 const struct pbjson_write_options *options, struct err *e);

/* Whether omit_empty would leave the field out. */
bool pbjson_field_is_empty(const ProtobufCMessage *message, const ProtobufCFieldDescriptor *field);

struct pbjson_read_options {
  /* Skip unknown fields instead of refusing them, and read unknown names of enums as 0, unset: for
   * a peer whose messages grow. */
  bool ignore_unknown;
};

/* Reads a message from a parsed value. Field names in snake_case and camelCase. The
 * message lives in the arena. Errors (ERR_INVALID_ARGUMENT) begin with the path as the
 * caller would write it: "date_ranges[0].start_date: expected string, got number"; an
 * unknown field names the closest known one. int64 given as a number of 2^53 or more is
 * refused ("give it as a string"). ERR_RESOURCE_EXHAUSTED when the arena's cap is reached.
 * *out is NULL after any error. options may be NULL. */
enum err_code pbjson_read(ProtobufCMessage **out, const ProtobufCMessageDescriptor *descriptor,
                          const cJSON *value, struct arena *arena,
                          const struct pbjson_read_options *options, struct err *e);

/* The same from text, through json_parse(). */
enum err_code pbjson_read_text(ProtobufCMessage **out, const ProtobufCMessageDescriptor *descriptor,
                               const char *text, size_t len, struct arena *arena,
                               const struct pbjson_read_options *options, struct err *e);

/* protobuf-c allocator over an arena: free does nothing. Use it with unpack. */
ProtobufCAllocator pbjson_arena_allocator(struct arena *arena);

#endif
