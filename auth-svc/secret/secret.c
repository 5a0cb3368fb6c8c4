/* Secrets on OpenSSL's secure heap, with reference counts. */
#include "auth-svc/secret/secret.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/mem.h"

/* Powers of two, as OpenSSL wants them. The most is for 5,000 dealers while a reload holds them
 * twice: about 1 KiB for the key of a service account, half of it for an OAuth client. The least
 * is what the usual limit of 8 MiB lets a process lock. */
enum { SECURE_HEAP_MOST = 16 << 20, SECURE_HEAP_LEAST = 4 << 20, SECURE_BLOCK_BYTES = 64 };

/* Bytes of the heap, once it is there. OpenSSL does not report it. */
static atomic_size_t heap_bytes;
static atomic_bool reported_no_room;

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
  for (size_t size = SECURE_HEAP_MOST; size >= SECURE_HEAP_LEAST; size /= 2) {
    atomic_store(&heap_bytes, size);
    if (CRYPTO_secure_malloc_init(size, SECURE_BLOCK_BYTES) == 1)
      return true;
    CRYPTO_secure_malloc_done(); /* not locked: less may be */
  }
  atomic_store(&heap_bytes, SECURE_HEAP_MOST);
  CRYPTO_secure_malloc_init(SECURE_HEAP_MOST, SECURE_BLOCK_BYTES);
  return false;
}

bool secrets_heap_is_full(void)
{
  return CRYPTO_secure_malloc_initialized() &&
         CRYPTO_secure_used() > atomic_load(&heap_bytes) / 4 * 3;
}

static void report_no_room(void)
{
  if (!atomic_exchange(&reported_no_room, true))
    log_warn("no room on the locked heap: further secrets lie on the ordinary one, where they may "
             "be swapped out; raise the memlock limit to 16 MiB",
             LOG_I("heap_bytes", atomic_load(&heap_bytes)));
}

/* The last quarter is OpenSSL's own: it takes private keys and what it signs with from there
 * alone, and fails where we have another way. */
static struct secret *secret_alloc(size_t size)
{
  struct secret *s = secrets_heap_is_full() ? NULL : OPENSSL_secure_zalloc(size);
  /* OPENSSL_secure_clear_free() below knows the two heaps apart. */
  if (s == NULL) {
    report_no_room();
    s = OPENSSL_zalloc(size);
  }
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

void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE])
{
  uint8_t digest[SHA256_SIZE];
  sha256_of(data, len, digest);
  hex_write(out, digest, sizeof(digest));
}

void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t out[SHA256_SIZE])
{
  unsigned n = SHA256_SIZE;
  if (HMAC(EVP_sha256(), key, (int)key_len, data, len, out, &n) == NULL)
    abort();
}

enum err_code secret_from_file(struct secret **out, const char *what, const char *path,
                               struct err *e)
{
  enum { MAX = 4096 };
  AUTO_BUF struct buf text = {0};
  enum err_code code = file_read(&text, what, path, MAX, true, e);
  size_t n = text.len;
  while (n > 0 && (text.data[n - 1] == '\n' || text.data[n - 1] == '\r'))
    n--;
  if (code == ERR_OK)
    *out = secret_new(text.data, n);
  return code;
}
