/* Deletes rotated audit files by age and by size, from the oldest on, so that what is left is
 * whole. A line says so before each: the verification of the rest then knows why it begins where it
 * does. */
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/audit/internal.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { LOOK_MS = 60 * 1000, AFTER_FAILURE_MS = 60 * 60 * 1000, FILES_MAX = 100000 };

struct rotated {
  char *path;
  uint64_t last_seq; /* by its name */
  uint64_t bytes;
  int64_t changed_s;
};

struct rotated_list {
  struct rotated *items;
  size_t n, room;
  uint64_t bytes;
};

static void list_free(struct rotated_list *l)
{
  for (size_t i = 0; i < l->n; i++)
    free(l->items[i].path);
  free(l->items);
}

/* "<base>.000000000120", or with a second number where that name was taken: as audit_file_rotate()
 * makes them, and nothing else. */
static bool is_rotated(const char *name, const char *base, uint64_t *last_seq)
{
  size_t len = strlen(base);
  if (strncmp(name, base, len) != 0 || name[len] != '.')
    return false;
  const char *digits = name + len + 1;
  size_t n = strspn(digits, "0123456789");
  const char *rest = digits + n;
  *last_seq = strtoull(digits, NULL, 10);
  return n >= 12 && n <= 19 &&
         (*rest == '\0' ||
          (*rest == '.' && rest[1] != '\0' && rest[1 + strspn(rest + 1, "0123456789")] == '\0'));
}

static void list_add(struct rotated_list *l, char *path, uint64_t last_seq)
{
  struct stat st;
  if (l->n == FILES_MAX || lstat(path, &st) != 0 || !S_ISREG(st.st_mode)) {
    free(path);
    return;
  }
  if (l->n == l->room) {
    l->room = l->room > 0 ? 2 * l->room : 64;
    l->items = xrealloc(l->items, l->room * sizeof(*l->items));
  }
  l->items[l->n++] =
      (struct rotated){path, last_seq, (uint64_t)st.st_size, (int64_t)st.st_mtim.tv_sec};
  l->bytes += (uint64_t)st.st_size;
}

static int by_age(const void *a, const void *b)
{
  const struct rotated *x = a, *y = b;
  if (x->last_seq != y->last_seq)
    return x->last_seq < y->last_seq ? -1 : 1;
  return strcmp(x->path, y->path);
}

/* All rotated files of the log, oldest first. False when the folder cannot be read. */
static bool list_read(struct rotated_list *l, const char *path)
{
  const char *base = file_name(path);
  AUTO_FREE char *dir = file_folder(path);
  DIR *d = opendir(dir);
  const struct dirent *entry;
  uint64_t last_seq;
  while (d != NULL && (entry = readdir(d)) != NULL)
    if (is_rotated(entry->d_name, base, &last_seq))
      list_add(l, xasprintf("%s/%s", dir, entry->d_name), last_seq);
  if (d != NULL)
    closedir(d);
  if (l->n > 1)
    qsort(l->items, l->n, sizeof(*l->items), by_age);
  return d != NULL;
}

/* Why the file has to go; NULL: it stays. */
static const char *reason_of(const struct audit *a, const struct rotated *f, uint64_t bytes)
{
  int64_t oldest_s = a->unix_ms() / 1000 - (int64_t)(a->keep_days * 86400);
  return a->keep_bytes > 0 && bytes > a->keep_bytes    ? "size"
         : a->keep_days > 0 && f->changed_s < oldest_s ? "age"
                                                       : NULL;
}

/* The line first. On a full disk it is owed, because what is deleted makes the room for it. */
static void say(struct audit *a, const struct rotated *f, const char *reason)
{
  char detail[300];
  snprintf(detail, sizeof(detail), "%.200s, %" PRIu64 " bytes", file_name(f->path), f->bytes);
  const struct audit_event event = {.event = "audit_deleted",
                                    .result = "ok",
                                    .reason = reason,
                                    .detail = detail,
                                    .through = f->last_seq};
  bool ok = audit_make_ready(a) && audit_put(a, &event);
  if (!ok)
    audit_owe_event(a, &event);
  metric_add(a->lines, 1, METRIC_LABELS(ok ? "ok" : "failed"));
}

static bool delete_file(struct audit *a, const struct rotated *f, const char *reason)
{
  if (access(f->path, F_OK) != 0)
    return true;
  say(a, f, reason);
  if (unlink(f->path) == 0) {
    log_info("an old audit file is deleted", LOG_S("path", f->path), LOG_S("reason", reason));
    return true;
  }
  log_error("an old audit file cannot be deleted", LOG_S("path", f->path),
            LOG_S("error", strerror(errno)));
  return false;
}

/* From the oldest on, up to the first that stays. */
static bool delete_oldest(struct audit *a, const struct rotated_list *l)
{
  uint64_t bytes = l->bytes;
  const char *reason;
  for (size_t i = 0; i < l->n && (reason = reason_of(a, &l->items[i], bytes)) != NULL; i++) {
    if (!delete_file(a, &l->items[i], reason))
      return false;
    bytes -= l->items[i].bytes;
  }
  return true;
}

void audit_retain(struct audit *a)
{
  struct rotated_list l = {0};
  const int64_t now = a->mono_ms();
  if (a->path == NULL || a->keep_bytes + a->keep_days == 0 || now < a->retain_at_ms)
    return;
  a->retain_at_ms = now + LOOK_MS;
  bool ok = list_read(&l, a->path);
  if (!ok)
    log_error("the folder of the audit log cannot be read, so no old file of it is deleted",
              LOG_S("path", a->path), LOG_S("error", strerror(errno)));
  if (!ok || !delete_oldest(a, &l))
    a->retain_at_ms = now + AFTER_FAILURE_MS;
  list_free(&l);
}
