/* Credentials of an OAuth client with a refresh token (RFC 6749 §6). */
#include <string.h>

#include "auth-svc/credential/credential.h"
#include "auth-svc/credential/exchange.h"
#include "common/base/mem.h"

struct refresh_token_credential {
  struct credential base;
  struct secret *client_id;
  struct secret *client_secret;
  struct secret *refresh_token;
  char *token_uri;
  enum grant_kind grant;
};

static enum err_code obtain(const struct credential *c, const struct token_env *env,
                            struct secret *refresh_token, token_done *done, void *user,
                            struct err *e)
{
  const struct refresh_token_credential *r = (const void *)c;
  const struct secret *refresh = refresh_token != NULL ? refresh_token : r->refresh_token;
  const struct form_field form[] = {
      {"client_id", secret_text(r->client_id), false},
      {"client_secret", secret_text(r->client_secret), false},
      {"refresh_token", secret_text(refresh), false},
      {"grant_type", "refresh_token", true},
  };
  return token_exchange_start(env, r->token_uri, r->grant, form, ARRAY_LEN(form), done, user, e);
}

static bool holds(const struct credential *c, const uint8_t digest[SHA256_SIZE])
{
  return secret_has_sha256(
      ((const struct refresh_token_credential *)(const void *)c)->refresh_token, digest);
}

static void destroy(struct credential *c)
{
  struct refresh_token_credential *r = (void *)c;
  secret_unref(r->client_id);
  secret_unref(r->client_secret);
  secret_unref(r->refresh_token);
  free(r->token_uri);
  free(r);
}

static const struct credential_kind kind = {"authorized_user", obtain, holds, destroy};

/* Digest of the digests, so that no part can run into the next. */
static void take_fingerprint(struct refresh_token_credential *r)
{
  uint8_t parts[4 * SHA256_SIZE];
  memcpy(parts, secret_sha256(r->client_id), SHA256_SIZE);
  memcpy(parts + SHA256_SIZE, secret_sha256(r->client_secret), SHA256_SIZE);
  memcpy(parts + 2 * SHA256_SIZE, secret_sha256(r->refresh_token), SHA256_SIZE);
  sha256_of(r->token_uri, strlen(r->token_uri), parts + 3 * SHA256_SIZE);
  sha256_of(parts, sizeof(parts), r->base.fingerprint);
}

struct credential *credential_new_refresh_token(const char *client_id, const char *client_secret,
                                                const char *refresh_token, const char *token_uri,
                                                const char *quota_project, bool impersonates)
{
  struct refresh_token_credential *r = xcalloc(1, sizeof(*r));
  r->base.kind = &kind;
  r->grant = impersonates ? GRANT_REFRESH_SOURCE : GRANT_REFRESH_TOKEN;
  atomic_init(&r->base.refs, 1);
  r->base.quota_project = xstrdup(quota_project);
  r->client_id = secret_from(client_id);
  r->client_secret = secret_from(client_secret);
  r->refresh_token = secret_from(refresh_token);
  r->token_uri = xstrdup(token_uri != NULL ? token_uri : GOOGLE_TOKEN_ENDPOINT);
  take_fingerprint(r);
  return &r->base;
}
