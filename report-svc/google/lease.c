/* The table of leases, in the order in which they began. */
#include "report-svc/google/lease.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/base/table.h"

struct lease {
  struct lease *next_ended;
  struct token *token;
  uint64_t uses;
  struct lease_name name; /* points into `data` */
  char data[];
};

struct leases {
  struct leases_options options;
  struct table table;  /* of struct lease *; nothing moves them in their order */
  struct lease *ended; /* out of the table, not reported yet; guarded by its lock */
};

/* The lock is held: what ends is reported, and freed, after it. */
static void put_aside(void *user, void *value)
{
  struct leases *l = user;
  struct lease *lease = *(struct lease **)value;
  lease->next_ended = l->ended;
  l->ended = lease;
}

struct leases *leases_new(const struct leases_options *options)
{
  struct leases *l = xcalloc(1, sizeof(*l));
  l->options = *options;
  table_init(&l->table, sizeof(struct lease *), options->max_bytes, put_aside, l);
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

/* The lease that has not ended. */
static struct lease **find(const struct leases *l, const struct buf *key, int64_t now_ms)
{
  return table_peek(&l->table, key->data, key->len, now_ms);
}

/* ------------------------------------------------------------------ ends */

static void lease_free(struct lease *lease)
{
  token_unref(lease->token);
  free(lease);
}

/* Gives the lock back; reports and frees what has ended. */
static void unlock(struct leases *l)
{
  struct lease *next, *ended = TAKE_PTR(l->ended);
  pthread_mutex_unlock(&l->table.lock);
  for (; ended != NULL; ended = next) {
    next = ended->next_ended;
    if (ended->uses > 0)
      l->options.on_end(l->options.user, &ended->name, ended->uses);
    lease_free(ended);
  }
}

void leases_free(struct leases *l)
{
  if (l == NULL)
    return;
  table_free(&l->table);
  for (struct lease *next; l->ended != NULL; l->ended = next) {
    next = l->ended->next_ended;
    lease_free(l->ended);
  }
  free(l);
}

void leases_drop(struct leases *l, const struct lease_name *name)
{
  AUTO_BUF struct buf key = key_of(name);
  pthread_mutex_lock(&l->table.lock);
  struct lease **lease = find(l, &key, INT64_MIN);
  if (lease != NULL)
    table_remove(&l->table, lease);
  unlock(l);
}

size_t leases_expire(struct leases *l, int64_t now_ms)
{
  pthread_mutex_lock(&l->table.lock);
  table_expire(&l->table, now_ms);
  size_t left = l->table.order.n;
  unlock(l);
  return left;
}

/* ------------------------------------------------------------------ use */

struct token *leases_use(struct leases *l, const struct lease_name *name, int64_t now_ms)
{
  struct token *token = NULL;
  AUTO_BUF struct buf key = key_of(name);
  pthread_mutex_lock(&l->table.lock);
  struct lease **lease = find(l, &key, now_ms);
  if (lease != NULL) {
    (*lease)->uses++;
    token = token_ref((*lease)->token);
  }
  unlock(l);
  return token;
}

static struct lease *lease_new(const struct lease_name *n, struct token *token, size_t *size)
{
  size_t id = strlen(n->subject_id) + 1;
  *size = sizeof(struct lease) + n->grant_len + id + token_size(token);
  struct lease *lease = xcalloc(1, sizeof(*lease) + n->grant_len + id);
  memcpy(lease->data, n->grant, n->grant_len);
  memcpy(lease->data + n->grant_len, n->subject_id, id);
  lease->name =
      (struct lease_name){lease->data, n->grant_len, n->subject, lease->data + n->grant_len};
  lease->token = token_ref(token);
  return lease;
}

void leases_begin(struct leases *l, const struct lease_name *name, struct token *token,
                  int64_t until_ms, int64_t now_ms)
{
  size_t size;
  struct lease *lease = lease_new(name, token, &size);
  AUTO_BUF struct buf key = key_of(name);
  size += key.len; /* the table's copy */
  pthread_mutex_lock(&l->table.lock);
  if (find(l, &key, now_ms) != NULL || size > l->table.order.max / 4)
    put_aside(l, &lease); /* never used */
  else
    *(struct lease **)table_put(&l->table, key.data, key.len, size, until_ms) = lease;
  unlock(l);
}
