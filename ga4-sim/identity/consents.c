/* Consents of people to the web application. */
#include "ga4-sim/identity/consents.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "ga4-sim/identity/tokens.h"

enum { CONSENTS_MAX = 20000, CODE_MS = 60000, TOKEN_SIZE = 64, AGENCY_PROPERTIES = 3 };

struct given {
  struct consent what;
  char code[TOKEN_SIZE], refresh_token[TOKEN_SIZE];
  int64_t code_until_ms;
  bool code_used, revoked;
  size_t first, count;
};

struct consents {
  pthread_mutex_t lock;
  const struct world *world;
  struct given *list;
  size_t n;
  enum consent_policy policy;
  uint32_t slow_ms;
  char redirect_uri[512]; /* "": any */
};

static const char *const policies[] = {"normal", "admin_policy", "no_refresh_token", "no_iss",
                                       "wrong_iss"};

struct consents *consents_new(const struct world *w)
{
  struct consents *c = xcalloc(1, sizeof(*c));
  pthread_mutex_init(&c->lock, NULL);
  c->world = w;
  return c;
}

void consents_free(struct consents *c)
{
  if (c == NULL)
    return;
  pthread_mutex_destroy(&c->lock);
  free(c->list);
  free(c);
}

/* ------------------------------------------------------------------------- switches */

static enum err_code bad(struct err *e, const char *text)
{
  return err_set(e, ERR_INVALID_ARGUMENT, NULL, "%s", text);
}

enum err_code consents_set_policy(struct consents *c, const cJSON *body, cJSON **state,
                                  struct err *e)
{
  const char *name = json_get_string(body, "policy"), *uri = json_get_string(body, "redirect_uri");
  double slow = json_get_number(body, "slow_ms", 0);
  size_t i = 0;
  while (name != NULL && i < ARRAY_LEN(policies) && strcmp(policies[i], name) != 0)
    i++;
  if (i == ARRAY_LEN(policies))
    return bad(e, "policy must be normal, admin_policy, no_refresh_token, no_iss or wrong_iss");
  if (slow < 0 || slow > 600000 || (uri != NULL && strlen(uri) >= sizeof(c->redirect_uri)))
    return bad(e, "slow_ms must be 0 to 600000, redirect_uri shorter than 512 bytes");
  pthread_mutex_lock(&c->lock);
  c->policy = (enum consent_policy)i;
  c->slow_ms = (uint32_t)slow;
  if (uri != NULL)
    snprintf(c->redirect_uri, sizeof(c->redirect_uri), "%s", uri);
  pthread_mutex_unlock(&c->lock);
  *state = cJSON_Duplicate(body, true);
  return ERR_OK;
}

enum consent_policy consents_policy(struct consents *c, uint32_t *slow_ms)
{
  pthread_mutex_lock(&c->lock);
  enum consent_policy policy = c->policy;
  *slow_ms = c->slow_ms;
  pthread_mutex_unlock(&c->lock);
  return policy;
}

bool consents_redirect_allowed(struct consents *c, const char *redirect_uri)
{
  pthread_mutex_lock(&c->lock);
  bool ok = c->redirect_uri[0] == '\0' || strcmp(c->redirect_uri, redirect_uri) == 0;
  pthread_mutex_unlock(&c->lock);
  return ok;
}

/* The lock is held. */
static int end_consents_of(struct consents *c, const char *email)
{
  int n = 0;
  for (size_t i = 0; i < c->n; i++)
    if (!c->list[i].revoked && strcmp(c->list[i].what.email, email) == 0) {
      c->list[i].revoked = true;
      n++;
    }
  return n;
}

enum err_code consents_withdraw(struct consents *c, const cJSON *body, cJSON **state, struct err *e)
{
  const char *email = json_get_string(body, "email");
  if (email == NULL)
    return bad(e, "email must be text: whose consents");
  pthread_mutex_lock(&c->lock);
  int n = end_consents_of(c, email);
  pthread_mutex_unlock(&c->lock);
  *state = cJSON_CreateObject();
  cJSON_AddNumberToObject(*state, "withdrawn", n);
  return ERR_OK;
}

/* --------------------------------------------------------------------------- people */

bool consents_person(const struct consents *c, size_t i, char *out, size_t size)
{
  static const char *const others[] = {"agency@example.com", "nobody@example.com"};
  size_t n = c->world->property_count;
  if (i < n)
    snprintf(out, size, "owner@%s", c->world->properties[i].host);
  else if (i < n + ARRAY_LEN(others))
    snprintf(out, size, "%s", others[i - n]);
  return i < n + ARRAY_LEN(others);
}

static bool find_person(const struct consents *c, const char *email, size_t *first, size_t *count)
{
  char name[300];
  size_t n = c->world->property_count;
  for (size_t i = 0; consents_person(c, i, name, sizeof(name)); i++) {
    if (strcmp(name, email) != 0)
      continue;
    *count = i < n ? 1 : i == n ? (n < AGENCY_PROPERTIES ? n : AGENCY_PROPERTIES) : 0;
    *first = i < n ? i : n - *count;
    return true;
  }
  return false;
}

/* --------------------------------------------------------------------- codes, tokens */

static void draw(char out[TOKEN_SIZE], const char *prefix)
{
  uint8_t bytes[24];
  AUTO_BUF struct buf text = BUF_INIT(TOKEN_SIZE);
  random_fill(bytes, sizeof(bytes));
  base64url_encode(&text, bytes, sizeof(bytes));
  snprintf(out, TOKEN_SIZE, "%s%s", prefix, buf_str(&text));
}

bool consents_add(struct consents *c, const struct consent *what, int64_t now_ms, char *code,
                  size_t size)
{
  struct given g = {.what = *what, .code_until_ms = now_ms + CODE_MS};
  if (!find_person(c, what->email, &g.first, &g.count))
    return false;
  draw(g.code, "4/0");
  draw(g.refresh_token, "1//0c");
  pthread_mutex_lock(&c->lock);
  bool room = c->n < CONSENTS_MAX;
  if (room) {
    c->list = xrealloc(c->list, (c->n + 1) * sizeof(*c->list));
    c->list[c->n++] = g;
  }
  pthread_mutex_unlock(&c->lock);
  snprintf(code, size, "%s", g.code);
  return room;
}

/* RFC 7636, 4.6. */
static bool verifies(const char *verifier, const char *challenge)
{
  unsigned char digest[EVP_MAX_MD_SIZE];
  AUTO_BUF struct buf text = BUF_INIT(64);
  EVP_Digest(verifier, strlen(verifier), digest, NULL, EVP_sha256(), NULL);
  base64url_encode(&text, digest, 32);
  return strcmp(buf_str(&text), challenge) == 0;
}

/* A code that comes twice ends what came of it (RFC 6749, 4.1.2). */
static enum consent_verdict take(struct given *g, const char *verifier, const char *redirect_uri,
                                 int64_t now_ms)
{
  bool good = !g->code_used && !g->revoked && now_ms < g->code_until_ms &&
              strcmp(g->what.redirect_uri, redirect_uri) == 0 &&
              verifies(verifier, g->what.challenge);
  g->revoked = g->revoked || g->code_used;
  g->code_used = true;
  return good ? CONSENT_GOOD : CONSENT_DEAD;
}

enum consent_verdict consents_take_code(struct consents *c, const char *code, const char *verifier,
                                        const char *redirect_uri, int64_t now_ms,
                                        struct consent *what, int64_t *identity,
                                        char *refresh_token, size_t size)
{
  enum consent_verdict verdict = CONSENT_UNKNOWN;
  pthread_mutex_lock(&c->lock);
  for (size_t i = 0; i < c->n && verdict == CONSENT_UNKNOWN; i++) {
    if (strcmp(c->list[i].code, code) != 0)
      continue;
    verdict = take(&c->list[i], verifier, redirect_uri, now_ms);
    *what = c->list[i].what;
    *identity = IDENTITY_CONSENT + (int64_t)i;
    snprintf(refresh_token, size, "%s", c->list[i].refresh_token);
  }
  pthread_mutex_unlock(&c->lock);
  return verdict;
}

/* The lock is held. */
static struct given *by_token(struct consents *c, const char *refresh_token)
{
  for (size_t i = 0; i < c->n; i++)
    if (c->list[i].code_used && strcmp(c->list[i].refresh_token, refresh_token) == 0)
      return &c->list[i];
  return NULL;
}

enum consent_verdict consents_find(struct consents *c, const char *refresh_token, int64_t *identity,
                                   uint32_t *scopes)
{
  pthread_mutex_lock(&c->lock);
  const struct given *g = by_token(c, refresh_token);
  enum consent_verdict verdict = g == NULL    ? CONSENT_UNKNOWN
                                 : g->revoked ? CONSENT_DEAD
                                              : CONSENT_GOOD;
  if (g != NULL) {
    *identity = IDENTITY_CONSENT + (g - c->list);
    *scopes = g->what.scopes;
  }
  pthread_mutex_unlock(&c->lock);
  return verdict;
}

bool consents_revoke(struct consents *c, const char *refresh_token)
{
  pthread_mutex_lock(&c->lock);
  const struct given *g = by_token(c, refresh_token);
  bool good = g != NULL && !g->revoked;
  if (good)
    end_consents_of(c, g->what.email);
  pthread_mutex_unlock(&c->lock);
  return good;
}

bool consents_reads(struct consents *c, int64_t identity, size_t *first, size_t *count)
{
  size_t i = (size_t)(identity - IDENTITY_CONSENT);
  pthread_mutex_lock(&c->lock);
  bool good = i < c->n && !c->list[i].revoked;
  if (good) {
    *first = c->list[i].first;
    *count = c->list[i].count;
  }
  pthread_mutex_unlock(&c->lock);
  return good;
}
