/* What the files of the token cache share. Nobody else includes this. */
#ifndef AMCP_AUTH_TOKENS_INTERNAL_H
#define AMCP_AUTH_TOKENS_INTERNAL_H

#include <pthread.h>

#include "auth-svc/token/account.h"
#include "common/base/map.h"

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

/* A refresh begins: it becomes the account's flight. With the lock held. */
struct flight *flight_prepare(struct account *a, bool background, int64_t now);
/* Begins it, without the lock. NULL is fine. */
void flight_start(struct flight *f);

#endif
