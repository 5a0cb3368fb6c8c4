/* Counts values by the key they are sealed with. */
#include "auth-svc/secret/key_use.h"

#include <string.h>

void key_use_add(struct key_use *u, const char *id)
{
  size_t i = 0;
  while (i < u->n && strcmp(u->keys[i].id, id) != 0)
    i++;
  if (i == KEYRING_KEYS_MAX) {
    u->more = true;
    return;
  }
  if (i == u->n) {
    u->n++;
    memcpy(u->keys[i].id, id, strlen(id) + 1);
  }
  u->keys[i].values++;
}

void key_use_add_sealed(struct key_use *u, const void *sealed, size_t len)
{
  char id[KEYRING_ID_MAX + 1];
  if (keyring_id_of(sealed, len, id))
    key_use_add(u, id);
}

/* The place of a key among those in use, new or not; one that does not fit has none. */
static size_t place_of(struct key_use *u, const char *id)
{
  size_t k = 0;
  while (k < u->n && strcmp(u->keys[k].id, id) != 0)
    k++;
  if (k == u->n) {
    key_use_add(u, id);
    if (k < u->n)
      u->keys[k].values = 0;
  }
  return k;
}

void key_use_join(struct key_use *u, const struct key_use *other)
{
  for (size_t i = 0; i < other->n; i++) {
    size_t k = place_of(u, other->keys[i].id);
    if (k < u->n && u->keys[k].values < other->keys[i].values)
      u->keys[k].values = other->keys[i].values;
  }
  u->plain = u->plain > other->plain ? u->plain : other->plain;
  u->more = u->more || other->more;
}

void key_use_sum(struct key_use *u, const struct key_use *other)
{
  for (size_t i = 0; i < other->n; i++) {
    size_t k = place_of(u, other->keys[i].id);
    if (k < u->n)
      u->keys[k].values += other->keys[i].values;
  }
  u->plain += other->plain;
  u->more = u->more || other->more;
}

const char *key_use_missing(const struct key_use *u, const struct keyring *ring)
{
  for (size_t i = 0; i < u->n; i++)
    if (ring == NULL || keyring_find(ring, u->keys[i].id) == keyring_size(ring))
      return u->keys[i].id;
  return u->more ? "(more keys than a keyring can hold)" : NULL;
}

bool key_use_has(const struct key_use *u, const char *id)
{
  for (size_t i = 0; i < u->n; i++)
    if (strcmp(u->keys[i].id, id) == 0)
      return true;
  return u->more;
}

bool key_use_has_other(const struct key_use *u, const char *id)
{
  return u->more || u->n > 1 || (u->n == 1 && strcmp(u->keys[0].id, id) != 0);
}

void key_use_print(const struct key_use *u, struct buf *out)
{
  for (size_t i = 0; i < u->n; i++)
    buf_printf(out, "%s%s (%zu)", i > 0 ? ", " : "", u->keys[i].id, u->keys[i].values);
  if (u->n == 0)
    buf_puts(out, u->plain > 0 ? "nothing sealed, secrets in the clear" : "nothing sealed");
}
