/* From the certificate a service called with to a grant. */
#ifndef AMCP_AUTH_CERTIFICATE_H
#define AMCP_AUTH_CERTIFICATE_H

#include "auth-svc/identity/policies.h"

/* The grant of the policy for an identity (rpc_call_peer), in the arena; it ends after
 * GRANT_LIFE_S. UNAUTHENTICATED: `missing_credentials` for "" (the caller showed no
 * certificate), `invalid_credentials` when no policy names the identity. Pure. */
enum err_code certificate_grant(Analytics__Auth__V1__Grant **out, const struct policies *policies,
                                const char *identity, const struct directory *directory,
                                int64_t now_s, struct arena *arena, struct err *e);

#endif
