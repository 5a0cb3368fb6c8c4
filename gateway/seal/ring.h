/* The gateway's own keys: a file with up to 16, read again when it changes.
 *
 * The first key seals, every key opens: that is how a key is changed without ending what the old
 * one sealed. Thread-safe. */
#ifndef AMCP_GATEWAY_SEAL_RING_H
#define AMCP_GATEWAY_SEAL_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum {
  RING_KEYS_MAX = 16,
  RING_KEY_BYTES = 32,
  RING_FILE_MAX = 16 * 1024,
  RING_MARK_BYTES = 4, /* first bytes of a key's SHA-256: which key something was sealed with */
};

struct ring;

/* A key and its mark. Wipe the copy after use. */
struct ring_key {
  uint8_t bytes[RING_KEY_BYTES];
  uint8_t mark[RING_MARK_BYTES];
};

/* Reads the keys of a file: a line each, `id: key` as auth-svc keygen prints it or the key alone,
 * 32 bytes in base64 or hex; empty lines and those that start with '#' do not count. file NULL: one
 * random key, which ends with the process. `setting` names the file in messages, which never hold
 * key material. ERR_INVALID_ARGUMENT `bad_ring` says which line; else as file_read()
 * says. */
enum err_code ring_new(struct ring **out, const char *setting, const char *file, struct err *e);
/* The keys of a text, as above. */
enum err_code ring_parse(struct ring **out, const char *setting, const char *text, size_t len,
                         struct err *e);
void ring_free(struct ring *r);

/* Reads the file again if it changed; a file that cannot be read or is malformed is logged once and
 * changes nothing. Cheap otherwise: call it about every second. */
void ring_refresh(struct ring *r);

/* Copies the key that seals. */
void ring_first(struct ring *r, struct ring_key *out);
/* Copies the key of a mark; false when the ring has none. */
bool ring_find(struct ring *r, const uint8_t mark[RING_MARK_BYTES], struct ring_key *out);
size_t ring_size(struct ring *r);
/* Grows when the keys change: what was remembered of an older version may no longer hold. */
uint64_t ring_version(struct ring *r);

#endif
