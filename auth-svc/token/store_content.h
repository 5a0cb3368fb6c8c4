/* What the file of the token store holds: the table as records, each token sealed with the
 * keyring and bound to its account and the credential it replaced. Nobody but the store
 * includes it. */
#ifndef AMCP_AUTH_TOKEN_STORE_CONTENT_H
#define AMCP_AUTH_TOKEN_STORE_CONTENT_H

#include "auth-svc/secret/key_use.h"
#include "auth-svc/token/store.h"
#include "auth-svc/token/store_record.h"
#include "auth-svc/token/store_table.h"

enum { RECORD_MAX = STORE_RECORD_OVERHEAD + STORE_MAX_ACCOUNT + TOKEN_STORE_MAX_VALUE };

/* Appends the record of a token, sealed with the ring's first key; as it is without a ring.
 * Counts the key in *use. */
enum err_code content_add(struct buf *out, const struct kept *k, struct keyring *ring,
                          struct key_use *use, struct err *e);
/* Appends a whole file. */
enum err_code content_write(struct buf *out, const struct store_table *table, struct keyring *ring,
                            struct key_use *use, struct err *e);

struct content_found {
  size_t good;        /* end of the last good record */
  size_t damage;      /* places where something between good records is no record */
  struct key_use use; /* of all records, also of outdated ones */
};

/* Reads a whole file into the table. Damage is skipped and counted. FAILED_PRECONDITION
 * `state_sealed` without a ring, and what keyring_open() says when a value does not open. */
enum err_code content_read(struct content_found *out, struct store_table *table,
                           const struct buf *text, struct keyring *ring, struct err *e);

#endif
