/* Signs JWTs: of service accounts, and bearer tokens for operators. */
#ifndef AMCP_AUTH_JWT_SIGN_H
#define AMCP_AUTH_JWT_SIGN_H

#include <openssl/evp.h>

#include "auth-svc/secret/secret.h"

enum { JWT_HS256_MIN_BYTES = 32, JWT_RSA_MIN_BITS = 2048 };

/* The algorithm belongs to the key, never to the token (RFC 8725 §3.1). */
enum jwt_alg { JWT_RS256, JWT_ES256, JWT_EDDSA, JWT_HS256 };
/* "RS256" */
const char *jwt_alg_name(enum jwt_alg alg);
/* The one algorithm a key is used with here; false for keys that are not taken (another type or
 * curve, RSA below JWT_RSA_MIN_BITS). */
bool jwt_alg_of(EVP_PKEY *key, enum jwt_alg *alg);

/* What signs: a private key or a shared secret. */
struct jwt_signer {
  enum jwt_alg alg;
  const char *kid; /* lent; NULL for none */
  EVP_PKEY *private_key;
  struct secret *shared;
};
void jwt_signer_clear(struct jwt_signer *s);

/* A private key in PEM that is not encrypted; NULL for anything else. Free with EVP_PKEY_free(). */
EVP_PKEY *jwt_private_key(const char *pem, size_t len);
/* A private key in PEM: RSA of at least 2,048 bits, P-256 or Ed25519; not encrypted. */
enum err_code jwt_signer_from_pem_file(struct jwt_signer *out, const char *what, const char *path,
                                       struct err *e);
/* A secret of at least 32 bytes for HS256. */
enum err_code jwt_signer_from_secret(struct jwt_signer *out, const char *what, const char *secret,
                                     size_t len, struct err *e);
/* Appends header.claims.signature over the JSON text of the claims. Thread-safe. */
enum err_code jwt_sign(struct buf *out, const struct jwt_signer *signer, const char *claims,
                       struct err *e);

#endif
