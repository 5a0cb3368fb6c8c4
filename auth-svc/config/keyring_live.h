/* The keyring in use, and how a new one takes over while the service runs.
 *
 * Four things are sealed or hashed with it: the dealers file, the stores of replaced refresh
 * tokens and of connected dealers, and the audit log. A new keyring serves all of them or none: it
 * is refused while something still needs a key that it lacks, and then nothing changes. Otherwise
 * the audit log gets a line about the change, the stores are sealed again, and the dealers are
 * those that the new ring opened. Thread-safe. */
#ifndef AMCP_AUTH_KEYRING_LIVE_H
#define AMCP_AUTH_KEYRING_LIVE_H

#include "auth-svc/audit/audit.h"
#include "auth-svc/config/snapshot.h"
#include "auth-svc/connect/store.h"
#include "auth-svc/token/store.h"

struct keyring_live;

struct keyring_live_options {
  const char *file;          /* AUTH_KEYRING_FILE; NULL: the keyring stays */
  struct keyring *first;     /* in use since the start; NULL for none. A reference is taken */
  struct audit *audit;       /* NULL for none */
  struct token_store *store; /* NULL for none, as the next */
  struct connect_store *connected;
};

/* Audit log and stores must outlive it. */
struct keyring_live *keyring_live_new(const struct keyring_live_options *options);
void keyring_live_free(struct keyring_live *l);

/* Makes a snapshot with a ring (NULL without keys), as settings_load_snapshot() does. */
typedef enum err_code keyring_live_load(void *user, struct keyring *ring, struct snapshot **out,
                                        struct err *e);

/* Reads the keyring file again, loads a snapshot with it and lets it take over, both or
 * none; one thread at a time (reload_run() sees to it). FAILED_PRECONDITION `key_in_use` names what
 * still needs a key that is gone, `key_id_reused` an id that now stands for another key; otherwise
 * the error of the ring, the loader or the audit log. */
enum err_code keyring_live_reload(struct keyring_live *l, keyring_live_load *load, void *user,
                                  struct snapshot **out, struct err *e);

/* Names each key of the ring in use, the one that seals first, and whether nothing is sealed with
 * it any more. The id is lent during the call. */
void keyring_live_keys(struct keyring_live *l, const struct key_use *dealers,
                       void (*fn)(void *user, const char *id, bool idle), void *user);
/* Number of keys that may leave the ring: nothing of the file or the store is sealed with them. */
size_t keyring_live_idle(struct keyring_live *l, const struct key_use *dealers);
/* Appends a line for /readyz: the keys in use by file, store and audit log, and those that may
 * leave the ring. */
void keyring_live_describe(struct keyring_live *l, const struct key_use *dealers,
                           struct buf *detail);

#endif
