/* Token cache: what callers ask and configuration changes.
 *
 * Three files. account.c is one account: the credential it has, the token that came of it, when
 * that is due and ends, and the list of those who wait. refresh.c is one refresh (a "flight"), from
 * the question to the token in use, and the timer that starts those that are due. This file holds
 * the table of accounts and decides what a call comes to. Calls go one way: tokens.c to refresh.c
 * to account.c.
 *
 * One lock guards all accounts; it is never held while somebody is called: what a call comes to is
 * a `decision` taken under the lock and carried out after it, and waiters are taken out of their
 * list under the lock and called after it. So a callback may call in here again.
 *
 * An account has at most one flight that counts (account->flight). A changed credential lets go of
 * it: the flight still ends, and what it brings is dropped, since it no longer is the account's.
 * n_flights keeps the account's memory until the last of them has ended.
 *
 * Callers come with the credential that they found in their snapshot of the configuration. Its
 * generation decides which of two is the current one, so that an old snapshot cannot bring an old
 * credential back. */
#include <stdio.h>
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
  o->in_use_s = or_default(o->in_use_s, 5400);
  o->tick_ms = or_default(o->tick_ms, 1000);
  o->waiters_max = o->waiters_max != 0 ? o->waiters_max : 4096;
  o->backoff_base_ms = or_default(o->backoff_base_ms, 1000);
  o->backoff_max_ms = or_default(o->backoff_max_ms, 60000);
  o->mono_ms = o->mono_ms != NULL ? o->mono_ms : boot_ms;
  o->unix_ms = o->unix_ms != NULL ? o->unix_ms : clock_unix_ms;
}

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
  t->accounts = account_states_metric();
  return t;
}

/* ------------------------------------------------------------------------- accounts */

void tokens_free(struct tokens *t)
{
  if (t == NULL)
    return;
  for (struct map_node *n = map_first(&t->table); n != NULL;) {
    struct account *a = CONTAINER_OF(n, struct account, in_table);
    n = map_next(&t->table, n);
    account_free(a);
  }
  map_free(&t->table);
  pthread_mutex_destroy(&t->lock);
  free(t);
}

static struct account *find_account(const struct tokens *t, const char *account_id)
{
  struct map_node *n = map_find_text(&t->table, account_id);
  return n != NULL ? CONTAINER_OF(n, struct account, in_table) : NULL;
}

static struct account *add_account(struct tokens *t, const char *account_id, struct credential *c)
{
  struct account *a = account_new(t, account_id, c);
  map_add_text(&t->table, &a->in_table, a->account_id);
  return a;
}

/* The account under the credential the caller found in the configuration; NULL when
 * that configuration is not the current one and says otherwise. */
static struct account *current_account(struct tokens *t, const char *account_id,
                                       struct credential *c, struct waiter **outdated)
{
  struct account *a = find_account(t, account_id);
  if (a == NULL)
    return c->generation < t->generation ? NULL : add_account(t, account_id, c);
  if (c != a->credential && c->generation >= a->credential->generation)
    *outdated = account_use_credential(a, c);
  return account_has_credential(a, c) ? a : NULL;
}

static struct token_result changed_meanwhile(void)
{
  struct token_result r = {0};
  err_set(&r.error, ERR_ABORTED, "configuration_changed",
          "the dealer's credential changed meanwhile; ask again");
  return r;
}

/* -------------------------------------------------------------------- configuration */

static void forgive_operator(struct account *a)
{
  if (a->outcome == TOKEN_OPERATOR_FAULT)
    a->retry_ms = 0;
}

static void add_all(struct waiter **to, struct waiter *list)
{
  while (list != NULL) {
    struct waiter *w = list;
    list = w->next;
    w->next = *to;
    *to = w;
  }
}

void tokens_configure(struct tokens *t, uint64_t generation,
                      struct credential *(*find)(void *user, const char *account_id), void *user,
                      struct tokens_changes *changes)
{
  const struct token_result result = changed_meanwhile();
  struct waiter *outdated = NULL;
  *changes = (struct tokens_changes){0};
  pthread_mutex_lock(&t->lock);
  t->generation = generation;
  for (struct map_node *n = map_first(&t->table); n != NULL;) {
    struct account *a = CONTAINER_OF(n, struct account, in_table);
    struct credential *c = find(user, a->account_id);
    n = map_next(&t->table, n);
    if (c == NULL) {
      changes->removed++;
      map_remove(&t->table, &a->in_table);
      add_all(&outdated, account_remove(a));
      continue;
    }
    changes->changed += !account_has_credential(a, c);
    add_all(&outdated, account_use_credential(a, c));
    forgive_operator(a);
  }
  pthread_mutex_unlock(&t->lock);
  waiters_deliver(outdated, &result);
}

/* ---------------------------------------------------------------------- callers */

static void drop_rejected(struct account *a, const uint8_t *sha256, int64_t now)
{
  if (sha256 == NULL || !secret_has_sha256(a->access_token, sha256))
    return;
  /* A token that Google refuses as soon as it is made would otherwise turn every report
   * into a question to the token endpoint. */
  if (now - a->rejected_ms < REJECTION_INTERVAL_MS)
    return;
  a->rejected_ms = now;
  secret_unref(TAKE_PTR(a->access_token));
}

/* The known failure, with the time that is left to wait. */
static struct err failure_now(const struct account *a, int64_t now)
{
  struct err e = a->failure;
  if (account_needs_consent(a) || a->unstored)
    return e;
  int64_t s = (a->retry_ms - now + 999) / 1000;
  err_set(&e, a->failure.code, a->failure.reason, "%s; next attempt in %lld s", a->failure.message,
          (long long)s);
  return e;
}

/* What a call came to while the lock was held. */
struct decision {
  bool answer; /* result is set: call back now */
  struct flight *start;
  struct token_result result;
};

static struct decision decide(struct account *a, int64_t now, uint64_t wait_id, token_ready *ready,
                              void *user)
{
  struct tokens *t = a->owner;
  bool may_ask = a->flight == NULL && !account_needs_consent(a) && now >= a->retry_ms;
  struct decision d = {.answer = true};
  if (account_is_valid(a, now)) {
    d.result = account_result(a, now);
    d.start = may_ask && now >= a->refresh_ms ? flight_prepare(a, false, now) : NULL;
    return d;
  }
  secret_unref(TAKE_PTR(a->access_token)); /* its time is over: nobody may get it now */
  if (a->unstored || (a->flight == NULL && !may_ask)) {
    d.result.error = failure_now(a, now);
  } else if (account_add_waiter(a, wait_id, ready, user)) {
    d.answer = false;
    d.start = may_ask ? flight_prepare(a, false, now) : NULL;
  } else {
    err_set(&d.result.error, ERR_RESOURCE_EXHAUSTED, "too_many_waiting",
            "%zu calls are waiting for access tokens already; try again in a second", t->n_waiters);
  }
  return d;
}

bool tokens_try(struct tokens *t, const char *account_id, const struct credential *credential,
                struct token_result *out)
{
  pthread_mutex_lock(&t->lock);
  int64_t now = t->options.mono_ms();
  struct account *a = find_account(t, account_id);
  bool held =
      a != NULL && a->credential == credential && account_is_valid(a, now) && now < a->refresh_ms;
  if (held) {
    a->used_ms = now;
    *out = account_result(a, now);
  }
  pthread_mutex_unlock(&t->lock);
  log_debug("cache", LOG_S("of", "access tokens"), LOG_S("account", account_id),
            LOG_S("result", held ? "hit" : "miss"));
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
  struct account *a = current_account(t, account_id, credential, &outdated);
  if (a != NULL) {
    a->used_ms = now;
    drop_rejected(a, rejected_sha256, now);
    d = decide(a, now, wait_id, ready, user);
    account_count(a);
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
  struct account *a = find_account(t, account_id);
  struct waiter *w = a != NULL ? account_take_waiter(a, wait_id) : NULL;
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
  const struct account *a = find_account(t, account_id);
  if (a != NULL && account_has_credential(a, credential))
    replacement = secret_ref(a->refresh_token);
  else
    replacement = account_kept_token(t, account_id, credential);
  pthread_mutex_unlock(&t->lock);
  /* A refresh token that was replaced proves nothing any more. */
  return replacement != NULL ? secret_has_sha256(replacement, digest) : configured;
}

const char *tokens_bad_standing(struct tokens *t, const char *account_id,
                                const struct credential *credential)
{
  pthread_mutex_lock(&t->lock);
  const struct account *a = find_account(t, account_id);
  const char *standing =
      a != NULL && account_has_credential(a, credential) ? account_bad_standing(a) : NULL;
  pthread_mutex_unlock(&t->lock);
  return standing;
}

/* ------------------------------------------------------------------------- operators */

void tokens_standing_of(struct tokens *t, const char *account_id,
                        const struct credential *credential, struct tokens_standing *out)
{
  *out = (struct tokens_standing){.state = "idle"};
  pthread_mutex_lock(&t->lock);
  const struct account *a = find_account(t, account_id);
  if (a != NULL && account_has_credential(a, credential)) {
    out->state = account_state_name(a);
    out->obtained_at = a->obtained_unix_s;
    snprintf(out->reason, sizeof(out->reason), "%s",
             a->failure.code != ERR_OK ? a->failure.reason : "");
  }
  pthread_mutex_unlock(&t->lock);
}

void tokens_describe(struct tokens *t, struct buf *detail)
{
  size_t n = 0;
  pthread_mutex_lock(&t->lock);
  for (struct map_node *m = map_first(&t->table); m != NULL; m = map_next(&t->table, m))
    n += account_needs_consent(CONTAINER_OF(m, struct account, in_table));
  pthread_mutex_unlock(&t->lock);
  buf_printf(detail, "%s accounts: %zu need re-consent%s\n", n > 0 ? "warn" : "ok", n,
             n > 0 ? "; the log names them" : "");
}
