/* One account of the token cache: its credential, its token, who waits for it. */
#include <stdlib.h>
#include <string.h>

#include "auth-svc/token/internal.h"
#include "common/base/log.h"
#include "common/base/mem.h"

static const char *const state_names[ACCOUNT_STATES] = {
    "", "idle", "ok", "failing", "misconfigured", "needs_reconsent"};

struct metric *account_states_metric(void)
{
  struct metric *m = metrics_gauge("auth_accounts", "Accounts asked for since the start, by state.",
                                   "state", NULL);
  for (int state = ACCOUNT_UNSEEN + 1; state < ACCOUNT_STATES; state++)
    metric_add(m, 0, METRIC_LABELS(state_names[state]));
  return m;
}

bool account_needs_consent(const struct account *a)
{
  return a->outcome == TOKEN_NEEDS_CONSENT;
}

bool account_is_valid(const struct account *a, int64_t now)
{
  return a->access_token != NULL && now < a->expires_ms;
}

static enum account_state state_of(const struct account *a)
{
  if (account_needs_consent(a))
    return ACCOUNT_NEEDS_RECONSENT;
  if (a->outcome == TOKEN_OPERATOR_FAULT)
    return ACCOUNT_MISCONFIGURED;
  if (a->failure.code != ERR_OK)
    return ACCOUNT_FAILING;
  return a->access_token != NULL ? ACCOUNT_OK : ACCOUNT_IDLE;
}

static bool is_bad(enum account_state state)
{
  return state == ACCOUNT_NEEDS_RECONSENT || state == ACCOUNT_MISCONFIGURED;
}

const char *account_state_name(const struct account *a)
{
  return state_names[state_of(a)];
}

const char *account_bad_standing(const struct account *a)
{
  enum account_state state = state_of(a);
  return is_bad(state) ? state_names[state] : NULL;
}

/* Of states that want a person, once for each change: /readyz shows numbers alone. */
static void log_change(const struct account *a, enum account_state state)
{
  if (is_bad(state))
    log_warn("an account is not in good standing", LOG_S("account_id", a->account_id),
             LOG_S("state", state_names[state]));
  else if (is_bad(a->counted_as) && state != ACCOUNT_UNSEEN)
    log_info("an account is in good standing again", LOG_S("account_id", a->account_id));
}

static void count_as(struct account *a, enum account_state state)
{
  if (a->counted_as == state)
    return;
  log_change(a, state);
  if (a->counted_as != ACCOUNT_UNSEEN)
    metric_add(a->owner->accounts, -1, METRIC_LABELS(state_names[a->counted_as]));
  if (state != ACCOUNT_UNSEEN)
    metric_add(a->owner->accounts, 1, METRIC_LABELS(state_names[state]));
  a->counted_as = state;
}

void account_count(struct account *a)
{
  count_as(a, a->removed ? ACCOUNT_UNSEEN : state_of(a));
}

void account_free(struct account *a)
{
  count_as(a, ACCOUNT_UNSEEN);
  credential_unref(a->credential);
  secret_unref(a->refresh_token);
  secret_unref(a->access_token);
  free(a->account_id);
  free(a);
}

/* ----------------------------------------------------------------------- credential */

bool account_has_credential(const struct account *a, const struct credential *c)
{
  return memcmp(a->credential->fingerprint, c->fingerprint, SHA256_SIZE) == 0;
}

struct secret *account_kept_token(const struct tokens *t, const char *account_id,
                                  const struct credential *c)
{
  return t->options.store != NULL ? token_store_get(t->options.store, account_id, c->fingerprint)
                                  : NULL;
}

struct waiter *account_use_credential(struct account *a, struct credential *c)
{
  bool same = a->credential != NULL && account_has_credential(a, c);
  credential_ref(c);
  credential_unref(a->credential);
  a->credential = c;
  if (same)
    return NULL;
  secret_unref(a->refresh_token);
  a->refresh_token = account_kept_token(a->owner, a->account_id, c);
  secret_unref(TAKE_PTR(a->access_token));
  a->flight = NULL; /* what it brings is another credential's; nobody waits for it */
  a->unstored = false;
  a->obtained_unix_s = 0;
  a->outcome = TOKEN_OBTAINED;
  a->failure = (struct err){0};
  a->retry_ms = 0;
  a->backoff.attempt = 0;
  account_count(a);
  return account_take_waiters(a);
}

struct account *account_new(struct tokens *t, const char *account_id, struct credential *c)
{
  struct account *a = xcalloc(1, sizeof(*a));
  a->owner = t;
  a->account_id = xstrdup(account_id);
  a->rejected_ms = INT64_MIN / 2;
  a->backoff = (struct backoff){t->options.backoff_base_ms, t->options.backoff_max_ms, 0};
  account_use_credential(a, c);
  return a;
}

struct waiter *account_remove(struct account *a)
{
  struct waiter *list = account_take_waiters(a);
  a->removed = true;
  a->flight = NULL;
  secret_unref(TAKE_PTR(a->access_token));
  secret_unref(TAKE_PTR(a->refresh_token));
  account_count(a);
  if (a->n_flights == 0)
    account_free(a);
  return list;
}

struct token_result account_result(const struct account *a, int64_t now)
{
  struct token_result r = {0};
  if (account_is_valid(a, now)) {
    /* Worked out each time: the wall clock may have been put right meanwhile. */
    int64_t unix_ms = a->owner->options.unix_ms();
    r.access_token = secret_ref(a->access_token);
    r.expires_at = (unix_ms + a->expires_ms - now) / 1000;
    return r;
  }
  r.error = a->failure;
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

struct waiter *account_take_waiters(struct account *a)
{
  struct waiter *list = TAKE_PTR(a->waiters);
  for (struct waiter *w = list; w != NULL; w = w->next)
    a->owner->n_waiters--;
  return list;
}

bool account_add_waiter(struct account *a, uint64_t id, token_ready *ready, void *user)
{
  struct tokens *t = a->owner;
  if (t->n_waiters >= t->options.waiters_max)
    return false;
  struct waiter *w = xcalloc(1, sizeof(*w));
  *w = (struct waiter){a->waiters, id, ready, user};
  a->waiters = w;
  t->n_waiters++;
  return true;
}

struct waiter *account_take_waiter(struct account *a, uint64_t id)
{
  for (struct waiter **p = &a->waiters; *p != NULL; p = &(*p)->next)
    if ((*p)->id == id) {
      struct waiter *w = *p;
      *p = w->next;
      w->next = NULL;
      a->owner->n_waiters--;
      return w;
    }
  return NULL;
}
