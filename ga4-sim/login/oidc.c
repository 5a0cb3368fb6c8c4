/* The cluster's OIDC issuer: discovery, keys, projected service-account tokens. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/jwt.h"
#include "ga4-sim/login/login.h"

EVP_PKEY *oidc_key(struct sim *s)
{
  return keyring_get(s->keyring, "oidc", "RS256");
}

void oidc_discovery(struct sim *s, const struct request *q, struct reply *r)
{
  static const struct {
    const char *name, *value;
  } lists[] = {{"response_types_supported", "id_token"},
               {"subject_types_supported", "public"},
               {"id_token_signing_alg_values_supported", "RS256"}};
  (void)q;
  AUTO_FREE char *uri = xasprintf("%s/openid/v1/jwks", s->base_url);
  AUTO_JSON cJSON *json = cJSON_CreateObject();
  cJSON_AddStringToObject(json, "issuer", s->base_url);
  cJSON_AddStringToObject(json, "jwks_uri", uri);
  for (size_t i = 0; i < ARRAY_LEN(lists); i++)
    cJSON_AddItemToArray(cJSON_AddArrayToObject(json, lists[i].name),
                         cJSON_CreateString(lists[i].value));
  reply_json(r, 200, json);
}

void oidc_keys(struct sim *s, const struct request *q, struct reply *r)
{
  (void)q;
  char kid[KEY_ID_SIZE];
  EVP_PKEY *key = oidc_key(s);
  AUTO_JSON cJSON *json = cJSON_CreateObject();
  jwt_key_id(key, kid);
  jwt_put_jwk(cJSON_AddArrayToObject(json, "keys"), key, "RS256", kid);
  reply_json(r, 200, json);
}

/* system:serviceaccount:NAMESPACE:NAME as Kubernetes names it. */
static void put_kubernetes(cJSON *claims, const char *sub)
{
  static const char prefix[] = "system:serviceaccount:";
  char uid[40];
  if (strncmp(sub, prefix, sizeof(prefix) - 1) != 0)
    return;
  const char *ns = sub + sizeof(prefix) - 1, *colon = strchr(ns, ':');
  if (colon == NULL)
    return;
  AUTO_FREE char *name_space = xstrndup(ns, (size_t)(colon - ns));
  unsigned long long n = 0;
  for (const char *c = sub; *c != '\0'; c++)
    n = n * 131 + (unsigned char)*c;
  snprintf(uid, sizeof(uid), "%08llx-0000-4000-8000-%012llx", n >> 32 & 0xffffffffULL,
           n & 0xffffffffffffULL);
  cJSON *kubernetes = cJSON_AddObjectToObject(claims, "kubernetes.io");
  cJSON_AddStringToObject(kubernetes, "namespace", name_space);
  cJSON *account = cJSON_AddObjectToObject(kubernetes, "serviceaccount");
  cJSON_AddStringToObject(account, "name", colon + 1);
  cJSON_AddStringToObject(account, "uid", uid);
}

bool oidc_mint(struct sim *s, const char *sub, const char *aud, int64_t expires_in, struct buf *out)
{
  char kid[KEY_ID_SIZE];
  int64_t now = clock_unix_ms() / 1000;
  EVP_PKEY *key = oidc_key(s);
  AUTO_JSON cJSON *claims = cJSON_CreateObject();
  cJSON_AddItemToArray(cJSON_AddArrayToObject(claims, "aud"), cJSON_CreateString(aud));
  cJSON_AddNumberToObject(claims, "exp", (double)(now + expires_in));
  cJSON_AddNumberToObject(claims, "iat", (double)now);
  cJSON_AddStringToObject(claims, "iss", s->base_url);
  put_kubernetes(claims, sub);
  cJSON_AddNumberToObject(claims, "nbf", (double)now);
  cJSON_AddStringToObject(claims, "sub", sub);
  if (key == NULL)
    return false;
  jwt_key_id(key, kid);
  return jwt_mint(out, key, "RS256", kid, claims);
}
