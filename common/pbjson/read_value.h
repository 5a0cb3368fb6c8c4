/* Inside the room: reading one scalar of any type from a JSON value. */
#ifndef AMCP_PBJSON_READ_VALUE_H
#define AMCP_PBJSON_READ_VALUE_H

#include <cjson/cJSON.h>
#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/pbjson/path.h"
#include "common/pbjson/pbjson.h"

struct reader {
  struct arena *arena;
  const struct pbjson_read_options *options;
  struct err *e;
};

/* "path: expected WHAT, got TYPE" with ERR_INVALID_ARGUMENT. */
enum err_code read_wrong_type(const struct reader *r, const struct json_path *path,
                              const char *expected, const cJSON *got);
/* The arena's cap is reached. */
enum err_code read_too_large(const struct reader *r, const struct json_path *path);

/* Reads a value of field's type, which is not a message, to where `at` points. Strings and
 * bytes live in the arena. */
enum err_code read_scalar(const struct reader *r, const ProtobufCFieldDescriptor *field,
                          const cJSON *value, const struct json_path *path, void *at);
/* Reads the name of a JSON member as the key of a map. */
enum err_code read_map_key(const struct reader *r, const ProtobufCFieldDescriptor *field,
                           const char *key, const struct json_path *path, void *at);

#endif
