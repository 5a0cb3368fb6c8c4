/* 64 threads, 50 accounts, tokens that expire all the time, against the stand-in for Google:
 * one question for each token, and nobody ever gets an old one.
 *
 * AUTH_LOAD_SECONDS says how long (default 15). */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/token/tokens.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/harness.h"

enum {
  THREADS = 64,
  ACCOUNTS = 50,
  LIFE_S = 3,
  SEEN_MAX = 256, /* tokens of one account */
};

/* ---------------------------------------------------------------------- the simulator */

struct simulator {
  pid_t pid;
  char *folder;
  char url[64];
};

static void run(const struct simulator *s, int out)
{
  AUTO_FREE char *dealers = xasprintf("%s/dealers.json", s->folder);
  AUTO_FREE char *db = xasprintf("%s/world.db", s->folder);
  dup2(out, STDOUT_FILENO);
  execl(GA4_SIM, "ga4-sim", "--listen", "127.0.0.1:0", "--dealers", "50", "--regions", "5",
        "--days", "2", "--db", db, "--write-dealers", dealers, "--token-lifetime-s", "3",
        (char *)NULL);
  _exit(127);
}

static void simulator_start(struct simulator *s)
{
  int pipes[2];
  char line[256];
  *s = (struct simulator){.folder = folder_make()};
  signal(SIGPIPE, SIG_IGN);
  CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
  s->pid = fork();
  if (s->pid == 0) {
    close(pipes[0]);
    run(s, pipes[1]);
  }
  close(pipes[1]);
  FILE *f = fdopen(pipes[0], "r");
  while (s->url[0] == '\0' && fgets(line, sizeof(line), f) != NULL)
    sscanf(line, "listening on %63s", s->url);
  fclose(f);
  CU_ASSERT_NOT_EQUAL_FATAL(s->url[0], '\0');
}

static void simulator_stop(struct simulator *s)
{
  kill(s->pid, SIGTERM);
  waitpid(s->pid, NULL, 0);
  folder_remove(s->folder);
  free(s->folder);
}

struct fetch {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool done;
  cJSON *body;
};

static void on_fetched(void *user, const struct http_response *r)
{
  struct fetch *f = user;
  pthread_mutex_lock(&f->lock);
  if (json_parse(&f->body, r->body, r->body_len, NULL, NULL) != ERR_OK)
    f->body = NULL;
  f->done = true;
  pthread_cond_signal(&f->changed);
  pthread_mutex_unlock(&f->lock);
}

static cJSON *fetch_stats(const struct simulator *s)
{
  struct fetch f = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};
  struct http_client *http = NULL;
  const struct http_client_options options = {.user_agent = "test"};
  AUTO_FREE char *url = xasprintf("%s/sim/stats", s->url);
  const struct http_request request = {
      .method = "GET", .url = url, .on_done = on_fetched, .user = &f};
  CU_ASSERT_EQUAL_FATAL(http_client_new(&http, &options, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(http_client_send(NULL, http, &request, NULL), ERR_OK);
  pthread_mutex_lock(&f.lock);
  while (!f.done)
    pthread_cond_wait(&f.changed, &f.lock);
  pthread_mutex_unlock(&f.lock);
  http_client_free(http);
  CU_ASSERT_PTR_NOT_NULL_FATAL(f.body);
  return f.body;
}

static int stat_of(const cJSON *stats, const char *account_id, const char *name)
{
  const cJSON *accounts = cJSON_GetObjectItemCaseSensitive(stats, "accounts");
  const cJSON *account = cJSON_GetObjectItemCaseSensitive(accounts, account_id);
  const cJSON *value = cJSON_GetObjectItemCaseSensitive(account, name);
  return cJSON_IsNumber(value) ? value->valueint : -1;
}

/* ------------------------------------------------------------------------ the callers */

/* The tokens of one account that anybody was given. */
struct seen {
  pthread_mutex_t lock;
  uint8_t digest[SEEN_MAX][SHA256_SIZE];
  size_t n;
};

struct world {
  struct simulator sim;
  struct snapshot *dealers;
  struct http_client *http;
  struct tokens *tokens;
  struct seen seen[ACCOUNTS];
  atomic_bool stop;
  atomic_long calls, failures, outdated;
};

static void remember(struct seen *s, const uint8_t digest[SHA256_SIZE])
{
  pthread_mutex_lock(&s->lock);
  size_t i = s->n;
  while (i > 0 && memcmp(s->digest[i - 1], digest, SHA256_SIZE) != 0)
    i--;
  if (i == 0 && s->n < SEEN_MAX)
    memcpy(s->digest[s->n++], digest, SHA256_SIZE);
  pthread_mutex_unlock(&s->lock);
}

struct call {
  struct world *w;
  size_t account;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool done;
};

static void on_ready(void *user, const struct token_result *r)
{
  struct call *c = user;
  if (r->error.code != ERR_OK)
    atomic_fetch_add(&c->w->failures, 1);
  else if (r->expires_at < clock_unix_ms() / 1000)
    atomic_fetch_add(&c->w->outdated, 1);
  else
    remember(&c->w->seen[c->account], secret_sha256(r->access_token));
  pthread_mutex_lock(&c->lock);
  c->done = true;
  pthread_cond_signal(&c->changed);
  pthread_mutex_unlock(&c->lock);
}

static void ask(struct world *w, size_t account)
{
  const struct dealer *d = &w->dealers->directory->dealers[account];
  struct call c = {.w = w,
                   .account = account,
                   .lock = PTHREAD_MUTEX_INITIALIZER,
                   .changed = PTHREAD_COND_INITIALIZER};
  struct timespec limit;
  clock_gettime(CLOCK_REALTIME, &limit);
  limit.tv_sec += 30;
  tokens_get(w->tokens, d->account_id, snapshot_credential(w->dealers, d), NULL,
             tokens_wait_id(w->tokens), on_ready, &c);
  atomic_fetch_add(&w->calls, 1);
  pthread_mutex_lock(&c.lock);
  while (!c.done)
    if (pthread_cond_timedwait(&c.changed, &c.lock, &limit) != 0) {
      fprintf(stderr, "deadlock: a call was not answered in 30 s\n");
      abort();
    }
  pthread_mutex_unlock(&c.lock);
}

struct thread {
  struct world *w;
  size_t first;
};

static void *ask_all_the_time(void *arg)
{
  const struct thread *t = arg;
  for (size_t i = t->first; !atomic_load(&t->w->stop); i++) {
    ask(t->w, i % ACCOUNTS);
    usleep(2000);
  }
  return NULL;
}

static void run_for(struct world *w, int seconds)
{
  pthread_t ids[THREADS];
  struct thread threads[THREADS];
  for (size_t i = 0; i < THREADS; i++) {
    threads[i] = (struct thread){w, i};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&ids[i], NULL, ask_all_the_time, &threads[i]), 0);
  }
  sleep((unsigned)seconds);
  atomic_store(&w->stop, true);
  for (size_t i = 0; i < THREADS; i++)
    pthread_join(ids[i], NULL);
}

/* ----------------------------------------------------------------------------- tests */

static void world_start(struct world *w)
{
  const struct http_client_options http = {.user_agent = "test"};
  log_init("test", LOG_LEVEL_WARN);
  simulator_start(&w->sim);
  AUTO_FREE char *path = xasprintf("%s/dealers.json", w->sim.folder);
  CU_ASSERT_EQUAL_FATAL(snapshot_load(&w->dealers, path, NULL, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(w->dealers->directory->n_dealers, ACCOUNTS);
  CU_ASSERT_EQUAL_FATAL(http_client_new(&w->http, &http, NULL), ERR_OK);
  const struct tokens_options tokens = {.env.http = w->http, .tick_ms = 50, .in_use_s = 1};
  w->tokens = tokens_new(&tokens);
  for (size_t i = 0; i < ACCOUNTS; i++)
    pthread_mutex_init(&w->seen[i].lock, NULL);
  tokens_start_background(w->tokens);
}

/* Every token the simulator made was wanted: nobody asked twice for one end. */
static void check_account(struct world *w, const cJSON *stats, size_t i, int seconds)
{
  const char *id = w->dealers->directory->dealers[i].account_id;
  int issued = stat_of(stats, id, "tokens_issued"), asked = stat_of(stats, id, "token_requests");
  int seen = (int)w->seen[i].n;
  if (issued != seen || asked != issued)
    printf("\n  %s: %d asked, %d issued, %d seen\n", id, asked, issued, seen);
  CU_ASSERT_EQUAL(asked, issued);
  CU_ASSERT_EQUAL(issued, seen);
  /* Refreshed when half its life is left, or up to a fifth of that earlier. */
  CU_ASSERT_TRUE(issued >= seconds / LIFE_S);
  CU_ASSERT_TRUE(issued <= (int)((seconds + 2) / (0.4 * LIFE_S)) + 1);
}

static void every_expiry_costs_one_question_under_64_threads_and_50_accounts(void)
{
  static struct world w;
  const char *text = getenv("AUTH_LOAD_SECONDS");
  int seconds = text != NULL ? (int)strtol(text, NULL, 10) : 15, issued = 0;
  world_start(&w);
  run_for(&w, seconds);
  /* Nobody uses the accounts any more; refreshes end, and the last token is still good: it
   * counts as seen, too, whoever would have come next. */
  usleep(1150000);
  AUTO_JSON cJSON *stats = fetch_stats(&w.sim);
  for (size_t i = 0; i < ACCOUNTS; i++)
    ask(&w, i);
  for (size_t i = 0; i < ACCOUNTS; i++) {
    check_account(&w, stats, i, seconds);
    issued += (int)w.seen[i].n;
  }
  printf("%ld calls, %d tokens in %d s ", atomic_load(&w.calls), issued, seconds);
  CU_ASSERT_EQUAL(atomic_load(&w.failures), 0);
  CU_ASSERT_EQUAL(atomic_load(&w.outdated), 0);
  CU_ASSERT_TRUE(atomic_load(&w.calls) > 1000L * seconds);
  http_client_free(w.http);
  tokens_free(w.tokens);
  snapshot_unref(w.dealers);
  simulator_stop(&w.sim);
}

TEST_MAIN("auth token load", TEST(every_expiry_costs_one_question_under_64_threads_and_50_accounts))
