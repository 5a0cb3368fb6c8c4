/* Signatures of JSON Web Tokens with OpenSSL. */
#include "ga4-sim/identity/jwt.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/hmac.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { ES256_HALF = 32, SIGNATURE_MAX = 1024 };

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

bool jwt_read(struct jwt *out, const char *text)
{
  *out = (struct jwt){.text = text};
  const char *dot = strchr(text, '.'), *second = dot == NULL ? NULL : strchr(dot + 1, '.');
  if (second == NULL || strchr(second + 1, '.') != NULL || strlen(text) > JWT_MAX)
    return false;
  out->header = decode_part(text, (size_t)(dot - text));
  out->claims = decode_part(dot + 1, (size_t)(second - dot - 1));
  out->signed_len = (size_t)(second - text);
  out->signature = second + 1;
  if (out->header != NULL && out->claims != NULL)
    return true;
  jwt_free(out);
  return false;
}

void jwt_free(struct jwt *j)
{
  cJSON_Delete(j->header);
  cJSON_Delete(j->claims);
  j->header = j->claims = NULL;
}

static bool fits(EVP_PKEY *key, const char *alg)
{
  int type = EVP_PKEY_get_base_id(key);
  return strcmp(alg, "RS256") == 0   ? type == EVP_PKEY_RSA
         : strcmp(alg, "ES256") == 0 ? type == EVP_PKEY_EC
         : strcmp(alg, "EdDSA") == 0 ? type == EVP_PKEY_ED25519
                                     : false;
}

/* ES256: JWTs carry r and s as 32 bytes each, OpenSSL wants them in DER. */
static int der_of_raw(const unsigned char *raw, size_t len, unsigned char *der)
{
  if (len != 2 * ES256_HALF)
    return -1;
  ECDSA_SIG *sig = ECDSA_SIG_new();
  ECDSA_SIG_set0(sig, BN_bin2bn(raw, ES256_HALF, NULL),
                 BN_bin2bn(raw + ES256_HALF, ES256_HALF, NULL));
  int n = i2d_ECDSA_SIG(sig, &der);
  ECDSA_SIG_free(sig);
  return n;
}

static bool raw_of_der(unsigned char *bytes, size_t *len)
{
  const unsigned char *p = bytes;
  ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)*len);
  if (sig == NULL)
    return false;
  bool ok = BN_bn2binpad(ECDSA_SIG_get0_r(sig), bytes, ES256_HALF) > 0 &&
            BN_bn2binpad(ECDSA_SIG_get0_s(sig), bytes + ES256_HALF, ES256_HALF) > 0;
  ECDSA_SIG_free(sig);
  *len = (size_t)2 * ES256_HALF;
  return ok;
}

bool jwt_signed_by(const struct jwt *j, EVP_PKEY *key, const char *alg)
{
  AUTO_BUF struct buf bytes = BUF_INIT(SIGNATURE_MAX);
  unsigned char der[128];
  const char *named = json_get_string(j->header, "alg");
  if (named == NULL || strcmp(named, alg) != 0 || !fits(key, alg) ||
      !base64_decode(&bytes, j->signature, strlen(j->signature)) || bytes.len == 0)
    return false;
  const unsigned char *signature = (const unsigned char *)bytes.data;
  int n = (int)bytes.len;
  if (strcmp(alg, "ES256") == 0) {
    n = der_of_raw(signature, bytes.len, der);
    signature = der;
  }
  const EVP_MD *md = strcmp(alg, "EdDSA") == 0 ? NULL : EVP_sha256();
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool ok = n > 0 && EVP_DigestVerifyInit(ctx, NULL, md, NULL, key) == 1 &&
            EVP_DigestVerify(ctx, signature, (size_t)n, (const unsigned char *)j->text,
                             j->signed_len) == 1;
  EVP_MD_CTX_free(ctx);
  return ok;
}

static void put_part(struct buf *out, const cJSON *json)
{
  AUTO_FREE char *text = cJSON_PrintUnformatted(json);
  if (text != NULL)
    base64url_encode(out, text, strlen(text));
}

static void put_header(struct buf *out, const char *alg, const char *kid)
{
  cJSON *header = cJSON_CreateObject();
  cJSON_AddStringToObject(header, "alg", alg);
  cJSON_AddStringToObject(header, "typ", "JWT");
  if (kid != NULL)
    cJSON_AddStringToObject(header, "kid", kid);
  put_part(out, header);
  cJSON_Delete(header);
}

bool jwt_mint(struct buf *out, EVP_PKEY *key, const char *alg, const char *kid, const cJSON *claims)
{
  AUTO_BUF struct buf text = BUF_INIT(JWT_MAX);
  unsigned char signature[SIGNATURE_MAX];
  size_t n = sizeof(signature);
  if (!fits(key, alg))
    return false;
  put_header(&text, alg, kid);
  buf_putc(&text, '.');
  put_part(&text, claims);
  const EVP_MD *md = strcmp(alg, "EdDSA") == 0 ? NULL : EVP_sha256();
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool ok = !text.failed && EVP_DigestSignInit(ctx, NULL, md, NULL, key) == 1 &&
            EVP_DigestSign(ctx, signature, &n, (const unsigned char *)text.data, text.len) == 1;
  EVP_MD_CTX_free(ctx);
  if (!ok || (strcmp(alg, "ES256") == 0 && !raw_of_der(signature, &n)))
    return false;
  return buf_puts(out, buf_str(&text)) && buf_putc(out, '.') && base64url_encode(out, signature, n);
}

bool jwt_mint_hs256(struct buf *out, const char *secret, const char *kid, const cJSON *claims)
{
  AUTO_BUF struct buf text = BUF_INIT(JWT_MAX);
  unsigned char mac[EVP_MAX_MD_SIZE];
  unsigned n = 0;
  put_header(&text, "HS256", kid);
  buf_putc(&text, '.');
  put_part(&text, claims);
  HMAC(EVP_sha256(), secret, (int)strlen(secret), (const unsigned char *)buf_str(&text), text.len,
       mac, &n);
  return !text.failed && buf_puts(out, buf_str(&text)) && buf_putc(out, '.') &&
         base64url_encode(out, mac, n);
}

static void put_number(cJSON *jwk, const char *name, EVP_PKEY *key, const char *parameter, int pad)
{
  BIGNUM *n = NULL;
  unsigned char bytes[1024];
  AUTO_BUF struct buf text = BUF_INIT(2048);
  if (EVP_PKEY_get_bn_param(key, parameter, &n) != 1)
    return;
  int len = pad > 0 ? BN_bn2binpad(n, bytes, pad) : BN_bn2bin(n, bytes);
  BN_free(n);
  if (len > 0 && base64url_encode(&text, bytes, (size_t)len))
    cJSON_AddStringToObject(jwk, name, buf_str(&text));
}

static void put_ed25519(cJSON *jwk, EVP_PKEY *key)
{
  unsigned char bytes[32];
  size_t n = sizeof(bytes);
  AUTO_BUF struct buf text = BUF_INIT(64);
  if (EVP_PKEY_get_raw_public_key(key, bytes, &n) == 1 && base64url_encode(&text, bytes, n))
    cJSON_AddStringToObject(jwk, "x", buf_str(&text));
}

bool jwt_put_jwk(cJSON *keys, EVP_PKEY *key, const char *alg, const char *kid)
{
  if (!fits(key, alg))
    return false;
  cJSON *jwk = cJSON_CreateObject();
  int type = EVP_PKEY_get_base_id(key);
  cJSON_AddStringToObject(jwk, "kid", kid);
  cJSON_AddStringToObject(jwk, "use", "sig");
  cJSON_AddStringToObject(jwk, "alg", alg);
  cJSON_AddStringToObject(jwk, "kty",
                          type == EVP_PKEY_RSA  ? "RSA"
                          : type == EVP_PKEY_EC ? "EC"
                                                : "OKP");
  if (type == EVP_PKEY_RSA) {
    put_number(jwk, "n", key, OSSL_PKEY_PARAM_RSA_N, 0);
    put_number(jwk, "e", key, OSSL_PKEY_PARAM_RSA_E, 0);
  } else if (type == EVP_PKEY_EC) {
    cJSON_AddStringToObject(jwk, "crv", "P-256");
    put_number(jwk, "x", key, OSSL_PKEY_PARAM_EC_PUB_X, ES256_HALF);
    put_number(jwk, "y", key, OSSL_PKEY_PARAM_EC_PUB_Y, ES256_HALF);
  } else {
    cJSON_AddStringToObject(jwk, "crv", "Ed25519");
    put_ed25519(jwk, key);
  }
  cJSON_AddItemToArray(keys, jwk);
  return true;
}

void jwt_key_id(EVP_PKEY *key, char out[KEY_ID_SIZE])
{
  unsigned char *der = NULL, digest[EVP_MAX_MD_SIZE] = {0};
  int n = i2d_PUBKEY(key, &der);
  if (n > 0)
    EVP_Digest(der, (size_t)n, digest, NULL, EVP_sha1(), NULL);
  for (int i = 0; i < 20; i++)
    snprintf(out + 2 * i, 3, "%02x", digest[i]);
  OPENSSL_free(der);
}
