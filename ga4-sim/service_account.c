/* Service-account key and RS256 assertions. */
#include "ga4-sim/service_account.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { JWT_MAX = 16 * 1024 };

struct service_account {
  EVP_PKEY *key;
  char email[96];
  char key_id[48];
  char client_id[24];
};

struct service_account *service_account_new(uint64_t seed)
{
  EVP_PKEY *key = EVP_RSA_gen(2048);
  if (key == NULL)
    return NULL;
  struct service_account *a = xcalloc(1, sizeof(*a));
  a->key = key;
  snprintf(a->email, sizeof(a->email), "dealer-reports@ga4-sim-%llu.iam.gserviceaccount.com",
           (unsigned long long)seed);
  snprintf(a->client_id, sizeof(a->client_id), "1%020llu", (unsigned long long)seed);
  /* As Google's: forty hexadecimal digits; here of the public key. */
  unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE];
  int n = i2d_PUBKEY(key, &der);
  if (n > 0 && EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha1(), NULL) == 1)
    for (int i = 0; i < 20; i++)
      snprintf(a->key_id + 2 * i, 3, "%02x", digest[i]);
  OPENSSL_free(der);
  return a;
}

void service_account_free(struct service_account *a)
{
  if (a == NULL)
    return;
  EVP_PKEY_free(a->key);
  free(a);
}

bool service_account_write(const struct service_account *a, const char *base_url, struct buf *out)
{
  BIO *bio = BIO_new(BIO_s_mem());
  if (bio == NULL)
    return false;
  char *pem = NULL;
  bool ok = PEM_write_bio_PKCS8PrivateKey(bio, a->key, NULL, NULL, 0, NULL, NULL) == 1;
  long n = ok ? BIO_get_mem_data(bio, &pem) : 0;
  AUTO_FREE char *key = xstrndup(pem == NULL ? "" : pem, (size_t)n);
  AUTO_FREE char *token_uri = xasprintf("%s/token", base_url);
  BIO_free(bio);
  cJSON *j = cJSON_CreateObject();
  cJSON_AddStringToObject(j, "type", "service_account");
  cJSON_AddStringToObject(j, "project_id", "ga4-sim");
  cJSON_AddStringToObject(j, "private_key_id", a->key_id);
  cJSON_AddStringToObject(j, "private_key", key);
  cJSON_AddStringToObject(j, "client_email", a->email);
  cJSON_AddStringToObject(j, "client_id", a->client_id);
  cJSON_AddStringToObject(j, "auth_uri", "https://accounts.google.com/o/oauth2/auth");
  cJSON_AddStringToObject(j, "token_uri", token_uri);
  cJSON_AddStringToObject(j, "universe_domain", "googleapis.com");
  AUTO_FREE char *text = cJSON_Print(j);
  cJSON_Delete(j);
  return ok && text != NULL && buf_puts(out, text) && buf_putc(out, '\n');
}

static bool refuse(struct jwt_error *why, const char *error, const char *description)
{
  *why = (struct jwt_error){error, description};
  return false;
}

static cJSON *decode_part(const char *part, size_t len)
{
  AUTO_BUF struct buf text = BUF_INIT(JWT_MAX);
  cJSON *json = NULL;
  struct err e;
  if (!base64_decode(&text, part, len) ||
      json_parse(&json, buf_str(&text), text.len, NULL, &e) != ERR_OK || !cJSON_IsObject(json)) {
    cJSON_Delete(json);
    return NULL;
  }
  return json;
}

static bool signature_is_good(const struct service_account *a, const char *jwt, size_t signed_len,
                              const char *signature)
{
  AUTO_BUF struct buf bytes = BUF_INIT(JWT_MAX);
  if (!base64_decode(&bytes, signature, strlen(signature)) || bytes.len == 0)
    return false;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool ok = ctx != NULL && EVP_DigestVerifyInit(ctx, NULL, EVP_sha256(), NULL, a->key) == 1 &&
            EVP_DigestVerify(ctx, (const unsigned char *)bytes.data, bytes.len,
                             (const unsigned char *)jwt, signed_len) == 1;
  EVP_MD_CTX_free(ctx);
  return ok;
}

static bool check_claims(const struct service_account *a, const cJSON *claims, bool self_signed,
                         int64_t now, struct jwt_error *why)
{
  static const char audience[] = "/token"; /* of any host: ours is not known to us */
  const char *iss = json_get_string(claims, "iss"), *scope = json_get_string(claims, "scope");
  const char *aud = json_get_string(claims, "aud");
  if (iss == NULL || strcmp(iss, a->email) != 0)
    return refuse(why, "invalid_grant", "Invalid grant: account not found");
  if (cJSON_GetObjectItemCaseSensitive(claims, "iat") == NULL)
    return refuse(why, "invalid_grant", "Invalid JWT: iat (issued at) is not set.");
  int64_t iat = (int64_t)json_get_number(claims, "iat", 0);
  int64_t exp = (int64_t)json_get_number(claims, "exp", 0);
  if (exp <= now || exp > iat + 3600 || iat > now + 300 || exp <= iat)
    return refuse(why, "invalid_grant",
                  "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable "
                  "timeframe. Check your iat and exp values in the JWT claim.");
  if (!self_signed && (scope == NULL || scope[0] == '\0'))
    return refuse(why, "invalid_scope", "Invalid OAuth scope or ID token audience provided.");
  size_t n = aud == NULL ? 0 : strlen(aud);
  if (!self_signed &&
      (n < sizeof(audience) - 1 || strcmp(aud + n - (sizeof(audience) - 1), audience) != 0))
    return refuse(why, "invalid_grant", "Invalid JWT: Failed audience check.");
  return true;
}

bool service_account_verify(const struct service_account *a, const char *jwt, bool self_signed,
                            int64_t now_unix_s, struct jwt_error *why)
{
  const char *dot = strchr(jwt, '.'), *second = dot == NULL ? NULL : strchr(dot + 1, '.');
  if (second == NULL || strchr(second + 1, '.') != NULL || strlen(jwt) > JWT_MAX)
    return refuse(why, "invalid_request", "Bad Request");
  AUTO_JSON cJSON *header = decode_part(jwt, (size_t)(dot - jwt));
  AUTO_JSON cJSON *claims = decode_part(dot + 1, (size_t)(second - dot - 1));
  if (header == NULL || claims == NULL)
    return refuse(why, "invalid_request", "Bad Request");
  const char *alg = json_get_string(header, "alg");
  if (alg == NULL || strcmp(alg, "RS256") != 0 ||
      !signature_is_good(a, jwt, (size_t)(second - jwt), second + 1))
    return refuse(why, "invalid_grant", "Invalid JWT Signature.");
  return check_claims(a, claims, self_signed, now_unix_s, why);
}
