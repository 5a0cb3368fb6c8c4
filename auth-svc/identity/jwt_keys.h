/* Keys that signed bearer tokens are checked with. */
#ifndef AMCP_AUTH_JWT_KEYS_H
#define AMCP_AUTH_JWT_KEYS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "auth-svc/secret/jwt_sign.h"
#include "common/base/error.h"

enum { JWT_KEYS_MAX = 16, JWT_KEY_ID_MAX = 128 };

/* Whether a header or a JWK means this algorithm by that name. */
bool jwt_alg_is(enum jwt_alg alg, const char *name);

struct jwt_key {
  enum jwt_alg alg;
  char kid[JWT_KEY_ID_MAX + 1]; /* "" when the key has none */
  EVP_PKEY *public_key;         /* all but HS256 */
  struct secret *shared;        /* HS256 */
};

/* Immutable once loaded; thread-safe then. Counted by references. */
struct jwt_keys {
  atomic_size_t refs;
  struct jwt_key keys[JWT_KEYS_MAX];
  size_t n;
};

struct jwt_keys *jwt_keys_new(void);
struct jwt_keys *jwt_keys_ref(struct jwt_keys *k);
/* NULL is fine. */
void jwt_keys_unref(struct jwt_keys *k);
/* Adds the public keys of a PEM file (one or more "PUBLIC KEY" blocks) or of a JWKS file
 * (RFC 7517). RSA of at least 2,048 bits, P-256 and Ed25519 are taken; a JWK of use "enc" or
 * another type is skipped with a warning; none that fits is an error. Of more usable JWKs than
 * there is room for, those marked for signatures come first (use "sig" or key_ops "verify"), each
 * kind in the order of the set; the others are skipped with one warning. More PEM blocks than that
 * are an error. `what` names the setting in errors. */
enum err_code jwt_keys_add_file(struct jwt_keys *k, const char *what, const char *path,
                                struct err *e);
enum err_code jwt_keys_add_pem(struct jwt_keys *k, const char *what, const char *pem, size_t len,
                               struct err *e);
enum err_code jwt_keys_add_jwks(struct jwt_keys *k, const char *what, const char *json, size_t len,
                                struct err *e);
/* Adds a secret for HS256 of at least 32 bytes (RFC 7518 §3.2). */
enum err_code jwt_keys_add_hs256(struct jwt_keys *k, const char *what, const char *secret,
                                 size_t len, struct err *e);

#endif
