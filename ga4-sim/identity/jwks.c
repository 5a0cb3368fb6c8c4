/* The set of keys and what it signs. */
#include "ga4-sim/identity/jwks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/jwt.h"

static const char *const algorithms[] = {"RS256", "ES256", "EdDSA"};

struct jwks {
  pthread_mutex_t lock;
  struct keyring *keys;
  unsigned generation;
  bool old_kept;
};

struct jwks *jwks_new(struct keyring *keys)
{
  struct jwks *j = xcalloc(1, sizeof(*j));
  pthread_mutex_init(&j->lock, NULL);
  j->keys = keys;
  j->generation = 1;
  return j;
}

void jwks_free(struct jwks *j)
{
  if (j == NULL)
    return;
  pthread_mutex_destroy(&j->lock);
  free(j);
}

/* A key id shows its algorithm: rs256-1, es256-2. */
static void kid_of(const char *alg, unsigned generation, char *out, size_t size)
{
  snprintf(out, size, "%s-%u",
           strcmp(alg, "RS256") == 0   ? "rs256"
           : strcmp(alg, "ES256") == 0 ? "es256"
           : strcmp(alg, "EdDSA") == 0 ? "eddsa"
                                       : "hs256",
           generation);
}

static EVP_PKEY *key_of(struct jwks *j, const char *alg, unsigned generation)
{
  char name[64];
  snprintf(name, sizeof(name), "jwks/%s/%u", alg, generation);
  return keyring_get(j->keys, name, alg);
}

static void state_of(struct jwks *j, unsigned *generation, bool *old_kept)
{
  pthread_mutex_lock(&j->lock);
  *generation = j->generation;
  *old_kept = j->old_kept;
  pthread_mutex_unlock(&j->lock);
}

cJSON *jwks_render(struct jwks *j)
{
  cJSON *root = cJSON_CreateObject(), *keys = cJSON_AddArrayToObject(root, "keys");
  unsigned generation;
  bool old_kept;
  state_of(j, &generation, &old_kept);
  for (unsigned g = old_kept ? generation - 1 : generation; g <= generation; g++)
    for (size_t i = 0; i < ARRAY_LEN(algorithms); i++) {
      char kid[32];
      EVP_PKEY *key = key_of(j, algorithms[i], g);
      kid_of(algorithms[i], g, kid, sizeof(kid));
      if (key != NULL)
        jwt_put_jwk(keys, key, algorithms[i], kid);
    }
  return root;
}

void jwks_rotate(struct jwks *j, bool keep_old)
{
  pthread_mutex_lock(&j->lock);
  j->generation++;
  j->old_kept = keep_old;
  pthread_mutex_unlock(&j->lock);
}

static enum err_code bad(struct err *e, const char *text)
{
  return err_set(e, ERR_INVALID_ARGUMENT, NULL, "%s", text);
}

enum err_code jwks_mint(struct jwks *j, const cJSON *body, struct buf *out, struct err *e)
{
  const cJSON *claims = cJSON_GetObjectItemCaseSensitive(body, "claims");
  const char *alg = json_get_string(body, "alg"), *which = json_get_string(body, "key");
  const char *kid = json_get_string(body, "kid"), *secret = json_get_string(body, "secret");
  unsigned generation, signer;
  bool old_kept;
  char own[32];
  state_of(j, &generation, &old_kept);
  if (!cJSON_IsObject(claims))
    return bad(e, "claims must be an object");
  alg = alg == NULL ? "RS256" : alg;
  which = which == NULL ? "current" : which;
  bool previous = strcmp(which, "previous") == 0, foreign = strcmp(which, "foreign") == 0;
  if (!previous && !foreign && strcmp(which, "current") != 0)
    return bad(e, "key must be current, previous or foreign");
  if (previous && generation == 1)
    return bad(e, "no previous key exists yet; rotate the keys first (POST /sim/jwks/rotate)");
  signer = previous ? generation - 1 : foreign ? 0 : generation;
  kid_of(alg, foreign ? generation : signer, own, sizeof(own));
  if (strcmp(alg, "HS256") == 0) {
    if (secret == NULL)
      return bad(e, "HS256 needs a secret");
    return jwt_mint_hs256(out, secret, kid, claims) ? ERR_OK : bad(e, "the claims are too long");
  }
  for (size_t i = 0; i < ARRAY_LEN(algorithms); i++)
    if (strcmp(algorithms[i], alg) == 0)
      return jwt_mint(out, key_of(j, alg, signer), alg, kid == NULL ? own : kid, claims)
                 ? ERR_OK
                 : bad(e, "the claims are too long");
  return bad(e, "alg must be RS256, ES256, EdDSA or HS256");
}
