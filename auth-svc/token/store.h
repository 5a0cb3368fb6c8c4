/* Refresh tokens that a token endpoint gave in place of the configured ones, on disk.
 *
 * Most endpoints that rotate refresh tokens void the old one at once, so the new one must
 * survive this process before anything is done with the answer it came in. One file holds them
 * all (store_content.h) and is replaced whole (store_file.h). Thread-safe. */
#ifndef AMCP_AUTH_TOKEN_STORE_H
#define AMCP_AUTH_TOKEN_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "auth-svc/secret/key_use.h"
#include "auth-svc/secret/secret.h"
#include "common/base/error.h"

struct token_store_options {
  const char *dir; /* made when it does not exist, mode 0700 */
  /* Its first key seals, each value bound to account and fingerprint. The store takes a
   * reference. NULL: values are written as they are, which the caller must have been allowed
   * to. */
  struct keyring *keyring;
  int64_t (*unix_ms)(void); /* NULL means clock_unix_ms */
};

struct token_store;

/* Reads what is there and takes the folder for this process alone. Errors begin with
 * AUTH_STATE_DIR: UNAVAILABLE `state_in_use` when another process has it, DATA_LOSS
 * `state_damaged` when the file is not ours or not as we wrote it, FAILED_PRECONDITION
 * `state_sealed` when a value cannot be opened for want of a keyring, and what keyring_open()
 * reports. Values found unsealed while there is a keyring are sealed before it returns; those
 * sealed with another key than the first are sealed again afterwards, in the background. */
enum err_code token_store_open(struct token_store **out, const struct token_store_options *options,
                               struct err *e);
/* Brings to disk what waits, calls everybody back, frees. NULL is fine. */
void token_store_close(struct token_store *s);

/* The token that replaced the credential of this fingerprint, or NULL. A reference. Accounts may
 * share a credential: the newest of all counts, and becomes this account's too. */
struct secret *token_store_get(struct token_store *s, const char *account_id,
                               const uint8_t fingerprint[SHA256_SIZE]);

/* What became of a token. ERR_OK: it is on disk. Otherwise the store tries again by itself
 * and calls again, unless `final`: then the store is closing. Runs on the store's thread and
 * may not call token_store_close(). */
typedef void token_stored(void *user, const struct err *error, bool final);

/* Keeps a token; `stored` runs when it would survive a loss of power. Does not wait for the
 * disk. */
void token_store_put(struct token_store *s, const char *account_id,
                     const uint8_t fingerprint[SHA256_SIZE], struct secret *token,
                     token_stored *stored, void *user);

/* A new keyring takes over, in two steps that the caller keeps together: the first reports
 * whether it may, FAILED_PRECONDITION `key_in_use` when something on disk is sealed with a key it
 * lacks. The second seals with its first key from now on, and everything that another key sealed
 * is sealed again in the background. Between the two steps the needs do not change as long as the
 * new ring holds the first key of the old one. */
enum err_code token_store_check_keyring(struct token_store *s, const struct keyring *next,
                                        struct err *e);
void token_store_set_keyring(struct token_store *s, struct keyring *next);
/* What the file on disk is sealed with. */
void token_store_key_use(struct token_store *s, struct key_use *out);

/* Whether the last attempt to write succeeded. */
bool token_store_is_writable(struct token_store *s);
/* Appends one line for /readyz: what is kept, or why it cannot be. */
void token_store_describe(struct token_store *s, struct buf *detail);

#endif
