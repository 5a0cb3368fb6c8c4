/* The keyring as the token store wants it. */
#include "auth-svc/token_crypto.h"

#define STORE_KIND "token-store/v1"

static enum err_code seal(void *user, const char *account_id, const char *fingerprint,
                          const void *data, size_t len, struct buf *out, struct err *e)
{
  const struct keyring_record record = {account_id, STORE_KIND, fingerprint};
  return keyring_seal(out, user, &record, data, len, e);
}

static enum err_code open_sealed(void *user, const char *account_id, const char *fingerprint,
                                 const void *sealed, size_t len, struct secret **out, struct err *e)
{
  const struct keyring_record record = {account_id, STORE_KIND, fingerprint};
  return keyring_open(out, user, &record, sealed, len, e);
}

struct token_store_crypto token_crypto_of(struct keyring *ring)
{
  return (struct token_store_crypto){.seal = seal, .open = open_sealed, .user = ring};
}
