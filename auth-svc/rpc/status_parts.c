/* What GetStatus says: dealers, keys, audit log. Nothing that is sealed is opened for it. */
#include <string.h>
#include <sys/stat.h>

#include "auth-svc/rpc/internal.h"
#include "common/pbjson/borrow.h"
#include "common/status/facts.h"

typedef Analytics__Auth__V1__AuthStatus auth_status;
typedef Analytics__Auth__V1__DealerConsent consent;
typedef Analytics__Auth__V1__Key status_key;

/* -------------------------------------------------------------------------- dealers */

/* As the operator types it. */
static const char *remedy_of(const struct dealer *d, const char *state, struct arena *arena)
{
  if (strcmp(state, "needs_reconsent") == 0)
    return d->connected
               ? arena_printf(arena, "auth-svc invite --renew %s", d->dealer_id)
               : arena_printf(arena,
                              "put a new refresh token of %s into the dealers file, then auth-svc "
                              "check %s",
                              d->dealer_id, d->dealer_id);
  if (strcmp(state, "misconfigured") == 0)
    return arena_printf(arena, "auth-svc check %s", d->dealer_id);
  return "";
}

static consent *consent_of(const struct service *s, const struct snapshot *config,
                           const struct dealer *d, struct arena *arena)
{
  const struct token_key key = snapshot_token_key(config, d->account_id);
  struct tokens_standing standing = {.state = "idle"};
  consent *c = ARENA_NEW(arena, consent);
  if (c == NULL)
    return NULL;
  if (s->options.tokens != NULL)
    tokens_standing_of(s->options.tokens, key.account_id, key.credential, &standing);
  analytics__auth__v1__dealer_consent__init(c);
  c->dealer_id = borrow_text(d->dealer_id);
  c->name = borrow_text(d->name);
  c->region = borrow_text(d->region);
  c->property_ids = borrow_texts(d->property_ids);
  c->n_property_ids = d->n_property_ids;
  c->state = borrow_text(standing.state);
  c->reason = arena_strdup(arena, standing.reason);
  c->connected = d->connected;
  c->last_token_at = standing.obtained_at;
  c->remedy = borrow_text(remedy_of(d, standing.state, arena));
  return c->reason != NULL && c->remedy != NULL ? c : NULL;
}

static bool add_dealers(auth_status *out, const struct service *s, const struct snapshot *config,
                        struct arena *arena)
{
  const struct directory *d = config->directory;
  out->dealers = ARENA_ARRAY(arena, consent *, d->n_dealers);
  for (size_t i = 0; out->dealers != NULL && i < d->n_dealers; i++) {
    out->dealers[i] = consent_of(s, config, &d->dealers[i], arena);
    if (out->dealers[i] == NULL)
      return false;
    out->n_dealers++;
  }
  return out->dealers != NULL;
}

/* ----------------------------------------------------------------------------- keys */

enum { KEYS_MAX = KEYRING_KEYS_MAX + 1 + JWT_KEYS_MAX };

/* A list that grows key by key. */
struct key_list {
  auth_status *out;
  struct arena *arena;
  const char *use;
  int64_t changed_at;
  bool full;
};

static int64_t changed_at(const char *file)
{
  struct stat st;
  return file != NULL && stat(file, &st) == 0 ? (int64_t)st.st_mtime : 0;
}

static void add_key(void *user, const char *id, bool idle)
{
  struct key_list *l = user;
  status_key *key = ARENA_NEW(l->arena, status_key);
  l->full = l->full || key == NULL || l->out->n_keys == KEYS_MAX;
  if (l->full)
    return;
  analytics__auth__v1__key__init(key);
  key->use = borrow_text(l->use);
  key->id = arena_strdup(l->arena, id);
  key->changed_at = l->changed_at;
  key->idle = idle;
  l->full = key->id == NULL;
  l->out->keys[l->out->n_keys++] = key;
}

static bool add_keys(auth_status *out, const struct service *s, const struct snapshot *config,
                     struct arena *arena)
{
  const struct service_status *o = &s->options.status;
  const struct jwt_keys *bearers = config->trust.jwt_keys;
  struct key_list l = {out, arena, "keyring", changed_at(o->keyring_file), false};
  out->keys = ARENA_ARRAY(arena, status_key *, KEYS_MAX);
  if (out->keys == NULL)
    return false;
  if (o->keyring != NULL)
    keyring_live_keys(o->keyring, &config->sealed_with, add_key, &l);
  if (out->n_keys > 0)
    out->keys[0]->of = (int32_t)out->n_keys;
  l.use = "grants";
  l.changed_at = changed_at(o->seal_key_file);
  add_key(&l, "", false);
  if (!l.full)
    out->keys[out->n_keys - 1]->of = (int32_t)sealer_n_keys(config->trust.sealer);
  l.use = "bearers";
  l.changed_at = changed_at(o->jwt_key_file);
  for (size_t i = 0; bearers != NULL && i < bearers->n; i++)
    add_key(&l, bearers->keys[i].kid, false);
  return !l.full;
}

/* ------------------------------------------------------------------------- the rest */

static bool add_audit(auth_status *out, const struct service *s, struct arena *arena)
{
  out->audit = ARENA_NEW(arena, Analytics__Auth__V1__AuditState);
  if (out->audit == NULL)
    return false;
  analytics__auth__v1__audit_state__init(out->audit);
  out->audit->writable = true;
  if (s->options.audit == NULL)
    return true;
  out->audit->writable = audit_is_writable(s->options.audit);
  out->audit->line = audit_seq(s->options.audit);
  out->audit->space_low = audit_space_is_low(s->options.audit, &out->audit->free_bytes);
  return true;
}

static bool add_invites(auth_status *out, const struct service *s, struct arena *arena)
{
  Analytics__Auth__V1__ListConnectionsResponse list =
      ANALYTICS__AUTH__V1__LIST_CONNECTIONS_RESPONSE__INIT;
  struct err e = {0};
  out->connect = s->options.connect != NULL;
  if (out->connect)
    connect_list(s->options.connect, &list, arena, &e);
  out->open_invites = (int32_t)list.n_invites;
  return e.code == ERR_OK;
}

static bool add_config(auth_status *out, const struct service *s, struct arena *arena)
{
  const struct service_status *o = &s->options.status;
  struct err failure = {0};
  out->state_writable = o->store == NULL || token_store_is_writable(o->store);
  if (o->reload == NULL)
    return true;
  out->config_loaded_at = reload_loaded_at(o->reload);
  if (reload_failure(o->reload, &failure))
    out->config_error = arena_strdup(arena, failure.message);
  return out->config_error != NULL;
}

enum err_code service_make_status(auth_status **out, const struct service *s,
                                  const struct snapshot *config, struct arena *arena, struct err *e)
{
  const struct status_self self = {"auth-svc", s->options.status.cert_file,
                                   s->options.status.started_at};
  auth_status *a = *out = ARENA_NEW(arena, auth_status);
  if (a != NULL)
    analytics__auth__v1__auth_status__init(a);
  bool room = a != NULL && (a->service = status_service(&self, arena)) != NULL &&
              add_dealers(a, s, config, arena) && add_keys(a, s, config, arena) &&
              add_audit(a, s, arena) && add_invites(a, s, arena) && add_config(a, s, arena);
  return room ? ERR_OK
              : err_set(e, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory for the status");
}
