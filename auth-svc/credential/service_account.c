/* Credentials of a service account: an RS256 JWT signed with its key, either exchanged by the
 * JWT-bearer grant (RFC 7523) or sent as the bearer itself. */
#include <string.h>

#include "auth-svc/credential/credential.h"
#include "auth-svc/credential/exchange.h"
#include "auth-svc/secret/jwt_sign.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { ASSERTION_MAX = 8192, LIFE_S = 3600, MAX_RSA_BITS = 8192 };

struct service_account {
  struct credential base;
  char *client_email;
  char *key_id; /* NULL when not given */
  char *token_uri;
  char *scope;
  char *subject; /* NULL for none */
  bool self_signed;
  struct jwt_signer signer;
};

/* Google's rules: facts of its OAuth page, exp <= iat + 3600; the grant's JWT is for the token
 * endpoint (aud), the bearer itself has a scope instead, and its sub is the account itself. */
static enum err_code write_assertion(const struct service_account *s, struct buf *out)
{
  AUTO_JSON cJSON *claims = cJSON_CreateObject();
  int64_t now_s = clock_unix_ms() / 1000;
  cJSON_AddStringToObject(claims, "iss", s->client_email);
  if (s->self_signed || s->subject != NULL)
    cJSON_AddStringToObject(claims, "sub", s->self_signed ? s->client_email : s->subject);
  cJSON_AddStringToObject(claims, "scope", s->scope);
  if (!s->self_signed)
    cJSON_AddStringToObject(claims, "aud", s->token_uri);
  cJSON_AddNumberToObject(claims, "iat", (double)now_s);
  cJSON_AddNumberToObject(claims, "exp", (double)(now_s + LIFE_S));
  AUTO_FREE char *text = cJSON_PrintUnformatted(claims);
  return jwt_sign(out, &s->signer, text, NULL);
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
  if (write_assertion(s, &assertion) != ERR_OK)
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
  jwt_signer_clear(&s->signer);
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
  EVP_PKEY *key = jwt_private_key(pem, strlen(pem));
  if (key != NULL &&
      (EVP_PKEY_get_base_id(key) != EVP_PKEY_RSA || EVP_PKEY_get_bits(key) < JWT_RSA_MIN_BITS ||
       EVP_PKEY_get_bits(key) > MAX_RSA_BITS)) {
    EVP_PKEY_free(key);
    key = NULL;
  }
  return key;
}

static void take_fingerprint(struct service_account *s, const char *private_key)
{
  const char *const parts[] = {
      "service_account",
      s->client_email,
      s->key_id != NULL ? s->key_id : "",
      s->token_uri,
      s->scope,
      s->subject,
      private_key,
      s->self_signed ? "self_signed" : "",
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
                   "must be an RSA key of %d to %d bits in PEM", JWT_RSA_MIN_BITS, MAX_RSA_BITS);
  struct service_account *s = xcalloc(1, sizeof(*s));
  s->base.kind = &kind;
  atomic_init(&s->base.refs, 1);
  s->base.quota_project = xstrdup(o->quota_project);
  s->client_email = xstrdup(o->client_email);
  s->key_id = xstrdup(o->private_key_id);
  s->token_uri = xstrdup(o->token_uri != NULL ? o->token_uri : GOOGLE_TOKEN_ENDPOINT);
  s->scope = xstrdup(o->scope != NULL ? o->scope : ANALYTICS_SCOPE);
  s->subject = xstrdup(o->subject);
  s->self_signed = o->self_signed;
  s->signer = (struct jwt_signer){.alg = JWT_RS256, .kid = s->key_id, .private_key = key};
  take_fingerprint(s, o->private_key);
  *out = &s->base;
  return ERR_OK;
}
