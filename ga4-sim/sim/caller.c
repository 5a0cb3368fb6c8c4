/* Resolves bearer tokens. */
#include "ga4-sim/sim/caller.h"

#include <string.h>
#include <strings.h>

#include "common/base/clock.h"

static bool read_user(struct sim *s, const struct token *t, struct caller *out)
{
  out->reads = out->may_impersonate = true;
  if (t->identity >= IDENTITY_CONSENT) {
    out->may_impersonate = false;
    return consents_reads(s->consents, t->identity, &out->first, &out->count);
  }
  return !grants_revoked_since(s->grants, t->identity, t->issued_unix_ms) &&
         t->identity < (int64_t)s->world->property_count;
}

static bool read_service_account(struct sim *s, const struct token *t, struct caller *out)
{
  const struct service_account *account = service_accounts_of(s->service_accounts, t->identity);
  out->reads = out->may_impersonate = true;
  return account != NULL &&
         service_account_state(s->service_accounts, account) != SERVICE_ACCOUNT_DELETED;
}

static bool read_federated(struct sim *s, const struct token *t, struct caller *out)
{
  struct federation_binding b;
  if (!federation_find(s->federation, t->identity, &b))
    return false;
  out->identity = b.scope;
  out->reads = b.direct;
  out->may_impersonate = b.impersonate;
  return true;
}

static bool read_token(struct sim *s, const struct token *t, struct caller *out)
{
  *out = (struct caller){.kind = t->kind, .identity = t->identity, .scopes = t->scopes};
  switch (t->kind) {
  case TOKEN_USER:
    return read_user(s, t, out);
  case TOKEN_SERVICE_ACCOUNT:
    return read_service_account(s, t, out);
  case TOKEN_FEDERATED:
    return read_federated(s, t, out);
  }
  return false;
}

enum caller_verdict caller_read(struct sim *s, const char *authorization, struct caller *out)
{
  static const char scheme[] = "Bearer ";
  struct token token;
  struct assertion assertion;
  int64_t now = clock_unix_ms() / 1000;
  if (authorization == NULL || strncasecmp(authorization, scheme, sizeof(scheme) - 1) != 0)
    return CALLER_MISSING;
  const char *text = authorization + sizeof(scheme) - 1;
  if (tokens_check(&s->tokens, text, now, &token))
    return read_token(s, &token, out) ? CALLER_KNOWN : CALLER_INVALID;
  /* Google's clients may sign a JWT with a service account's key and send that. */
  if (strncmp(text, "eyJ", 3) != 0 ||
      !service_account_check_bearer(s->service_accounts, text, sim_now_s(s), &assertion))
    return CALLER_INVALID;
  *out = (struct caller){.kind = TOKEN_SERVICE_ACCOUNT,
                         .identity = assertion.account->identity,
                         .scopes = assertion.scopes,
                         .may_impersonate = true,
                         .reads = true};
  return CALLER_KNOWN;
}

bool caller_may_act_as(const struct caller *c, const struct service_account *account)
{
  return c->may_impersonate &&
         (c->identity == IDENTITY_OPERATOR || c->identity == IDENTITY_SERVICE_ACCOUNT ||
          c->identity == account->identity);
}
