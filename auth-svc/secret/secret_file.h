/* Files that hold secrets. */
#ifndef AMCP_AUTH_SECRET_FILE_H
#define AMCP_AUTH_SECRET_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "auth-svc/secret/secret.h"
#include "common/base/buf.h"
#include "common/base/error.h"

/* Reads a whole file of at most `max` bytes into `out`, NUL-terminated, in one allocation
 * so that buf_wipe() leaves no copy behind. `what` begins the error: "AUTH_SEAL_KEY_FILE".
 * ERR_NOT_FOUND when there is none. Logs a warning when it is `secret` and others may read
 * or change it. */
enum err_code secret_file_read(struct buf *out, const char *what, const char *path, size_t max,
                               bool secret, struct err *e);

/* A secret that is a file of its own, without the newlines that editors end it with; 4,096 bytes at
 * most, read as above. */
enum err_code secret_file_load(struct secret **out, const char *what, const char *path,
                               struct err *e);

/* Writes all of it, however many calls that takes. The bytes written: fewer than len, with errno,
 * when it failed. */
size_t fd_write_all(int fd, const void *data, size_t len);

#endif
