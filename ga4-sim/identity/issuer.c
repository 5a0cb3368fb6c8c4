/* The keys of one issuer. */
#include "ga4-sim/identity/issuer.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/param_build.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { KEYS_MAX = 8, NAME_MAX_BYTES = 256, NUMBER_MAX = 1024 };

struct issuer {
  pthread_mutex_t lock;
  char name[NAME_MAX_BYTES]; /* "": there is none */
  struct {
    char kid[NAME_MAX_BYTES];
    EVP_PKEY *key;
  } keys[KEYS_MAX];
  size_t count;
};

struct issuer *issuer_new(void)
{
  struct issuer *i = xcalloc(1, sizeof(*i));
  pthread_mutex_init(&i->lock, NULL);
  return i;
}

static void forget(struct issuer *i)
{
  while (i->count > 0)
    EVP_PKEY_free(i->keys[--i->count].key);
  i->name[0] = '\0';
}

void issuer_free(struct issuer *i)
{
  if (i == NULL)
    return;
  forget(i);
  pthread_mutex_destroy(&i->lock);
  free(i);
}

/* A member of a JWK, base64url, as a number; NULL when it is not one. */
static BIGNUM *number(const cJSON *jwk, const char *name)
{
  AUTO_BUF struct buf bytes = BUF_INIT(NUMBER_MAX);
  const char *text = json_get_string(jwk, name);
  if (text == NULL || !base64_decode(&bytes, text, strlen(text)) || bytes.len == 0)
    return NULL;
  return BN_bin2bn((const unsigned char *)bytes.data, (int)bytes.len, NULL);
}

/* RFC 7518, section 6.3.1. NULL when it is not an RSA key. */
static EVP_PKEY *rsa_key(const cJSON *jwk)
{
  const char *kty = json_get_string(jwk, "kty");
  BIGNUM *n = number(jwk, "n"), *exponent = number(jwk, "e");
  OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
  OSSL_PARAM *params = NULL;
  EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
  EVP_PKEY *key = NULL;
  if (kty != NULL && strcmp(kty, "RSA") == 0 && n != NULL && exponent != NULL &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
      OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
    params = OSSL_PARAM_BLD_to_param(build);
  if (params == NULL || EVP_PKEY_fromdata_init(ctx) != 1 ||
      EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) != 1)
    key = NULL;
  OSSL_PARAM_free(params);
  OSSL_PARAM_BLD_free(build);
  EVP_PKEY_CTX_free(ctx);
  BN_free(n);
  BN_free(exponent);
  return key;
}

/* The keys of a set; false at the first that is none. */
static bool take_keys(struct issuer *i, const cJSON *keys)
{
  const cJSON *jwk;
  cJSON_ArrayForEach(jwk, keys)
  {
    const char *kid = json_get_string(jwk, "kid");
    if (i->count == KEYS_MAX || kid == NULL || strlen(kid) >= sizeof(i->keys[0].kid))
      return false;
    EVP_PKEY *key = rsa_key(jwk);
    if (key == NULL)
      return false;
    snprintf(i->keys[i->count].kid, sizeof(i->keys[0].kid), "%s", kid);
    i->keys[i->count++].key = key;
  }
  return i->count > 0;
}

enum err_code issuer_set(struct issuer *i, const cJSON *body, cJSON **state, struct err *e)
{
  const char *name = json_get_string(body, "issuer");
  const cJSON *jwks = cJSON_GetObjectItemCaseSensitive(body, "jwks");
  if (name == NULL || name[0] == '\0' || strlen(name) >= sizeof(i->name))
    return err_set(e, ERR_INVALID_ARGUMENT, NULL, "issuer must be text of 1 to 255 bytes");
  pthread_mutex_lock(&i->lock);
  forget(i);
  bool good = take_keys(i, cJSON_GetObjectItemCaseSensitive(jwks, "keys"));
  if (good)
    snprintf(i->name, sizeof(i->name), "%s", name);
  else
    forget(i);
  size_t count = i->count;
  pthread_mutex_unlock(&i->lock);
  if (!good)
    return err_set(e, ERR_INVALID_ARGUMENT, NULL,
                   "jwks must be {\"keys\": [...]} with 1 to 8 RSA keys (kid, n, e)");
  *state = cJSON_CreateObject();
  cJSON_AddStringToObject(*state, "issuer", name);
  cJSON_AddNumberToObject(*state, "keys", (double)count);
  return ERR_OK;
}

enum issuer_says issuer_check(struct issuer *i, const struct jwt *j)
{
  const char *iss = json_get_string(j->claims, "iss"), *kid = json_get_string(j->header, "kid");
  enum issuer_says says = ISSUER_OTHER;
  pthread_mutex_lock(&i->lock);
  if (iss != NULL && i->name[0] != '\0' && strcmp(iss, i->name) == 0) {
    says = ISSUER_FORGED;
    for (size_t k = 0; kid != NULL && k < i->count; k++)
      if (strcmp(kid, i->keys[k].kid) == 0 && jwt_signed_by(j, i->keys[k].key, "RS256"))
        says = ISSUER_GOOD;
  }
  pthread_mutex_unlock(&i->lock);
  return says;
}
