/* Which keys a store or file is sealed with, and how many of its values with each: what must
 * not leave the keyring. Not thread-safe. */
#ifndef AMCP_AUTH_KEY_USE_H
#define AMCP_AUTH_KEY_USE_H

#include "auth-svc/secret/keyring.h"

struct key_use {
  size_t n; /* keys */
  struct {
    char id[KEYRING_ID_MAX + 1];
    size_t values;
  } keys[KEYRING_KEYS_MAX];
  size_t plain; /* values that are not sealed */
  bool more;    /* keys beyond those that fit: none may leave */
};

void key_use_add(struct key_use *u, const char *id);
/* The same for a sealed text, by the id it names; one that names none does not count. */
void key_use_add_sealed(struct key_use *u, const void *sealed, size_t len);
/* For one place of two states, of which either may be the one on disk: the keys of both. */
void key_use_join(struct key_use *u, const struct key_use *other);
/* For two places: the values of both. */
void key_use_sum(struct key_use *u, const struct key_use *other);
/* Id of a key that is in use and not on the ring; NULL when all are. A NULL ring holds none. */
const char *key_use_missing(const struct key_use *u, const struct keyring *ring);
bool key_use_has(const struct key_use *u, const char *id);
/* Whether something is sealed with another key than this. */
bool key_use_has_other(const struct key_use *u, const char *id);
/* Appends `k2 (3), k1 (1)`; "nothing sealed" when nothing is. */
void key_use_print(const struct key_use *u, struct buf *out);

#endif
