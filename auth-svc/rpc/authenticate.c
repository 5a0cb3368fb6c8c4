/* Authenticate: a bearer token or the caller's certificate in, a sealed grant out. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/identity/policies.h"
#include "auth-svc/rpc/internal.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/base/random.h"

enum { KEY_WAIT_MAGIC = 0x4e7a17ed };

typedef Analytics__Auth__V1__AuthenticateRequest authenticate_request;

/* A call whose token wants a key we do not have, while the keys are fetched. Lives in
 * the call's arena. */
struct key_wait {
  uint32_t magic;
  struct service *service;
  struct rpc_call *call;
  const authenticate_request *request;
};

/* One try at a call, with one state of the configuration. */
struct attempt {
  struct service *service;
  struct rpc_call *call;
  const authenticate_request *request;
  const struct snapshot *config;
  Analytics__Auth__V1__Grant *grant;
  enum bearer_form form;
  struct jwks *jwks;  /* of the token's issuer; NULL for none */
  uint64_t fetched;   /* generation of the keys by URL it was checked with */
  bool no_keys_yet;   /* none have come from there since the start */
  bool too_many_wait; /* for a fetch, so that this one could not */
  struct err error;
};

static void on_keys(void *arg);

/* Whether an account token offers its account's refresh token as proof. */
static bool holds(void *user, const struct dealer *dealer, const uint8_t digest[SHA256_SIZE])
{
  const struct attempt *a = user;
  const struct token_key key = snapshot_token_key(a->config, dealer->account_id);
  return tokens_holds(a->service->options.tokens, key.account_id, key.credential, digest);
}

static const char *bad_standing(void *user, const struct dealer *dealer)
{
  const struct attempt *a = user;
  const struct token_key key = snapshot_token_key(a->config, dealer->account_id);
  return tokens_bad_standing(a->service->options.tokens, key.account_id, key.credential);
}

/* Checks the bearer with the keys of one moment. */
static void check_bearer(struct attempt *a)
{
  const struct service_options *o = &a->service->options;
  struct bearer_policy policy = o->bearer;
  bearer_policy_choose(&policy, a->config->trust.issuers, a->config->trust.jwt_keys,
                       a->request->bearer_token);
  a->jwks = policy.issuer == NULL ? o->jwks
            : o->sources != NULL  ? key_sources_find(o->sources, policy.issuer)
                                  : NULL;
  const struct jwks_set set = a->jwks != NULL ? jwks_acquire(a->jwks) : (struct jwks_set){0};
  a->fetched = set.generation;
  a->no_keys_yet = set.keys != NULL && set.keys->n == 0;
  policy.holds = holds;
  policy.bad_standing = bad_standing;
  policy.user = a;
  policy.jwt.fetched = set.keys;
  policy.jwt.verified = a->service->verified;
  policy.jwt.generation = (struct key_generation){a->config->number, a->fetched};
  bearer_grant(&a->grant, &a->form, &policy, a->config->directory, a->request->bearer_token,
               service_now_s(), rpc_call_arena(a->call), &a->error);
  jwt_keys_unref(set.keys);
}

static void check_certificate(struct attempt *a)
{
  const char *identity = rpc_call_peer(a->call).identity;
  a->form = BEARER_CERTIFICATE;
  if (a->request->bearer_token[0] != '\0')
    err_set(&a->error, ERR_INVALID_ARGUMENT, "two_credentials",
            "by_certificate: give bearer_token or by_certificate, not both");
  else
    certificate_grant(&a->grant, a->config->trust.policies, identity != NULL ? identity : "",
                      a->config->directory, service_now_s(), rpc_call_arena(a->call), &a->error);
}

static void check(struct attempt *a)
{
  a->grant = NULL;
  a->error = (struct err){0};
  if (a->request->by_certificate)
    check_certificate(a);
  else
    check_bearer(a);
  if (a->error.code == ERR_OK) /* after the proof, so that nobody else learns of it */
    policies_check_revoked(a->config->trust.policies, a->grant->subject, a->grant->token_id,
                           a->grant->principal_id, &a->error);
}

/* JWKS_WAITS: the call goes on in on_keys(). */
static enum jwks_answer wait_for_key(const struct attempt *a)
{
  struct key_wait *w = ARENA_NEW(rpc_call_arena(a->call), struct key_wait);
  if (w == NULL)
    return JWKS_FULL;
  *w = (struct key_wait){KEY_WAIT_MAGIC, a->service, a->call, a->request};
  return jwks_wait(a->jwks, a->fetched, on_keys, w);
}

static void seal(struct attempt *a, ProtobufCBinaryData *out)
{
  char id[RANDOM_ID_SIZE]; /* so that audit lines of one grant can be found together */
  random_id(id);
  a->grant->grant_id = arena_strdup(rpc_call_arena(a->call), id);
  if (a->grant->grant_id == NULL)
    err_set(&a->error, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory for the grant");
  else
    service_seal(a->call, a->config, SEAL_GRANT, &a->grant->base, out, &a->error);
}

/* Form and cause, "jwt: has expired (exp)", for the audit log alone: callers and metrics know
 * one reason. The checks' messages are fixed texts, with names of the issuers file at most, so that
 * no part of a token stands in one. */
static const char *cause_of(const struct attempt *a)
{
  static const char prefix[] = "bearer token: ";
  const char *form = bearer_form_name(a->form), *cause = a->error.message;
  if (strncmp(cause, prefix, sizeof(prefix) - 1) == 0)
    cause += sizeof(prefix) - 1;
  const char *text = arena_printf(rpc_call_arena(a->call), "%s: %s", form, cause);
  return text != NULL ? text : form;
}

/* A key that is not known is the token's fault, unless no key could be fetched yet, or too many
 * wait for a fetch: then the token may be good, and the caller would sign in again for nothing. */
static void decide_unknown_key(struct attempt *a)
{
  struct err *e = &a->error;
  if (strcmp(e->reason, "unknown_key") != 0)
    return;
  if (a->too_many_wait)
    err_set(e, ERR_UNAVAILABLE, "keys_unavailable",
            "bearer token: cannot be checked, because too many calls are waiting for the issuer's "
            "keys; try "
            "again in a few seconds");
  else if (a->no_keys_yet)
    err_set(e, ERR_UNAVAILABLE, "keys_unavailable",
            "bearer token: cannot be checked, because the issuer's keys could not be fetched since "
            "the start (the log says why); try again in half a minute");
  else
    snprintf(e->reason, sizeof(e->reason), "invalid_credentials"); /* callers know one reason */
}

static void finish(struct attempt *a)
{
  Analytics__Auth__V1__AuthenticateResponse response;
  struct err *e = &a->error;
  struct facts facts = {.event = "authenticate"};
  analytics__auth__v1__authenticate_response__init(&response);
  response.grant = a->grant;
  decide_unknown_key(a);
  if (e->code == ERR_OK)
    seal(a, &response.sealed);
  bool ok = e->code == ERR_OK;
  metric_add(a->service->authenticated, 1,
             METRIC_LABELS(bearer_form_name(a->form), ok ? "ok" : e->reason));
  if (a->grant != NULL) /* of a revoked one, too: who tried */
    facts_of_grant(&facts, a->grant);
  facts.detail = ok ? bearer_form_name(a->form) : cause_of(a);
  facts.client = service_client(rpc_call_arena(a->call), a->request->client_address);
  service_end_call(a->service, a->call, &facts, &response.base, e);
}

/* `may_wait`: keys may be fetched for this call; at most once. */
static void authenticate(struct service *s, struct rpc_call *call, const authenticate_request *r,
                         bool may_wait)
{
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct attempt a = {.service = s, .call = call, .request = r, .config = config};
  check(&a);
  if (may_wait && strcmp(a.error.reason, "unknown_key") == 0) {
    enum jwks_answer answer = wait_for_key(&a);
    if (answer == JWKS_WAITS)
      return;
    if (answer == JWKS_CHANGED) /* between the check and the wait */
      check(&a);
    a.too_many_wait = answer == JWKS_FULL;
  }
  finish(&a);
}

static void on_keys(void *arg)
{
  struct key_wait *w = arg;
  MAGIC_CHECK(w, KEY_WAIT_MAGIC);
  authenticate(w->service, w->call, w->request, false);
}

void service_authenticate(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  authenticate(service_of(user), call, (const void *)request, true);
}
