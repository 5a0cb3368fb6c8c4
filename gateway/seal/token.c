/* Facts sealed into a text: AES-256-GCM with a key of its own for each text. */
#include "gateway/seal/token.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/random.h"

enum {
  FORMAT = 1,
  TAG_BYTES = 16,
  HEAD_BYTES = 1 + RING_MARK_BYTES + TOKEN_SALT_BYTES, /* bound as additional data */
  BYTES_MAX = HEAD_BYTES + TOKEN_FACTS_MAX + TAG_BYTES,
  USE_MAX = 32,
};

/* The key of one text, in place of the ring's. */
static void derive(struct ring_key *key, const char *use, const uint8_t salt[TOKEN_SALT_BYTES])
{
  uint8_t input[USE_MAX + TOKEN_SALT_BYTES], derived[RING_KEY_BYTES];
  size_t n = strlen(use);
  unsigned len = sizeof(derived);
  memcpy(input, use, n);
  memcpy(input + n, salt, TOKEN_SALT_BYTES);
  if (n > USE_MAX || HMAC(EVP_sha256(), key->bytes, RING_KEY_BYTES, input, n + TOKEN_SALT_BYTES,
                          derived, &len) == NULL)
    abort(); /* only when OpenSSL is unusable */
  memcpy(key->bytes, derived, sizeof(derived));
  mem_wipe(derived, sizeof(derived));
}

static const uint8_t no_nonce[12];

/* out: ciphertext and tag. */
static bool encrypt(const struct ring_key *key, const uint8_t *head, const void *facts, size_t len,
                    uint8_t *out)
{
  int n = 0;
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  bool ok = ctx != NULL &&
            EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key->bytes, no_nonce, NULL) == 1 &&
            EVP_EncryptUpdate(ctx, NULL, &n, head, HEAD_BYTES) == 1 &&
            EVP_EncryptUpdate(ctx, out, &n, facts, (int)len) == 1 &&
            EVP_EncryptFinal_ex(ctx, out + len, &n) == 1 &&
            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, out + len) == 1;
  EVP_CIPHER_CTX_free(ctx);
  return ok;
}

static bool decrypt(const struct ring_key *key, const uint8_t *head, uint8_t *sealed, size_t len,
                    void *facts)
{
  int n = 0;
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  bool ok = ctx != NULL &&
            EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key->bytes, no_nonce, NULL) == 1 &&
            EVP_DecryptUpdate(ctx, NULL, &n, head, HEAD_BYTES) == 1 &&
            EVP_DecryptUpdate(ctx, facts, &n, sealed, (int)len) == 1 &&
            EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, sealed + len) == 1 &&
            EVP_DecryptFinal_ex(ctx, (uint8_t *)facts + n, &n) == 1;
  EVP_CIPHER_CTX_free(ctx);
  return ok;
}

bool token_seal(struct ring *keys, const char *use, const void *facts, size_t len,
                uint8_t salt[TOKEN_SALT_BYTES], struct buf *out)
{
  uint8_t bytes[BYTES_MAX] = {FORMAT};
  struct ring_key key;
  if (len > TOKEN_FACTS_MAX)
    return false;
  ring_first(keys, &key);
  random_fill(salt, TOKEN_SALT_BYTES);
  memcpy(bytes + 1, key.mark, RING_MARK_BYTES);
  memcpy(bytes + 1 + RING_MARK_BYTES, salt, TOKEN_SALT_BYTES);
  derive(&key, use, salt);
  bool ok = encrypt(&key, bytes, facts, len, bytes + HEAD_BYTES);
  mem_wipe(&key, sizeof(key));
  return ok && base64url_encode(out, bytes, HEAD_BYTES + len + TAG_BYTES);
}

/* What base64url_encode() writes, and nothing else: a text has one spelling. */
static bool decode(struct buf *bytes, const char *text, size_t expected)
{
  AUTO_BUF struct buf again = BUF_INIT(TOKEN_TEXT_MAX);
  size_t len = strnlen(text, TOKEN_TEXT_MAX + 1);
  return len <= TOKEN_TEXT_MAX && base64_decode(bytes, text, len) && bytes->len == expected &&
         base64url_encode(&again, bytes->data, bytes->len) && strcmp(buf_str(&again), text) == 0;
}

bool token_open(struct ring *keys, const char *use, const char *text, void *facts, size_t len,
                uint8_t salt[TOKEN_SALT_BYTES])
{
  AUTO_BUF struct buf bytes = BUF_INIT(BYTES_MAX);
  struct ring_key key;
  if (len > TOKEN_FACTS_MAX || !decode(&bytes, text, HEAD_BYTES + len + TAG_BYTES))
    return false;
  uint8_t *at = (uint8_t *)bytes.data;
  if (at[0] != FORMAT || !ring_find(keys, at + 1, &key))
    return false;
  memcpy(salt, at + 1 + RING_MARK_BYTES, TOKEN_SALT_BYTES);
  derive(&key, use, salt);
  bool ok = decrypt(&key, at, at + HEAD_BYTES, len, facts);
  mem_wipe(&key, sizeof(key));
  return ok;
}
