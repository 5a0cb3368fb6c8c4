/* The rpcs by which admins invite dealers, and keep and end their consents. */
#include <string.h>

#include "auth-svc/dealers/file.h"
#include "auth-svc/rpc/internal.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { ADMIN_CALL_MAGIC = 0xad317ca1, EXPORT_MAX = 4 << 20 };

static enum err_code open_call(struct service *s, struct rpc_call *call,
                               const struct snapshot *config, struct unsealed *grant,
                               struct facts *f, struct err *e)
{
  enum err_code code = service_check_connect(s, e);
  return code == ERR_OK ? service_open_admin(call, config, grant, f, e) : code;
}

void service_create_invite(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__CreateInviteRequest *r = (const void *)request;
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct facts facts = {.event = "connect_invite",
                        .dealer = r->invitation != NULL ? r->invitation->dealer_id : NULL};
  Analytics__Auth__V1__CreateInviteResponse response =
      ANALYTICS__AUTH__V1__CREATE_INVITE_RESPONSE__INIT;
  struct unsealed grant;
  struct err e = {0};
  if (open_call(s, call, config, &grant, &facts, &e) == ERR_OK)
    connect_invite(s->options.connect, &response, r, config->directory, grant.subject,
                   rpc_call_arena(call), &e);
  facts.detail = e.code == ERR_OK ? response.invite_id : NULL;
  service_end_call(s, call, &facts, &response.base, &e);
}

void service_revoke_invite(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__RevokeInviteRequest *r = (const void *)request;
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct facts facts = {.event = "connect_invite_revoked", .detail = r->invite_id};
  const Analytics__Auth__V1__RevokeInviteResponse response =
      ANALYTICS__AUTH__V1__REVOKE_INVITE_RESPONSE__INIT;
  struct unsealed grant;
  struct err e = {0};
  if (open_call(s, call, config, &grant, &facts, &e) == ERR_OK)
    connect_revoke_invite(s->options.connect, r->invite_id, &e);
  service_end_call(s, call, &facts, &response.base, &e);
}

/* As /readyz and metrics name the states. */
static const char *state_of(struct service *s, const struct snapshot *config, const char *dealer_id)
{
  const struct dealer *d = directory_by_id(config->directory, dealer_id);
  if (d == NULL)
    return "not_live";
  const struct token_key key = snapshot_token_key(config, d->account_id);
  const char *bad = tokens_bad_standing(s->options.tokens, key.account_id, key.credential);
  return bad != NULL ? bad : "ok";
}

void service_list_connections(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct facts facts = {.event = "connect_list"};
  Analytics__Auth__V1__ListConnectionsResponse response =
      ANALYTICS__AUTH__V1__LIST_CONNECTIONS_RESPONSE__INIT;
  struct unsealed grant;
  struct err e = {0};
  (void)request;
  if (open_call(s, call, config, &grant, &facts, &e) == ERR_OK)
    connect_list(s->options.connect, &response, rpc_call_arena(call), &e);
  for (size_t i = 0; e.code == ERR_OK && i < response.n_dealers; i++)
    response.dealers[i]->state =
        arena_strdup(rpc_call_arena(call), state_of(s, config, response.dealers[i]->dealer_id));
  service_end_call(s, call, &facts, &response.base, &e);
}

/* ----------------------------------------------------------------------- disconnect */

/* A call that waits for Google. Lives in the call's arena. */
struct disconnecting {
  uint32_t magic;
  struct service *service;
  struct rpc_call *call;
  struct facts facts;
  char *note;
};

static void end_disconnect(struct disconnecting *d, bool revoked)
{
  Analytics__Auth__V1__DisconnectResponse response = ANALYTICS__AUTH__V1__DISCONNECT_RESPONSE__INIT;
  response.revoked = revoked;
  response.note = d->note;
  d->facts.detail = revoked ? "revoked at Google" : d->note;
  service_end_call(d->service, d->call, &d->facts, &response.base, NULL);
}

static void on_revoked(void *user, const struct err *error)
{
  struct disconnecting *d = user;
  MAGIC_CHECK(d, ADMIN_CALL_MAGIC);
  if (error->code != ERR_OK)
    d->note =
        arena_printf(rpc_call_arena(d->call),
                     "forgotten here, but not revoked at Google (%s): the person can do it at "
                     "https://myaccount.google.com/connections",
                     error->message);
  end_disconnect(d, error->code == ERR_OK);
}

static enum err_code disconnect(struct service *s, struct disconnecting *d, const char *dealer_id,
                                struct secret **token, struct err *e)
{
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct unsealed grant;
  const char *note = "";
  enum err_code code = open_call(s, d->call, config, &grant, &d->facts, e);
  if (code == ERR_OK)
    code = connect_forget(s->options.connect, dealer_id, token, &note, rpc_call_arena(d->call), e);
  if (code != ERR_OK)
    return code;
  d->note = arena_strdup(rpc_call_arena(d->call), note);
  if (!s->options.apply(s->options.apply_user))
    log_warn("a dealer was disconnected, but the configuration is refused and the old one stays",
             LOG_S("dealer", dealer_id));
  return ERR_OK;
}

void service_disconnect(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__DisconnectRequest *r = (const void *)request;
  struct service *s = service_of(user);
  struct disconnecting *d = ARENA_NEW(rpc_call_arena(call), struct disconnecting);
  const struct facts facts = {.event = "connect_disconnect", .dealer = r->dealer_id};
  AUTO_SECRET struct secret *token = NULL;
  struct err e = {0};
  if (d == NULL) {
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory for the call");
    service_end_call(s, call, &facts, NULL, &e);
    return;
  }
  *d = (struct disconnecting){ADMIN_CALL_MAGIC, s, call, facts, NULL};
  if (disconnect(s, d, r->dealer_id, &token, &e) != ERR_OK)
    service_end_call(s, call, &d->facts, NULL, &e);
  else if (token != NULL)
    google_revoke(connect_google(s->options.connect), token, on_revoked, d);
  else
    end_disconnect(d, false);
}

/* ------------------------------------------------------------------ export and import */

void service_export_connected(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct facts facts = {.event = "connect_export"};
  Analytics__Auth__V1__ExportConnectedResponse response =
      ANALYTICS__AUTH__V1__EXPORT_CONNECTED_RESPONSE__INIT;
  AUTO_BUF struct buf text = BUF_INIT(EXPORT_MAX);
  struct unsealed grant;
  struct err e = {0};
  (void)request;
  if (open_call(s, call, config, &grant, &facts, &e) == ERR_OK)
    connect_store_dealers(s->options.connected, &text);
  if (text.failed)
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "answer_too_large",
            "more than %d bytes: copy the store (AUTH_STATE_DIR/connect, DATABASE_URL) instead",
            EXPORT_MAX);
  response.dealers_json = text.data;
  service_end_call(s, call, &facts, &response.base, &e);
}

/* The loader judges the entries, with the keys in use. */
static enum err_code check_import(const struct service *s, const char *text, struct err *e)
{
  struct dealers_content content = {0};
  struct connect_lists l;
  if (connect_store_begin(s->options.connected, &l, e) != ERR_OK)
    return e->code;
  struct keyring *ring = keyring_ref(l.ring);
  connect_store_end(s->options.connected, false, NULL);
  const struct sealed_policy policy = {.keyring = ring, .allow_mixed = true};
  const struct dealers_options options = {.sealed = &policy, .warn_of_cohorts = true};
  enum err_code code =
      dealers_file_read(&content, "dealers_json", text, strlen(text), &options, NULL, e);
  dealers_content_clear(&content);
  keyring_unref(ring);
  return code;
}

void service_import_connected(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__ImportConnectedRequest *r = (const void *)request;
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct facts facts = {.event = "connect_import"};
  Analytics__Auth__V1__ImportConnectedResponse response =
      ANALYTICS__AUTH__V1__IMPORT_CONNECTED_RESPONSE__INIT;
  struct unsealed grant;
  struct err e = {0};
  if (open_call(s, call, config, &grant, &facts, &e) == ERR_OK &&
      check_import(s, r->dealers_json, &e) == ERR_OK &&
      connect_import(s->options.connect, r->dealers_json, config->directory, &response.dealers,
                     &e) == ERR_OK &&
      !s->options.apply(s->options.apply_user))
    err_set(&e, ERR_FAILED_PRECONDITION, "not_live",
            "stored, but the configuration is refused for now; the log says why");
  service_end_call(s, call, &facts, &response.base, &e);
}
