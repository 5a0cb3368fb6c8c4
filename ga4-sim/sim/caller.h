/* Who stands behind a bearer token. */
#ifndef GA4_SIM_CALLER_H
#define GA4_SIM_CALLER_H

#include "ga4-sim/sim/sim.h"

struct caller {
  enum token_kind kind;
  int64_t identity; /* as in tokens.h: what it may read, or act as */
  uint32_t scopes;
  bool may_impersonate; /* service accounts of its identity */
  bool reads;           /* whether its identity's properties are open to it */
  size_t first, count;  /* those properties, where the identity is a consent */
};

enum caller_verdict { CALLER_KNOWN, CALLER_MISSING, CALLER_INVALID };

/* Reads an Authorization header: access tokens, and JWTs a service account signed itself.
 * Expired, foreign and revoked ones are invalid. */
enum caller_verdict caller_read(struct sim *s, const char *authorization, struct caller *out);
/* Whether the caller may mint tokens of an account. */
bool caller_may_act_as(const struct caller *c, const struct service_account *account);

#endif
