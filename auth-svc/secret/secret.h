/* Secrets in memory: OpenSSL's secure heap, wiped when the last reference goes. */
#ifndef AMCP_AUTH_SECRET_H
#define AMCP_AUTH_SECRET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

enum { SHA256_SIZE = 32 };

struct secret;

/* Sets the secure heap up: locked into memory where the limits allow, kept out of core
 * files. Call once, before any secret is made. False when it is not locked; secrets work
 * then too. */
bool secrets_init(void);
/* Whether only the part is left that is kept for OpenSSL's private keys. */
bool secrets_heap_is_full(void);

/* Copies len bytes. Falls back to the ordinary heap (still wiped) when the secure one is
 * full. Thread-safe, like everything here. */
struct secret *secret_new(const void *data, size_t len);
struct secret *secret_from(const char *text);
/* References; NULL is fine for both. */
struct secret *secret_ref(struct secret *s);
void secret_unref(struct secret *s);
static inline void secret_cleanup(struct secret **s)
{
  secret_unref(*s);
}
#define AUTO_SECRET __attribute__((cleanup(secret_cleanup)))

/* NUL-terminated; "" for NULL. Valid while a reference is held. */
const char *secret_text(const struct secret *s);
size_t secret_len(const struct secret *s);
/* SHA-256 of the secret, 32 bytes, made once. */
const uint8_t *secret_sha256(const struct secret *s);
/* Whether the secret has this digest; takes the same time for every answer. NULL: false. */
bool secret_has_sha256(const struct secret *s, const uint8_t digest[SHA256_SIZE]);

/* A secret that is a file of its own, without the newlines that editors end it with; 4,096 bytes at
 * most, read as file_read() does. */
enum err_code secret_from_file(struct secret **out, const char *what, const char *path,
                               struct err *e);

/* Plain helpers. */
void sha256_of(const void *data, size_t len, uint8_t out[SHA256_SIZE]);
/* The same in hexadecimal. */
enum { SHA256_HEX_SIZE = 2 * SHA256_SIZE + 1 };
void sha256_hex(const void *data, size_t len, char out[SHA256_HEX_SIZE]);
/* HMAC-SHA256. Ends the process when OpenSSL is unusable: nothing goes out without its MAC. */
void hmac_sha256(const void *key, size_t key_len, const void *data, size_t len,
                 uint8_t out[SHA256_SIZE]);

#endif
