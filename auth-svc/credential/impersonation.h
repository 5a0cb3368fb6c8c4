/* Turns a token into one of a service account: IAM Credentials' generateAccessToken. */
#ifndef AMCP_AUTH_IMPERSONATION_H
#define AMCP_AUTH_IMPERSONATION_H

#include "auth-svc/credential/credential.h"

enum {
  IMPERSONATION_LIFE_S = 3600,    /* when nothing else is asked for */
  IMPERSONATION_LIFE_MIN_S = 600, /* Google's bounds */
  IMPERSONATION_LIFE_MAX_S = 43200,
  IMPERSONATION_MAX_DELEGATES = 16,
};

struct impersonation;

/* `url` ends in ":generateAccessToken". Delegates are emails or
 * "projects/-/serviceAccounts/EMAIL". Copies everything. */
struct impersonation *impersonation_new(const char *url, const char *scope, int64_t life_s,
                                        const char *const *delegates, size_t n_delegates);
void impersonation_free(struct impersonation *m);
/* Digest of all of it. */
const uint8_t *impersonation_fingerprint(const struct impersonation *m);

/* Asks with `token` (referenced as long as needed). `done` as in credential_kind.obtain; `m`
 * must live until it runs. */
enum err_code impersonation_start(const struct impersonation *m, const struct token_env *env,
                                  struct secret *token, token_done *done, void *user,
                                  struct err *e);

#endif
