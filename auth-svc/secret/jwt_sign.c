/* Signs JWTs (RFC 7515) with RS256, ES256, EdDSA or HS256. */
#include "auth-svc/secret/jwt_sign.h"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/file.h"
#include "common/base/mem.h"

enum { PEM_MAX = 64 * 1024, SIGNATURE_MAX = 1024 }; /* RSA of 8,192 bits */

const char *jwt_alg_name(enum jwt_alg alg)
{
  static const char *const names[] = {"RS256", "ES256", "EdDSA", "HS256"};
  return names[alg];
}

bool jwt_alg_of(EVP_PKEY *key, enum jwt_alg *alg)
{
  char group[64] = "";
  switch (EVP_PKEY_get_base_id(key)) {
  case EVP_PKEY_RSA:
    *alg = JWT_RS256;
    return EVP_PKEY_get_bits(key) >= JWT_RSA_MIN_BITS;
  case EVP_PKEY_EC:
    *alg = JWT_ES256;
    return EVP_PKEY_get_group_name(key, group, sizeof(group), NULL) == 1 &&
           strcmp(group, "prime256v1") == 0;
  case EVP_PKEY_ED25519:
    *alg = JWT_EDDSA;
    return true;
  default:
    return false;
  }
}

void jwt_signer_clear(struct jwt_signer *s)
{
  EVP_PKEY_free(TAKE_PTR(s->private_key));
  secret_unref(TAKE_PTR(s->shared));
}

EVP_PKEY *jwt_private_key(const char *pem, size_t len)
{
  BIO *bio = BIO_new_mem_buf(pem, (int)len);
  /* An empty password keeps OpenSSL from asking on the terminal. */
  EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
  BIO_free(bio);
  ERR_clear_error();
  return key;
}

enum err_code jwt_signer_from_pem_file(struct jwt_signer *out, const char *what, const char *path,
                                       struct err *e)
{
  AUTO_BUF struct buf pem = BUF_SECRET(PEM_MAX);
  enum err_code code = file_read(&pem, what, path, PEM_MAX, true, e);
  if (code != ERR_OK)
    return code;
  EVP_PKEY *key = jwt_private_key(pem.data, pem.len);
  if (key != NULL && jwt_alg_of(key, &out->alg)) {
    out->private_key = key;
    return ERR_OK;
  }
  EVP_PKEY_free(key);
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_jwt_key",
                 "%s: %s holds no private key in PEM that can sign: RSA with at least %d bits, "
                 "EC P-256 or Ed25519, without a password",
                 what, path, JWT_RSA_MIN_BITS);
}

enum err_code jwt_signer_from_secret(struct jwt_signer *out, const char *what, const char *secret,
                                     size_t len, struct err *e)
{
  if (len < JWT_HS256_MIN_BYTES)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_jwt_key", "%s: must be at least %d bytes", what,
                   JWT_HS256_MIN_BYTES);
  out->alg = JWT_HS256;
  out->shared = secret_new(secret, len);
  return ERR_OK;
}

/* OpenSSL signs ECDSA in DER; JWS wants r and s of 32 bytes each (RFC 7518 §3.4). */
static bool der_to_raw(uint8_t *sig, size_t *len)
{
  const uint8_t *p = sig;
  uint8_t raw[64];
  ECDSA_SIG *parsed = d2i_ECDSA_SIG(NULL, &p, (long)*len);
  bool ok = parsed != NULL && BN_bn2binpad(ECDSA_SIG_get0_r(parsed), raw, 32) == 32 &&
            BN_bn2binpad(ECDSA_SIG_get0_s(parsed), raw + 32, 32) == 32;
  ECDSA_SIG_free(parsed);
  if (ok)
    memcpy(sig, raw, sizeof(raw));
  *len = sizeof(raw);
  return ok;
}

static bool sign_key(const struct jwt_signer *s, const struct buf *input, uint8_t *sig, size_t *len)
{
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  const EVP_MD *md = s->alg == JWT_EDDSA ? NULL : EVP_sha256();
  bool ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, md, NULL, s->private_key) == 1 &&
            EVP_DigestSign(ctx, sig, len, (const uint8_t *)input->data, input->len) == 1;
  EVP_MD_CTX_free(ctx);
  return ok && (s->alg != JWT_ES256 || der_to_raw(sig, len));
}

static bool sign_bytes(const struct jwt_signer *s, const struct buf *input, uint8_t *sig,
                       size_t *len)
{
  if (s->alg != JWT_HS256)
    return sign_key(s, input, sig, len);
  *len = SHA256_SIZE;
  hmac_sha256(secret_text(s->shared), secret_len(s->shared), input->data, input->len, sig);
  return true;
}

enum err_code jwt_sign(struct buf *out, const struct jwt_signer *signer, const char *claims,
                       struct err *e)
{
  AUTO_BUF struct buf header = BUF_INIT(1024), input = BUF_INIT(out->max);
  uint8_t sig[SIGNATURE_MAX];
  size_t len = sizeof(sig);
  buf_printf(&header, "{\"alg\":\"%s\",\"typ\":\"JWT\"", jwt_alg_name(signer->alg));
  if (signer->kid != NULL) {
    buf_puts(&header, ",\"kid\":");
    buf_put_json_string(&header, signer->kid, strlen(signer->kid));
  }
  buf_putc(&header, '}');
  base64url_encode(&input, buf_str(&header), header.len);
  buf_putc(&input, '.');
  base64url_encode(&input, claims, strlen(claims));
  if (input.failed || header.failed)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large", "the token would be too long");
  if (!sign_bytes(signer, &input, sig, &len))
    return err_set(e, ERR_INTERNAL, "sign_failed", "OpenSSL could not sign");
  buf_append(out, input.data, input.len);
  buf_putc(out, '.');
  return base64url_encode(out, sig, len)
             ? ERR_OK
             : err_set(e, ERR_RESOURCE_EXHAUSTED, "too_large", "the token would be too long");
}
