/* Reads in one allocation, and complains when others may read a secret. */
#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"

static void warn_if_exposed(const struct stat *st, const char *what, const char *path)
{
  char mode[8];
  snprintf(mode, sizeof(mode), "%03o", (unsigned)(st->st_mode & 0777));
  if (S_ISREG(st->st_mode) && (st->st_mode & (S_IROTH | S_IWOTH | S_IWGRP)) != 0)
    log_warn("file with secrets is open to others; chmod 600 it", LOG_S("setting", what),
             LOG_S("path", path), LOG_S("mode", mode));
}

static enum err_code read_all(struct buf *out, int fd, const char *what, const char *path,
                              size_t max, bool secret, struct err *e)
{
  struct stat st = {0};
  bool regular = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size >= 0;
  size_t room = regular && (size_t)st.st_size < max ? (size_t)st.st_size + 1 : max + 1;
  char *p = buf_reserve(out, room);
  if (secret)
    warn_if_exposed(&st, what, path);
  while (p != NULL && out->len < room) {
    ssize_t n = read(fd, out->data + out->len, room - out->len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n < 0)
      return err_set(e, ERR_UNAVAILABLE, "unreadable_file", "%s: cannot read %s: %s", what, path,
                     strerror(errno));
    if (n == 0)
      break;
    out->len += (size_t)n;
  }
  if (p == NULL || out->len > max)
    return err_set(e, ERR_INVALID_ARGUMENT, "file_too_large", "%s: %s is larger than %zu bytes",
                   what, path, max);
  out->data[out->len] = '\0';
  return ERR_OK;
}

enum err_code file_read(struct buf *out, const char *what, const char *path, size_t max,
                        bool secret, struct err *e)
{
  *out = BUF_SECRET(max + 1);
  int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return err_set(e, errno == ENOENT ? ERR_NOT_FOUND : ERR_INVALID_ARGUMENT, "unreadable_file",
                   "%s: cannot open %s: %s", what, path, strerror(errno));
  enum err_code code = read_all(out, fd, what, path, max, secret, e);
  close(fd);
  if (code != ERR_OK)
    buf_free(out);
  return code;
}

size_t file_write_all(int fd, const void *data, size_t len)
{
  size_t done = 0;
  while (done < len) {
    ssize_t n = write(fd, (const char *)data + done, len - done);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      break;
    done += (size_t)n;
  }
  return done;
}

char *file_folder(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash == NULL   ? xstrdup(".")
         : slash == path ? xstrdup("/")
                         : xstrndup(path, (size_t)(slash - path));
}

const char *file_name(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash != NULL ? slash + 1 : path;
}
