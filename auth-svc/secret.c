/* Secrets on OpenSSL's secure heap, with reference counts. */
#include "auth-svc/secret.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/mem.h"

/* Room for some 10,000 secrets; OpenSSL wants powers of two. */
enum { SECURE_HEAP_BYTES = 4 << 20, SECURE_BLOCK_BYTES = 64 };

struct secret {
  atomic_size_t refs;
  size_t len;
  uint8_t sha256[SHA256_SIZE];
  char text[];
};

bool secrets_init(void)
{
  if (CRYPTO_secure_malloc_initialized())
    return true;
  return CRYPTO_secure_malloc_init(SECURE_HEAP_BYTES, SECURE_BLOCK_BYTES) == 1;
}

void secrets_shutdown(void)
{
  CRYPTO_secure_malloc_done();
}

static struct secret *secret_alloc(size_t size)
{
  struct secret *s = OPENSSL_secure_zalloc(size);
  /* OPENSSL_secure_clear_free() below tells the two heaps apart. */
  if (s == NULL)
    s = OPENSSL_zalloc(size);
  if (s == NULL)
    abort();
  return s;
}

struct secret *secret_new(const void *data, size_t len)
{
  struct secret *s = secret_alloc(sizeof(*s) + len + 1);
  atomic_init(&s->refs, 1);
  s->len = len;
  if (len > 0)
    memcpy(s->text, data, len);
  sha256_of(s->text, len, s->sha256);
  return s;
}

struct secret *secret_from(const char *text)
{
  return secret_new(text, strlen(text));
}

struct secret *secret_ref(struct secret *s)
{
  if (s != NULL)
    atomic_fetch_add_explicit(&s->refs, 1, memory_order_relaxed);
  return s;
}

void secret_unref(struct secret *s)
{
  if (s == NULL || atomic_fetch_sub_explicit(&s->refs, 1, memory_order_acq_rel) != 1)
    return;
  OPENSSL_secure_clear_free(s, sizeof(*s) + s->len + 1);
}

const char *secret_text(const struct secret *s)
{
  return s != NULL ? s->text : "";
}

size_t secret_len(const struct secret *s)
{
  return s != NULL ? s->len : 0;
}

const uint8_t *secret_sha256(const struct secret *s)
{
  return s->sha256;
}

bool secret_has_sha256(const struct secret *s, const uint8_t digest[SHA256_SIZE])
{
  return s != NULL && CRYPTO_memcmp(s->sha256, digest, SHA256_SIZE) == 0;
}

void sha256_of(const void *data, size_t len, uint8_t out[SHA256_SIZE])
{
  SHA256(data, len, out);
}

void buf_wipe(struct buf *b)
{
  if (b->data != NULL)
    mem_wipe(b->data, b->cap);
  buf_free(b);
}
