/* A token is identity, expiry, serial number, kind and scopes under an HMAC. */
#include "ga4-sim/identity/tokens.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

static const char prefix[] = "ya29.a0";
enum { PAYLOAD = 32, MAC = 16 };

void tokens_init(struct tokens *t, uint64_t seed)
{
  char text[64];
  int n = snprintf(text, sizeof(text), "ga4-sim access tokens %llu", (unsigned long long)seed);
  EVP_Digest(text, (size_t)n, t->key, NULL, EVP_sha256(), NULL);
}

static void put64(uint8_t *out, uint64_t n)
{
  for (int i = 0; i < 8; i++)
    out[i] = (uint8_t)(n >> (56 - 8 * i));
}

static uint64_t get64(const uint8_t *in)
{
  uint64_t n = 0;
  for (int i = 0; i < 8; i++)
    n = n << 8 | in[i];
  return n;
}

static void sign(const struct tokens *t, const uint8_t *payload, uint8_t *mac)
{
  uint8_t full[EVP_MAX_MD_SIZE];
  HMAC(EVP_sha256(), t->key, sizeof(t->key), payload, PAYLOAD, full, NULL);
  memcpy(mac, full, MAC);
}

void tokens_issue(const struct tokens *t, const struct token *what, char *out, unsigned size)
{
  static atomic_uint serial;
  uint8_t bytes[PAYLOAD + MAC];
  put64(bytes, (uint64_t)what->identity);
  put64(bytes + 8, (uint64_t)what->expires_unix_s);
  put64(bytes + 16, (uint64_t)clock_unix_ms() << 16 | (atomic_fetch_add(&serial, 1) & 0xffff));
  put64(bytes + 24, (uint64_t)what->kind << 32 | what->scopes);
  sign(t, bytes, bytes + PAYLOAD);
  AUTO_BUF struct buf text = BUF_INIT(TOKEN_MAX_BYTES);
  base64url_encode(&text, bytes, sizeof(bytes));
  snprintf(out, size, "%s%s", prefix, buf_str(&text));
}

bool tokens_check(const struct tokens *t, const char *text, int64_t now_unix_s, struct token *out)
{
  AUTO_BUF struct buf bytes = BUF_INIT(TOKEN_MAX_BYTES);
  uint8_t mac[MAC];
  if (strncmp(text, prefix, sizeof(prefix) - 1) != 0 || strlen(text) > TOKEN_MAX_BYTES)
    return false;
  text += sizeof(prefix) - 1;
  if (!base64_decode(&bytes, text, strlen(text)) || bytes.len != PAYLOAD + MAC)
    return false;
  const uint8_t *b = (const uint8_t *)bytes.data;
  sign(t, b, mac);
  if (CRYPTO_memcmp(mac, b + PAYLOAD, MAC) != 0 || (int64_t)get64(b + 8) <= now_unix_s)
    return false;
  *out = (struct token){.identity = (int64_t)get64(b),
                        .expires_unix_s = (int64_t)get64(b + 8),
                        .issued_unix_ms = (int64_t)(get64(b + 16) >> 16),
                        .scopes = (uint32_t)get64(b + 24),
                        .kind = (enum token_kind)(get64(b + 24) >> 32)};
  return true;
}
