/* The store of releases: what is kept survives, and one of those that race is kept. With
 * AMCP_TEST_DATABASE_URL the same cases run over PostgreSQL; tests/unit/postgres.sh sets it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aggregate-svc/disclosure/sqlite.h"
#include "aggregate-svc/disclosure/store.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { RACERS = 6, RACES = 12 };

static char folder[] = "/tmp/amcp-releases-XXXXXX";
static unsigned test_number;
static long run; /* of the program, the same in its children */

static const char *database_url(void)
{
  return getenv("AMCP_TEST_DATABASE_URL");
}

static struct release_store *open_store(void)
{
  struct release_store *s = NULL;
  struct err e = {0};
  struct release_store_options o = {.database_url = database_url(), .state_dir = folder};
  if (release_store_new(&s, &o, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  return s;
}

/* Keys and viewers of a case are its own: a database is shared with the runs before. */
static struct release_key key_of(const char *metric, int64_t first, int64_t last)
{
  static char cohort[80];
  snprintf(cohort, sizeof(cohort), "west-%ld-%u", run, test_number);
  return (struct release_key){cohort, "view", metric, "", first, last};
}

static struct release_viewer viewer_of(const char *name, int64_t per_day)
{
  static char id[80];
  snprintf(id, sizeof(id), "%s-%ld-%u", name, run, test_number);
  return (struct release_viewer){id, clock_unix_ms() / 86400000, per_day};
}

static struct release_record record_of(double *values, size_t n, int64_t numerator)
{
  return (struct release_record){numerator, 1000, (int32_t)n, (int32_t)n, 1.6, values, n};
}

static enum release_outcome take(struct release_store *s, const char *metric, int64_t first,
                                 int64_t last, const char *version, int64_t numerator,
                                 struct release_record *out)
{
  double values[] = {0.1, 1.0 / 3, 2e-9};
  struct release_key key = key_of(metric, first, last);
  struct release_viewer viewer = viewer_of("v", 1000);
  struct release_record candidate = record_of(values, 3, numerator);
  enum release_outcome outcome = RELEASE_NONE;
  struct err e = {0};
  enum err_code code = release_store_take(s, &key, version, &viewer,
                                          numerator >= 0 ? &candidate : NULL, &outcome, out, &e);
  if (code != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_EQUAL(code, ERR_OK);
  return outcome;
}

static void the_first_value_is_kept_over_restarts(void)
{
  struct release_record r;
  struct release_store *s = open_store();
  test_number++;
  CU_ASSERT_EQUAL(take(s, "m", 0, 6, "v1", -1, &r), RELEASE_NONE);
  CU_ASSERT_EQUAL(take(s, "m", 0, 6, "v1", 17, &r), RELEASE_NEW);
  release_record_free(&r);
  CU_ASSERT_EQUAL(take(s, "m", 0, 6, "v1", 18, &r), RELEASE_FROZEN);
  CU_ASSERT_EQUAL(r.numerator, 17);
  release_record_free(&r);
  release_store_free(s);
  s = open_store();
  CU_ASSERT_EQUAL(take(s, "m", 0, 6, "v2", 19, &r), RELEASE_FROZEN);
  CU_ASSERT_EQUAL(r.numerator, 17);
  CU_ASSERT_EQUAL(r.denominator, 1000);
  CU_ASSERT_EQUAL(r.asked, 3);
  CU_ASSERT_EQUAL(r.dispersion, 1.6);
  CU_ASSERT_EQUAL_FATAL(r.n_values, 3);
  CU_ASSERT_EQUAL(r.values[1], 1.0 / 3); /* to the last bit */
  CU_ASSERT_EQUAL(r.values[2], 2e-9);
  release_record_free(&r);
  CU_ASSERT_EQUAL(take(s, "n", 0, 6, "v2", 3, &r), RELEASE_NEW); /* another metric */
  release_record_free(&r);
  release_store_free(s);
}

/* A3: what a dealer that joined adds must not be the difference of two releases. */
static void days_released_of_a_cohort_are_not_released_of_its_next_version(void)
{
  struct release_record r;
  struct release_store *s = open_store();
  test_number++;
  CU_ASSERT_EQUAL(take(s, "m", 0, 27, "v1", 17, &r), RELEASE_NEW);
  release_record_free(&r);
  CU_ASSERT_EQUAL(take(s, "m", 21, 27, "v2", 5, &r), RELEASE_CHANGED);
  CU_ASSERT_EQUAL(take(s, "m", 7, 34, "v2", 5, &r), RELEASE_CHANGED);
  CU_ASSERT_EQUAL(take(s, "m", 28, 34, "v2", 5, &r), RELEASE_NEW);
  release_record_free(&r);
  CU_ASSERT_EQUAL(take(s, "m", 0, 27, "v2", 5, &r), RELEASE_FROZEN);
  CU_ASSERT_EQUAL(r.numerator, 17);
  release_record_free(&r);
  release_store_free(s);
}

/* A13 */
static void a_viewer_gets_so_many_new_figures_a_day_and_old_ones_for_nothing(void)
{
  struct release_store *s = open_store();
  double values[] = {1};
  struct release_record candidate = record_of(values, 1, 1), r;
  struct err e = {0};
  enum release_outcome outcome;
  test_number++;
  for (int i = 0; i < 5; i++) {
    struct release_viewer mine = viewer_of("a", 3);
    struct release_key key = key_of("m", 7 * i, 7 * i + 6);
    CU_ASSERT_EQUAL(release_store_take(s, &key, "v", &mine, &candidate, &outcome, &r, &e), ERR_OK);
    CU_ASSERT_EQUAL(outcome, i < 3 ? RELEASE_NEW : RELEASE_SPENT);
    release_record_free(&r);
  }
  struct release_viewer mine = viewer_of("a", 3);
  struct release_key old = key_of("m", 0, 6), spent = key_of("m", 21, 27);
  bool none = false;
  CU_ASSERT_EQUAL(release_store_take(s, &old, "v", &mine, &candidate, &outcome, &r, &e), ERR_OK);
  CU_ASSERT_EQUAL(outcome, RELEASE_FROZEN);
  release_record_free(&r);
  CU_ASSERT_EQUAL(release_store_charge(s, &mine, &none, &e), ERR_OK);
  CU_ASSERT_TRUE(none);
  mine.day++; /* tomorrow */
  CU_ASSERT_EQUAL(release_store_charge(s, &mine, &none, &e), ERR_OK);
  CU_ASSERT_FALSE(none);
  struct release_viewer other = viewer_of("b", 3);
  CU_ASSERT_EQUAL(release_store_take(s, &spent, "v", &other, &candidate, &outcome, &r, &e), ERR_OK);
  CU_ASSERT_EQUAL(outcome, RELEASE_NEW);
  release_record_free(&r);
  release_store_free(s);
}

static char *text_of(struct release_store *s, const char *version, const char *candidate,
                     int64_t keep_ms)
{
  struct release_key key = key_of("m", 0, 6);
  struct err e = {0};
  char *out = NULL;
  CU_ASSERT_EQUAL(release_store_text(s, &key, version, candidate, keep_ms, &out, &e), ERR_OK);
  return out;
}

static void expect_text(struct release_store *s, const char *version, const char *candidate,
                        int64_t keep_ms, const char *expected)
{
  AUTO_FREE char *text = text_of(s, version, candidate, keep_ms);
  if (expected == NULL)
    CU_ASSERT_PTR_NULL(text);
  if (expected != NULL && text != NULL)
    CU_ASSERT_STRING_EQUAL(text, expected);
  CU_ASSERT_EQUAL(text != NULL, expected != NULL);
}

static void the_first_text_is_kept_until_its_time_is_over(void)
{
  struct release_store *s = open_store();
  test_number++;
  expect_text(s, "v1", NULL, 0, NULL);
  expect_text(s, "v1", "dominance", 0, "dominance");
  expect_text(s, "v1", "another", 0, "dominance");
  expect_text(s, "v2", NULL, 0, NULL);
  release_store_free(s);
  s = open_store();
  expect_text(s, "v1", NULL, 0, "dominance");
  expect_text(s, "v2", "old", 1, "old");
  for (int64_t then = clock_unix_ms(); clock_unix_ms() <= then + 1;) /* until it is over */
    continue;
  expect_text(s, "v2", NULL, 0, NULL);
  expect_text(s, "v2", "new", 0, "new");
  release_store_free(s);
}

/* In a process of its own: takes RACES figures, its number as the numerator, and writes what was
 * kept. */
static void race(int number, int out)
{
  struct release_store *s = open_store();
  int64_t kept[RACES];
  for (int i = 0; i < RACES; i++) {
    struct release_record r;
    take(s, "race", 7 * i, 7 * i + 6, "v", number, &r);
    kept[i] = r.numerator;
    release_record_free(&r);
  }
  bool written = write(out, kept, sizeof(kept)) == (ssize_t)sizeof(kept);
  release_store_free(s);
  _exit(written ? 0 : 1);
}

static void replicas_that_race_all_serve_one_value(void)
{
  int pipes[RACERS][2], status;
  pid_t pids[RACERS];
  int64_t kept[RACERS][RACES];
  test_number++;
  release_store_free(open_store());
  for (int i = 0; i < RACERS; i++) {
    CU_ASSERT_EQUAL_FATAL(pipe(pipes[i]), 0);
    if ((pids[i] = fork()) == 0)
      race(i + 1, pipes[i][1]);
  }
  for (int i = 0; i < RACERS; i++) {
    CU_ASSERT_EQUAL(read(pipes[i][0], kept[i], sizeof(kept[i])), (ssize_t)sizeof(kept[i]));
    CU_ASSERT_EQUAL(waitpid(pids[i], &status, 0), pids[i]);
    CU_ASSERT_EQUAL(status, 0);
    close(pipes[i][0]);
    close(pipes[i][1]);
  }
  for (int k = 0; k < RACES; k++)
    for (int i = 0; i < RACERS; i++) {
      CU_ASSERT_EQUAL(kept[i][k], kept[0][k]);
      CU_ASSERT_TRUE(kept[i][k] >= 1 && kept[i][k] <= RACERS);
    }
}

/* A writer that is killed at any moment leaves whole releases only, and what it read back stays. */
static void what_a_killed_client_was_told_is_kept(void)
{
  enum { KILLS = 8 };
  test_number++;
  int64_t from = 0;
  for (int round = 0; round < KILLS; round++) {
    int p[2], status;
    int64_t told, last = from - 1;
    CU_ASSERT_EQUAL_FATAL(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0) {
      struct release_store *s = open_store();
      for (int64_t i = from;; i++) {
        struct release_record r;
        take(s, "killed", 7 * i, 7 * i + 6, "v", 100 + i, &r);
        release_record_free(&r);
        if (write(p[1], &i, sizeof(i)) != (ssize_t)sizeof(i))
          _exit(1);
      }
    }
    close(p[1]);
    while (last < from + 3 + round && read(p[0], &told, sizeof(told)) == (ssize_t)sizeof(told))
      last = told;
    kill(pid, SIGKILL);
    while (read(p[0], &told, sizeof(told)) == (ssize_t)sizeof(told))
      last = told;
    close(p[0]);
    waitpid(pid, &status, 0);
    CU_ASSERT_TRUE_FATAL(last >= from + 3);
    pid = fork();
    if (pid == 0) {
      struct release_store *s = open_store();
      int bad = 0;
      for (int64_t i = from; i <= last; i++) {
        struct release_record r;
        bad += take(s, "killed", 7 * i, 7 * i + 6, "v", 1, &r) != RELEASE_FROZEN ||
               r.numerator != 100 + i;
        release_record_free(&r);
      }
      _exit(bad == 0 ? 0 : 1);
    }
    waitpid(pid, &status, 0);
    CU_ASSERT_EQUAL(status, 0);
    from = last + 2;
  }
}

/* Does something to the PostgreSQL under test. */
static void server(const char *what)
{
  AUTO_FREE char *command = xasprintf("%s %s", getenv("AMCP_TEST_SERVER"), what);
  CU_ASSERT_EQUAL_FATAL(system(command), 0);
}

static void what_was_told_survives_a_killed_server(void)
{
  struct release_record r;
  enum release_outcome outcome;
  struct err e = {0};
  double values[] = {1};
  struct release_record candidate = record_of(values, 1, 7);
  if (database_url() == NULL)
    return; /* SQLite has none */
  struct release_store_options o = {.database_url = database_url(), .cache_bytes = 1};
  struct release_store *s = NULL;
  CU_ASSERT_EQUAL_FATAL(release_store_new(&s, &o, &e), ERR_OK);
  test_number++;
  for (int64_t i = 0; i < 20; i++) {
    CU_ASSERT_EQUAL(take(s, "m", 7 * i, 7 * i + 6, "v", i, &r), RELEASE_NEW);
    release_record_free(&r);
  }
  server("kill");
  struct release_key key = key_of("m", 1000, 1006);
  struct release_viewer viewer = viewer_of("v", 1000);
  AUTO_BUF struct buf detail = BUF_INIT(1000);
  CU_ASSERT_EQUAL(release_store_take(s, &key, "v", &viewer, &candidate, &outcome, &r, &e),
                  ERR_UNAVAILABLE);
  CU_ASSERT_TRUE(release_store_ready(s, &detail)); /* it was there once: the replica stays */
  CU_ASSERT_PTR_NOT_NULL(
      strstr(buf_str(&detail), "wait releases: the store cannot be opened; the log says why\n"));
  server("start");
  int64_t until = clock_mono_ms() + 30000; /* the store tries again by and by */
  do
    buf_clear(&detail);
  while (release_store_ready(s, &detail) && strncmp(buf_str(&detail), "ok", 2) != 0 &&
         clock_mono_ms() < until);
  for (int64_t i = 0; i < 20; i++) {
    CU_ASSERT_EQUAL(take(s, "m", 7 * i, 7 * i + 6, "v", 99, &r), RELEASE_FROZEN);
    CU_ASSERT_EQUAL(r.numerator, i);
    release_record_free(&r);
  }
  release_store_free(s);
}

static void a_connection_that_broke_is_opened_again_without_an_error(void)
{
  struct release_record r;
  if (database_url() == NULL)
    return;
  struct release_store *s = open_store();
  test_number++;
  CU_ASSERT_EQUAL(take(s, "m", 0, 6, "v", 1, &r), RELEASE_NEW);
  release_record_free(&r);
  server("kill");
  server("start");
  CU_ASSERT_EQUAL(take(s, "m", 7, 13, "v", 2, &r), RELEASE_NEW);
  release_record_free(&r);
  release_store_free(s);
}

/* A server that stands still answers nothing, not even an error. */
static void a_server_that_stands_still_is_given_up(void)
{
  struct release_record r;
  enum release_outcome outcome;
  struct err e = {0};
  double values[] = {1};
  struct release_record candidate = record_of(values, 1, 7);
  if (database_url() == NULL)
    return;
  struct release_store *s = open_store();
  test_number++;
  struct release_key key = key_of("m", 0, 6);
  struct release_viewer viewer = viewer_of("v", 1000);
  server("pause");
  int64_t start = clock_mono_ms();
  enum err_code code = release_store_take(s, &key, "v", &viewer, &candidate, &outcome, &r, &e);
  int64_t took = clock_mono_ms() - start;
  server("resume");
  CU_ASSERT_EQUAL(code, ERR_UNAVAILABLE);
  CU_ASSERT_TRUE(took < 30000);
  release_store_free(s);
}

static void nobody_else_may_read_the_file(void)
{
  struct stat st;
  AUTO_FREE char *path = xasprintf("%s/releases.db", folder);
  release_store_free(open_store());
  if (database_url() != NULL)
    return;
  CU_ASSERT_EQUAL_FATAL(stat(path, &st), 0);
  CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
}

static void wrong_settings_are_named_without_the_password(void)
{
  struct release_store *s = NULL;
  struct err e = {0};
  struct release_store_options o = {.state_dir = "/nowhere/at/all"};
  CU_ASSERT_EQUAL(release_store_new(&s, &o, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "AGGREGATE_STATE_DIR: /nowhere/at/all: must be"));
  static const char *const urls[] = {"mysql://u:geheim@h/d", "postgresql://u:geheim@[h/d",
                                     "host=h password=geheim", "geheim"};
  for (size_t i = 0; i < ARRAY_LEN(urls); i++) {
    o.database_url = urls[i];
    e = (struct err){0};
    CU_ASSERT_EQUAL(release_store_new(&s, &o, &e), ERR_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "DATABASE_URL: must be a PostgreSQL URL"));
    CU_ASSERT_PTR_NULL(strstr(e.message, "geheim"));
  }
}

static void a_database_that_is_not_there_releases_nothing_and_health_says_so(void)
{
  struct release_store *s = NULL;
  struct err e = {0};
  double values[] = {1};
  struct release_record candidate = record_of(values, 1, 1), r;
  struct release_key key = key_of("m", 0, 6);
  struct release_viewer viewer = viewer_of("a", 3);
  enum release_outcome outcome;
  AUTO_BUF struct buf detail = BUF_INIT(1000);
  struct release_store_options o = {.database_url = "postgresql://u:geheim@127.0.0.1:1/d"};
  CU_ASSERT_EQUAL_FATAL(release_store_new(&s, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL(release_store_take(s, &key, "v", &viewer, &candidate, &outcome, &r, &e),
                  ERR_UNAVAILABLE);
  CU_ASSERT_FALSE(release_store_ready(s, &detail));
  CU_ASSERT_PTR_NOT_NULL(
      strstr(buf_str(&detail), "fail releases: the store cannot be opened; the log says why\n"));
  CU_ASSERT_PTR_NULL(strstr(buf_str(&detail), "geheim"));
  release_store_free(s);
}

static void without_a_folder_releases_last_as_long_as_the_process(void)
{
  struct release_store *s = NULL;
  struct err e = {0};
  struct release_record r;
  AUTO_BUF struct buf detail = BUF_INIT(1000);
  struct release_store_options o = {.cache_bytes = 1}; /* and without a cache */
  test_number++;
  CU_ASSERT_EQUAL_FATAL(release_store_new(&s, &o, &e), ERR_OK);
  CU_ASSERT_EQUAL(take(s, "m", 0, 6, "v1", 17, &r), RELEASE_NEW);
  release_record_free(&r);
  CU_ASSERT_EQUAL(take(s, "m", 0, 6, "v1", 18, &r), RELEASE_FROZEN);
  CU_ASSERT_EQUAL(r.numerator, 17);
  release_record_free(&r);
  CU_ASSERT_TRUE(release_store_ready(s, &detail));
  CU_ASSERT_STRING_EQUAL(buf_str(&detail), "ok releases: the store is open\n");
  release_store_free(s);
}

/* A container with a read-only root has no folder for temporary files. SQLite says 2 for memory. */
static void sqlite_needs_no_folder_for_temporary_files(void)
{
  struct database *d = NULL;
  struct database_row row = {0};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(database_open_sqlite(&d, NULL, &e), ERR_OK);
  CU_ASSERT_EQUAL(d->run(d, "PRAGMA temp_store", NULL, 0, &row, &e), ERR_OK);
  CU_ASSERT_TRUE_FATAL(row.found);
  CU_ASSERT_STRING_EQUAL(row.columns[0], "2");
  database_row_free(&row);
  d->close(d);
}

static void make_folder(void)
{
  if (mkdtemp(folder) == NULL)
    abort();
  run = (long)clock_unix_ms();
}

static void remove_folder(void)
{
  static const char *const names[] = {"releases.db", "releases.db-wal", "releases.db-shm"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    AUTO_FREE char *path = xasprintf("%s/%s", folder, names[i]);
    unlink(path);
  }
  rmdir(folder);
}

int main(int argc, char **argv)
{
  static const struct test_case cases[] = {
      TEST(the_first_value_is_kept_over_restarts),
      TEST(the_first_text_is_kept_until_its_time_is_over),
      TEST(days_released_of_a_cohort_are_not_released_of_its_next_version),
      TEST(a_viewer_gets_so_many_new_figures_a_day_and_old_ones_for_nothing),
      TEST(replicas_that_race_all_serve_one_value),
      TEST(what_a_killed_client_was_told_is_kept),
      TEST(what_was_told_survives_a_killed_server),
      TEST(a_connection_that_broke_is_opened_again_without_an_error),
      TEST(a_server_that_stands_still_is_given_up),
      TEST(nobody_else_may_read_the_file),
      TEST(sqlite_needs_no_folder_for_temporary_files),
      TEST(wrong_settings_are_named_without_the_password),
      TEST(a_database_that_is_not_there_releases_nothing_and_health_says_so),
      TEST(without_a_folder_releases_last_as_long_as_the_process),
  };
  const struct test_program program = {"aggregate store", AMCP_TEST_ROOM, cases,
                                       ARRAY_LEN(cases),  make_folder,    remove_folder};
  return test_run(&program, argc, argv);
}
