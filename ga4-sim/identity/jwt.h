/* JSON Web Tokens: read, verify, mint; keys as JWKs (RFC 7515, 7517, 7518, 8037). */
#ifndef GA4_SIM_JWT_H
#define GA4_SIM_JWT_H

#include <cjson/cJSON.h>
#include <openssl/evp.h>
#include <stdbool.h>

#include "common/base/buf.h"

enum { JWT_MAX = 16 * 1024, KEY_ID_SIZE = 41 };

struct jwt {
  cJSON *header, *claims;
  const char *text; /* borrowed */
  size_t signed_len;
  const char *signature; /* base64url */
};

/* Takes a token apart: three parts, header and claims JSON objects. The text must outlive
 * the result. False when it is not a JWT. Free with jwt_free(). */
bool jwt_read(struct jwt *out, const char *text);
void jwt_free(struct jwt *j);
#define AUTO_JWT CLEANUP(jwt_free)
/* Whether the header names this algorithm (RS256, ES256, EdDSA) and the key made the
 * signature. */
bool jwt_signed_by(const struct jwt *j, EVP_PKEY *key, const char *alg);
/* Signs claims. kid may be NULL. False when key and algorithm do not fit. */
bool jwt_mint(struct buf *out, EVP_PKEY *key, const char *alg, const char *kid,
              const cJSON *claims);
/* The same with a shared secret (HS256). */
bool jwt_mint_hs256(struct buf *out, const char *secret, const char *kid, const cJSON *claims);
/* Adds the public key to an array. */
bool jwt_put_jwk(cJSON *keys, EVP_PKEY *key, const char *alg, const char *kid);
/* Forty hexadecimal digits of the public key, as Google names its keys. */
void jwt_key_id(EVP_PKEY *key, char out[KEY_ID_SIZE]);

#endif
