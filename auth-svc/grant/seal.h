/* Sealed grants: bytes that auth-svc alone can make or check, and names for peers that it
 * alone can resolve.
 *
 *   version (1) | type (1) | key id (8) | payload | HMAC-SHA256 (32)
 *
 * The payload is the canonical protobuf form of Grant or BenchmarkGrant; the HMAC covers
 * everything before it, so one type cannot pass for the other. A sealer is immutable and
 * counted by references; thread-safe. */
#ifndef AMCP_AUTH_SEAL_H
#define AMCP_AUTH_SEAL_H

#include "analytics/auth/v1/auth.pb-c.h"
#include "auth-svc/secret/secret.h"
#include "common/base/arena.h"
#include "common/base/error.h"

enum {
  SEAL_KEYS_MAX = 4,
  SEAL_KEY_MIN_BYTES = 32,
  SEALED_MAX_BYTES = 40 * 1024, /* base64 of it fits the 64 KiB of metadata of a call */
  PEER_TAG_BYTES = 8,
  SEAL_AUDIENCE_MAX = 128, /* bytes */
};

struct sealer;

/* `keys`: one to four keys, each hex or base64 of at least 32 bytes, separated by commas or
 * white space. The first seals, all open: that is how a key is changed. NULL makes a random
 * one for this process. `audience` (copied, cut at SEAL_AUDIENCE_MAX) names the installation:
 * grants of another one do not open. `what` names the setting in errors. */
enum err_code sealer_new(struct sealer **out, const char *what, const char *keys,
                         const char *audience, struct err *e);
struct sealer *sealer_ref(struct sealer *s);
/* NULL is fine. */
void sealer_unref(struct sealer *s);
/* How many keys open. The first seals. */
size_t sealer_n_keys(const struct sealer *s);

enum seal_type { SEAL_GRANT = 1, SEAL_BENCHMARK = 2 };

/* Appends the sealed form of a Grant or BenchmarkGrant, with the sealer's audience in place of
 * its own. ERR_RESOURCE_EXHAUSTED when the grant is too large to travel. */
enum err_code seal_message(const struct sealer *s, enum seal_type type,
                           const ProtobufCMessage *message, struct buf *out, struct err *e);

/* What a sealed form holds: exactly one of the two. */
struct unsealed {
  const Analytics__Auth__V1__Grant *grant;
  const Analytics__Auth__V1__BenchmarkGrant *benchmark;
  int64_t expires_at; /* of whichever it is; texts are never NULL */
  const char *subject, *principal_id, *token_id, *grant_id;
  size_t key; /* which key it was sealed with, for seal_tag() */
};
/* Checks and opens it; the messages live in the arena. UNAUTHENTICATED: `missing_grant`,
 * `bad_grant` (not ours or changed), `wrong_audience` (made for another installation),
 * `expired_grant` (now_s is past its end). */
enum err_code seal_open(struct unsealed *out, const struct sealer *s, const void *sealed,
                        size_t len, int64_t now_s, struct arena *arena, struct err *e);

/* A digest by key number `key` (from 0) that names a dealer or an owner without disclosing
 * which. Each use has a `domain` of its own. */
void seal_tag(const struct sealer *s, size_t key, const char *domain, const char *id,
              uint8_t tag[PEER_TAG_BYTES]);

#endif
