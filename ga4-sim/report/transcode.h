/* Proto3 JSON transcoding as Google's front end does it: which names and values a
 * request body may hold, and the messages for those it may not. */
#ifndef GA4_SIM_TRANSCODE_H
#define GA4_SIM_TRANSCODE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

enum field_kind {
  KIND_STRING,
  KIND_BOOL,
  KIND_INT32,
  KIND_INT64,
  KIND_DOUBLE,
  KIND_ENUM,
  KIND_MESSAGE
};

struct enum_type {
  const char *full_name;    /* google.analytics.data.v1beta.MetricAggregation */
  const char *const *names; /* by number; NULL: no such number */
  size_t count;
};

struct message_type;

struct message_field {
  const char *name; /* camelCase, as in JSON; snake_case is derived */
  enum field_kind kind;
  bool repeated;
  const struct message_type *message;
  const struct enum_type *enumeration;
  const char *oneof; /* NULL: none */
};

struct message_type {
  const char *full_name;
  const struct message_field *fields;
  size_t count;
};

/* Whether a name as a client wrote it, in camelCase or snake_case, is that field. */
bool transcode_name_matches(const char *camel, const char *given);

/* What was wrong with a body. */
struct transcode_errors {
  cJSON *violations;  /* array of {field?, description}; NULL: none */
  struct buf message; /* descriptions, one per line */
};
void transcode_errors_free(struct transcode_errors *errors);

/* Reads a body of that type. An empty body is an empty message. The result has only
 * known fields, under their camelCase names; enums are numbers, integers and doubles
 * are numbers, nulls are left out. NULL when errors were found. Free with
 * cJSON_Delete(). */
cJSON *transcode_request(const char *body, size_t len, const struct message_type *type,
                         struct transcode_errors *errors);

#endif
