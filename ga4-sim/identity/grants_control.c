/* The switches of the users' consents: rotation, lifetime, revocation, clients. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "ga4-sim/identity/grants_private.h"
#include "ga4-sim/identity/scopes.h"
#include "ga4-sim/identity/tokens.h"

static enum err_code bad(struct err *e, const char *text)
{
  return err_set(e, ERR_INVALID_ARGUMENT, NULL, "%s", text);
}

/* account_id: an account's, "operator", or "*" for all (then *first..*last is a range). */
static enum err_code read_account(const struct grants *g, const cJSON *body, size_t *first,
                                  size_t *last, struct err *e)
{
  const char *account = json_get_string(body, "account_id");
  if (account == NULL)
    return bad(e, "account_id must be text: an account of the world, \"operator\" or \"*\"");
  *first = 0;
  *last = g->count;
  if (strcmp(account, "*") == 0)
    return ERR_OK;
  const struct world_property *p = world_property_of_account(g->world, account);
  if (p == NULL && strcmp(account, "operator") != 0)
    return err_set(e, ERR_NOT_FOUND, NULL, "the world has no account_id \"%s\"", account);
  *first = p == NULL ? g->count - 1 : p->index;
  *last = *first + 1;
  return ERR_OK;
}

static cJSON *echo(const cJSON *body)
{
  return cJSON_Duplicate(body, true);
}

enum err_code grants_set_rotation(struct grants *g, const cJSON *body, cJSON **state, struct err *e)
{
  size_t first, last;
  const cJSON *valid = cJSON_GetObjectItemCaseSensitive(body, "old_valid_s");
  const cJSON *on = cJSON_GetObjectItemCaseSensitive(body, "on");
  enum err_code code = read_account(g, body, &first, &last, e);
  if (code != ERR_OK)
    return code;
  if (valid != NULL &&
      (!cJSON_IsNumber(valid) || valid->valuedouble < 0 || valid->valuedouble > 1e6))
    return bad(e, "old_valid_s must be a number from 0 (dead at once) to 1000000");
  if (on != NULL && !cJSON_IsBool(on))
    return bad(e, "on must be true or false");
  pthread_mutex_lock(&g->lock);
  for (size_t i = first; i < last; i++) {
    g->list[i].rotates = on == NULL || cJSON_IsTrue(on);
    g->list[i].old_valid_ms = valid == NULL ? 0 : (int64_t)(valid->valuedouble * 1000);
  }
  pthread_mutex_unlock(&g->lock);
  *state = echo(body);
  return ERR_OK;
}

enum err_code grants_set_lifetime(struct grants *g, const cJSON *body, cJSON **state, struct err *e)
{
  struct grants_lifetime lifetime = {0};
  size_t first, last;
  const cJSON *reported = cJSON_GetObjectItemCaseSensitive(body, "expires_in");
  double lives = json_get_number(body, "lifetime_s", 0);
  enum err_code code = read_account(g, body, &first, &last, e);
  if (code != ERR_OK)
    return code;
  if (lives < 0 || lives > 1e9)
    return bad(e, "lifetime_s must be a number from 0 (as usual) to 1000000000");
  lifetime.lifetime_s = (int64_t)lives;
  lifetime.omit = json_get_bool(body, "omit_expires_in", false);
  if (reported != NULL &&
      !cJSON_PrintPreallocated((cJSON *)(uintptr_t)reported, lifetime.expires_in,
                               (int)sizeof(lifetime.expires_in) - 8, false))
    return bad(e, "expires_in is too long: at most 200 characters");
  pthread_mutex_lock(&g->lock);
  for (size_t i = first; i < last; i++)
    g->list[i].lifetime = lifetime;
  pthread_mutex_unlock(&g->lock);
  *state = echo(body);
  return ERR_OK;
}

enum err_code grants_set_revocation(struct grants *g, const cJSON *body, cJSON **state,
                                    struct err *e)
{
  size_t first, last;
  bool revoked = json_get_bool(body, "revoked", true);
  enum err_code code = read_account(g, body, &first, &last, e);
  if (code != ERR_OK)
    return code;
  int64_t now = clock_unix_ms();
  pthread_mutex_lock(&g->lock);
  for (size_t i = first; i < last; i++) {
    g->list[i].revoked = revoked;
    if (revoked)
      g->list[i].revoked_at_ms = now;
  }
  pthread_mutex_unlock(&g->lock);
  *state = echo(body);
  return ERR_OK;
}

/* Refresh tokens of earlier consents stay good unless they were revoked, as at Google. */
enum err_code grants_set_consent(struct grants *g, const cJSON *body, cJSON **state, struct err *e)
{
  size_t first, last;
  unsigned unknown = 0;
  const char *scope = json_get_string(body, "scope");
  uint32_t scopes = scope != NULL ? scopes_read(scope, &unknown) : 0;
  AUTO_BUF struct buf consented = BUF_INIT(1024);
  enum err_code code = read_account(g, body, &first, &last, e);
  if (code != ERR_OK)
    return code;
  if (last != first + 1)
    return bad(e, "a consent is one account's: account_id must not be \"*\"");
  if (unknown > 0 || (scope != NULL && scopes == 0))
    return bad(e, "scope must be space-separated scopes of Google's");
  int64_t identity = first + 1 == g->count ? IDENTITY_OPERATOR : (int64_t)first;
  pthread_mutex_lock(&g->lock);
  struct grant *x = &g->list[first];
  grants_renew(g, x, identity, x->revoked ? 0 : INT64_MAX);
  x->revoked = false;
  x->scopes = scopes;
  *state = cJSON_CreateObject();
  cJSON_AddStringToObject(*state, "refresh_token", x->token);
  pthread_mutex_unlock(&g->lock);
  scopes_write(&consented, grants_scopes(g, identity));
  cJSON_AddStringToObject(*state, "scope", buf_str(&consented));
  return ERR_OK;
}

static const char *client_at(const struct grants *g, size_t i)
{
  return grants_client_of(g, i + 1 == g->count ? IDENTITY_OPERATOR : (int64_t)i);
}

/* Accounts may share a client: its state is set for all of them. */
enum err_code grants_set_client(struct grants *g, const cJSON *body, cJSON **state, struct err *e)
{
  static const char *const names[] = {"active", "deleted", "disabled"};
  const char *name = json_get_string(body, "state");
  size_t first, last, s = 0;
  enum err_code code = read_account(g, body, &first, &last, e);
  if (code != ERR_OK)
    return code;
  while (s < ARRAY_LEN(names) && (name == NULL || strcmp(names[s], name) != 0))
    s++;
  if (s == ARRAY_LEN(names))
    return bad(e, "state must be active, deleted or disabled");
  pthread_mutex_lock(&g->lock);
  for (size_t i = 0; i < g->count; i++)
    for (size_t k = first; k < last; k++)
      if (strcmp(client_at(g, i), client_at(g, k)) == 0)
        g->list[i].client = (enum client_state)s;
  pthread_mutex_unlock(&g->lock);
  *state = echo(body);
  return ERR_OK;
}
