/* Makes keys and signed tokens for tests. */
#include "tests/unit/auth/support/jwt_maker.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

EVP_PKEY *maker_key(enum jwt_alg alg)
{
  if (alg == JWT_RS256)
    return EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)2048);
  if (alg == JWT_ES256)
    return EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
  return EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
}

static char *bio_text(BIO *bio)
{
  char *data = NULL;
  long n = BIO_get_mem_data(bio, &data);
  char *copy = xstrndup(data, (size_t)n);
  BIO_free(bio);
  return copy;
}

char *maker_public_pem(EVP_PKEY *key)
{
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PUBKEY(bio, key);
  return bio_text(bio);
}

char *maker_private_pem(EVP_PKEY *key)
{
  BIO *bio = BIO_new(BIO_s_mem());
  PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL);
  return bio_text(bio);
}

/* OpenSSL signs ECDSA in DER; JWS wants r and s of 32 bytes each. */
static size_t der_to_raw(const uint8_t *der, size_t len, uint8_t raw[64])
{
  const uint8_t *p = der;
  ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &p, (long)len);
  BN_bn2binpad(ECDSA_SIG_get0_r(sig), raw, 32);
  BN_bn2binpad(ECDSA_SIG_get0_s(sig), raw + 32, 32);
  ECDSA_SIG_free(sig);
  return 64;
}

static size_t sign(EVP_PKEY *key, const struct buf *input, uint8_t out[1024])
{
  uint8_t sig[1024];
  size_t n = sizeof(sig);
  bool ed = EVP_PKEY_get_base_id(key) == EVP_PKEY_ED25519;
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  EVP_DigestSignInit(ctx, NULL, ed ? NULL : EVP_sha256(), NULL, key);
  if (EVP_DigestSign(ctx, sig, &n, (const uint8_t *)input->data, input->len) != 1)
    abort();
  EVP_MD_CTX_free(ctx);
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC)
    return der_to_raw(sig, n, out);
  memcpy(out, sig, n);
  return n;
}

char *maker_token(const char *header, const char *payload, EVP_PKEY *key, const char *secret)
{
  struct buf t = BUF_INIT(1 << 16);
  uint8_t sig[1024];
  size_t n = 0;
  base64url_encode(&t, header, strlen(header));
  buf_putc(&t, '.');
  base64url_encode(&t, payload, strlen(payload));
  if (key != NULL) {
    n = sign(key, &t, sig);
  } else if (secret != NULL) {
    unsigned m = sizeof(sig);
    HMAC(EVP_sha256(), secret, (int)strlen(secret), (const uint8_t *)t.data, t.len, sig, &m);
    n = m;
  }
  buf_putc(&t, '.');
  base64url_encode(&t, sig, n);
  return buf_take(&t, NULL);
}

static void put_bn(struct buf *out, EVP_PKEY *key, const char *param, const char *name, int width)
{
  BIGNUM *n = NULL;
  uint8_t bytes[1024];
  EVP_PKEY_get_bn_param(key, param, &n);
  int len = width > 0 ? BN_bn2binpad(n, bytes, width) : BN_bn2bin(n, bytes);
  buf_printf(out, ",\"%s\":\"", name);
  base64url_encode(out, bytes, (size_t)len);
  buf_putc(out, '"');
  BN_free(n);
}

char *maker_jwk(EVP_PKEY *key, const char *kid)
{
  struct buf out = BUF_INIT(8192);
  uint8_t raw[32];
  size_t n = sizeof(raw);
  buf_printf(&out, "{\"kid\":\"%s\",\"use\":\"sig\"", kid);
  switch (EVP_PKEY_get_base_id(key)) {
  case EVP_PKEY_RSA:
    buf_puts(&out, ",\"kty\":\"RSA\",\"alg\":\"RS256\"");
    put_bn(&out, key, OSSL_PKEY_PARAM_RSA_N, "n", 0);
    put_bn(&out, key, OSSL_PKEY_PARAM_RSA_E, "e", 0);
    break;
  case EVP_PKEY_EC:
    buf_puts(&out, ",\"kty\":\"EC\",\"crv\":\"P-256\"");
    put_bn(&out, key, OSSL_PKEY_PARAM_EC_PUB_X, "x", 32);
    put_bn(&out, key, OSSL_PKEY_PARAM_EC_PUB_Y, "y", 32);
    break;
  default:
    EVP_PKEY_get_raw_public_key(key, raw, &n);
    buf_puts(&out, ",\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"");
    base64url_encode(&out, raw, n);
    buf_putc(&out, '"');
  }
  buf_putc(&out, '}');
  return buf_take(&out, NULL);
}
