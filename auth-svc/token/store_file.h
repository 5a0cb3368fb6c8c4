/* A folder of this process alone and the one file in it, which is only ever replaced whole: the
 * token store, and the store of connected dealers in a folder below. Not thread-safe. */
#ifndef AMCP_AUTH_TOKEN_STORE_FILE_H
#define AMCP_AUTH_TOKEN_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/error.h"

/* What replaces a file, while it is written: its name with this. Never older than the file. */
#define STORE_FILE_NEW_SUFFIX ".new"

struct store_file {
  const char *dir;  /* for messages; the caller's, like the name */
  const char *name; /* of the file */
  char next[64];    /* of what replaces it */
  int dir_fd;
  int lock_fd;
};

/* Makes and locks the folder. On failure the struct is closed again. FAILED_PRECONDITION
 * `state_former_version` when it holds tokens in the form of an earlier version. */
enum err_code store_file_open(struct store_file *f, const char *dir, const char *name,
                              struct err *e);
void store_file_close(struct store_file *f);
/* Reads a file of the folder, the name or the one with the suffix, as file_read() does. */
enum err_code store_file_read(const struct store_file *f, const char *name, struct buf *out,
                              size_t max, struct err *e);
/* Replaces the file: writes a new one beside it, syncs, renames, syncs the folder. After an error
 * behind the rename (*renamed) either content may be what a start finds, else the old one. */
enum err_code store_file_replace(const struct store_file *f, const struct buf *text, bool *renamed,
                                 struct err *e);
/* Puts a new file that another process left complete in place. */
enum err_code store_file_adopt_new(const struct store_file *f, struct err *e);
/* Removes one that it left half-written. */
void store_file_drop_new(const struct store_file *f);

#endif
