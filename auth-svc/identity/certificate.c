/* Rights by certificate. */
#include "auth-svc/identity/certificate.h"

enum err_code certificate_grant(Analytics__Auth__V1__Grant **out, const struct policies *policies,
                                const char *identity, const struct directory *directory,
                                int64_t now_s, struct arena *arena, struct err *e)
{
  const struct policy *policy = policies_find(policies, identity);
  if (*identity == '\0')
    return err_set(e, ERR_UNAUTHENTICATED, "missing_credentials",
                   "by_certificate: the call came without a client certificate, or with one whose "
                   "name holds control characters; set GRPC_TLS_CERT, "
                   "GRPC_TLS_KEY and GRPC_TLS_CA on both sides, and AUTH_POLICY_FILE here");
  if (policy == NULL)
    return err_set(e, ERR_UNAUTHENTICATED, "invalid_credentials",
                   "by_certificate: no policy for the identity \"%.128s\"; AUTH_POLICY_FILE must "
                   "name it",
                   identity);
  *out = claims_grant(&policy->claims, directory, now_s, arena);
  return *out != NULL ? ERR_OK
                      : err_set(e, ERR_RESOURCE_EXHAUSTED, "grant_too_large",
                                "the policy names too many dealers");
}
