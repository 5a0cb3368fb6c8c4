/* Loads what is trusted beside the dealers' credentials. */
#include "auth-svc/config/trust.h"
#include "auth-svc/secret/secret.h"

#include <string.h>

#include "common/base/mem.h"

struct trust_source {
  struct trust_options options;
  struct sealer *sealer;     /* of the environment, or random; NULL when a file has the keys */
  struct secret *jwt_secret; /* of the environment; NULL without one */
};

void trust_clear(struct trust *t)
{
  sealer_unref(TAKE_PTR(t->sealer));
  jwt_keys_unref(TAKE_PTR(t->jwt_keys));
  policies_unref(TAKE_PTR(t->policies));
  issuers_unref(TAKE_PTR(t->issuers));
}

enum err_code trust_source_new(struct trust_source **out, const struct trust_options *o,
                               struct err *e)
{
  struct trust_source *s = xcalloc(1, sizeof(*s));
  enum err_code code = ERR_OK;
  s->options = *o;
  s->options.seal_key = s->options.jwt_secret = NULL; /* they may be wiped */
  s->jwt_secret = o->jwt_secret != NULL ? secret_from(o->jwt_secret) : NULL;
  if (o->seal_key_file == NULL)
    code = sealer_new(&s->sealer, "AUTH_SEAL_KEY", o->seal_key, o->audience, e);
  if (code == ERR_OK)
    *out = s;
  else
    trust_source_free(s);
  return code;
}

void trust_source_free(struct trust_source *s)
{
  if (s == NULL)
    return;
  sealer_unref(s->sealer);
  secret_unref(s->jwt_secret);
  free(s);
}

static enum err_code load_sealer(struct sealer **out, const struct trust_source *s, struct err *e)
{
  static const char what[] = "AUTH_SEAL_KEY_FILE";
  if (s->sealer != NULL) {
    *out = sealer_ref(s->sealer);
    return ERR_OK;
  }
  AUTO_SECRET struct secret *keys = NULL;
  const char *file = s->options.seal_key_file;
  enum err_code code = secret_from_file(&keys, what, file, e);
  if (code != ERR_OK)
    return code;
  code = sealer_new(out, what, secret_text(keys), s->options.audience, e);
  return code == ERR_OK ? code : err_prefix(e, "%s: ", file);
}

static enum err_code add_secret_file(struct jwt_keys *keys, const char *path, struct err *e)
{
  static const char what[] = "AUTH_JWT_HS256_SECRET_FILE";
  AUTO_SECRET struct secret *shared = NULL;
  enum err_code code = secret_from_file(&shared, what, path, e);
  if (code != ERR_OK)
    return code;
  code = jwt_keys_add_hs256(keys, what, secret_text(shared), secret_len(shared), e);
  return code == ERR_OK ? code : err_prefix(e, "%s: ", path);
}

static enum err_code add_key_file(struct jwt_keys *keys, const char *path, struct err *e)
{
  enum err_code code = jwt_keys_add_file(keys, "AUTH_JWT_KEY_FILE", path, e);
  return code == ERR_OK || strstr(e->message, path) != NULL ? code : err_prefix(e, "%s: ", path);
}

enum err_code trust_load_jwt_keys(struct jwt_keys **out, const struct trust_source *s,
                                  struct err *e)
{
  struct jwt_keys *keys = jwt_keys_new();
  struct err ignored;
  enum err_code code = ERR_OK;
  e = e != NULL ? e : &ignored;
  if (s->jwt_secret != NULL)
    code = jwt_keys_add_hs256(keys, "AUTH_JWT_HS256_SECRET", secret_text(s->jwt_secret),
                              secret_len(s->jwt_secret), e);
  if (code == ERR_OK && s->options.jwt_secret_file != NULL)
    code = add_secret_file(keys, s->options.jwt_secret_file, e);
  /* Last: a JWKS may hold more than there is room for. */
  if (code == ERR_OK && s->options.jwt_key_file != NULL)
    code = add_key_file(keys, s->options.jwt_key_file, e);
  if (code != ERR_OK)
    jwt_keys_unref(TAKE_PTR(keys));
  *out = keys;
  return code;
}

static enum err_code load_policies(struct policies **out, const struct trust_source *s,
                                   struct err *e)
{
  if (s->options.policy_file == NULL) {
    *out = policies_none();
    return ERR_OK;
  }
  enum err_code code = policies_load(out, s->options.policy_file, e);
  if (code != ERR_OK || (*out)->n == 0 || s->options.mutual_tls)
    return code;
  policies_unref(TAKE_PTR(*out));
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_setting",
                 "AUTH_POLICY_FILE: %s gives rights by certificate (policies), which needs mutual "
                 "TLS: set GRPC_TLS_CERT, GRPC_TLS_KEY and GRPC_TLS_CA, or leave only \"revoked\"",
                 s->options.policy_file);
}

enum err_code trust_load_issuers(struct issuers **out, const struct trust_source *s, struct err *e)
{
  const struct issuers_options options = {.audience = s->options.jwt_audience,
                                          .own_issuer = s->options.jwt_issuer};
  if (s->options.issuers_file != NULL)
    return issuers_load(out, s->options.issuers_file, &options, e);
  *out = issuers_none();
  return ERR_OK;
}

enum err_code trust_load(struct trust *out, const struct trust_source *s, struct err *e)
{
  *out = (struct trust){0};
  struct err local = {0};
  e = e != NULL ? e : &local;
  if (load_sealer(&out->sealer, s, e) == ERR_OK &&
      trust_load_jwt_keys(&out->jwt_keys, s, e) == ERR_OK &&
      load_policies(&out->policies, s, e) == ERR_OK &&
      trust_load_issuers(&out->issuers, s, e) == ERR_OK)
    return ERR_OK;
  trust_clear(out);
  return e->code;
}
