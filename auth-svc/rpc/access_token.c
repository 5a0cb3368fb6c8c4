/* GetAccessToken, and what GetAccessTokens shares with it: the only rpcs that give a secret out. */
#include <stdio.h>
#include <string.h>

#include "auth-svc/rpc/internal.h"
#include "auth-svc/rpc/target.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/pbjson/borrow.h"

enum {
  TOKEN_CALL_MAGIC = 0x70ca1101,
  TOKEN_CALL_ATTEMPTS = 5, /* when the configuration changes under a call */
};

static bool try_with_new_config(struct token_call *t);

/* Whether a person has to consent once more. */
static bool is_consent_over(const char *reason)
{
  return strcmp(reason, "invalid_grant") == 0 || strcmp(reason, "missing_scope") == 0;
}

/* Whether a source of credentials beside Google fails: the machine's own, or a file of it. */
static bool is_of_this_installation(const char *reason)
{
  static const char *const sources[] = {"aws_", "subject_", "metadata_"};
  for (size_t i = 0; i < ARRAY_LEN(sources); i++)
    if (strncmp(reason, sources[i], strlen(sources[i])) == 0)
      return true;
  return false;
}

/* A credential that does not work, in the words of what a dealer can do. What the operator does
 * about it stands in the log, where the refresh reported it whole. */
static void put_for_dealer(struct err *e)
{
  char reason[sizeof(e->reason)];
  memcpy(reason, e->reason, sizeof(reason));
  if (e->code == ERR_UNAVAILABLE && is_of_this_installation(reason))
    err_set(e, ERR_UNAVAILABLE, reason,
            "this service cannot sign in to Google for now (%s); if this persists, tell the "
            "operator, whose log says why",
            reason);
  if (e->code != ERR_FAILED_PRECONDITION)
    return;
  err_set(e, ERR_FAILED_PRECONDITION, reason,
          is_consent_over(reason)
              ? "dealer must re-consent (%s): somebody who may read its Google Analytics must "
                "sign in again; the operator of this service says where"
              : "this service's sign-in with Google fails (%s), which the dealer cannot fix: "
                "tell the operator, whose log says what to do",
          reason);
}

/* A connected dealer's consent is renewed by a link: an admin makes it, everybody else asks for it.
 */
static void put_renewal(const struct token_call *t, struct err *e)
{
  const struct dealer *d = t->target.dealer;
  if (!is_consent_over(e->reason) || !d->connected || t->service->options.connect == NULL)
    return;
  bool admin =
      t->grant.grant != NULL && t->grant.grant->role == ANALYTICS__AUTH__V1__ROLE__ROLE_ADMIN;
  char reason[sizeof(e->reason)];
  memcpy(reason, e->reason, sizeof(reason));
  if (admin)
    err_set(
        e, e->code, reason,
        "must re-consent: Google no longer takes the consent, which was withdrawn, has ended or "
        "does not cover Google Analytics; make a new link with auth-svc invite --renew %s",
        d->dealer_id);
  else
    err_set(
        e, e->code, reason,
        "must re-consent: Google no longer takes the consent, which was withdrawn, has ended or "
        "does not cover Google Analytics; ask your administrator for a new link");
}

/* What went wrong, as the caller may know it: with the dealer's name for its own dealers,
 * without anything that identifies a peer. */
static struct err error_for(const struct token_call *t, const struct err *error)
{
  struct err e = *error;
  if (t->target.opaque) {
    err_set(&e, error->code, error->reason, "%s",
            strcmp(error->reason, "invalid_grant") == 0
                ? "a dealer of the comparison must re-consent"
                : "no access token for a dealer of the comparison for now");
  } else if (t->target.dealer != NULL) {
    put_for_dealer(&e);
    put_renewal(t, &e);
    err_prefix(&e, "dealer \"%s\" %s: ", t->target.dealer->dealer_id, t->target.dealer->name);
  }
  return e;
}

const char *service_requested(struct rpc_call *call,
                              const Analytics__Auth__V1__GetAccessTokenRequest *r)
{
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field(r->base.descriptor, (unsigned)r->target_case);
  return field != NULL /* each is a text, so all stand in one place */
             ? arena_printf(rpc_call_arena(call), "%s=%s", field->name, r->dealer_ref)
             : NULL;
}

void facts_of_target(struct facts *f, const struct target *target)
{
  f->account = target->account_id;
  f->dealer = target->dealer != NULL ? target->dealer->dealer_id : NULL;
}

void token_call_answer(Analytics__Auth__V1__GetAccessTokenResponse *out,
                       char principal[PRINCIPAL_SIZE], const struct token_call *t,
                       const struct token_result *held)
{
  char subject[SHA256_HEX_SIZE]; /* names whoever asks without saying who it is */
  const struct dealer *d = t->target.dealer;
  analytics__auth__v1__get_access_token_response__init(out);
  out->access_token = borrow_text(secret_text(held->access_token));
  out->expires_at = held->expires_at;
  out->dealer_ref = borrow_text(t->target.ref);
  if (d != NULL && !t->target.opaque) {
    out->dealer_name = borrow_text(d->name);
    out->lead_event = borrow_text(d->lead_event);
    out->qualified_session = borrow_text(d->qualified_session);
  }
  if (d != NULL) {
    out->property_ids = borrow_texts(d->property_ids);
    out->n_property_ids = d->n_property_ids;
    out->assignment = d->n_property_ids == 0 ? t->config->directory->assignment : 0;
  }
  sha256_hex(t->grant.subject, strlen(t->grant.subject), subject);
  snprintf(principal, PRINCIPAL_SIZE, "%.*s", PRINCIPAL_SIZE - 1, subject);
  out->principal = principal;
  out->opaque = t->target.opaque;
  if (t->target.credential->quota_project != NULL)
    out->quota_project_id = t->target.credential->quota_project;
  out->lease_ms = lease_length(&t->grant, held->expires_at, t->request->lease_ms, clock_unix_ms());
}

enum err_code token_call_check(const struct token_call *t, struct err *e)
{
  AUTO_SNAPSHOT struct snapshot *now = snapshot_current(t->service->options.config);
  return policies_check_revoked(now->trust.policies, t->grant.subject, t->grant.token_id,
                                t->grant.principal_id, e);
}

static void reply_token(const struct token_call *t, const struct token_result *held)
{
  Analytics__Auth__V1__GetAccessTokenResponse response;
  char principal[PRINCIPAL_SIZE];
  token_call_answer(&response, principal, t, held);
  service_end_call(t->service, t->call, &t->facts, &response.base, NULL);
}

static void finish_token_call(struct token_call *t, const struct token_result *result)
{
  struct snapshot *config = t->config; /* t is gone with the call */
  struct err e = {0};
  if (result->error.code != ERR_OK)
    e = error_for(t, &result->error);
  else
    token_call_check(t, &e);
  bool ok = e.code == ERR_OK;
  metric_add(t->service->issued, 1, METRIC_LABELS(t->facts.purpose, ok ? "ok" : e.reason));
  if (ok)
    reply_token(t, result);
  else
    service_end_call(t->service, t->call, &t->facts, NULL, &e);
  snapshot_unref(config);
}

static void on_token(void *user, const struct token_result *result)
{
  struct token_call *t = user;
  MAGIC_CHECK(t, TOKEN_CALL_MAGIC);
  rpc_call_on_cancel(t->call, NULL, NULL);
  if (result->error.code != ERR_ABORTED || !try_with_new_config(t))
    finish_token_call(t, result);
}

static void on_caller_gone(void *arg)
{
  struct token_call *t = arg;
  MAGIC_CHECK(t, TOKEN_CALL_MAGIC);
  tokens_abandon(t->service->options.tokens, t->key.account_id, t->wait_id);
}

static enum err_code check_rejected(const ProtobufCBinaryData *digest, struct err *e)
{
  if (digest->len == 0 || digest->len == SHA256_SIZE)
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_digest",
                 "rejected_token_sha256: must be the 32 bytes of a SHA-256, got %zu", digest->len);
}

enum err_code token_call_open(struct token_call *t, struct err *e)
{
  enum err_code code = service_check_peer(t->call, t->service->options.report_identity, e);
  return code != ERR_OK ? code : service_open_grant(t->call, t->config, &t->grant, &t->facts, e);
}

enum err_code token_call_resolve(struct token_call *t, struct err *e)
{
  enum err_code code =
      target_resolve(&t->target, t->config, &t->grant, t->request, rpc_call_arena(t->call), e);
  if (code != ERR_OK)
    return code;
  facts_of_target(&t->facts, &t->target);
  t->key = snapshot_token_key(t->config, t->target.account_id);
  return ERR_OK;
}

static enum err_code prepare(struct token_call *t, struct err *e)
{
  if (token_call_open(t, e) != ERR_OK ||
      check_rejected(&t->request->rejected_token_sha256, e) != ERR_OK ||
      token_call_resolve(t, e) != ERR_OK)
    t->facts.requested = service_requested(t->call, t->request);
  return e->code;
}

/* Resolves the dealer in the current configuration and asks for its token. */
static void start_token_call(struct token_call *t)
{
  struct err e = {0};
  struct service *s = t->service;
  t->config = snapshot_current(s->options.config);
  if (prepare(t, &e) != ERR_OK) {
    metric_add(s->issued, 1, METRIC_LABELS(t->facts.purpose, e.reason));
    log_info("access token refused", LOG_S("purpose", t->facts.purpose), LOG_S("reason", e.reason));
    struct snapshot *config = t->config; /* t goes with the call */
    service_end_call(s, t->call, &t->facts, NULL, &e);
    snapshot_unref(config);
    return;
  }
  const ProtobufCBinaryData *digest = &t->request->rejected_token_sha256;
  const uint8_t *rejected = digest->len == SHA256_SIZE ? digest->data : NULL;
  struct token_result held;
  if (rejected == NULL &&
      tokens_try(s->options.tokens, t->key.account_id, t->key.credential, &held)) {
    finish_token_call(t, &held);
    secret_unref(held.access_token);
    return;
  }
  t->attempts++;
  t->wait_id = tokens_wait_id(s->options.tokens);
  /* Before the wait starts, so that no end of the call can be missed; abandoning a wait
   * that has not begun does nothing. */
  rpc_call_on_cancel(t->call, on_caller_gone, t);
  tokens_get(s->options.tokens, t->key.account_id, t->key.credential, rejected, t->wait_id,
             on_token, t);
}

static bool try_with_new_config(struct token_call *t)
{
  if (t->attempts >= TOKEN_CALL_ATTEMPTS)
    return false;
  t->facts.account = t->facts.dealer = NULL; /* they point into the old configuration */
  snapshot_unref(t->config);
  start_token_call(t);
  return true;
}

void service_get_access_token(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  const Analytics__Auth__V1__GetAccessTokenRequest *r = (const void *)request;
  struct token_call *t = ARENA_NEW(rpc_call_arena(call), struct token_call);
  struct err e = {0};
  const struct facts facts = {.event = "get_access_token", .purpose = purpose_name(r->purpose)};
  if (t == NULL) {
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory for the call");
    service_end_call(s, call, &facts, NULL, &e);
    return;
  }
  *t = (struct token_call){
      .magic = TOKEN_CALL_MAGIC, .service = s, .call = call, .request = r, .facts = facts};
  start_token_call(t);
}
