/* What grants.c and grants_control.c share. */
#ifndef GA4_SIM_GRANTS_PRIVATE_H
#define GA4_SIM_GRANTS_PRIVATE_H

#include <pthread.h>

#include "ga4-sim/identity/grants.h"

enum { REFRESH_TOKEN_SIZE = 128, PREVIOUS_MAX = 8 };

struct grant {
  char token[REFRESH_TOKEN_SIZE]; /* the one that is current */
  struct {
    char token[REFRESH_TOKEN_SIZE];
    int64_t valid_until_ms;
  } previous[PREVIOUS_MAX]; /* newest first */
  uint64_t generation;
  bool rotates, revoked;
  uint32_t scopes; /* consented to; 0: as usual */
  int64_t old_valid_ms;
  int64_t revoked_at_ms; /* access tokens issued until then are dead; 0: never revoked */
  enum client_state client;
  struct grants_lifetime lifetime;
};

struct grants {
  pthread_mutex_t lock;
  const struct world *world;
  char client_id[96], client_secret[64]; /* of the operator */
  size_t count;                          /* one per property, then the operator's */
  struct grant *list;
};

/* With the lock held: a new refresh token takes the place of the current one, which stays good
 * until old_until_ms. */
void grants_renew(struct grants *g, struct grant *x, int64_t identity, int64_t old_until_ms);
/* NULL for an identity that has no grant. */
struct grant *grants_of(const struct grants *g, int64_t identity);

#endif
