/* One object of keys for each issuer that has ever been configured. */
#include "auth-svc/identity/key_sources.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

struct key_source {
  char *issuer, *name, *jwks_uri; /* jwks_uri NULL: by discovery */
  struct jwks *jwks;
};

struct key_sources {
  struct http_client *http;
  pthread_mutex_t lock;
  struct key_source items[KEY_SOURCES_MAX];
  size_t n; /* under lock, as are the items */
};

struct key_sources *key_sources_new(struct http_client *http)
{
  struct key_sources *k = xcalloc(1, sizeof(*k));
  k->http = http;
  pthread_mutex_init(&k->lock, NULL);
  return k;
}

void key_sources_free(struct key_sources *k)
{
  if (k == NULL)
    return;
  for (size_t i = 0; i < k->n; i++) {
    jwks_free(k->items[i].jwks);
    free(k->items[i].issuer);
    free(k->items[i].name);
    free(k->items[i].jwks_uri);
  }
  pthread_mutex_destroy(&k->lock);
  free(k);
}

static bool same(const char *a, const char *b)
{
  return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool is_of(const struct key_source *s, const struct issuer *x)
{
  return same(s->issuer, x->issuer) && same(s->name, x->name) && same(s->jwks_uri, x->jwks_uri);
}

/* The lock is held. */
static struct jwks *find(const struct key_sources *k, const struct issuer *x)
{
  for (size_t i = 0; i < k->n; i++)
    if (is_of(&k->items[i], x))
      return k->items[i].jwks;
  return NULL;
}

/* The lock is held. */
static enum err_code add(struct key_sources *k, const struct issuer *x, struct err *e)
{
  if (find(k, x) != NULL)
    return ERR_OK;
  if (k->n == KEY_SOURCES_MAX)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_issuers",
                   "AUTH_ISSUERS_FILE: %d issuers have come since the start of this process; "
                   "restart it to take issuer \"%s\"",
                   KEY_SOURCES_MAX, x->name);
  struct key_source *s = &k->items[k->n];
  const struct jwks_options options = {
      .http = k->http, .url = x->jwks_uri, .issuer = x->issuer, .name = x->name};
  enum err_code code = jwks_new(&s->jwks, "AUTH_ISSUERS_FILE", &options, e);
  if (code != ERR_OK)
    return code;
  s->issuer = xstrdup(x->issuer);
  s->name = xstrdup(x->name);
  s->jwks_uri = x->jwks_uri != NULL ? xstrdup(x->jwks_uri) : NULL;
  k->n++;
  return ERR_OK;
}

enum err_code key_sources_add(struct key_sources *k, const struct issuers *issuers, struct err *e)
{
  enum err_code code = ERR_OK;
  pthread_mutex_lock(&k->lock);
  for (size_t i = 0; i < issuers->n && code == ERR_OK; i++)
    code = add(k, &issuers->items[i], e);
  pthread_mutex_unlock(&k->lock);
  return code;
}

void key_sources_keep(struct key_sources *k, const struct issuers *issuers)
{
  pthread_mutex_lock(&k->lock);
  for (size_t i = 0; i < k->n; i++) {
    bool keep = false;
    for (size_t x = 0; x < issuers->n && !keep; x++)
      keep = is_of(&k->items[i], &issuers->items[x]);
    jwks_keep(k->items[i].jwks, keep);
  }
  pthread_mutex_unlock(&k->lock);
}

struct jwks *key_sources_find(struct key_sources *k, const struct issuer *issuer)
{
  pthread_mutex_lock(&k->lock);
  struct jwks *j = find(k, issuer);
  pthread_mutex_unlock(&k->lock);
  return j;
}

void key_sources_describe(struct key_sources *k, const struct issuers *issuers, struct buf *detail)
{
  for (size_t i = 0; i < issuers->n; i++) {
    struct jwks *j = key_sources_find(k, &issuers->items[i]);
    if (j != NULL)
      jwks_describe(j, detail);
  }
}
