/* The simulator's private keys by name, made when first needed. */
#ifndef GA4_SIM_KEYRING_H
#define GA4_SIM_KEYRING_H

#include <openssl/evp.h>
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/error.h"

struct keyring;

/* path: where the keys are kept (JSON, mode 0600), so that key files written earlier stay
 * good after a restart; NULL: in memory only. A file that is not a keyring is refused. */
enum err_code keyring_open(struct keyring **out, const char *path, struct err *e);
void keyring_close(struct keyring *k);
/* The key of that name. alg RS256, ES256 or EdDSA says what to make when there is none; NULL:
 * only look. Borrowed: valid until keyring_close(). Thread-safe. NULL when there is none. */
EVP_PKEY *keyring_get(struct keyring *k, const char *name, const char *alg);
/* Private key in PEM (PKCS #8). */
bool keyring_pem(EVP_PKEY *key, struct buf *out);

#endif
