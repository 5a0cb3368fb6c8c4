/* The phases TRANSFER and WAIT of a call: the request, what came of it, and whether to try again.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "report-svc/google/call_impl.h"
#include "report-svc/google/ended.h"
#include "report-svc/google/google_error.h"

enum { LATER_FACTOR = 4 };
/* A request that was one too many at once cost no quota and will be taken soon: it is worth more
 * attempts than a server that fails. */
enum { MAX_ATTEMPTS = 3, MAX_ATTEMPTS_LATER = 6 };
/* The same request failing so often with 500 is one that Google cannot answer. */
enum { SAME_500 = 2 };
/* All waits of one call: a dealer that is tried again holds up the others no longer. */
enum { MAX_WAIT_MS = 5000 };
enum { MAX_COLLECTED = 4 * 1024 * 1024, RETRY_AFTER_MAX_MS = 3600 * 1000 };

/* ------------------------------------------------------------------ again */

static void on_wait_over(void *arg)
{
  struct google_call *c = arg;
  MAGIC_CHECK(c, CALL_MAGIC);
  pthread_mutex_lock(&c->lock);
  bool go = c->phase == PHASE_WAIT && !c->cancelled;
  pthread_mutex_unlock(&c->lock);
  if (go)
    call_seek_place(c);
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
    call_finish(c, e);
    return;
  }
  c->waited_ms += wait;
  call_waits(c);
  google_call_ref(c); /* the timer's; a cancel may end the chain from now on */
  if (!call_enter(c, PHASE_WAIT)) {
    call_finish_cancelled(c);
    google_call_unref(c);
  } else if (http_client_after(c->google->options.http, wait, on_wait_over, c) != ERR_OK) {
    call_finish(c, e);
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
    call_renew_token(c);
  else if (next == GOOGLE_RETRY || next == GOOGLE_RETRY_LATER)
    try_again(c, next, response->retry_after, &e);
  else
    call_finish(c, &e);
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
    call_finish(c, &e);
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
    call_finish_cancelled(c);
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
                                 .lane = c->options.lane,
                                 .timeout_ms = call_remaining_ms(c, c->google->options.timeout_ms),
                                 .longest_ms = call_remaining_ms(c, UINT32_MAX),
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

void call_start_transfer(struct google_call *c)
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
    call_finish_cancelled(c);
  else
    call_finish(c, &e);
}
