/* Keys by URL: rotation, unknown keys, an endpoint that is down; and the memory of checked
 * signatures. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "auth-svc/identity/jwks.h"
#include "auth-svc/identity/verified.h"
#include "auth-svc/methods.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "tests/unit/auth/support/fake_endpoint.h"
#include "tests/unit/auth/support/jwt_maker.h"
#include "tests/unit/auth/support/world.h"
#include "tests/unit/harness.h"

/* As long as the product's: the clock is set forward instead of waiting. */
enum { RETRY_MS = JWKS_RETRY_MS };

/* The clock of the whole program (the linker puts it in the place of clock_mono_ms()). */
static _Atomic int64_t skipped_ms;
int64_t __real_clock_mono_ms(void);
int64_t __wrap_clock_mono_ms(void);

int64_t __wrap_clock_mono_ms(void)
{
  return __real_clock_mono_ms() + atomic_load(&skipped_ms);
}

/* While no call is under way: else it would be too late at once. */
static void skip_ms(int64_t ms)
{
  atomic_fetch_add(&skipped_ms, ms);
}

struct stage {
  struct fake_endpoint *issuer;
  struct fake_answer answer;
  char *body;
  struct snapshot_slot *config;
  struct sealer *sealer;
  struct http_client *http;
  struct tokens *tokens;
  struct jwks *jwks;
  struct service *service;
  struct rpc_server *server;
  struct rpc_channel *channel;
  struct jwt_keys *file; /* keys of a file; NULL for none */
  uint32_t min_age_ms;   /* 0 means a minute */
  uint32_t retry_ms;     /* 0 means RETRY_MS */
  bool revoked;          /* who is not accepted is so for that reason */
  bool keyless;          /* likewise: no key has come */
  bool discover;         /* the URL is found by the issuer's metadata */
  char origin[64];       /* that issuer */
};

/* Everything is answered the same, so that one document is metadata and keys. */
static void set_origin(struct stage *s)
{
  const char *url = fake_url(s->issuer);
  size_t n = strcspn(url + 7, "/") + 7; /* after "http://" */
  snprintf(s->origin, sizeof(s->origin), "%.*s", (int)n, url);
}

/* Publishes the keys; key 2 may be NULL. */
static void publish(struct stage *s, EVP_PKEY *key1, const char *kid1, EVP_PKEY *key2,
                    const char *kid2)
{
  AUTO_FREE char *jwk1 = maker_jwk(key1, kid1);
  AUTO_FREE char *jwk2 = key2 != NULL ? maker_jwk(key2, kid2) : xstrdup("");
  char *old = s->body;
  set_origin(s);
  s->body = xasprintf("{\"issuer\":\"%s\",\"jwks_uri\":\"%s\",\"keys\":[%s%s%s]}", s->origin,
                      fake_url(s->issuer), jwk1, key2 != NULL ? "," : "", jwk2);
  s->answer = (struct fake_answer){.status = 200, .body = s->body};
  fake_set(s->issuer, &s->answer);
  free(old);
}

static void stage_start(struct stage *s)
{
  const struct http_client_options http = {.user_agent = "test"};
  struct rpc_server_options server = {.listen = "127.0.0.1:0", .drain_ms = 1, .grace_ms = 1000};
  struct snapshot *world = world_new(12, NULL);
  rpc_init();
  sealer_new(&s->sealer, "KEY", NULL, "test", NULL);
  snapshot_trust(world, &(struct trust){.sealer = s->sealer, .jwt_keys = s->file});
  s->config = snapshot_slot_new(world);
  http_client_new(&s->http, &http, NULL);
  const struct tokens_options tokens = {.env = {.http = s->http}};
  s->tokens = tokens_new(&tokens);
  const struct jwks_options jwks = {.http = s->http,
                                    .url = s->discover ? NULL : fake_url(s->issuer),
                                    .issuer = s->origin,
                                    .min_age_ms = s->min_age_ms != 0 ? s->min_age_ms : 60000,
                                    .retry_ms = s->retry_ms != 0 ? s->retry_ms : RETRY_MS};
  CU_ASSERT_EQUAL_FATAL(jwks_new(&s->jwks, "URL", &jwks, NULL), ERR_OK);
  const struct service_options options = {
      .config = s->config,
      .tokens = s->tokens,
      .jwks = s->jwks,
      .bearer = {.enabled = true,
                 .account_tokens = true,
                 .jwt = {.issuer = "iss", .audience = "analytics-mcp"}}};
  s->service = service_new(&options);
  CU_ASSERT_EQUAL_FATAL(rpc_server_new(&s->server, &server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(methods_register(s->service, s->server, NULL), ERR_OK);
  CU_ASSERT_EQUAL_FATAL(rpc_server_start(s->server, NULL), ERR_OK);
  AUTO_FREE char *target = xasprintf("127.0.0.1:%u", rpc_server_port(s->server));
  const struct rpc_channel_options channel = {.target = target, .name = "auth-svc"};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&s->channel, &channel, NULL), ERR_OK);
}

static void stage_stop(struct stage *s)
{
  rpc_channel_free(s->channel);
  rpc_server_stop(s->server);
  http_client_free(s->http);
  tokens_free(s->tokens);
  jwks_free(s->jwks);
  service_free(s->service);
  snapshot_slot_free(s->config);
  sealer_unref(s->sealer);
  jwt_keys_unref(s->file);
  fake_stop(s->issuer);
  free(s->body);
  rpc_shutdown();
}

/* kid NULL: the token names no key. */
static bool accepted(struct stage *s, EVP_PKEY *key, const char *alg, const char *kid)
{
  const char *reason = s->revoked   ? "revoked"
                       : s->keyless ? "keys_unavailable"
                                    : "invalid_credentials";
  AUTO_FREE char *header = kid != NULL ? xasprintf("{\"alg\":\"%s\",\"kid\":\"%s\"}", alg, kid)
                                       : xasprintf("{\"alg\":\"%s\"}", alg);
  AUTO_FREE char *payload = xasprintf("{\"iss\":\"iss\",\"aud\":\"analytics-mcp\",\"exp\":%lld,"
                                      "\"sub\":\"ann\",\"role\":\"admin\"}",
                                      (long long)clock_unix_ms() / 1000 + 3600);
  AUTO_FREE char *token = maker_token(header, payload, key, NULL);
  Analytics__Auth__V1__AuthenticateRequest r = ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  const struct rpc_client_options options = {.timeout_ms = 5000};
  ProtobufCMessage *response = NULL;
  struct err e = {0};
  r.bearer_token = token;
  rpc_client_call_sync(&response, s->channel, &analytics__auth__v1__auth_service__descriptor,
                       "Authenticate", &r.base, &options, &e);
  if (response == NULL) {
    CU_ASSERT_EQUAL(e.code, s->keyless ? ERR_UNAVAILABLE : ERR_UNAUTHENTICATED);
    CU_ASSERT_STRING_EQUAL(e.reason, reason);
    return false;
  }
  protobuf_c_message_free_unpacked(response, NULL);
  return true;
}

static void a_rotated_key_is_fetched_for_the_first_token_that_names_it(void)
{
  struct stage s = {.issuer = fake_start()};
  EVP_PKEY *rsa = maker_key(JWT_RS256), *ec = maker_key(JWT_ES256), *ed = maker_key(JWT_EDDSA);
  publish(&s, rsa, "k1", NULL, NULL);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, rsa, "RS256", "k1")); /* waits for the first fetch, if it must */
  publish(&s, ec, "k2", ed, "k3");
  skip_ms(RETRY_MS + 100);
  CU_ASSERT_TRUE(accepted(&s, rsa, "RS256", "k1")); /* nobody has asked yet */
  CU_ASSERT_TRUE(accepted(&s, ec, "ES256", "k2"));
  CU_ASSERT_TRUE(accepted(&s, ed, "EdDSA", "k3"));
  CU_ASSERT_FALSE(accepted(&s, rsa, "RS256", "k1")); /* gone, and with it what was remembered */
  CU_ASSERT_FALSE(accepted(&s, rsa, "RS256", "k2"));
  CU_ASSERT_FALSE(accepted(&s, ed, "EdDSA", "k2"));
  CU_ASSERT_EQUAL(fake_hits(s.issuer), 2);
  stage_stop(&s);
  EVP_PKEY_free(rsa);
  EVP_PKEY_free(ec);
  EVP_PKEY_free(ed);
}

static double fetched_at(void)
{
  AUTO_BUF struct buf page = BUF_INIT(1 << 20);
  static const char name[] = "\nauth_jwks_fetched_timestamp_seconds{issuer=\"AUTH_JWT_JWKS_URL\"} ";
  CU_ASSERT_TRUE(metrics_render(&page));
  const char *found = strstr(buf_str(&page), name);
  return found != NULL ? strtod(found + sizeof(name) - 1, NULL) : -1;
}

static void the_time_of_the_last_good_fetch_is_a_metric(void)
{
  struct stage s = {.issuer = fake_start(), .keyless = true};
  EVP_PKEY *key = maker_key(JWT_ES256);
  s.answer = (struct fake_answer){.status = 503, .body = "{}"};
  fake_set(s.issuer, &s.answer);
  stage_start(&s);
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k1"));
  CU_ASSERT_EQUAL(fetched_at(), 0); /* so that an alert on its age counts from the start */
  publish(&s, key, "k1", NULL, NULL);
  skip_ms(RETRY_MS + 100);
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1"));
  CU_ASSERT_DOUBLE_EQUAL(fetched_at(), (double)clock_unix_ms() / 1000, 10);
  stage_stop(&s);
  EVP_PKEY_free(key);
}

static void unknown_keys_ask_the_issuer_once_in_a_while_only(void)
{
  struct stage s = {.issuer = fake_start()};
  EVP_PKEY *key = maker_key(JWT_ES256);
  publish(&s, key, "k1", NULL, NULL);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1"));
  skip_ms(RETRY_MS + 100);
  int64_t start = clock_mono_ms();
  for (int i = 0; i < 20; i++) {
    char kid[16];
    snprintf(kid, sizeof(kid), "no%d", i);
    CU_ASSERT_FALSE(accepted(&s, key, "ES256", kid));
  }
  CU_ASSERT_TRUE(fake_hits(s.issuer) <= 2 + (int)((clock_mono_ms() - start) / RETRY_MS));
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1"));
  stage_stop(&s);
  EVP_PKEY_free(key);
}

static void a_new_key_works_at_once_right_after_a_fetch_that_was_due(void)
{
  struct stage s = {.issuer = fake_start()};
  EVP_PKEY *rsa = maker_key(JWT_RS256), *ec = maker_key(JWT_ES256), *ed = maker_key(JWT_EDDSA);
  publish(&s, rsa, "k1", NULL, NULL);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, rsa, "RS256", "k1"));
  publish(&s, ec, "k2", NULL, NULL);
  int64_t began = clock_mono_ms();
  CU_ASSERT_TRUE(accepted(&s, ec, "ES256", "k2"));
  CU_ASSERT_EQUAL(fake_hits(s.issuer), 2);
  publish(&s, ed, "k3", NULL, NULL);
  bool early = accepted(&s, ed, "EdDSA", "k3"); /* the next one waits its turn */
  CU_ASSERT_TRUE(!early || clock_mono_ms() - began >= RETRY_MS);
  skip_ms(RETRY_MS + 100);
  CU_ASSERT_TRUE(accepted(&s, ed, "EdDSA", "k3"));
  CU_ASSERT_EQUAL(fake_hits(s.issuer), 3);
  stage_stop(&s);
  EVP_PKEY_free(rsa);
  EVP_PKEY_free(ec);
  EVP_PKEY_free(ed);
}

static void a_key_without_id_does_not_hide_that_a_new_one_is_published(void)
{
  struct stage s = {.issuer = fake_start(), .file = jwt_keys_new()};
  EVP_PKEY *own = maker_key(JWT_ES256), *published = maker_key(JWT_ES256);
  EVP_PKEY *other = maker_key(JWT_ES256);
  AUTO_FREE char *pem = maker_public_pem(own);
  CU_ASSERT_EQUAL(jwt_keys_add_pem(s.file, "file", pem, strlen(pem), NULL), ERR_OK);
  publish(&s, published, "k1", NULL, NULL);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, own, "ES256", "any"));
  CU_ASSERT_TRUE(accepted(&s, published, "ES256", "k1"));
  publish(&s, other, "k2", NULL, NULL);
  CU_ASSERT_FALSE(accepted(&s, other, "ES256", "k1")); /* that one is known */
  CU_ASSERT_EQUAL(fake_hits(s.issuer), 1);
  CU_ASSERT_TRUE(accepted(&s, other, "ES256", "k2"));
  CU_ASSERT_EQUAL(fake_hits(s.issuer), 2);
  stage_stop(&s);
  EVP_PKEY_free(own);
  EVP_PKEY_free(published);
  EVP_PKEY_free(other);
}

/* Lets the issuer answer while somebody waits for it, or a little before. */
static void *answer_soon(void *arg)
{
  struct stage *s = arg;
  CU_ASSERT_TRUE(fake_wait_hits(s->issuer, 1));
  usleep(50000);
  fake_release(s->issuer);
  return NULL;
}

static void a_token_without_key_id_waits_for_the_first_fetch(void)
{
  struct stage s = {.issuer = fake_start(), .file = jwt_keys_new()};
  EVP_PKEY *own = maker_key(JWT_ES256), *published = maker_key(JWT_ES256);
  EVP_PKEY *stranger = maker_key(JWT_ES256);
  AUTO_FREE char *pem = maker_public_pem(own);
  CU_ASSERT_EQUAL(jwt_keys_add_pem(s.file, "file", pem, strlen(pem), NULL), ERR_OK);
  publish(&s, published, "k1", NULL, NULL);
  s.answer.delay_ms = 60000;
  fake_set(s.issuer, &s.answer);
  stage_start(&s);
  pthread_t issuer;
  CU_ASSERT_TRUE(accepted(&s, own, "ES256", NULL)); /* that key is here; no answer is yet */
  CU_ASSERT_EQUAL_FATAL(pthread_create(&issuer, NULL, answer_soon, &s), 0);
  CU_ASSERT_TRUE(accepted(&s, published, "ES256", NULL));
  pthread_join(issuer, NULL);
  CU_ASSERT_FALSE(accepted(&s, stranger, "ES256", NULL));
  CU_ASSERT_FALSE(accepted(&s, published, "HS256", "k9")); /* no set can hold such a key */
  CU_ASSERT_EQUAL(fake_hits(s.issuer), 1);
  stage_stop(&s);
  EVP_PKEY_free(own);
  EVP_PKEY_free(published);
  EVP_PKEY_free(stranger);
}

/* Puts a policy in place that revokes everything of ann's, in the middle of a wait. */
static void *revoke_ann(void *arg)
{
  static const char json[] = "{\"revoked\":[{\"subject\":\"ann\"}]}";
  struct stage *s = arg;
  struct policies *policies = NULL;
  CU_ASSERT_TRUE(fake_wait_hits(s->issuer, 1));
  CU_ASSERT_EQUAL(policies_parse(&policies, "p", json, strlen(json), NULL), ERR_OK);
  struct snapshot *next = world_new(12, NULL);
  snapshot_trust(next, &(struct trust){.sealer = s->sealer, .policies = policies});
  snapshot_replace(s->config, next);
  policies_unref(policies);
  fake_release(s->issuer);
  return NULL;
}

static void a_caller_revoked_while_it_waits_for_keys_gets_no_grant(void)
{
  struct stage s = {.issuer = fake_start(), .revoked = true};
  EVP_PKEY *key = maker_key(JWT_ES256);
  pthread_t revoker;
  publish(&s, key, "k1", NULL, NULL);
  s.answer.delay_ms = 60000;
  fake_set(s.issuer, &s.answer);
  stage_start(&s);
  CU_ASSERT_EQUAL_FATAL(pthread_create(&revoker, NULL, revoke_ann, &s), 0);
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k1"));
  pthread_join(revoker, NULL);
  stage_stop(&s);
  EVP_PKEY_free(key);
}

/* It may be good: who sent it should not sign in again, but try again. */
static void a_token_cannot_be_checked_while_no_key_has_come(void)
{
  struct stage s = {.issuer = fake_start(), .keyless = true};
  EVP_PKEY *key = maker_key(JWT_ES256);
  fake_set(s.issuer, &(struct fake_answer){.status = 503, .body = "{}"});
  stage_start(&s);
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", NULL));
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k1"));
  s.keyless = false;
  CU_ASSERT_FALSE(accepted(&s, key, "HS256", "k1")); /* no set can hold such a key */
  publish(&s, key, "k1", NULL, NULL);
  skip_ms(RETRY_MS + 300);
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", NULL));
  stage_stop(&s);
  EVP_PKEY_free(key);
}

static void fn_of_a_waiter(void *arg)
{
  atomic_fetch_add((atomic_int *)arg, 1);
}

/* It may be signed with the key that all of them wait for. */
static void a_token_is_not_refused_for_good_while_too_many_wait_for_keys(void)
{
  struct stage s = {.issuer = fake_start()};
  EVP_PKEY *key = maker_key(JWT_ES256);
  atomic_int woken = 0;
  publish(&s, key, "k1", NULL, NULL);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1"));
  s.answer.delay_ms = 60000;
  fake_set(s.issuer, &s.answer);
  const struct jwks_set set = jwks_acquire(s.jwks);
  for (int i = 0; i < JWKS_WAITERS_MAX; i++)
    CU_ASSERT_EQUAL(jwks_wait(s.jwks, set.generation, fn_of_a_waiter, &woken), JWKS_WAITS);
  CU_ASSERT_EQUAL(jwks_wait(s.jwks, set.generation, fn_of_a_waiter, &woken), JWKS_FULL);
  jwt_keys_unref(set.keys);
  s.keyless = true; /* UNAVAILABLE, not UNAUTHENTICATED */
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k9"));
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1")); /* a known key waits for nobody */
  CU_ASSERT_TRUE(fake_wait_hits(s.issuer, 2));
  fake_release(s.issuer);
  for (int i = 0; i < 2000 && atomic_load(&woken) < JWKS_WAITERS_MAX; i++)
    usleep(5000); /* the answer is on its way */
  CU_ASSERT_EQUAL(atomic_load(&woken), JWKS_WAITERS_MAX);
  s.keyless = false;
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k9"));
  stage_stop(&s);
  EVP_PKEY_free(key);
}

static void a_set_of_too_many_keys_is_no_outage(void)
{
  struct stage s = {.issuer = fake_start()};
  EVP_PKEY *key = maker_key(JWT_ES256);
  AUTO_BUF struct buf set = BUF_INIT(1 << 20);
  for (int i = 0; i < 2 * JWT_KEYS_MAX; i++) {
    AUTO_FREE char *kid = xasprintf("k%d", i);
    AUTO_FREE char *jwk = maker_jwk(key, kid);
    buf_printf(&set, "%s%s", i > 0 ? "," : "{\"keys\":[", jwk);
  }
  buf_puts(&set, "]}");
  s.answer = (struct fake_answer){.status = 200, .body = buf_str(&set)};
  fake_set(s.issuer, &s.answer);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k0"));
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k15"));
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k16"));
  stage_stop(&s);
  EVP_PKEY_free(key);
}

/* The issuer may shorten the time its keys are good for, and what it said last counts. */
static void keys_age_as_the_last_answer_says(void)
{
  struct stage s = {.issuer = fake_start(), .min_age_ms = 300, .retry_ms = 400};
  EVP_PKEY *rsa = maker_key(JWT_RS256), *ec = maker_key(JWT_ES256);
  publish(&s, rsa, "k1", NULL, NULL);
  s.answer.headers = "Cache-Control: max-age=86400\r\n";
  fake_set(s.issuer, &s.answer);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, rsa, "RS256", "k1"));
  publish(&s, rsa, "k1", ec, "k2");
  s.answer.headers = "Cache-Control: no-cache\r\n";
  fake_set(s.issuer, &s.answer);
  CU_ASSERT_TRUE(accepted(&s, ec, "ES256", "k2"));
  CU_ASSERT_EQUAL(fake_hits(s.issuer), 2);
  publish(&s, ec, "k2", NULL, NULL); /* k1 is withdrawn */
  for (int i = 0; i < 2000 && fake_hits(s.issuer) < 3; i++)
    usleep(5000); /* the timer is the HTTP client's */
  CU_ASSERT_TRUE_FATAL(fake_hits(s.issuer) >= 3);
  for (int i = 0; i < 2000 && accepted(&s, rsa, "RS256", "k1"); i++)
    usleep(5000); /* the answer is on its way */
  CU_ASSERT_FALSE(accepted(&s, rsa, "RS256", "k1"));
  CU_ASSERT_TRUE(accepted(&s, ec, "ES256", "k2"));
  stage_stop(&s);
  EVP_PKEY_free(rsa);
  EVP_PKEY_free(ec);
}

static void keys_stay_while_the_endpoint_is_down_or_talks_nonsense(void)
{
  static const struct fake_answer bad[] = {
      {.status = 503, .body = "{}"},
      {.cut_off = true},
      {.status = 200, .body = "<html>"},
      {.status = 200, .body = "{\"keys\":[]}"},
      {.status = 200, .body = "{}", .padding = (size_t)2 * JWKS_MAX_BYTES},
  };
  struct stage s = {.issuer = fake_start()};
  EVP_PKEY *key = maker_key(JWT_ES256);
  publish(&s, key, "k1", NULL, NULL);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1"));
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    int hits = fake_hits(s.issuer);
    fake_set(s.issuer, &bad[i]);
    skip_ms(RETRY_MS + 100);
    CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k9"));
    CU_ASSERT_TRUE(fake_hits(s.issuer) > hits);
    CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1"));
  }
  stage_stop(&s);
  EVP_PKEY_free(key);
}

static void an_url_that_can_be_tampered_with_is_refused(void)
{
  const struct jwks_options http = {.url = "http://issuer.example/keys"};
  struct jwks *j = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(jwks_new(&j, "AUTH_JWT_JWKS_URL", &http, &e), ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(e.message, "AUTH_JWT_JWKS_URL: must be an https URL (http only to a "
                                    "loopback address)");
}

static void cache_control_is_read(void)
{
  CU_ASSERT_EQUAL(jwks_max_age_ms("public, max-age=600, must-revalidate", 7), 600000);
  CU_ASSERT_EQUAL(jwks_max_age_ms("Max-Age=1", 7), 1000);
  CU_ASSERT_EQUAL(jwks_max_age_ms("max-age=99999999999999999999", 7), JWKS_MAX_AGE_MS);
  CU_ASSERT_EQUAL(jwks_max_age_ms("max-age=-5", 7), 7);
  CU_ASSERT_EQUAL(jwks_max_age_ms("no-store, max-age=600", 7), 0);
  CU_ASSERT_EQUAL(jwks_max_age_ms("", 7), 7);
}

/* ------------------------------------------------------------------------- verified */

#define KEYS(n) ((struct key_generation){.configured = 1, .fetched = (n)})

static void digest_of(int i, uint8_t out[SHA256_SIZE])
{
  sha256_of(&i, sizeof(i), out);
}

static void a_checked_token_is_remembered_until_its_end_or_other_keys(void)
{
  struct verified *v = verified_new(64);
  uint8_t a[SHA256_SIZE], b[SHA256_SIZE];
  digest_of(1, a);
  digest_of(2, b);
  verified_add(v, a, KEYS(1), 1000);
  CU_ASSERT_TRUE(verified_has(v, a, KEYS(1), 999));
  CU_ASSERT_FALSE(verified_has(v, b, KEYS(1), 999));
  CU_ASSERT_FALSE(verified_has(v, a, KEYS(1), 1000)); /* over */
  verified_add(v, a, KEYS(1), 1000);
  CU_ASSERT_FALSE(verified_has(v, a, KEYS(2), 999)); /* other keys */
  CU_ASSERT_FALSE(verified_has(v, a, KEYS(1), 999)); /* and forgotten */
  verified_add(v, a, KEYS(1), 1000);
  const struct key_generation reloaded = {.configured = 2, .fetched = 1};
  CU_ASSERT_FALSE(verified_has(v, a, reloaded, 999));
  verified_free(v);
}

static void the_least_recently_used_token_goes_first(void)
{
  struct verified *v = verified_new(8); /* one set */
  uint8_t d[SHA256_SIZE];
  for (int i = 0; i < 8; i++) {
    digest_of(i, d);
    verified_add(v, d, KEYS(1), 1000);
  }
  digest_of(0, d);
  CU_ASSERT_TRUE(verified_has(v, d, KEYS(1), 1));
  digest_of(8, d);
  verified_add(v, d, KEYS(1), 1000);
  for (int i = 0; i <= 8; i++) {
    digest_of(i, d);
    CU_ASSERT_EQUAL(verified_has(v, d, KEYS(1), 1), i != 1);
  }
  verified_free(v);
}

/* ------------------------------------------------------------------------ discovery */

static bool describes(struct stage *s, const char *text)
{
  AUTO_BUF struct buf line = BUF_INIT(1024);
  jwks_describe(s->jwks, &line);
  bool found = strstr(buf_str(&line), text) != NULL;
  if (!found)
    printf("\n  want %s\n  got  %s\n", text, buf_str(&line));
  return found;
}

static void keys_are_found_by_the_issuers_metadata(void)
{
  struct stage s = {.issuer = fake_start(), .discover = true};
  EVP_PKEY *key = maker_key(JWT_ES256), *next = maker_key(JWT_ES256);
  publish(&s, key, "k1", NULL, NULL);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1"));
  CU_ASSERT_EQUAL(fake_hits(s.issuer), 2); /* metadata, keys */
  CU_ASSERT_TRUE(describes(&s, "ok issuer AUTH_JWT_JWKS_URL: 1 keys, fetched "));
  publish(&s, next, "k2", NULL, NULL);
  CU_ASSERT_TRUE(accepted(&s, next, "ES256", "k2"));
  CU_ASSERT_EQUAL(fake_hits(s.issuer), 3); /* the address is known for a day */
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k1"));
  stage_stop(&s);
  EVP_PKEY_free(key);
  EVP_PKEY_free(next);
}

static void an_issuer_that_comes_up_later_is_asked_anew(void)
{
  struct stage s = {.issuer = fake_start(), .discover = true, .keyless = true};
  EVP_PKEY *key = maker_key(JWT_ES256);
  set_origin(&s);
  s.answer = (struct fake_answer){.status = 404, .body = "{}"};
  fake_set(s.issuer, &s.answer);
  stage_start(&s);
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k1"));
  CU_ASSERT_TRUE(fake_hits(s.issuer) >= 2); /* by OpenID Connect, then by RFC 8414 */
  CU_ASSERT_TRUE(describes(&s, "no keys yet"));
  CU_ASSERT_TRUE(describes(&s, "metadata: answered with status 404"));
  publish(&s, key, "k1", NULL, NULL);
  skip_ms(RETRY_MS + 100);
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1"));
  CU_ASSERT_TRUE(describes(&s, "ok issuer"));
  stage_stop(&s);
  EVP_PKEY_free(key);
}

static void metadata_of_another_issuer_gives_no_keys(void)
{
  struct stage s = {.issuer = fake_start(), .discover = true, .keyless = true};
  EVP_PKEY *key = maker_key(JWT_ES256);
  publish(&s, key, "k1", NULL, NULL);
  snprintf(s.origin, sizeof(s.origin), "http://127.0.0.1:%s", strrchr(s.origin, ':') + 1);
  strncat(s.origin, "/other", sizeof(s.origin) - strlen(s.origin) - 1);
  stage_start(&s);
  CU_ASSERT_FALSE(accepted(&s, key, "ES256", "k1"));
  CU_ASSERT_TRUE(describes(&s, "metadata: the issuer's metadata names another issuer"));
  stage_stop(&s);
  EVP_PKEY_free(key);
}

static void an_issuer_that_is_dropped_is_no_longer_fetched_until_it_is_back(void)
{
  struct stage s = {.issuer = fake_start(), .discover = true, .retry_ms = 20};
  EVP_PKEY *key = maker_key(JWT_ES256);
  publish(&s, key, "k1", NULL, NULL);
  stage_start(&s);
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1"));
  int hits = fake_hits(s.issuer);
  jwks_keep(s.jwks, false);
  skip_ms(JWKS_MAX_AGE_MS + RETRY_MS);
  usleep(100000); /* five times as long as the timer, which looks and sets itself no more */
  CU_ASSERT_TRUE(accepted(&s, key, "ES256", "k1")); /* those held stay */
  CU_ASSERT_EQUAL(fake_hits(s.issuer), hits);
  jwks_keep(s.jwks, true);
  CU_ASSERT_TRUE(fake_wait_hits(s.issuer, hits + 2)); /* a day later the metadata is read again */
  CU_ASSERT_EQUAL(fake_hits(s.issuer), hits + 2);
  stage_stop(&s);
  EVP_PKEY_free(key);
}

TEST_MAIN("auth jwks", TEST(keys_are_found_by_the_issuers_metadata),
          TEST(an_issuer_that_comes_up_later_is_asked_anew),
          TEST(metadata_of_another_issuer_gives_no_keys),
          TEST(an_issuer_that_is_dropped_is_no_longer_fetched_until_it_is_back),
          TEST(the_time_of_the_last_good_fetch_is_a_metric),
          TEST(a_rotated_key_is_fetched_for_the_first_token_that_names_it),
          TEST(unknown_keys_ask_the_issuer_once_in_a_while_only),
          TEST(a_new_key_works_at_once_right_after_a_fetch_that_was_due),
          TEST(a_key_without_id_does_not_hide_that_a_new_one_is_published),
          TEST(a_token_without_key_id_waits_for_the_first_fetch),
          TEST(a_token_cannot_be_checked_while_no_key_has_come),
          TEST(a_token_is_not_refused_for_good_while_too_many_wait_for_keys),
          TEST(a_set_of_too_many_keys_is_no_outage), TEST(keys_age_as_the_last_answer_says),
          TEST(a_caller_revoked_while_it_waits_for_keys_gets_no_grant),
          TEST(keys_stay_while_the_endpoint_is_down_or_talks_nonsense),
          TEST(an_url_that_can_be_tampered_with_is_refused), TEST(cache_control_is_read),
          TEST(a_checked_token_is_remembered_until_its_end_or_other_keys),
          TEST(the_least_recently_used_token_goes_first))
