/* A table of digests. */
#include "auth-svc/identity/verified.h"

#include "common/base/mem.h"
#include "common/base/table.h"

struct verified {
  struct table tokens; /* of struct key_generation, by digest */
};

struct verified *verified_new(size_t tokens)
{
  struct verified *v = xcalloc(1, sizeof(*v));
  table_init(&v->tokens, sizeof(struct key_generation), tokens == 0 ? VERIFIED_DEFAULT : tokens,
             NULL, NULL);
  return v;
}

void verified_free(struct verified *v)
{
  if (v == NULL)
    return;
  table_free(&v->tokens);
  free(v);
}

static bool same(struct key_generation a, struct key_generation b)
{
  return a.configured == b.configured && a.fetched == b.fetched;
}

bool verified_has(struct verified *v, const uint8_t digest[SHA256_SIZE],
                  struct key_generation generation, int64_t now_s)
{
  pthread_mutex_lock(&v->tokens.lock);
  struct key_generation *by = table_find(&v->tokens, digest, SHA256_SIZE, now_s);
  bool has = by != NULL && same(*by, generation);
  if (by != NULL && !has)
    table_remove(&v->tokens, by);
  pthread_mutex_unlock(&v->tokens.lock);
  return has;
}

void verified_add(struct verified *v, const uint8_t digest[SHA256_SIZE],
                  struct key_generation generation, int64_t expires_at)
{
  pthread_mutex_lock(&v->tokens.lock);
  struct key_generation *by = table_put(&v->tokens, digest, SHA256_SIZE, 1, expires_at);
  *by = generation;
  pthread_mutex_unlock(&v->tokens.lock);
}
