/* A folder and the one file in it that is replaced whole. */
#include "auth-svc/token/store_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"

#define LOCK_NAME "lock"
#define FORMER_NAME "refresh-tokens.log"
enum { FORMER_HEAD_SIZE = 16 };

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

/* Versions before this one kept a log of records. One that holds nothing but its head is no
 * loss; tokens in it must not be passed over, since those that they replaced are void. */
static enum err_code refuse_former(const struct store_file *f, struct err *e)
{
  struct stat st;
  if (fstatat(f->dir_fd, FORMER_NAME, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
      st.st_size <= FORMER_HEAD_SIZE)
    return ERR_OK;
  return err_set(e, ERR_FAILED_PRECONDITION, "state_former_version",
                 "AUTH_STATE_DIR: %s holds refresh tokens of an earlier version (" FORMER_NAME
                 "), which this one does not read; see docs/internals/auth/token.md, section \"A "
                 "refresh token that is replaced\"",
                 f->dir);
}

enum err_code store_file_open(struct store_file *f, const char *dir, const char *name,
                              struct err *e)
{
  *f = (struct store_file){.dir = dir, .name = name, .dir_fd = -1, .lock_fd = -1};
  snprintf(f->next, sizeof(f->next), "%s" STORE_FILE_NEW_SUFFIX, name);
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
  if (code == ERR_OK)
    code = refuse_former(f, e);
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
  close_fd(&f->lock_fd);
  close_fd(&f->dir_fd);
}

enum err_code store_file_read(const struct store_file *f, const char *name, struct buf *out,
                              size_t max, struct err *e)
{
  AUTO_FREE char *path = xasprintf("%s/%s", f->dir, name);
  return file_read(out, "AUTH_STATE_DIR", path, max, true, e);
}

static enum err_code put_in_place(const struct store_file *f, bool *renamed, struct err *e)
{
  *renamed = renameat(f->dir_fd, f->next, f->dir_fd, f->name) == 0;
  if (!*renamed)
    return failed(f, "put the new file in place", e);
  return fsync(f->dir_fd) == 0 ? ERR_OK : failed(f, "sync the folder", e);
}

enum err_code store_file_replace(const struct store_file *f, const struct buf *text, bool *renamed,
                                 struct err *e)
{
  *renamed = false;
  const int flags = O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW;
  int fd = openat(f->dir_fd, f->next, flags, 0600);
  bool ok = fd >= 0 && file_write_all(fd, text->data, text->len) == text->len && fsync(fd) == 0;
  enum err_code code = ok ? ERR_OK : failed(f, "write the new file", e);
  if (fd >= 0)
    close(fd);
  if (ok)
    code = put_in_place(f, renamed, e);
  if (code != ERR_OK)
    store_file_drop_new(f);
  return code;
}

enum err_code store_file_adopt_new(const struct store_file *f, struct err *e)
{
  int fd = openat(f->dir_fd, f->next, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  bool renamed = false, ok = fd >= 0 && fsync(fd) == 0;
  enum err_code code = ok ? ERR_OK : failed(f, "sync the new file", e);
  if (fd >= 0)
    close(fd);
  return ok ? put_in_place(f, &renamed, e) : code;
}

void store_file_drop_new(const struct store_file *f)
{
  unlinkat(f->dir_fd, f->next, 0);
}
