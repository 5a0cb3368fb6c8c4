/* Credentials of a service account: an RS256 JWT signed with its key, either exchanged by the
 * JWT-bearer grant (RFC 7523) or sent as the bearer itself. */
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <string.h>

#include "auth-svc/credential/credential.h"
#include "auth-svc/credential/exchange.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/mem.h"

enum { ASSERTION_MAX = 8192, LIFE_S = 3600, MIN_RSA_BITS = 2048, MAX_RSA_BITS = 8192 };

struct service_account {
  struct credential base;
  char *client_email;
  char *key_id; /* "" when not given */
  char *token_uri;
  char *scope;
  char *subject; /* NULL for none */
  bool self_signed;
  EVP_PKEY *key; /* OpenSSL counts its references and locks it */
};

static void put_json_member(struct buf *out, const char *before, const char *text)
{
  buf_puts(out, before);
  buf_put_json_string(out, text, strlen(text));
}

/* header.claims, both base64url. Google's rules: facts of its OAuth page, exp <= iat + 3600;
 * the grant's JWT is for the token endpoint (aud), the bearer itself has a scope instead, and
 * its sub is the account itself. */
static bool write_signing_input(const struct service_account *s, int64_t now_s, struct buf *out)
{
  AUTO_BUF struct buf header = BUF_INIT(1024), claims = BUF_INIT(4096);
  buf_puts(&header, "{\"alg\":\"RS256\",\"typ\":\"JWT\"");
  if (s->key_id[0] != '\0')
    put_json_member(&header, ",\"kid\":", s->key_id);
  buf_putc(&header, '}');
  put_json_member(&claims, "{\"iss\":", s->client_email);
  if (s->self_signed || s->subject != NULL)
    put_json_member(&claims, ",\"sub\":", s->self_signed ? s->client_email : s->subject);
  put_json_member(&claims, ",\"scope\":", s->scope);
  if (!s->self_signed)
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

/* The JWT is the token: nobody is asked. */
static void hand_over(const struct buf *jwt, token_done *done, void *user)
{
  struct token_reply reply = {.outcome = TOKEN_OBTAINED, .expires_in_s = LIFE_S};
  reply.access_token = secret_new(jwt->data, jwt->len);
  done(user, &reply);
  token_reply_clear(&reply);
}

static enum err_code obtain(const struct credential *c, const struct token_env *env,
                            struct secret *refresh_token, token_done *done, void *user,
                            struct err *e)
{
  (void)refresh_token;
  const struct service_account *s = (const void *)c;
  AUTO_BUF struct buf assertion = BUF_SECRET(ASSERTION_MAX);
  if (!write_assertion(s, &assertion))
    return err_set(e, ERR_INVALID_ARGUMENT, "cannot_sign",
                   "the service account's key cannot sign; check its private_key");
  if (s->self_signed) {
    hand_over(&assertion, done, user);
    return ERR_OK;
  }
  const struct form_field form[] = {
      {"grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer", true},
      {"assertion", buf_str(&assertion), false},
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
  free(s->scope);
  free(s->subject);
  free(s);
}

static const struct credential_kind kind = {"service_account", obtain, NULL, destroy};

static EVP_PKEY *read_key(const char *pem)
{
  BIO *bio = BIO_new_mem_buf(pem, -1);
  EVP_PKEY *key = bio != NULL ? PEM_read_bio_PrivateKey(bio, NULL, NULL, (void *)"") : NULL;
  BIO_free(bio);
  ERR_clear_error();
  if (key != NULL &&
      (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < MIN_RSA_BITS ||
       EVP_PKEY_get_bits(key) > MAX_RSA_BITS)) {
    EVP_PKEY_free(key);
    key = NULL;
  }
  return key;
}

static void take_fingerprint(struct service_account *s, const char *private_key)
{
  const char *const parts[] = {
      "service_account", s->client_email, s->key_id,   s->token_uri,
      s->scope,          s->subject,      private_key, s->self_signed ? "self_signed" : "",
  };
  credential_digest(s->base.fingerprint, parts, ARRAY_LEN(parts));
}

enum err_code credential_new_service_account(struct credential **out,
                                             const struct service_account_options *o, struct err *e)
{
  EVP_PKEY *key = read_key(o->private_key);
  if (key == NULL && secrets_heap_is_full())
    return err_set(e, ERR_INVALID_ARGUMENT, "no_room_for_key",
                   "not enough locked memory for the key: raise the memlock limit of "
                   "auth-svc to 16 MiB (ulimit -l), which holds 5,000 keys of 2048 bits twice");
  if (key == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_private_key",
                   "must be an RSA key of %d to %d bits in PEM", MIN_RSA_BITS, MAX_RSA_BITS);
  struct service_account *s = xcalloc(1, sizeof(*s));
  s->base.kind = &kind;
  atomic_init(&s->base.refs, 1);
  s->base.quota_project = xstrdup(o->quota_project);
  s->client_email = xstrdup(o->client_email);
  s->key_id = xstrdup(o->private_key_id != NULL ? o->private_key_id : "");
  s->token_uri = xstrdup(o->token_uri != NULL ? o->token_uri : GOOGLE_TOKEN_ENDPOINT);
  s->scope = xstrdup(o->scope != NULL ? o->scope : ANALYTICS_SCOPE);
  s->subject = xstrdup(o->subject);
  s->self_signed = o->self_signed;
  s->key = key;
  take_fingerprint(s, o->private_key);
  *out = &s->base;
  return ERR_OK;
}
