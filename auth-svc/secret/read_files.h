/* Files that a configuration was read from beside those that settings name, with what they held:
 * the keys of service accounts that stand in files of their own. */
#ifndef AMCP_AUTH_READ_FILES_H
#define AMCP_AUTH_READ_FILES_H

#include <stdbool.h>
#include <stddef.h>

#include "auth-svc/secret/secret.h"

enum { READ_FILES_MAX = 16384 }; /* more than dealers; those beyond are not kept */

struct read_file {
  char *path;
  bool readable;
  uint8_t digest[SHA256_SIZE]; /* of what it held; zeros when it could not be read */
};

/* Starts as {0}. */
struct read_files {
  struct read_file *items;
  size_t n, capacity;
};

/* Adds a file, once, as it was read first; text NULL when it could not be. */
void read_files_add(struct read_files *f, const char *path, const char *text, size_t len);
void read_files_clear(struct read_files *f);

#endif
