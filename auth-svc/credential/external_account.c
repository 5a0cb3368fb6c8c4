/* Workload Identity Federation: subject token -> Google's STS. */
#include <string.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/credential/credential.h"
#include "auth-svc/credential/subject_token.h"
#include "common/base/mem.h"

#define GOOGLE_STS_ENDPOINT "https://sts.googleapis.com/v1/token"

enum { FLOW_MAGIC = 0x3e7a0001 };

struct external_account {
  struct credential base;
  struct subject_source *source;
  char *audience, *subject_token_type, *token_url, *scope;
};

struct flow {
  uint32_t magic;
  const struct external_account *x;
  const struct token_env *env;
  token_done *done;
  void *user;
};

/* The end before the exchange; the credential may be gone afterwards. */
static void finish(struct flow *f, struct token_reply *reply)
{
  f->done(f->user, reply);
  free(f);
}

static void on_subject(void *user, struct token_reply *reply)
{
  struct flow *f = user;
  MAGIC_CHECK(f, FLOW_MAGIC);
  if (reply->outcome != TOKEN_OBTAINED) {
    finish(f, reply);
    return;
  }
  const struct external_account *x = f->x;
  const struct form_field form[] = {
      {"grant_type", "urn:ietf:params:oauth:grant-type:token-exchange", true},
      {"audience", x->audience, true},
      {"scope", x->scope, true},
      {"requested_token_type", "urn:ietf:params:oauth:token-type:access_token", true},
      {"subject_token", secret_text(reply->access_token), false},
      {"subject_token_type", x->subject_token_type, true},
  };
  struct token_reply failed = {0};
  struct err e = {0};
  if (token_exchange_start(f->env, x->token_url, x->source->kind->grant, form, ARRAY_LEN(form),
                           f->done, f->user, &e) == ERR_OK) {
    free(f);
    return;
  }
  answer_not_sent(&failed, &e);
  finish(f, &failed);
}

static enum err_code obtain(const struct credential *c, const struct token_env *env,
                            struct secret *refresh_token, token_done *done, void *user,
                            struct err *e)
{
  (void)refresh_token;
  const struct external_account *x = (const void *)c;
  struct flow *f = xcalloc(1, sizeof(*f));
  *f = (struct flow){FLOW_MAGIC, x, env, done, user};
  enum err_code code = x->source->kind->obtain(x->source, env, on_subject, f, e);
  if (code != ERR_OK)
    free(f);
  return code;
}

static void destroy(struct credential *c)
{
  struct external_account *x = (void *)c;
  subject_free(x->source);
  free(x->audience);
  free(x->subject_token_type);
  free(x->token_url);
  free(x->scope);
  free(x);
}

static const struct credential_kind kind = {"external_account", obtain, NULL, destroy};

static void take_fingerprint(struct external_account *x)
{
  const char *const parts[] = {"external_account", x->audience, x->subject_token_type, x->token_url,
                               x->scope};
  uint8_t all[2 * SHA256_SIZE];
  credential_digest(all, parts, ARRAY_LEN(parts));
  memcpy(all + SHA256_SIZE, x->source->fingerprint, SHA256_SIZE);
  sha256_of(all, sizeof(all), x->base.fingerprint);
}

struct credential *credential_new_external_account(const struct external_account_options *o)
{
  struct external_account *x = xcalloc(1, sizeof(*x));
  x->base.kind = &kind;
  atomic_init(&x->base.refs, 1);
  x->base.quota_project = xstrdup(o->quota_project);
  x->source = o->source;
  x->audience = xstrdup(o->audience);
  x->subject_token_type = xstrdup(o->subject_token_type);
  x->token_url = xstrdup(o->token_url != NULL ? o->token_url : GOOGLE_STS_ENDPOINT);
  x->scope = xstrdup(o->scope != NULL ? o->scope : ANALYTICS_SCOPE);
  take_fingerprint(x);
  return &x->base;
}
