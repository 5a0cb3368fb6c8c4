/* The folder and the file of the token store. */
#include "auth-svc/token/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"

#define NEW_NAME STORE_FILE_NAME ".new"
#define LOCK_NAME "lock"

static enum err_code failed(const struct store_file *f, const char *what, struct err *e)
{
  return err_set(e, ERR_UNAVAILABLE, "state_unwritable", "AUTH_STATE_DIR: cannot %s in %s: %s",
                 what, f->dir, strerror(errno));
}

static enum err_code take_lock(struct store_file *f, struct err *e)
{
  f->lock_fd = openat(f->dir_fd, LOCK_NAME, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (f->lock_fd < 0)
    return failed(f, "make the lock file", e);
  if (flock(f->lock_fd, LOCK_EX | LOCK_NB) == 0)
    return ERR_OK;
  return err_set(e, ERR_UNAVAILABLE, "state_in_use",
                 "AUTH_STATE_DIR: %s is in use by another auth-svc; give each one its own, or stop "
                 "the other first",
                 f->dir);
}

enum err_code store_file_open(struct store_file *f, const char *dir, struct err *e)
{
  *f = (struct store_file){.dir = dir, .dir_fd = -1, .lock_fd = -1, .fd = -1};
  struct stat st;
  if (mkdir(dir, 0700) != 0 && errno != EEXIST)
    return failed(f, "make the folder", e);
  f->dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (f->dir_fd < 0)
    return failed(f, "open the folder", e);
  if (fstat(f->dir_fd, &st) == 0 && (st.st_mode & (S_IRWXO | S_IWGRP)) != 0)
    log_warn("folder with refresh tokens is open to others; chmod 700 it",
             LOG_S("setting", "AUTH_STATE_DIR"), LOG_S("path", dir));
  enum err_code code = take_lock(f, e);
  if (code != ERR_OK)
    store_file_close(f);
  return code;
}

static void close_fd(int *fd)
{
  if (*fd >= 0)
    close(*fd);
  *fd = -1;
}

void store_file_close(struct store_file *f)
{
  close_fd(&f->fd);
  close_fd(&f->lock_fd);
  close_fd(&f->dir_fd);
}

static bool read_to_end(int fd, struct buf *out, size_t size)
{
  char *p = buf_reserve(out, size);
  while (p != NULL && out->len < size) {
    ssize_t n = pread(fd, out->data + out->len, size - out->len, (off_t)out->len);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return n == 0;
    out->len += (size_t)n;
  }
  return p != NULL;
}

enum err_code store_file_read(struct store_file *f, struct buf *out, size_t max, struct err *e)
{
  struct stat st;
  unlinkat(f->dir_fd, NEW_NAME, 0); /* of a process that died while it wrote */
  f->fd = openat(f->dir_fd, STORE_FILE_NAME, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
  if (f->fd < 0 && errno == ENOENT)
    return ERR_OK;
  if (f->fd < 0 || fstat(f->fd, &st) != 0)
    return failed(f, "open " STORE_FILE_NAME, e);
  if (st.st_size < 0 || (size_t)st.st_size > max)
    return err_set(e, ERR_DATA_LOSS, "state_damaged",
                   "AUTH_STATE_DIR: " STORE_FILE_NAME " in %s is larger than %zu bytes", f->dir,
                   max);
  return read_to_end(f->fd, out, (size_t)st.st_size) ? ERR_OK
                                                     : failed(f, "read " STORE_FILE_NAME, e);
}

void store_file_set_aside(const struct store_file *f)
{
  unlinkat(f->dir_fd, STORE_FILE_NAME ".damaged", 0);
  if (linkat(f->dir_fd, STORE_FILE_NAME, f->dir_fd, STORE_FILE_NAME ".damaged", 0) != 0)
    log_warn("cannot keep a copy of the damaged file", LOG_S("error", strerror(errno)));
}

static bool write_all(int fd, const char *data, size_t len, size_t at)
{
  while (len > 0) {
    ssize_t n = pwrite(fd, data, len, (off_t)at);
    if (n < 0 && errno == EINTR)
      continue;
    if (n <= 0)
      return false;
    data += n;
    len -= (size_t)n;
    at += (size_t)n;
  }
  return true;
}

bool store_file_append(struct store_file *f, const void *data, size_t len)
{
  if (!write_all(f->fd, data, len, f->bytes)) {
    /* The next record must not stand behind half a one. */
    if (ftruncate(f->fd, (off_t)f->bytes) != 0)
      log_warn("cannot cut off half a record", LOG_S("error", strerror(errno)));
    return false;
  }
  f->bytes += len;
  return true;
}

int store_file_write_new(const struct store_file *f, const void *data, size_t len, struct err *e)
{
  int fd = openat(f->dir_fd, NEW_NAME, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd >= 0 && write_all(fd, data, len, 0) && fsync(fd) == 0)
    return fd;
  failed(f, "write " NEW_NAME, e);
  if (fd >= 0)
    close(fd);
  unlinkat(f->dir_fd, NEW_NAME, 0);
  return -1;
}

enum err_code store_file_replace(struct store_file *f, int fd, size_t bytes, const void *more,
                                 size_t more_len, struct err *e)
{
  /* Before the rename: from then on a killed process must find everything in it. */
  if ((more_len > 0 && !write_all(fd, more, more_len, bytes)) ||
      renameat(f->dir_fd, NEW_NAME, f->dir_fd, STORE_FILE_NAME) != 0) {
    failed(f, "put " NEW_NAME " in place", e);
    close(fd);
    return ERR_UNAVAILABLE;
  }
  close_fd(&f->fd);
  f->fd = fd;
  f->bytes = bytes + more_len;
  return ERR_OK;
}

enum err_code store_file_sync_dir(const struct store_file *f, struct err *e)
{
  return fsync(f->dir_fd) == 0 ? ERR_OK : failed(f, "sync the folder", e);
}
