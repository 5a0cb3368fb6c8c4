/* Dealers that were connected by consent, the links by which one is connected, and the sessions
 * under way, on disk.
 *
 * All of it is one JSON document in AUTH_STATE_DIR/connect, replaced whole with each change
 * (token/store_file.h), so that a link is used up and its dealer stored in one step or not at all,
 * and a change that was acknowledged survives a loss of power. Secrets stand in it sealed, in
 * memory too; of links and sessions there are digests alone.
 *
 *   {"invites":  [{"hash", "dealer": {...}, "label", "renew", "created_by", "expires_s", "starts",
 *                  "session"}],
 *    "sessions": [{"hash", "invite", "stage", "language", "expires_s", "state", "verifier",
 * "nonce", "google_account", "google_sub", "refresh_token", "properties", "property_id"}],
 *    "dealers":  [{"dealer": {an entry of dealers.json}, "google_account", "google_sub",
 *                  "connected_s"}]}
 *
 * Thread-safe; a change waits for the disk, so not on a thread that must not. */
#ifndef AMCP_AUTH_CONNECT_STORE_H
#define AMCP_AUTH_CONNECT_STORE_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "auth-svc/secret/key_use.h"
#include "common/base/buf.h"
#include "common/base/error.h"

enum {
  CONNECT_INVITES_MAX = 1000,
  CONNECT_SESSIONS_MAX = 1000,
  CONNECT_DEALERS_MAX = 10000,
  CONNECT_FILE_MAX = 64 << 20,
};

struct connect_store;

struct connect_store_options {
  const char *state_dir;    /* AUTH_STATE_DIR; the folder below is made, mode 0700 */
  struct keyring *keyring;  /* its first key seals; a reference is taken. Required */
  int64_t (*unix_ms)(void); /* NULL means clock_unix_ms */
};

/* Reads what is there and takes the folder for this process alone. UNAVAILABLE `state_in_use` or
 * `state_unwritable`, DATA_LOSS `state_damaged`, FAILED_PRECONDITION `state_sealed` when a value is
 * sealed with a key that the ring lacks. */
enum err_code connect_store_open(struct connect_store **out,
                                 const struct connect_store_options *options, struct err *e);
/* NULL is fine. */
void connect_store_close(struct connect_store *s);

/* The lists as they are, without what has expired. */
struct connect_lists {
  cJSON *invites, *sessions, *dealers;
  struct keyring *ring;
  int64_t now_s;
};
/* Takes the store: nobody else reads or changes it until connect_store_end(). */
void connect_store_begin(struct connect_store *s, struct connect_lists *out);
/* Gives it back. `changed`: the lists were, and are on disk when this returns ERR_OK; otherwise
 * (UNAVAILABLE `state_unwritable`, RESOURCE_EXHAUSTED `state_full`) they are as they were. */
enum err_code connect_store_end(struct connect_store *s, bool changed, struct err *e);

/* Appends {"dealers": [...]} in the form of dealers.json. NULL store: nothing. */
void connect_store_dealers(struct connect_store *s, struct buf *out);
/* The same of a folder that a running service may have, for subcommands that only read. Nothing is
 * appended when there is none. */
enum err_code connect_store_peek(const char *state_dir, struct buf *out, struct err *e);

/* A new keyring takes over, as with token_store_check_keyring() and token_store_set_keyring(). The
 * second seals everything again at once; what cannot be written stays sealed with the old key,
 * which connect_store_key_use() then says. */
enum err_code connect_store_check_keyring(struct connect_store *s, const struct keyring *next,
                                          struct err *e);
void connect_store_set_keyring(struct connect_store *s, struct keyring *next);
/* Adds what the file is sealed with. NULL store: nothing. */
void connect_store_key_use(struct connect_store *s, struct key_use *use);

/* Appends one line for /readyz. */
void connect_store_describe(struct connect_store *s, struct buf *detail);

#endif
