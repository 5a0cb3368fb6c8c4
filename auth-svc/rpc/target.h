/* Whose token a GetAccessToken call may have. Pure policy over snapshot and grant. */
#ifndef AMCP_AUTH_TARGET_H
#define AMCP_AUTH_TARGET_H

#include "auth-svc/config/snapshot.h"
#include "auth-svc/grant/scope.h"
#include "auth-svc/grant/seal.h"

struct target {
  const struct dealer *dealer; /* NULL for Application Default Credentials */
  const char *account_id;
  struct credential *credential; /* the snapshot's */
  const char *ref;               /* how the caller knows it: id, opaque reference, or "" */
  bool opaque;                   /* the caller must not learn which dealer it is */
};

/* Finds the account. A caller's grant goes with PURPOSE_DIRECT and reaches the dealers it
 * names; a benchmark grant goes with PURPOSE_BENCHMARK and reaches its members.
 * PERMISSION_DENIED `purpose_not_allowed` otherwise. NOT_FOUND reads the same for a dealer
 * that does not exist and for one outside the grant. */
enum err_code target_resolve(struct target *out, const struct snapshot *snapshot,
                             const struct unsealed *grant,
                             const Analytics__Auth__V1__GetAccessTokenRequest *request,
                             struct arena *arena, struct err *e);

#endif
