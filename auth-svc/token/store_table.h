/* The replaced refresh tokens in memory; nobody but the store includes it. Not thread-safe. */
#ifndef AMCP_AUTH_TOKEN_STORE_TABLE_H
#define AMCP_AUTH_TOKEN_STORE_TABLE_H

#include <stddef.h>

#include "auth-svc/secret/secret.h"
#include "common/base/error.h"

enum { STORE_BUCKETS = 4096 };

/* The token that replaced the credential of this fingerprint. */
struct kept {
  struct kept *next;
  char *account_id;
  uint8_t fingerprint[SHA256_SIZE];
  int64_t stored_s; /* unix seconds */
  struct secret *token;
};

struct store_table {
  struct kept *buckets[STORE_BUCKETS];
  size_t n;
};

/* NULL when there is none. Valid until the table changes. */
struct kept *table_find(struct store_table *t, const char *account_id,
                        const uint8_t fingerprint[SHA256_SIZE]);
/* The newest of any account with this credential: accounts may share one. Likewise. */
struct kept *table_newest(struct store_table *t, const uint8_t fingerprint[SHA256_SIZE]);
/* Keeps a reference to the token, in place of the one there. */
void table_keep(struct store_table *t, const char *account_id,
                const uint8_t fingerprint[SHA256_SIZE], struct secret *token, int64_t stored_s);
/* Forgets tokens of credentials that others replaced 30 days ago: those do not come back. */
void table_drop_outdated(struct store_table *t);
/* Calls fn for every token until it fails. */
enum err_code table_each(const struct store_table *t,
                         enum err_code (*fn)(void *user, const struct kept *k, struct err *e),
                         void *user, struct err *e);
void table_clear(struct store_table *t);

#endif
