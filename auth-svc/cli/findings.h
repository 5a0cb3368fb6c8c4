/* What the subcommand validate found out about configuration files: faults, warnings and a summary,
 * printed as text or JSON. It knows nothing of what is in the files. */
#ifndef AMCP_AUTH_VALIDATION_H
#define AMCP_AUTH_VALIDATION_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"

enum { VALIDATION_MAX = 200 }; /* faults and warnings that are kept, of each; more are counted */

struct findings {
  cJSON *list; /* of {file, line, code, field, dealer, message} */
  size_t n;
};

struct validation {
  struct findings faults, warnings;
  struct buf summary; /* lines of text */
  cJSON *members;     /* of the JSON object that stands for a good file */
};

void validation_init(struct validation *v);
void validation_clear(struct validation *v);

/* A fault; the file must not be deployed. Texts are copied and must not hold secrets. */
void validation_fault(struct validation *v, const char *file, size_t line, const char *field,
                      const char *dealer, const char *text);
/* The same from a loader's message, "FILE line 4: FIELD: ..." or one without a line. */
void validation_fault_of(struct validation *v, const char *file, const char *message);
/* Something that works, but perhaps not as meant. `code` names its kind for programs. */
void validation_warn(struct validation *v, const char *code, const char *file, const char *field,
                     const char *fmt, ...) __attribute__((format(printf, 5, 6)));

/* Prints everything on standard output: faults in the order of their lines, warnings, and, when
 * there is no fault, the summary. `file` names the whole. */
void validation_print(struct validation *v, const char *file, bool json);

#endif
