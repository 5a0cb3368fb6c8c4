/* Refresh tokens that a token endpoint gave in place of the configured ones, on disk.
 *
 * Most endpoints that rotate refresh tokens void the old one at once, so the new one must
 * survive this process before anything is done with the answer it came in. One append-only
 * file, synced before its tokens are used:
 *
 *   "amcp-tokens v1\n" NUL | record ...
 *   record: length (4) | first 8 bytes of SHA-256(length, payload) | payload
 *   payload: kind (1) | time (8) | fingerprint (32) | length (2) | account_id | value
 *
 * A half-written end is cut off at the next start. When most of the file is outdated, a new
 * one is written beside it, synced and renamed over it. One thread syncs, many tokens at a
 * time. Thread-safe. */
#ifndef AMCP_AUTH_TOKEN_STORE_H
#define AMCP_AUTH_TOKEN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth-svc/secret.h"
#include "common/base/error.h"

enum {
  TOKEN_STORE_MAX_VALUE = 64 * 1024,   /* bytes of one sealed token */
  TOKEN_STORE_MAX_FILE = 64 << 20,     /* bytes of the file that are read */
  TOKEN_STORE_COMPACT_MIN = 64 * 1024, /* bytes below which the file just grows */
};

/* How values are sealed. Both bind the value to the account and the fingerprint (64
 * hexadecimal digits) of the credential it replaces. Thread-safe. */
struct token_store_crypto {
  enum err_code (*seal)(void *user, const char *account_id, const char *fingerprint,
                        const void *data, size_t len, struct buf *out, struct err *e);
  enum err_code (*open)(void *user, const char *account_id, const char *fingerprint,
                        const void *sealed, size_t len, struct secret **out, struct err *e);
  void *user;
};

struct token_store_options {
  const char *dir; /* made when it does not exist, mode 0700 */
  /* NULL: values are written as they are, which the caller must have been allowed to. */
  const struct token_store_crypto *crypto;
  size_t compact_min_bytes; /* 0 means TOKEN_STORE_COMPACT_MIN */
};

struct token_store;

/* Reads what is there and takes the folder for this process alone. Errors begin with
 * AUTH_STATE_DIR: UNAVAILABLE `state_in_use` when another process has it, DATA_LOSS when the
 * file is not ours, FAILED_PRECONDITION `state_sealed` when a value cannot be opened for want
 * of a key. Values found unsealed while there is a key are sealed before it returns. */
enum err_code token_store_open(struct token_store **out, const struct token_store_options *options,
                               struct err *e);
/* Brings to disk what waits, tells everybody, frees. NULL is fine. */
void token_store_close(struct token_store *s);

/* The token that replaced the credential of this fingerprint, or NULL. A reference. */
struct secret *token_store_get(struct token_store *s, const char *account_id,
                               const uint8_t fingerprint[SHA256_SIZE]);

/* What became of a token. ERR_OK: it is on disk. Otherwise the store tries again by itself
 * and calls again, unless `final`: then the store is closing. Runs on the store's thread and
 * may not call token_store_close(). */
typedef void token_stored(void *user, const struct err *error, bool final);

/* Keeps a token. It is handed to the kernel before this returns, so a killed process loses
 * nothing from here on; `stored` runs when it would survive a loss of power too. */
void token_store_put(struct token_store *s, const char *account_id,
                     const uint8_t fingerprint[SHA256_SIZE], struct secret *token,
                     token_stored *stored, void *user);

/* Writes the file anew, every value sealed again: after the key was changed. Asynchronous. */
void token_store_rewrite(struct token_store *s);

/* Appends one line for /readyz: what is kept, or why it cannot be. */
void token_store_describe(struct token_store *s, struct buf *detail);

#endif
