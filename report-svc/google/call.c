/* One call to Google as a chain of phases:
 *
 *     NEW -> TOKEN -> (FIND) -> PLACE -> TRANSFER -> DONE
 *              ^                  ^         |
 *              |                  +- WAIT <-+  500, 502, 503, 504, a cut connection, too many at
 * once
 *              +----------------------------+  401, once: another token
 *
 * FIND is for a dealer whose property is not configured (find.h).
 *
 * No phase blocks a thread. Each starts something that calls back when it has ended (an rpc to
 * auth-svc, a ticket of the governor, a transfer, a timer), and the callback starts the next. So at
 * any time one thread drives the chain, though not always the same one, and the fields of the call
 * need no lock. The exception is google_call_cancel(), which any thread may call at any time: the
 * lock guards what it reads (phase, rpc, transfer) and `cancelled`, which it sets.
 *
 * Whoever moves the chain on checks `cancelled` under the lock before it starts something, and
 * stores the handle under the same lock. A cancel therefore finds either the handle of what is
 * under way, and ends that, or a chain that will see the flag. finish() runs the owner's on_done
 * once, whoever comes first, and without the lock, as all callbacks to the owner.
 *
 * The place at the governor is given back before every wait, so a call that backs off holds up
 * nobody. The chain holds one reference from start to finish; a timer holds one of its own. */
#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "report-svc/google/find.h"
#include "report-svc/google/google_error.h"
#include "report-svc/google/google_impl.h"

enum { MAX_BACKOFF_MS = 8000, LATER_FACTOR = 4, AUTH_TIMEOUT_MS = 30000 };
/* An attempt at auth-svc may have to wait for Google's token endpoint; another one joins it there.
 */
enum { AUTH_ATTEMPT_MS = 4000 };
/* A request that was one too many at once cost no quota and will be taken soon: it is worth more
 * attempts than a server that fails. */
enum { MAX_ATTEMPTS = 3, MAX_ATTEMPTS_LATER = 6 };
/* The same request failing so often with 500 is one that Google cannot answer. */
enum { SAME_500 = 2 };
/* All waits of one call: a dealer that is tried again holds up the others no longer. */
enum { MAX_WAIT_MS = 5000 };
enum { MAX_COLLECTED = 4 * 1024 * 1024, RETRY_AFTER_MAX_MS = 3600 * 1000 };

#define CALL_MAGIC 0x676f6f67u

enum phase {
  PHASE_NEW,
  PHASE_TOKEN,
  PHASE_FIND,
  PHASE_PLACE,
  PHASE_TRANSFER,
  PHASE_WAIT,
  PHASE_DONE
};

struct google_call {
  unsigned magic;
  atomic_int refs;
  struct google *google;
  struct google_call_options options;
  char *subject_id;
  struct token *token;
  struct google_target target;
  struct place place;
  struct backoff backoff;
  unsigned attempts, failed_500;
  uint32_t waited_ms;
  bool renewed, token_again;
  unsigned char rejected[32]; /* SHA-256 of the token Google refused */
  bool has_rejected;

  pthread_mutex_t lock;
  enum phase phase;
  bool cancelled;
  struct rpc_client_call *rpc;
  struct find *find;
  struct http_transfer *transfer;
};

static void seek_place(struct google_call *c);

/* ------------------------------------------------------------------ life */

struct google_call *google_call_new(struct google *g, const struct google_call_options *options)
{
  struct google_call *c = xcalloc(1, sizeof(*c));
  c->magic = CALL_MAGIC;
  atomic_init(&c->refs, 1);
  c->google = g;
  c->options = *options;
  c->subject_id = xstrdup(options->subject_id);
  c->token = token_ref(options->token);
  c->backoff = (struct backoff){g->options.backoff_ms, MAX_BACKOFF_MS, 0};
  pthread_mutex_init(&c->lock, NULL);
  return c;
}

struct google_call *google_call_ref(struct google_call *c)
{
  atomic_fetch_add(&c->refs, 1);
  return c;
}

void google_call_unref(struct google_call *c)
{
  if (c == NULL || atomic_fetch_sub(&c->refs, 1) != 1)
    return;
  token_unref(c->token);
  free(c->target.url);
  free(c->subject_id);
  pthread_mutex_destroy(&c->lock);
  c->magic = 0;
  free(c);
}

struct token *google_call_token(struct google_call *c)
{
  return token_ref(c->token);
}

/* What auth-svc refuses over the caller's grant says nothing of the dealer it names. */
static bool is_refusal(const struct err *e)
{
  return e->code == ERR_NOT_FOUND || e->code == ERR_PERMISSION_DENIED ||
         e->code == ERR_UNAUTHENTICATED;
}

/* Remembers for operators how the call ended. Of dealers outside the caller's view only the
 * property is known, and what is refused there is mostly the share of benchmarks. */
static void note_end(struct google_call *c, const struct err *e)
{
  const char *property = strstr(c->target.key, "properties/");
  struct ended_subject subject = {"", ""};
  if (property != NULL)
    subject.property_id = property + strlen("properties/");
  if (c->token != NULL && !c->token->opaque)
    subject.dealer_id = c->token->dealer_ref;
  else if (c->token == NULL && c->options.purpose == ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT &&
           c->options.subject == GOOGLE_DEALER)
    subject.dealer_id = c->subject_id;
  bool theirs =
      c->token == NULL ? is_refusal(e) : c->token->opaque && e->code == ERR_RESOURCE_EXHAUSTED;
  if (!theirs)
    ended_note(c->google->ended, &subject, e, clock_unix_ms() / 1000);
}

/* Ends the call and drops the reference of the chain. */
static void finish(struct google_call *c, const struct err *e)
{
  pthread_mutex_lock(&c->lock);
  bool first = c->phase != PHASE_DONE;
  c->phase = PHASE_DONE;
  pthread_mutex_unlock(&c->lock);
  if (!first)
    return;
  note_end(c, e);
  c->options.ops->on_done(c->options.user, e);
  google_call_unref(c);
}

static void finish_cancelled(struct google_call *c)
{
  struct err e;
  err_set(&e, ERR_CANCELLED, "cancelled", "the request was cancelled");
  finish(c, &e);
}

/* Moves on to a phase; false when the call was cancelled meanwhile. */
static bool enter(struct google_call *c, enum phase phase)
{
  pthread_mutex_lock(&c->lock);
  bool go = !c->cancelled && c->phase != PHASE_DONE;
  if (go)
    c->phase = phase;
  pthread_mutex_unlock(&c->lock);
  return go;
}

static uint32_t remaining_ms(const struct google_call *c, uint32_t at_most)
{
  int64_t left = c->options.deadline_ms - clock_mono_ms();
  if (left < 1)
    left = 1;
  return left < (int64_t)at_most ? (uint32_t)left : at_most;
}

/* ------------------------------------------------------------------ token */

/* auth-svc's reasons pass through; texts gain the remedy where they lack it. */
static void explain_auth_error(struct err *e, const struct err *status)
{
  *e = *status;
  if (strcmp(e->reason, "invalid_grant") == 0 && strstr(e->message, "re-consent") == NULL)
    err_set(e, e->code, "invalid_grant", "%s; dealer must re-consent", status->message);
  if (e->reason[0] != '\0')
    return;
  const char *reason = e->code == ERR_PERMISSION_DENIED   ? "permission_denied"
                       : e->code == ERR_NOT_FOUND         ? "not_found"
                       : e->code == ERR_INVALID_ARGUMENT  ? "invalid_argument"
                       : e->code == ERR_DEADLINE_EXCEEDED ? "timeout"
                       : e->code == ERR_UNAVAILABLE       ? "unavailable"
                                                          : "auth_failed";
  snprintf(e->reason, sizeof(e->reason), "%s", reason);
}

static void use_token(struct google_call *c);

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
    finish_cancelled(c);
  } else if (e->code != ERR_OK) {
    finish(c, e);
  } else {
    struct token *without = c->token;
    c->token = token_with_found(without, found);
    token_unref(without);
    use_token(c);
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
  bool go = enter(c, PHASE_FIND);
  pthread_mutex_lock(&c->lock);
  go = go && !c->cancelled;
  if (go)
    c->find = find_ref(find);
  pthread_mutex_unlock(&c->lock);
  if (go)
    find_start(find);
  else
    finish_cancelled(c);
  find_unref(find);
}

static void use_token(struct google_call *c)
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
      finish(c, &e);
      return;
    }
  }
  seek_place(c);
}

static void seek_token(struct google_call *c);

static void on_token_wait_over(void *arg)
{
  struct google_call *c = arg;
  MAGIC_CHECK(c, CALL_MAGIC);
  pthread_mutex_lock(&c->lock);
  bool go = c->phase == PHASE_WAIT && !c->cancelled;
  pthread_mutex_unlock(&c->lock);
  if (go)
    seek_token(c);
  google_call_unref(c);
}

static void seek_token_later(struct google_call *c)
{
  google_call_ref(c); /* the timer's; a cancel may end the chain from now on */
  if (!enter(c, PHASE_WAIT)) {
    finish_cancelled(c);
    google_call_unref(c);
  } else if (http_client_after(c->google->options.http, backoff_next_ms(&c->backoff),
                               on_token_wait_over, c) != ERR_OK) {
    google_call_unref(c);
    seek_token(c);
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
    finish_cancelled(c);
  } else if (strcmp(status->reason, "token_endpoint_unavailable") == 0 && !c->token_again) {
    c->token_again = true; /* Google's token endpoint failed; that passes mostly */
    seek_token_later(c);
  } else if (status->code != ERR_OK || c->token == NULL) {
    struct err e;
    explain_auth_error(&e, status);
    finish(c, &e);
  } else {
    use_token(c);
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
  struct rpc_client_options options = {.timeout_ms = remaining_ms(c, AUTH_TIMEOUT_MS),
                                       .attempt_ms = AUTH_ATTEMPT_MS,
                                       .parent = c->options.parent};
  return rpc_client_start(&c->rpc, c->google->options.auth,
                          &analytics__auth__v1__auth_service__descriptor, "GetAccessToken",
                          RPC_UNARY, &request.base, &options, &callbacks, c, e);
}

static void seek_token(struct google_call *c)
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
    finish_cancelled(c);
  else if (code != ERR_OK)
    finish(c, &e);
}

static void renew_token(struct google_call *c)
{
  unsigned len = sizeof(c->rejected);
  const char *token = c->token->access_token;
  struct lease_name name;
  if (google_lease_name(&name, c->google, &c->options, c->subject_id))
    leases_drop(c->google->leases, &name);
  c->renewed = true;
  c->has_rejected = EVP_Digest(token, strlen(token), c->rejected, &len, EVP_sha256(), NULL) == 1;
  seek_token(c);
}

/* ------------------------------------------------------------------ again */

static void on_wait_over(void *arg)
{
  struct google_call *c = arg;
  MAGIC_CHECK(c, CALL_MAGIC);
  pthread_mutex_lock(&c->lock);
  bool go = c->phase == PHASE_WAIT && !c->cancelled;
  pthread_mutex_unlock(&c->lock);
  if (go)
    seek_place(c);
  google_call_unref(c);
}

static uint32_t wait_ms(struct google_call *c, enum google_next next, const char *retry_after)
{
  uint32_t wait = backoff_next_ms(&c->backoff);
  if (next == GOOGLE_RETRY_LATER)
    wait *= LATER_FACTOR;
  uint32_t asked = http_retry_after_ms(retry_after, clock_unix_ms(), RETRY_AFTER_MAX_MS);
  return asked > wait ? asked : wait;
}

/* Waits and tries again, or ends with e when that is hopeless. */
static void try_again(struct google_call *c, enum google_next next, const char *retry_after,
                      const struct err *e)
{
  uint32_t wait = wait_ms(c, next, retry_after);
  unsigned most = next == GOOGLE_RETRY_LATER ? MAX_ATTEMPTS_LATER : MAX_ATTEMPTS;
  if (c->attempts >= most || clock_mono_ms() + wait >= c->options.deadline_ms ||
      c->waited_ms + wait > MAX_WAIT_MS) {
    finish(c, e);
    return;
  }
  c->waited_ms += wait;
  google_call_ref(c); /* the timer's; a cancel may end the chain from now on */
  if (!enter(c, PHASE_WAIT)) {
    finish_cancelled(c);
    google_call_unref(c);
  } else if (http_client_after(c->google->options.http, wait, on_wait_over, c) != ERR_OK) {
    finish(c, e);
    google_call_unref(c);
  }
}

/* ------------------------------------------------------------------ transfer */

static void count(struct google_call *c, const char *outcome, int64_t ms)
{
  const char *api = c->options.method->name;
  metric_add(c->google->requests, 1, METRIC_LABELS(api, outcome));
  metric_observe(c->google->seconds, (double)ms / 1000, METRIC_LABELS(api));
}

/* What the caller asked wrongly is the caller's; all else is for the operator. */
static void log_failure(const struct google_call *c, int status, const struct err *e)
{
  enum log_level level = e->code == ERR_INVALID_ARGUMENT ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN;
  LOG_AT(level, "request to Google failed", LOG_S("api", c->options.method->name),
         LOG_S("target", c->target.key), LOG_I("status", status), LOG_S("reason", e->reason),
         LOG_S("error", e->message), LOG_S("remedy", ended_remedy(e->reason)),
         LOG_I("attempt", c->attempts));
}

/* Counts what Google holds against the property. A request that fails twice with 500 will fail
 * again: there are combinations of fields that Google cannot answer. */
static enum google_next remember(struct google_call *c, const struct google_failure *f,
                                 enum google_next next, struct err *e)
{
  struct budget *b = c->google->budget;
  struct budget_change change = {0};
  if (f->status == 429)
    budget_refused(b, c->target.key, google_error_quota(f), f->now_unix_ms, &change);
  google_share_change(c->google, c->target.key, &change);
  if (f->status == 500 || f->status == 503) {
    budget_server_error(b, c->target.key, f->now_unix_ms);
    shared_note_server_error(c->google->options.shared, c->target.key);
  }
  c->failed_500 += f->status == 500;
  if (f->status != 500 || c->failed_500 < SAME_500)
    return next;
  err_set(e, ERR_FAILED_PRECONDITION, "unanswerable",
          "Google cannot answer this combination of fields: it answered 500 twice. Ask for fewer "
          "dimensions or metrics, without the filter, or for fewer days");
  return GOOGLE_FAIL;
}

static void on_failure(struct google_call *c, const struct http_response *response)
{
  struct err e = {0};
  struct google_failure failure = {.transport = &response->error,
                                   .status = response->status,
                                   .body = response->body,
                                   .body_len = response->body_len,
                                   .now_unix_ms = clock_unix_ms(),
                                   .access_token = c->token->access_token};
  enum google_next next = google_error_classify(&e, &failure);
  next = remember(c, &failure, next, &e);
  count(c, e.reason, response->total_ms);
  log_failure(c, response->status, &e);
  if (next == GOOGLE_RENEW_TOKEN && !c->renewed)
    renew_token(c);
  else if (next == GOOGLE_RETRY || next == GOOGLE_RETRY_LATER)
    try_again(c, next, response->retry_after, &e);
  else
    finish(c, &e);
}

static void on_success(struct google_call *c, const struct http_response *response)
{
  struct err e = {0};
  bool aborted = response->error.code != ERR_OK;
  enum err_code code = c->options.ops->check(c->options.user, aborted ? NULL : response, &e);
  count(c, code == ERR_OK ? "ok" : e.reason, response->total_ms);
  if (code == ERR_UNAVAILABLE && !aborted)
    try_again(c, GOOGLE_RETRY, NULL, &e);
  else
    finish(c, &e);
}

static void on_transfer_done(void *user, const struct http_response *response)
{
  struct google_call *c = user;
  MAGIC_CHECK(c, CALL_MAGIC);
  pthread_mutex_lock(&c->lock);
  struct http_transfer *transfer = TAKE_PTR(c->transfer);
  bool cancelled = c->cancelled;
  pthread_mutex_unlock(&c->lock);
  http_transfer_release(transfer);
  place_release(&c->place);
  c->attempts++;
  bool aborted = response->error.code == ERR_CANCELLED;
  if (cancelled)
    finish_cancelled(c);
  else if (aborted || (response->error.code == ERR_OK && response->status / 100 == 2))
    on_success(c, response);
  else
    on_failure(c, response);
}

static enum http_flow on_body(void *user, const char *data, size_t len)
{
  struct google_call *c = user;
  return c->options.ops->on_body(c->options.user, data, len);
}

/* Under the lock, so that a cancel finds the handle. */
static enum err_code send_request(struct google_call *c, const struct buf *body, struct err *e)
{
  AUTO_FREE char *bearer = xasprintf("Bearer %s", c->token->access_token);
  struct http_header headers[3] = {{"Authorization", bearer},
                                   {"Content-Type", "application/json"},
                                   {"x-goog-user-project", c->token->quota_project}};
  struct http_request request = {.method = c->options.method->verb,
                                 .url = c->target.url,
                                 .headers = headers,
                                 .n_headers = c->token->quota_project[0] == '\0' ? 2 : 3,
                                 .body = body->len == 0 ? NULL : body->data,
                                 .body_len = body->len,
                                 .timeout_ms = remaining_ms(c, c->google->options.timeout_ms),
                                 .max_response_bytes =
                                     c->options.ops->on_body == NULL ? MAX_COLLECTED : 0,
                                 .on_body = c->options.ops->on_body == NULL ? NULL : on_body,
                                 .on_done = on_transfer_done,
                                 .user = c,
                                 .trace = rpc_call_trace(c->options.parent),
                                 .operation = c->options.method->name};
  enum err_code code = http_client_send(&c->transfer, c->google->options.http, &request, e);
  mem_wipe(bearer, strlen(bearer));
  return code;
}

static void start_transfer(struct google_call *c)
{
  AUTO_BUF struct buf body = BUF_INIT(REQUEST_MAX_BODY);
  struct err e = {0};
  enum err_code code = c->options.ops->prepare(c->options.user, &body, &e);
  pthread_mutex_lock(&c->lock);
  bool cancelled = c->cancelled;
  if (!cancelled && code == ERR_OK) {
    c->phase = PHASE_TRANSFER;
    code = send_request(c, &body, &e);
  }
  pthread_mutex_unlock(&c->lock);
  if (!cancelled && code == ERR_OK)
    return; /* c may be gone */
  place_release(&c->place);
  if (cancelled)
    finish_cancelled(c);
  else
    finish(c, &e);
}

/* ------------------------------------------------------------------ place */

static void on_place(void *user, const struct err *e)
{
  struct google_call *c = user;
  MAGIC_CHECK(c, CALL_MAGIC);
  if (e->code == ERR_OK)
    start_transfer(c);
  else
    finish(c, e);
}

/* Takes a ticket back that a cancel missed because it was not queued yet, or finds it. */
static void leave_queue(struct google_call *c)
{
  if (place_cancel(&c->place))
    finish_cancelled(c);
}

/* Whether the property's quota, and for another owner's property the shares of benchmarks, leave a
 * request. A request that is tried again was counted when it was first. */
static enum err_code admit(const struct google_call *c, struct err *e)
{
  struct google *g = c->google;
  int64_t now = clock_unix_ms();
  enum err_code code = shared_is_up(g->options.shared)
                           ? budget_admit_errors(g->budget, c->target.key, now, e)
                           : budget_admit(g->budget, c->target.key, now, e);
  if (code != ERR_OK || !c->token->opaque)
    return code;
  code = budget_admit_benchmark(g->budget, c->target.key, now, e);
  if (code != ERR_OK)
    benchmark_refused(g->benchmark, c->token->principal, "property_tokens", now);
  else if (c->attempts == 0)
    code = benchmark_admit(g->benchmark, c->token->principal, now, e);
  return code;
}

static void seek_place(struct google_call *c)
{
  struct err e = {0};
  if (!enter(c, PHASE_PLACE)) {
    finish_cancelled(c);
    return;
  }
  if (admit(c, &e) != ERR_OK) {
    finish(c, &e);
    return;
  }
  google_call_ref(c); /* on_place may end the call before place_acquire() returns */
  c->place.google = c->google;
  c->place.key = c->target.key;
  c->place.on_admitted = on_place;
  c->place.user = c;
  c->place.deadline_ms = c->options.deadline_ms;
  c->place.guest = c->token->opaque;
  place_acquire(&c->place);
  pthread_mutex_lock(&c->lock);
  bool cancelled = c->cancelled;
  pthread_mutex_unlock(&c->lock);
  if (cancelled)
    leave_queue(c);
  google_call_unref(c);
}

/* ------------------------------------------------------------------ public */

/* auth-svc's answer to an equal ask, while its lease lasts; NULL when there is none. */
static struct token *leased_token(const struct google_call *c)
{
  struct lease_name name;
  return google_lease_name(&name, c->google, &c->options, c->subject_id)
             ? leases_use(c->google->leases, &name, clock_mono_ms())
             : NULL;
}

void google_call_start(struct google_call *c)
{
  google_call_ref(c); /* the chain's */
  if (c->token != NULL) {
    use_token(c);
    return;
  }
  c->token = leased_token(c);
  if (c->token == NULL)
    seek_token(c);
  else if (enter(c, PHASE_TOKEN))
    use_token(c);
  else
    finish_cancelled(c);
}

void google_call_cancel(struct google_call *c)
{
  if (c == NULL)
    return;
  MAGIC_CHECK(c, CALL_MAGIC);
  google_call_ref(c);
  pthread_mutex_lock(&c->lock);
  enum phase phase = c->cancelled ? PHASE_DONE : c->phase;
  c->cancelled = true;
  if (phase == PHASE_TOKEN && c->rpc != NULL)
    rpc_client_cancel(c->rpc);
  if (phase == PHASE_TRANSFER && c->transfer != NULL)
    http_transfer_cancel(c->transfer);
  struct find *find = phase == PHASE_FIND && c->find != NULL ? find_ref(c->find) : NULL;
  pthread_mutex_unlock(&c->lock);
  if (phase == PHASE_PLACE)
    leave_queue(c);
  else if (phase == PHASE_WAIT)
    finish_cancelled(c);
  else if (find != NULL)
    find_cancel(find);
  find_unref(find);
  google_call_unref(c);
}

void google_call_resume(struct google_call *c)
{
  pthread_mutex_lock(&c->lock);
  if (c->phase == PHASE_TRANSFER && c->transfer != NULL)
    http_transfer_resume(c->transfer);
  pthread_mutex_unlock(&c->lock);
}
