/* Reasons of refusals that concern the caller and not one dealer, for services that pass grants on.
 */
#ifndef AMCP_RPC_GRANT_REASONS_H
#define AMCP_RPC_GRANT_REASONS_H

#include <stdbool.h>
#include <string.h>

#include "common/base/error.h"

/* The grant is too old or sealed with a key that is gone: who still holds the bearer token
 * gets another grant for it (Authenticate), and may make the call again. */
static inline bool grant_is_stale(const struct err *e)
{
  return e->code == ERR_UNAUTHENTICATED &&
         (strcmp(e->reason, "bad_grant") == 0 || strcmp(e->reason, "expired_grant") == 0 ||
          strcmp(e->reason, "wrong_audience") == 0);
}

/* The principal has used up its share of reports of other owners' properties: report-svc makes no
 * more of them for a while. */
#define GRANT_REASON_SHARE_SPENT "benchmark_share_spent"

/* The grant itself is refused, so that every further call with it will be. */
static inline bool grant_is_over(const struct err *e)
{
  return grant_is_stale(e) ||
         (e->code == ERR_UNAUTHENTICATED &&
          (strcmp(e->reason, "revoked") == 0 || strcmp(e->reason, "missing_grant") == 0));
}

#endif
