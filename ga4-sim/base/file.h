/* Files the simulator writes for others: whole or not at all, for their owner only. */
#ifndef GA4_SIM_FILE_H
#define GA4_SIM_FILE_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/error.h"

/* Writes beside the target (mode 0600) and renames. */
enum err_code file_write_private(const char *path, const struct buf *content, struct err *e);
/* Appends a file to out; false when it cannot be read or does not fit. */
bool file_read(const char *path, struct buf *out);

#endif
