/* Reads and writes small files. */
#include "ga4-sim/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"

enum err_code file_write_private(const char *path, const struct buf *content, struct err *e)
{
  AUTO_FREE char *part = xasprintf("%s.part", path);
  unlink(part);
  int fd = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  bool ok = fd >= 0 && !content->failed;
  for (size_t done = 0; ok && done < content->len;) {
    ssize_t n = write(fd, content->data + done, content->len - done);
    ok = n > 0;
    done += ok ? (size_t)n : 0;
  }
  int problem = errno;
  if (fd >= 0 && close(fd) != 0)
    ok = false;
  if (ok && rename(part, path) == 0)
    return ERR_OK;
  unlink(part);
  return err_set(e, ERR_UNAVAILABLE, "write", "cannot write %s: %s", path, strerror(problem));
}

bool file_read(const char *path, struct buf *out)
{
  FILE *f = fopen(path, "re");
  if (f == NULL)
    return false;
  char part[4096];
  size_t n;
  bool ok = true;
  while (ok && (n = fread(part, 1, sizeof(part), f)) > 0)
    ok = buf_append(out, part, n);
  ok = ok && !ferror(f);
  fclose(f);
  return ok;
}
