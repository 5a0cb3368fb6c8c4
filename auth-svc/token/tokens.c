/* Token cache: accounts, callers, waiters without threads. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "auth-svc/token/internal.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { REJECTION_INTERVAL_MS = 5000 };

/* CLOCK_MONOTONIC stands still while a machine sleeps, tokens do not. */
static int64_t boot_ms(void)
{
  struct timespec t;
  clock_gettime(CLOCK_BOOTTIME, &t);
  return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static uint32_t or_default(uint32_t value, uint32_t fallback)
{
  return value != 0 ? value : fallback;
}

static void fill_in(struct tokens_options *o)
{
  o->refresh_ahead_s = or_default(o->refresh_ahead_s, 300);
  o->in_use_s = or_default(o->in_use_s, 5400);
  o->tick_ms = or_default(o->tick_ms, 1000);
  o->waiters_max = o->waiters_max != 0 ? o->waiters_max : 4096;
  o->backoff_base_ms = or_default(o->backoff_base_ms, 1000);
  o->backoff_max_ms = or_default(o->backoff_max_ms, 60000);
  o->operator_backoff_ms = or_default(o->operator_backoff_ms, 600000);
  o->mono_ms = o->mono_ms != NULL ? o->mono_ms : boot_ms;
  o->unix_ms = o->unix_ms != NULL ? o->unix_ms : clock_unix_ms;
}

static const char *const state_names[ACCOUNT_STATES] = {
    "", "idle", "ok", "failing", "misconfigured", "needs_reconsent"};

struct tokens *tokens_new(const struct tokens_options *options)
{
  struct tokens *t = xcalloc(1, sizeof(*t));
  pthread_mutex_init(&t->lock, NULL);
  t->options = *options;
  fill_in(&t->options);
  t->refreshes =
      metrics_counter("auth_token_refreshes_total",
                      "Questions to token endpoints, by what they came to.", "result", NULL);
  t->rotations =
      metrics_counter("auth_refresh_token_rotations_total",
                      "New refresh tokens received, by where they are kept.", "kept", NULL);
  t->accounts = metrics_gauge("auth_accounts", "Accounts asked for since the start, by state.",
                              "state", NULL);
  for (int state = ACCOUNT_UNSEEN + 1; state < ACCOUNT_STATES; state++)
    metric_add(t->accounts, 0, METRIC_LABELS(state_names[state]));
  return t;
}

/* ------------------------------------------------------------------------- accounts */

bool entry_needs_consent(const struct entry *en)
{
  return en->outcome == TOKEN_NEEDS_CONSENT;
}

bool entry_is_valid(const struct entry *en, int64_t now)
{
  return en->access_token != NULL && now < en->expires_ms;
}

static enum account_state state_of(const struct entry *en)
{
  if (entry_needs_consent(en))
    return ACCOUNT_NEEDS_RECONSENT;
  if (en->outcome == TOKEN_OPERATOR_FAULT)
    return ACCOUNT_MISCONFIGURED;
  if (en->failure.code != ERR_OK)
    return ACCOUNT_FAILING;
  return en->access_token != NULL ? ACCOUNT_OK : ACCOUNT_IDLE;
}

static void count_as(struct entry *en, enum account_state state)
{
  if (en->counted_as == state)
    return;
  if (en->counted_as != ACCOUNT_UNSEEN)
    metric_add(en->owner->accounts, -1, METRIC_LABELS(state_names[en->counted_as]));
  if (state != ACCOUNT_UNSEEN)
    metric_add(en->owner->accounts, 1, METRIC_LABELS(state_names[state]));
  en->counted_as = state;
}

void entry_count(struct entry *en)
{
  count_as(en, en->removed ? ACCOUNT_UNSEEN : state_of(en));
}

void entry_free(struct entry *en)
{
  count_as(en, ACCOUNT_UNSEEN);
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
  for (size_t i = 0; i < TOKENS_BUCKETS; i++)
    while (t->buckets[i] != NULL) {
      struct entry *en = t->buckets[i];
      t->buckets[i] = en->next;
      entry_free(en);
    }
  pthread_mutex_destroy(&t->lock);
  free(t);
}

/* FNV-1a: account ids come from configuration, not from callers. */
static struct entry **bucket_of(struct tokens *t, const char *account_id)
{
  uint64_t h = 1469598103934665603u;
  for (const char *p = account_id; *p != '\0'; p++)
    h = (h ^ (unsigned char)*p) * 1099511628211u;
  return &t->buckets[h % TOKENS_BUCKETS];
}

static struct entry *entry_find(struct tokens *t, const char *account_id)
{
  struct entry *en = *bucket_of(t, account_id);
  while (en != NULL && strcmp(en->account_id, account_id) != 0)
    en = en->next;
  return en;
}

static bool same_credential(const struct credential *a, const struct credential *b)
{
  return memcmp(a->fingerprint, b->fingerprint, SHA256_SIZE) == 0;
}

static struct secret *kept_token(const struct tokens *t, const char *account_id,
                                 const struct credential *c)
{
  return t->options.store != NULL ? token_store_get(t->options.store, account_id, c->fingerprint)
                                  : NULL;
}

/* A changed credential starts afresh: nothing of the old one may outlive it. Those who wait
 * wait for the old one; they are handed back to be told. */
static struct waiter *entry_use_credential(struct entry *en, struct credential *c)
{
  bool same = en->credential != NULL && same_credential(en->credential, c);
  credential_ref(c);
  credential_unref(en->credential);
  en->credential = c;
  if (same)
    return NULL;
  secret_unref(en->refresh_token);
  en->refresh_token = kept_token(en->owner, en->account_id, c);
  secret_unref(TAKE_PTR(en->access_token));
  en->flight = NULL; /* what it brings is another credential's; nobody waits for it */
  en->unstored = false;
  en->outcome = TOKEN_OBTAINED;
  en->failure = (struct err){0};
  en->retry_ms = 0;
  en->backoff.attempt = 0;
  entry_count(en);
  return entry_take_waiters(en);
}

static struct entry *entry_new(struct tokens *t, const char *account_id, struct credential *c)
{
  struct entry *en = xcalloc(1, sizeof(*en)), **bucket = bucket_of(t, account_id);
  en->owner = t;
  en->account_id = xstrdup(account_id);
  en->rejected_ms = INT64_MIN / 2;
  en->backoff = (struct backoff){t->options.backoff_base_ms, t->options.backoff_max_ms, 0};
  en->next = *bucket;
  *bucket = en;
  entry_use_credential(en, c);
  return en;
}

/* The account's entry under the credential the caller found in the configuration; NULL when
 * that configuration is not the current one and says otherwise. */
static struct entry *entry_get(struct tokens *t, const char *account_id, struct credential *c,
                               struct waiter **outdated)
{
  struct entry *en = entry_find(t, account_id);
  if (en == NULL)
    return c->generation < t->generation ? NULL : entry_new(t, account_id, c);
  if (c != en->credential && c->generation >= en->credential->generation)
    *outdated = entry_use_credential(en, c);
  return same_credential(en->credential, c) ? en : NULL;
}

struct token_result entry_result(const struct entry *en, int64_t now)
{
  struct token_result r = {0};
  if (entry_is_valid(en, now)) {
    /* Worked out anew each time: the wall clock may have been put right meanwhile. */
    int64_t unix_ms = en->owner->options.unix_ms();
    r.access_token = secret_ref(en->access_token);
    r.expires_at = (unix_ms + en->expires_ms - now) / 1000;
    return r;
  }
  r.error = en->failure;
  if (r.error.code == ERR_OK)
    err_set(&r.error, ERR_UNAVAILABLE, "token_endpoint_unavailable",
            "the token endpoint took longer to answer than its token lives; try again");
  return r;
}

/* -------------------------------------------------------------------------- waiters */

void waiters_deliver(struct waiter *list, const struct token_result *result)
{
  while (list != NULL) {
    struct waiter *w = list;
    list = w->next;
    w->ready(w->user, result);
    free(w);
  }
}

struct waiter *entry_take_waiters(struct entry *en)
{
  struct waiter *list = TAKE_PTR(en->waiters);
  for (struct waiter *w = list; w != NULL; w = w->next)
    en->owner->n_waiters--;
  return list;
}

static struct token_result changed_meanwhile(void)
{
  struct token_result r = {0};
  err_set(&r.error, ERR_ABORTED, "configuration_changed",
          "the dealer's credential changed meanwhile; ask again");
  return r;
}

static bool add_waiter(struct entry *en, uint64_t id, token_ready *ready, void *user)
{
  struct tokens *t = en->owner;
  if (t->n_waiters >= t->options.waiters_max)
    return false;
  struct waiter *w = xcalloc(1, sizeof(*w));
  *w = (struct waiter){en->waiters, id, ready, user};
  en->waiters = w;
  t->n_waiters++;
  return true;
}

static struct waiter *unlink_waiter(struct entry *en, uint64_t id)
{
  for (struct waiter **p = &en->waiters; *p != NULL; p = &(*p)->next)
    if ((*p)->id == id) {
      struct waiter *w = *p;
      *p = w->next;
      w->next = NULL;
      en->owner->n_waiters--;
      return w;
    }
  return NULL;
}

/* -------------------------------------------------------------------- configuration */

/* Takes an entry out of its bucket; frees it unless a refresh still needs it. */
static struct waiter *entry_remove(struct entry **place)
{
  struct entry *en = *place;
  struct waiter *list = entry_take_waiters(en);
  *place = en->next;
  en->removed = true;
  en->flight = NULL;
  secret_unref(TAKE_PTR(en->access_token));
  secret_unref(TAKE_PTR(en->refresh_token));
  entry_count(en);
  if (en->n_flights == 0)
    entry_free(en);
  return list;
}

static void forgive_operator(struct entry *en)
{
  if (en->outcome == TOKEN_OPERATOR_FAULT)
    en->retry_ms = 0;
}

void tokens_configure(struct tokens *t, uint64_t generation,
                      struct credential *(*find)(void *user, const char *account_id), void *user,
                      struct tokens_changes *changes)
{
  *changes = (struct tokens_changes){0};
  struct token_result result = changed_meanwhile();
  pthread_mutex_lock(&t->lock);
  t->generation = generation;
  for (size_t i = 0; i < TOKENS_BUCKETS; i++)
    for (struct entry **p = &t->buckets[i]; *p != NULL;) {
      struct entry *en = *p;
      struct credential *c = find(user, en->account_id);
      struct waiter *outdated = NULL;
      if (c == NULL) {
        changes->removed++;
        outdated = entry_remove(p);
      } else {
        changes->changed += !same_credential(en->credential, c);
        outdated = entry_use_credential(en, c);
        forgive_operator(en);
        p = &en->next;
      }
      if (outdated != NULL) {
        pthread_mutex_unlock(&t->lock);
        waiters_deliver(outdated, &result);
        pthread_mutex_lock(&t->lock);
        p = &t->buckets[i]; /* it may look otherwise by now; what is done stays done */
      }
    }
  pthread_mutex_unlock(&t->lock);
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

/* The known failure, with the time that is left to wait. */
static struct err failure_now(const struct entry *en, int64_t now)
{
  struct err e = en->failure;
  if (entry_needs_consent(en) || en->unstored)
    return e;
  int64_t s = (en->retry_ms - now + 999) / 1000;
  err_set(&e, en->failure.code, en->failure.reason, "%s; next attempt in %lld s",
          en->failure.message, (long long)s);
  return e;
}

/* What a call came to while the lock was held. */
struct decision {
  bool answer; /* result is set: call back now */
  struct flight *start;
  struct token_result result;
};

static struct decision decide(struct entry *en, int64_t now, uint64_t wait_id, token_ready *ready,
                              void *user)
{
  struct tokens *t = en->owner;
  bool may_ask = en->flight == NULL && !entry_needs_consent(en) && now >= en->retry_ms;
  struct decision d = {.answer = true};
  if (entry_is_valid(en, now)) {
    d.result = entry_result(en, now);
    d.start = may_ask && now >= en->refresh_ms ? flight_prepare(en, false, now) : NULL;
    return d;
  }
  secret_unref(TAKE_PTR(en->access_token)); /* its time is over: nobody may get it now */
  if (en->unstored || (en->flight == NULL && !may_ask)) {
    d.result.error = failure_now(en, now);
  } else if (add_waiter(en, wait_id, ready, user)) {
    d.answer = false;
    d.start = may_ask ? flight_prepare(en, false, now) : NULL;
  } else {
    err_set(&d.result.error, ERR_RESOURCE_EXHAUSTED, "too_many_waiting",
            "%zu calls wait for access tokens already; try again in a second", t->n_waiters);
  }
  return d;
}

bool tokens_try(struct tokens *t, const char *account_id, const struct credential *credential,
                struct token_result *out)
{
  pthread_mutex_lock(&t->lock);
  int64_t now = t->options.mono_ms();
  struct entry *en = entry_find(t, account_id);
  bool held =
      en != NULL && en->credential == credential && entry_is_valid(en, now) && now < en->refresh_ms;
  if (held) {
    en->used_ms = now;
    *out = entry_result(en, now);
  }
  pthread_mutex_unlock(&t->lock);
  return held;
}

void tokens_get(struct tokens *t, const char *account_id, struct credential *credential,
                const uint8_t *rejected_sha256, uint64_t wait_id, token_ready *ready, void *user)
{
  struct waiter *outdated = NULL;
  const struct token_result changed = changed_meanwhile();
  struct decision d = {.answer = true, .result = changed};
  pthread_mutex_lock(&t->lock);
  int64_t now = t->options.mono_ms();
  struct entry *en = entry_get(t, account_id, credential, &outdated);
  if (en != NULL) {
    en->used_ms = now;
    drop_rejected(en, rejected_sha256, now);
    d = decide(en, now, wait_id, ready, user);
    entry_count(en);
  }
  pthread_mutex_unlock(&t->lock);
  waiters_deliver(outdated, &changed);
  if (d.answer) {
    ready(user, &d.result);
    secret_unref(d.result.access_token);
  }
  flight_start(d.start);
}

uint64_t tokens_wait_id(struct tokens *t)
{
  pthread_mutex_lock(&t->lock);
  uint64_t id = ++t->last_wait_id;
  pthread_mutex_unlock(&t->lock);
  return id;
}

void tokens_abandon(struct tokens *t, const char *account_id, uint64_t wait_id)
{
  pthread_mutex_lock(&t->lock);
  struct entry *en = entry_find(t, account_id);
  struct waiter *w = en != NULL ? unlink_waiter(en, wait_id) : NULL;
  pthread_mutex_unlock(&t->lock);
  struct token_result result = {0};
  err_set(&result.error, ERR_CANCELLED, "cancelled", "the caller stopped waiting");
  waiters_deliver(w, &result);
}

bool tokens_holds(struct tokens *t, const char *account_id, const struct credential *credential,
                  const uint8_t digest[SHA256_SIZE])
{
  bool configured = credential_holds(credential, digest);
  AUTO_SECRET struct secret *replacement = NULL;
  pthread_mutex_lock(&t->lock);
  const struct entry *en = entry_find(t, account_id);
  if (en != NULL && same_credential(en->credential, credential))
    replacement = secret_ref(en->refresh_token);
  else
    replacement = kept_token(t, account_id, credential);
  pthread_mutex_unlock(&t->lock);
  /* A refresh token that was replaced proves nothing any more. */
  return replacement != NULL ? secret_has_sha256(replacement, digest) : configured;
}

const char *tokens_bad_standing(struct tokens *t, const char *account_id,
                                const struct credential *credential)
{
  enum account_state state = ACCOUNT_IDLE;
  pthread_mutex_lock(&t->lock);
  const struct entry *en = entry_find(t, account_id);
  if (en != NULL && same_credential(en->credential, credential))
    state = state_of(en);
  pthread_mutex_unlock(&t->lock);
  return state == ACCOUNT_NEEDS_RECONSENT || state == ACCOUNT_MISCONFIGURED ? state_names[state]
                                                                            : NULL;
}

/* ------------------------------------------------------------------------- operators */

size_t tokens_needing_consent(struct tokens *t)
{
  size_t n = 0;
  pthread_mutex_lock(&t->lock);
  for (size_t i = 0; i < TOKENS_BUCKETS; i++)
    for (const struct entry *en = t->buckets[i]; en != NULL; en = en->next)
      n += entry_needs_consent(en);
  pthread_mutex_unlock(&t->lock);
  return n;
}

void tokens_describe(struct tokens *t, struct buf *detail)
{
  enum { NAMED = 5 };
  size_t n = 0;
  AUTO_BUF struct buf names = BUF_INIT(4096);
  pthread_mutex_lock(&t->lock);
  for (size_t i = 0; i < TOKENS_BUCKETS; i++)
    for (const struct entry *en = t->buckets[i]; en != NULL; en = en->next)
      if (entry_needs_consent(en) && n++ < NAMED)
        buf_printf(&names, "%s%s", n > 1 ? ", " : ": ", en->account_id);
  pthread_mutex_unlock(&t->lock);
  buf_printf(detail, "%s accounts: %zu need re-consent%s%s\n", n > 0 ? "warn" : "ok", n,
             buf_str(&names), n > NAMED ? ", ..." : "");
}
