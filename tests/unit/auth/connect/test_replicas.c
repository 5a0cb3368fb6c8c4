/* Several replicas over one PostgreSQL: what one does the others see, of two that race one is kept,
 * and nothing that was acknowledged is lost. Run by tests/unit/postgres.sh. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/wait.h"
#include "tests/unit/auth/connect/stage.h"
#include "tests/unit/harness.h"

enum { ROUNDS = 50, KILLS = 6, GIVES_UP_MS = 9000 };

static struct stage a, b;

static void open_both(void)
{
  stage_open(&a);
  stage_join(&b);
}

static void close_both(void)
{
  stage_close(&a);
  stage_close(&b);
}

static bool has_dealer(const struct stage *s, const char *id)
{
  AUTO_FREE char *dealers = stage_dealers(s);
  AUTO_FREE char *quoted = xasprintf("\"%s\"", id);
  return strstr(dealers, quoted) != NULL;
}

/* ------------------------------------------------------------------------- seeing */

struct seen {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int times;
};

static void on_changed(void *user)
{
  struct seen *x = user;
  pthread_mutex_lock(&x->lock);
  x->times++;
  pthread_cond_signal(&x->changed);
  pthread_mutex_unlock(&x->lock);
}

/* Waits until a replica has the dealer, or has it no more, by being called back. */
static bool comes_about(struct seen *x, const char *id, bool there)
{
  int64_t until = clock_mono_ms() + 10000;
  pthread_mutex_lock(&x->lock);
  while (has_dealer(&b, id) != there && wait_until(&x->changed, &x->lock, until))
    ;
  pthread_mutex_unlock(&x->lock);
  return has_dealer(&b, id) == there;
}

static void a_replica_learns_what_another_connected_and_forgot(void)
{
  struct err e = {0};
  struct seen x = {.lock = PTHREAD_MUTEX_INITIALIZER};
  struct secret *token = NULL;
  const char *note;
  wait_init(&x.changed);
  open_both();
  connect_store_watch(b.store, 50, on_changed, &x);
  CU_ASSERT_EQUAL(stage_connect(&a, "d30", "3000001", "1//a", &e), ERR_OK);
  CU_ASSERT_TRUE(comes_about(&x, "d30", true));
  CU_ASSERT_EQUAL(connect_forget(a.connect, "d30", &token, &note, a.arena, &e), ERR_OK);
  secret_unref(token);
  CU_ASSERT_TRUE(comes_about(&x, "d30", false));
  connect_store_unwatch(b.store);
  close_both();
  pthread_cond_destroy(&x.changed);
}

static void each_step_may_come_to_another_replica(void)
{
  struct err e = {0};
  const char *state, *nonce;
  open_both();
  const char *token = stage_invite(&a, "d30", false, &e);
  const char *session = stage_start(&b, token, "", &state, &nonce, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(session);
  stage_answer(&a, "1//a", STAGE_SCOPES, nonce);
  CU_ASSERT_EQUAL(stage_receive(&a, session, state, "code", "", "", &e), ERR_OK);
  CU_ASSERT_EQUAL(stage_finish(&b, session, "3000001", &e), ERR_OK);
  CU_ASSERT_EQUAL(stage_finish(&a, session, "3000001", &e), ERR_OK); /* done already */
  CU_ASSERT_TRUE(has_dealer(&a, "d30") && has_dealer(&b, "d30"));
  CU_ASSERT_PTR_NULL(stage_start(&b, token, "", &state, &nonce, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "invite_over");
  close_both();
}

/* ------------------------------------------------------------------------- racing */

struct racer {
  struct stage *stage;
  pthread_barrier_t *line;
  const char *session, *state, *property;
  bool receives; /* the redirect, too */
  struct err error;
};

static void *race(void *arg)
{
  struct racer *r = arg;
  pthread_barrier_wait(r->line);
  if (r->receives)
    stage_receive(r->stage, r->session, r->state, "code", "", "", &r->error);
  if (r->error.code == ERR_OK)
    stage_finish(r->stage, r->session, r->property, &r->error);
  return NULL;
}

/* How many of the two came through. */
static int run_race(struct racer r[2])
{
  pthread_barrier_t line;
  pthread_t threads[2];
  pthread_barrier_init(&line, NULL, 2);
  for (int i = 0; i < 2; i++) {
    r[i].line = &line;
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, race, &r[i]), 0);
  }
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  pthread_barrier_destroy(&line);
  return (r[0].error.code == ERR_OK) + (r[1].error.code == ERR_OK);
}

static void start_racer(struct racer *r, struct stage *s, const char *token, const char *refresh)
{
  struct err e = {0};
  const char *nonce;
  *r = (struct racer){.stage = s};
  r->session = stage_start(s, token, "", &r->state, &nonce, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(r->session);
  stage_answer(s, refresh, STAGE_SCOPES, nonce);
}

static void forget(const char *id)
{
  struct err e = {0};
  struct secret *token = NULL;
  const char *note;
  CU_ASSERT_EQUAL(connect_forget(a.connect, id, &token, &note, a.arena, &e), ERR_OK);
  secret_unref(token);
}

/* The consent that is stored is the one of the person whose page said so. */
static void expect_winner(const struct racer r[2], const char *id)
{
  struct err e = {0};
  struct secret *token = NULL;
  const char *note;
  const char *won = r[0].error.code == ERR_OK ? "1//of-a" : "1//of-b";
  CU_ASSERT_EQUAL(connect_forget(b.connect, id, &token, &note, b.arena, &e), ERR_OK);
  CU_ASSERT_STRING_EQUAL(token != NULL ? secret_text(token) : "", won);
  secret_unref(token);
}

static void of_two_that_race_for_one_link_one_is_kept(void)
{
  int won_by_a = 0;
  open_both();
  for (int i = 0; i < ROUNDS; i++) {
    struct err e = {0};
    struct racer r[2];
    const char *token = stage_invite(&a, "d30", false, &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(token);
    start_racer(&r[0], &a, token, "1//of-a");
    start_racer(&r[1], &b, token, "1//of-b");
    r[0].receives = r[1].receives = true;
    r[0].property = "3000001";
    r[1].property = "3000002";
    CU_ASSERT_EQUAL(run_race(r), 1);
    const struct err *lost = &r[r[0].error.code == ERR_OK].error;
    CU_ASSERT_STRING_EQUAL(lost->reason, "invite_over");
    won_by_a += r[0].error.code == ERR_OK;
    expect_winner(r, "d30");
  }
  printf("\n  %d of %d went to the first replica\n", won_by_a, ROUNDS);
  close_both();
}

static void of_two_that_race_for_one_dealer_one_is_kept(void)
{
  open_both();
  for (int i = 0; i < ROUNDS; i++) {
    struct err e = {0};
    struct racer r[2];
    const char *one = stage_invite(&a, "d30", false, &e), *two = stage_invite(&b, "d30", false, &e);
    CU_ASSERT_TRUE_FATAL(one != NULL && two != NULL);
    start_racer(&r[0], &a, one, "1//of-a");
    start_racer(&r[1], &b, two, "1//of-b");
    for (int k = 0; k < 2; k++) {
      CU_ASSERT_EQUAL(stage_receive(r[k].stage, r[k].session, r[k].state, "code", "", "", &e),
                      ERR_OK);
      r[k].property = k == 0 ? "3000001" : "3000002";
    }
    CU_ASSERT_EQUAL(run_race(r), 1);
    CU_ASSERT_STRING_EQUAL(r[r[0].error.code == ERR_OK].error.reason, "dealer_taken");
    expect_winner(r, "d30");
  }
  close_both();
}

static void of_two_dealers_that_race_for_one_property_one_is_kept(void)
{
  open_both();
  for (int i = 0; i < ROUNDS / 5; i++) {
    struct err e = {0};
    struct racer r[2];
    start_racer(&r[0], &a, stage_invite(&a, "d30", false, &e), "1//of-a");
    start_racer(&r[1], &b, stage_invite(&b, "d31", false, &e), "1//of-b");
    r[0].receives = r[1].receives = true;
    r[0].property = r[1].property = "3000001";
    CU_ASSERT_EQUAL(run_race(r), 1);
    CU_ASSERT_STRING_EQUAL(r[r[0].error.code == ERR_OK].error.reason, "property_taken");
    forget(r[0].error.code == ERR_OK ? "d30" : "d31");
  }
  close_both();
}

/* ------------------------------------------------------------------------- kills */

/* Imports dealers one after the other and says which are stored, until it is killed. */
static void import_until_killed(int from, int out)
{
  struct connect_store *store = NULL;
  const struct connect_store_options options = stage_store(&a);
  if (connect_store_open(&store, &options, NULL) != ERR_OK)
    _exit(2);
  for (int i = from;; i++) {
    struct connect_lists l;
    if (connect_store_begin(store, &l, NULL) != ERR_OK)
      _exit(3);
    cJSON *item = cJSON_CreateObject(), *dealer = cJSON_AddObjectToObject(item, "dealer");
    char id[24];
    snprintf(id, sizeof(id), "k%d", i);
    cJSON_AddStringToObject(dealer, "dealer_id", id);
    cJSON_AddItemToArray(l.dealers, item);
    if (connect_store_end(store, true, NULL) != ERR_OK)
      _exit(4);
    if (write(out, &i, sizeof(i)) != (ssize_t)sizeof(i))
      _exit(5);
  }
}

static void what_a_killed_client_has_stored_stays_and_it_locks_nobody_out(void)
{
  int from = 0;
  open_both();
  for (int round = 0; round < KILLS; round++) {
    struct connect_lists l;
    struct err e = {0};
    int p[2], told, last = -1;
    CU_ASSERT_EQUAL_FATAL(pipe(p), 0);
    pid_t pid = fork();
    if (pid == 0)
      import_until_killed(from, p[1]);
    close(p[1]);
    while (last < from + 2 + 3 * round && read(p[0], &told, sizeof(told)) == (ssize_t)sizeof(told))
      last = told;
    usleep((useconds_t)(rand() % 3000)); /* at any moment of a change */
    kill(pid, SIGKILL);
    while (read(p[0], &told, sizeof(told)) == (ssize_t)sizeof(told))
      last = told;
    close(p[0]);
    waitpid(pid, NULL, 0);
    CU_ASSERT_TRUE_FATAL(last >= from);
    int64_t began = clock_mono_ms();
    CU_ASSERT_EQUAL_FATAL(connect_store_begin(b.store, &l, &e), ERR_OK);
    CU_ASSERT_TRUE(clock_mono_ms() - began < 15000);
    CU_ASSERT_TRUE(cJSON_GetArraySize(l.dealers) >= last + 1); /* and at most the one under way */
    CU_ASSERT_TRUE(cJSON_GetArraySize(l.dealers) <= last + 2);
    from = cJSON_GetArraySize(l.dealers);
    connect_store_end(b.store, false, NULL);
  }
  close_both();
}

static void while_the_server_is_away_pages_say_so_and_dealers_stay(void)
{
  struct err e = {0};
  const char *state, *nonce;
  AUTO_BUF struct buf detail = BUF_INIT(1000);
  stage_open(&a);
  CU_ASSERT_EQUAL(stage_connect(&a, "d30", "3000001", "1//a", &e), ERR_OK);
  const char *token = stage_invite(&a, "d31", false, &e);
  const char *session = stage_start(&a, token, "", &state, &nonce, &e);
  stage_answer(&a, "1//b", STAGE_SCOPES, nonce);
  CU_ASSERT_EQUAL(stage_receive(&a, session, state, "code", "", "", &e), ERR_OK);
  stage_server("kill");
  int64_t began = clock_mono_ms();
  CU_ASSERT_EQUAL(stage_finish(&a, session, "3000002", &e), ERR_UNAVAILABLE);
  CU_ASSERT_STRING_EQUAL(e.reason, "state_unavailable");
  CU_ASSERT_PTR_NULL(stage_invite(&a, "d32", false, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "state_unavailable");
  CU_ASSERT_TRUE(clock_mono_ms() - began < GIVES_UP_MS);
  CU_ASSERT_TRUE(has_dealer(&a, "d30"));
  CU_ASSERT_FALSE(has_dealer(&a, "d31"));
  CU_ASSERT_TRUE(connect_store_ready(a.store, &detail)); /* it was there once: the replica stays */
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&detail), "warn connect: 1 dealers connected"));
  stage_server("start");
  int64_t until = clock_mono_ms() + 30000; /* the store tries again by and by */
  while (stage_finish(&a, session, "3000002", &e) != ERR_OK && clock_mono_ms() < until)
    usleep(20000);
  CU_ASSERT_TRUE(has_dealer(&a, "d31"));
  stage_reopen(&a);
  CU_ASSERT_TRUE(has_dealer(&a, "d30") && has_dealer(&a, "d31"));
  stage_close(&a);
}

static void a_connection_that_broke_is_opened_again_without_an_error(void)
{
  struct err e = {0};
  stage_open(&a);
  CU_ASSERT_PTR_NOT_NULL(stage_invite(&a, "d30", false, &e));
  stage_server("kill");
  stage_server("start");
  CU_ASSERT_PTR_NOT_NULL(stage_invite(&a, "d31", false, &e));
  stage_close(&a);
}

struct caller {
  struct err error;
  int64_t took_ms;
};

static void *call(void *arg)
{
  struct caller *c = arg;
  int64_t began = clock_mono_ms();
  connect_revoke_invite(a.connect, "0123456789ab", &c->error);
  c->took_ms = clock_mono_ms() - began;
  return NULL;
}

/* One caller waits for the server; the other gives up long before it does. */
static void a_server_that_stands_still_keeps_one_caller_only(void)
{
  struct err e = {0};
  struct caller callers[2] = {0};
  pthread_t threads[2];
  AUTO_BUF struct buf detail = BUF_INIT(1000);
  stage_open(&a);
  CU_ASSERT_PTR_NOT_NULL(stage_invite(&a, "d30", false, &e));
  stage_server("pause");
  for (int i = 0; i < 2; i++)
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, call, &callers[i]), 0);
  int64_t asked = clock_mono_ms();
  CU_ASSERT_TRUE(connect_store_ready(a.store, &detail));
  CU_ASSERT_TRUE(clock_mono_ms() - asked < GIVES_UP_MS); /* /readyz waits for nobody */
  for (int i = 0; i < 2; i++)
    pthread_join(threads[i], NULL);
  stage_server("resume");
  int quick = callers[1].took_ms < callers[0].took_ms;
  CU_ASSERT_STRING_EQUAL(callers[0].error.reason, "state_unavailable");
  CU_ASSERT_STRING_EQUAL(callers[1].error.reason, "state_unavailable");
  CU_ASSERT_TRUE(callers[quick].took_ms < 4000);
  CU_ASSERT_TRUE(callers[!quick].took_ms < 30000);
  stage_close(&a);
}

/* ------------------------------------------------------------- starts, keys, damage */

static void a_start_without_the_server_goes_on_and_is_not_ready(void)
{
  struct connect_store *store = NULL;
  struct connect_lists l;
  struct err e = {0};
  AUTO_BUF struct buf detail = BUF_INIT(1000);
  stage_open(&a);
  struct connect_store_options options = stage_store(&a);
  options.database_url = "postgresql://u:geheim@127.0.0.1:1/d";
  CU_ASSERT_EQUAL_FATAL(connect_store_open(&store, &options, &e), ERR_OK);
  CU_ASSERT_FALSE(connect_store_ready(store, &detail));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&detail), "fail connect: 0 dealers"));
  CU_ASSERT_EQUAL(connect_store_begin(store, &l, &e), ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NULL(strstr(e.message, "geheim"));
  connect_store_close(store);
  options.database_url = "mysql://u:geheim@h/d";
  CU_ASSERT_EQUAL(connect_store_open(&store, &options, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NULL(strstr(e.message, "geheim"));
  stage_close(&a);
}

static void replicas_take_a_new_key_one_after_the_other(void)
{
  struct err e = {0};
  struct key_use use = {0};
  open_both();
  CU_ASSERT_EQUAL(stage_connect(&a, "d30", "3000001", "1//a", &e), ERR_OK);
  struct keyring *old_first = stage_ring(STAGE_KEY_1 STAGE_KEY_2);
  struct keyring *new_first = stage_ring(STAGE_KEY_2 STAGE_KEY_1), *only = stage_ring(STAGE_KEY_2);
  connect_store_set_keyring(b.store, old_first); /* knows the new key, seals with the old */
  connect_store_set_keyring(a.store, new_first);
  CU_ASSERT_EQUAL(stage_connect(&b, "d31", "3000002", "1//b", &e), ERR_OK);
  CU_ASSERT_PTR_NOT_NULL(stage_invite(&a, "d32", false, &e)); /* sees what b sealed */
  CU_ASSERT_EQUAL(connect_store_check_keyring(a.store, only, &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "DATABASE_URL"));
  connect_store_set_keyring(b.store, new_first);
  CU_ASSERT_PTR_NOT_NULL(stage_invite(&a, "d33", false, &e));
  connect_store_key_use(a.store, &use);
  CU_ASSERT_EQUAL(use.n, 1);
  CU_ASSERT_STRING_EQUAL(use.keys[0].id, "k2");
  CU_ASSERT_EQUAL(connect_store_check_keyring(a.store, only, &e), ERR_OK);
  keyring_unref(old_first);
  keyring_unref(new_first);
  keyring_unref(only);
  close_both();
}

/* The new key came while the server was away: it seals as soon as the server is back. */
static void a_sealing_that_is_owed_is_made_up_for(void)
{
  struct err e = {0};
  struct seen x = {.lock = PTHREAD_MUTEX_INITIALIZER};
  wait_init(&x.changed);
  stage_open(&a);
  CU_ASSERT_EQUAL(stage_connect(&a, "d30", "3000001", "1//a", &e), ERR_OK);
  struct keyring *both = stage_ring(STAGE_KEY_2 STAGE_KEY_1);
  stage_server("kill");
  connect_store_set_keyring(a.store, both);
  AUTO_FREE char *still = stage_dealers(&a);
  CU_ASSERT_PTR_NOT_NULL(strstr(still, "v1:k1:"));
  stage_server("start");
  connect_store_watch(a.store, 50, on_changed, &x);
  int64_t until = clock_mono_ms() + 20000;
  bool sealed = false;
  pthread_mutex_lock(&x.lock);
  while (!sealed && clock_mono_ms() < until) {
    AUTO_FREE char *now = stage_dealers(&a);
    sealed = strstr(now, "v1:k1:") == NULL && strstr(now, "v1:k2:") != NULL;
    if (!sealed)
      wait_until(&x.changed, &x.lock, until);
  }
  pthread_mutex_unlock(&x.lock);
  CU_ASSERT_TRUE(sealed);
  connect_store_unwatch(a.store);
  keyring_unref(both);
  stage_close(&a);
  pthread_cond_destroy(&x.changed);
}

static void what_is_not_ours_is_refused_and_left_alone(void)
{
  struct err e = {0};
  stage_open(&a);
  CU_ASSERT_EQUAL(stage_connect(&a, "d30", "3000001", "1//a", &e), ERR_OK);
  AUTO_FREE char *good = stage_sql("SELECT body FROM connect_list WHERE name = 'dealers'");
  free(stage_sql("UPDATE connect_list SET body = '[{', version = version + 1"));
  free(stage_sql("UPDATE connect_state SET version = (SELECT MAX(version) FROM connect_list)"));
  for (int i = 0; i < 2; i++) { /* nor does it go on with what it knew */
    CU_ASSERT_PTR_NULL(stage_invite(&a, "d31", false, &e));
    CU_ASSERT_STRING_EQUAL(e.reason, "state_damaged");
  }
  CU_ASSERT_TRUE(has_dealer(&a, "d30"));
  AUTO_FREE char *bad = stage_sql("SELECT body FROM connect_list WHERE name = 'dealers'");
  CU_ASSERT_STRING_EQUAL(bad, "[{");
  AUTO_FREE char *put = xasprintf("UPDATE connect_list SET body = '[]'");
  free(stage_sql(put));
  AUTO_FREE char *back =
      xasprintf("UPDATE connect_list SET body = '%s' WHERE name = 'dealers'", good);
  free(stage_sql(back));
  CU_ASSERT_PTR_NOT_NULL(stage_invite(&a, "d31", false, &e));
  free(stage_sql("INSERT INTO connect_schema (version) VALUES (99)"));
  stage_reopen(&a); /* a later version has been there: as if the server were away */
  CU_ASSERT_PTR_NULL(stage_invite(&a, "d32", false, &e));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "later version of auth-svc"));
  stage_close(&a);
}

/* A copy that is put back has older versions, which count all the same. */
static void a_database_that_was_put_back_is_read_again(void)
{
  struct err e = {0};
  open_both();
  CU_ASSERT_EQUAL(stage_connect(&a, "d30", "3000001", "1//a", &e), ERR_OK);
  CU_ASSERT_PTR_NOT_NULL(stage_invite(&b, "d31", false, &e));
  CU_ASSERT_TRUE(has_dealer(&b, "d30"));
  free(stage_sql("UPDATE connect_list SET body = '[]', version = 0"));
  free(stage_sql("UPDATE connect_state SET version = 0"));
  CU_ASSERT_PTR_NOT_NULL(stage_invite(&b, "d32", false, &e));
  CU_ASSERT_FALSE(has_dealer(&b, "d30"));
  close_both();
}

int main(int argc, char **argv)
{
  static const struct test_case cases[] = {
      TEST(a_replica_learns_what_another_connected_and_forgot),
      TEST(each_step_may_come_to_another_replica),
      TEST(of_two_that_race_for_one_link_one_is_kept),
      TEST(of_two_that_race_for_one_dealer_one_is_kept),
      TEST(of_two_dealers_that_race_for_one_property_one_is_kept),
      TEST(what_a_killed_client_has_stored_stays_and_it_locks_nobody_out),
      TEST(while_the_server_is_away_pages_say_so_and_dealers_stay),
      TEST(a_connection_that_broke_is_opened_again_without_an_error),
      TEST(a_server_that_stands_still_keeps_one_caller_only),
      TEST(a_start_without_the_server_goes_on_and_is_not_ready),
      TEST(replicas_take_a_new_key_one_after_the_other),
      TEST(a_sealing_that_is_owed_is_made_up_for),
      TEST(what_is_not_ours_is_refused_and_left_alone),
      TEST(a_database_that_was_put_back_is_read_again),
  };
  if (stage_database() == NULL) {
    fprintf(stderr, "AMCP_TEST_DATABASE_URL: must be set; tests/unit/postgres.sh does\n");
    return 2;
  }
  return test_main("auth_connect_replicas", cases, ARRAY_LEN(cases), argc, argv);
}
