/* The audit log against a disk that fails and people who meddle: nothing is answered without a
 * line, and what was done shows. System calls fail where a test says so. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "auth-svc/audit.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/folder.h"
#include "tests/unit/harness.h"

/* -------------------------------------------------------- system calls that fail */

static atomic_int write_errno, sync_errno, rename_errno; /* 0: they work */
static atomic_int syncs, rewritten_bytes, renames;
static atomic_llong clock_behind_s; /* of the wall clock */

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
  atomic_fetch_add(&syncs, 1);
  if (error != 0) {
    errno = error;
    return -1;
  }
  return (int)syscall(SYS_fdatasync, fd);
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

/* ------------------------------------------------------------------------- the stage */

#define KEY_A "a: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_B "b: f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define FALSE_A "a: 200102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static char *dir, *path, *head;
static struct keyring *ring; /* a */

static struct keyring *ring_of(const char *text)
{
  struct keyring *k = NULL;
  CU_ASSERT_EQUAL_FATAL(keyring_parse(&k, "RING", text, strlen(text), NULL), ERR_OK);
  return k;
}

static void stage(void)
{
  dir = folder_make();
  path = xasprintf("%s/audit.log", dir);
  head = xasprintf("%s/audit.log.head", dir);
  ring = ring_of(KEY_A);
}

static void strike(void)
{
  folder_remove(dir);
  keyring_unref(ring);
  free(dir);
  free(path);
  free(head);
}

static struct audit *open_log(enum audit_fsync fsync, uint64_t max_bytes)
{
  const struct audit_options options = {
      .path = path, .keyring = ring, .fsync = fsync, .max_bytes = max_bytes};
  struct audit *a = NULL;
  struct err e = {0};
  if (audit_open(&a, &options, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  return a;
}

static enum err_code put(struct audit *a, const char *subject)
{
  const struct audit_event event = {.event = "authenticate", .result = "ok", .subject = subject};
  struct err e = {0};
  enum err_code code = audit_write(a, &event, &e);
  CU_ASSERT_TRUE(code == ERR_OK || strcmp(e.reason, "audit_unavailable") == 0);
  return code;
}

static char *slurp(const char *file)
{
  static char text[1 << 20];
  FILE *f = fopen(file, "r");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  size_t len = fread(text, 1, sizeof(text) - 1, f);
  fclose(f);
  text[len] = '\0';
  return text;
}

static void expect_in(const char *file, const char *shown)
{
  const char *text = slurp(file);
  if (strstr(text, shown) == NULL)
    printf("\n  wanted %s\n  in %s\n", shown, text);
  CU_ASSERT_PTR_NOT_NULL(strstr(text, shown));
}

struct found {
  size_t n, line;
  char what[700];
};

static void note(void *user, const char *file, size_t line, const char *what)
{
  struct found *f = user;
  (void)file;
  if (f->n++ > 0)
    return;
  f->line = line;
  snprintf(f->what, sizeof(f->what), "%s", what);
}

static struct err verify_files(const char *const *files, size_t n, const struct keyring *keys,
                               struct found *f, struct audit_findings *findings)
{
  struct err e = {0};
  *f = (struct found){0};
  audit_verify(findings, files, n, keys, false, note, f, &e);
  return e;
}

static void expect_faults(size_t n, size_t line, const char *what)
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

static bool refused_within(struct audit *a, int ms)
{
  for (int i = 0; i < ms / 10; i++) {
    if (put(a, "waiting") != ERR_OK)
      return true;
    usleep(10000);
  }
  return false;
}

/* --------------------------------------------------------------- a disk that fails */

static void a_failed_sync_refuses_until_the_lines_are_written_again(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_SECOND, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  atomic_store(&sync_errno, EIO);
  CU_ASSERT_TRUE(refused_within(a, 5000));
  usleep(250000);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_UNAVAILABLE); /* and not only once */
  CU_ASSERT_FALSE(audit_is_writable(a));
  uint64_t lines = audit_seq(a);
  atomic_store(&rewritten_bytes, 0);
  atomic_store(&sync_errno, 0);
  usleep(250000);
  CU_ASSERT_TRUE(audit_is_writable(a));
  CU_ASSERT_TRUE(atomic_load(&rewritten_bytes) > 100); /* what the sync may have lost */
  CU_ASSERT_EQUAL(put(a, "cid"), ERR_OK);
  CU_ASSERT_EQUAL(audit_seq(a), lines + 2);
  audit_close(a);
  expect_in(path, "\"event\":\"audit_resumed\"");
  CU_ASSERT_PTR_NULL(strstr(slurp(path), "bob"));
  expect_faults(0, 0, "");
  strike();
}

static void a_line_that_cannot_be_synced_before_the_answer_is_taken_back(void)
{
  struct stat before, after;
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_ALWAYS, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_EQUAL(stat(path, &before), 0);
  atomic_store(&sync_errno, EIO);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_UNAVAILABLE);
  CU_ASSERT_EQUAL(stat(path, &after), 0);
  CU_ASSERT_EQUAL(after.st_size, before.st_size);
  atomic_store(&sync_errno, 0);
  CU_ASSERT_EQUAL(put(a, "cid"), ERR_OK);
  audit_close(a);
  expect_faults(0, 0, "");
  strike();
}

static void a_disk_that_turned_read_only_refuses_and_comes_back(void)
{
  static const int errors[] = {EROFS, ENOSPC, EIO, EDQUOT};
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_SECOND, 0);
  for (size_t i = 0; i < ARRAY_LEN(errors); i++) {
    CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
    atomic_store(&write_errno, errors[i]);
    CU_ASSERT_EQUAL(put(a, "bob"), ERR_UNAVAILABLE);
    CU_ASSERT_EQUAL(put(a, "bob"), ERR_UNAVAILABLE);
    CU_ASSERT_FALSE(audit_is_writable(a));
    atomic_store(&write_errno, 0);
    CU_ASSERT_TRUE(audit_is_writable(a));
    expect_in(path, "\"audit_resumed\",\"result\":\"ok\",\"detail\":\"2 calls were refused\"");
  }
  audit_close(a);
  CU_ASSERT_PTR_NULL(strstr(slurp(path), "bob"));
  expect_faults(0, 0, "");
  strike();
}

/* ------------------------------------------------------------ people who meddle */

static void a_file_that_was_moved_away_is_begun_anew_and_both_verify(void)
{
  struct found f;
  struct audit_findings findings;
  stage();
  AUTO_FREE char *moved = xasprintf("%s/moved", dir);
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_EQUAL(rename(path, moved), 0);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  audit_close(a);
  expect_in(path, "\"event\":\"continued\"");
  expect_in(path, "bob");
  const char *const both[] = {moved, path};
  CU_ASSERT_EQUAL(verify_files(both, 2, ring, &f, &findings).code, ERR_OK);
  CU_ASSERT_EQUAL(f.n, 0);
  strike();
}

static void a_file_put_in_its_place_is_kept_aside_as_evidence(void)
{
  stage();
  AUTO_FREE char *aside = xasprintf("%s.replaced.000000000001", path);
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  folder_replace(dir, "audit.log", "an innocent text\n");
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "cid"), ERR_OK);
  audit_close(a);
  CU_ASSERT_STRING_EQUAL(slurp(aside), "an innocent text\n");
  expect_in(path, "{\"audit\":1,\"seq\":2,");
  expect_in(path, "\"event\":\"audit_damaged\"");
  expect_in(path, "audit.log.replaced.000000000001");
  expect_faults(0, 0, "");
  strike();
}

static void another_service_in_its_place_is_not_disturbed(void)
{
  stage();
  AUTO_FREE char *moved = xasprintf("%s/moved", dir);
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0), *other;
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_EQUAL(rename(path, moved), 0);
  other = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(other, "other"), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_UNAVAILABLE); /* the name is not ours */
  CU_ASSERT_EQUAL(put(other, "other"), ERR_OK);
  audit_close(other);
  audit_close(a);
  expect_faults(0, 0, "");
  strike();
}

static void append_text(const char *text)
{
  FILE *f = fopen(path, "a");
  CU_ASSERT_PTR_NOT_NULL_FATAL(f);
  fputs(text, f);
  fclose(f);
}

static void text_put_in_by_somebody_is_noticed_at_once(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  append_text("half a line");
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "cid"), ERR_OK);
  audit_close(a);
  expect_in(path, "half a line\n{\"audit\":1,\"seq\":2,");
  expect_in(path,
            "\"event\":\"audit_damaged\",\"result\":\"failed\",\"detail\":\"somebody changed");
  expect_faults(1, 2, "is no whole line of the audit log");
  strike();
}

static void lines_cut_off_a_running_log_are_noticed_at_once(void)
{
  struct stat one;
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_EQUAL(stat(path, &one), 0);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "cid"), ERR_OK);
  CU_ASSERT_EQUAL(truncate(path, one.st_size), 0);
  CU_ASSERT_EQUAL(put(a, "dan"), ERR_OK);
  atomic_store(&write_errno, ENOSPC); /* a failure leaves the size as it is now */
  CU_ASSERT_EQUAL(put(a, "eve"), ERR_UNAVAILABLE);
  atomic_store(&write_errno, 0);
  CU_ASSERT_EQUAL(put(a, "eve"), ERR_OK);
  audit_close(a);
  expect_in(path, "\"event\":\"audit_damaged\"");
  expect_faults(1, 2, "lines 2 to 3 are missing before it");
  strike();
}

static void a_head_that_somebody_took_is_made_again_with_a_line(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_TRUE(audit_is_writable(a));
  CU_ASSERT_EQUAL(audit_seq(a), 1);
  unlink(head);
  CU_ASSERT_TRUE(audit_is_writable(a)); /* readiness looks */
  CU_ASSERT_EQUAL(truncate(head, 10), 0);
  CU_ASSERT_TRUE(audit_is_writable(a));
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  audit_close(a);
  expect_in(path, "the .head file was removed or replaced by somebody");
  struct audit_chain chain;
  CU_ASSERT_EQUAL(audit_head_read(&chain, path), AUDIT_HEAD_GOOD);
  CU_ASSERT_EQUAL(chain.seq, 4);
  expect_faults(0, 0, "");
  strike();
}

static void a_start_without_a_good_head_says_so(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  audit_close(a);
  unlink(head);
  audit_close(open_log(AUDIT_FSYNC_NEVER, 0));
  expect_in(path, "the .head file was missing: lines cut off the end would not show");
  CU_ASSERT_EQUAL(truncate(head, 30), 0);
  expect_faults(1, 2, "its .head file is damaged");
  audit_close(open_log(AUDIT_FSYNC_NEVER, 0));
  expect_in(path, "the .head file was damaged");
  expect_faults(0, 0, "");
  strike();
}

static void a_torn_line_is_followed_by_one_that_says_so(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  audit_close(a);
  append_text("{\"audit\":1,\"se");
  a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  audit_close(a);
  expect_in(path, "\"event\":\"torn_line\",\"result\":\"failed\",\"detail\":\"14 bytes at the end");
  expect_faults(0, 0, "");
  strike();
}

/* --------------------------------------------------------------------- rotation */

static size_t rotated(char *names[], size_t max)
{
  size_t n = 0;
  for (unsigned long long i = 1; i < 20000 && n < max; i++) {
    char *name = xasprintf("%s.%012llu", path, i);
    if (access(name, F_OK) == 0)
      names[n++] = name;
    else
      free(name);
  }
  names[n] = path;
  return n;
}

static void *write_many(void *arg)
{
  size_t failed = 0;
  for (int i = 0; i < 200; i++)
    failed += put(arg, "thread") != ERR_OK;
  return failed == 0 ? arg : NULL;
}

static void eight_threads_write_while_the_file_rotates(void)
{
  enum { THREADS = 8 };
  char *names[256] = {NULL};
  pthread_t threads[THREADS];
  struct found f;
  struct audit_findings findings;
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_SECOND, 8000);
  for (int i = 0; i < THREADS; i++)
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, write_many, a), 0);
  for (int i = 0; i < THREADS; i++) {
    void *ok = NULL;
    pthread_join(threads[i], &ok);
    CU_ASSERT_PTR_NOT_NULL(ok);
  }
  audit_close(a);
  size_t n = rotated(names, ARRAY_LEN(names) - 1);
  CU_ASSERT_TRUE(n > 20);
  struct err e = verify_files((const char *const *)names, n + 1, ring, &f, &findings);
  CU_ASSERT_EQUAL(e.code, ERR_OK);
  CU_ASSERT_EQUAL(f.n, 0);
  CU_ASSERT_EQUAL(findings.lines, 1600 + n); /* each file but the first is "continued" */
  /* One file is missing; and two are the wrong way round. */
  AUTO_FREE char *missing = names[3];
  memmove(names + 3, names + 4, (n - 3) * sizeof(names[0]));
  verify_files((const char *const *)names, n, ring, &f, &findings);
  CU_ASSERT_EQUAL(f.n, 1);
  CU_ASSERT_EQUAL(f.line, 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(f.what, "are missing between"));
  const char *const swapped[] = {names[1], names[0]};
  verify_files(swapped, 2, ring, &f, &findings);
  CU_ASSERT_PTR_NOT_NULL(strstr(f.what, "give the files of one log, each once and oldest first"));
  for (size_t i = 0; i + 1 < n; i++)
    free(names[i]);
  strike();
}

static void an_older_file_is_never_overwritten_by_a_rotation(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 100);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  folder_write(dir, "audit.log.000000000001", "of a former log\n");
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  audit_close(a);
  AUTO_FREE char *first = xasprintf("%s.000000000001", path), *next = xasprintf("%s.1", first);
  CU_ASSERT_STRING_EQUAL(slurp(first), "of a former log\n");
  expect_in(next, "ann");
  strike();
}

static void a_rotation_that_fails_goes_on_in_the_same_file(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 4000);
  atomic_store(&rename_errno, EACCES);
  atomic_store(&renames, 0);
  for (int i = 0; i < 40; i++)
    CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_TRUE(atomic_load(&renames) > 1);
  CU_ASSERT_TRUE(atomic_load(&renames) < 25); /* not with every line */
  atomic_store(&rename_errno, 0);
  expect_faults(0, 0, "");
  for (int i = 0; i < 10; i++)
    CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  audit_close(a);
  CU_ASSERT_PTR_NULL(strstr(slurp(path), "ann")); /* rotated after all */
  expect_faults(0, 0, "");
  strike();
}

/* ------------------------------------------------------------------- what is written */

static void a_clock_that_goes_back_neither_breaks_the_chain_nor_stops_the_syncs(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_SECOND, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  usleep(1300000); /* the thread waits for its next turn */
  atomic_store(&clock_behind_s, 3600);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  int before = atomic_load(&syncs);
  for (int i = 0; i < 300 && atomic_load(&syncs) == before; i++)
    usleep(10000);
  CU_ASSERT_TRUE(atomic_load(&syncs) > before);
  audit_close(a);
  atomic_store(&clock_behind_s, 0);
  expect_faults(0, 0, "");
  strike();
}

static void texts_of_any_kind_stay_one_line_within_the_cap(void)
{
  char controls[AUDIT_TEXT_MAX + 1], quotes[AUDIT_TEXT_MAX + 1], wide[AUDIT_TEXT_MAX + 1];
  stage();
  memset(controls, 0x01, sizeof(controls));
  memset(quotes, '"', sizeof(quotes));
  for (size_t i = 0; i < AUDIT_TEXT_MAX; i += 2)
    memcpy(wide + i, "\xc2\x9b", 2); /* a terminal's command, in one character */
  controls[AUDIT_TEXT_MAX] = quotes[AUDIT_TEXT_MAX] = wide[AUDIT_TEXT_MAX] = '\0';
  const char *const texts[] = {controls, quotes, wide};
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
    const char *t = texts[i];
    const struct audit_event event = {t, t, t, t, t, t, t, t, t, t, t, "", ""};
    struct err e = {0};
    CU_ASSERT_EQUAL(audit_write(a, &event, &e), ERR_OK);
  }
  audit_close(a);
  const char *line = slurp(path);
  for (; *line != '\0'; line = strchr(line, '\n') + 1)
    CU_ASSERT_TRUE(strchr(line, '\n') - line < AUDIT_LINE_MAX);
  for (const char *p = slurp(path); *p != '\0'; p++)
    CU_ASSERT_TRUE((unsigned char)*p >= 0x20 || *p == '\n');
  strike();
}

static void commands_for_terminals_and_turned_text_are_escaped(void)
{
  static const char *const raw[] = {"\x1b[2J",      "\xc2\x9b",     "\x7f", "\xe2\x80\xae",
                                    "\xe2\x81\xa6", "\xe2\x80\xa8", "\r"};
  static const char *const shown[] = {"\\u001b[2J", "\\u009b", "\\u007f", "\\u202e",
                                      "\\u2066",    "\\u2028", "\\u000d"};
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  for (size_t i = 0; i < ARRAY_LEN(raw); i++)
    CU_ASSERT_EQUAL(put(a, raw[i]), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "J\xc3\xbcrgen \xe6\x9d\x8e \xf0\x9f\x9a\x97"), ERR_OK);
  audit_close(a);
  for (size_t i = 0; i < ARRAY_LEN(raw); i++) {
    CU_ASSERT_PTR_NULL(strstr(slurp(path), raw[i]));
    expect_in(path, shown[i]);
  }
  expect_in(path, "J\xc3\xbcrgen \xe6\x9d\x8e \xf0\x9f\x9a\x97");
  expect_faults(0, 0, "");
  strike();
}

/* Who wants to pass for somebody else gets an id that begins the same. */
static void long_and_broken_subjects_can_be_told_apart(void)
{
  char long_one[5000], long_two[5000];
  const char *first, *second;
  stage();
  memset(long_one, 'x', sizeof(long_one));
  long_one[sizeof(long_one) - 1] = '\0';
  memcpy(long_two, long_one, sizeof(long_two));
  long_two[sizeof(long_two) - 2] = 'y';
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, long_one), ERR_OK);
  CU_ASSERT_EQUAL(put(a, long_two), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "\xff\xfe"), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "\xff\xfd"), ERR_OK);
  audit_close(a);
  const char *text = slurp(path);
  first = strstr(text, "x...#");
  second = first != NULL ? strstr(first + 1, "x...#") : NULL;
  CU_ASSERT_PTR_NOT_NULL_FATAL(second);
  CU_ASSERT_NOT_EQUAL(memcmp(first, second, 21), 0);
  first = strstr(text, "(not UTF-8)#");
  second = first != NULL ? strstr(first + 1, "(not UTF-8)#") : NULL;
  CU_ASSERT_PTR_NOT_NULL_FATAL(second);
  CU_ASSERT_NOT_EQUAL(memcmp(first, second, 28), 0);
  expect_faults(0, 0, "");
  strike();
}

/* ------------------------------------------------------------------- changes of key */

/* Appends a line as somebody would who has this key, and what the log looked like. */
static void forge(const struct keyring *keys, size_t i, const struct audit_event *event)
{
  AUTO_BUF struct buf line = BUF_INIT(AUDIT_LINE_MAX);
  struct audit_chain last, next;
  struct audit_key key;
  CU_ASSERT_EQUAL(audit_head_read(&last, path), AUDIT_HEAD_GOOD);
  audit_key_of(&key, keys, i);
  CU_ASSERT_TRUE(audit_line_make(&line, &next, &last, event, clock_unix_ms(), &key));
  append_text(buf_str(&line));
  unlink(head);
}

static void only_the_key_in_use_hands_over_to_another(void)
{
  static const struct audit_event plain = {.event = "authenticate", .result = "ok"};
  static const struct audit_event change = {
      .event = "key_changed", .result = "ok", .old_key = "b", .new_key = "a"};
  stage();
  AUTO_KEYRING struct keyring *both = ring_of(KEY_B KEY_A), *b = ring_of(KEY_B);
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_EQUAL(audit_set_keyring(a, both, NULL), ERR_OK);
  CU_ASSERT_EQUAL(audit_set_keyring(a, b, NULL), ERR_OK); /* the same first key: no line */
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  CU_ASSERT_EQUAL(audit_seq(a), 3);
  audit_close(a);
  keyring_unref(ring);
  ring = keyring_ref(both);
  expect_faults(0, 0, "");
  AUTO_FREE char *good = xstrdup(slurp(path)), *good_head = xstrdup(slurp(head));
  forge(both, 1, &plain); /* with the old key, which got out */
  expect_faults(1, 4, "is made with key \"a\" where \"b\" is due");
  folder_write(dir, "audit.log", good);
  folder_write(dir, "audit.log.head", good_head);
  forge(both, 1, &change); /* a change that the old key claims */
  expect_faults(1, 4, "goes back to an older key");
  folder_write(dir, "audit.log", good);
  folder_write(dir, "audit.log.head", good_head);
  forge(both, 0, &change); /* the key in use may go back */
  expect_faults(0, 0, "");
  strike();
}

static void a_key_that_is_gone_at_the_start_is_replaced_by_the_new_ones_word(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  audit_close(a);
  keyring_unref(ring);
  ring = ring_of(KEY_B);
  a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  audit_close(a);
  expect_in(path, "\"old_key\":\"a\",\"new_key\":\"b\",\"key\":\"b\"");
  keyring_unref(ring);
  ring = ring_of(KEY_B KEY_A);
  expect_faults(0, 0, "");
  keyring_unref(ring);
  ring = ring_of(KEY_A KEY_B); /* by its place, b would be the older one */
  expect_faults(1, 2, "goes back to an older key");
  strike();
}

/* ------------------------------------------------------------------------- verify */

static void verify_names_files_that_are_empty_missing_or_anothers(void)
{
  const char *file;
  struct found f;
  struct audit_findings findings;
  stage();
  folder_write(dir, "audit.log", "");
  expect_faults(1, 1, "the file is empty");
  unlink(path);
  file = path;
  struct err e = verify_files(&file, 1, ring, &f, &findings);
  CU_ASSERT_EQUAL(e.code, ERR_NOT_FOUND);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "name the files of one log, oldest first"));
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  audit_close(a);
  AUTO_KEYRING struct keyring *other = ring_of(FALSE_A);
  verify_files(&file, 1, other, &f, &findings);
  CU_ASSERT_EQUAL(f.n, 2);
  CU_ASSERT_TRUE(findings.good[0] == 0 && findings.bad[0] == 2);
  CU_ASSERT_EQUAL(truncate(path, 0), 0); /* emptied, but the head knows */
  verify_files(&file, 1, ring, &f, &findings);
  CU_ASSERT_EQUAL(f.n, 2);
  strike();
}

TEST_MAIN("auth audit faults", TEST(a_failed_sync_refuses_until_the_lines_are_written_again),
          TEST(a_line_that_cannot_be_synced_before_the_answer_is_taken_back),
          TEST(a_disk_that_turned_read_only_refuses_and_comes_back),
          TEST(a_file_that_was_moved_away_is_begun_anew_and_both_verify),
          TEST(a_file_put_in_its_place_is_kept_aside_as_evidence),
          TEST(another_service_in_its_place_is_not_disturbed),
          TEST(text_put_in_by_somebody_is_noticed_at_once),
          TEST(lines_cut_off_a_running_log_are_noticed_at_once),
          TEST(a_head_that_somebody_took_is_made_again_with_a_line),
          TEST(a_start_without_a_good_head_says_so),
          TEST(a_torn_line_is_followed_by_one_that_says_so),
          TEST(eight_threads_write_while_the_file_rotates),
          TEST(an_older_file_is_never_overwritten_by_a_rotation),
          TEST(a_rotation_that_fails_goes_on_in_the_same_file),
          TEST(a_clock_that_goes_back_neither_breaks_the_chain_nor_stops_the_syncs),
          TEST(texts_of_any_kind_stay_one_line_within_the_cap),
          TEST(commands_for_terminals_and_turned_text_are_escaped),
          TEST(long_and_broken_subjects_can_be_told_apart),
          TEST(only_the_key_in_use_hands_over_to_another),
          TEST(a_key_that_is_gone_at_the_start_is_replaced_by_the_new_ones_word),
          TEST(verify_names_files_that_are_empty_missing_or_anothers))
