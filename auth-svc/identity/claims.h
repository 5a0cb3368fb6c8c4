/* What a caller may read: claims in, grant out. Pure. */
#ifndef AMCP_AUTH_CLAIMS_H
#define AMCP_AUTH_CLAIMS_H

#include "analytics/auth/v1/auth.pb-c.h"
#include "auth-svc/dealers/directory.h"
#include "common/base/arena.h"
#include "common/base/error.h"

enum {
  GRANT_LIFE_S = 600, /* the gateway keeps a grant for 60 s, long reports need minutes */
  CLAIM_LIST_MAX = 1000,
};

struct claim_list {
  const char **items;
  size_t n;
};

struct claims {
  const char *subject;
  Analytics__Auth__V1__Role role;
  struct claim_list dealers; /* dealer_id or account_id */
  struct claim_list regions;
  struct claim_list groups;
  int64_t expires_at;       /* of the bearer; INT64_MAX when it does not end */
  const char *principal_id; /* hash of the bearer, or of a certificate's identity */
  const char *token_id;     /* the bearer's own (jti); NULL when it has none */
};

/* "admin", "group", "dealer"; false for another text. */
bool claims_role(const char *name, Analytics__Auth__V1__Role *out);
/* The way back; "" for none. Static text. */
const char *claims_role_name(Analytics__Auth__V1__Role role);

/* Makes the grant, in the arena. NULL when the arena is full.
 *   admin   every dealer.
 *   group   the dealers listed, of the regions listed and of the groups listed.
 *   dealer  the dealers listed; `groups` counts for nothing.
 * Groups and dealers have the regions of their dealers, and the named cohorts these are in, as
 * benchmark. For a dealer `regions` (names, and ids of cohorts) can only narrow it.
 * Names that are not configured are left out. Ends after GRANT_LIFE_S or with the bearer. The
 * grant has no grant_id yet. */
Analytics__Auth__V1__Grant *claims_grant(const struct claims *c, const struct directory *directory,
                                         int64_t now_s, struct arena *arena);

#endif
