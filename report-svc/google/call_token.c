/* The phases TOKEN and FIND of a call: whose token, and which property. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "report-svc/google/call_impl.h"

enum { AUTH_TIMEOUT_MS = 30000 };
/* An attempt at auth-svc may have to wait for Google's token endpoint; another one joins it there.
 */
enum { AUTH_ATTEMPT_MS = 4000 };

/* auth-svc's reasons pass through; texts gain the remedy where they lack it. */
static void explain_auth_error(struct err *e, const struct err *status)
{
  *e = *status;
  if (strcmp(e->reason, "invalid_grant") == 0 && strstr(e->message, "re-consent") == NULL)
    err_set(e, e->code, "invalid_grant", "%s; dealer must re-consent", status->message);
  if (strcmp(e->reason, "deadline_exceeded") == 0) { /* auth-svc may still wait for Google */
    err_set(e, e->code, "timeout",
            "no access token came in time from auth-svc, or from Google's token endpoint behind "
            "it; try again in a minute");
    return;
  }
  if (e->reason[0] != '\0')
    return;
  const char *reason = e->code == ERR_PERMISSION_DENIED  ? "permission_denied"
                       : e->code == ERR_NOT_FOUND        ? "not_found"
                       : e->code == ERR_INVALID_ARGUMENT ? "invalid_argument"
                       : e->code == ERR_UNAVAILABLE      ? "unavailable"
                                                         : "auth_failed";
  snprintf(e->reason, sizeof(e->reason), "%s", reason);
}

static void on_found(void *user, const struct found *found, const struct err *e)
{
  struct google_call *c = user;
  MAGIC_CHECK(c, CALL_MAGIC);
  pthread_mutex_lock(&c->lock);
  struct find *find = TAKE_PTR(c->find);
  bool cancelled = c->cancelled;
  pthread_mutex_unlock(&c->lock);
  find_unref(find);
  if (cancelled) {
    call_finish_cancelled(c);
  } else if (e->code != ERR_OK) {
    call_finish(c, e);
  } else {
    struct token *without = c->token;
    c->token = token_with_found(without, found);
    token_unref(without);
    call_use_token(c);
  }
}

/* Finds the properties of a dealer that has none configured. */
static void seek_properties(struct google_call *c)
{
  const struct find_options options = {.google = c->google,
                                       .call = &c->options,
                                       .subject_id = c->subject_id,
                                       .token = c->token,
                                       .on_done = on_found,
                                       .user = c};
  struct find *find = find_new(&options);
  bool go = call_enter(c, PHASE_FIND);
  pthread_mutex_lock(&c->lock);
  go = go && !c->cancelled;
  if (go)
    c->find = find_ref(find);
  pthread_mutex_unlock(&c->lock);
  if (go)
    find_start(find);
  else
    call_finish_cancelled(c);
  find_unref(find);
}

void call_use_token(struct google_call *c)
{
  struct err e = {0};
  if (c->target.url == NULL && c->options.method->place == GOOGLE_OF_PROPERTY &&
      token_lacks_properties(c->token)) {
    seek_properties(c);
    return;
  }
  if (c->target.url == NULL) {
    if (c->options.ops->on_token(c->options.user, c->token, &c->target, &e) != ERR_OK ||
        c->target.url == NULL) {
      call_finish(c, &e);
      return;
    }
  }
  call_seek_place(c);
}

static void on_token_wait_over(void *arg)
{
  struct google_call *c = arg;
  MAGIC_CHECK(c, CALL_MAGIC);
  pthread_mutex_lock(&c->lock);
  bool go = c->phase == PHASE_WAIT && !c->cancelled;
  pthread_mutex_unlock(&c->lock);
  if (go)
    call_seek_token(c);
  google_call_unref(c);
}

static void seek_token_later(struct google_call *c)
{
  google_call_ref(c); /* the timer's; a cancel may end the chain from now on */
  if (!call_enter(c, PHASE_WAIT)) {
    call_finish_cancelled(c);
    google_call_unref(c);
  } else if (http_client_after(c->google->options.http, backoff_next_ms(&c->backoff),
                               on_token_wait_over, c) != ERR_OK) {
    google_call_unref(c);
    call_seek_token(c);
  }
}

static bool on_token_message(void *user, const ProtobufCMessage *message)
{
  struct google_call *c = user;
  const Analytics__Auth__V1__GetAccessTokenResponse *answer = (const void *)message;
  struct lease_name name;
  MAGIC_CHECK(c, CALL_MAGIC);
  token_unref(c->token);
  c->token = token_new(answer);
  if (answer->lease_ms > 0 && google_lease_name(&name, c->google, &c->options, c->subject_id))
    google_lease(c->google, &name, c->token, answer->lease_ms);
  return true;
}

static void on_token_done(void *user, const struct err *status)
{
  struct google_call *c = user;
  MAGIC_CHECK(c, CALL_MAGIC);
  pthread_mutex_lock(&c->lock);
  struct rpc_client_call *rpc = TAKE_PTR(c->rpc);
  bool cancelled = c->cancelled;
  pthread_mutex_unlock(&c->lock);
  rpc_client_release(rpc);
  if (cancelled) {
    call_finish_cancelled(c);
  } else if (strcmp(status->reason, "token_endpoint_unavailable") == 0 && !c->token_again) {
    c->token_again = true; /* Google's token endpoint failed; that passes mostly */
    seek_token_later(c);
  } else if (status->code != ERR_OK || c->token == NULL) {
    struct err e;
    explain_auth_error(&e, status);
    call_finish(c, &e);
  } else {
    call_use_token(c);
  }
}

/* Sends GetAccessToken; under the lock, so that a cancel finds the handle. */
static enum err_code send_token_request(struct google_call *c, struct err *e)
{
  static const struct rpc_client_callbacks callbacks = {on_token_message, on_token_done};
  Analytics__Auth__V1__GetAccessTokenRequest request =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__INIT;
  request.purpose = c->options.purpose;
  if (c->options.subject == GOOGLE_PROPERTY) {
    request.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_PROPERTY_ID;
    request.property_id = c->subject_id;
  } else {
    request.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
    request.dealer_ref = c->subject_id;
  }
  if (c->has_rejected)
    request.rejected_token_sha256 = (ProtobufCBinaryData){sizeof(c->rejected), c->rejected};
  if (c->options.leased)
    request.lease_ms = c->google->options.lease_ms;
  struct rpc_client_options options = {.timeout_ms = call_remaining_ms(c, AUTH_TIMEOUT_MS),
                                       .attempt_ms = AUTH_ATTEMPT_MS,
                                       .parent = c->options.parent};
  return rpc_client_start(&c->rpc, c->google->options.auth,
                          &analytics__auth__v1__auth_service__descriptor, "GetAccessToken",
                          RPC_UNARY, &request.base, &options, &callbacks, c, e);
}

void call_seek_token(struct google_call *c)
{
  struct err e = {0};
  enum err_code code = ERR_CANCELLED;
  pthread_mutex_lock(&c->lock);
  bool cancelled = c->cancelled;
  if (!cancelled) {
    c->phase = PHASE_TOKEN;
    code = send_token_request(c, &e);
  }
  pthread_mutex_unlock(&c->lock);
  if (cancelled)
    call_finish_cancelled(c);
  else if (code != ERR_OK)
    call_finish(c, &e);
}

void call_renew_token(struct google_call *c)
{
  unsigned len = sizeof(c->rejected);
  const char *token = c->token->access_token;
  struct lease_name name;
  if (google_lease_name(&name, c->google, &c->options, c->subject_id))
    leases_drop(c->google->leases, &name);
  c->renewed = true;
  call_waits(c);
  c->has_rejected = EVP_Digest(token, strlen(token), c->rejected, &len, EVP_sha256(), NULL) == 1;
  call_seek_token(c);
}

/* auth-svc's answer to an equal ask, while its lease lasts; NULL when there is none. */
struct token *call_leased_token(const struct google_call *c)
{
  struct lease_name name;
  return google_lease_name(&name, c->google, &c->options, c->subject_id)
             ? leases_use(c->google->leases, &name, clock_mono_ms())
             : NULL;
}
