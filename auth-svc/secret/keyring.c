/* Seals and opens values with a ring of keys. */
#include "auth-svc/secret/keyring.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { NONCE_BYTES = 12, TAG_BYTES = 16, KEY_TEXT_MAX = 128, AAD_MAX = 2048 };

struct key {
  char id[KEYRING_ID_MAX + 1];
  struct secret *bytes;
  atomic_uint_fast64_t uses;
};

struct keyring {
  atomic_size_t refs;
  struct key keys[KEYRING_KEYS_MAX];
  size_t n;
};

/* -------------------------------------------------------------------- reading */

static bool is_id(const char *s, size_t len)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789._-";
  if (len == 0 || len > KEYRING_ID_MAX)
    return false;
  for (size_t i = 0; i < len; i++)
    if (s[i] == '\0' || strchr(alphabet, s[i]) == NULL)
      return false;
  return true;
}

/* 64 hex digits are base64 of 48 bytes too, but nobody means that. */
static bool decode_key(struct buf *out, const char *s, size_t len)
{
  return (len == 2 * KEYRING_KEY_BYTES && hex_decode(out, s, len)) || base64_decode(out, s, len);
}

static struct key *find(const struct keyring *k, const char *id, size_t len)
{
  for (size_t i = 0; i < k->n; i++)
    if (strlen(k->keys[i].id) == len && memcmp(k->keys[i].id, id, len) == 0)
      return (struct key *)&k->keys[i];
  return NULL;
}

static enum err_code bad(struct err *e, const char *what, size_t line, const char *why)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_keyring",
                 "%s: key on line %zu: %s; each line is \"id: key\", the key %d random bytes in "
                 "base64 or hex, as auth-svc keygen prints it",
                 what, line, why, KEYRING_KEY_BYTES);
}

static bool same_key(const struct keyring *k, const struct buf *bytes)
{
  for (size_t i = 0; i < k->n; i++)
    if (CRYPTO_memcmp(secret_text(k->keys[i].bytes), bytes->data, KEYRING_KEY_BYTES) == 0)
      return true;
  return false;
}

static enum err_code add_line(struct keyring *k, const char *what, size_t line, const char *s,
                              size_t len, struct err *e)
{
  AUTO_BUF struct buf bytes = BUF_SECRET(KEY_TEXT_MAX);
  const char *colon = memchr(s, ':', len);
  size_t id_len = colon != NULL ? (size_t)(colon - s) : 0;
  if (colon == NULL || !is_id(s, id_len))
    return bad(e, what, line, "no id of 1 to 32 letters, digits, '.', '_' or '-' before a colon");
  const char *value = colon + 1;
  size_t value_len = (size_t)(s + len - value);
  ascii_trim(&value, &value_len);
  if (value_len >= KEY_TEXT_MAX || !decode_key(&bytes, value, value_len) ||
      bytes.len != KEYRING_KEY_BYTES)
    return bad(e, what, line, "the key must be 32 bytes");
  if (find(k, s, id_len) != NULL)
    return bad(e, what, line, "duplicate id");
  if (same_key(k, &bytes))
    return bad(e, what, line, "duplicate key, with another id");
  if (k->n == KEYRING_KEYS_MAX)
    return bad(e, what, line, "more than 16 keys");
  struct key *key = &k->keys[k->n++];
  memcpy(key->id, s, id_len);
  key->bytes = secret_new(bytes.data, bytes.len);
  return ERR_OK;
}

enum err_code keyring_parse(struct keyring **out, const char *what, const char *text, size_t len,
                            struct err *e)
{
  struct keyring *k = xcalloc(1, sizeof(*k));
  atomic_init(&k->refs, 1);
  const char *p = text, *end = text + len;
  enum err_code code = ERR_OK;
  for (size_t line = 1; p < end && code == ERR_OK; line++) {
    const char *stop = p;
    while (stop < end && *stop != '\n' && *stop != ',')
      stop++;
    const char *from = p;
    size_t n = (size_t)(stop - p) - (stop > p && stop[-1] == '\r');
    ascii_trim(&from, &n);
    if (n > 0 && *from != '#')
      code = add_line(k, what, line, from, n, e);
    p = stop < end ? stop + 1 : end;
  }
  if (code == ERR_OK && k->n == 0)
    code = err_set(e, ERR_INVALID_ARGUMENT, "bad_keyring",
                   "%s: holds no key; make one with: auth-svc keygen", what);
  if (code != ERR_OK)
    keyring_unref(TAKE_PTR(k));
  *out = k;
  return code;
}

enum err_code keyring_load(struct keyring **out, const char *file, struct err *e)
{
  *out = NULL;
  if (file == NULL)
    return ERR_OK;
  AUTO_BUF struct buf content = BUF_SECRET(KEYRING_FILE_MAX);
  enum err_code code = file_read(&content, "AUTH_KEYRING_FILE", file, KEYRING_FILE_MAX, true, e);
  if (code != ERR_OK)
    return code;
  return keyring_parse(out, "AUTH_KEYRING_FILE", content.data, content.len, e);
}

struct keyring *keyring_ref(struct keyring *k)
{
  if (k != NULL)
    atomic_fetch_add_explicit(&k->refs, 1, memory_order_relaxed);
  return k;
}

void keyring_unref(struct keyring *k)
{
  if (k == NULL || atomic_fetch_sub_explicit(&k->refs, 1, memory_order_acq_rel) != 1)
    return;
  for (size_t i = 0; i < k->n; i++)
    secret_unref(k->keys[i].bytes);
  free(k);
}

size_t keyring_size(const struct keyring *k)
{
  return k->n;
}

const char *keyring_id(const struct keyring *k, size_t i)
{
  return k->keys[i].id;
}

size_t keyring_find(const struct keyring *k, const char *id)
{
  const struct key *key = k != NULL ? find(k, id, strlen(id)) : NULL;
  return key != NULL ? (size_t)(key - k->keys) : k != NULL ? k->n : 0;
}

bool keyring_same_key(const struct keyring *a, size_t i, const struct keyring *b, size_t j)
{
  return CRYPTO_memcmp(secret_text(a->keys[i].bytes), secret_text(b->keys[j].bytes),
                       KEYRING_KEY_BYTES) == 0;
}

/* --------------------------------------------------------------------- counts */

uint64_t keyring_uses(const struct keyring *k, size_t i)
{
  return atomic_load_explicit((atomic_uint_fast64_t *)&k->keys[i].uses, memory_order_relaxed);
}

void keyring_count_uses(struct keyring *k, size_t i, uint64_t n)
{
  uint64_t before = atomic_fetch_add_explicit(&k->keys[i].uses, n, memory_order_relaxed);
  if (before < KEYRING_USES_WARN && before + n >= KEYRING_USES_WARN)
    log_warn("a key of the keyring has been used very often: add a new first key and run "
             "auth-svc rotate",
             LOG_S("key_id", k->keys[i].id), LOG_I("uses", before + n));
}

void keyring_carry_uses(struct keyring *k, const struct keyring *before)
{
  for (size_t i = 0; i < k->n; i++)
    for (size_t j = 0; before != NULL && j < before->n; j++)
      if (keyring_same_key(k, i, before, j))
        keyring_count_uses(k, i, keyring_uses(before, j));
}

/* ------------------------------------------------------------ additional data */

static void put_part(struct buf *aad, const char *s)
{
  size_t len = strlen(s);
  const uint8_t size[4] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                           (uint8_t)len};
  buf_append(aad, size, sizeof(size));
  buf_append(aad, s, len);
}

/* False when the record's names are too long to be bound. */
static bool make_aad(struct buf *aad, const char *key_id, const struct keyring_record *r)
{
  put_part(aad, "v1");
  put_part(aad, key_id);
  put_part(aad, r->tenant);
  put_part(aad, r->kind);
  put_part(aad, r->id);
  return !aad->failed;
}

/* -------------------------------------------------------------------- sealing */

/* AES-256-GCM: nonce, text and tag stand one behind the other where they are sealed. */
static bool crypt_text(const struct key *key, bool seal, const struct buf *aad, uint8_t *sealed,
                       const void *in, void *out, size_t len)
{
  const uint8_t *bytes = (const uint8_t *)secret_text(key->bytes);
  uint8_t *tag = sealed + NONCE_BYTES + len;
  int n = 0;
  EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
  bool ok = ctx != NULL &&
            EVP_CipherInit_ex2(ctx, EVP_aes_256_gcm(), bytes, sealed, seal, NULL) == 1 &&
            EVP_CipherUpdate(ctx, NULL, &n, (const uint8_t *)aad->data, (int)aad->len) == 1 &&
            (seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, tag) == 1) &&
            EVP_CipherUpdate(ctx, out, &n, in, (int)len) == 1 &&
            EVP_CipherFinal_ex(ctx, tag, &n) == 1 && /* writes nothing: GCM has no padding */
            (!seal || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, tag) == 1);
  EVP_CIPHER_CTX_free(ctx);
  return ok;
}

static enum err_code check_seal(struct keyring *k, size_t len, struct err *e)
{
  if (len > KEYRING_PLAIN_MAX)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large", "longer than %d bytes",
                   KEYRING_PLAIN_MAX);
  if (keyring_uses(k, 0) >= KEYRING_USES_MAX)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "key_worn_out",
                   "key \"%s\" has been used 2^32 times: put a new key first on the keyring",
                   k->keys[0].id);
  return ERR_OK;
}

enum err_code keyring_seal(struct buf *out, struct keyring *k, const struct keyring_record *record,
                           const void *data, size_t len, struct err *e)
{
  AUTO_BUF struct buf aad = BUF_INIT(AAD_MAX), bytes = BUF_INIT(KEYRING_PLAIN_MAX + 64);
  const struct key *key = &k->keys[0];
  enum err_code code = check_seal(k, len, e);
  if (code != ERR_OK)
    return code;
  size_t total = NONCE_BYTES + len + TAG_BYTES;
  uint8_t *p = (uint8_t *)buf_reserve(&bytes, total);
  if (p == NULL || !make_aad(&aad, key->id, record))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large", "the record's name is too long");
  keyring_count_uses(k, 0, 1);
  if (RAND_bytes(p, NONCE_BYTES) != 1 ||
      !crypt_text(key, true, &aad, p, data, p + NONCE_BYTES, len))
    return err_set(e, ERR_INTERNAL, "seal_failed", "OpenSSL could not encrypt");
  if (!buf_printf(out, "v1:%s:", key->id) || !base64_encode(out, p, total))
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large",
                   "not enough memory for the sealed value");
  return ERR_OK;
}

/* -------------------------------------------------------------------- opening */

/* Splits "v1:<id>:<base64>"; the id stays in the text. */
static bool split(const char *sealed, size_t len, const char **id, size_t *id_len,
                  const char **body, size_t *body_len)
{
  if (len < 4 || len > SEALED_TEXT_MAX || memcmp(sealed, "v1:", 3) != 0)
    return false;
  *id = sealed + 3;
  const char *colon = memchr(*id, ':', len - 3);
  if (colon == NULL || !is_id(*id, (size_t)(colon - *id)))
    return false;
  *id_len = (size_t)(colon - *id);
  *body = colon + 1;
  *body_len = len - (size_t)(*body - sealed);
  return true;
}

bool keyring_id_of(const char *sealed, size_t len, char id[KEYRING_ID_MAX + 1])
{
  const char *at, *body;
  size_t id_len, body_len;
  if (!split(sealed, len, &at, &id_len, &body, &body_len))
    return false;
  memcpy(id, at, id_len);
  id[id_len] = '\0';
  return true;
}

static enum err_code malformed(struct err *e)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "malformed_seal",
                 "not a sealed value: must be \"v1:<key id>:<base64>\"");
}

static enum err_code open_bytes(struct secret **out, const struct key *key,
                                const struct keyring_record *record, const struct buf *bytes,
                                struct err *e)
{
  AUTO_BUF struct buf aad = BUF_INIT(AAD_MAX);
  AUTO_BUF struct buf plain = BUF_SECRET(KEYRING_PLAIN_MAX + 64);
  size_t len = bytes->len - NONCE_BYTES - TAG_BYTES;
  uint8_t *sealed = (uint8_t *)bytes->data;
  if (len > KEYRING_PLAIN_MAX)
    return malformed(e);
  uint8_t *p = (uint8_t *)buf_reserve(&plain, len + 1);
  if (p == NULL || !make_aad(&aad, key->id, record) ||
      !crypt_text(key, false, &aad, sealed, sealed + NONCE_BYTES, p, len))
    return err_set(e, ERR_DATA_LOSS, "seal_broken",
                   "does not open with key \"%s\": it was changed, or moved here from another "
                   "dealer or field, or the keyring holds another key by this id",
                   key->id);
  *out = secret_new(p, len);
  return ERR_OK;
}

/* What base64_encode() writes, and nothing else: two texts must not open to one value. */
static bool decode_body(struct buf *bytes, const char *body, size_t len)
{
  AUTO_BUF struct buf again = BUF_INIT(SEALED_TEXT_MAX);
  return base64_decode(bytes, body, len) && bytes->len >= NONCE_BYTES + TAG_BYTES &&
         base64_encode(&again, bytes->data, bytes->len) && again.len == len &&
         memcmp(again.data, body, len) == 0;
}

enum err_code keyring_open(struct secret **out, const struct keyring *k,
                           const struct keyring_record *record, const char *sealed, size_t len,
                           struct err *e)
{
  AUTO_BUF struct buf bytes = BUF_INIT(SEALED_TEXT_MAX);
  const char *id = NULL, *body = NULL;
  size_t id_len = 0, body_len = 0;
  *out = NULL;
  if (!split(sealed, len, &id, &id_len, &body, &body_len) || !decode_body(&bytes, body, body_len))
    return malformed(e);
  const struct key *key = find(k, id, id_len);
  if (key == NULL)
    return err_set(e, ERR_FAILED_PRECONDITION, "unknown_key",
                   "sealed with key \"%.*s\", which is not on the keyring: add it to "
                   "AUTH_KEYRING_FILE",
                   (int)id_len, id);
  return open_bytes(out, key, record, &bytes, e);
}

/* ------------------------------------------------------------------ other uses */

void keyring_derive(const struct keyring *k, size_t i, const char *use,
                    uint8_t out[KEYRING_KEY_BYTES])
{
  hmac_sha256(secret_text(k->keys[i].bytes), KEYRING_KEY_BYTES, use, strlen(use), out);
}
