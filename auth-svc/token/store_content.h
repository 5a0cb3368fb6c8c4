/* What the token store keeps, in memory and as the text of its file. Nobody but the store includes
 * it. Not thread-safe.
 *
 *   amcp-tokens v2 <SHA-256 of all that follows this line, in hexadecimal>
 *   {"tokens":[
 *   {"account_id":"a01","fingerprint":"<hex>","stored_s":1764460800,"sealed":"v1:k1:..."},
 *   {"account_id":"a02",...}
 *   ]}
 *
 * A token that may be kept in the clear stands in "token" instead of "sealed". */
#ifndef AMCP_AUTH_TOKEN_STORE_CONTENT_H
#define AMCP_AUTH_TOKEN_STORE_CONTENT_H

#include <stdbool.h>
#include <stddef.h>

#include "auth-svc/secret/key_use.h"
#include "common/base/error.h"
#include "common/base/table.h"

enum { STORE_FILE_MAX = 64 << 20 }; /* bytes of the text */

/* The token that replaced a credential: an entry of a table by fingerprint and account. */
struct kept {
  struct secret *token;
  char *sealed; /* as the text has it, so that each token is sealed once per key; or NULL */
  int64_t stored_s;
};

/* An empty table, without a cap; table_free() ends it. */
void kept_init(struct table *t);
/* NULL when there is none. Valid until the table changes. */
const struct kept *kept_find(const struct table *t, const char *account_id,
                             const uint8_t fingerprint[SHA256_SIZE]);
/* The newest of any account with this credential. */
const struct kept *kept_newest(const struct table *t, const uint8_t fingerprint[SHA256_SIZE]);
/* Adds or replaces; takes a reference. */
struct kept *kept_put(struct table *t, const char *account_id,
                      const uint8_t fingerprint[SHA256_SIZE], struct secret *token,
                      int64_t stored_s);
/* Drops tokens older than 30 days of accounts that have used another credential since. */
void kept_drop_outdated(struct table *t, int64_t now_s);

/* Writes the whole text into an empty buffer; what is not sealed with the ring's first key is
 * sealed with it, and left in the clear without a ring. Sets *use. RESOURCE_EXHAUSTED `state_full`
 * above STORE_FILE_MAX. */
enum err_code content_write(struct buf *out, struct table *t, struct keyring *ring,
                            struct key_use *use, struct err *e);
/* Whether the text is as it was written, from its first to its last byte. */
bool content_is_whole(const struct buf *text);
/* Reads a text into the table, and the keys it is sealed with into *use. DATA_LOSS `state_damaged`
 * unless it is whole, FAILED_PRECONDITION `state_sealed` without a ring, and what keyring_open()
 * reports when a value does not open. */
enum err_code content_read(struct table *t, struct key_use *use, const struct buf *text,
                           struct keyring *ring, struct err *e);

#endif
