/* The table of leases, and their list in the order in which they began. */
#include "report-svc/google/lease.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/lru.h"
#include "common/base/map.h"
#include "common/base/mem.h"

enum { KEY_BYTES = 32 }; /* SHA-256 */

struct lease {
  struct map_node in_map;
  struct lru_node in_order;
  struct lease *next_ended;
  struct token *token;
  int64_t until_ms;
  uint64_t uses;
  struct lease_name name; /* points into `data` */
  uint8_t key[KEY_BYTES];
  char data[];
};

struct leases {
  struct leases_options options;
  pthread_mutex_t lock;
  /* Guarded by lock: */
  struct map map;
  struct lru order; /* never touched: the oldest ends first, give or take a short one */
};

struct leases *leases_new(const struct leases_options *options)
{
  struct leases *l = xcalloc(1, sizeof(*l));
  l->options = *options;
  l->order = LRU_INIT(options->max_bytes);
  pthread_mutex_init(&l->lock, NULL);
  return l;
}

/* A digest of the grant and of the target: the parts cannot run into each other, since the length
 * of the grant and the kind of target come first. */
static void key_of(uint8_t out[KEY_BYTES], const struct lease_name *n)
{
  const uint64_t head[2] = {n->grant_len, (uint64_t)n->subject};
  EVP_MD_CTX *digest = EVP_MD_CTX_new();
  if (digest == NULL || EVP_DigestInit_ex(digest, EVP_sha256(), NULL) != 1 ||
      EVP_DigestUpdate(digest, head, sizeof(head)) != 1 ||
      EVP_DigestUpdate(digest, n->grant, n->grant_len) != 1 ||
      EVP_DigestUpdate(digest, n->subject_id, strlen(n->subject_id)) != 1 ||
      EVP_DigestFinal_ex(digest, out, NULL) != 1)
    abort(); /* fails only when OpenSSL is unusable */
  EVP_MD_CTX_free(digest);
}

static struct lease *find(const struct leases *l, const uint8_t key[KEY_BYTES])
{
  return CONTAINER_OF(map_find(&l->map, key, KEY_BYTES), struct lease, in_map);
}

/* ------------------------------------------------------------------ ends */

/* Takes a lease out of the table, onto the list of those that have ended. */
static void take_out(struct leases *l, struct lease *lease, struct lease **ended)
{
  map_remove(&l->map, &lease->in_map);
  lru_remove(&l->order, &lease->in_order);
  lease->next_ended = *ended;
  *ended = lease;
}

static void take_out_oldest(struct leases *l, struct lru_node *oldest, struct lease **ended)
{
  take_out(l, CONTAINER_OF(oldest, struct lease, in_order), ended);
}

static void lease_free(struct lease *lease)
{
  token_unref(lease->token);
  free(lease);
}

/* Reports and frees; without the lock. */
static void end_all(struct leases *l, struct lease *ended)
{
  while (ended != NULL) {
    struct lease *lease = ended;
    ended = lease->next_ended;
    if (lease->uses > 0)
      l->options.on_end(l->options.user, &lease->name, lease->uses);
    lease_free(lease);
  }
}

void leases_free(struct leases *l)
{
  struct lease *all = NULL;
  if (l == NULL)
    return;
  while (l->order.oldest != NULL)
    take_out_oldest(l, l->order.oldest, &all);
  for (struct lease *next; all != NULL; all = next) {
    next = all->next_ended;
    lease_free(all);
  }
  map_free(&l->map);
  pthread_mutex_destroy(&l->lock);
  free(l);
}

void leases_drop(struct leases *l, const struct lease_name *name)
{
  uint8_t key[KEY_BYTES];
  struct lease *ended = NULL;
  key_of(key, name);
  pthread_mutex_lock(&l->lock);
  struct lease *lease = find(l, key);
  if (lease != NULL)
    take_out(l, lease, &ended);
  pthread_mutex_unlock(&l->lock);
  end_all(l, ended);
}

size_t leases_expire(struct leases *l, int64_t now_ms)
{
  struct lease *ended = NULL;
  pthread_mutex_lock(&l->lock);
  for (struct lru_node *n = l->order.oldest, *newer; n != NULL; n = newer) {
    struct lease *lease = CONTAINER_OF(n, struct lease, in_order);
    newer = n->newer;
    if (lease->until_ms <= now_ms)
      take_out(l, lease, &ended);
  }
  size_t left = l->map.n;
  pthread_mutex_unlock(&l->lock);
  end_all(l, ended);
  return left;
}

/* ------------------------------------------------------------------ use */

struct token *leases_use(struct leases *l, const struct lease_name *name, int64_t now_ms)
{
  uint8_t key[KEY_BYTES];
  struct token *token = NULL;
  key_of(key, name);
  pthread_mutex_lock(&l->lock);
  struct lease *lease = find(l, key);
  if (lease != NULL && now_ms < lease->until_ms) {
    lease->uses++;
    token = token_ref(lease->token);
  }
  pthread_mutex_unlock(&l->lock);
  return token;
}

static struct lease *lease_new(const struct lease_name *n, struct token *token, int64_t until_ms,
                               size_t *size)
{
  size_t id = strlen(n->subject_id) + 1;
  *size = sizeof(struct lease) + n->grant_len + id + token_size(token);
  struct lease *lease = xcalloc(1, sizeof(*lease) + n->grant_len + id);
  memcpy(lease->data, n->grant, n->grant_len);
  memcpy(lease->data + n->grant_len, n->subject_id, id);
  lease->name =
      (struct lease_name){lease->data, n->grant_len, n->subject, lease->data + n->grant_len};
  key_of(lease->key, n);
  lease->token = token_ref(token);
  lease->until_ms = until_ms;
  return lease;
}

void leases_begin(struct leases *l, const struct lease_name *name, struct token *token,
                  int64_t until_ms, int64_t now_ms)
{
  size_t size;
  struct lru_node *oldest;
  struct lease *ended = NULL, *lease = lease_new(name, token, until_ms, &size);
  pthread_mutex_lock(&l->lock);
  struct lease *old = find(l, lease->key);
  bool goes_on = old != NULL && now_ms < old->until_ms;
  if (old != NULL && !goes_on)
    take_out(l, old, &ended);
  if (goes_on || size > l->order.max / 4) {
    lease->next_ended = ended; /* never used */
    ended = lease;
  } else {
    while ((oldest = lru_excess(&l->order, size)) != NULL)
      take_out_oldest(l, oldest, &ended);
    map_add(&l->map, &lease->in_map, lease->key, KEY_BYTES);
    lru_add(&l->order, &lease->in_order, size);
  }
  pthread_mutex_unlock(&l->lock);
  end_all(l, ended);
}
