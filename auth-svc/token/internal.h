/* The inside of the token cache: the cache, one account with its credential, its token and who
 * waits for it, and a refresh. Nobody outside the cache includes this. What takes an account needs
 * the cache's lock unless it says otherwise. */
#ifndef AMCP_AUTH_TOKENS_INTERNAL_H
#define AMCP_AUTH_TOKENS_INTERNAL_H

#include <pthread.h>

#include "auth-svc/token/tokens.h"
#include "common/base/backoff.h"
#include "common/base/map.h"
#include "common/base/metrics.h"

enum { TOKENS_BACKGROUND_MAX = 32 };

struct tokens {
  struct tokens_options options;
  struct metric *refreshes, *rotations, *accounts;
  pthread_mutex_t lock;
  /* Guarded by lock: */
  struct map table; /* of accounts, by account_id */
  size_t n_waiters;
  size_t n_background; /* refreshes under way that nobody asked for */
  uint64_t last_wait_id;
  uint64_t generation; /* of the configuration set last; 0 when none was */
};

/* A caller that waits for a refresh. */
struct waiter {
  struct waiter *next;
  uint64_t id;
  token_ready *ready;
  void *user;
};

/* As the metric auth_accounts counts them. */
enum account_state {
  ACCOUNT_UNSEEN, /* not counted yet */
  ACCOUNT_IDLE,   /* no token, and no reason why there could not be one */
  ACCOUNT_OK,
  ACCOUNT_FAILING, /* the last attempt failed for a passing reason */
  ACCOUNT_MISCONFIGURED,
  ACCOUNT_NEEDS_RECONSENT,
  ACCOUNT_STATES
};

/* Guarded by the cache's lock. Freed when it was removed and the last refresh has ended. */
struct account {
  struct tokens *owner;
  struct map_node in_table;
  char *account_id;
  bool removed; /* from the table; the last refresh under way frees it */
  struct credential *credential;
  struct secret *refresh_token; /* replaces the configured one; NULL when none came */
  struct secret *access_token;
  int64_t expires_ms;         /* on the cache's clock, like all below */
  int64_t obtained_unix_s;    /* when the endpoint gave one last; 0: never */
  int64_t refresh_ms;         /* when it is due */
  int64_t used_ms;            /* when it was last asked for */
  int64_t rejected_ms;        /* when a rejection was last honoured */
  struct flight *flight;      /* the refresh of this credential that is under way, or NULL */
  size_t n_flights;           /* with those of former credentials, whose end changes nothing */
  bool unstored;              /* the flight got a token that cannot be stored for now */
  enum token_outcome outcome; /* of the last refresh */
  struct err failure;         /* of the last refresh; code ERR_OK when it went well */
  int64_t retry_ms;           /* no refresh before this, after a failure */
  struct backoff backoff;
  enum account_state counted_as;
  struct waiter *waiters;
};

/* The gauge auth_accounts, with a series per state. */
struct metric *account_states_metric(void);

struct account *account_new(struct tokens *t, const char *account_id, struct credential *c);
/* Needs no lock: nobody else may know the account any more. */
void account_free(struct account *a);
/* It is out of the cache already: ends it, and frees it unless a refresh still needs it. Gives back
 * those who wait, to be called. */
struct waiter *account_remove(struct account *a);

/* A changed credential starts with nothing: nothing of the old one may outlive it. Gives back those
 * who wait for the old one, to be called. */
struct waiter *account_use_credential(struct account *a, struct credential *c);
/* By fingerprint. */
bool account_has_credential(const struct account *a, const struct credential *c);
/* The refresh token that replaced this credential's, from the store; or NULL. A reference. */
struct secret *account_kept_token(const struct tokens *t, const char *account_id,
                                  const struct credential *c);

bool account_needs_consent(const struct account *a);
/* "needs_reconsent" or "misconfigured", constant; NULL for any other state. */
const char *account_bad_standing(const struct account *a);
/* As the metric auth_accounts names it. Constant. */
const char *account_state_name(const struct account *a);
bool account_is_valid(const struct account *a, int64_t now);
/* Brings the metric up to date. After every change. */
void account_count(struct account *a);
/* Token or failure; the token is a reference. */
struct token_result account_result(const struct account *a, int64_t now);

/* False when too many wait already. */
bool account_add_waiter(struct account *a, uint64_t id, token_ready *ready, void *user);
/* Takes one out of the list, or all. */
struct waiter *account_take_waiter(struct account *a, uint64_t id);
struct waiter *account_take_waiters(struct account *a);
/* Calls and frees them. Without the lock. NULL is fine. */
void waiters_deliver(struct waiter *list, const struct token_result *result);

/* A refresh begins: it becomes the account's flight. With the lock held. */
struct flight *flight_prepare(struct account *a, bool background, int64_t now);
/* Begins it, without the lock. NULL is fine. */
void flight_start(struct flight *f);

#endif
