/* Remembers which bearer tokens' signatures have been checked, by SHA-256 of the token.
 *
 * Only the signature is remembered. Claims, dealers and grant are worked out again for every
 * call, so a changed configuration counts at once; another generation of keys remembers
 * nothing, so a token whose key is gone is checked again and fails. Bounded, the least recently
 * used goes first. Thread-safe. */
#ifndef AMCP_AUTH_VERIFIED_H
#define AMCP_AUTH_VERIFIED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth-svc/secret/secret.h"

enum { VERIFIED_DEFAULT = 16384 };

/* Which keys a signature was checked with: number of the snapshot that holds the configured
 * ones (from 1), and generation of those fetched from a JWKS URL. */
struct key_generation {
  uint64_t configured, fetched;
};

struct verified;
/* Room for so many tokens; 0 means VERIFIED_DEFAULT. */
struct verified *verified_new(size_t tokens);
void verified_free(struct verified *v);
/* Whether the token was checked with keys of this generation and has not expired. */
bool verified_has(struct verified *v, const uint8_t digest[SHA256_SIZE],
                  struct key_generation generation, int64_t now_s);
void verified_add(struct verified *v, const uint8_t digest[SHA256_SIZE],
                  struct key_generation generation, int64_t expires_at);

#endif
