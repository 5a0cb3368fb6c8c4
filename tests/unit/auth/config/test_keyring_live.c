/* A new keyring takes over for everything that is sealed or hashed with it, or for nothing. */
#include <fcntl.h>
#include <openssl/crypto.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/config/keyring_live.h"
#include "auth-svc/config/snapshot.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

#define KEY_1 "k1: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define KEY_2 "k2: f00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"
#define FALSE_2 "k2: 100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n"

static const uint8_t fingerprint[SHA256_SIZE] = {1};

/* ------------------------------------------------------------------------- the stage */

struct stage {
  char *dir, *ring_path, *audit_path, *dealers_path;
  struct audit *audit;
  struct token_store *store;
  struct keyring_live *live;
  struct key_use sealed_with; /* of the dealers loaded last */
};

static struct keyring *ring_of(const char *text)
{
  struct keyring *k = NULL;
  CU_ASSERT_EQUAL_FATAL(keyring_parse(&k, "RING", text, strlen(text), NULL), ERR_OK);
  return k;
}

/* One dealer, its refresh token sealed with the ring's first key. */
static void write_dealers(const struct stage *s, struct keyring *ring)
{
  static const struct keyring_record place = {"d01", SEALED_FILE_KIND, "oauth.refresh_token"};
  static const struct keyring_record other = {"d01", SEALED_FILE_KIND, "oauth.client_secret"};
  AUTO_BUF struct buf token = BUF_INIT(4096), secret = BUF_INIT(4096);
  CU_ASSERT_EQUAL(keyring_seal(&token, ring, &place, "refresh", 7, NULL), ERR_OK);
  CU_ASSERT_EQUAL(keyring_seal(&secret, ring, &other, "secret", 6, NULL), ERR_OK);
  AUTO_FREE char *json =
      xasprintf("[{\"dealer_id\":\"d01\",\"name\":\"N\",\"region\":\"W\",\"properties\":[\"1\"],"
                "\"oauth\":{\"client_id\":\"c\",\"client_secret\":{\"sealed\":\"%s\"},"
                "\"refresh_token\":{\"sealed\":\"%s\"}}}]",
                buf_str(&secret), buf_str(&token));
  folder_replace(s->dir, "dealers.json", json);
}

static void stored(void *user, const struct err *error, bool final)
{
  if (final && error->code == ERR_OK)
    atomic_fetch_add((atomic_int *)user, 1);
}

static void put(struct stage *s, const char *account)
{
  atomic_int done = 0;
  AUTO_SECRET struct secret *token = secret_from("replaced");
  token_store_put(s->store, account, fingerprint, token, stored, &done);
  for (int i = 0; i < 2000 && atomic_load(&done) == 0; i++)
    usleep(1000);
  CU_ASSERT_EQUAL(atomic_load(&done), 1);
}

/* Everything is sealed and hashed with k1, which is the ring. */
static void stage_set(struct stage *s)
{
  AUTO_KEYRING struct keyring *ring = ring_of(KEY_1);
  *s = (struct stage){.dir = folder_make()};
  s->ring_path = xasprintf("%s/ring", s->dir);
  s->audit_path = xasprintf("%s/audit.log", s->dir);
  s->dealers_path = xasprintf("%s/dealers.json", s->dir);
  AUTO_FREE char *state = xasprintf("%s/state", s->dir);
  folder_write(s->dir, "ring", KEY_1);
  write_dealers(s, ring);
  const struct audit_options audit = {
      .path = s->audit_path, .keyring = ring, .fsync = AUDIT_FSYNC_NEVER};
  CU_ASSERT_EQUAL_FATAL(audit_open(&s->audit, &audit, NULL), ERR_OK);
  const struct token_store_options store = {.dir = state, .keyring = ring};
  CU_ASSERT_EQUAL_FATAL(token_store_open(&s->store, &store, NULL), ERR_OK);
  put(s, "a01");
  const struct keyring_live_options live = {
      .file = s->ring_path, .first = ring, .audit = s->audit, .store = s->store};
  s->live = keyring_live_new(&live);
}

static void stage_strike(struct stage *s)
{
  keyring_live_free(s->live);
  token_store_close(s->store);
  audit_close(s->audit);
  folder_remove(s->dir);
  free(s->dir);
  free(s->ring_path);
  free(s->audit_path);
  free(s->dealers_path);
}

static enum err_code load(void *user, struct keyring *ring, struct snapshot **out, struct err *e)
{
  struct stage *s = user;
  const struct sealed_policy policy = {.keyring = ring};
  enum err_code code =
      snapshot_load(out, s->dealers_path, &(struct dealers_options){.sealed = &policy}, e);
  if (code == ERR_OK)
    s->sealed_with = (*out)->sealed_with;
  return code;
}

static struct err reload(struct stage *s)
{
  struct snapshot *next = NULL;
  struct err e = {0};
  enum err_code code = keyring_live_reload(s->live, load, s, &next, &e);
  CU_ASSERT_EQUAL(code, e.code);
  CU_ASSERT_EQUAL(code == ERR_OK, next != NULL);
  snapshot_unref(next);
  return e;
}

static struct err reload_with(struct stage *s, const char *ring)
{
  folder_replace(s->dir, "ring", ring);
  return reload(s);
}

static bool detail_shows(struct stage *s, const char *text)
{
  AUTO_BUF struct buf detail = BUF_INIT(8192);
  for (int i = 0; i < 1000; i++) {
    buf_clear(&detail);
    keyring_live_describe(s->live, &s->sealed_with, &detail);
    if (strstr(buf_str(&detail), text) != NULL)
      return true;
    usleep(2000);
  }
  printf("\n  wanted %s\n  got %s", text, buf_str(&detail));
  return false;
}

static void expect_refusal(const struct err *e, const char *reason, const char *text)
{
  if (strcmp(e->reason, reason) != 0 || strstr(e->message, text) == NULL)
    printf("\n  wanted %s: %s\n  got %s: %s\n", reason, text, e->reason, e->message);
  CU_ASSERT_STRING_EQUAL(e->reason, reason);
  CU_ASSERT_PTR_NOT_NULL(strstr(e->message, text));
}

static void no_fault(void *user, const char *path, size_t line, const char *what)
{
  (void)user;
  printf("\n  %s line %zu: %s\n", path, line, what);
}

static struct err verify(const struct stage *s, const char *ring_text, size_t *faults)
{
  AUTO_KEYRING struct keyring *ring = ring_of(ring_text);
  const char *path = s->audit_path;
  struct audit_findings findings;
  struct err e = {0};
  audit_verify(&findings, &path, 1, ring, false, no_fault, NULL, &e);
  *faults = findings.n;
  return e;
}

static void write_line(struct stage *s, const char *event)
{
  const struct audit_event line = {.event = event, .result = "ok"};
  CU_ASSERT_EQUAL(audit_write(s->audit, &line, NULL), ERR_OK);
}

/* ----------------------------------------------------------------------------- tests */

static void a_key_is_added_taken_into_use_and_the_old_one_removed(void)
{
  struct stage s;
  size_t faults;
  AUTO_KEYRING struct keyring *both = ring_of(KEY_2 KEY_1);
  stage_set(&s);
  write_line(&s, "before");
  CU_ASSERT_EQUAL(reload(&s).code, ERR_OK); /* the same ring: nothing changes */
  CU_ASSERT_TRUE(detail_shows(&s, "ok keyring: first k1; file k1 (2); store k1 (1); audit k1\n"));
  CU_ASSERT_EQUAL(reload_with(&s, KEY_2 KEY_1).code, ERR_OK);
  CU_ASSERT_TRUE(detail_shows(&s, "ok keyring: first k2; file k1 (2); store k2 (1); audit k2\n"));
  write_line(&s, "after");
  write_dealers(&s, both); /* as auth-svc rotate does */
  CU_ASSERT_EQUAL(reload(&s).code, ERR_OK);
  CU_ASSERT_TRUE(
      detail_shows(&s, "file k2 (2); store k2 (1); audit k2; may leave the keyring: k1"));
  CU_ASSERT_EQUAL(reload_with(&s, KEY_2).code, ERR_OK);
  CU_ASSERT_TRUE(detail_shows(&s, "first k2; file k2 (2); store k2 (1); audit k2\n"));
  CU_ASSERT_EQUAL(audit_seq(s.audit), 3);
  CU_ASSERT_EQUAL(verify(&s, KEY_2 KEY_1, &faults).code, ERR_OK);
  CU_ASSERT_EQUAL(faults, 0);
  /* "before" and the change are k1's, what follows is k2's. */
  struct err e = verify(&s, KEY_2, &faults);
  expect_refusal(&e, "unknown_key", "audit.log line 1: is hashed with key \"k1\"");
  e = verify(&s, KEY_1, &faults);
  expect_refusal(&e, "unknown_key", "audit.log line 3: is hashed with key \"k2\"");
  stage_strike(&s);
}

static void a_key_that_something_needs_cannot_leave(void)
{
  struct stage s;
  AUTO_KEYRING struct keyring *both = ring_of(KEY_2 KEY_1);
  stage_set(&s);
  CU_ASSERT_EQUAL(reload(&s).code, ERR_OK);
  struct err e = reload_with(&s, KEY_2); /* in one step */
  expect_refusal(&e, "key_in_use", "\"k1\" is the first key in use");
  CU_ASSERT_PTR_NOT_NULL(
      strstr(e.message, "the store of refresh tokens (AUTH_STATE_DIR) is still"));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "sealed with key \"k1\", which is not on the keyring"));
  CU_ASSERT_TRUE(detail_shows(&s, "first k1; file k1 (2); store k1 (1); audit k1\n"));
  CU_ASSERT_EQUAL(audit_seq(s.audit), 0); /* no line of a change that was none */
  CU_ASSERT_EQUAL(reload_with(&s, KEY_2 KEY_1).code, ERR_OK);
  CU_ASSERT_TRUE(detail_shows(&s, "; store k2 (1); audit k2"));
  e = reload_with(&s, KEY_2); /* the dealers file was forgotten */
  expect_refusal(&e, "unknown_key", "(dealer \"d01\"): sealed with key \"k1\"");
  CU_ASSERT_TRUE(detail_shows(&s, "first k2; file k1 (2); store k2 (1); audit k2\n"));
  write_dealers(&s, both);
  CU_ASSERT_EQUAL(reload(&s).code, ERR_OK);
  stage_strike(&s);
}

static void a_store_that_cannot_be_written_keeps_its_key(void)
{
  struct stage s;
  AUTO_KEYRING struct keyring *both = ring_of(KEY_2 KEY_1);
  stage_set(&s);
  AUTO_FREE char *in_the_way = xasprintf("%s/state/refresh-tokens.new", s.dir);
  CU_ASSERT_EQUAL(mkdir(in_the_way, 0700), 0);
  write_dealers(&s, both);
  CU_ASSERT_EQUAL(reload_with(&s, KEY_2 KEY_1).code, ERR_OK);
  CU_ASSERT_TRUE(detail_shows(&s, "first k2; file k2 (2); store k1 (1); audit k2\n"));
  struct err e = reload_with(&s, KEY_2);
  expect_refusal(&e, "key_in_use", "the store of refresh tokens");
  CU_ASSERT_EQUAL(rmdir(in_the_way), 0);
  put(&s, "a02");
  CU_ASSERT_TRUE(detail_shows(&s, "; store k2 (2); audit k2"));
  CU_ASSERT_EQUAL(reload(&s).code, ERR_OK);
  stage_strike(&s);
}

static void an_id_that_means_another_key_is_refused(void)
{
  struct stage s;
  stage_set(&s);
  CU_ASSERT_EQUAL(reload_with(&s, KEY_1 KEY_2).code, ERR_OK);
  struct err e = reload_with(&s, FALSE_2 KEY_1);
  expect_refusal(&e, "key_id_reused", "AUTH_KEYRING_FILE: key \"k2\" is another one than before");
  e = reload_with(&s, "nonsense");
  expect_refusal(&e, "bad_keyring", "key on line 1");
  unlink(s.ring_path);
  e = reload(&s);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "AUTH_KEYRING_FILE: cannot open"));
  CU_ASSERT_TRUE(detail_shows(&s, "first k1; file k1 (2); store k1 (1); audit k1"));
  stage_strike(&s);
}

static void a_change_that_cannot_be_audited_is_none(void)
{
  struct stage s;
  struct rlimit limit;
  struct stat st;
  signal(SIGXFSZ, SIG_IGN);
  stage_set(&s);
  write_line(&s, "before");
  folder_replace(s.dir, "ring", KEY_2 KEY_1);
  CU_ASSERT_EQUAL(stat(s.audit_path, &st), 0);
  getrlimit(RLIMIT_FSIZE, &limit);
  limit.rlim_cur = (rlim_t)st.st_size;
  setrlimit(RLIMIT_FSIZE, &limit);
  struct err e = reload(&s);
  CU_ASSERT_STRING_EQUAL(e.reason, "audit_unavailable");
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_FSIZE, &limit);
  CU_ASSERT_TRUE(detail_shows(&s, "first k1; file k1 (2); store k1 (1); audit k1"));
  CU_ASSERT_EQUAL(reload(&s).code, ERR_OK);
  CU_ASSERT_TRUE(detail_shows(&s, "first k2; file k1 (2); store k2 (1); audit k2"));
  stage_strike(&s);
}

struct user {
  struct stage *s;
  atomic_bool *stop;
  atomic_int *rounds; /* of all */
  int number;
  int failed;
};

static void *use_keys(void *arg)
{
  struct user *u = arg;
  AUTO_BUF struct buf detail = BUF_INIT(8192);
  const struct audit_event line = {.event = "thread", .result = "ok"};
  AUTO_FREE char *account = xasprintf("t%d", u->number);
  for (int i = 0; !atomic_load(u->stop); i++) {
    u->failed += audit_write(u->s->audit, &line, NULL) != ERR_OK;
    if (i % 16 == 0)
      put(u->s, account);
    buf_clear(&detail);
    keyring_live_describe(u->s->live, &(struct key_use){0}, &detail);
    if (i < 12)
      atomic_fetch_add(u->rounds, 1);
    usleep(500);
  }
  return NULL;
}

static void four_threads_use_the_keys_while_they_change_40_times(void)
{
  struct stage s;
  atomic_bool stop = false;
  atomic_int rounds = 0;
  struct user users[4];
  pthread_t threads[4];
  size_t faults;
  stage_set(&s);
  for (int i = 0; i < 4; i++) {
    users[i] = (struct user){&s, &stop, &rounds, i, 0};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, use_keys, &users[i]), 0);
  }
  /* At least 40 times, and until every thread has had its turns in between. */
  for (int i = 0; i < 40 || i % 2 != 0 || atomic_load(&rounds) < 4 * 12; i++)
    CU_ASSERT_EQUAL(reload_with(&s, i % 2 == 0 ? KEY_2 KEY_1 : KEY_1 KEY_2).code, ERR_OK);
  atomic_store(&stop, true);
  for (int i = 0; i < 4; i++) {
    pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(users[i].failed, 0);
  }
  CU_ASSERT_TRUE(audit_seq(s.audit) > 80);
  CU_ASSERT_EQUAL(verify(&s, KEY_1 KEY_2, &faults).code, ERR_OK);
  CU_ASSERT_EQUAL(faults, 0);
  CU_ASSERT_TRUE(detail_shows(&s, "; store k1 (5); audit k1"));
  CU_ASSERT_EQUAL(reload_with(&s, KEY_1).code, ERR_OK);
  stage_strike(&s);
}

static void a_hundred_refused_rings_leave_nothing_behind(void)
{
  struct stage s;
  CU_ASSERT_TRUE(secrets_init());
  stage_set(&s);
  AUTO_KEYRING struct keyring *both = ring_of(KEY_2 KEY_1);
  size_t secrets = CRYPTO_secure_used();
  for (int i = 0; i < 100; i++) {
    CU_ASSERT_NOT_EQUAL(reload_with(&s, KEY_2).code, ERR_OK); /* still needed, file and store */
    CU_ASSERT_NOT_EQUAL(reload_with(&s, "nonsense").code, ERR_OK);
    folder_replace(s.dir, "dealers.json", "[]");
    CU_ASSERT_NOT_EQUAL(reload_with(&s, KEY_2 KEY_1).code, ERR_OK); /* good, the file is not */
    write_dealers(&s, both);
  }
  CU_ASSERT_EQUAL(CRYPTO_secure_used(), secrets);
  CU_ASSERT_EQUAL(reload_with(&s, KEY_2 KEY_1).code, ERR_OK); /* and nothing is in the way */
  stage_strike(&s);
}

TEST_MAIN("auth keyring live", TEST(a_hundred_refused_rings_leave_nothing_behind),
          TEST(a_key_is_added_taken_into_use_and_the_old_one_removed),
          TEST(a_key_that_something_needs_cannot_leave),
          TEST(a_store_that_cannot_be_written_keeps_its_key),
          TEST(an_id_that_means_another_key_is_refused),
          TEST(a_change_that_cannot_be_audited_is_none),
          TEST(four_threads_use_the_keys_while_they_change_40_times))
