/* What the files of the token cache share. Nobody else includes this. */
#ifndef AMCP_AUTH_TOKENS_INTERNAL_H
#define AMCP_AUTH_TOKENS_INTERNAL_H

#include <pthread.h>

#include "auth-svc/token/tokens.h"
#include "common/base/backoff.h"
#include "common/base/metrics.h"

enum { TOKENS_BUCKETS = 1024, TOKENS_BACKGROUND_MAX = 32 };

struct waiter {
  struct waiter *next;
  uint64_t id;
  token_ready *ready;
  void *user;
};

/* As the metric auth_accounts counts them. */
enum account_state {
  ACCOUNT_UNSEEN, /* not counted yet */
  ACCOUNT_IDLE,   /* no token at hand, and no reason why there could not be one */
  ACCOUNT_OK,
  ACCOUNT_FAILING, /* the last attempt failed for a passing reason */
  ACCOUNT_MISCONFIGURED,
  ACCOUNT_NEEDS_RECONSENT,
  ACCOUNT_STATES
};

/* One account. Guarded by the cache's lock. Freed when it was removed and the last refresh
 * has ended. */
struct entry {
  struct tokens *owner;
  struct entry *next; /* in its bucket */
  char *account_id;
  bool removed; /* from its bucket; the last refresh under way frees it */
  struct credential *credential;
  struct secret *refresh_token; /* replaces the configured one; NULL when none came */
  struct secret *access_token;
  int64_t expires_ms;         /* on the cache's clock, like all below */
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

struct tokens {
  pthread_mutex_t lock;
  struct tokens_options options;
  struct metric *refreshes, *rotations, *accounts;
  struct entry *buckets[TOKENS_BUCKETS];
  size_t n_waiters;
  size_t n_background; /* refreshes under way that nobody asked for */
  uint64_t last_wait_id;
  uint64_t generation; /* of the configuration told last; 0 when none was */
};

/* tokens.c, with the lock held */
bool entry_needs_consent(const struct entry *en);
bool entry_is_valid(const struct entry *en, int64_t now);
/* Brings the metric up to date. After every change. */
void entry_count(struct entry *en);
struct token_result entry_result(const struct entry *en, int64_t now);
struct waiter *entry_take_waiters(struct entry *en);
/* Without the lock. */
void entry_free(struct entry *en);
void waiters_deliver(struct waiter *list, const struct token_result *result);

/* tokens_refresh.c */
/* A refresh begins: it becomes the entry's flight. With the lock held. */
struct flight *flight_prepare(struct entry *en, bool background, int64_t now);
/* Begins it, without the lock. NULL is fine. */
void flight_start(struct flight *f);

#endif
