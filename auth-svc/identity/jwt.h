/* Checks signed bearer tokens (RFC 7519, with the advice of RFC 8725). */
#ifndef AMCP_AUTH_JWT_H
#define AMCP_AUTH_JWT_H

#include <cjson/cJSON.h>

#include "auth-svc/identity/claim_path.h"
#include "auth-svc/identity/jwt_keys.h"
#include "auth-svc/identity/verified.h"

enum {
  JWT_LEEWAY_S = 30, /* clocks of issuer and ours may differ this much */
  JWT_MAX_LIFE_S = 24 * 3600,
};

struct jwt_policy {
  const struct jwt_keys *keys;      /* as configured; may be NULL, as may `fetched` */
  const char *issuer;               /* must be the token's iss */
  const char *audience;             /* must be the token's aud or in it */
  int64_t max_life_s;               /* longest accepted life; 0 means JWT_MAX_LIFE_S */
  const struct jwt_keys *fetched;   /* from a JWKS URL; empty before the first came */
  struct verified *verified;        /* remembers checked signatures; NULL checks each */
  struct key_generation generation; /* of all keys, for `verified` */
  /* Of issuers that ask for more; zeroed: as above. */
  const char *const *audiences; /* any of these, in place of `audience` */
  size_t n_audiences;
  const struct claim_path *audience_claim; /* NULL or empty: aud */
  unsigned algorithms; /* set of 1U << enum jwt_alg that are taken; 0: those of the keys */
  const char *typ;     /* of the header, letter case apart; NULL: JWT, at+jwt or none */
  int64_t leeway_s;    /* 0 means JWT_LEEWAY_S */
  bool of_file;        /* errors name fields of AUTH_ISSUERS_FILE, not AUTH_JWT_* */
};

/* For how long after its end (exp) a token is still taken. */
int64_t jwt_leeway_s(const struct jwt_policy *policy);

/* The iss of a token that nobody has checked yet, to choose the keys it is checked with and for
 * nothing else: jwt_verify() compares it again. Cut at `size`; "" when there is none. */
void jwt_peek_issuer(const char *token, size_t len, char *out, size_t size);

/* Whether a bearer token has the shape of a JWT: three parts, two dots. */
bool jwt_looks_like(const char *token, size_t len);

/* Checks form, algorithm, signature, iss, aud, exp, iat and nbf, in this order. exp must be there,
 * and at most the longest accepted life after now and after iat, where there is one: a token that
 * never ends could be taken back only by naming it (RFC 8725 §3.8, RFC 9068 §2.2).
 * *claims (freed with cJSON_Delete()) is set only for a token that passed all.
 * UNAUTHENTICATED `invalid_credentials` says which check failed; `unknown_key` when no key fits
 * and another may be fetched: the token names one that is not here, or none was fetched yet. */
enum err_code jwt_verify(cJSON **claims, const struct jwt_policy *policy, const char *token,
                         size_t len, int64_t now_s, struct err *e);

#endif
