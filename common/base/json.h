/* Checked parsing of control JSON with cJSON, and small readers.
 *
 * cJSON alone accepts NUL characters inside strings, broken UTF-8 and repeated
 * keys; json_parse() refuses them first and says where. */
#ifndef AMCP_BASE_JSON_H
#define AMCP_BASE_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"
#include "common/base/mem.h"

struct json_limits {
  size_t max_depth; /* nesting of arrays and objects; 0 means 64 */
  size_t max_bytes; /* 0 means 16 MiB */
};

/* Parses one JSON value that fills the text. Refuses malformed text, invalid UTF-8,
 * \u0000, unpaired surrogates, repeated keys in an object, nesting and size beyond
 * the limits, with "line 3, column 14: ...". limits may be NULL. *out is freed with
 * cJSON_Delete(). */
enum err_code json_parse(cJSON **out, const char *text, size_t len,
                         const struct json_limits *limits, struct err *e);

static inline void json_cleanup(cJSON **j)
{
  cJSON_Delete(*j);
}
#define AUTO_JSON CLEANUP(json_cleanup)

/* Line (from 1) on which the value at a path stands in well-formed text; 0 when
 * there is no such path. Path: "dealers[3].oauth.client_id". */
size_t json_line_of(const char *text, size_t len, const char *path);

/* Members of an object; NULL / fallback when absent or of another type. */
const char *json_get_string(const cJSON *object, const char *key);
double json_get_number(const cJSON *object, const char *key, double fallback);
bool json_get_bool(const cJSON *object, const char *key, bool fallback);

#endif
