/* The audit log's file: appending, syncing, rotating, and what others may do to it. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/audit/internal.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"

/* Between two tries to sync after a failed one: each blocks the caller it comes from. */
enum { RETRY_MS = 200 };

/* -------------------------------------------------------------------- opening */

int audit_file_open(const char *path, int more_flags)
{
  int fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NONBLOCK | more_flags, 0600);
  struct stat st;
  int error = 0;
  if (fd < 0)
    return -1;
  if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
    error = EINVAL;
  else if (flock(fd, LOCK_EX | LOCK_NB) != 0)
    error = errno;
  if (error == 0)
    return fd;
  close(fd);
  errno = error;
  return -1;
}

bool audit_file_take(struct audit *a, int fd)
{
  struct stat st;
  if (fstat(fd, &st) != 0)
    return false;
  if (a->fd >= 0)
    close(a->fd);
  a->fd = fd;
  a->dev = st.st_dev;
  a->ino = st.st_ino;
  a->size = a->synced = (uint64_t)st.st_size;
  a->rotate_at = a->max_bytes;
  a->torn = a->sync_failed = false;
  return true;
}

/* ------------------------------------------------------------------ appending */

/* Half a line must not stay, nor a line that was not answered for. */
static bool take_back(struct audit *a)
{
  a->torn = a->path != NULL && ftruncate(a->fd, (off_t)a->size) != 0;
  if (a->torn)
    log_error("a torn line cannot be taken out of the audit log yet",
              LOG_S("error", strerror(errno)));
  return !a->torn;
}

bool audit_file_append(struct audit *a, const char *data, size_t len)
{
  errno = 0;
  size_t done = file_write_all(a->fd, data, len);
  bool ok = done == len;
  if (ok && a->fsync == AUDIT_FSYNC_ALWAYS && a->path != NULL)
    ok = fdatasync(a->fd) == 0;
  if (ok) {
    a->size += len;
    a->dirty = true;
    return true;
  }
  int error = errno != 0 ? errno : ENOSPC;
  if (done > 0)
    take_back(a);
  errno = error;
  return false;
}

/* -------------------------------------------------------- what others may do */

/* Without overwriting what is there by that name. */
static bool rename_to_free_name(const char *from, char **name)
{
  AUTO_FREE char *base = *name;
  for (int i = 0; i < 100; i++) {
    *name = i == 0 ? xstrdup(base) : xasprintf("%s.%d", base, i);
    if (renameat2(AT_FDCWD, from, AT_FDCWD, *name, RENAME_NOREPLACE) == 0)
      return true;
    int error = errno;
    bool taken = access(*name, F_OK) == 0;
    /* File systems that do not know the flag. */
    if ((error == EINVAL || error == ENOSYS) && !taken && rename(from, *name) == 0)
      return true;
    errno = error;
    if (error != EEXIST && !taken)
      return false;
    free(TAKE_PTR(*name));
  }
  *name = NULL;
  return false;
}

/* Something that is not a file of ours has the name: kept as evidence, out of the way. */
static bool set_aside(struct audit *a)
{
  char *name = xasprintf("%s.replaced.%012" PRIu64, a->path, a->chain.seq);
  bool ok = rename_to_free_name(a->path, &name);
  int error = errno;
  if (ok)
    audit_owe(a, "audit_damaged", "somebody replaced the file; what was there is now %s",
              file_name(name));
  free(name);
  errno = error;
  return ok;
}

/* Goes on in a new file, since the one before has left its place. */
static bool begin_new_file(struct audit *a, const char *before)
{
  struct stat st;
  int fd = audit_file_open(a->path, 0);
  if (fd >= 0 && fstat(fd, &st) == 0 && st.st_size > 0) {
    close(fd);
    fd = set_aside(a) ? audit_file_open(a->path, O_EXCL) : -1;
  }
  if (fd < 0)
    return false;
  if (a->fsync != AUDIT_FSYNC_NEVER && fdatasync(a->fd) != 0)
    log_error("the end of the former audit log cannot be synced", LOG_S("error", strerror(errno)));
  if (!audit_file_take(a, fd)) {
    close(fd);
    return false;
  }
  audit_owe(a, "continued", "%s", before);
  return true;
}

/* Bytes that are not ours, or ours that are gone. The chain shows which; a line says that it
 * was noticed. */
static bool note_change(struct audit *a, uint64_t size)
{
  char last = '\n';
  uint64_t were = a->size;
  if (size > 0 && pread(a->fd, &last, 1, (off_t)size - 1) != 1)
    return false;
  a->size = size;
  a->synced = a->synced < size ? a->synced : size;
  if (last != '\n' && !audit_file_append(a, "\n", 1)) {
    a->size = were; /* noticed again with the next line */
    return false;
  }
  log_error("somebody changed the audit log", LOG_S("path", a->path), LOG_I("bytes_were", were),
            LOG_I("bytes_are", size));
  audit_owe(a, "audit_damaged",
            "somebody changed the file: it had %" PRIu64 " bytes, and %" PRIu64 " were there", were,
            size);
  return true;
}

bool audit_file_settle(struct audit *a)
{
  struct stat st;
  if (a->path == NULL)
    return true;
  if (a->torn && !take_back(a))
    return false;
  bool there = stat(a->path, &st) == 0;
  if (!there && errno != ENOENT)
    return false;
  if (!there || st.st_dev != a->dev || st.st_ino != a->ino) {
    log_error("somebody moved, deleted or replaced the audit log: a new one begins",
              LOG_S("path", a->path));
    return begin_new_file(a, "the file before was moved or deleted");
  }
  return (uint64_t)st.st_size == a->size || note_change(a, (uint64_t)st.st_size);
}

/* ------------------------------------------------------------------- rotating */

void audit_file_rotate(struct audit *a)
{
  AUTO_FREE char *old = xasprintf("%s.%012" PRIu64, a->path, a->chain.seq);
  bool synced = fdatasync(a->fd) == 0, renamed = synced && rename_to_free_name(a->path, &old);
  if (renamed && begin_new_file(a, file_name(old))) {
    log_info("audit log rotated", LOG_S("path", old));
    a->retain_at_ms = 0;
    if (a->keep_bytes > 0)
      pthread_cond_signal(&a->wake); /* the keeper deletes what is too much now */
    return;
  }
  int error = errno;
  if (renamed && rename(old, a->path) != 0)
    log_error("the audit log has lost its name", LOG_S("path", old));
  log_error("the audit log cannot be rotated and goes on in the same file",
            LOG_S("error", strerror(error)));
  a->sync_failed = a->failed = !synced;
  a->rotate_at = a->size + a->max_bytes / 8; /* not with every line */
}

/* -------------------------------------------------------------------- syncing */

/* Through a descriptor that does not append. */
static bool write_again(const struct audit *a, int to)
{
  char part[65536];
  for (uint64_t at = a->synced; at < a->size;) {
    size_t want = a->size - at < sizeof(part) ? (size_t)(a->size - at) : sizeof(part);
    ssize_t n = pread(a->fd, part, want, (off_t)at);
    if (n <= 0 || pwrite(to, part, (size_t)n, (off_t)at) != n)
      return false;
    at += (uint64_t)n;
  }
  return fdatasync(to) == 0;
}

/* The kernel may call pages clean that never reached the disk, so that the next sync finds
 * nothing to do: only writing them again brings them there. */
bool audit_file_sync_again(struct audit *a)
{
  struct stat st;
  if (!a->sync_failed)
    return true;
  errno = EIO;
  if (a->mono_ms() < a->retry_ms)
    return false;
  a->retry_ms = a->mono_ms() + RETRY_MS;
  int fd = open(a->path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
  bool ok = fd >= 0 && fstat(fd, &st) == 0 && st.st_dev == a->dev && st.st_ino == a->ino &&
            write_again(a, fd);
  int error = errno;
  if (fd >= 0)
    close(fd);
  if (ok) {
    a->synced = a->size;
    a->sync_failed = false;
  }
  errno = error;
  return ok;
}
