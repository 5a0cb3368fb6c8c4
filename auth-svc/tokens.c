/* Token cache with single-flight refresh, waiters without threads, and backoff. */
#include "auth-svc/tokens.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/backoff.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum {
  ENTRY_MAGIC = 0x70c3e401,
  BUCKETS = 1024,
  REJECTION_INTERVAL_MS = 5000,
  OPERATOR_BACKOFF_MIN_MS = 5000,
};

struct waiter {
  struct waiter *next;
  uint64_t id;
  token_ready *ready;
  void *user;
};

/* One account. Lives as long as the cache; guarded by the cache's lock. */
struct entry {
  uint32_t magic;
  struct tokens *owner;
  struct entry *next; /* in its bucket */
  char *account_id;
  struct credential *credential;
  struct secret *refresh_token; /* replaces the configured one; NULL when none came */
  struct secret *access_token;
  int64_t obtained_ms, expires_ms; /* monotonic */
  int64_t expires_at;              /* unix seconds, for callers */
  int64_t rejected_ms;             /* when a rejection was last honoured */
  bool refreshing;
  int64_t started_ms;
  bool needs_consent;
  struct err failure; /* of the last refresh; code ERR_OK when it went well */
  int64_t retry_ms;   /* no refresh before this, after a failure */
  struct backoff backoff;
  struct waiter *waiters;
};

struct tokens {
  pthread_mutex_t lock;
  struct tokens_options options;
  struct metric *refreshes;
  struct entry *buckets[BUCKETS];
  size_t n_waiters;
  uint64_t last_wait_id;
};

struct tokens *tokens_new(const struct tokens_options *options)
{
  struct tokens *t = xcalloc(1, sizeof(*t));
  pthread_mutex_init(&t->lock, NULL);
  t->options = *options;
  struct tokens_options *o = &t->options;
  o->refresh_ahead_s = o->refresh_ahead_s != 0 ? o->refresh_ahead_s : 300;
  o->waiters_max = o->waiters_max != 0 ? o->waiters_max : 4096;
  o->backoff_base_ms = o->backoff_base_ms != 0 ? o->backoff_base_ms : 1000;
  o->backoff_max_ms = o->backoff_max_ms != 0 ? o->backoff_max_ms : 60000;
  o->mono_ms = o->mono_ms != NULL ? o->mono_ms : clock_mono_ms;
  t->refreshes =
      metrics_counter("auth_token_refreshes_total",
                      "Questions to token endpoints, by what they came to.", "result", NULL);
  return t;
}

static void entry_free(struct entry *en)
{
  credential_unref(en->credential);
  secret_unref(en->refresh_token);
  secret_unref(en->access_token);
  free(en->account_id);
  free(en);
}

void tokens_free(struct tokens *t)
{
  if (t == NULL)
    return;
  for (size_t i = 0; i < BUCKETS; i++)
    while (t->buckets[i] != NULL) {
      struct entry *en = t->buckets[i];
      t->buckets[i] = en->next;
      entry_free(en);
    }
  pthread_mutex_destroy(&t->lock);
  free(t);
}

/* FNV-1a: account ids come from configuration, not from callers. */
static size_t bucket_of(const char *account_id)
{
  uint64_t h = 1469598103934665603u;
  for (const char *p = account_id; *p != '\0'; p++)
    h = (h ^ (unsigned char)*p) * 1099511628211u;
  return (size_t)(h % BUCKETS);
}

static struct entry *entry_find(struct tokens *t, const char *account_id)
{
  struct entry *en = t->buckets[bucket_of(account_id)];
  while (en != NULL && strcmp(en->account_id, account_id) != 0)
    en = en->next;
  return en;
}

/* A changed credential starts afresh: nothing of the old one may outlive it. */
static void entry_use_credential(struct entry *en, struct credential *c)
{
  if (en->credential == c)
    return;
  bool same = en->credential != NULL &&
              memcmp(en->credential->fingerprint, c->fingerprint, SHA256_SIZE) == 0;
  credential_unref(en->credential);
  en->credential = credential_ref(c);
  if (same)
    return;
  secret_unref(TAKE_PTR(en->refresh_token));
  secret_unref(TAKE_PTR(en->access_token));
  en->needs_consent = false;
  en->failure = (struct err){0};
  en->retry_ms = 0;
}

static struct entry *entry_get(struct tokens *t, const char *account_id, struct credential *c)
{
  struct entry *en = entry_find(t, account_id);
  if (en == NULL) {
    en = xcalloc(1, sizeof(*en));
    en->magic = ENTRY_MAGIC;
    en->owner = t;
    en->account_id = xstrdup(account_id);
    en->rejected_ms = INT64_MIN / 2;
    en->backoff = (struct backoff){t->options.backoff_base_ms, t->options.backoff_max_ms, 0};
    size_t b = bucket_of(account_id);
    en->next = t->buckets[b];
    t->buckets[b] = en;
  }
  entry_use_credential(en, c);
  return en;
}

/* ------------------------------------------------------- the end of a refresh */

static void entry_failed(struct tokens *t, struct entry *en, const struct token_reply *r,
                         int64_t now)
{
  en->failure = r->error;
  if (r->outcome == TOKEN_NEEDS_CONSENT) {
    /* What the dealer revoked is not served on, even if Google would still take it. */
    en->needs_consent = true;
    secret_unref(TAKE_PTR(en->access_token));
    return;
  }
  int64_t wait = backoff_next_ms(&en->backoff);
  if (r->outcome == TOKEN_OPERATOR_FAULT && wait < OPERATOR_BACKOFF_MIN_MS)
    wait = OPERATOR_BACKOFF_MIN_MS < t->options.backoff_max_ms ? OPERATOR_BACKOFF_MIN_MS
                                                               : t->options.backoff_max_ms;
  en->retry_ms = now + (wait > r->retry_after_ms ? wait : r->retry_after_ms);
}

static void entry_obtained(struct entry *en, struct token_reply *r)
{
  secret_unref(en->access_token);
  en->access_token = TAKE_PTR(r->access_token);
  if (r->refresh_token != NULL) {
    secret_unref(en->refresh_token);
    en->refresh_token = TAKE_PTR(r->refresh_token);
  }
  /* Life counts from the question, not the answer: a slow answer costs life. */
  en->obtained_ms = en->started_ms;
  en->expires_ms = en->started_ms + r->expires_in_s * 1000;
  en->failure = (struct err){0};
  en->retry_ms = 0;
  en->backoff.attempt = 0;
}

static void report_refresh(struct tokens *t, const struct entry *en, const struct token_reply *r)
{
  static const char *const names[] = {"ok", "passing", "needs_consent", "operator_fault"};
  metric_add(t->refreshes, 1, METRIC_LABELS(names[r->outcome]));
  if (t->options.on_refresh != NULL)
    t->options.on_refresh(t->options.user, en->account_id, r);
  if (r->outcome == TOKEN_OBTAINED)
    log_info("access token obtained", LOG_S("account_id", en->account_id),
             LOG_I("expires_in_s", r->expires_in_s));
  else
    log_warn("access token not obtained", LOG_S("account_id", en->account_id),
             LOG_S("result", names[r->outcome]), LOG_S("reason", r->error.reason),
             LOG_S("error", r->error.message));
}

/* Result for whoever asks now; the secret stays with the entry's reference count. */
static struct token_result entry_result(const struct entry *en)
{
  if (en->access_token == NULL)
    return (struct token_result){.error = en->failure};
  return (struct token_result){.access_token = secret_ref(en->access_token),
                               .expires_at = en->expires_at};
}

static void deliver(struct waiter *list, const struct token_result *result)
{
  while (list != NULL) {
    struct waiter *w = list;
    list = w->next;
    w->ready(w->user, result);
    free(w);
  }
}

static struct waiter *take_waiters(struct tokens *t, struct entry *en)
{
  struct waiter *list = TAKE_PTR(en->waiters);
  for (struct waiter *w = list; w != NULL; w = w->next)
    t->n_waiters--;
  return list;
}

/* A waiter must see the outcome of this refresh, also when an old token is still there. */
static void finish_refresh(struct entry *en, struct token_reply *reply, bool stale)
{
  struct tokens *t = en->owner;
  report_refresh(t, en, reply);
  pthread_mutex_lock(&t->lock);
  int64_t now = t->options.mono_ms();
  en->refreshing = false;
  if (stale)
    ; /* the credential changed meanwhile: this answer is another credential's */
  else if (reply->outcome == TOKEN_OBTAINED)
    entry_obtained(en, reply);
  else
    entry_failed(t, en, reply, now);
  if (!stale && en->access_token != NULL && reply->outcome == TOKEN_OBTAINED)
    en->expires_at = clock_unix_ms() / 1000 + (en->expires_ms - now) / 1000;
  struct token_result result = entry_result(en);
  if (stale)
    err_set(&result.error, ERR_UNAVAILABLE, "configuration_changed",
            "the dealer's credential changed during the refresh; ask again");
  struct waiter *list = take_waiters(t, en);
  pthread_mutex_unlock(&t->lock);
  deliver(list, &result);
  secret_unref(result.access_token);
}

/* ------------------------------------------------------------------- a refresh */

struct flight {
  uint32_t magic;
  struct entry *entry;
  struct credential *credential;
};
enum { FLIGHT_MAGIC = 0x70c3f119 };

static void flight_free(struct flight *f)
{
  credential_unref(f->credential);
  free(f);
}

static bool flight_is_stale(struct flight *f)
{
  struct tokens *t = f->entry->owner;
  pthread_mutex_lock(&t->lock);
  bool stale =
      memcmp(f->entry->credential->fingerprint, f->credential->fingerprint, SHA256_SIZE) != 0;
  pthread_mutex_unlock(&t->lock);
  return stale;
}

static void on_reply(void *user, struct token_reply *reply)
{
  struct flight *f = user;
  MAGIC_CHECK(f, FLIGHT_MAGIC);
  finish_refresh(f->entry, reply, flight_is_stale(f));
  flight_free(f);
}

/* Called without the lock, after `refreshing` was set under it. */
static void start_refresh(struct entry *en, struct credential *credential,
                          struct secret *refresh_token)
{
  struct flight *f = xcalloc(1, sizeof(*f));
  *f = (struct flight){FLIGHT_MAGIC, en, credential};
  struct token_reply reply = {.outcome = TOKEN_PASSING};
  enum err_code code = credential->kind->obtain(credential, &en->owner->options.env, refresh_token,
                                                on_reply, f, &reply.error);
  secret_unref(refresh_token);
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

/* ---------------------------------------------------------------------- callers */

static void drop_rejected(struct entry *en, const uint8_t *sha256, int64_t now)
{
  if (sha256 == NULL || !secret_has_sha256(en->access_token, sha256))
    return;
  /* A token that Google refuses as soon as it is made would otherwise turn every report
   * into a question to the token endpoint. */
  if (now - en->rejected_ms < REJECTION_INTERVAL_MS)
    return;
  en->rejected_ms = now;
  secret_unref(TAKE_PTR(en->access_token));
}

static bool is_valid(const struct entry *en, int64_t now)
{
  return en->access_token != NULL && now < en->expires_ms;
}

static bool is_due(const struct tokens *t, const struct entry *en, int64_t now)
{
  int64_t life = en->expires_ms - en->obtained_ms;
  int64_t ahead = (int64_t)t->options.refresh_ahead_s * 1000;
  return en->expires_ms - now < (ahead < life / 2 ? ahead : life / 2);
}

/* The known failure, with the time that is left to wait. */
static struct err failure_now(const struct entry *en, int64_t now)
{
  struct err e = en->failure;
  if (en->needs_consent)
    return e;
  int64_t s = (en->retry_ms - now + 999) / 1000;
  err_set(&e, en->failure.code, en->failure.reason, "%s; next attempt in %lld s",
          en->failure.message, (long long)s);
  return e;
}

static bool add_waiter(struct tokens *t, struct entry *en, uint64_t id, token_ready *ready,
                       void *user)
{
  if (t->n_waiters >= t->options.waiters_max)
    return false;
  struct waiter *w = xcalloc(1, sizeof(*w));
  *w = (struct waiter){en->waiters, id, ready, user};
  en->waiters = w;
  t->n_waiters++;
  return true;
}

/* What a call came to while the lock was held. */
struct decision {
  bool answer; /* result is set: call back now */
  bool start;  /* start a refresh */
  struct token_result result;
};

static struct decision decide(struct tokens *t, struct entry *en, int64_t now, uint64_t wait_id,
                              token_ready *ready, void *user)
{
  bool may_ask = !en->refreshing && !en->needs_consent && now >= en->retry_ms;
  if (is_valid(en, now))
    return (struct decision){true, may_ask && is_due(t, en, now), entry_result(en)};
  secret_unref(TAKE_PTR(en->access_token)); /* its time is over: nobody may get it now */
  if (en->needs_consent || (!en->refreshing && !may_ask))
    return (struct decision){.answer = true, .result.error = failure_now(en, now)};
  if (add_waiter(t, en, wait_id, ready, user))
    return (struct decision){.start = may_ask};
  struct decision d = {.answer = true};
  err_set(&d.result.error, ERR_RESOURCE_EXHAUSTED, "too_many_waiting",
          "%zu calls wait for access tokens already; try again in a second", t->n_waiters);
  return d;
}

void tokens_get(struct tokens *t, const char *account_id, struct credential *credential,
                const uint8_t *rejected_sha256, uint64_t wait_id, token_ready *ready, void *user)
{
  pthread_mutex_lock(&t->lock);
  int64_t now = t->options.mono_ms();
  struct entry *en = entry_get(t, account_id, credential);
  drop_rejected(en, rejected_sha256, now);
  struct decision d = decide(t, en, now, wait_id, ready, user);
  struct credential *c = NULL;
  struct secret *refresh = NULL;
  if (d.start) {
    en->refreshing = true;
    en->started_ms = now;
    c = credential_ref(en->credential);
    refresh = secret_ref(en->refresh_token);
  }
  pthread_mutex_unlock(&t->lock);
  if (d.answer) {
    ready(user, &d.result);
    secret_unref(d.result.access_token);
  }
  if (c != NULL)
    start_refresh(en, c, refresh);
}

uint64_t tokens_wait_id(struct tokens *t)
{
  pthread_mutex_lock(&t->lock);
  uint64_t id = ++t->last_wait_id;
  pthread_mutex_unlock(&t->lock);
  return id;
}

static struct waiter *unlink_waiter(struct tokens *t, struct entry *en, uint64_t id)
{
  for (struct waiter **p = &en->waiters; *p != NULL; p = &(*p)->next)
    if ((*p)->id == id) {
      struct waiter *w = *p;
      *p = w->next;
      w->next = NULL;
      t->n_waiters--;
      return w;
    }
  return NULL;
}

void tokens_abandon(struct tokens *t, const char *account_id, uint64_t wait_id)
{
  pthread_mutex_lock(&t->lock);
  struct entry *en = entry_find(t, account_id);
  struct waiter *w = en != NULL ? unlink_waiter(t, en, wait_id) : NULL;
  pthread_mutex_unlock(&t->lock);
  struct token_result result = {0};
  err_set(&result.error, ERR_CANCELLED, "cancelled", "the caller stopped waiting");
  deliver(w, &result);
}

bool tokens_holds(struct tokens *t, const char *account_id, const struct credential *credential,
                  const uint8_t digest[SHA256_SIZE])
{
  bool configured = credential_holds(credential, digest);
  pthread_mutex_lock(&t->lock);
  const struct entry *en = entry_find(t, account_id);
  bool same = en != NULL && en->credential != NULL &&
              memcmp(en->credential->fingerprint, credential->fingerprint, SHA256_SIZE) == 0;
  bool replaced = same && secret_has_sha256(en->refresh_token, digest);
  bool access =
      same && secret_has_sha256(en->access_token, digest) && t->options.mono_ms() < en->expires_ms;
  /* A refresh token that was replaced proves nothing any more. */
  bool current = configured && !(same && en->refresh_token != NULL);
  pthread_mutex_unlock(&t->lock);
  return current || replaced || access;
}

size_t tokens_needing_consent(struct tokens *t)
{
  size_t n = 0;
  pthread_mutex_lock(&t->lock);
  for (size_t i = 0; i < BUCKETS; i++)
    for (const struct entry *en = t->buckets[i]; en != NULL; en = en->next)
      n += en->needs_consent;
  pthread_mutex_unlock(&t->lock);
  return n;
}
