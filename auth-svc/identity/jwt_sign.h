/* Signs bearer tokens for operators. */
#ifndef AMCP_AUTH_JWT_SIGN_H
#define AMCP_AUTH_JWT_SIGN_H

#include "auth-svc/identity/jwt_keys.h"
#include "common/base/buf.h"

/* What signs: a private key or a shared secret. */
struct jwt_signer {
  enum jwt_alg alg;
  char kid[JWT_KEY_ID_MAX + 1]; /* "" for none */
  EVP_PKEY *private_key;
  struct secret *shared;
};
void jwt_signer_clear(struct jwt_signer *s);

/* A private key in PEM: RSA of at least 2,048 bits, P-256 or Ed25519; not encrypted. */
enum err_code jwt_signer_from_pem_file(struct jwt_signer *out, const char *what, const char *path,
                                       struct err *e);
/* A secret of at least 32 bytes for HS256. */
enum err_code jwt_signer_from_secret(struct jwt_signer *out, const char *what, const char *secret,
                                     size_t len, struct err *e);
/* Appends header.claims.signature over the JSON text of the claims. */
enum err_code jwt_sign(struct buf *out, const struct jwt_signer *signer, const char *claims,
                       struct err *e);

#endif
