/* Counts values by the key they are sealed with. */
#include "auth-svc/secret/key_use.h"

#include <string.h>

/* The count of a key, in use so far or not; NULL where no more keys have room. */
static size_t *count_of(struct key_use *u, const char *id)
{
  size_t i = 0;
  while (i < u->n && strcmp(u->keys[i].id, id) != 0)
    i++;
  if (i == KEYRING_KEYS_MAX) {
    u->more = true;
    return NULL;
  }
  if (i == u->n) {
    memcpy(u->keys[i].id, id, strlen(id) + 1);
    u->keys[u->n++].values = 0;
  }
  return &u->keys[i].values;
}

void key_use_add(struct key_use *u, const char *id)
{
  size_t *values = count_of(u, id);
  if (values != NULL)
    ++*values;
}

void key_use_add_sealed(struct key_use *u, const void *sealed, size_t len)
{
  char id[KEYRING_ID_MAX + 1];
  if (keyring_id_of(sealed, len, id))
    key_use_add(u, id);
}

/* Of each key the sum, or the larger of both. */
static void merge(struct key_use *u, const struct key_use *other, bool sum)
{
  u->more = u->more || other->more;
  u->plain = sum ? u->plain + other->plain : u->plain > other->plain ? u->plain : other->plain;
  for (size_t i = 0; i < other->n; i++) {
    size_t *values = count_of(u, other->keys[i].id), its = other->keys[i].values;
    if (values != NULL)
      *values = sum ? *values + its : *values > its ? *values : its;
  }
}

void key_use_join(struct key_use *u, const struct key_use *other)
{
  merge(u, other, false);
}

void key_use_sum(struct key_use *u, const struct key_use *other)
{
  merge(u, other, true);
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
