/* State of the users' consents. */
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/grants_private.h"
#include "ga4-sim/identity/tokens.h"

/* Text that follows from the seed: nothing here is a secret. */
static void derive(const struct world *w, const char *what, uint64_t n, struct buf *out)
{
  unsigned char digest[EVP_MAX_MD_SIZE];
  AUTO_FREE char *text = xasprintf("ga4-sim %s %llu %llu", what, (unsigned long long)w->params.seed,
                                   (unsigned long long)n);
  EVP_Digest(text, strlen(text), digest, NULL, EVP_sha256(), NULL);
  base64url_encode(out, digest, 24);
}

static void set(char *out, size_t size, const char *prefix, const struct world *w, const char *what,
                uint64_t n, const char *suffix)
{
  AUTO_BUF struct buf text = BUF_INIT(128);
  derive(w, what, n, &text);
  snprintf(out, size, "%s%s%s", prefix, buf_str(&text), suffix);
}

struct grants *grants_new(const struct world *w)
{
  struct grants *g = xcalloc(1, sizeof(*g));
  pthread_mutex_init(&g->lock, NULL);
  g->world = w;
  g->count = w->property_count + 1;
  g->list = xcalloc(g->count, sizeof(*g->list));
  for (size_t i = 0; i < w->property_count; i++)
    snprintf(g->list[i].token, REFRESH_TOKEN_SIZE, "%s", w->properties[i].refresh_token);
  set(g->list[w->property_count].token, REFRESH_TOKEN_SIZE, "1//0", w, "operator token", 0, "");
  set(g->client_id, sizeof(g->client_id), "900000000001-", w, "operator client", 0,
      ".apps.googleusercontent.com");
  set(g->client_secret, sizeof(g->client_secret), "GOCSPX-", w, "operator secret", 0, "");
  return g;
}

void grants_free(struct grants *g)
{
  if (g == NULL)
    return;
  pthread_mutex_destroy(&g->lock);
  free(g->list);
  free(g);
}

struct grant *grants_of(const struct grants *g, int64_t identity)
{
  if (identity == IDENTITY_OPERATOR)
    return &g->list[g->count - 1];
  return identity < 0 || (size_t)identity >= g->count - 1 ? NULL : &g->list[identity];
}

static bool same(const char *a, const char *b)
{
  return a[0] != '\0' && strcmp(a, b) == 0;
}

static enum grants_verdict judge(const struct grant *x, const char *token, int64_t now_ms)
{
  if (same(x->token, token))
    return x->revoked ? GRANTS_DEAD : GRANTS_GOOD;
  for (size_t i = 0; i < PREVIOUS_MAX; i++)
    if (same(x->previous[i].token, token))
      return x->revoked || now_ms >= x->previous[i].valid_until_ms ? GRANTS_DEAD : GRANTS_GOOD;
  return GRANTS_UNKNOWN;
}

enum grants_verdict grants_find(struct grants *g, const char *refresh_token, int64_t now_ms,
                                int64_t *identity)
{
  enum grants_verdict verdict = GRANTS_UNKNOWN;
  *identity = IDENTITY_NONE;
  pthread_mutex_lock(&g->lock);
  for (size_t i = 0; i < g->count && verdict == GRANTS_UNKNOWN; i++) {
    verdict = judge(&g->list[i], refresh_token, now_ms);
    if (verdict != GRANTS_UNKNOWN)
      *identity = i + 1 == g->count ? IDENTITY_OPERATOR : (int64_t)i;
  }
  pthread_mutex_unlock(&g->lock);
  return verdict;
}

uint32_t grants_scopes(struct grants *g, int64_t identity)
{
  const struct grant *x = grants_of(g, identity);
  uint32_t scopes = 0;
  if (x != NULL) {
    pthread_mutex_lock(&g->lock);
    scopes = x->scopes;
    pthread_mutex_unlock(&g->lock);
  }
  if (scopes != 0)
    return scopes;
  return identity == IDENTITY_OPERATOR ? SCOPE_CLOUD_PLATFORM | SCOPE_OPENID | SCOPE_EMAIL
                                       : SCOPE_ANALYTICS_READONLY;
}

void grants_renew(struct grants *g, struct grant *x, int64_t identity, int64_t old_until_ms)
{
  memmove(&x->previous[1], &x->previous[0], (PREVIOUS_MAX - 1) * sizeof(x->previous[0]));
  memcpy(x->previous[0].token, x->token, REFRESH_TOKEN_SIZE);
  x->previous[0].valid_until_ms = old_until_ms;
  AUTO_FREE char *what = xasprintf("rotation of %lld", (long long)identity);
  set(x->token, REFRESH_TOKEN_SIZE, "1//0r", g->world, what, ++x->generation, "");
}

/* Only the current token is replaced: an old one in its grace answers with the current
 * one again, so two refreshes at a time end with the same token. */
void grants_refreshed(struct grants *g, int64_t identity, const char *used, int64_t now_ms,
                      char *out, size_t size)
{
  struct grant *x = grants_of(g, identity);
  out[0] = '\0';
  if (x == NULL)
    return;
  pthread_mutex_lock(&g->lock);
  if (x->rotates && same(x->token, used))
    grants_renew(g, x, identity, now_ms + x->old_valid_ms);
  if (x->rotates)
    snprintf(out, size, "%s", x->token);
  pthread_mutex_unlock(&g->lock);
}

void grants_revoke(struct grants *g, int64_t identity, int64_t now_ms)
{
  struct grant *x = grants_of(g, identity);
  if (x == NULL)
    return;
  pthread_mutex_lock(&g->lock);
  x->revoked = true;
  x->revoked_at_ms = now_ms;
  pthread_mutex_unlock(&g->lock);
}

bool grants_revoke_token(struct grants *g, const char *refresh_token, int64_t now_ms)
{
  int64_t identity;
  if (grants_find(g, refresh_token, now_ms, &identity) != GRANTS_GOOD)
    return false;
  grants_revoke(g, identity, now_ms);
  return true;
}

bool grants_revoked_since(struct grants *g, int64_t identity, int64_t issued_ms)
{
  struct grant *x = grants_of(g, identity);
  if (x == NULL)
    return false;
  pthread_mutex_lock(&g->lock);
  bool dead = x->revoked || issued_ms <= x->revoked_at_ms;
  pthread_mutex_unlock(&g->lock);
  return dead;
}

const char *grants_operator_client_id(const struct grants *g)
{
  return g->client_id;
}

const char *grants_operator_secret(const struct grants *g)
{
  return g->client_secret;
}

const char *grants_operator_refresh_token(const struct grants *g)
{
  return g->list[g->count - 1].token;
}

const char *grants_client_of(const struct grants *g, int64_t identity)
{
  return identity == IDENTITY_OPERATOR ? g->client_id
         : identity >= 0               ? g->world->properties[identity].client_id
                                       : "";
}

enum client_state grants_client(struct grants *g, const char *client_id, const char **secret)
{
  const struct world *w = g->world;
  size_t i = 0;
  while (i < w->property_count && strcmp(w->properties[i].client_id, client_id) != 0)
    i++;
  if (i == w->property_count && strcmp(g->client_id, client_id) != 0)
    return CLIENT_UNKNOWN;
  *secret = i == w->property_count ? g->client_secret : w->properties[i].client_secret;
  pthread_mutex_lock(&g->lock);
  enum client_state state = g->list[i].client;
  pthread_mutex_unlock(&g->lock);
  return state;
}

void grants_lifetime(struct grants *g, int64_t identity, struct grants_lifetime *out)
{
  struct grant *x = grants_of(g, identity);
  *out = (struct grants_lifetime){0};
  if (x == NULL)
    return;
  pthread_mutex_lock(&g->lock);
  *out = x->lifetime;
  pthread_mutex_unlock(&g->lock);
}
