/* Replaced refresh tokens on disk: what survives, and what is refused. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/token/store.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

#define FILE_NAME "refresh-tokens"

/* ------------------------------------------------------------------------- the stage */

#define KEY_1 "k1: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_2 "k2: f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_3 "k3: ff0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static struct keyring *crypto; /* one key, for the tests that need any */

/* The store's wall clock: goes on when a test lets it. */
static atomic_llong now_s = 1764460800;

static int64_t test_clock(void)
{
  return atomic_load(&now_s) * 1000;
}

static struct keyring *ring_of(const char *text)
{
  struct keyring *k = NULL;
  CU_ASSERT_EQUAL_FATAL(keyring_parse(&k, "RING", text, strlen(text), NULL), ERR_OK);
  return k;
}

static struct token_store *open_with(const char *dir, struct keyring *c)
{
  struct token_store *s = NULL;
  struct err e = {0};
  const struct token_store_options options = {.dir = dir, .keyring = c, .unix_ms = test_clock};
  if (token_store_open(&s, &options, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(s);
  return s;
}

static struct err refusal(const char *dir, struct keyring *c)
{
  struct token_store *s = NULL;
  struct err e = {0};
  const struct token_store_options options = {.dir = dir, .keyring = c, .unix_ms = test_clock};
  CU_ASSERT_NOT_EQUAL(token_store_open(&s, &options, &e), ERR_OK);
  CU_ASSERT_PTR_NULL(s);
  return e;
}

struct outcome {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int good, bad, final;
};
#define OUTCOME_INIT                                                                               \
  {                                                                                                \
    .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                         \
  }

static void on_stored(void *user, const struct err *error, bool final)
{
  struct outcome *o = user;
  pthread_mutex_lock(&o->lock);
  o->good += error->code == ERR_OK;
  o->bad += error->code != ERR_OK;
  o->final += final;
  pthread_cond_broadcast(&o->changed);
  pthread_mutex_unlock(&o->lock);
}

static void wait_for(struct outcome *o, const int *counter, int n)
{
  pthread_mutex_lock(&o->lock);
  while (*counter < n)
    pthread_cond_wait(&o->changed, &o->lock);
  pthread_mutex_unlock(&o->lock);
}

static const uint8_t one[SHA256_SIZE] = {1}, two[SHA256_SIZE] = {2}, three[SHA256_SIZE] = {3},
                     four[SHA256_SIZE] = {4};

static void put_async(struct token_store *s, const char *account, const uint8_t *fingerprint,
                      const char *token, struct outcome *o)
{
  AUTO_SECRET struct secret *t = secret_from(token);
  token_store_put(s, account, fingerprint, t, on_stored, o);
}

/* A credential of its own for each account. */
static const uint8_t *own(const char *account)
{
  static _Thread_local uint8_t fingerprint[SHA256_SIZE];
  sha256_of(account, strlen(account), fingerprint);
  return fingerprint;
}

static void put(struct token_store *s, const char *account, const uint8_t *fingerprint,
                const char *token)
{
  struct outcome o = OUTCOME_INIT;
  put_async(s, account, fingerprint, token, &o);
  wait_for(&o, &o.final, 1);
  CU_ASSERT_EQUAL(o.good, 1);
}

static void expect(struct token_store *s, const char *account, const uint8_t *fingerprint,
                   const char *token)
{
  AUTO_SECRET struct secret *t = token_store_get(s, account, fingerprint);
  if (token == NULL) {
    CU_ASSERT_PTR_NULL(t);
    return;
  }
  CU_ASSERT_PTR_NOT_NULL(t);
  CU_ASSERT_STRING_EQUAL(secret_text(t), token);
}

static size_t read_file(const char *dir, const char *name, char *out, size_t size)
{
  AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
  int fd = open(path, O_RDONLY);
  CU_ASSERT_TRUE_FATAL(fd >= 0);
  ssize_t n = read(fd, out, size);
  close(fd);
  return n > 0 ? (size_t)n : 0;
}

static void write_file(const char *dir, const char *name, const char *data, size_t len)
{
  AUTO_FREE char *path = xasprintf("%s/%s", dir, name);
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  CU_ASSERT_EQUAL_FATAL(write(fd, data, len), (ssize_t)len);
  close(fd);
}

/* ----------------------------------------------------------------------------- tests */

static void a_token_survives_a_restart_for_its_credential_only(void)
{
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  put(s, "a01", one, "first");
  put(s, "a01", one, "second");
  put(s, "a02", two, "other");
  token_store_close(s);
  s = open_with(dir, crypto);
  expect(s, "a01", one, "second");
  expect(s, "a02", two, "other");
  expect(s, "a01", three, NULL);
  token_store_close(s);
  folder_remove(dir);
}

/* Dealers may share a credential; the one it was kept under may leave. */
static void a_token_is_for_every_account_with_its_credential(void)
{
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  put(s, "a01", one, "first");
  expect(s, "a02", one, "first"); /* and is kept under a02 from here on */
  token_store_close(s);
  s = open_with(dir, crypto);
  atomic_fetch_add(&now_s, 1); /* times are in seconds */
  put(s, "a02", one, "second");
  expect(s, "a01", one, "second");
  token_store_close(s);
  s = open_with(dir, crypto);
  expect(s, "a01", one, "second");
  expect(s, "a02", one, "second");
  token_store_close(s);
  folder_remove(dir);
}

static void the_file_shows_no_token_and_is_for_its_owner_alone(void)
{
  static char text[65536];
  struct stat st;
  AUTO_FREE char *dir = folder_make(), *path = xasprintf("%s/" FILE_NAME, dir);
  struct token_store *s = open_with(dir, crypto);
  put(s, "a01", one, "the-secret-token");
  token_store_close(s);
  size_t n = read_file(dir, FILE_NAME, text, sizeof(text));
  CU_ASSERT_PTR_NULL(memmem(text, n, "the-secret-token", 16));
  CU_ASSERT_PTR_NOT_NULL(memmem(text, n, "a01", 3));
  CU_ASSERT_EQUAL(stat(path, &st), 0);
  CU_ASSERT_EQUAL(st.st_mode & 0777, 0600);
  folder_remove(dir);
}

/* A process that is killed leaves the new file half-written, or complete but not renamed. */
static void a_new_file_that_was_left_behind_counts_if_it_is_complete(void)
{
  static char old[65536], new[65536];
  AUTO_FREE char *dir = folder_make(), *left = xasprintf("%s/" FILE_NAME ".new", dir);
  struct token_store *s = open_with(dir, crypto);
  put(s, "a01", one, "first");
  size_t n_old = read_file(dir, FILE_NAME, old, sizeof(old));
  put(s, "a02", two, "second");
  token_store_close(s);
  size_t n_new = read_file(dir, FILE_NAME, new, sizeof(new));
  for (size_t cut = 0; cut <= n_new; cut++) {
    write_file(dir, FILE_NAME, old, n_old);
    write_file(dir, FILE_NAME ".new", new, cut);
    s = open_with(dir, crypto);
    expect(s, "a01", one, "first");
    expect(s, "a02", two, cut == n_new ? "second" : NULL);
    token_store_close(s);
    CU_ASSERT_NOT_EQUAL(access(left, F_OK), 0);
  }
  folder_remove(dir);
}

static void a_file_with_any_byte_changed_is_refused_and_left_as_it_is(void)
{
  static char text[65536], after[65536];
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  put(s, "a01", one, "first");
  put(s, "a02", two, "second");
  token_store_close(s);
  size_t n = read_file(dir, FILE_NAME, text, sizeof(text));
  for (size_t i = 0; i < n; i++) {
    text[i] ^= 1;
    write_file(dir, FILE_NAME, text, n);
    struct err e = refusal(dir, crypto);
    CU_ASSERT_EQUAL(e.code, ERR_DATA_LOSS);
    CU_ASSERT_STRING_EQUAL(e.reason, "state_damaged");
    CU_ASSERT_EQUAL(read_file(dir, FILE_NAME, after, sizeof(after)), n);
    CU_ASSERT_EQUAL(memcmp(after, text, n), 0);
    text[i] ^= 1;
  }
  for (size_t cut = 0; cut < n; cut++) {
    write_file(dir, FILE_NAME, text, cut);
    CU_ASSERT_EQUAL(refusal(dir, crypto).code, ERR_DATA_LOSS);
  }
  AUTO_FREE char *message = xasprintf("AUTH_STATE_DIR: " FILE_NAME " in %s is damaged, or not a "
                                      "file of this version of auth-svc",
                                      dir);
  CU_ASSERT_STRING_EQUAL(refusal(dir, crypto).message, message);
  write_file(dir, FILE_NAME, text, n);
  s = open_with(dir, crypto);
  expect(s, "a02", two, "second");
  token_store_close(s);
  folder_remove(dir);
}

static void a_log_of_an_earlier_version_is_refused_unless_it_is_empty(void)
{
  static const char log[] = "amcp-tokens v1\n\0and records";
  AUTO_FREE char *dir = folder_make();
  write_file(dir, "refresh-tokens.log", log, 17);
  struct err e = refusal(dir, crypto);
  CU_ASSERT_EQUAL(e.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "state_former_version");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "AUTH_STATE_DIR"));
  write_file(dir, "refresh-tokens.log", log, 16);
  token_store_close(open_with(dir, crypto));
  folder_remove(dir);
}

static void the_file_holds_what_is_kept_and_no_more(void)
{
  static char text[65536];
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  struct outcome o = OUTCOME_INIT;
  for (int i = 0; i < 2000; i++) {
    char account[16], token[32];
    snprintf(account, sizeof(account), "a%02d", i % 10);
    snprintf(token, sizeof(token), "token-%d", i);
    put_async(s, account, own(account), token, &o);
    if (i % 20 == 19) {
      wait_for(&o, &o.final, i + 1);
      CU_ASSERT_TRUE(read_file(dir, FILE_NAME, text, sizeof(text)) < 4096);
    }
  }
  CU_ASSERT_EQUAL(o.good, 2000);
  token_store_close(s);
  s = open_with(dir, crypto);
  for (int i = 1990; i < 2000; i++) {
    char account[16], token[32];
    snprintf(account, sizeof(account), "a%02d", i % 10);
    snprintf(token, sizeof(token), "token-%d", i);
    expect(s, account, own(account), token);
  }
  token_store_close(s);
  folder_remove(dir);
}

/* A change that is taken back within 30 days finds its token. */
static void tokens_of_a_former_credential_are_kept_for_30_days(void)
{
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  put(s, "a01", one, "of the former");
  put(s, "a02", three, "of the only one");
  atomic_fetch_add(&now_s, 1);
  put(s, "a01", two, "of the present one");
  atomic_fetch_add(&now_s, 30 * 86400 - 2);
  put(s, "a03", four, "any");
  expect(s, "a01", one, "of the former");
  atomic_fetch_add(&now_s, 1);
  put(s, "a03", four, "any"); /* with any write */
  expect(s, "a01", one, NULL);
  expect(s, "a01", two, "of the present one");
  expect(s, "a02", three, "of the only one");
  token_store_close(s);
  folder_remove(dir);
}

static void a_sealed_file_does_not_open_without_the_key(void)
{
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  put(s, "a01", one, "first");
  token_store_close(s);
  struct err e = refusal(dir, NULL);
  CU_ASSERT_EQUAL(e.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "state_sealed");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "AUTH_STATE_DIR"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "a01"));
  s = open_with(dir, crypto); /* and was not harmed */
  expect(s, "a01", one, "first");
  token_store_close(s);
  folder_remove(dir);
}

static void a_plain_file_is_sealed_as_soon_as_there_is_a_key(void)
{
  static char text[65536];
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, NULL);
  put(s, "a01", one, "the-secret-token");
  token_store_close(s);
  size_t n = read_file(dir, FILE_NAME, text, sizeof(text));
  CU_ASSERT_PTR_NOT_NULL(memmem(text, n, "the-secret-token", 16));
  s = open_with(dir, crypto);
  n = read_file(dir, FILE_NAME, text, sizeof(text));
  CU_ASSERT_PTR_NULL(memmem(text, n, "the-secret-token", 16));
  expect(s, "a01", one, "the-secret-token");
  token_store_close(s);
  folder_remove(dir);
}

static void one_process_at_a_time(void)
{
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  struct err e = refusal(dir, crypto);
  CU_ASSERT_STRING_EQUAL(e.reason, "state_in_use");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, dir));
  token_store_close(s);
  token_store_close(open_with(dir, crypto));
  folder_remove(dir);
}

static void other_files_and_places_are_refused(void)
{
  AUTO_FREE char *dir = folder_make();
  write_file(dir, FILE_NAME, "{\"dealers\": []}", 15);
  CU_ASSERT_EQUAL(refusal(dir, crypto).code, ERR_DATA_LOSS);
  write_file(dir, FILE_NAME, "", 0);
  CU_ASSERT_EQUAL(refusal(dir, crypto).code, ERR_DATA_LOSS);
  AUTO_FREE char *file = xasprintf("%s/" FILE_NAME, dir), *deep = xasprintf("%s/x/y", dir);
  CU_ASSERT_PTR_NOT_NULL(strstr(refusal(file, crypto).message, "AUTH_STATE_DIR"));
  CU_ASSERT_PTR_NOT_NULL(strstr(refusal(deep, crypto).message, "AUTH_STATE_DIR"));
  folder_remove(dir);
}

/* A limit on the size of files stands for a full disk. */
static void let_files_grow_to(rlim_t bytes)
{
  struct rlimit limit;
  signal(SIGXFSZ, SIG_IGN);
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = bytes;
  CU_ASSERT_EQUAL(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_said_and_tried_again(void)
{
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  struct outcome o = OUTCOME_INIT;
  AUTO_BUF struct buf detail = BUF_INIT(4096);
  put(s, "a01", one, "first");
  let_files_grow_to(64);
  put_async(s, "a02", two, "second", &o);
  wait_for(&o, &o.bad, 1);
  CU_ASSERT_EQUAL(o.final, 0);
  token_store_describe(s, &detail);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(buf_str(&detail), "warn state: replaced refresh tokens cannot be stored"));
  let_files_grow_to(RLIM_INFINITY);
  wait_for(&o, &o.final, 1);
  CU_ASSERT_EQUAL(o.good, 1);
  token_store_close(s);
  s = open_with(dir, crypto);
  expect(s, "a01", one, "first");
  expect(s, "a02", two, "second");
  token_store_close(s);
  folder_remove(dir);
}

static void closing_with_a_full_disk_ends_and_says_so(void)
{
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  struct outcome o = OUTCOME_INIT;
  let_files_grow_to(64);
  put_async(s, "a02", two, "second", &o);
  wait_for(&o, &o.bad, 1);
  token_store_close(s);
  CU_ASSERT_EQUAL(o.final, 1);
  CU_ASSERT_EQUAL(o.good, 0);
  let_files_grow_to(RLIM_INFINITY);
  folder_remove(dir);
}

struct putter {
  struct token_store *s;
  struct outcome *o;
  int number;
};

static void *put_many(void *arg)
{
  struct putter *p = arg;
  for (int i = 0; i < 100; i++) {
    char account[16], token[32];
    snprintf(account, sizeof(account), "a%d-%d", p->number, i % 5);
    snprintf(token, sizeof(token), "token-%d-%d", p->number, i);
    put_async(p->s, account, own(account), token, p->o);
  }
  return NULL;
}

static void eight_threads_put_while_the_file_is_written(void)
{
  AUTO_FREE char *dir = folder_make();
  struct token_store *s = open_with(dir, crypto);
  struct outcome o = OUTCOME_INIT;
  struct putter putters[8];
  pthread_t threads[8];
  for (int i = 0; i < 8; i++) {
    putters[i] = (struct putter){s, &o, i};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, put_many, &putters[i]), 0);
  }
  for (int i = 0; i < 8; i++)
    pthread_join(threads[i], NULL);
  wait_for(&o, &o.final, 800);
  CU_ASSERT_EQUAL(o.good, 800);
  token_store_close(s);
  s = open_with(dir, crypto);
  for (int i = 0; i < 8; i++)
    for (int k = 95; k < 100; k++) {
      char account[16], token[32];
      snprintf(account, sizeof(account), "a%d-%d", i, k % 5);
      snprintf(token, sizeof(token), "token-%d-%d", i, k);
      expect(s, account, own(account), token);
    }
  token_store_close(s);
  folder_remove(dir);
}

/* ------------------------------------------------------------------- a new keyring */

static void put_some(struct token_store *s, int n)
{
  struct outcome o = OUTCOME_INIT;
  for (int i = 0; i < n; i++) {
    char account[16], token[32];
    snprintf(account, sizeof(account), "a%03d", i);
    snprintf(token, sizeof(token), "token-%d", i);
    put_async(s, account, own(account), token, &o);
  }
  wait_for(&o, &o.final, n);
}

static void expect_some(struct token_store *s, int n)
{
  for (int i = 0; i < n; i++) {
    char account[16], token[32];
    snprintf(account, sizeof(account), "a%03d", i);
    snprintf(token, sizeof(token), "token-%d", i);
    expect(s, account, own(account), token);
  }
}

/* Waits until the file is sealed with this key and no other. */
static bool sealed_only_with(struct token_store *s, const char *id)
{
  struct key_use use;
  int64_t end = clock_mono_ms() + 20000;
  do
    token_store_key_use(s, &use);
  while ((!key_use_has(&use, id) || key_use_has_other(&use, id)) && clock_mono_ms() < end &&
         sched_yield() == 0);
  return key_use_has(&use, id) && !key_use_has_other(&use, id);
}

static void a_new_first_key_seals_the_file_again_while_it_is_used(void)
{
  static char text[1 << 18];
  AUTO_FREE char *dir = folder_make();
  AUTO_KEYRING struct keyring *old = ring_of(KEY_1), *both = ring_of(KEY_2 KEY_1);
  AUTO_KEYRING struct keyring *new = ring_of(KEY_2);
  struct token_store *s = open_with(dir, old);
  put_some(s, 200);
  CU_ASSERT_EQUAL(token_store_check_keyring(s, both, NULL), ERR_OK);
  token_store_set_keyring(s, both);
  put(s, "later", two, "later-token");
  CU_ASSERT_TRUE(sealed_only_with(s, "k2"));
  size_t n = read_file(dir, FILE_NAME, text, sizeof(text));
  CU_ASSERT_PTR_NULL(memmem(text, n, "v1:k1:", 6));
  CU_ASSERT_PTR_NOT_NULL(memmem(text, n, "v1:k2:", 6));
  CU_ASSERT_EQUAL(token_store_check_keyring(s, new, NULL), ERR_OK);
  token_store_set_keyring(s, new);
  token_store_close(s);
  s = open_with(dir, new); /* the old key is gone */
  expect_some(s, 200);
  expect(s, "later", two, "later-token");
  token_store_close(s);
  CU_ASSERT_EQUAL(refusal(dir, old).code, ERR_FAILED_PRECONDITION);
  folder_remove(dir);
}

static void let_files_grow_to(rlim_t bytes);

static void a_key_stays_needed_until_the_new_file_is_on_disk(void)
{
  AUTO_FREE char *dir = folder_make();
  AUTO_KEYRING struct keyring *old = ring_of(KEY_1), *both = ring_of(KEY_2 KEY_1);
  AUTO_KEYRING struct keyring *new = ring_of(KEY_2);
  struct token_store *s = open_with(dir, old);
  struct outcome o = OUTCOME_INIT;
  struct err e = {0};
  put_some(s, 20);
  CU_ASSERT_EQUAL(token_store_check_keyring(s, new, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "key_in_use");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "is still sealed with \"k1\""));
  let_files_grow_to(64); /* the new file cannot be written */
  token_store_set_keyring(s, both);
  put_async(s, "later", two, "later-token", &o);
  wait_for(&o, &o.bad, 1);
  CU_ASSERT_EQUAL(token_store_check_keyring(s, new, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "still sealed with \"k1\" and cannot be written "
                                           "(AUTH_STATE_DIR: cannot write"));
  let_files_grow_to(RLIM_INFINITY);
  CU_ASSERT_TRUE(sealed_only_with(s, "k2"));
  CU_ASSERT_EQUAL(token_store_check_keyring(s, new, &e), ERR_OK);
  wait_for(&o, &o.final, 1);
  token_store_close(s);
  folder_remove(dir);
}

static void a_start_with_another_first_key_seals_the_file_again(void)
{
  AUTO_FREE char *dir = folder_make();
  AUTO_KEYRING struct keyring *old = ring_of(KEY_1), *both = ring_of(KEY_2 KEY_1);
  AUTO_KEYRING struct keyring *new = ring_of(KEY_2);
  struct token_store *s = open_with(dir, old);
  put_some(s, 20);
  token_store_close(s);
  s = open_with(dir, both);
  expect_some(s, 20);
  CU_ASSERT_TRUE(sealed_only_with(s, "k2"));
  token_store_close(s);
  s = open_with(dir, new);
  expect_some(s, 20);
  token_store_close(s);
  folder_remove(dir);
}

static void *change_keys(void *arg)
{
  static const char *const rings[] = {KEY_2 KEY_1 KEY_3, KEY_3 KEY_2 KEY_1, KEY_1 KEY_3 KEY_2};
  struct putter *p = arg;
  for (int i = 0; i < 60; i++) {
    AUTO_KEYRING struct keyring *next = ring_of(rings[i % 3]);
    if (token_store_check_keyring(p->s, next, NULL) == ERR_OK)
      token_store_set_keyring(p->s, next);
    else
      p->number = -1;
    put(p->s, "changer", own("changer"), "any"); /* the file was written with it */
  }
  return NULL;
}

static void eight_threads_put_while_the_key_changes_60_times(void)
{
  AUTO_FREE char *dir = folder_make();
  AUTO_KEYRING struct keyring *first = ring_of(KEY_1 KEY_2 KEY_3), *last = ring_of(KEY_1);
  struct token_store *s = open_with(dir, first);
  struct outcome o = OUTCOME_INIT;
  struct putter putters[8], changer = {s, &o, 0};
  pthread_t threads[8], changing;
  CU_ASSERT_EQUAL_FATAL(pthread_create(&changing, NULL, change_keys, &changer), 0);
  for (int i = 0; i < 8; i++) {
    putters[i] = (struct putter){s, &o, i};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, put_many, &putters[i]), 0);
  }
  for (int i = 0; i < 8; i++)
    pthread_join(threads[i], NULL);
  pthread_join(changing, NULL);
  CU_ASSERT_EQUAL(changer.number, 0);
  wait_for(&o, &o.final, 800);
  CU_ASSERT_EQUAL(o.good, 800);
  CU_ASSERT_TRUE(sealed_only_with(s, "k1"));
  CU_ASSERT_EQUAL(token_store_check_keyring(s, last, NULL), ERR_OK);
  token_store_close(s);
  s = open_with(dir, last);
  for (int i = 0; i < 8; i++)
    for (int k = 95; k < 100; k++) {
      char account[16], token[32];
      snprintf(account, sizeof(account), "a%d-%d", i, k % 5);
      snprintf(token, sizeof(token), "token-%d-%d", i, k);
      expect(s, account, own(account), token);
    }
  token_store_close(s);
  folder_remove(dir);
}

int main(int argc, char **argv)
{
  static const struct test_case cases[] = {
      TEST(a_token_survives_a_restart_for_its_credential_only),
      TEST(a_token_is_for_every_account_with_its_credential),
      TEST(the_file_shows_no_token_and_is_for_its_owner_alone),
      TEST(a_new_file_that_was_left_behind_counts_if_it_is_complete),
      TEST(a_file_with_any_byte_changed_is_refused_and_left_as_it_is),
      TEST(a_log_of_an_earlier_version_is_refused_unless_it_is_empty),
      TEST(the_file_holds_what_is_kept_and_no_more),
      TEST(tokens_of_a_former_credential_are_kept_for_30_days),
      TEST(a_sealed_file_does_not_open_without_the_key),
      TEST(a_plain_file_is_sealed_as_soon_as_there_is_a_key),
      TEST(one_process_at_a_time),
      TEST(other_files_and_places_are_refused),
      TEST(a_full_disk_is_said_and_tried_again),
      TEST(closing_with_a_full_disk_ends_and_says_so),
      TEST(eight_threads_put_while_the_file_is_written),
      TEST(a_new_first_key_seals_the_file_again_while_it_is_used),
      TEST(a_key_stays_needed_until_the_new_file_is_on_disk),
      TEST(a_start_with_another_first_key_seals_the_file_again),
      TEST(eight_threads_put_while_the_key_changes_60_times)};
  if (keyring_parse(&crypto, "RING", KEY_1, strlen(KEY_1), NULL) != ERR_OK)
    return 1;
  int exit_code = test_main("auth token store", cases, ARRAY_LEN(cases), argc, argv);
  keyring_unref(crypto);
  return exit_code;
}
