/* Configuration that changes while it is in use: files that are renamed, linked and written in
 * place; bad files; removed dealers; requests all the while. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "auth-svc/config/reload.h"
#include "auth-svc/config/snapshot.h"
#include "auth-svc/config/watch.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/side.h"

/* ------------------------------------------------------------------------- the watch */

struct watcher {
  struct config_watch *watch;
  atomic_int changes;
};

static void count_change(void *user)
{
  struct watcher *w = user;
  atomic_fetch_add(&w->changes, 1);
}

static void watch_settling(struct watcher *w, const char *folder, const char *name,
                           uint32_t check_ms, uint32_t settle_ms)
{
  AUTO_FREE char *path = xasprintf("%s/%s", folder, name);
  const struct config_watch_options options = {.paths = {NULL, path},
                                               .check_ms = check_ms,
                                               .settle_ms = settle_ms,
                                               .on_change = count_change,
                                               .user = w};
  atomic_store(&w->changes, 0);
  w->watch = config_watch_new(&options);
  CU_ASSERT_EQUAL_FATAL(config_watch_start(w->watch, NULL), ERR_OK);
}

/* Writing in place empties the file first: longer than a busy machine stays between the two. */
enum { IN_PLACE_SETTLE_MS = 1000 };

static void watch(struct watcher *w, const char *folder, const char *name, uint32_t check_ms)
{
  watch_settling(w, folder, name, check_ms, 20);
}

/* Exactly n changes, after time for one more. */
static void expect_changes(struct watcher *w, int n)
{
  for (int i = 0; i < 4000 && atomic_load(&w->changes) < n; i++)
    usleep(5000);
  usleep(100000);
  CU_ASSERT_EQUAL(atomic_load(&w->changes), n);
}

/* As the kubelet lays a Secret out: the file links to ..data/file, ..data to a dated folder,
 * and only ..data is ever replaced. */
static void mount_secret(const char *folder, const char *version, const char *text)
{
  AUTO_FREE char *dated = xasprintf("%s/..%s", folder, version);
  AUTO_FREE char *target = xasprintf("..%s", version);
  AUTO_FREE char *data = xasprintf("%s/..data", folder), *fresh = xasprintf("%s_tmp", data);
  AUTO_FREE char *file = xasprintf("%s/dealers.json", folder);
  char old[256] = "";
  ssize_t n = readlink(data, old, sizeof(old) - 1);
  if (mkdir(dated, 0700) != 0)
    abort();
  folder_write(dated, "dealers.json", text);
  if (symlink(target, fresh) != 0 || rename(fresh, data) != 0)
    abort();
  if (n < 0 && symlink("..data/dealers.json", file) != 0)
    abort();
  if (n > 0) {
    AUTO_FREE char *outdated = xasprintf("%s/%s", folder, old);
    folder_remove(outdated);
  }
}

static void a_file_renamed_over_the_old_one_is_a_change(void)
{
  AUTO_FREE char *dir = folder_make();
  struct watcher w;
  folder_write(dir, "dealers.json", "one");
  watch(&w, dir, "dealers.json", 60000);
  folder_replace(dir, "dealers.json", "two");
  expect_changes(&w, 1);
  folder_replace(dir, "dealers.json", "three");
  expect_changes(&w, 2);
  config_watch_stop(w.watch);
  folder_remove(dir);
}

static void a_file_written_in_place_is_a_change(void)
{
  AUTO_FREE char *dir = folder_make();
  struct watcher w;
  folder_write(dir, "dealers.json", "one");
  watch_settling(&w, dir, "dealers.json", 60000, IN_PLACE_SETTLE_MS);
  folder_write(dir, "dealers.json", "two");
  expect_changes(&w, 1);
  config_watch_stop(w.watch);
  folder_remove(dir);
}

static void a_swapped_link_of_a_mounted_secret_is_a_change(void)
{
  AUTO_FREE char *dir = folder_make();
  struct watcher w;
  mount_secret(dir, "v1", "one");
  watch(&w, dir, "dealers.json", 60000);
  mount_secret(dir, "v2", "two");
  expect_changes(&w, 1);
  mount_secret(dir, "v3", "three");
  expect_changes(&w, 2);
  config_watch_stop(w.watch);
  folder_remove(dir);
}

static void the_same_content_again_is_no_change(void)
{
  AUTO_FREE char *dir = folder_make();
  struct watcher w;
  folder_write(dir, "dealers.json", "one");
  watch_settling(&w, dir, "dealers.json", 50, IN_PLACE_SETTLE_MS);
  folder_replace(dir, "dealers.json", "one");
  folder_write(dir, "dealers.json", "one");
  folder_write(dir, "other.json", "two");
  usleep(IN_PLACE_SETTLE_MS * 1000);
  expect_changes(&w, 0);
  config_watch_stop(w.watch);
  folder_remove(dir);
}

static void a_file_that_comes_and_goes_is_a_change(void)
{
  AUTO_FREE char *dir = folder_make(), *path = xasprintf("%s/dealers.json", dir);
  struct watcher w;
  watch(&w, dir, "dealers.json", 60000);
  folder_replace(dir, "dealers.json", "one");
  expect_changes(&w, 1);
  unlink(path);
  expect_changes(&w, 2);
  config_watch_stop(w.watch);
  folder_remove(dir);
}

static void a_change_that_nobody_tells_of_is_seen_by_looking(void)
{
  AUTO_FREE char *dir = folder_make(), *below = xasprintf("%s/later", dir);
  struct watcher w;
  watch(&w, dir, "later/dealers.json", 50); /* the folder does not exist yet */
  CU_ASSERT_EQUAL(mkdir(below, 0700), 0);
  folder_write(below, "dealers.json", "one");
  expect_changes(&w, 1);
  config_watch_stop(w.watch);
  folder_remove(dir);
}

static void a_file_is_not_taken_in_the_middle_of_being_written(void)
{
  AUTO_FREE char *dir = folder_make(), *path = xasprintf("%s/dealers.json", dir);
  struct watcher w;
  folder_write(dir, "dealers.json", "one");
  watch_settling(&w, dir, "dealers.json", 5, 1000); /* looks all the time */
  FILE *f = fopen(path, "w");
  for (int i = 0; i < 40; i++) {
    fputs("part ", f);
    fflush(f);
    usleep(5000);
  }
  CU_ASSERT_EQUAL(atomic_load(&w.changes), 0);
  fclose(f);
  expect_changes(&w, 1);
  config_watch_stop(w.watch);
  folder_remove(dir);
}

/* What a configuration was read from is watched with it: the key file of a service account that
 * is renewed beside an unchanged dealers file. */
static void files_that_are_followed_are_watched_too(void)
{
  AUTO_FREE char *dir = folder_make(), *other = folder_make();
  AUTO_FREE char *key = xasprintf("%s/key.json", other), *gone = xasprintf("%s/gone.json", other);
  struct watcher w;
  struct table files;
  read_files_init(&files);
  folder_write(dir, "dealers.json", "one");
  folder_write(other, "key.json", "renewed since it was read");
  AUTO_FREE char *own = xasprintf("%s/dealers.json", dir);
  const struct config_watch_options options = {
      .paths = {own}, .check_ms = 60000, .settle_ms = 20, .on_change = count_change, .user = &w};
  atomic_store(&w.changes, 0);
  w.watch = config_watch_new(&options);
  read_files_add(&files, key, "as read", 7);
  read_files_add(&files, key, "again", 5); /* for another dealer */
  read_files_add(&files, gone, NULL, 0);
  CU_ASSERT_EQUAL(files.order.n, 2);
  config_watch_follow(w.watch, &files);
  CU_ASSERT_EQUAL_FATAL(config_watch_start(w.watch, NULL), ERR_OK);
  expect_changes(&w, 1); /* between reading and following */
  folder_replace(other, "key.json", "renewed");
  expect_changes(&w, 2);
  folder_replace(other, "gone.json", "is there");
  expect_changes(&w, 3);
  folder_replace(dir, "dealers.json", "two");
  expect_changes(&w, 4);
  config_watch_stop(w.watch);
  table_free(&files);
  folder_remove(dir);
  folder_remove(other);
}

static void a_poke_is_answered_without_a_change(void)
{
  AUTO_FREE char *dir = folder_make();
  struct watcher w;
  folder_write(dir, "dealers.json", "one");
  watch(&w, dir, "dealers.json", 60000);
  config_watch_poke(w.watch);
  expect_changes(&w, 1);
  config_watch_stop(w.watch);
  folder_remove(dir);
}

/* ----------------------------------------------------------------------- the broker */

struct broker {
  char *dir;
  char *path;
  struct fake_endpoint *fake;
  struct sealer *sealer;
  struct http_client *http;
  struct tokens *tokens;
  struct snapshot_slot *config;
  struct config_watch *watch;
  struct reload *reload;
};

/* How the next file is written: dealers from this number on, each with an OAuth client of its
 * own or all with one. */
static int first_number = 1;
static bool one_client;

/* n dealers; the refresh token of d01 is the text. */
static char *dealers_json(const struct broker *b, int n, const char *first)
{
  struct buf out = BUF_INIT(1 << 20);
  buf_puts(&out, "[");
  for (int i = first_number; i <= n; i++)
    buf_printf(&out,
               "%s{\"dealer_id\":\"d%02d\",\"account_id\":\"a%02d\",\"name\":\"N\",\"region\":"
               "\"W\",\"properties\":[\"%d\"],\"oauth\":{\"client_id\":\"c%d\",\"client_secret\":"
               "\"the-secret\",\"refresh_token\":\"%s\",\"token_uri\":\"%s\"}}",
               i > first_number ? "," : "", i, i, i, one_client ? 0 : i,
               i == 1 ? first : "the-refresh-token", fake_url(b->fake));
  buf_puts(&out, "]");
  return buf_take(&out, NULL);
}

static enum err_code load(void *user, struct snapshot **out, struct err *e)
{
  const struct broker *b = user;
  enum err_code code = snapshot_load(out, b->path, NULL, e);
  if (code == ERR_OK)
    snapshot_trust(*out, &(struct trust){.sealer = b->sealer});
  return code;
}

static void on_change(void *user)
{
  struct broker *b = user;
  reload_run(b->reload);
}

static void put_config(struct broker *b, const char *version, int n, const char *first)
{
  AUTO_FREE char *json = dealers_json(b, n, first);
  mount_secret(b->dir, version, json);
}

static void broker_start(struct broker *b)
{
  const struct http_client_options http = {.user_agent = "test"};
  struct snapshot *first = NULL;
  *b = (struct broker){.dir = folder_make(), .fake = fake_start()};
  b->path = xasprintf("%s/dealers.json", b->dir);
  put_config(b, "v0", 10, "first-token");
  const struct config_watch_options watch_options = {
      .paths = {b->path}, .settle_ms = 5, .on_change = on_change, .user = b};
  b->watch = config_watch_new(&watch_options);
  CU_ASSERT_EQUAL_FATAL(sealer_new(&b->sealer, "key", NULL, "test", NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(load(b, &first, NULL), ERR_OK);
  b->config = snapshot_slot_new(first);
  CU_ASSERT_EQUAL_FATAL(http_client_new(&b->http, &http, NULL), ERR_OK);
  const struct tokens_options tokens = {.env.http = b->http, .tick_ms = 10};
  b->tokens = tokens_new(&tokens);
  const struct reload_options reload = {
      .config = b->config, .tokens = b->tokens, .load = load, .user = b};
  b->reload = reload_new(&reload);
  tokens_start_background(b->tokens);
  CU_ASSERT_EQUAL_FATAL(config_watch_start(b->watch, NULL), ERR_OK);
}

static void broker_stop(struct broker *b)
{
  config_watch_stop(b->watch);
  http_client_free(b->http);
  tokens_free(b->tokens);
  reload_free(b->reload);
  snapshot_slot_free(b->config);
  sealer_unref(b->sealer);
  fake_stop(b->fake);
  folder_remove(b->dir);
  free(b->dir);
  free(b->path);
}

struct wait {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool done;
  struct err error;
};

static void on_ready(void *user, const struct token_result *r)
{
  struct wait *w = user;
  pthread_mutex_lock(&w->lock);
  w->error = r->error;
  w->done = true;
  pthread_cond_signal(&w->changed);
  pthread_mutex_unlock(&w->lock);
}

static struct err ask_once(struct broker *b, const char *account_id)
{
  struct wait w = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(b->config);
  const struct token_key key = snapshot_token_key(config, account_id);
  if (key.credential == NULL) {
    err_set(&w.error, ERR_NOT_FOUND, "dealer_not_found", "gone");
    return w.error;
  }
  tokens_get(b->tokens, key.account_id, key.credential, NULL, tokens_wait_id(b->tokens), on_ready,
             &w);
  pthread_mutex_lock(&w.lock);
  while (!w.done)
    pthread_cond_wait(&w.changed, &w.lock);
  pthread_mutex_unlock(&w.lock);
  return w.error;
}

/* As the service does: again with the current configuration when it changed meanwhile. */
static struct err ask(struct broker *b, const char *account_id)
{
  struct err e = ask_once(b, account_id);
  for (int i = 0; i < 4 && e.code == ERR_ABORTED; i++)
    e = ask_once(b, account_id);
  return e;
}

static size_t dealers(struct broker *b)
{
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(b->config);
  return config->directory->n_dealers;
}

static void wait_for_dealers(struct broker *b, size_t n)
{
  for (int i = 0; i < 4000 && dealers(b) != n; i++)
    usleep(5000);
  CU_ASSERT_EQUAL(dealers(b), n);
}

static void detail_shows(struct broker *b, const char *text)
{
  AUTO_BUF struct buf detail = BUF_INIT(8192);
  for (int i = 0; i < 4000; i++) {
    buf_clear(&detail);
    reload_describe(b->reload, &detail);
    if (strstr(buf_str(&detail), text) != NULL)
      return;
    usleep(5000);
  }
  printf("\n  no \"%s\" in %s\n", text, buf_str(&detail));
  CU_FAIL("readiness detail");
}

static void failure_is(struct broker *b, const char *text)
{
  struct err e = {0};
  for (int i = 0; i < 4000; i++) {
    if (reload_failure(b->reload, &e) && strstr(e.message, text) != NULL)
      return;
    usleep(5000);
  }
  printf("\n  no \"%s\" in %s\n", text, e.message);
  CU_FAIL("why the configuration was refused");
}

static double metric_value(const char *name)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  metrics_render(&text);
  AUTO_FREE char *line = xasprintf("\n%s ", name);
  const char *at = strstr(buf_str(&text), line);
  return at != NULL ? strtod(at + strlen(line), NULL) : -1;
}

static void a_bad_file_changes_nothing_and_says_why(void)
{
  struct broker b;
  broker_start(&b);
  double failed = metric_value("auth_config_reloads_total{result=\"failed\"}");
  detail_shows(&b, "ok config: number 1, loaded 20");
  CU_ASSERT_EQUAL(ask(&b, "a01").code, ERR_OK);
  mount_secret(b.dir, "bad", "[\n{\"dealer_id\": \"d01\"}]");
  detail_shows(&b, "warn config: ");
  failure_is(&b, "dealers.json line 2: [0].name (dealer \"d01\"): missing");
  detail_shows(&b, "warn config: changed files were refused, the log says why; keeps the "
                   "configuration of 20");
  CU_ASSERT_EQUAL(metric_value("auth_config_generation"), 1);
  CU_ASSERT_EQUAL(metric_value("auth_config_reloads_total{result=\"failed\"}"), failed + 1);
  CU_ASSERT_EQUAL(dealers(&b), 10);
  CU_ASSERT_EQUAL(ask(&b, "a10").code, ERR_OK);
  unlink(b.path); /* gone altogether: the same */
  failure_is(&b, "cannot open");
  CU_ASSERT_EQUAL(ask(&b, "a10").code, ERR_OK);
  CU_ASSERT_EQUAL(symlink("..data/dealers.json", b.path), 0);
  put_config(&b, "good", 12, "first-token");
  wait_for_dealers(&b, 12);
  detail_shows(&b, "ok config: number 2, loaded 20");
  CU_ASSERT_EQUAL(metric_value("auth_config_generation"), 2);
  broker_stop(&b);
}

/* Whether an access token of the account is in the cache. */
static bool has_token(struct broker *b, const char *account_id, struct credential *c)
{
  struct token_result held = {0};
  bool has = tokens_try(b->tokens, account_id, c, &held);
  secret_unref(held.access_token);
  return has;
}

static void removed_dealers_lose_their_tokens_and_others_keep_theirs(void)
{
  struct broker b;
  broker_start(&b);
  CU_ASSERT_EQUAL(ask(&b, "a10").code, ERR_OK);
  CU_ASSERT_EQUAL(ask(&b, "a02").code, ERR_OK);
  AUTO_SNAPSHOT struct snapshot *old = snapshot_current(b.config);
  struct credential *c = snapshot_find_credential(old, "a10");
  CU_ASSERT_TRUE(has_token(&b, "a10", c));
  put_config(&b, "v1", 5, "first-token");
  wait_for_dealers(&b, 5);
  for (int i = 0; i < 4000 && has_token(&b, "a10", c); i++)
    usleep(1000);
  CU_ASSERT_FALSE(has_token(&b, "a10", c));
  CU_ASSERT_EQUAL(ask(&b, "a10").code, ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(ask(&b, "a02").code, ERR_OK);
  CU_ASSERT_EQUAL(fake_hits(b.fake), 2);
  broker_stop(&b);
}

static void dealers_with_one_credential_share_one_token(void)
{
  struct broker b;
  one_client = true; /* d01 has another refresh token, d02 to d10 have the same */
  broker_start(&b);
  for (int i = 1; i <= 10; i++) {
    char account[8];
    snprintf(account, sizeof(account), "a%02d", i);
    CU_ASSERT_EQUAL(ask(&b, account).code, ERR_OK);
  }
  CU_ASSERT_EQUAL(fake_hits(b.fake), 2);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(b.config);
  struct token_key key = snapshot_token_key(config, "a10");
  CU_ASSERT_STRING_EQUAL(key.account_id, "a02");
  CU_ASSERT_TRUE(has_token(&b, key.account_id, key.credential));
  CU_ASSERT_STRING_EQUAL(snapshot_token_key(config, "a01").account_id, "a01");
  CU_ASSERT_PTR_NULL(snapshot_token_key(config, "a11").credential);
  first_number = 3; /* the one it was kept under leaves: the next takes over */
  put_config(&b, "v1", 10, "first-token");
  wait_for_dealers(&b, 8);
  CU_ASSERT_EQUAL(ask(&b, "a02").code, ERR_NOT_FOUND);
  CU_ASSERT_EQUAL(ask(&b, "a03").code, ERR_OK);
  CU_ASSERT_EQUAL(ask(&b, "a10").code, ERR_OK);
  CU_ASSERT_EQUAL(fake_hits(b.fake), 3);
  broker_stop(&b);
  first_number = 1;
  one_client = false;
}

static void a_new_refresh_token_in_the_file_heals_a_dealer(void)
{
  struct broker b;
  broker_start(&b);
  fake_set(b.fake, &(struct fake_answer){.status = 400, .body = "{\"error\":\"invalid_grant\"}"});
  CU_ASSERT_STRING_EQUAL(ask(&b, "a01").reason, "invalid_grant");
  fake_set(b.fake, &(struct fake_answer){.status = 200, .expires_in = 3600});
  put_config(&b, "v1", 11, "first-token"); /* another change heals nothing */
  wait_for_dealers(&b, 11);
  CU_ASSERT_STRING_EQUAL(ask(&b, "a01").reason, "invalid_grant");
  CU_ASSERT_EQUAL(fake_hits(b.fake), 1);
  put_config(&b, "v2", 12, "second-token");
  wait_for_dealers(&b, 12);
  CU_ASSERT_EQUAL(ask(&b, "a01").code, ERR_OK);
  broker_stop(&b);
}

/* ---------------------------------------------------------------------------- load */

struct load_thread {
  struct broker *b;
  atomic_bool *stop;
  int number;
  int asked, failed;
  struct err last;
};

static void *ask_all_the_time(void *arg)
{
  struct load_thread *t = arg;
  char account[8];
  for (int i = t->number; !atomic_load(t->stop); i++) {
    snprintf(account, sizeof(account), "a%02d", 1 + i % 10);
    struct err e = ask(t->b, account);
    t->asked++;
    if (e.code != ERR_OK) {
      t->failed++;
      t->last = e;
    }
    usleep(200);
  }
  return NULL;
}

static void no_request_fails_during_200_swaps(void)
{
  enum { THREADS = 8, SWAPS = 200 };
  struct broker b;
  struct load_thread threads[THREADS];
  pthread_t ids[THREADS];
  atomic_bool stop = false;
  broker_start(&b);
  for (int i = 0; i < THREADS; i++) {
    threads[i] = (struct load_thread){.b = &b, .stop = &stop, .number = i};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&ids[i], NULL, ask_all_the_time, &threads[i]), 0);
  }
  for (int i = 1; i <= SWAPS; i++) {
    char version[16], token[32];
    snprintf(version, sizeof(version), "s%d", i);
    snprintf(token, sizeof(token), "token-number-%d",
             i / 10); /* a credential changes now and then */
    put_config(&b, version, 10 + i % 7, token);
    if (i % 2 == 0) /* the one before it may be in use by then, or never be */
      wait_for_dealers(&b, 10 + (size_t)i % 7);
  }
  atomic_store(&stop, true);
  int asked = 0, failed = 0;
  for (int i = 0; i < THREADS; i++) {
    pthread_join(ids[i], NULL);
    asked += threads[i].asked;
    failed += threads[i].failed;
    if (threads[i].failed > 0)
      printf("\n  %d times %s: %s\n", threads[i].failed, threads[i].last.reason,
             threads[i].last.message);
  }
  double generation = metric_value("auth_config_generation");
  printf("%d calls, %.0f configurations ", asked, generation);
  CU_ASSERT_EQUAL(failed, 0);
  CU_ASSERT_TRUE(asked > 1000);
  CU_ASSERT_TRUE(generation > SWAPS / 4); /* swaps close together count as one */
  detail_shows(&b, "ok config: ");
  broker_stop(&b);
}

TEST_MAIN_SIDE_BY_SIDE(
    "auth live configuration", TEST(a_file_renamed_over_the_old_one_is_a_change),
    TEST(a_file_written_in_place_is_a_change), TEST(a_swapped_link_of_a_mounted_secret_is_a_change),
    TEST(the_same_content_again_is_no_change), TEST(a_file_that_comes_and_goes_is_a_change),
    TEST(a_change_that_nobody_tells_of_is_seen_by_looking),
    TEST(a_file_is_not_taken_in_the_middle_of_being_written),
    TEST(files_that_are_followed_are_watched_too), TEST(a_poke_is_answered_without_a_change),
    TEST(a_bad_file_changes_nothing_and_says_why),
    TEST(removed_dealers_lose_their_tokens_and_others_keep_theirs),
    TEST(dealers_with_one_credential_share_one_token),
    TEST(a_new_refresh_token_in_the_file_heals_a_dealer), TEST(no_request_fails_during_200_swaps))
