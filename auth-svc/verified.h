/* Remembers which bearer tokens' signatures have been checked, by SHA-256 of the token.
 *
 * Only the signature is remembered. Claims, dealers and grant are worked out anew for every
 * call, so a changed configuration counts at once; changed keys make another generation, for
 * which nothing is remembered. Fixed memory, least recently used goes first. Thread-safe. */
#ifndef AMCP_AUTH_VERIFIED_H
#define AMCP_AUTH_VERIFIED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth-svc/secret.h"

enum { VERIFIED_DEFAULT = 16384 };

struct verified;
/* Room for about so many tokens; 0 means VERIFIED_DEFAULT. */
struct verified *verified_new(size_t tokens);
void verified_free(struct verified *v);
/* Whether the token was checked with keys of this generation and has not expired. */
bool verified_has(struct verified *v, const uint8_t digest[SHA256_SIZE], uint64_t generation,
                  int64_t now_s);
void verified_add(struct verified *v, const uint8_t digest[SHA256_SIZE], uint64_t generation,
                  int64_t expires_at);

#endif
