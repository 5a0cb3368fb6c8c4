/* The folder and the file of the token store; nobody but the store includes it. Not
 * thread-safe. */
#ifndef AMCP_AUTH_TOKEN_STORE_FILE_H
#define AMCP_AUTH_TOKEN_STORE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/error.h"

#define STORE_FILE_NAME "refresh-tokens.log"

struct store_file {
  const char *dir; /* for messages; the caller's */
  int dir_fd;
  int lock_fd;
  int fd;       /* the file, -1 when there is none yet */
  size_t bytes; /* of the file that are good */
};

/* Makes and locks the folder. On failure the struct is closed again. */
enum err_code store_file_open(struct store_file *f, const char *dir, struct err *e);
void store_file_close(struct store_file *f);
/* Reads everything; `out` stays empty when there is no file. */
enum err_code store_file_read(struct store_file *f, struct buf *out, size_t max, struct err *e);
/* Keeps a copy of a damaged file under another name. */
void store_file_set_aside(const struct store_file *f);
/* Hands bytes to the kernel at the end of the file: all of them or none. */
bool store_file_append(struct store_file *f, const void *data, size_t len);

/* A new file beside the old one, synced; its descriptor. -1 with e set. */
int store_file_write_new(const struct store_file *f, const void *data, size_t len, struct err *e);
/* Adds what came meanwhile, unsynced, and puts it in the place of the old one. The
 * descriptor is taken over. */
enum err_code store_file_replace(struct store_file *f, int fd, size_t bytes, const void *more,
                                 size_t more_len, struct err *e);
/* After a replacement: brings the new name to disk. */
enum err_code store_file_sync_dir(const struct store_file *f, struct err *e);

#endif
