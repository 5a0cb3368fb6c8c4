/* Credentials of a service account: self-signed RS256 JWT, JWT-bearer grant (RFC 7523). */
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "auth-svc/credential.h"
#include "auth-svc/token_exchange.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

enum { ASSERTION_MAX = 8192, LIFE_S = 3600, MIN_RSA_BITS = 2048 };

struct service_account {
  struct credential base;
  char *client_email;
  char *key_id; /* "" when not given */
  char *token_uri;
  EVP_PKEY *key; /* OpenSSL counts its references and locks it */
};

static void put_json_member(struct buf *out, const char *before, const char *text)
{
  buf_puts(out, before);
  buf_put_json_string(out, text, strlen(text));
}

/* header.claims, both base64url. Google's rules: facts of its OAuth page, exp <= iat + 3600. */
static bool write_signing_input(const struct service_account *s, int64_t now_s, struct buf *out)
{
  AUTO_BUF struct buf header = BUF_INIT(1024), claims = BUF_INIT(4096);
  buf_puts(&header, "{\"alg\":\"RS256\",\"typ\":\"JWT\"");
  if (s->key_id[0] != '\0')
    put_json_member(&header, ",\"kid\":", s->key_id);
  buf_putc(&header, '}');
  put_json_member(&claims, "{\"iss\":", s->client_email);
  put_json_member(&claims, ",\"scope\":", ANALYTICS_SCOPE);
  put_json_member(&claims, ",\"aud\":", s->token_uri);
  buf_printf(&claims, ",\"iat\":%lld,\"exp\":%lld}", (long long)now_s, (long long)(now_s + LIFE_S));
  return !header.failed && !claims.failed && base64url_encode(out, header.data, header.len) &&
         buf_putc(out, '.') && base64url_encode(out, claims.data, claims.len);
}

static bool sign(EVP_PKEY *key, const struct buf *input, uint8_t *sig, size_t *sig_len)
{
  EVP_MD_CTX *ctx = EVP_MD_CTX_new();
  bool ok = ctx != NULL && EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) == 1 &&
            EVP_DigestSign(ctx, sig, sig_len, (const uint8_t *)input->data, input->len) == 1;
  EVP_MD_CTX_free(ctx);
  return ok;
}

static bool write_assertion(const struct service_account *s, struct buf *out)
{
  uint8_t sig[1024]; /* RSA up to 8,192 bits */
  size_t len = sizeof(sig);
  return write_signing_input(s, clock_unix_ms() / 1000, out) && sign(s->key, out, sig, &len) &&
         buf_putc(out, '.') && base64url_encode(out, sig, len);
}

static enum err_code obtain(const struct credential *c, const struct token_env *env,
                            struct secret *refresh_token, token_done *done, void *user,
                            struct err *e)
{
  (void)refresh_token;
  const struct service_account *s = (const void *)c;
  AUTO_WIPED_BUF struct buf assertion = BUF_INIT(ASSERTION_MAX);
  if (buf_reserve(&assertion, ASSERTION_MAX - 1) == NULL || !write_assertion(s, &assertion))
    return err_set(e, ERR_INVALID_ARGUMENT, "cannot_sign",
                   "the service account's key cannot sign; check its private_key");
  const struct form_field form[] = {
      {"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"},
      {"assertion", buf_str(&assertion)},
  };
  return token_exchange_start(env, s->token_uri, GRANT_JWT_BEARER, form, ARRAY_LEN(form), done,
                              user, e);
}

static void destroy(struct credential *c)
{
  struct service_account *s = (void *)c;
  EVP_PKEY_free(s->key);
  free(s->client_email);
  free(s->key_id);
  free(s->token_uri);
  free(s);
}

static const struct credential_kind kind = {"service_account", obtain, NULL, destroy};

static EVP_PKEY *read_key(const char *pem)
{
  BIO *bio = BIO_new_mem_buf(pem, -1);
  EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
  BIO_free(bio);
  if (key != NULL &&
      (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < MIN_RSA_BITS)) {
    EVP_PKEY_free(key);
    key = NULL;
  }
  return key;
}

enum err_code credential_new_service_account(struct credential **out, const char *source,
                                             const char *client_email, const char *private_key_pem,
                                             const char *private_key_id, const char *token_uri,
                                             const char *quota_project, struct err *e)
{
  EVP_PKEY *key = read_key(private_key_pem);
  if (key == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_private_key",
                   "%s: private_key: must be an RSA key of at least %d bits in PEM", source,
                   MIN_RSA_BITS);
  struct service_account *s = xcalloc(1, sizeof(*s));
  s->base.kind = &kind;
  atomic_init(&s->base.refs, 1);
  s->base.quota_project = xstrdup(quota_project);
  s->client_email = xstrdup(client_email);
  s->key_id = xstrdup(private_key_id != NULL ? private_key_id : "");
  s->token_uri = xstrdup(token_uri != NULL ? token_uri : GOOGLE_TOKEN_ENDPOINT);
  s->key = key;
  sha256_of(private_key_pem, strlen(private_key_pem), s->base.fingerprint);
  *out = &s->base;
  return ERR_OK;
}
