/* One line of the audit log and its place in the chain.
 *
 *   {"audit":1,"seq":7,"time":"...","event":"get_access_token",...,"key":"k1","prev":"<hash of
 *   line 6>","hash":"<hash of this line up to here>"}
 *
 * `hash` is HMAC-SHA256 with a key derived from the keyring's key named by "key", or plain
 * SHA-256 when there is no keyring; the first line's prev is all zeros. Pure. */
#ifndef AMCP_AUTH_AUDIT_LINE_H
#define AMCP_AUTH_AUDIT_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "auth-svc/secret/keyring.h"
#include "common/base/buf.h"
#include "common/base/error.h"

enum {
  AUDIT_LINE_MAX = 16 * 1024,
  AUDIT_TEXT_MAX = 256,
  AUDIT_ESCAPED_MAX = 512,
  AUDIT_EVENT_MAX = 40
};

/* What happened. NULL or "" leaves a field out. Text beyond 256 bytes, or 512 with its escapes,
 * is cut and ends in "...#" and the first 8 bytes of its SHA-256 in hexadecimal, so that long
 * texts can be distinguished; text that is not UTF-8 is that alone. Never a secret. */
struct audit_event {
  const char *event;   /* "authenticate", "get_access_token", "config_loaded", ... */
  const char *result;  /* "ok", "denied", "failed" */
  const char *reason;  /* struct err's reason */
  const char *subject; /* who */
  const char *role;
  const char *account; /* credential account */
  const char *dealer;
  const char *purpose;
  const char *requested; /* what a caller asked for, in its own words, where nothing was found */
  const char *peer;      /* certificate identity of the calling service, else its address */
  const char *client;    /* address that the calling service serves, as it says */
  const char *trace_id;  /* W3C trace id */
  const char *grant_id;  /* of the sealed grant the call came with, or got ("grant") */
  const char *detail;    /* more, for people */
  const char *old_key;   /* key ids of a "key_changed" */
  const char *new_key;
  uint64_t count;   /* calls that this line stands for; 0 leaves it out */
  uint64_t through; /* number of the last line of a deleted file ("audit_deleted"); 0 likewise */
};

/* Where a chain stands. */
struct audit_chain {
  uint64_t seq; /* of the last line; 0 before the first */
  uint8_t hash[SHA256_SIZE];
};

/* What lines are hashed with. */
struct audit_key {
  bool keyed;
  char id[KEYRING_ID_MAX + 1];
  uint8_t bytes[KEYRING_KEY_BYTES];
};
/* Key i of the ring; without a ring, plain SHA-256. */
void audit_key_of(struct audit_key *key, const struct keyring *ring, size_t i);

/* Appends the next line with its newline; *next is where the chain stands after it. False when
 * it does not fit. */
bool audit_line_make(struct buf *out, struct audit_chain *next, const struct audit_chain *last,
                     const struct audit_event *event, int64_t unix_ms, const struct audit_key *key);

/* What a line says of itself. */
struct audit_link {
  uint64_t seq;
  char event[AUDIT_EVENT_MAX + 1];
  char key_id[KEYRING_ID_MAX + 1];  /* "" for plain SHA-256 */
  char new_key[KEYRING_ID_MAX + 1]; /* of a "key_changed" */
  uint64_t through;                 /* of an "audit_deleted"; 0 in other lines */
  uint8_t prev[SHA256_SIZE];
  uint8_t hash[SHA256_SIZE];
};

/* Reads a line (without newline) and checks its own hash.
 *   INVALID_ARGUMENT    not_a_line   it is not one of ours
 *   FAILED_PRECONDITION unknown_key  its key is not on the ring (or there is no ring); *out is
 *                                    set, the hash was not checked
 *   DATA_LOSS           changed      the hash does not fit */
enum err_code audit_line_read(struct audit_link *out, const char *line, size_t len,
                              const struct keyring *ring, struct err *e);

#endif
