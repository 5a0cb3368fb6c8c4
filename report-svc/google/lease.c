/* The table of leases, in the order in which they began. */
#include "report-svc/google/lease.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/table.h"

enum { KEY_BYTES = 32 }; /* SHA-256 */

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

/* The lease that has not ended. */
static struct lease **find(struct leases *l, const uint8_t key[KEY_BYTES], int64_t now_ms)
{
  return table_peek(&l->table, key, KEY_BYTES, now_ms);
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
  uint8_t key[KEY_BYTES];
  key_of(key, name);
  pthread_mutex_lock(&l->table.lock);
  struct lease **lease = find(l, key, INT64_MIN);
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
  uint8_t key[KEY_BYTES];
  struct token *token = NULL;
  key_of(key, name);
  pthread_mutex_lock(&l->table.lock);
  struct lease **lease = find(l, key, now_ms);
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
  uint8_t key[KEY_BYTES];
  struct lease *lease = lease_new(name, token, &size);
  key_of(key, name);
  pthread_mutex_lock(&l->table.lock);
  if (find(l, key, now_ms) != NULL || size > l->table.order.max / 4)
    put_aside(l, &lease); /* never used */
  else
    *(struct lease **)table_put(&l->table, key, KEY_BYTES, size, until_ms) = lease;
  unlock(l);
}
