/* A service account impersonated with another credential's token. */
#include <string.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/credential/credential.h"
#include "auth-svc/credential/impersonation.h"
#include "common/base/mem.h"

enum { FLOW_MAGIC = 0x1b4e0001 };

struct impersonated {
  struct credential base;
  struct credential *source;
  struct impersonation *impersonation;
};

struct flow {
  uint32_t magic;
  const struct impersonated *m;
  const struct token_env *env;
  token_done *done;
  void *user;
  struct secret *refresh_token; /* the source's new one; must not get lost on the way */
};

static void finish(void *user, struct token_reply *reply)
{
  struct flow *f = user;
  MAGIC_CHECK(f, FLOW_MAGIC);
  secret_unref(reply->refresh_token);
  reply->refresh_token = TAKE_PTR(f->refresh_token);
  f->done(f->user, reply);
  token_reply_clear(reply);
  free(f);
}

static void on_source(void *user, struct token_reply *reply)
{
  struct flow *f = user;
  MAGIC_CHECK(f, FLOW_MAGIC);
  struct token_reply failed = {0};
  struct err e = {0};
  f->refresh_token = TAKE_PTR(reply->refresh_token);
  if (reply->outcome != TOKEN_OBTAINED) {
    finish(f, reply);
  } else if (impersonation_start(f->m->impersonation, f->env, reply->access_token, finish, f, &e) !=
             ERR_OK) {
    answer_not_sent(&failed, &e);
    finish(f, &failed);
  }
}

static enum err_code obtain(const struct credential *c, const struct token_env *env,
                            struct secret *refresh_token, token_done *done, void *user,
                            struct err *e)
{
  const struct impersonated *m = (const void *)c;
  struct flow *f = xcalloc(1, sizeof(*f));
  *f = (struct flow){FLOW_MAGIC, m, env, done, user, NULL};
  enum err_code code = m->source->kind->obtain(m->source, env, refresh_token, on_source, f, e);
  if (code != ERR_OK)
    free(f);
  return code;
}

static bool holds(const struct credential *c, const uint8_t digest[SHA256_SIZE])
{
  return credential_holds(((const struct impersonated *)(const void *)c)->source, digest);
}

static void destroy(struct credential *c)
{
  struct impersonated *m = (void *)c;
  credential_unref(m->source);
  impersonation_free(m->impersonation);
  free(m);
}

static const struct credential_kind kinds[] = {
    {"impersonated_service_account", obtain, holds, destroy},
    {"external_account", obtain, holds, destroy}};

struct credential *credential_new_impersonated(const char *file, struct credential *source,
                                               struct impersonation *impersonation,
                                               const char *quota_project)
{
  struct impersonated *m = xcalloc(1, sizeof(*m));
  uint8_t both[2 * SHA256_SIZE];
  m->base.kind = &kinds[strcmp(file, kinds[0].name) != 0];
  atomic_init(&m->base.refs, 1);
  m->base.quota_project = xstrdup(quota_project);
  m->source = source;
  m->impersonation = impersonation;
  memcpy(both, source->fingerprint, SHA256_SIZE);
  memcpy(both + SHA256_SIZE, impersonation_fingerprint(impersonation), SHA256_SIZE);
  sha256_of(both, sizeof(both), m->base.fingerprint);
  return &m->base;
}
