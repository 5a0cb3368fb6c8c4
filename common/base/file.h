/* Whole files, read and written. */
#ifndef AMCP_BASE_FILE_H
#define AMCP_BASE_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "common/base/buf.h"
#include "common/base/error.h"

/* Reads a whole file of at most `max` bytes into `out`, which becomes a buffer that overwrites its
 * memory (BUF_SECRET) and is empty after an error. Its text is NUL-terminated. `what` names the
 * file in messages: "AUTH_SEAL_KEY_FILE". ERR_NOT_FOUND when there is none. Logs a warning when it
 * is `secret` and others may read or change it. A pipe is read to its end. */
enum err_code file_read(struct buf *out, const char *what, const char *path, size_t max,
                        bool secret, struct err *e);

/* Writes all of it, however many calls that takes. The bytes written: fewer than len, with errno,
 * when it failed. */
size_t file_write_all(int fd, const void *data, size_t len);

/* The folder that a path stands in, to be freed: "." for a bare name. */
char *file_folder(const char *path);
/* The last part of a path, within it. */
const char *file_name(const char *path);

#endif
