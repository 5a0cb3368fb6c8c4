/* The rpcs as other services meet them: over common/rpc, with metadata and deadlines. */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/methods.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"
#include "tests/unit/auth/support/cert_maker.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/folder.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

#define SECRET "a shared secret of more than 32 bytes"
#define TEXT(s) ((char *)(uintptr_t)(s))

typedef Analytics__Auth__V1__AuthenticateResponse authenticated;
typedef Analytics__Auth__V1__GetAccessTokenRequest token_request;
typedef Analytics__Auth__V1__GetAccessTokenResponse token_response;
typedef Analytics__Auth__V1__ResolveCohortResponse cohort_response;

struct stage {
  struct fake_endpoint *fake;
  struct snapshot_slot *config;
  struct sealer *sealer;
  struct jwt_keys *keys;
  struct policies *policies;
  struct http_client *http;
  struct tokens *tokens;
  struct service *service;
  struct rpc_server *server;
  struct rpc_channel *channel;
};

/* How the stage differs from the plain one. */
struct staging {
  size_t dealers;
  const char *certs;  /* folder; NULL for plaintext */
  const char *client; /* whose certificate the caller shows */
  bool check_identity;
  size_t waiters_max;   /* of the token cache; 0 for its default */
  const char *policies; /* the policy file's text; NULL for none */
};

static void start_server(struct stage *s, const struct staging *how)
{
  const struct service_options options = {
      .config = s->config,
      .tokens = s->tokens,
      .bearer = {.enabled = true,
                 .account_tokens = true,
                 .jwt = {.issuer = "iss", .audience = "analytics-mcp"}},
      .report_identity = how->check_identity ? "report-svc" : NULL,
      .aggregate_identity = how->check_identity ? "aggregate-svc" : NULL};
  struct rpc_server_options server = {.listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 1000};
  AUTO_FREE char *cert = NULL, *key = NULL, *ca = NULL;
  if (how->certs != NULL) {
    cert = cert_path(how->certs, "auth-svc", "pem");
    key = cert_path(how->certs, "auth-svc", "key");
    ca = cert_path(how->certs, "ca", "pem");
    server.tls = (struct rpc_tls){cert, key, ca};
  }
  s->service = service_new(&options);
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&s->server, &server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(methods_register(s->service, s->server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(s->server, NULL), ERR_OK);
}

static void open_channel(struct stage *s, const struct staging *how)
{
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(s->server));
  struct rpc_channel_options channel = {.target = target, .name = "auth-svc"};
  AUTO_FREE char *cert = NULL, *key = NULL, *ca = NULL;
  if (how->certs != NULL) {
    cert = cert_path(how->certs, how->client, "pem");
    key = cert_path(how->certs, how->client, "key");
    ca = cert_path(how->certs, "ca", "pem");
    channel.tls = (struct rpc_tls){cert, key, ca};
  }
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&s->channel, &channel, NULL), ERR_OK);
}

static struct policies *policies_of(const char *text)
{
  struct policies *p = NULL;
  struct err e = {0};
  if (policies_parse(&p, "policies.json", text, strlen(text), &e) != ERR_OK)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(p);
  return p;
}

static struct stage stage_as(const struct staging *how)
{
  struct stage s = {.fake = fake_start()};
  struct snapshot *world = world_new(how->dealers, fake_url(s.fake));
  const struct http_client_options http = {.user_agent = "test"};
  rpc_init();
  sealer_new(&s.sealer, "KEY", NULL, "test", NULL);
  s.keys = jwt_keys_new();
  jwt_keys_add_hs256(s.keys, "K", SECRET, strlen(SECRET), NULL);
  s.policies = how->policies != NULL ? policies_of(how->policies) : policies_none();
  snapshot_trust(world, &(struct trust){s.sealer, s.keys, s.policies, NULL});
  s.config = snapshot_slot_new(world);
  CU_ASSERT_EQUAL_FATAL(http_client_new(&s.http, &http, NULL), ERR_OK);
  const struct tokens_options tokens = {.env = {.http = s.http}, .waiters_max = how->waiters_max};
  s.tokens = tokens_new(&tokens);
  start_server(&s, how);
  open_channel(&s, how);
  return s;
}

static struct stage stage(void)
{
  return stage_as(&(struct staging){.dealers = 12});
}

static void strike(struct stage *s)
{
  rpc_channel_free(s->channel);
  rpc_server_stop(s->server);
  http_client_free(s->http);
  tokens_free(s->tokens);
  service_free(s->service);
  snapshot_slot_free(s->config);
  jwt_keys_unref(s->keys);
  policies_unref(s->policies);
  sealer_unref(s->sealer);
  fake_stop(s->fake);
  rpc_shutdown();
}

/* One unary call; NULL and *e on failure. */
static void *call(struct stage *s, const char *method, const ProtobufCMessage *request,
                  const ProtobufCBinaryData *grant, uint32_t timeout_ms, struct err *e)
{
  const struct rpc_metadata metadata = {RPC_META_GRANT, grant != NULL ? grant->data : NULL,
                                        grant != NULL ? grant->len : 0};
  const struct rpc_client_options options = {
      .timeout_ms = timeout_ms, .metadata = &metadata, .n_metadata = grant != NULL ? 1 : 0};
  ProtobufCMessage *response = NULL;
  *e = (struct err){0};
  rpc_client_call_sync(&response, s->channel, &analytics__auth__v1__auth_service__descriptor,
                       method, request, &options, e);
  return response;
}

static void drop(void *message)
{
  protobuf_c_message_free_unpacked(message, NULL);
}

static authenticated *authenticate(struct stage *s, const char *bearer, struct err *e)
{
  Analytics__Auth__V1__AuthenticateRequest r = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  r.bearer_token = TEXT(bearer);
  return call(s, "Authenticate", &r.base, NULL, 5000, e);
}

/* A grant for the claims, which follow sub: "\"role\":\"admin\"". */
static authenticated *grant_for(struct stage *s, const char *claims)
{
  AUTO_FREE char *payload =
      xasprintf("{\"iss\":\"iss\",\"aud\":\"analytics-mcp\",\"exp\":%lld,\"sub\":\"ann\",%s}",
                (long long)clock_unix_ms() / 1000 + 3600, claims);
  AUTO_FREE char *token = maker_token("{\"alg\":\"HS256\"}", payload, NULL, SECRET);
  struct err e;
  authenticated *a = authenticate(s, token, &e);
  if (a == NULL)
    printf("\n  %s\n", e.message);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  return a;
}

static token_response *get_token(struct stage *s, const ProtobufCBinaryData *grant,
                                 Analytics__Auth__V1__Purpose purpose, const char *dealer,
                                 uint32_t timeout_ms, struct err *e)
{
  token_request r = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  r.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
  r.dealer_ref = TEXT(dealer);
  r.purpose = purpose;
  return call(s, "GetAccessToken", &r.base, grant, timeout_ms, e);
}

#define DIRECT ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT
#define BENCHMARK ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_BENCHMARK

static void a_bearer_leads_to_a_token_of_its_own_dealer(void)
{
  struct stage s = stage();
  struct err e;
  static const char json[] = "{\"account_id\":\"a03\",\"refresh_token\":\"refresh-token-03\"}";
  AUTO_BUF struct buf bearer = BUF_INIT(1024);
  base64_encode(&bearer, json, strlen(json));
  authenticated *a = authenticate(&s, buf_str(&bearer), &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  CU_ASSERT_STRING_EQUAL(a->grant->dealer_ids[0], "d03");
  token_response *t = get_token(&s, &a->sealed, DIRECT, "d03", 5000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(t);
  CU_ASSERT_STRING_EQUAL(t->access_token, "token-1");
  CU_ASSERT_STRING_EQUAL(t->dealer_ref, "d03");
  CU_ASSERT_STRING_EQUAL(t->dealer_name, "Jasper Honda No03");
  CU_ASSERT_EQUAL(t->n_property_ids, 1);
  CU_ASSERT_STRING_EQUAL(t->property_ids[0], "2000003");
  CU_ASSERT_FALSE(t->opaque);
  drop(t);
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, DIRECT, "d06", 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_NOT_FOUND);
  CU_ASSERT_STRING_EQUAL(e.message, "dealer_id: no dealer \"d06\"; closest: \"d03\" Jasper Honda "
                                    "No03");
  CU_ASSERT_STRING_EQUAL(e.reason, "unknown_dealer");
  drop(a);
  strike(&s);
}

/* The plan's token with one secret in it. */
static authenticated *by_account(struct stage *s, const char *id, const char *member,
                                 const char *secret, struct err *e)
{
  AUTO_FREE char *json = xasprintf("{\"account_id\":\"%s\",\"%s\":\"%s\",\"expires_at\":%lld}", id,
                                   member, secret, (long long)clock_unix_ms() / 1000 + 3600);
  AUTO_BUF struct buf bearer = BUF_INIT(1024);
  base64_encode(&bearer, json, strlen(json));
  return authenticate(s, buf_str(&bearer), e);
}

/* report-svc holds access tokens by design. None of them, in any form, for any account, under
 * either of its names, is a bearer token. */
static void a_taken_over_report_svc_gets_in_nowhere_with_the_access_tokens_it_holds(void)
{
  static const char *const members[] = {"access_token", "refresh_token"};
  struct stage s = stage();
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"dealer\",\"dealers\":[\"d03\"]");
  token_response *t = get_token(&s, &a->sealed, DIRECT, "d03", 5000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(t);
  for (int i = 1; i <= 12; i++)
    for (size_t m = 0; m < ARRAY_LEN(members); m++) {
      AUTO_FREE char *account = xasprintf("a%02d", i), *dealer = xasprintf("d%02d", i);
      CU_ASSERT_PTR_NULL(by_account(&s, account, members[m], t->access_token, &e));
      CU_ASSERT_STRING_EQUAL(e.reason, "invalid_credentials");
      CU_ASSERT_PTR_NULL(by_account(&s, dealer, members[m], t->access_token, &e));
      CU_ASSERT_STRING_EQUAL(e.reason, "invalid_credentials");
    }
  CU_ASSERT_PTR_NULL(authenticate(&s, t->access_token, &e));
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1); /* nor was a fresh one got */
  authenticated *own = by_account(&s, "d03", "refresh_token", "refresh-token-03", &e);
  CU_ASSERT_PTR_NOT_NULL(own);
  drop(own);
  drop(t);
  drop(a);
  strike(&s);
}

static void an_account_token_opens_while_the_account_is_in_good_standing(void)
{
  static const struct {
    const char *answer, *reason;
  } table[] = {{"{\"error\":\"invalid_grant\"}", "needs_reconsent"},
               {"{\"error\":\"invalid_client\"}", "misconfigured"}};
  for (size_t i = 0; i < ARRAY_LEN(table); i++) {
    struct stage s = stage();
    struct err e;
    fake_set(s.fake, &(struct fake_answer){.status = 400, .body = table[i].answer});
    authenticated *before = by_account(&s, "a03", "refresh_token", "refresh-token-03", &e);
    CU_ASSERT_PTR_NOT_NULL_FATAL(before);
    CU_ASSERT_PTR_NULL(get_token(&s, &before->sealed, DIRECT, "d03", 5000, &e));
    CU_ASSERT_PTR_NULL(by_account(&s, "a03", "refresh_token", "refresh-token-03", &e));
    CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
    CU_ASSERT_STRING_EQUAL(e.reason, table[i].reason);
    CU_ASSERT_PTR_NULL(by_account(&s, "a03", "refresh_token", "another", &e));
    CU_ASSERT_STRING_EQUAL(e.reason, "invalid_credentials");
    authenticated *other = by_account(&s, "a04", "refresh_token", "refresh-token-04", &e);
    CU_ASSERT_PTR_NOT_NULL(other);
    drop(other);
    drop(before);
    strike(&s);
  }
}

static void bad_bearers_are_unauthenticated_with_a_reason(void)
{
  struct stage s = stage();
  struct err e;
  CU_ASSERT_PTR_NULL(authenticate(&s, "", &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "missing_credentials");
  CU_ASSERT_PTR_NULL(authenticate(&s, "junk", &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "invalid_credentials");
  strike(&s);
}

static void calls_without_a_good_grant_are_unauthenticated(void)
{
  struct stage s = stage();
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"admin\"");
  Analytics__Auth__V1__ListDealersRequest r = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  CU_ASSERT_PTR_NULL(call(&s, "ListDealers", &r.base, NULL, 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "missing_grant");
  a->sealed.data[a->sealed.len / 2] ^= 1;
  CU_ASSERT_PTR_NULL(call(&s, "ListDealers", &r.base, &a->sealed, 5000, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "bad_grant");
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, DIRECT, "d01", 5000, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "bad_grant");
  CU_ASSERT_EQUAL(fake_hits(s.fake), 0);
  drop(a);
  strike(&s);
}

static void dealers_are_listed_for_the_grant(void)
{
  struct stage s = stage();
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"group\",\"regions\":[\"West\"]");
  Analytics__Auth__V1__ListDealersRequest r = ANALYTICS__AUTH__V1__LIST_DEALERS_REQUEST__INIT;
  Analytics__Auth__V1__ListDealersResponse *l =
      call(&s, "ListDealers", &r.base, &a->sealed, 5000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(l);
  CU_ASSERT_EQUAL(l->n_dealers, 4);
  CU_ASSERT_EQUAL(l->n_regions, 1);
  drop(l);
  drop(a);
  strike(&s);
}

static cohort_response *resolve(struct stage *s, const ProtobufCBinaryData *grant, struct err *e)
{
  Analytics__Auth__V1__ResolveCohortRequest r = ANALYTICS__AUTH__V1__RESOLVE_COHORT_REQUEST__INIT;
  return call(s, "ResolveCohort", &r.base, grant, 5000, e);
}

static void a_benchmark_reaches_its_members_and_no_one_else(void)
{
  struct stage s = stage();
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"dealer\",\"dealers\":[\"d03\"]");
  cohort_response *c = resolve(&s, &a->sealed, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  CU_ASSERT_EQUAL_FATAL(c->n_members, 4);
  CU_ASSERT_EQUAL(c->subject_index, 0);
  const char *peer = c->members[2]->dealer_ref;
  token_response *t = get_token(&s, &c->sealed_benchmark, BENCHMARK, peer, 5000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(t);
  CU_ASSERT_STRING_EQUAL(t->dealer_ref, peer);
  CU_ASSERT_STRING_EQUAL(t->dealer_name, "");
  CU_ASSERT_EQUAL(t->n_property_ids, 1);
  CU_ASSERT_TRUE(t->opaque);
  char principal[64]; /* the same for each token of a caller */
  snprintf(principal, sizeof(principal), "%s", t->principal);
  CU_ASSERT_EQUAL(strlen(principal), 16);
  drop(t);
  const char *own = c->members[0]->dealer_ref;
  t = get_token(&s, &c->sealed_benchmark, BENCHMARK, own, 5000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(t);
  CU_ASSERT_FALSE(t->opaque); /* its own, for whatever purpose */
  CU_ASSERT_STRING_EQUAL(t->principal, principal);
  drop(t);
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, DIRECT, peer, 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_NOT_FOUND);
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, BENCHMARK, "d03", 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_PTR_NULL(get_token(&s, &c->sealed_benchmark, DIRECT, "d03", 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_PTR_NULL(get_token(&s, &c->sealed_benchmark, BENCHMARK, "d01", 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_NOT_FOUND);
  CU_ASSERT_PTR_NULL(resolve(&s, &c->sealed_benchmark, &e)); /* no way back in */
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  drop(c);
  drop(a);
  strike(&s);
}

static void a_failing_peer_stays_unnamed_and_an_own_dealer_is_named(void)
{
  struct stage s = stage();
  struct err e;
  fake_set(s.fake,
           &(struct fake_answer){.status = 400,
                                 .body = "{\"error\":\"invalid_grant\",\"error_description\":"
                                         "\"Account Umber Toyota has been deleted\"}"});
  authenticated *a = grant_for(&s, "\"role\":\"dealer\",\"dealers\":[\"d03\"]");
  cohort_response *c = resolve(&s, &a->sealed, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(c);
  CU_ASSERT_PTR_NULL(
      get_token(&s, &c->sealed_benchmark, BENCHMARK, c->members[2]->dealer_ref, 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "invalid_grant");
  CU_ASSERT_STRING_EQUAL(e.message, "a dealer of the comparison must re-consent");
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, DIRECT, "d03", 5000, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "invalid_grant");
  CU_ASSERT_EQUAL(
      strncmp(e.message, "dealer \"d03\" Jasper Honda No03: dealer must re-consent", 54), 0);
  drop(c);
  drop(a);
  strike(&s);
}

static void a_slow_endpoint_holds_no_caller_past_its_deadline(void)
{
  struct stage s = stage();
  struct err e;
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 60000});
  authenticated *a = grant_for(&s, "\"role\":\"admin\"");
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, DIRECT, "d01", 300, &e));
  CU_ASSERT_EQUAL(e.code, ERR_DEADLINE_EXCEEDED);
  /* The refresh goes on: the next caller has its token. */
  CU_ASSERT_TRUE(fake_wait_hits(s.fake, 1));
  fake_release(s.fake);
  token_response *t = get_token(&s, &a->sealed, DIRECT, "d01", 5000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(t);
  CU_ASSERT_EQUAL(fake_hits(s.fake), 1);
  drop(t);
  drop(a);
  strike(&s);
}

static void a_caller_that_left_frees_its_place_among_the_waiting(void)
{
  struct stage s = stage_as(&(struct staging){.dealers = 12, .waiters_max = 1});
  struct err e;
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 60000});
  authenticated *a = grant_for(&s, "\"role\":\"admin\"");
  int64_t began = clock_mono_ms();
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, DIRECT, "d01", 300, &e));
  CU_ASSERT_EQUAL(e.code, ERR_DEADLINE_EXCEEDED);
  CU_ASSERT_TRUE(fake_wait_hits(s.fake, 1)); /* the answer below is for the next question */
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600});
  token_response *t = NULL;
  /* The server learns of it a moment later, and well before it gives up on the answer. */
  while (t == NULL && clock_mono_ms() - began < 9000)
    t = get_token(&s, &a->sealed, DIRECT, "d02", 5000, &e);
  CU_ASSERT_PTR_NOT_NULL(t);
  drop(t);
  drop(a);
  strike(&s);
}

struct parallel {
  struct stage *s;
  const ProtobufCBinaryData *grant;
  int good;
};

static void *many_calls(void *arg)
{
  struct parallel *p = arg;
  static const char *const dealers[] = {"d01", "d02", "d03", "d04"};
  for (int i = 0; i < 40; i++) {
    struct err e;
    token_response *t = get_token(p->s, p->grant, DIRECT, dealers[i % 4], 5000, &e);
    p->good += t != NULL;
    drop(t);
  }
  return NULL;
}

static void many_callers_of_four_dealers_ask_the_endpoint_four_times(void)
{
  struct stage s = stage();
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 50});
  authenticated *a = grant_for(&s, "\"role\":\"admin\"");
  pthread_t threads[16];
  struct parallel p[16];
  for (int i = 0; i < 16; i++) {
    p[i] = (struct parallel){&s, &a->sealed, 0};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, many_calls, &p[i]), 0);
  }
  for (int i = 0; i < 16; i++) {
    pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(p[i].good, 40);
  }
  CU_ASSERT_EQUAL(fake_hits(s.fake), 4);
  drop(a);
  strike(&s);
}

static void a_rejected_token_must_be_a_digest(void)
{
  struct stage s = stage();
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"admin\"");
  token_request r = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  uint8_t digest[SHA256_SIZE];
  r.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
  r.dealer_ref = TEXT("d01");
  r.purpose = DIRECT;
  r.rejected_token_sha256 = (ProtobufCBinaryData){5, digest};
  memset(digest, 0, sizeof(digest));
  CU_ASSERT_PTR_NULL(call(&s, "GetAccessToken", &r.base, &a->sealed, 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
  drop(get_token(&s, &a->sealed, DIRECT, "d01", 5000, &e));
  sha256_of("token-1", 7, digest);
  r.rejected_token_sha256.len = sizeof(digest);
  token_response *t = call(&s, "GetAccessToken", &r.base, &a->sealed, 5000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(t);
  CU_ASSERT_STRING_EQUAL(t->access_token, "token-2");
  drop(t);
  drop(a);
  strike(&s);
}

/* What OwnProperties makes of `seen` for a dealer: the ids, "" after an error. */
static const char *own(struct stage *s, const ProtobufCBinaryData *grant, bool benchmark,
                       const char *dealer, const char *seen, struct err *e)
{
  static char ids[256];
  Analytics__Auth__V1__ReadableProperty property = ANALYTICS__AUTH__V1__READABLE_PROPERTY__INIT;
  Analytics__Auth__V1__OwnPropertiesRequest r = ANALYTICS__AUTH__V1__OWN_PROPERTIES_REQUEST__INIT;
  r.target_case = ANALYTICS__AUTH__V1__OWN_PROPERTIES_REQUEST__TARGET_DEALER_REF;
  r.dealer_ref = TEXT(dealer);
  r.purpose = benchmark ? BENCHMARK : DIRECT;
  property.property_id = TEXT(seen);
  r.n_properties = 1;
  r.properties = &(Analytics__Auth__V1__ReadableProperty *){&property};
  Analytics__Auth__V1__OwnPropertiesResponse *own =
      call(s, "OwnProperties", &r.base, grant, 5000, e);
  ids[0] = '\0';
  for (size_t i = 0; own != NULL && i < own->n_property_ids; i++)
    snprintf(ids + strlen(ids), sizeof(ids) - strlen(ids), "%s%s", i > 0 ? " " : "",
             own->property_ids[i]);
  drop(own);
  return ids;
}

static void a_caller_without_certificate_is_nobody_where_one_is_wanted(void)
{
  struct stage s = stage_as(&(struct staging){.dealers = 12, .check_identity = true});
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"dealer\",\"dealers\":[\"d03\"]");
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, DIRECT, "d03", 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_STRING_EQUAL(e.reason, "wrong_service");
  CU_ASSERT_PTR_NULL(resolve(&s, &a->sealed, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "wrong_service");
  CU_ASSERT_STRING_EQUAL(own(&s, &a->sealed, false, "d03", "5", &e), "");
  CU_ASSERT_STRING_EQUAL(e.reason, "wrong_service");
  drop(a);
  strike(&s);
}

static void whose_properties_they_are_is_said_within_the_grant_alone(void)
{
  struct stage s = stage();
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"dealer\",\"dealers\":[\"d03\"]");
  CU_ASSERT_STRING_EQUAL(own(&s, &a->sealed, false, "d03", "5", &e), "2000003"); /* configured */
  CU_ASSERT_STRING_EQUAL(own(&s, &a->sealed, false, "d04", "5", &e), "");
  CU_ASSERT_EQUAL(e.code, ERR_NOT_FOUND);
  CU_ASSERT_STRING_EQUAL(own(&s, &a->sealed, true, "d03", "5", &e), "");
  CU_ASSERT_EQUAL(e.code, ERR_PERMISSION_DENIED);
  CU_ASSERT_STRING_EQUAL(own(&s, &a->sealed, false, "d03", "5x", &e), "");
  CU_ASSERT_STRING_EQUAL(e.message, "properties[0].property_id: must be digits");
  CU_ASSERT_STRING_EQUAL(own(&s, NULL, false, "d03", "5", &e), "");
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  drop(a);
  strike(&s);
}

static bool end_lease(struct stage *s, const ProtobufCBinaryData *grant, struct err *e)
{
  static char dealer[] = "d03";
  Analytics__Auth__V1__EndLeaseRequest r = ANALYTICS__AUTH__V1__END_LEASE_REQUEST__INIT;
  r.target_case = ANALYTICS__AUTH__V1__END_LEASE_REQUEST__TARGET_DEALER_REF;
  r.dealer_ref = dealer;
  r.uses = 1;
  drop(call(s, "EndLease", &r.base, grant, 5000, e));
  return e->code == ERR_OK;
}

/* The lease that auth-svc allows when so much is wanted. */
static uint32_t lease_of(struct stage *s, const ProtobufCBinaryData *grant,
                         Analytics__Auth__V1__Purpose purpose, const char *ref, uint32_t wanted)
{
  struct err e;
  token_request r = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  r.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
  r.dealer_ref = TEXT(ref);
  r.purpose = purpose;
  r.lease_ms = wanted;
  token_response *t = call(s, "GetAccessToken", &r.base, grant, 5000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(t);
  uint32_t lease_ms = t->lease_ms;
  drop(t);
  return lease_ms;
}

/* A grant of d03 that ends in so many seconds. */
static ProtobufCBinaryData grant_until(struct stage *s, int64_t seconds)
{
  AUTO_BUF struct buf sealed = BUF_INIT(SEALED_MAX_BYTES);
  Analytics__Auth__V1__Grant g = ANALYTICS__AUTH__V1__GRANT__INIT;
  static char ann[] = "ann", d03[] = "d03", *dealers[] = {d03};
  g.subject = ann;
  g.role = ANALYTICS__AUTH__V1__ROLE__ROLE_DEALER;
  g.dealer_ids = dealers;
  g.n_dealer_ids = 1;
  g.expires_at = clock_unix_ms() / 1000 + seconds;
  CU_ASSERT_EQUAL_FATAL(seal_message(s->sealer, SEAL_GRANT, &g.base, &sealed, NULL), ERR_OK);
  uint8_t *data = xmalloc(sealed.len);
  memcpy(data, sealed.data, sealed.len);
  return (ProtobufCBinaryData){sealed.len, data};
}

static void a_lease_is_short_and_ends_with_the_grant(void)
{
  struct stage s = stage();
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"dealer\",\"dealers\":[\"d03\"]");
  CU_ASSERT_EQUAL(lease_of(&s, &a->sealed, DIRECT, "d03", 0), 0);
  CU_ASSERT_EQUAL(lease_of(&s, &a->sealed, DIRECT, "d03", 500), 500);
  CU_ASSERT_EQUAL(lease_of(&s, &a->sealed, DIRECT, "d03", UINT32_MAX), 2000);
  cohort_response *c = resolve(&s, &a->sealed, &e);
  CU_ASSERT_EQUAL(lease_of(&s, &c->sealed_benchmark, BENCHMARK, "d03", 2000), 0);
  ProtobufCBinaryData ends = grant_until(&s, 2), over = grant_until(&s, -30),
                      long_over = grant_until(&s, -90);
  uint32_t lease = lease_of(&s, &ends, DIRECT, "d03", 2000);
  CU_ASSERT(lease > 0 && lease <= 2000);
  /* What was used of a grant that is over counts for a minute; a new token it does not give. */
  CU_ASSERT(end_lease(&s, &over, &e));
  CU_ASSERT_PTR_NULL(get_token(&s, &over, DIRECT, "d03", 5000, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "expired_grant");
  CU_ASSERT_FALSE(end_lease(&s, &long_over, &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "expired_grant");
  free(ends.data);
  free(over.data);
  free(long_over.data);
  drop(c);
  drop(a);
  strike(&s);
}

static void each_service_may_call_its_own_rpc_by_its_certificate(void)
{
  char dir[] = "/tmp/auth-certs-XXXXXX";
  static const char *const names[] = {"auth-svc", "report-svc", "aggregate-svc", "gateway"};
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  cert_make(dir, names, ARRAY_LEN(names));
  for (size_t i = 1; i < ARRAY_LEN(names); i++) {
    struct stage s = stage_as(&(struct staging){12, dir, names[i], true, 0, NULL});
    struct err e;
    authenticated *a = grant_for(&s, "\"role\":\"dealer\",\"dealers\":[\"d03\"]");
    token_response *t = get_token(&s, &a->sealed, DIRECT, "d03", 5000, &e);
    CU_ASSERT_EQUAL(t != NULL, i == 1);
    cohort_response *c = resolve(&s, &a->sealed, &e);
    CU_ASSERT_EQUAL(c != NULL, i == 2);
    CU_ASSERT_EQUAL(end_lease(&s, &a->sealed, &e), i == 1);
    drop(t);
    drop(c);
    drop(a);
    strike(&s);
  }
  for (size_t i = 0; i <= ARRAY_LEN(names); i++) {
    const char *name = i < ARRAY_LEN(names) ? names[i] : "ca";
    AUTO_FREE char *pem = cert_path(dir, name, "pem"), *key = cert_path(dir, name, "key");
    unlink(pem);
    unlink(key);
  }
  rmdir(dir);
}

/* ------------------------------------------------------------- rights by certificate */

#define MAPPED                                                                                     \
  "{\"policies\":[{\"identity\":\"nightly-export\",\"subject\":\"export\",\"role\":\"group\","     \
  "\"regions\":[\"West\"]},{\"identity\":\"gateway\",\"subject\":\"oops\",\"role\":\"admin\"},"    \
  "{\"identity\":\"fired\",\"subject\":\"fired\",\"role\":\"admin\"}],"                            \
  "\"revoked\":[{\"subject\":\"fired\"}]}"

static authenticated *by_certificate(struct stage *s, const char *bearer, struct err *e)
{
  Analytics__Auth__V1__AuthenticateRequest r = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  r.bearer_token = TEXT(bearer);
  r.by_certificate = true;
  return call(s, "Authenticate", &r.base, NULL, 5000, e);
}

static const char *const consumers[] = {"auth-svc", "nightly-export", "gateway", "stranger",
                                        "fired"};

static char *consumer_certs(void)
{
  char dir[] = "/tmp/auth-certs-XXXXXX";
  CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(dir));
  cert_make(dir, consumers, ARRAY_LEN(consumers));
  return xstrdup(dir);
}

static struct stage stage_for(const char *certs, const char *client)
{
  return stage_as(
      &(struct staging){.dealers = 12, .certs = certs, .client = client, .policies = MAPPED});
}

static void remove_certs(char *dir)
{
  folder_remove(dir);
  free(dir);
}

static void a_consumer_gets_in_by_its_certificate(void)
{
  char *certs = consumer_certs();
  struct stage s = stage_for(certs, "nightly-export");
  struct err e;
  authenticated *a = by_certificate(&s, "", &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a);
  CU_ASSERT_STRING_EQUAL(a->grant->subject, "export");
  CU_ASSERT_EQUAL(a->grant->n_dealer_ids, 4);
  int64_t life = a->grant->expires_at - clock_unix_ms() / 1000;
  CU_ASSERT_TRUE(life > 590 && life <= 600);
  token_response *t = get_token(&s, &a->sealed, DIRECT, "d03", 5000, &e);
  CU_ASSERT_PTR_NOT_NULL(t);
  drop(t);
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, DIRECT, "d01", 5000, &e)); /* in the east */
  CU_ASSERT_EQUAL(e.code, ERR_NOT_FOUND);
  drop(a);
  CU_ASSERT_PTR_NULL(by_certificate(&s, "eyJ.bearer.too", &e));
  CU_ASSERT_EQUAL(e.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "not both"));
  strike(&s);
  remove_certs(certs);
}

/* The gateway passes bearers on; should its own certificate be mapped by mistake, a caller
 * without a bearer gets nothing of that. */
static void a_mapped_gateway_lends_its_rights_to_nobody(void)
{
  char *certs = consumer_certs();
  struct stage s = stage_for(certs, "gateway");
  struct err e;
  CU_ASSERT_PTR_NULL(authenticate(&s, "", &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "missing_credentials");
  CU_ASSERT_PTR_NULL(authenticate(&s, "junk", &e));
  CU_ASSERT_STRING_EQUAL(e.reason, "invalid_credentials");
  authenticated *a = grant_for(&s, "\"role\":\"dealer\",\"dealers\":[\"d03\"]");
  CU_ASSERT_STRING_EQUAL(a->grant->subject, "ann");
  CU_ASSERT_EQUAL(a->grant->n_dealer_ids, 1);
  drop(a);
  strike(&s);
  remove_certs(certs);
}

static void a_certificate_without_policy_or_revoked_gets_nothing(void)
{
  char *certs = consumer_certs();
  struct stage s = stage_for(certs, "stranger");
  struct err e;
  CU_ASSERT_PTR_NULL(by_certificate(&s, "", &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "no policy for the identity \"stranger\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "AUTH_POLICY_FILE"));
  strike(&s);
  s = stage_for(certs, "fired");
  CU_ASSERT_PTR_NULL(by_certificate(&s, "", &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(e.reason, "revoked");
  strike(&s);
  s = stage_for(NULL, NULL); /* plaintext: nobody has an identity */
  CU_ASSERT_PTR_NULL(by_certificate(&s, "", &e));
  CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "AUTH_POLICY_FILE"));
  strike(&s);
  remove_certs(certs);
}

/* A name that ends early for whoever reads it as text would pass for another; the next name
 * of the certificate does not stand in for it, either. */
static void a_certificate_name_of_odd_bytes_is_no_identity(void)
{
  static const struct {
    const char *name;
    size_t len;
  } odd[] = {
      {"nightly-export\0.evil.example", 28}, {"nightly-export\n", 15}, {"\0nightly-export", 15}};
  char *certs = consumer_certs();
  for (size_t i = 0; i < ARRAY_LEN(odd); i++) {
    cert_make_raw(certs, "nightly-export", odd[i].name, odd[i].len);
    struct stage s = stage_for(certs, "nightly-export");
    struct err e;
    CU_ASSERT_PTR_NULL(by_certificate(&s, "", &e));
    CU_ASSERT_EQUAL(e.code, ERR_UNAUTHENTICATED);
    CU_ASSERT_STRING_EQUAL(e.reason, "missing_credentials");
    strike(&s);
  }
  cert_make_raw(certs, "stranger", "nightly-export", 14); /* the same way, and good */
  struct stage s = stage_for(certs, "stranger");
  struct err e;
  drop(by_certificate(&s, "", &e));
  CU_ASSERT_EQUAL(e.code, ERR_OK);
  strike(&s);
  remove_certs(certs);
}

static void a_grant_of_1500_dealers_travels(void)
{
  struct stage s = stage_as(&(struct staging){.dealers = 1500});
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"group\",\"regions\":[\"West\",\"East\",\"North\"]");
  CU_ASSERT_EQUAL(a->grant->n_dealer_ids, 1500);
  token_response *t = get_token(&s, &a->sealed, DIRECT, "d1499", 5000, &e);
  CU_ASSERT_PTR_NOT_NULL(t);
  drop(t);
  drop(a);
  strike(&s);
}

static void a_new_configuration_is_used_by_the_next_call(void)
{
  struct stage s = stage();
  struct err e;
  authenticated *a = grant_for(&s, "\"role\":\"admin\"");
  token_response *t = get_token(&s, &a->sealed, DIRECT, "d12", 5000, &e);
  CU_ASSERT_PTR_NOT_NULL_FATAL(t);
  drop(t);
  struct snapshot *smaller = world_new(3, fake_url(s.fake));
  snapshot_trust(smaller, &(struct trust){s.sealer, s.keys, s.policies, NULL});
  snapshot_replace(s.config, smaller);
  CU_ASSERT_PTR_NULL(get_token(&s, &a->sealed, DIRECT, "d12", 5000, &e));
  CU_ASSERT_EQUAL(e.code, ERR_NOT_FOUND);
  drop(a);
  strike(&s);
}

/* A reload while a call waits for the credential that is replaced by it. */
struct reloading {
  struct stage *s;
  struct snapshot *next;
};

static struct credential *find_in_snapshot(void *user, const char *account_id)
{
  return snapshot_find_credential(user, account_id);
}

static void *reload_soon(void *arg)
{
  struct reloading *r = arg;
  struct tokens_changes changes;
  CU_ASSERT_TRUE(fake_wait_hits(r->s->fake, 1));
  fake_set(r->s->fake, &(struct fake_answer){.status = 200, .expires_in = 3600});
  snapshot_trust(r->next, &(struct trust){r->s->sealer, r->s->keys, r->s->policies, NULL});
  snapshot_stamp(r->next, 1);
  snapshot_replace(r->s->config, snapshot_ref(r->next));
  tokens_configure(r->s->tokens, 1, find_in_snapshot, r->next, &changes);
  snapshot_unref(r->next);
  return NULL;
}

static struct err call_during_reload(struct snapshot *next_of(struct stage *s))
{
  struct stage s = stage();
  struct err e = {0};
  pthread_t thread;
  authenticated *a = grant_for(&s, "\"role\":\"admin\"");
  fake_set(s.fake, &(struct fake_answer){.status = 200, .expires_in = 3600, .delay_ms = 60000});
  struct reloading r = {&s, next_of(&s)};
  CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, reload_soon, &r), 0);
  /* The answer that is under way does not come. */
  token_response *t = get_token(&s, &a->sealed, DIRECT, "d01", 9000, &e);
  CU_ASSERT_EQUAL(t != NULL, e.code == ERR_OK);
  pthread_join(thread, NULL);
  drop(t);
  drop(a);
  strike(&s);
  return e;
}

static struct snapshot *other_credential(struct stage *s)
{
  AUTO_FREE char *json =
      xasprintf("[{\"dealer_id\":\"d01\",\"account_id\":\"a01\",\"name\":\"N\",\"region\":\"W\","
                "\"properties\":[\"1\"],\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s\","
                "\"refresh_token\":\"a-new-one\",\"token_uri\":\"%s\"}}]",
                fake_url(s->fake));
  return world_parse(json);
}

static struct snapshot *without_d01(struct stage *s)
{
  AUTO_FREE char *json =
      xasprintf("[{\"dealer_id\":\"d77\",\"account_id\":\"a77\",\"name\":\"N\",\"region\":\"W\","
                "\"properties\":[\"1\"],\"oauth\":{\"client_id\":\"c\",\"client_secret\":\"s\","
                "\"refresh_token\":\"r\",\"token_uri\":\"%s\"}}]",
                fake_url(s->fake));
  return world_parse(json);
}

static void a_call_that_waits_gets_the_token_of_the_new_credential(void)
{
  CU_ASSERT_EQUAL(call_during_reload(other_credential).code, ERR_OK);
}

static void a_call_that_waits_for_a_removed_dealer_is_told_so(void)
{
  CU_ASSERT_EQUAL(call_during_reload(without_d01).code, ERR_NOT_FOUND);
}

static enum err_code check_resource(struct stage *s, const char *url, struct err *e)
{
  Analytics__Auth__V1__CheckResourceRequest r = ANALYTICS__AUTH__V1__CHECK_RESOURCE_REQUEST__INIT;
  r.resource = (char *)(uintptr_t)url;
  *e = (struct err){0};
  drop(call(s, "CheckResource", &r.base, NULL, 5000, e));
  return e->code;
}

/* A snapshot with these issuers and, or without, the key of AUTH_JWT_*. */
static void trust_issuers(struct stage *s, const char *audiences, bool own_key)
{
  static const struct issuers_options options = {.audience = "https://default.example"};
  AUTO_FREE char *text =
      xasprintf("{\"issuers\":[{\"issuer\":\"https://id.example\",\"name\":\"id\",%s\"rules\":["
                "{\"claim\":\"sub\",\"role\":\"admin\"}]}]}",
                audiences != NULL ? audiences : "");
  struct issuers *issuers = NULL;
  struct snapshot *next = world_new(3, fake_url(s->fake));
  struct err e = {0};
  if (audiences != NULL)
    CU_ASSERT_EQUAL_FATAL(issuers_parse(&issuers, "i.json", text, strlen(text), &options, &e),
                          ERR_OK);
  snapshot_trust(next, &(struct trust){s->sealer, own_key ? s->keys : NULL, s->policies, issuers});
  issuers_unref(issuers);
  snapshot_replace(s->config, next);
}

static void a_resource_url_that_no_issuer_takes_is_refused_with_the_remedy(void)
{
  struct stage s = stage();
  struct err e;
  CU_ASSERT_EQUAL(check_resource(&s, "analytics-mcp", &e), ERR_OK);
  CU_ASSERT_EQUAL(check_resource(&s, "https://mcp.example/mcp", &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(e.reason, "other_resource");
  CU_ASSERT_STRING_EQUAL(
      e.message, "auth-svc takes tokens made for \"analytics-mcp\", not for "
                 "\"https://mcp.example/mcp\": set ANALYTICS_MCP_RESOURCE_URL of gateway and "
                 "auth-svc to the same, and leave AUTH_JWT_AUDIENCE out");
  trust_issuers(&s, "", false); /* for the default */
  CU_ASSERT_EQUAL(check_resource(&s, "https://default.example", &e), ERR_OK);
  CU_ASSERT_EQUAL(check_resource(&s, "https://mcp.example/mcp", &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "made for \"https://default.example\", not for"));
  CU_ASSERT_EQUAL(check_resource(&s, "analytics-mcp", &e), ERR_FAILED_PRECONDITION);
  trust_issuers(&s, "\"audiences\":[\"client-id\"],", false); /* what the operator says */
  CU_ASSERT_EQUAL(check_resource(&s, "https://mcp.example/mcp", &e), ERR_OK);
  trust_issuers(&s, NULL, false);
  CU_ASSERT_EQUAL(check_resource(&s, "https://mcp.example/mcp", &e), ERR_FAILED_PRECONDITION);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "takes no signed tokens"));
  strike(&s);
}

TEST_MAIN("auth service", TEST(a_resource_url_that_no_issuer_takes_is_refused_with_the_remedy),
          TEST(a_bearer_leads_to_a_token_of_its_own_dealer),
          TEST(a_taken_over_report_svc_gets_in_nowhere_with_the_access_tokens_it_holds),
          TEST(an_account_token_opens_while_the_account_is_in_good_standing),
          TEST(bad_bearers_are_unauthenticated_with_a_reason),
          TEST(calls_without_a_good_grant_are_unauthenticated),
          TEST(dealers_are_listed_for_the_grant),
          TEST(a_benchmark_reaches_its_members_and_no_one_else),
          TEST(a_failing_peer_stays_unnamed_and_an_own_dealer_is_named),
          TEST(a_slow_endpoint_holds_no_caller_past_its_deadline),
          TEST(a_caller_that_left_frees_its_place_among_the_waiting),
          TEST(many_callers_of_four_dealers_ask_the_endpoint_four_times),
          TEST(a_rejected_token_must_be_a_digest),
          TEST(whose_properties_they_are_is_said_within_the_grant_alone),
          TEST(a_caller_without_certificate_is_nobody_where_one_is_wanted),
          TEST(a_lease_is_short_and_ends_with_the_grant),
          TEST(each_service_may_call_its_own_rpc_by_its_certificate),
          TEST(a_consumer_gets_in_by_its_certificate),
          TEST(a_mapped_gateway_lends_its_rights_to_nobody),
          TEST(a_certificate_name_of_odd_bytes_is_no_identity),
          TEST(a_certificate_without_policy_or_revoked_gets_nothing),
          TEST(a_grant_of_1500_dealers_travels), TEST(a_new_configuration_is_used_by_the_next_call),
          TEST(a_call_that_waits_gets_the_token_of_the_new_credential),
          TEST(a_call_that_waits_for_a_removed_dealer_is_told_so))
