/* Makes keys and signed tokens for tests. */
#ifndef AMCP_TESTS_AUTH_JWT_MAKER_H
#define AMCP_TESTS_AUTH_JWT_MAKER_H

#include <openssl/evp.h>

#include "auth-svc/identity/jwt_keys.h"

/* A new key pair for RS256, ES256 or EdDSA. */
EVP_PKEY *maker_key(enum jwt_alg alg);
/* Its public part in PEM; free with free(). */
char *maker_public_pem(EVP_PKEY *key);
/* Its private part in PEM; free with free(). */
char *maker_private_pem(EVP_PKEY *key);
/* header.payload.signature over the given JSON texts. `key` signs, or `secret` with HS256
 * when key is NULL, or nobody when both are (an empty signature). Free with free(). */
char *maker_token(const char *header, const char *payload, EVP_PKEY *key, const char *secret);
/* Its public part as a JWK with this kid; free with free(). */
char *maker_jwk(EVP_PKEY *key, const char *kid);

#endif
