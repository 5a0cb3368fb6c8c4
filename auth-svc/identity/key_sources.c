/* One object of keys for each issuer that has ever been configured. */
#include "auth-svc/identity/key_sources.h"

#include "common/base/mem.h"
#include "common/base/table.h"

struct source {
  struct jwks *jwks;
  bool wanted; /* by the configuration in use */
};

struct key_sources {
  struct http_client *http;
  struct table sources; /* of struct source, by key_of() */
};

static void drop(void *user, void *value)
{
  (void)user;
  jwks_free(((struct source *)value)->jwks);
}

struct key_sources *key_sources_new(struct http_client *http)
{
  struct key_sources *k = xcalloc(1, sizeof(*k));
  k->http = http;
  table_init(&k->sources, sizeof(struct source), KEY_SOURCES_MAX, drop, NULL);
  return k;
}

void key_sources_free(struct key_sources *k)
{
  if (k == NULL)
    return;
  table_free(&k->sources);
  free(k);
}

/* None of the three holds a control character. */
static char *key_of(const struct issuer *x)
{
  return xasprintf("%s\n%s\n%s", x->issuer, x->name, x->jwks_uri != NULL ? x->jwks_uri : "");
}

/* The lock is held. */
static struct source *find(const struct key_sources *k, const struct issuer *x)
{
  AUTO_FREE char *key = key_of(x);
  return table_peek(&k->sources, TABLE_TEXT(key), 0);
}

/* The lock is held. Keys that others may use are never pushed out. */
static enum err_code add(struct key_sources *k, const struct issuer *x, struct err *e)
{
  const struct jwks_options options = {
      .http = k->http, .url = x->jwks_uri, .issuer = x->issuer, .name = x->name};
  AUTO_FREE char *key = key_of(x);
  struct source source = {0};
  if (find(k, x) != NULL)
    return ERR_OK;
  if (k->sources.order.n == KEY_SOURCES_MAX)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_issuers",
                   "AUTH_ISSUERS_FILE: %d issuers have come since the start of this process; "
                   "restart it to take issuer \"%s\"",
                   KEY_SOURCES_MAX, x->name);
  enum err_code code = jwks_new(&source.jwks, "AUTH_ISSUERS_FILE", &options, e);
  if (code == ERR_OK)
    *(struct source *)table_make(&k->sources, TABLE_TEXT(key)) = source;
  return code;
}

enum err_code key_sources_add(struct key_sources *k, const struct issuers *issuers, struct err *e)
{
  enum err_code code = ERR_OK;
  pthread_mutex_lock(&k->sources.lock);
  for (size_t i = 0; i < issuers->n && code == ERR_OK; i++)
    code = add(k, &issuers->items[i], e);
  pthread_mutex_unlock(&k->sources.lock);
  return code;
}

void key_sources_keep(struct key_sources *k, const struct issuers *issuers)
{
  struct source *s;
  pthread_mutex_lock(&k->sources.lock);
  for (s = table_newest(&k->sources); s != NULL; s = table_older(s))
    s->wanted = false;
  for (size_t i = 0; i < issuers->n; i++)
    if ((s = find(k, &issuers->items[i])) != NULL)
      s->wanted = true;
  for (s = table_newest(&k->sources); s != NULL; s = table_older(s))
    jwks_keep(s->jwks, s->wanted);
  pthread_mutex_unlock(&k->sources.lock);
}

struct jwks *key_sources_find(struct key_sources *k, const struct issuer *issuer)
{
  pthread_mutex_lock(&k->sources.lock);
  const struct source *s = find(k, issuer);
  pthread_mutex_unlock(&k->sources.lock);
  return s != NULL ? s->jwks : NULL;
}

void key_sources_describe(struct key_sources *k, const struct issuers *issuers, struct buf *detail)
{
  for (size_t i = 0; i < issuers->n; i++) {
    struct jwks *j = key_sources_find(k, &issuers->items[i]);
    if (j != NULL)
      jwks_describe(j, detail);
  }
}
