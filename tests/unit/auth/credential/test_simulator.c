/* Credentials against the stand-in for Google, which was not written after this client. */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "auth-svc/config/snapshot.h"
#include "auth-svc/token/tokens.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

static struct {
  pid_t pid;
  char url[64];
  char folder[32];
  struct http_client *http;
  struct snapshot *dealers;
} sim;

static char *in_folder(const char *name)
{
  return xasprintf("%s/%s", sim.folder, name);
}

static void stop_simulator(void)
{
  static const char *const files[] = {"dealers.json", "key.json", "world.db"};
  http_client_free(sim.http);
  snapshot_unref(sim.dealers);
  kill(sim.pid, SIGTERM);
  waitpid(sim.pid, NULL, 0);
  for (size_t i = 0; i < ARRAY_LEN(files); i++) {
    AUTO_FREE char *path = in_folder(files[i]);
    unlink(path);
  }
  rmdir(sim.folder);
}

static void run_simulator(int out)
{
  AUTO_FREE char *dealers = in_folder("dealers.json"), *key = in_folder("key.json"),
                 *db = in_folder("world.db");
  dup2(out, 1);
  execl(GA4_SIM, "ga4-sim", "--listen", "127.0.0.1:0", "--dealers", "4", "--regions", "2", "--days",
        "2", "--db", db, "--write-dealers", dealers, "--write-service-account", key, (char *)NULL);
  _exit(127);
}

/* "listening on http://127.0.0.1:PORT" */
static void read_url(int in)
{
  char line[256];
  FILE *f = fdopen(in, "r");
  while (sim.url[0] == '\0' && fgets(line, sizeof(line), f) != NULL)
    sscanf(line, "listening on %63s", sim.url);
  fclose(f);
}

static void set_up(void)
{
  int pipes[2];
  if (sim.pid != 0)
    return;
  snprintf(sim.folder, sizeof(sim.folder), "/tmp/auth-sim-XXXXXX");
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(sim.folder));
  CU_ASSERT_EQUAL_FATAL(pipe(pipes), 0);
  signal(SIGPIPE, SIG_IGN);
  sim.pid = fork();
  if (sim.pid == 0) {
    close(pipes[0]);
    run_simulator(pipes[1]);
  }
  close(pipes[1]);
  read_url(pipes[0]);
  atexit(stop_simulator);
  const struct http_client_options http = {.user_agent = "test"};
  CU_ASSERT_EQUAL_FATAL(http_client_new(&sim.http, &http, NULL), ERR_OK);
  AUTO_FREE char *path = in_folder("dealers.json");
  for (int i = 0; i < 500 && access(path, R_OK) != 0; i++)
    usleep(10000);
  struct err e = {0};
  enum err_code code = snapshot_load(&sim.dealers, path, NULL, &e);
  if (code != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_EQUAL_FATAL(code, ERR_OK);
}

/* ------------------------------------------------------------------ plain requests */

struct wait {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  bool done;
  int status;
  struct err error;
  char token[512];
};
#define WAIT_INIT                                                                                  \
  {                                                                                                \
    .lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER                         \
  }

static void wake(struct wait *w)
{
  w->done = true;
  pthread_cond_signal(&w->changed);
  pthread_mutex_unlock(&w->lock);
}

static void wait_for(struct wait *w)
{
  pthread_mutex_lock(&w->lock);
  while (!w->done)
    pthread_cond_wait(&w->changed, &w->lock);
  pthread_mutex_unlock(&w->lock);
}

static void on_http(void *user, const struct http_response *response)
{
  struct wait *w = user;
  pthread_mutex_lock(&w->lock);
  w->status = response->status;
  wake(w);
}

static int request(const char *method, const char *path, const char *token, const char *body)
{
  struct wait w = WAIT_INIT;
  AUTO_FREE char *url = xasprintf("%s%s", sim.url, path);
  AUTO_FREE char *bearer = xasprintf("Bearer %s", token);
  const struct http_header headers[] = {{"Authorization", bearer},
                                        {"Content-Type", "application/json"}};
  const struct http_request r = {.method = method,
                                 .url = url,
                                 .headers = headers,
                                 .n_headers = ARRAY_LEN(headers),
                                 .body = body,
                                 .body_len = body != NULL ? strlen(body) : 0,
                                 .on_done = on_http,
                                 .user = &w};
  CU_ASSERT_EQUAL_FATAL(http_client_send(NULL, sim.http, &r, NULL), ERR_OK);
  wait_for(&w);
  return w.status;
}

static void fault(const char *description)
{
  CU_ASSERT_EQUAL(request("POST", "/sim/faults", "", description) / 100, 2);
}

static void on_ready(void *user, const struct token_result *r)
{
  struct wait *w = user;
  pthread_mutex_lock(&w->lock);
  w->error = r->error;
  snprintf(w->token, sizeof(w->token), "%s", secret_text(r->access_token));
  wake(w);
}

static struct wait ask(struct tokens *t, const char *account, struct credential *c)
{
  struct wait w = WAIT_INIT;
  tokens_get(t, account, c, NULL, tokens_wait_id(t), on_ready, &w);
  wait_for(&w);
  return w;
}

static struct wait ask_dealer(struct tokens *t, size_t index)
{
  const struct dealer *d = &sim.dealers->directory->dealers[index];
  return ask(t, d->account_id, snapshot_credential(sim.dealers, d));
}

static struct tokens *cache(void)
{
  set_up();
  const struct tokens_options options = {.env = {.http = sim.http}, .backoff_base_ms = 100};
  return tokens_new(&options);
}

/* --------------------------------------------------------------------------- tests */

static void every_dealer_gets_a_token_that_the_api_takes(void)
{
  struct tokens *t = cache();
  CU_ASSERT_EQUAL(sim.dealers->directory->n_dealers, 4);
  for (size_t i = 0; i < sim.dealers->directory->n_dealers; i++) {
    struct wait w = ask_dealer(t, i);
    CU_ASSERT_EQUAL(w.error.code, ERR_OK);
    CU_ASSERT_EQUAL(request("GET", "/v1beta/accountSummaries", w.token, NULL), 200);
  }
  CU_ASSERT_EQUAL(request("GET", "/v1beta/accountSummaries", "wrong", NULL), 401);
  tokens_free(t);
}

static void googles_refusals_are_understood(void)
{
  struct tokens *t = cache();
  fault("{\"dealer_id\":\"d01\",\"kind\":\"invalid_grant\"}");
  fault("{\"dealer_id\":\"d02\",\"kind\":\"invalid_client\"}");
  fault("{\"dealer_id\":\"d03\",\"kind\":\"token_503\",\"times\":1}");
  struct wait revoked = ask_dealer(t, 0), misconfigured = ask_dealer(t, 1), busy = ask_dealer(t, 2);
  CU_ASSERT_STRING_EQUAL(revoked.error.reason, "invalid_grant");
  CU_ASSERT_EQUAL(revoked.error.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(misconfigured.error.reason, "invalid_client");
  CU_ASSERT_EQUAL(misconfigured.error.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_EQUAL(busy.error.code, ERR_UNAVAILABLE);
  CU_ASSERT_EQUAL(world_needing_consent(t), 1);
  CU_ASSERT_EQUAL(request("DELETE", "/sim/faults", "", NULL), 200);
  usleep(150000); /* longer than the first wait */
  CU_ASSERT_EQUAL(ask_dealer(t, 2).error.code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(ask_dealer(t, 0).error.reason, "invalid_grant"); /* final */
  tokens_free(t);
}

static void a_wrong_client_is_no_matter_of_consent(void)
{
  struct tokens *t = cache();
  AUTO_FREE char *uri = xasprintf("%s/token", sim.url);
  struct credential *c =
      credential_new_refresh_token("nobody", "nothing", "1//none", uri, NULL, false);
  struct wait w = ask(t, "x", c);
  CU_ASSERT_EQUAL(w.error.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(w.error.reason, "invalid_client");
  CU_ASSERT_EQUAL(world_needing_consent(t), 0);
  credential_unref(c);
  tokens_free(t);
}

static void a_service_account_gets_a_token_that_the_api_takes(void)
{
  struct tokens *t = cache();
  AUTO_FREE char *path = in_folder("key.json");
  struct credential *c = NULL;
  CU_ASSERT_EQUAL_FATAL(credential_find_adc(&c, path, false, NULL), ERR_OK);
  CU_ASSERT_STRING_EQUAL(c->kind->name, "service_account");
  struct wait w = ask(t, "adc", c);
  CU_ASSERT_EQUAL(w.error.code, ERR_OK);
  CU_ASSERT_EQUAL(request("GET", "/v1beta/accountSummaries", w.token, NULL), 200);
  credential_unref(c);
  tokens_free(t);
}

TEST_MAIN("auth simulator", TEST(every_dealer_gets_a_token_that_the_api_takes),
          TEST(googles_refusals_are_understood), TEST(a_wrong_client_is_no_matter_of_consent),
          TEST(a_service_account_gets_a_token_that_the_api_takes))
