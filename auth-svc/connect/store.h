/* Dealers that were connected by consent, the links by which one is connected, and the sessions
 * under way, on disk.
 *
 * They are three lists, in AUTH_STATE_DIR/connect of one process (folder.c), or in a PostgreSQL for
 * several replicas (shared.c). A change of them is stored whole or not at all, so that a link is
 * used up and its dealer stored in one step, and one that was acknowledged survives a loss of
 * power. Secrets stand in them sealed, in memory too; of links and sessions there are digests
 * alone.
 *
 *   {"invites":  [{"hash", "dealer": {...}, "label", "renew", "created_by", "expires_s", "starts",
 *                  "session"}],
 *    "sessions": [{"hash", "invite", "stage", "language", "expires_s", "state", "verifier",
 * "nonce", "google_account", "google_sub", "refresh_token", "properties", "property_id"}],
 *    "dealers":  [{"dealer": {an entry of dealers.json}, "google_account", "google_sub",
 *                  "connected_s"}]}
 *
 * Thread-safe; whoever takes the store waits for a disk or a server, so not on a thread that must
 * not. */
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
  const char *database_url; /* PostgreSQL of several replicas; NULL: the folder */
  const char *state_dir;    /* AUTH_STATE_DIR; the folder below is made, mode 0700 */
  struct keyring *keyring;  /* its first key seals; a reference is taken. Required */
  int64_t (*unix_ms)(void); /* NULL means clock_unix_ms */
};

/* Reads what is there, and takes a folder for this process alone. UNAVAILABLE `state_in_use` or
 * `state_unwritable`, DATA_LOSS `state_damaged`, FAILED_PRECONDITION `state_sealed` when a value is
 * sealed with a key that the ring lacks, INVALID_ARGUMENT when the URL is none. A PostgreSQL that
 * cannot be reached is reported by connect_store_ready(), not here. */
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
/* Takes the store: nobody else, of any replica, reads or changes it until connect_store_end().
 * UNAVAILABLE `state_unavailable` when it cannot be reached (after at most some seconds, and at
 * once while somebody else waits for a server that does not answer): then it is not taken. */
enum err_code connect_store_begin(struct connect_store *s, struct connect_lists *out,
                                  struct err *e);
/* Gives it back. `changed`: the lists were, and are on disk when this returns ERR_OK; otherwise
 * (UNAVAILABLE `state_unwritable` or `state_unavailable`, RESOURCE_EXHAUSTED `state_full`) they are
 * as they were. */
enum err_code connect_store_end(struct connect_store *s, bool changed, struct err *e);

/* Whether other replicas change it, too. */
bool connect_store_is_shared(const struct connect_store *s);

/* Appends {"dealers": [...]} in the form of dealers.json, as they were read or stored last: also
 * while they cannot be reached. NULL store: nothing. Returns their version, see below. */
uint64_t connect_store_dealers(struct connect_store *s, struct buf *out);
/* A number that is another one whenever the dealers are others. */
uint64_t connect_store_version(struct connect_store *s);
/* Looks every every_ms at what other replicas changed, on a thread of its own, and calls back
 * after the dealers did, from whatever replica. For a folder there is nothing to look at. Ends with
 * connect_store_unwatch() or the store. */
void connect_store_watch(struct connect_store *s, uint32_t every_ms, void (*changed)(void *user),
                         void *user);
void connect_store_unwatch(struct connect_store *s);
/* What connect_store_dealers() appends, of a store that a running service may have, for subcommands
 * that only read. Nothing is appended when there is none. */
enum err_code connect_store_peek(const struct connect_store_options *options, struct buf *out,
                                 struct err *e);

/* A new keyring takes over, as with token_store_check_keyring() and token_store_set_keyring(). The
 * second seals everything again at once; what cannot be written stays sealed with the old key,
 * which connect_store_key_use() then says. */
enum err_code connect_store_check_keyring(struct connect_store *s, const struct keyring *next,
                                          struct err *e);
void connect_store_set_keyring(struct connect_store *s, struct keyring *next);
/* Adds what the file is sealed with. NULL store: nothing. */
void connect_store_key_use(struct connect_store *s, struct key_use *use);

/* Whether the last reading or writing went well. */
bool connect_store_is_well(struct connect_store *s);
/* Appends one line for /readyz. False until a PostgreSQL was read once: a replica that never
 * reached it knows no connected dealer, and must not take over from one that does. */
bool connect_store_ready(struct connect_store *s, struct buf *detail);

#endif
