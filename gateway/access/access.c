/* Bearer token -> grant: asks auth-svc, remembers for a minute. */
#include "gateway/access/access.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "gateway/access/cache.h"

enum { QUESTION_MAGIC = 0x41435145 };

struct access {
  struct access_options options;
  struct grant_cache *cache;
};

/* One question to auth-svc. */
struct question {
  unsigned magic;
  struct access *access;
  uint8_t key[CACHE_KEY_LEN];
  struct grant *grant;
  void (*done)(void *arg, enum access_outcome outcome, struct grant *grant);
  void *arg;
};

struct access *access_new(const struct access_options *options)
{
  struct access *a = xcalloc(1, sizeof(*a));
  a->options = *options;
  if (a->options.cache_ms == 0)
    a->options.cache_ms = 60000;
  if (a->options.timeout_ms == 0)
    a->options.timeout_ms = 5000;
  a->cache = grant_cache_new(options->cache_max > 0 ? options->cache_max : 10000);
  return a;
}

void access_free(struct access *a)
{
  if (a == NULL)
    return;
  grant_cache_free(a->cache);
  free(a);
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct question *q = user;
  MAGIC_CHECK(q, QUESTION_MAGIC);
  const Analytics__Auth__V1__AuthenticateResponse *r =
      (const Analytics__Auth__V1__AuthenticateResponse *)message;
  if (r->grant != NULL && q->grant == NULL)
    q->grant = grant_new(r);
  return true;
}

static enum access_outcome outcome_of(const struct question *q, const struct err *status)
{
  switch (status->code) {
  case ERR_OK:
    return q->grant != NULL ? ACCESS_GRANTED : ACCESS_UNAVAILABLE;
  case ERR_UNAUTHENTICATED:
    return strcmp(status->reason, "missing_credentials") == 0 ? ACCESS_MISSING : ACCESS_INVALID;
  case ERR_INVALID_ARGUMENT:
    return ACCESS_INVALID;
  case ERR_PERMISSION_DENIED:
    return ACCESS_FORBIDDEN;
  default:
    return ACCESS_UNAVAILABLE;
  }
}

/* Keeps the grant for a minute, or until it ends. False when it has ended already. */
static bool remember(struct question *q)
{
  int64_t life = q->access->options.cache_ms, expires_at = grant_expires_at(q->grant);
  if (expires_at > 0 && expires_at < INT64_MAX / 1000) {
    int64_t left = expires_at * 1000 - clock_unix_ms();
    if (left <= 0)
      return false;
    if (left < life)
      life = left;
  }
  grant_cache_put(q->access->cache, q->key, q->grant, clock_mono_ms() + life);
  return true;
}

static void on_done(void *user, const struct err *status)
{
  struct question *q = user;
  MAGIC_CHECK(q, QUESTION_MAGIC);
  enum access_outcome outcome = outcome_of(q, status);
  if (outcome == ACCESS_GRANTED && !remember(q))
    outcome = ACCESS_INVALID;
  if (outcome == ACCESS_UNAVAILABLE)
    log_warn("auth-svc did not decide", LOG_S("code", err_code_name(status->code)),
             LOG_S("detail", status->message));
  q->done(q->arg, outcome, outcome == ACCESS_GRANTED ? q->grant : NULL);
  grant_unref(q->grant);
  q->magic = 0;
  free(q);
}

static void ask(struct question *q, const char *bearer)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  Analytics__Auth__V1__AuthenticateRequest request =
      ANALYTICS__AUTH__V1__AUTHENTICATE_REQUEST__INIT;
  /* protobuf-c has no const; the request is packed, not changed. */
  memcpy(&request.bearer_token, &bearer, sizeof(bearer));
  struct rpc_client_options options = {.timeout_ms = q->access->options.timeout_ms};
  struct err e = {0};
  if (rpc_client_start(NULL, q->access->options.auth,
                       &analytics__auth__v1__auth_service__descriptor, "Authenticate", RPC_UNARY,
                       &request.base, &options, &callbacks, q, &e) != ERR_OK)
    on_done(q, &e);
}

void access_check(struct access *a, const char *bearer,
                  void (*done)(void *arg, enum access_outcome outcome, struct grant *grant),
                  void *arg)
{
  if (!a->options.enabled || bearer == NULL)
    bearer = "";
  if (a->options.enabled && bearer[0] == '\0') {
    done(arg, ACCESS_MISSING, NULL);
    return;
  }
  struct question *q = xcalloc(1, sizeof(*q));
  unsigned len = 0;
  EVP_Digest(bearer, strlen(bearer), q->key, &len, EVP_sha256(), NULL);
  struct grant *known = grant_cache_get(a->cache, q->key, clock_mono_ms());
  if (known != NULL) {
    free(q);
    done(arg, ACCESS_GRANTED, known);
    grant_unref(known);
    return;
  }
  q->magic = QUESTION_MAGIC;
  q->access = a;
  q->done = done;
  q->arg = arg;
  ask(q, bearer);
}
