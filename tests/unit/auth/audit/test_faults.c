/* The audit log against a disk that fails and people who meddle: nothing is answered without a
 * line, and what was done shows. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/audit/stage.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

/* Writes until a line is refused. */
static bool refused_soon(struct audit *a)
{
  int64_t end = clock_mono_ms() + 20000;
  while (put(a, "waiting") == ERR_OK && clock_mono_ms() < end)
    sched_yield();
  return put(a, "waiting") == ERR_UNAVAILABLE;
}

/* --------------------------------------------------------------- a disk that fails */

static void a_failed_sync_refuses_until_the_lines_are_written_again(void)
{
  stage();
  sync_every_ms = 5;
  struct audit *a = open_log(AUDIT_FSYNC_SECOND, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  atomic_store(&sync_errno, EIO);
  CU_ASSERT_TRUE(refused_soon(a));
  let_pass_ms(200);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_UNAVAILABLE); /* and not only once */
  CU_ASSERT_FALSE(audit_is_writable(a));
  uint64_t lines = audit_seq(a);
  atomic_store(&rewritten_bytes, 0);
  atomic_store(&sync_errno, 0);
  CU_ASSERT_FALSE(audit_is_writable(a)); /* the next try is due in 200 ms */
  let_pass_ms(200);
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

static void after_a_file_that_was_moved_away_a_new_one_begins_and_both_verify(void)
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
  expect_faults(1, 2, "is not a whole line of the audit log");
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

static void a_head_that_somebody_took_shows_at_the_check_and_at_the_next_start(void)
{
  struct found f;
  struct audit_findings findings;
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  unlink(head);
  CU_ASSERT_TRUE(audit_is_writable(a));
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  const char *const log[] = {path};
  CU_ASSERT_EQUAL(verify_files(log, 1, ring, &f, &findings).code, ERR_OK);
  CU_ASSERT_FALSE(findings.has_head);
  audit_close(a);
  audit_close(open_log(AUDIT_FSYNC_NEVER, 0));
  expect_in(path, "{\"audit\":1,\"seq\":3,");
  expect_in(path, "the .head file was missing");
  struct audit_chain chain;
  CU_ASSERT_EQUAL(audit_head_read(&chain, path), AUDIT_HEAD_GOOD);
  CU_ASSERT_EQUAL(chain.seq, 3);
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
  free(names[3]);
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

static void a_clock_that_goes_back_neither_breaks_the_chain_nor_stops_the_syncs(void)
{
  stage();
  sync_every_ms = 5;
  struct audit *a = open_log(AUDIT_FSYNC_SECOND, 0);
  int before = atomic_load(&syncs);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  CU_ASSERT_TRUE(wait_for_sync(before)); /* the thread waits for its next turn */
  atomic_store(&clock_behind_s, 3600);
  before = atomic_load(&syncs);
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_OK);
  CU_ASSERT_TRUE(wait_for_sync(before));
  audit_close(a);
  atomic_store(&clock_behind_s, 0);
  expect_faults(0, 0, "");
  strike();
}

/* A changed configuration is in use whether its line can be written or not. */
static void a_change_during_a_full_disk_stands_before_the_next_answer(void)
{
  char detail[32];
  stage();
  struct audit *a = open_log(AUDIT_FSYNC_NEVER, 0);
  CU_ASSERT_EQUAL(put(a, "ann"), ERR_OK);
  atomic_store(&write_errno, ENOSPC);
  for (int i = 1; i <= 20; i++) {
    snprintf(detail, sizeof(detail), "%d revoked", i);
    audit_write_or_owe(a,
                       &(struct audit_event){.event = i < 20 ? "config_loaded" : "config_refused",
                                             .result = i < 20 ? "ok" : "failed",
                                             .reason = i < 20 ? NULL : "bad_policy_file",
                                             .detail = detail});
  }
  CU_ASSERT_EQUAL(put(a, "bob"), ERR_UNAVAILABLE);
  atomic_store(&write_errno, 0);
  CU_ASSERT_EQUAL(put(a, "cid"), ERR_OK);
  audit_close(a);
  const char *text = slurp(path);
  const char *last = strstr(text, "(written late, of 20"), *next = strstr(text, "\"cid\"");
  CU_ASSERT_TRUE_FATAL(last != NULL && next != NULL && last < next);
  CU_ASSERT_PTR_NULL(strstr(text, " 4 revoked"));     /* more than are kept: */
  CU_ASSERT_PTR_NOT_NULL(strstr(text, " 5 revoked")); /* the last sixteen are */
  expect_in(path,
            "\"event\":\"config_refused\",\"result\":\"failed\",\"reason\":\"bad_policy_file\"");
  expect_in(path, " 20 revoked\"");
  expect_faults(0, 0, "");
  strike();
}

TEST_MAIN("auth audit faults", TEST(a_change_during_a_full_disk_stands_before_the_next_answer),
          TEST(a_failed_sync_refuses_until_the_lines_are_written_again),
          TEST(a_line_that_cannot_be_synced_before_the_answer_is_taken_back),
          TEST(a_disk_that_turned_read_only_refuses_and_comes_back),
          TEST(after_a_file_that_was_moved_away_a_new_one_begins_and_both_verify),
          TEST(a_file_put_in_its_place_is_kept_aside_as_evidence),
          TEST(another_service_in_its_place_is_not_disturbed),
          TEST(text_put_in_by_somebody_is_noticed_at_once),
          TEST(lines_cut_off_a_running_log_are_noticed_at_once),
          TEST(a_head_that_somebody_took_shows_at_the_check_and_at_the_next_start),
          TEST(a_start_without_a_good_head_says_so),
          TEST(a_torn_line_is_followed_by_one_that_says_so),
          TEST(eight_threads_write_while_the_file_rotates),
          TEST(an_older_file_is_never_overwritten_by_a_rotation),
          TEST(a_rotation_that_fails_goes_on_in_the_same_file),
          TEST(a_clock_that_goes_back_neither_breaks_the_chain_nor_stops_the_syncs))
