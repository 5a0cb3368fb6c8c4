/* Lists of key=value in settings: OTEL_EXPORTER_OTLP_HEADERS and OTEL_RESOURCE_ATTRIBUTES. */
#ifndef AMCP_OTLP_PAIRS_H
#define AMCP_OTLP_PAIRS_H

#include <stddef.h>

#include "common/base/error.h"

enum {
  OTLP_PAIRS_MAX = 32,                  /* entries of a setting */
  OTLP_PAIRS_ROOM = OTLP_PAIRS_MAX + 4, /* with those that the program adds */
  OTLP_PAIRS_TEXT = 8192                /* bytes of a setting */
};

struct otlp_pair {
  char *key, *value;
};
struct otlp_pairs {
  struct otlp_pair items[OTLP_PAIRS_ROOM];
  size_t n;
};

enum otlp_pairs_of { OTLP_HEADERS, OTLP_ATTRIBUTES };

/* Reads "key=value,key=value": white space around keys and values is ignored, values are
 * percent-decoded, empty entries are skipped. NULL is an empty list. Headers have the names and
 * values that HTTP allows, attributes are UTF-8 without control characters. ERR_INVALID_ARGUMENT
 * names `setting` and the number of the entry, never its text. */
enum err_code otlp_pairs_read(struct otlp_pairs *out, const char *setting, enum otlp_pairs_of of,
                              const char *text, struct err *e);
/* The value of a key; NULL when it is not there. */
const char *otlp_pairs_get(const struct otlp_pairs *p, const char *key);
/* Sets a key, in place of what it had; a new one is dropped when there is no room. */
void otlp_pairs_set(struct otlp_pairs *p, const char *key, const char *value);
/* Frees them, and overwrites the values before. */
void otlp_pairs_free(struct otlp_pairs *p);

#endif
