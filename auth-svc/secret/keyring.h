/* Keys that protect what lies on disk: AES-256-GCM with a key id, bound to its place.
 *
 *   v1:<key id>:<base64 of nonce (12) | ciphertext | tag (16)>
 *
 * The additional data is the head "v1:<key id>" and the record the value belongs to, each
 * part with its length before it, so a value that is moved to another record does not open.
 * The first key seals, every key opens: that is how a key is changed. Keys live on OpenSSL's
 * secure heap. Immutable but for its counters, and counted: whoever uses a ring for longer than a
 * call holds a reference, so a new one can take over at any time (keyring_live.h). Thread-safe. */
#ifndef AMCP_AUTH_KEYRING_H
#define AMCP_AUTH_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth-svc/secret/secret.h"
#include "common/base/buf.h"
#include "common/base/error.h"

enum {
  KEYRING_KEYS_MAX = 16,
  KEYRING_KEY_BYTES = 32,
  KEYRING_ID_MAX = 32,           /* letters, digits, '.', '_', '-' */
  KEYRING_FILE_MAX = 16 * 1024,  /* bytes of a keyring's text */
  KEYRING_PLAIN_MAX = 64 * 1024, /* bytes of one value */
  SEALED_TEXT_MAX = 4 * (KEYRING_PLAIN_MAX + 28 + 2) / 3 + KEYRING_ID_MAX + 8,
};

/* Random 96-bit nonces must not be used with one key more than 2^32 times (NIST SP 800-38D
 * §8.3). The warning comes at 2^28, long before. */
#define KEYRING_USES_WARN (UINT64_C(1) << 28)
#define KEYRING_USES_MAX (UINT64_C(1) << 32)

struct keyring;

/* What a value belongs to. */
struct keyring_record {
  const char *tenant; /* whose: the dealer_id */
  const char *kind;   /* of what: "dealers.json/v1" */
  const char *id;     /* which one: "oauth.refresh_token" */
};

/* One key per line (or comma-separated): `id: key`, the key 32 bytes in base64 or hex. Empty
 * lines and lines that start with '#' do not count. `what` begins the errors and never is
 * followed by key material. ERR_INVALID_ARGUMENT `bad_keyring` says which line. */
enum err_code keyring_parse(struct keyring **out, const char *what, const char *text, size_t len,
                            struct err *e);
/* From the file that AUTH_KEYRING_FILE names; *out is NULL when `file` is. Warns when others may
 * read the file. */
enum err_code keyring_load(struct keyring **out, const char *file, struct err *e);
/* References; NULL is fine for both. */
struct keyring *keyring_ref(struct keyring *k);
void keyring_unref(struct keyring *k);
static inline void keyring_cleanup(struct keyring **k)
{
  keyring_unref(*k);
}
#define AUTO_KEYRING __attribute__((cleanup(keyring_cleanup)))

size_t keyring_size(const struct keyring *k);
/* Id of a key; 0 is the primary one. */
const char *keyring_id(const struct keyring *k, size_t i);
/* Where the key of this id is; keyring_size() when it is not on the ring; 0 for a NULL ring. */
size_t keyring_find(const struct keyring *k, const char *id);
/* Whether two rings hold the same key at these places, by its bytes. */
bool keyring_same_key(const struct keyring *a, size_t i, const struct keyring *b, size_t j);

/* Appends the sealed text. ERR_RESOURCE_EXHAUSTED when the value is too large or the primary
 * key has been used too often. */
enum err_code keyring_seal(struct buf *out, struct keyring *k, const struct keyring_record *record,
                           const void *data, size_t len, struct err *e);

/* Opens a sealed text; *out is released with secret_unref(). A value may hold any bytes but
 * is given as text.
 *   INVALID_ARGUMENT    malformed_seal  not of the form above
 *   FAILED_PRECONDITION unknown_key     the key id is not on the ring
 *   DATA_LOSS           seal_broken     changed, or moved here from another record */
enum err_code keyring_open(struct secret **out, const struct keyring *k,
                           const struct keyring_record *record, const char *sealed, size_t len,
                           struct err *e);
/* Copies the key id out of a sealed text; false when it is malformed. */
bool keyring_id_of(const char *sealed, size_t len, char id[KEYRING_ID_MAX + 1]);

/* Encryptions with a key in this process, and those made elsewhere that are known of. */
uint64_t keyring_uses(const struct keyring *k, size_t i);
void keyring_count_uses(struct keyring *k, size_t i, uint64_t n);
/* Adds what `before` counted for the keys that both rings hold, so that a file that is read
 * again does not begin at 0. */
void keyring_carry_uses(struct keyring *k, const struct keyring *before);

/* A key for another use (HMAC), derived from key i; `use` keeps uses apart. */
void keyring_derive(const struct keyring *k, size_t i, const char *use,
                    uint8_t out[KEYRING_KEY_BYTES]);

#endif
