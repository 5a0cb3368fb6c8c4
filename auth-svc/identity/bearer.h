/* From a bearer token to a grant: the forms of bearer, each with its own proof. */
#ifndef AMCP_AUTH_BEARER_H
#define AMCP_AUTH_BEARER_H

#include "analytics/auth/v1/auth.pb-c.h"
#include "auth-svc/dealers/directory.h"
#include "auth-svc/identity/issuers.h"
#include "auth-svc/identity/jwt.h"
#include "common/base/arena.h"

enum { BEARER_MAX_BYTES = 16 * 1024 };

enum bearer_form {
  BEARER_NONE,     /* empty */
  BEARER_JWT,      /* signed by an issuer we know */
  BEARER_ACCOUNT,  /* base64 JSON with the account's refresh token */
  BEARER_UNSIGNED, /* base64 JSON with nothing but an account_id */
  BEARER_LOCAL,    /* anything, while authentication is off */
  BEARER_UNKNOWN,  /* none of these */
  /* No bearer at all: the caller's certificate (policies.h). */
  BEARER_CERTIFICATE,
};
/* Label for metrics: "jwt". */
const char *bearer_form_name(enum bearer_form form);

/* SHA-256 by which a bearer is named (principal_id) and revoked (token_sha256). Of a JWT, the
 * part that is signed: its signature can be written in several ways by whoever holds it (ECDSA
 * takes s and n - s alike), and each must be the same token. */
void bearer_sha256(const char *bearer, size_t len, uint8_t out[SHA256_SIZE]);

struct bearer_policy {
  bool enabled;          /* ENABLE_AUTH; false grants everything to everybody */
  bool account_tokens;   /* AUTH_ACCOUNT_TOKENS=refresh_token; false refuses the form */
  bool allow_unsigned;   /* AUTH_ALLOW_UNSIGNED_TOKENS */
  struct jwt_policy jwt; /* keys NULL or empty: JWTs are not accepted */
  /* The issuer of AUTH_ISSUERS_FILE whose keys and demands `jwt` holds; NULL: AUTH_JWT_*, whose
   * tokens say with our own claims what they may. */
  const struct issuer *issuer;
  const struct issuers *issuers; /* all of them; NULL for none */
  /* Whether this is the digest of the refresh token of the dealer's account. */
  bool (*holds)(void *user, const struct dealer *dealer, const uint8_t digest[SHA256_SIZE]);
  /* Why the account is not in good standing ("needs_reconsent"), NULL when it is. */
  const char *(*bad_standing)(void *user, const struct dealer *dealer);
  void *user;
};

/* Says whose token it is, by the iss that nobody has checked yet: an issuer's of the file, whose
 * demands take the place of those in p->jwt and whose keys are fetched ones, which the caller adds;
 * else that of AUTH_JWT_*, with the configured keys. All are borrowed. */
void bearer_policy_choose(struct bearer_policy *p, const struct issuers *issuers,
                          const struct jwt_keys *keys, const char *bearer);

/* Checks the token and makes the grant, in the arena. *form is always set.
 * UNAUTHENTICATED: `missing_credentials` for an empty token, `invalid_credentials`
 * otherwise; for account tokens one text says it all, so that accounts cannot be probed.
 * PERMISSION_DENIED `needs_reconsent` or `misconfigured`: proved, but the account is not in good
 * standing; `no_mapping`: proved, but no rule of the issuer gives it access: then *out is a grant
 * of nothing that says who asks. */
enum err_code bearer_grant(Analytics__Auth__V1__Grant **out, enum bearer_form *form,
                           const struct bearer_policy *policy, const struct directory *directory,
                           const char *bearer, int64_t now_s, struct arena *arena, struct err *e);

#endif
