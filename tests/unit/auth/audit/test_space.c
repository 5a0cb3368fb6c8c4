/* Room for the audit log: old files go, from the oldest on and said so, and what is left of the
 * disk is watched. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/auth/audit/stage.h"
#include "tests/unit/harness.h"

enum { FILE_BYTES = 3000, DAY_S = 86400 };

static glob_t rotated; /* oldest first, then the log itself */

/* While the keeper rotates, there is no file of the log's own name. */
static void look(void)
{
  AUTO_FREE char *pattern = xasprintf("%s.[0-9]*", path);
  for (int i = 0; i < 10000 && access(path, F_OK) != 0; i++)
    usleep(1000);
  globfree(&rotated);
  CU_ASSERT_TRUE(glob(pattern, 0, NULL, &rotated) == 0 || rotated.gl_pathc == 0);
  CU_ASSERT_EQUAL(glob(path, GLOB_APPEND | GLOB_NOCHECK, NULL, &rotated), 0);
}

static size_t n_rotated(void)
{
  look();
  return rotated.gl_pathc - 1;
}

static bool wait_for_rotated(size_t n)
{
  for (int i = 0; i < 10000 && n_rotated() != n; i++)
    usleep(2000); /* the keeper deletes them */
  return n_rotated() == n;
}

static void write_files(struct audit *a, size_t n)
{
  for (size_t before = n_rotated(); n_rotated() < before + n;)
    CU_ASSERT_EQUAL_FATAL(put(a, "somebody with a name that is not short"), ERR_OK);
}

static struct audit_findings verify_rest(size_t faults)
{
  struct audit_findings findings;
  struct found f;
  look();
  struct err e =
      verify_files((const char *const *)rotated.gl_pathv, rotated.gl_pathc, ring, &f, &findings);
  CU_ASSERT_EQUAL(e.code, ERR_OK);
  if (f.n != faults)
    printf("\n  %zu faults, the first in line %zu: %s\n", f.n, f.line, f.what);
  CU_ASSERT_EQUAL(f.n, faults);
  return findings;
}

static void close_stage(struct audit *a)
{
  audit_close(a);
  globfree(&rotated);
  rotated = (glob_t){0};
  strike();
}

static void without_a_limit_nothing_is_deleted(void)
{
  stage();
  sync_every_ms = 5;
  struct audit *a = open_log(AUDIT_FSYNC_SECOND, FILE_BYTES);
  write_files(a, 5);
  let_pass_ms(60001);
  for (int round = 0; round < 2; round++) { /* the second sync is behind the look after the first */
    int before = atomic_load(&syncs);
    put(a, "x");
    CU_ASSERT_TRUE(wait_for_sync(before));
  }
  CU_ASSERT_EQUAL(n_rotated(), 5);
  const struct audit_findings f = verify_rest(0);
  CU_ASSERT_EQUAL(f.first_seq, 1);
  CU_ASSERT_EQUAL(f.deleted_to, 0);
  close_stage(a);
}

/* So much of the newest as fits stays, and the chain knows where it begins. */
static void the_oldest_files_go_when_there_are_too_many_bytes(void)
{
  stage();
  sync_every_ms = 5;
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, FILE_BYTES);
  AUTO_FREE char *foreign = xasprintf("%s.000000000001.gz", path);
  AUTO_FREE char *replaced = xasprintf("%s.replaced.000000000001", path);
  write_files(a, 6);
  audit_close(a);
  close(open(foreign, O_CREAT | O_WRONLY, 0600));
  close(open(replaced, O_CREAT | O_WRONLY, 0600));
  CU_ASSERT_EQUAL(unlink(foreign), 0); /* of no concern to glob() below */
  look();
  struct stat st;
  uint64_t three = 0;
  for (size_t i = 3; i < 6; i++) {
    CU_ASSERT_EQUAL(stat(rotated.gl_pathv[i], &st), 0);
    three += (uint64_t)st.st_size;
  }
  keep_bytes = three;
  a = open_log(AUDIT_FSYNC_NEVER, 1 << 20);
  CU_ASSERT_TRUE(wait_for_rotated(3));
  audit_flush_refusals(a); /* waits for the keeper's look to end */
  CU_ASSERT_EQUAL(access(replaced, F_OK), 0);
  CU_ASSERT_EQUAL(lines_with("\"event\":\"audit_deleted\",\"result\":\"ok\",\"reason\":\"size\""),
                  3);
  const struct audit_findings f = verify_rest(0);
  CU_ASSERT_TRUE(f.first_seq > 1);
  CU_ASSERT_EQUAL(f.deleted_to, f.first_seq - 1);
  close_stage(a);
}

static void a_running_log_stays_within_its_bytes(void)
{
  stage();
  sync_every_ms = 1000; /* a rotation wakes the keeper */
  keep_bytes = 3 * FILE_BYTES;
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, FILE_BYTES);
  for (int i = 0; i < 200; i++)
    CU_ASSERT_EQUAL_FATAL(put(a, "somebody with a name that is not short"), ERR_OK);
  uint64_t bytes = 0;
  for (int i = 0; i < 10000; i++, usleep(2000)) {
    struct stat st;
    bytes = 0;
    look();
    for (size_t k = 0; k + 1 < rotated.gl_pathc; k++)
      bytes += stat(rotated.gl_pathv[k], &st) == 0 ? (uint64_t)st.st_size : 0;
    if (bytes <= keep_bytes)
      break;
  }
  audit_flush_refusals(a); /* waits for the keeper's look to end */
  CU_ASSERT_TRUE(bytes <= keep_bytes && n_rotated() >= 1);
  const struct audit_findings f = verify_rest(0);
  CU_ASSERT_TRUE(f.first_seq > 1 && f.deleted_to >= f.first_seq - 1);
  close_stage(a);
}

static void set_age(const char *file, int64_t age_s)
{
  const struct timespec times[] = {{.tv_sec = time(NULL) - age_s}, {.tv_sec = time(NULL) - age_s}};
  CU_ASSERT_EQUAL(utimensat(AT_FDCWD, file, times, 0), 0);
}

/* A gap in the middle would look like a crime: deleting ends with the first file that stays. */
static void files_go_when_they_are_too_old(void)
{
  stage();
  sync_every_ms = 5;
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, FILE_BYTES);
  write_files(a, 5);
  audit_close(a);
  look();
  set_age(rotated.gl_pathv[0], 31 * DAY_S);
  set_age(rotated.gl_pathv[1], 31 * DAY_S);
  set_age(rotated.gl_pathv[3], 31 * DAY_S); /* behind a younger one */
  set_age(path, 300 * DAY_S);               /* what is written is never deleted */
  keep_days = 30;
  a = open_log(AUDIT_FSYNC_NEVER, 1 << 20);
  CU_ASSERT_TRUE(wait_for_rotated(3));
  audit_flush_refusals(a);
  CU_ASSERT_EQUAL(n_rotated(), 3);
  CU_ASSERT_EQUAL(lines_with("\"reason\":\"age\""), 2);
  const struct audit_findings f = verify_rest(0);
  CU_ASSERT_EQUAL(f.deleted_to, f.first_seq - 1);
  close_stage(a);
}

/* Deleting is what makes room. */
static void old_files_go_while_the_disk_is_full(void)
{
  stage();
  sync_every_ms = 5;
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, FILE_BYTES);
  write_files(a, 4);
  audit_close(a);
  keep_days = 30;
  a = open_log(AUDIT_FSYNC_NEVER, 1 << 20);
  atomic_store(&write_errno, ENOSPC);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_UNAVAILABLE);
  look();
  set_age(rotated.gl_pathv[0], 31 * DAY_S);
  let_pass_ms(60001);
  CU_ASSERT_TRUE(wait_for_rotated(3));
  atomic_store(&write_errno, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_EQUAL(lines_with("\"event\":\"audit_deleted\""), 1); /* written late */
  const struct audit_findings f = verify_rest(0);
  CU_ASSERT_EQUAL(f.deleted_to, f.first_seq - 1);
  close_stage(a);
}

static void files_that_somebody_else_deleted_are_not_excused(void)
{
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, FILE_BYTES);
  write_files(a, 3);
  CU_ASSERT_EQUAL(unlink(rotated.gl_pathv[0]), 0);
  struct audit_findings f = verify_rest(0);
  CU_ASSERT_TRUE(f.first_seq > 1);
  CU_ASSERT_EQUAL(f.deleted_to, 0);
  look();
  CU_ASSERT_EQUAL(unlink(rotated.gl_pathv[1]), 0); /* in the middle */
  verify_rest(1);
  close_stage(a);
}

static double metric_value(const char *name)
{
  AUTO_BUF struct buf page = BUF_INIT(1 << 20);
  AUTO_FREE char *mark = xasprintf("\n%s ", name);
  CU_ASSERT_TRUE(metrics_render(&page));
  const char *found = strstr(buf_str(&page), mark);
  return found != NULL ? strtod(found + strlen(mark), NULL) : -1;
}

static void little_space_is_a_state_before_calls_are_refused(void)
{
  uint64_t seen = 0;
  stage();
  sync_every_ms = 5;
  warn_free_bytes = 1 << 20;
  atomic_store(&free_bytes, 1 << 20);
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_FALSE(audit_space_is_low(a, &seen));
  CU_ASSERT_EQUAL(seen, 1 << 20);
  CU_ASSERT_EQUAL(metric_value("auth_audit_space_low"), 0);
  atomic_store(&free_bytes, (1 << 20) - 512);
  let_pass_ms(5000);
  for (int i = 0; i < 10000 && !audit_space_is_low(a, &seen); i++)
    usleep(2000); /* the keeper looks */
  CU_ASSERT_TRUE(audit_space_is_low(a, &seen));
  CU_ASSERT_EQUAL(seen, (1 << 20) - 512);
  CU_ASSERT_EQUAL(metric_value("auth_audit_space_low"), 1);
  CU_ASSERT_EQUAL(metric_value("auth_audit_free_bytes"), (1 << 20) - 512);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK); /* nothing is refused yet */
  atomic_store(&free_bytes, 1 << 21);
  let_pass_ms(5000);
  for (int i = 0; i < 10000 && audit_space_is_low(a, &seen); i++)
    usleep(2000);
  CU_ASSERT_FALSE(audit_space_is_low(a, &seen));
  atomic_store(&free_bytes, -1);
  close_stage(a);
}

TEST_MAIN("auth audit space", TEST(without_a_limit_nothing_is_deleted),
          TEST(the_oldest_files_go_when_there_are_too_many_bytes),
          TEST(a_running_log_stays_within_its_bytes), TEST(files_go_when_they_are_too_old),
          TEST(old_files_go_while_the_disk_is_full),
          TEST(files_that_somebody_else_deleted_are_not_excused),
          TEST(little_space_is_a_state_before_calls_are_refused))
