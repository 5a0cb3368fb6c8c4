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

#include "auth-svc/secret/key_use.h"
#include "auth-svc/secret/secret.h"
#include "common/base/error.h"

enum {
  TOKEN_STORE_MAX_VALUE = 64 * 1024,   /* bytes of one sealed token */
  TOKEN_STORE_MAX_FILE = 64 << 20,     /* bytes of the file that are read */
  TOKEN_STORE_COMPACT_MIN = 64 * 1024, /* bytes below which the file just grows */
};

struct token_store_options {
  const char *dir; /* made when it does not exist, mode 0700 */
  /* Its first key seals, each value bound to account and fingerprint. The store takes a
   * reference. NULL: values are written as they are, which the caller must have been allowed
   * to. */
  struct keyring *keyring;
  size_t compact_min_bytes; /* 0 means TOKEN_STORE_COMPACT_MIN */
};

struct token_store;

/* Reads what is there and takes the folder for this process alone. Errors begin with
 * AUTH_STATE_DIR: UNAVAILABLE `state_in_use` when another process has it, DATA_LOSS when the
 * file is not ours, FAILED_PRECONDITION `state_sealed` when a value cannot be opened for want
 * of a key. Values found unsealed while there is a key are sealed before it returns; those sealed
 * with another key than the first are sealed again afterwards, in the background. */
enum err_code token_store_open(struct token_store **out, const struct token_store_options *options,
                               struct err *e);
/* Brings to disk what waits, tells everybody, frees. NULL is fine. */
void token_store_close(struct token_store *s);

/* The token that replaced the credential of this fingerprint, or NULL. A reference. Accounts may
 * share a credential: the newest of all counts, and becomes this account's too. */
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

/* A new keyring takes over, in two steps that the caller keeps together: the first says whether
 * it may, FAILED_PRECONDITION `key_in_use` when something on disk is sealed with a key it lacks.
 * The second seals with its first key from now on, and everything that another key sealed is
 * sealed again in the background: a whole new file, put in place by a rename. Between the two
 * steps the needs do not change as long as the new ring holds the first key of the old one. */
enum err_code token_store_check_keyring(struct token_store *s, const struct keyring *next,
                                        struct err *e);
void token_store_set_keyring(struct token_store *s, struct keyring *next);
/* What the file on disk is sealed with. */
void token_store_key_use(struct token_store *s, struct key_use *out);

/* Writes the file anew, every value sealed again. Asynchronous. */
void token_store_rewrite(struct token_store *s);

/* Whether the last attempt to write succeeded. */
bool token_store_is_writable(struct token_store *s);
/* Appends one line for /readyz: what is kept, or why it cannot be. */
void token_store_describe(struct token_store *s, struct buf *detail);

#endif
