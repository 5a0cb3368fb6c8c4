/* Token cache: one refresh, from the question to the token in use; refreshing ahead of time. */
#include <stdlib.h>
#include <string.h>

#include "auth-svc/token/internal.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { FLIGHT_MAGIC = 0x70c3f119 };

struct flight {
  uint32_t magic;
  bool background;
  int64_t started_ms;
  struct account *account;
  struct credential *credential;
  struct secret *refresh_token; /* it was asked with; NULL for the configured one */
  struct token_reply reply;     /* kept while its refresh token goes to disk */
};

struct flight *flight_prepare(struct account *a, bool background, int64_t now)
{
  struct flight *f = xcalloc(1, sizeof(*f));
  *f = (struct flight){.magic = FLIGHT_MAGIC,
                       .background = background,
                       .started_ms = now,
                       .account = a,
                       .credential = credential_ref(a->credential),
                       .refresh_token = secret_ref(a->refresh_token)};
  a->flight = f;
  a->n_flights++;
  a->owner->n_background += background;
  return f;
}

static void flight_free(struct flight *f)
{
  token_reply_clear(&f->reply);
  credential_unref(f->credential);
  secret_unref(f->refresh_token);
  free(f);
}

/* -------------------------------------------------------- what a refresh came to */

/* Around a long time, so that accounts of one client do not come back together. */
static int64_t operator_wait_ms(void)
{
  const int64_t half = TOKENS_OPERATOR_BACKOFF_MS / 2;
  return half + (int64_t)random_below((uint64_t)half + 1);
}

static void account_failed(struct account *a, const struct token_reply *r, int64_t now)
{
  a->failure = r->error;
  if (r->outcome == TOKEN_NEEDS_CONSENT) {
    /* What the dealer revoked is not served on, even if Google would still take it. */
    secret_unref(TAKE_PTR(a->access_token));
    return;
  }
  int64_t wait =
      r->outcome == TOKEN_OPERATOR_FAULT ? operator_wait_ms() : backoff_next_ms(&a->backoff);
  a->retry_ms = now + (wait > r->retry_after_ms ? wait : r->retry_after_ms);
}

static void account_obtained(struct account *a, struct token_reply *r, int64_t started_ms)
{
  secret_unref(a->access_token);
  a->access_token = TAKE_PTR(r->access_token);
  /* Life counts from the question, not the answer: a slow answer costs life. */
  int64_t life = r->expires_in_s * 1000;
  int64_t ahead = TOKENS_REFRESH_AHEAD_MS < life / 2 ? TOKENS_REFRESH_AHEAD_MS : life / 2;
  ahead += (int64_t)random_below((uint64_t)ahead / 5 + 1);
  a->expires_ms = started_ms + life;
  a->obtained_unix_s = a->owner->options.unix_ms() / 1000;
  a->refresh_ms = a->expires_ms - ahead;
  a->failure = (struct err){0};
  a->retry_ms = 0;
  a->backoff.attempt = 0;
}

static void report(const struct flight *f, const struct token_reply *r)
{
  static const char *const names[] = {"ok", "passing", "needs_consent", "operator_fault"};
  const char *account_id = f->account->account_id;
  const struct tokens *t = f->account->owner;
  metric_add(t->refreshes, 1, METRIC_LABELS(names[r->outcome]));
  if (t->options.on_refresh != NULL)
    t->options.on_refresh(t->options.user, account_id, r);
  if (r->outcome == TOKEN_OBTAINED)
    log_info("access token obtained", LOG_S("account_id", account_id),
             LOG_I("expires_in_s", r->expires_in_s), LOG_B("ahead", f->background));
  else
    log_warn("access token not obtained", LOG_S("account_id", account_id),
             LOG_S("result", names[r->outcome]), LOG_S("reason", r->error.reason),
             LOG_S("error", r->error.message));
}

/* Works the answer in, unless the credential changed or the account was removed meanwhile. */
static struct waiter *settle(struct flight *f, struct token_reply *reply,
                             struct token_result *result)
{
  struct account *a = f->account;
  int64_t now = a->owner->options.mono_ms();
  if (a->flight != f)
    return NULL;
  a->flight = NULL;
  a->unstored = false;
  a->outcome = reply->outcome;
  /* Also of a failure: a later step (impersonation) may fail after the refresh went well. */
  if (reply->refresh_token != NULL) {
    secret_unref(a->refresh_token);
    a->refresh_token = TAKE_PTR(reply->refresh_token);
  }
  if (reply->outcome == TOKEN_OBTAINED)
    account_obtained(a, reply, f->started_ms);
  else
    account_failed(a, reply, now);
  account_count(a);
  *result = account_result(a, now);
  return account_take_waiters(a);
}

static void finish(struct flight *f, struct token_reply *reply)
{
  struct account *a = f->account;
  struct tokens *t = a->owner;
  struct token_result result = {0};
  report(f, reply);
  pthread_mutex_lock(&t->lock);
  struct waiter *list = settle(f, reply, &result);
  t->n_background -= f->background;
  bool last = --a->n_flights == 0 && a->removed;
  pthread_mutex_unlock(&t->lock);
  waiters_deliver(list, &result);
  secret_unref(result.access_token);
  flight_free(f);
  if (last)
    account_free(a);
}

/* --------------------------------------------------- a new refresh token, first of all */

static bool is_rotation(const struct flight *f, const struct token_reply *r)
{
  if (r->refresh_token == NULL)
    return false;
  const uint8_t *digest = secret_sha256(r->refresh_token);
  return f->refresh_token != NULL ? !secret_has_sha256(f->refresh_token, digest)
                                  : !credential_holds(f->credential, digest);
}

/* Nobody may use the access token yet; who waits gets the reason. */
static void hold_back(struct flight *f, const struct err *error)
{
  struct account *a = f->account;
  struct tokens *t = a->owner;
  struct token_result result = {0};
  struct waiter *list = NULL;
  err_set(&result.error, ERR_UNAVAILABLE, "state_not_stored",
          "the token endpoint gave a new refresh token that cannot be stored for now (%s); the "
          "access token is held back until it is",
          error->message);
  pthread_mutex_lock(&t->lock);
  if (a->flight == f) {
    a->unstored = true;
    a->failure = result.error;
    list = account_take_waiters(a);
    account_count(a);
  }
  pthread_mutex_unlock(&t->lock);
  waiters_deliver(list, &result);
}

static void on_stored(void *user, const struct err *error, bool final)
{
  struct flight *f = user;
  MAGIC_CHECK(f, FLIGHT_MAGIC);
  if (error->code != ERR_OK && !final) {
    hold_back(f, error);
    return;
  }
  if (error->code != ERR_OK) {
    log_error("a new refresh token is lost: it could not be stored before the process ended",
              LOG_S("account_id", f->account->account_id), LOG_S("error", error->message));
    f->reply.outcome = TOKEN_PASSING;
    f->reply.error = *error;
  }
  struct token_reply reply = f->reply;
  f->reply = (struct token_reply){0};
  finish(f, &reply);
  token_reply_clear(&reply);
}

/* Before anything else is done with the answer: the old refresh token may be void already. */
static void keep_rotation(struct flight *f, struct token_reply *reply)
{
  struct tokens *t = f->account->owner;
  const char *account_id = f->account->account_id;
  bool durable = t->options.store != NULL;
  metric_add(t->rotations, 1, METRIC_LABELS(durable ? "disk" : "memory"));
  if (!durable) {
    log_error("the token endpoint replaced a refresh token and it is kept in memory only: after a "
              "restart the dealer may have to consent again; set AUTH_STATE_DIR",
              LOG_S("account_id", account_id));
    finish(f, reply);
    return;
  }
  f->reply = *reply;
  reply->access_token = reply->refresh_token = NULL;
  token_store_put(t->options.store, account_id, f->credential->fingerprint, f->reply.refresh_token,
                  on_stored, f);
}

/* ------------------------------------------------------------------- the question */

static void on_reply(void *user, struct token_reply *reply)
{
  struct flight *f = user;
  MAGIC_CHECK(f, FLIGHT_MAGIC);
  if (is_rotation(f, reply))
    keep_rotation(f, reply);
  else
    finish(f, reply);
}

void flight_start(struct flight *f)
{
  if (f == NULL)
    return;
  struct token_reply reply = {.outcome = TOKEN_PASSING};
  const struct credential *c = f->credential;
  /* Once started, the flight may end and be gone before obtain() returns. */
  enum err_code code = c->kind->obtain(c, &f->account->owner->options.env, f->refresh_token,
                                       on_reply, f, &reply.error);
  if (code == ERR_OK)
    return;
  if (code == ERR_INVALID_ARGUMENT) {
    reply.outcome = TOKEN_OPERATOR_FAULT;
    reply.error.code = ERR_FAILED_PRECONDITION;
  } else {
    reply.error.code = ERR_UNAVAILABLE;
  }
  on_reply(f, &reply);
}

/* ------------------------------------------------------------------- ahead of time */

static bool wants_refresh(const struct account *a, int64_t now)
{
  const struct tokens_options *o = &a->owner->options;
  if (a->flight != NULL || account_needs_consent(a) || now < a->retry_ms ||
      now - a->used_ms > (int64_t)o->in_use_s * 1000)
    return false;
  return a->access_token != NULL ? now >= a->refresh_ms : a->failure.code != ERR_OK;
}

static void refresh_due(struct tokens *t)
{
  struct flight *due[TOKENS_BACKGROUND_MAX];
  size_t n = 0;
  pthread_mutex_lock(&t->lock);
  int64_t now = t->options.mono_ms();
  for (struct map_node *m = map_first(&t->table); m != NULL; m = map_next(&t->table, m)) {
    struct account *a = CONTAINER_OF(m, struct account, in_table);
    if (t->n_background < TOKENS_BACKGROUND_MAX && wants_refresh(a, now))
      due[n++] = flight_prepare(a, true, now);
  }
  pthread_mutex_unlock(&t->lock);
  for (size_t i = 0; i < n; i++)
    flight_start(due[i]);
}

static void tick(void *arg)
{
  struct tokens *t = arg;
  /* The timer runs early when the client ends; then it cannot be set again. */
  if (http_client_after(t->options.env.http, t->options.tick_ms, tick, t) == ERR_OK)
    refresh_due(t);
}

void tokens_start_background(struct tokens *t)
{
  if (http_client_after(t->options.env.http, t->options.tick_ms, tick, t) != ERR_OK)
    log_warn("tokens are refreshed on demand only: no timer");
}
