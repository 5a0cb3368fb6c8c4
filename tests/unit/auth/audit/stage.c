/* The stage of the audit log's tests, and system calls that fail where a test says so. */
#include "tests/unit/auth/audit/stage.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

/* -------------------------------------------------------- system calls that fail */

atomic_int write_errno, sync_errno, rename_errno;
atomic_int syncs, rewritten_bytes, renames;
atomic_llong clock_behind_s;
atomic_llong free_bytes = -1;

static pthread_mutex_t sync_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t sync_done = PTHREAD_COND_INITIALIZER;

ssize_t write(int fd, const void *data, size_t len)
{
  int error = fd > 2 ? atomic_load(&write_errno) : 0;
  if (error != 0) {
    errno = error;
    return -1;
  }
  return syscall(SYS_write, fd, data, len);
}

int fdatasync(int fd)
{
  int error = atomic_load(&sync_errno);
  int result = error != 0 ? -1 : (int)syscall(SYS_fdatasync, fd);
  pthread_mutex_lock(&sync_lock);
  atomic_fetch_add(&syncs, 1);
  pthread_cond_broadcast(&sync_done);
  pthread_mutex_unlock(&sync_lock);
  if (error != 0)
    errno = error;
  return result;
}

bool wait_for_sync(int before)
{
  struct timespec until; /* on the true clock: the test sets ours back */
  syscall(SYS_clock_gettime, CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  int timed_out = 0;
  pthread_mutex_lock(&sync_lock);
  while (atomic_load(&syncs) <= before && timed_out == 0)
    timed_out = pthread_cond_timedwait(&sync_done, &sync_lock, &until);
  pthread_mutex_unlock(&sync_lock);
  return timed_out == 0;
}

ssize_t pwrite(int fd, const void *data, size_t len, off_t at)
{
  if (len != 86) /* the head */
    atomic_fetch_add(&rewritten_bytes, (int)len);
  return syscall(SYS_pwrite64, fd, data, len, at);
}

int renameat2(int from_dir, const char *from, int to_dir, const char *to, unsigned flags)
{
  int error = atomic_load(&rename_errno);
  atomic_fetch_add(&renames, 1);
  if (error != 0) {
    errno = error;
    return -1;
  }
  return (int)syscall(SYS_renameat2, from_dir, from, to_dir, to, flags);
}

int clock_gettime(clockid_t id, struct timespec *out)
{
  int result = (int)syscall(SYS_clock_gettime, id, out);
  if (id == CLOCK_REALTIME)
    out->tv_sec -= (time_t)atomic_load(&clock_behind_s);
  return result;
}

int fstatvfs(int fd, struct statvfs *out)
{
  long long bytes = atomic_load(&free_bytes);
  *out = (struct statvfs){.f_frsize = 512,
                          .f_bavail = (fsblkcnt_t)(bytes >= 0 ? bytes / 512 : 1 << 30)};
  return fd >= 0 ? 0 : -1;
}

/* ------------------------------------------------------------------------- the stage */

char *dir, *path, *head;
struct keyring *ring;
uint32_t sync_every_ms;
uint64_t keep_bytes, keep_days, warn_free_bytes;

struct keyring *ring_of(const char *text)
{
  struct keyring *k = NULL;
  CU_ASSERT_EQUAL_FATAL(keyring_parse(&k, "RING", text, strlen(text), NULL), ERR_OK);
  return k;
}

void stage(void)
{
  dir = folder_make();
  path = xasprintf("%s/audit.log", dir);
  head = xasprintf("%s/audit.log.head", dir);
  ring = ring_of(KEY_A);
  sync_every_ms = 0;
  keep_bytes = keep_days = warn_free_bytes = 0;
}

void strike(void)
{
  folder_remove(dir);
  keyring_unref(ring);
  free(dir);
  free(path);
  free(head);
}

static atomic_llong mono_ms = 1000; /* stands still but for a test */

static int64_t stage_mono_ms(void)
{
  return atomic_load(&mono_ms);
}

void let_pass_ms(int64_t ms)
{
  atomic_fetch_add(&mono_ms, ms);
}

struct audit *open_log(enum audit_fsync fsync, uint64_t max_bytes)
{
  const struct audit_options options = {.path = path,
                                        .keyring = ring,
                                        .fsync = fsync,
                                        .max_bytes = max_bytes,
                                        .keep_bytes = keep_bytes,
                                        .keep_days = keep_days,
                                        .warn_free_bytes = warn_free_bytes,
                                        .sync_every_ms = sync_every_ms,
                                        .mono_ms = stage_mono_ms};
  struct audit *a = NULL;
  struct err e = {0};
  if (audit_open(&a, &options, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  return a;
}

enum err_code put(struct audit *a, const char *subject)
{
  const struct audit_event event = {.event = "authenticate", .result = "ok", .subject = subject};
  struct err e = {0};
  enum err_code code = audit_write(a, &event, &e);
  CU_ASSERT_TRUE(code == ERR_OK || strcmp(e.reason, "audit_unavailable") == 0);
  return code;
}

char *slurp(const char *file)
{
  static char text[1 << 20];
  FILE *f = fopen(file, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  size_t len = fread(text, 1, sizeof(text) - 1, f);
  fclose(f);
  text[len] = '\0';
  return text;
}

void expect_in(const char *file, const char *shown)
{
  const char *text = slurp(file);
  if (strstr(text, shown) == NULL)
    printf("\n  wanted %s\n  in %s\n", shown, text);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, shown));
}

size_t lines_with(const char *shown)
{
  char line[AUDIT_LINE_MAX + 2];
  size_t n = 0;
  FILE *f = fopen(path, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  while (fgets(line, sizeof(line), f) != NULL)
    n += strchr(line, '\n') != NULL && strstr(line, shown) != NULL;
  fclose(f);
  return n;
}

bool wait_for_lines(size_t n)
{
  for (int i = 0; i < 10000 && lines_with("{\"audit\":") < n; i++)
    usleep(2000); /* another thread writes them */
  return lines_with("{\"audit\":") >= n;
}

static void note(void *user, const char *file, size_t line, const char *what)
{
  struct found *f = user;
  (void)file;
  if (f->n++ > 0)
    return;
  f->line = line;
  snprintf(f->what, sizeof(f->what), "%s", what);
}

struct err verify_files(const char *const *files, size_t n, const struct keyring *keys,
                        struct found *f, struct audit_findings *findings)
{
  struct err e = {0};
  *f = (struct found){0};
  audit_verify(findings, files, n, keys, false, note, f, &e);
  return e;
}

void expect_faults(size_t n, size_t line, const char *what)
{
  const char *file = path;
  struct audit_findings findings;
  struct found f;
  struct err e = verify_files(&file, 1, ring, &f, &findings);
  if (e.code != ERR_OK || f.n != n || (n > 0 && (f.line != line || !strstr(f.what, what))))
    printf("\n  wanted %zu faults, first in line %zu: %s\n  got %zu, line %zu: %s %s\n", n, line,
           what, f.n, f.line, f.what, e.message);
  CU_ASSERT_EQUAL(e.code, ERR_OK);
  CU_ASSERT_EQUAL(f.n, n);
  CU_ASSERT_TRUE(n == 0 || (f.line == line && strstr(f.what, what) != NULL));
}

void append_text(const char *text)
{
  FILE *f = fopen(path, "a");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
}
