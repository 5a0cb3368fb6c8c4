/* Where in a JSON value a reader stands, for errors: "date_ranges[0].start_date". */
#ifndef AMCP_PBJSON_PATH_H
#define AMCP_PBJSON_PATH_H

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/base/error.h"

/* One step of a path, linked to the step above. Lives on the stack of the function that
 * descends, so a path costs nothing until an error prints it. NULL is the root. */
struct json_path {
  const struct json_path *up;
  const char *key; /* member of an object; NULL for an item of a list */
  size_t index;    /* item of a list, when key is NULL */
};

#define JSON_PATH_KEY(up_, key_) ((struct json_path){.up = (up_), .key = (key_)})
#define JSON_PATH_INDEX(up_, i_) ((struct json_path){.up = (up_), .index = (i_)})

/* Fills *e with "path: text" (only the text at the root) and returns code. A key that is
 * no identifier is put in brackets and quotes; long keys and deep paths are shortened. */
enum err_code json_path_error(struct err *e, enum err_code code, const char *reason,
                              const struct json_path *path, const char *fmt, ...)
    __attribute__((format(printf, 5, 6)));

/* A caller's text as an error may quote it: at most 60 bytes, cut at a character's border,
 * "?" when it is not UTF-8. JSON_SHOWN's result lives until the end of the block. */
enum { JSON_SHOWN_SIZE = 64 };
const char *json_shown(char out[JSON_SHOWN_SIZE], const char *s);
#define JSON_SHOWN(s) json_shown((char[JSON_SHOWN_SIZE]){0}, (s))

/* "string", "number", "boolean", "list", "object", "null". Static text. */
const char *json_type_name(const cJSON *value);

#endif
