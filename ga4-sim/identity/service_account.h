/* The world's service accounts: an agency's, Viewer on every property, and one per dealer,
 * Viewer on the dealer's own. */
#ifndef GA4_SIM_SERVICE_ACCOUNT_H
#define GA4_SIM_SERVICE_ACCOUNT_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "ga4-sim/identity/keyring.h"
#include "ga4-sim/identity/tokens.h"
#include "ga4-sim/world/world.h"

enum service_account_state {
  SERVICE_ACCOUNT_ACTIVE,
  SERVICE_ACCOUNT_KEY_DELETED, /* its key signs nothing any more; impersonation works */
  SERVICE_ACCOUNT_DELETED
};

struct service_account {
  char email[128];
  char client_id[24];
  char name[32];    /* dealer_id, or "agency" */
  int64_t identity; /* index of the dealer's property, or IDENTITY_SERVICE_ACCOUNT */
};

struct service_accounts;

/* The keyring outlives the result. Keys are made when first asked for. */
struct service_accounts *service_accounts_new(const struct world *w, struct keyring *keys);
void service_accounts_free(struct service_accounts *a);
/* NULL when there is none. Accounts live as long as the set; deleted ones are found too. */
const struct service_account *service_accounts_by_email(const struct service_accounts *a,
                                                        const char *email);
const struct service_account *service_accounts_of(const struct service_accounts *a,
                                                  int64_t identity);
enum service_account_state service_account_state(const struct service_accounts *a,
                                                 const struct service_account *account);
void service_account_set_state(struct service_accounts *a, const struct service_account *account,
                               enum service_account_state state);
/* The key file as Google hands it out, on one line. */
bool service_account_key_json(struct service_accounts *a, const struct service_account *account,
                              const char *base_url, struct buf *out);

/* What is wrong with an assertion, in Google's words. */
struct jwt_error {
  int status;
  const char *error;
  const char *description;
};
/* What a good assertion asks for. */
struct assertion {
  const struct service_account *account;
  uint32_t scopes;
  int64_t expires_unix_s;
};
/* Checks an assertion for the token endpoint in Google's order: structure, signature,
 * issuer, iat, window, scope, audience, delegation. True when it is good. */
bool service_account_check_grant(struct service_accounts *a, const char *jwt, int64_t now_unix_s,
                                 struct assertion *out, struct jwt_error *why);
/* Checks a JWT an account sends as its bearer: signature, window, and a scope or an API as
 * the audience. */
bool service_account_check_bearer(struct service_accounts *a, const char *jwt, int64_t now_unix_s,
                                  struct assertion *out);

#endif
