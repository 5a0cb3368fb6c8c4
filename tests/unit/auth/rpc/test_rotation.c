/* Keys, policies and revocations that change under a running service, as its callers see it. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/config/reload.h"
#include "auth-svc/config/snapshot.h"
#include "auth-svc/methods.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/harness.h"

#define KEY_A "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define KEY_B "ffeeddccbbaa99887766554433221100ffeeddccbbaa99887766554433221100"
#define SECRET "a shared secret of more than 32 bytes"
#define TEXT(s) ((char *)(uintptr_t)(s))
#define DIRECT ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT
#define BENCHMARK ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK

typedef Analytics__Auth__V1__AuthenticateResponse authenticated;
typedef Analytics__Auth__V1__ResolveCohortResponse cohort_response;

struct stage {
  char *dir, *dealers, *seal, *secret, *policy;
  struct fake_endpoint *fake;
  struct trust_source *source;
  struct http_client *http;
  struct tokens *tokens;
  struct snapshot_slot *config;
  struct reload *reload;
  struct service *service;
  struct rpc_server *server;
  struct rpc_channel *channel;
};

/* ------------------------------------------------------------------------- the stage */

static void write_dealers(const struct stage *s)
{
  AUTO_BUF struct buf out = BUF_INIT(1 << 20);
  buf_puts(&out, "[");
  for (int i = 1; i <= 8; i++)
    buf_printf(&out,
               "%s{\"dealer_id\":\"d%02d\",\"account_id\":\"a%02d\",\"name\":\"N\",\"region\":"
               "\"West\",\"owner\":\"O%d\",\"properties\":[\"%d\"],\"oauth\":{\"client_id\":\"c\","
               "\"client_secret\":\"s\",\"refresh_token\":\"r%d\",\"token_uri\":\"%s\"}}",
               i > 1 ? "," : "", i, i, i % 4, 100 + i, i, fake_url(s->fake));
  buf_puts(&out, "]");
  folder_write(s->dir, "dealers.json", buf_str(&out));
}

static enum err_code load(void *user, struct snapshot **out, struct err *e)
{
  const struct stage *s = user;
  struct trust trust;
  enum err_code code = trust_load(&trust, s->source, e);
  if (code == ERR_OK)
    code = snapshot_load(out, s->dealers, NULL, e);
  if (code == ERR_OK)
    snapshot_trust(*out, &trust);
  trust_clear(&trust);
  return code;
}

static void start_config(struct stage *s)
{
  struct snapshot *first = NULL;
  struct err e = {0};
  s->dir = folder_make();
  s->dealers = xasprintf("%s/dealers.json", s->dir);
  s->seal = xasprintf("%s/seal.key", s->dir);
  s->secret = xasprintf("%s/secret", s->dir);
  s->policy = xasprintf("%s/policies.json", s->dir);
  write_dealers(s);
  folder_write(s->dir, "seal.key", KEY_A);
  folder_write(s->dir, "secret", SECRET);
  folder_write(s->dir, "policies.json", "{}");
  const struct trust_options options = {.seal_key_file = s->seal,
                                        .jwt_secret_file = s->secret,
                                        .policy_file = s->policy,
                                        .audience = "test"};
  CU_ASSERT_EQUAL_FATAL(trust_source_new(&s->source, &options, NULL), ERR_OK);
  if (load(s, &first, &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(first);
  s->config = snapshot_slot_new(first);
}

static void start_server(struct stage *s)
{
  const struct service_options options = {
      .config = s->config,
      .tokens = s->tokens,
      .bearer = {.enabled = true,
                 .account_tokens = true,
                 .jwt = {.issuer = "iss", .audience = "analytics-mcp"}}};
  const struct rpc_server_options server = {
      .listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 1000};
  s->service = service_new(&options);
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&s->server, &server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(methods_register(s->service, s->server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(s->server, NULL), ERR_OK);
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(s->server));
  const struct rpc_channel_options channel = {.target = target, .name = "auth-svc"};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&s->channel, &channel, NULL), ERR_OK);
}

static void stage(struct stage *s)
{
  const struct http_client_options http = {.user_agent = "test"};
  *s = (struct stage){.fake = fake_start()};
  rpc_init();
  start_config(s);
  CU_ASSERT_EQUAL_FATAL(http_client_new(&s->http, &http, NULL), ERR_OK);
  const struct tokens_options tokens = {.env.http = s->http};
  s->tokens = tokens_new(&tokens);
  const struct reload_options reload = {
      .config = s->config, .tokens = s->tokens, .load = load, .user = s};
  s->reload = reload_new(&reload);
  start_server(s);
}

static void strike(struct stage *s)
{
  rpc_channel_free(s->channel);
  rpc_server_stop(s->server);
  http_client_free(s->http);
  tokens_free(s->tokens);
  reload_free(s->reload);
  service_free(s->service);
  snapshot_slot_free(s->config);
  trust_source_free(s->source);
  fake_stop(s->fake);
  folder_remove(s->dir);
  char *const texts[] = {s->dir, s->dealers, s->seal, s->secret, s->policy};
  for (size_t i = 0; i < ARRAY_LEN(texts); i++)
    free(texts[i]);
  rpc_shutdown();
}

static void put(struct stage *s, const char *name, const char *content)
{
  folder_replace(s->dir, name, content);
  CU_ASSERT_TRUE(reload_run(s->reload));
}

/* --------------------------------------------------------------------------- calls */

static void drop(void *message)
{
  if (message != NULL)
    protobuf_c_message_free_unpacked(message, NULL);
}

static void *call(struct stage *s, const char *method, const ProtobufCMessage *request,
                  const ProtobufCBinaryData *grant, struct err *e)
{
  const struct rpc_metadata metadata = {RPC_META_GRANT, grant != NULL ? grant->data : NULL,
                                        grant != NULL ? grant->len : 0};
  const struct rpc_client_options options = {
      .timeout_ms = 10000, .metadata = &metadata, .n_metadata = grant != NULL ? 1 : 0};
  ProtobufCMessage *response = NULL;
  *e = (struct err){0};
  rpc_client_call_sync(&response, s->channel, &analytics__auth__v1__auth_service__descriptor,
                       method, request, &options, e);
  return response;
}

/* A signed bearer of a subject. */
static char *bearer_of(const char *subject, const char *jti, const char *claims, const char *secret)
{
  AUTO_FREE char *payload =
      xasprintf("{\"iss\":\"iss\",\"aud\":\"analytics-mcp\",\"exp\":%lld,"
                "\"sub\":\"%s\",\"jti\":\"%s\",%s}",
                (long long)clock_unix_ms() / 1000 + 3600, subject, jti, claims);
  return maker_token("{\"alg\":\"HS256\"}", payload, NULL, secret);
}

static authenticated *authenticate(struct stage *s, const char *bearer, struct err *e)
{
  Analytics__Auth__V1__AuthenticateRequest r = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  r.bearer_token = TEXT(bearer);
  return call(s, "Authenticate", &r.base, NULL, e);
}

static enum err_code list(struct stage *s, const ProtobufCBinaryData *grant, struct err *e)
{
  Analytics__Auth__V1__ListDealersRequest r = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  drop(call(s, "ListDealers", &r.base, grant, e));
  return e->code;
}

static cohort_response *resolve(struct stage *s, const ProtobufCBinaryData *grant,
                                const char *cohort, struct err *e)
{
  Analytics__Auth__V1__ResolveCohortRequest r = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  r.cohort = TEXT(cohort);
  return call(s, "ResolveCohort", &r.base, grant, e);
}

static enum err_code get_token(struct stage *s, const ProtobufCBinaryData *grant,
                               Analytics__Auth__V1__Purpose purpose, const char *dealer,
                               struct err *e)
{
  Analytics__Auth__V1__GetAccessTokenRequest r =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  r.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
  r.dealer_ref = TEXT(dealer);
  r.purpose = purpose;
  drop(call(s, "GetAccessToken", &r.base, grant, e));
  return e->code;
}

#define DEALER "\"role\":\"dealer\",\"dealers\":[\"d03\"]"

/* ------------------------------------------------------------------- seal keys */

static void a_comparison_under_way_outlives_a_change_of_keys(void)
{
  struct stage s;
  struct err e;
  stage(&s);
  AUTO_FREE char *bearer = bearer_of("ann", "t1", DEALER, SECRET);
  authenticated *a = authenticate(&s, bearer, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  cohort_response *c = resolve(&s, &a->sealed, "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  CU_ASSERT_EQUAL(c->n_members, 8);
  put(&s, "seal.key", KEY_B "," KEY_A);
  for (size_t i = 0; i < c->n_members; i++) /* opaque and visible, by the old key */
    CU_ASSERT_EQUAL(get_token(&s, &c->sealed_benchmark, BENCHMARK, c->members[i]->dealer_ref, &e),
                    ERR_OK);
  CU_ASSERT_EQUAL(get_token(&s, &a->sealed, DIRECT, "d03", &e), ERR_OK);
  CU_ASSERT_EQUAL(get_token(&s, &c->sealed_benchmark, BENCHMARK, "d01", &e), ERR_NOT_FOUND);
  cohort_response *fresh = resolve(&s, &a->sealed, "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(fresh);
  CU_ASSERT_STRING_NOT_EQUAL(fresh->members[0]->dealer_ref, c->members[0]->dealer_ref);
  /* A reference of the one key means the same dealer in a grant of the other. */
  CU_ASSERT_EQUAL(get_token(&s, &fresh->sealed_benchmark, BENCHMARK, c->members[0]->dealer_ref, &e),
                  ERR_OK);
  put(&s, "seal.key", KEY_B);
  CU_ASSERT_EQUAL(
      get_token(&s, &fresh->sealed_benchmark, BENCHMARK, fresh->members[0]->dealer_ref, &e),
      ERR_OK);
  CU_ASSERT_EQUAL(get_token(&s, &c->sealed_benchmark, BENCHMARK, c->members[0]->dealer_ref, &e),
                  ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "bad_grant");
  CU_ASSERT_EQUAL(list(&s, &a->sealed, &e), ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "bad_grant");
  drop(fresh);
  drop(c);
  drop(a);
  strike(&s);
}

static void a_derived_cohort_version_holds_while_its_key_is_listed(void)
{
  struct stage s;
  struct err e;
  stage(&s);
  AUTO_FREE char *bearer = bearer_of("ann", "t1", DEALER, SECRET);
  put(&s, "seal.key", KEY_A "," KEY_B); /* B opens, so that the grant outlives A */
  authenticated *a = authenticate(&s, bearer, &e);
  cohort_response *c = resolve(&s, &a->sealed, "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  put(&s, "seal.key", KEY_B "," KEY_A);
  cohort_response *again = resolve(&s, &a->sealed, c->cohort_id, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(again);
  CU_ASSERT_STRING_NOT_EQUAL(again->cohort_id, c->cohort_id); /* named by the new key */
  put(&s, "seal.key", KEY_B);
  authenticated *b = authenticate(&s, bearer, &e);
  CU_ASSERT_PTR_NULL(resolve(&s, &b->sealed, c->cohort_id, &e));
  CU_ASSERT_EQUAL(e.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "cohort_changed");
  cohort_response *last = resolve(&s, &b->sealed, again->cohort_id, &e);
  CU_ASSERT_PTR_NOT_NULL(last);
  drop(last);
  drop(b);
  drop(again);
  drop(c);
  drop(a);
  strike(&s);
}

/* ----------------------------------------------------------------------- under load */

struct worker {
  struct stage *s;
  atomic_int *begun, *done; /* changes of keys: begun, and in effect */
  atomic_bool *stop;
  atomic_int rounds; /* ended */
  int number, calls, outdated, failed;
  struct err last;
};

/* A call may fail for one reason only: two changes came since its grant was made, so that the
 * grant's key has left the list. `before`: the changes in effect then, at least. */
static void note(struct worker *w, enum err_code code, int before, const struct err *e)
{
  w->calls++;
  if (code == ERR_OK)
    return;
  if (strcmp(e->reason, "bad_grant") == 0 && atomic_load(w->begun) - before >= 2) {
    w->outdated++;
    return;
  }
  w->failed++;
  w->last = *e;
}

static void one_round(struct worker *w, const char *bearer)
{
  struct err e;
  int before = atomic_load(w->done);
  authenticated *a = authenticate(w->s, bearer, &e);
  note(w, e.code, before, &e);
  if (a == NULL)
    return;
  note(w, get_token(w->s, &a->sealed, DIRECT, "d03", &e), before, &e);
  cohort_response *c = resolve(w->s, &a->sealed, "", &e);
  note(w, e.code, before, &e);
  for (size_t i = 0; c != NULL && i < c->n_members; i += 3)
    note(w, get_token(w->s, &c->sealed_benchmark, BENCHMARK, c->members[i]->dealer_ref, &e), before,
         &e);
  drop(c);
  drop(a);
}

static void *work(void *arg)
{
  struct worker *w = arg;
  AUTO_FREE char *subject = xasprintf("user-%d", w->number);
  AUTO_FREE char *bearer = bearer_of(subject, subject, DEALER, SECRET);
  while (!atomic_load(w->stop)) {
    one_round(w, bearer);
    atomic_fetch_add(&w->rounds, 1);
  }
  return NULL;
}

/* Until each has ended a round that began after this. */
static void await_rounds(struct worker *workers, size_t n)
{
  for (size_t i = 0; i < n; i++)
    for (int before = atomic_load(&workers[i].rounds);
         atomic_load(&workers[i].rounds) < before + 2;)
      usleep(200);
}

static void no_call_fails_while_seal_keys_rotate(void)
{
  enum { WORKERS = 6, ROTATIONS = 12 };
  static const char *const lists[] = {KEY_B "," KEY_A, KEY_B, KEY_A "," KEY_B, KEY_A};
  struct stage s;
  struct worker workers[WORKERS];
  pthread_t threads[WORKERS];
  atomic_bool stop = false;
  atomic_int begun = 0, done = 0;
  stage(&s);
  for (int i = 0; i < WORKERS; i++) {
    workers[i] =
        (struct worker){.s = &s, .begun = &begun, .done = &done, .stop = &stop, .number = i};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, work, &workers[i]), 0);
  }
  for (int i = 0; i < 2 * ROTATIONS; i++) {
    await_rounds(workers, WORKERS);
    atomic_fetch_add(&begun, 1);
    put(&s, "seal.key", lists[i % 4]);
    atomic_fetch_add(&done, 1);
  }
  await_rounds(workers, WORKERS);
  atomic_store(&stop, true);
  int calls = 0, failed = 0, outdated = 0;
  for (int i = 0; i < WORKERS; i++) {
    pthread_join(threads[i], NULL);
    calls += workers[i].calls;
    failed += workers[i].failed;
    outdated += workers[i].outdated;
    if (workers[i].failed > 0)
      printf("\n  %d times %s: %s\n", workers[i].failed, workers[i].last.reason,
             workers[i].last.message);
  }
  printf("%d calls, %d with grants whose key was gone ", calls, outdated);
  CU_ASSERT_EQUAL(failed, 0);
  CU_ASSERT_TRUE(calls > 100);
  strike(&s);
}

/* -------------------------------------------------------------------- bearers' keys */

static void a_remembered_token_does_not_outlive_its_key(void)
{
  struct stage s;
  struct err e;
  stage(&s);
  AUTO_FREE char *bearer = bearer_of("ann", "t1", DEALER, SECRET);
  for (int i = 0; i < 3; i++) {
    drop(authenticate(&s, bearer, &e)); /* checked, then remembered */
    CU_ASSERT_EQUAL(e.code, ERR_OK);
  }
  put(&s, "secret", "another secret of more than 32 bytes");
  CU_ASSERT_PTR_NULL(authenticate(&s, bearer, &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "invalid_credentials");
  put(&s, "secret", SECRET);
  drop(authenticate(&s, bearer, &e));
  CU_ASSERT_EQUAL(e.code, ERR_OK);
  strike(&s);
}

/* ---------------------------------------------------------------------- revocations */

static void expect_revoked(const struct err *e)
{
  if (e->code != ERR_UNAUTHENTICATED || strcmp(e->reason, "revoked") != 0)
    printf("\n  %s %s: %s\n", err_code_name(e->code), e->reason, e->message);
  CU_ASSERT_EQUAL(e->code, ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e->reason, "revoked");
}

static void revoke_and_try(struct stage *s, const char *revoked, const char *bearer,
                           const authenticated *a, const cohort_response *c)
{
  struct err e;
  AUTO_FREE char *file = xasprintf("{\"revoked\":[{\"subject\":\"somebody\"},{%s}]}", revoked);
  put(s, "policies.json", file);
  CU_ASSERT_PTR_NULL(authenticate(s, bearer, &e)); /* its signature is remembered */
  expect_revoked(&e);
  list(s, &a->sealed, &e);
  expect_revoked(&e);
  CU_ASSERT_PTR_NULL(resolve(s, &a->sealed, "", &e));
  expect_revoked(&e);
  get_token(s, &a->sealed, DIRECT, "d03", &e);
  expect_revoked(&e);
  get_token(s, &c->sealed_benchmark, BENCHMARK, c->members[0]->dealer_ref, &e);
  expect_revoked(&e);
}

static void a_revoked_caller_is_refused_at_once_with_every_grant_it_has(void)
{
  struct stage s;
  struct err e;
  stage(&s);
  AUTO_FREE char *bearer = bearer_of("ann", "token-1", DEALER, SECRET);
  AUTO_FREE char *other = bearer_of("bob", "token-2", DEALER, SECRET);
  authenticated *a = authenticate(&s, bearer, &e), *b = authenticate(&s, other, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  CU_ASSERT_PTR_NOT_NULL_FATAL(b);
  CU_ASSERT_STRING_EQUAL(a->grant->token_id, "token-1");
  cohort_response *c = resolve(&s, &a->sealed, "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  CU_ASSERT_EQUAL(get_token(&s, &a->sealed, DIRECT, "d03", &e), ERR_OK); /* now in the cache */
  AUTO_FREE char *hash = xasprintf("\"token_sha256\":\"%s\"", a->grant->principal_id);
  const char *const ways[] = {"\"subject\":\"ann\"", "\"token_id\":\"token-1\"", hash};
  for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
    revoke_and_try(&s, ways[i], bearer, a, c);
    CU_ASSERT_EQUAL(list(&s, &b->sealed, &e), ERR_OK); /* nobody else is */
    put(&s, "policies.json", "{}");
    CU_ASSERT_EQUAL(list(&s, &a->sealed, &e), ERR_OK); /* and it can be taken back */
  }
  drop(c);
  drop(b);
  drop(a);
  strike(&s);
}

struct revoker {
  struct stage *s;
};

static void *revoke_soon(void *arg)
{
  struct revoker *r = arg;
  CU_ASSERT_TRUE(fake_wait_hits(r->s->fake, 1));
  put(r->s, "policies.json", "{\"revoked\":[{\"subject\":\"ann\"}]}");
  fake_release(r->s->fake);
  return NULL;
}

static void a_caller_revoked_while_it_waits_for_a_token_gets_none(void)
{
  struct stage s;
  struct err e;
  pthread_t thread;
  stage(&s);
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 60000});
  AUTO_FREE char *bearer = bearer_of("ann", "t", DEALER, SECRET);
  authenticated *a = authenticate(&s, bearer, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  struct revoker r = {&s};
  CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, revoke_soon, &r), 0);
  get_token(&s, &a->sealed, DIRECT, "d03", &e);
  expect_revoked(&e);
  pthread_join(thread, NULL);
  drop(a);
  strike(&s);
}

/* --------------------------------------------------------------------------- names */

static void every_grant_has_an_id_of_its_own(void)
{
  struct stage s;
  struct err e;
  stage(&s);
  AUTO_FREE char *bearer = bearer_of("ann", "t", DEALER, SECRET);
  authenticated *a = authenticate(&s, bearer, &e), *b = authenticate(&s, bearer, &e);
  CU_ASSERT_EQUAL(strlen(a->grant->grant_id), 32);
  CU_ASSERT_EQUAL(strspn(a->grant->grant_id, "0123456789abcdef"), 32);
  CU_ASSERT_STRING_NOT_EQUAL(a->grant->grant_id, b->grant->grant_id);
  drop(a);
  drop(b);
  strike(&s);
}

TEST_MAIN("auth rotation", TEST(a_comparison_under_way_outlives_a_change_of_keys),
          TEST(a_derived_cohort_version_holds_while_its_key_is_listed),
          TEST(no_call_fails_while_seal_keys_rotate),
          TEST(a_remembered_token_does_not_outlive_its_key),
          TEST(a_revoked_caller_is_refused_at_once_with_every_grant_it_has),
          TEST(a_caller_revoked_while_it_waits_for_a_token_gets_none),
          TEST(every_grant_has_an_id_of_its_own))
