/* The table of leases, and their list in the order in which they began. */
#include "report-svc/google/lease.h"

#include <pthread.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/lru.h"
#include "common/base/map.h"
#include "common/base/mem.h"

struct lease {
  struct map_node in_map;
  struct lru_node in_order;
  struct lease *next_ended;
  struct token *token;
  int64_t until_ms;
  uint64_t uses;
  struct lease_name name; /* points into `data` */
  char data[];            /* the key, and a NUL */
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

struct key_head {
  uint64_t grant_len, subject;
};

/* The grant and the target. The parts cannot run into each other, since the length of the grant and
 * the kind of target come first. */
static struct buf key_of(const struct lease_name *n)
{
  const struct key_head head = {n->grant_len, (uint64_t)n->subject};
  size_t id_len = strlen(n->subject_id), len = sizeof(head) + n->grant_len + id_len;
  struct buf key = BUF_SECRET(len);
  buf_expect(&key, len);
  buf_append(&key, &head, sizeof(head));
  buf_append(&key, n->grant, n->grant_len);
  buf_append(&key, n->subject_id, id_len);
  return key;
}

static struct lease *find(const struct leases *l, const struct buf *key)
{
  return CONTAINER_OF(map_find(&l->map, key->data, key->len), struct lease, in_map);
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
  struct lease *ended = NULL;
  AUTO_BUF struct buf key = key_of(name);
  pthread_mutex_lock(&l->lock);
  struct lease *lease = find(l, &key);
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
  struct token *token = NULL;
  AUTO_BUF struct buf key = key_of(name);
  pthread_mutex_lock(&l->lock);
  struct lease *lease = find(l, &key);
  if (lease != NULL && now_ms < lease->until_ms) {
    lease->uses++;
    token = token_ref(lease->token);
  }
  pthread_mutex_unlock(&l->lock);
  return token;
}

static struct lease *lease_new(const struct lease_name *n, const struct buf *key,
                               struct token *token, int64_t until_ms, size_t *size)
{
  *size = sizeof(struct lease) + key->len + 1 + token_size(token);
  struct lease *lease = xcalloc(1, sizeof(*lease) + key->len + 1);
  memcpy(lease->data, key->data, key->len);
  const char *grant = lease->data + sizeof(struct key_head);
  lease->name = (struct lease_name){grant, n->grant_len, n->subject, grant + n->grant_len};
  lease->token = token_ref(token);
  lease->until_ms = until_ms;
  return lease;
}

void leases_begin(struct leases *l, const struct lease_name *name, struct token *token,
                  int64_t until_ms, int64_t now_ms)
{
  size_t size;
  struct lru_node *oldest;
  AUTO_BUF struct buf key = key_of(name);
  struct lease *ended = NULL, *lease = lease_new(name, &key, token, until_ms, &size);
  pthread_mutex_lock(&l->lock);
  struct lease *old = find(l, &key);
  bool goes_on = old != NULL && now_ms < old->until_ms;
  if (old != NULL && !goes_on)
    take_out(l, old, &ended);
  if (goes_on || size > l->order.max / 4) {
    lease->next_ended = ended; /* never used */
    ended = lease;
  } else {
    while ((oldest = lru_excess(&l->order, size)) != NULL)
      take_out_oldest(l, oldest, &ended);
    map_add(&l->map, &lease->in_map, lease->data, key.len);
    lru_add(&l->order, &lease->in_order, size);
  }
  pthread_mutex_unlock(&l->lock);
  end_all(l, ended);
}
