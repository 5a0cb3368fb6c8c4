/* Facts sealed into a short text that a client carries for us: nobody else can read, make or change
 * it, and every replica with the same keys opens it.
 *
 *   base64url( format (1) | mark of the key (4) | salt (16) | ciphertext | tag (16) )
 *
 * AES-256-GCM with a key of its own for each text, HMAC-SHA256(key, use | salt): a salt that nobody
 * can guess takes the place of a nonce, so the number of texts a key may seal has no practical
 * bound. `use` keeps texts of different purposes apart. Thread-safe. */
#ifndef AMCP_GATEWAY_SEAL_TOKEN_H
#define AMCP_GATEWAY_SEAL_TOKEN_H

#include "common/base/buf.h"
#include "gateway/seal/ring.h"

enum { TOKEN_SALT_BYTES = 16, TOKEN_FACTS_MAX = 128, TOKEN_TEXT_MAX = 256 };

/* Appends the text for len bytes of facts, at most TOKEN_FACTS_MAX, and fills salt, which is unique
 * to it. False when out has no room. */
bool token_seal(struct ring *keys, const char *use, const void *facts, size_t len,
                uint8_t salt[TOKEN_SALT_BYTES], struct buf *out);
/* Opens what token_seal() made, in its one spelling, with exactly len bytes of facts. False for
 * anything else; facts and salt are of no use then. */
bool token_open(struct ring *keys, const char *use, const char *text, void *facts, size_t len,
                uint8_t salt[TOKEN_SALT_BYTES]);

#endif
