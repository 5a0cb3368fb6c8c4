/* Files that a configuration was read from beside those that settings name, with what they held:
 * the keys of service accounts that stand in files of their own. */
#ifndef AMCP_AUTH_READ_FILES_H
#define AMCP_AUTH_READ_FILES_H

#include <stdbool.h>

#include "auth-svc/secret/secret.h"
#include "common/base/table.h"

enum { READ_FILES_MAX = 16384 }; /* more than dealers; those beyond are not kept */

struct read_file {
  bool readable;
  uint8_t digest[SHA256_SIZE]; /* of what it held; zeros when it could not be read */
};

/* An empty table of struct read_file by path; table_free() ends it. */
void read_files_init(struct table *t);
/* Adds a file, once, as it was read first; text NULL when it could not be. */
void read_files_add(struct table *t, const char *path, const char *text, size_t len);

#endif
