/* A set-associative table of digests. */
#include "auth-svc/identity/verified.h"

#include <openssl/crypto.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

enum { WAYS = 8 };

struct entry {
  uint8_t digest[SHA256_SIZE];
  bool taken;
  struct key_generation generation;
  int64_t expires_at;
  uint64_t used; /* tick of the last use */
};

struct verified {
  pthread_mutex_t lock;
  struct entry *entries;
  size_t sets;
  uint64_t tick;
};

struct verified *verified_new(size_t tokens)
{
  struct verified *v = xcalloc(1, sizeof(*v));
  pthread_mutex_init(&v->lock, NULL);
  v->sets = ((tokens == 0 ? VERIFIED_DEFAULT : tokens) + WAYS - 1) / WAYS;
  v->entries = xcalloc(v->sets * WAYS, sizeof(*v->entries));
  return v;
}

void verified_free(struct verified *v)
{
  if (v == NULL)
    return;
  pthread_mutex_destroy(&v->lock);
  free(v->entries);
  free(v);
}

static struct entry *set_of(const struct verified *v, const uint8_t *digest)
{
  uint64_t hash;
  memcpy(&hash, digest, sizeof(hash)); /* of SHA-256: even enough */
  return &v->entries[hash % v->sets * WAYS];
}

static struct entry *find(const struct verified *v, const uint8_t *digest)
{
  struct entry *set = set_of(v, digest);
  for (size_t i = 0; i < WAYS; i++)
    if (set[i].taken && CRYPTO_memcmp(set[i].digest, digest, SHA256_SIZE) == 0)
      return &set[i];
  return NULL;
}

static bool same(struct key_generation a, struct key_generation b)
{
  return a.configured == b.configured && a.fetched == b.fetched;
}

bool verified_has(struct verified *v, const uint8_t digest[SHA256_SIZE],
                  struct key_generation generation, int64_t now_s)
{
  pthread_mutex_lock(&v->lock);
  struct entry *e = find(v, digest);
  bool has = e != NULL && same(e->generation, generation) && now_s < e->expires_at;
  if (has)
    e->used = ++v->tick;
  else if (e != NULL)
    e->taken = false;
  pthread_mutex_unlock(&v->lock);
  return has;
}

/* A free place, else the least recently used. */
static struct entry *place_in(struct entry *set)
{
  struct entry *e = &set[0];
  for (size_t i = 0; i < WAYS && e->taken; i++)
    if (!set[i].taken || set[i].used < e->used)
      e = &set[i];
  return e;
}

void verified_add(struct verified *v, const uint8_t digest[SHA256_SIZE],
                  struct key_generation generation, int64_t expires_at)
{
  pthread_mutex_lock(&v->lock);
  struct entry *e = find(v, digest);
  if (e == NULL)
    e = place_in(set_of(v, digest));
  memcpy(e->digest, digest, SHA256_SIZE);
  e->taken = true;
  e->generation = generation;
  e->expires_at = expires_at;
  e->used = ++v->tick;
  pthread_mutex_unlock(&v->lock);
}
