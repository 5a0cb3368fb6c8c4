/* The rpcs behind the pages where a dealer connects its website. Their caller is the gateway; who
 * the person is shows by the link and the session, so there is no grant. */
#include <string.h>

#include "auth-svc/rpc/internal.h"
#include "common/base/log.h"
#include "common/base/mem.h"

enum { PAGE_CALL_MAGIC = 0x9a6eca11 };

/* One call of a page. Lives in the call's arena. */
struct page_call {
  uint32_t magic;
  struct service *service;
  struct rpc_call *call;
  struct facts facts;
  struct snapshot *config; /* while a token is waited for */
  const char *session;
};

static void end(struct page_call *p, const ProtobufCMessage *response, const struct err *e)
{
  service_end_call(p->service, p->call, &p->facts, response, e);
}

/* NULL: the call has ended, refused. */
static struct page_call *page_call_new(struct service *s, struct rpc_call *call, const char *event,
                                       const char *token, const char *session, const char *client)
{
  struct arena *arena = rpc_call_arena(call);
  struct page_call *p = ARENA_NEW(arena, struct page_call);
  struct facts facts = {.event = event, .client = service_client(arena, client)};
  struct err e = {0};
  if (s->options.connect != NULL)
    facts.dealer = connect_whose(s->options.connect, token, session, arena);
  if (p == NULL)
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory for the call");
  else if (service_check_peer(call, s->options.gateway_identity, &e) == ERR_OK)
    service_check_connect(s, &e);
  if (e.code != ERR_OK) {
    service_end_call(s, call, &facts, NULL, &e);
    return NULL;
  }
  *p = (struct page_call){
      .magic = PAGE_CALL_MAGIC, .service = s, .call = call, .facts = facts, .session = session};
  return p;
}

void service_show_invite(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__ShowInviteRequest *r = (const void *)request;
  struct service *s = service_of(user);
  struct page_call *p = page_call_new(s, call, "connect_show", r->token, "", r->client_address);
  Analytics__Auth__V1__ShowInviteResponse response =
      ANALYTICS__AUTH__V1__SHOW_INVITE_RESPONSE__INIT;
  struct err e = {0};
  if (p == NULL)
    return;
  connect_show_invite(s->options.connect, &response, r->token, rpc_call_arena(call), &e);
  end(p, &response.base, &e);
}

void service_start_consent(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__StartConsentRequest *r = (const void *)request;
  struct service *s = service_of(user);
  struct page_call *p =
      page_call_new(s, call, "connect_start", r->token, r->session, r->client_address);
  Analytics__Auth__V1__StartConsentResponse response =
      ANALYTICS__AUTH__V1__START_CONSENT_RESPONSE__INIT;
  struct err e = {0};
  if (p == NULL)
    return;
  connect_start(s->options.connect, &response, r, rpc_call_arena(call), &e);
  end(p, &response.base, &e);
}

static void on_received(void *user, const struct err *error)
{
  struct page_call *p = user;
  MAGIC_CHECK(p, PAGE_CALL_MAGIC);
  const Analytics__Auth__V1__ReceiveConsentResponse response =
      ANALYTICS__AUTH__V1__RECEIVE_CONSENT_RESPONSE__INIT;
  if (error->code != ERR_OK)
    log_info("a consent was not completed", LOG_S("dealer", p->facts.dealer),
             LOG_S("reason", error->reason), LOG_S("error", error->message));
  end(p, &response.base, error);
}

void service_receive_consent(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__ReceiveConsentRequest *r = (const void *)request;
  struct service *s = service_of(user);
  struct page_call *p =
      page_call_new(s, call, "connect_consent", "", r->session, r->client_address);
  if (p != NULL)
    connect_receive(s->options.connect, r, on_received, p);
}

static enum err_code show_now(struct page_call *p,
                              Analytics__Auth__V1__ShowConsentResponse *response,
                              const char *session, struct err *e)
{
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(p->service->options.config);
  return connect_show(p->service->options.connect, response, session, config->directory,
                      rpc_call_arena(p->call), e);
}

/* A dealer that another replica connected a moment ago comes into use here first. */
static void show(struct page_call *p, Analytics__Auth__V1__ShowConsentResponse *response,
                 const char *session, struct err *e)
{
  const struct service_options *o = &p->service->options;
  if (show_now(p, response, session, e) != ERR_FAILED_PRECONDITION ||
      strcmp(e->reason, "not_live") != 0 || o->catch_up == NULL || !o->catch_up(o->apply_user))
    return;
  *e = (struct err){0};
  show_now(p, response, session, e);
}

void service_show_consent(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__ShowConsentRequest *r = (const void *)request;
  struct service *s = service_of(user);
  struct page_call *p = page_call_new(s, call, "connect_review", "", r->session, r->client_address);
  Analytics__Auth__V1__ShowConsentResponse response =
      ANALYTICS__AUTH__V1__SHOW_CONSENT_RESPONSE__INIT;
  struct err e = {0};
  if (p == NULL)
    return;
  show(p, &response, r->session, &e);
  end(p, &response.base, &e);
}

/* ------------------------------------------------------------------------- the end of it */

static void finished(void *user)
{
  struct page_call *p = user;
  MAGIC_CHECK(p, PAGE_CALL_MAGIC);
  const Analytics__Auth__V1__FinishConsentResponse response =
      ANALYTICS__AUTH__V1__FINISH_CONSENT_RESPONSE__INIT;
  struct snapshot *config = p->config;
  const struct err none = {0};
  end(p, &response.base, &none);
  snapshot_unref(config);
}

/* A dealer without figures is connected all the same: they prove life, their absence nothing. */
static void on_token(void *user, const struct token_result *result)
{
  struct page_call *p = user;
  MAGIC_CHECK(p, PAGE_CALL_MAGIC);
  if (result->error.code == ERR_OK) {
    connect_ask_figures(p->service->options.connect, p->session, result->access_token, finished, p);
    return;
  }
  log_warn("a dealer was connected, but its first access token could not be obtained",
           LOG_S("dealer", p->facts.dealer), LOG_S("error", result->error.message));
  finished(p);
}

/* The consent is on disk; the dealer is taken into use before anybody hears of it. */
static enum err_code take_into_use(struct page_call *p, const char *dealer_id, struct err *e)
{
  const struct service_options *o = &p->service->options;
  bool applied = o->apply(o->apply_user);
  p->config = snapshot_current(o->config);
  const struct dealer *d = directory_by_id(p->config->directory, dealer_id);
  if (applied && d != NULL && d->connected)
    return ERR_OK;
  snapshot_unref(TAKE_PTR(p->config));
  return err_set(e, ERR_FAILED_PRECONDITION, "not_live",
                 "the consent is stored, but the configuration refuses dealer \"%s\" for now; the "
                 "log says why",
                 dealer_id);
}

void service_finish_consent(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const Analytics__Auth__V1__FinishConsentRequest *r = (const void *)request;
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  struct page_call *p = page_call_new(s, call, "connect_finish", "", r->session, r->client_address);
  const char *dealer_id = NULL;
  struct err e = {0};
  if (p == NULL)
    return;
  if (connect_finish(s->options.connect, r, config->directory, &dealer_id, rpc_call_arena(call),
                     &e) != ERR_OK ||
      take_into_use(p, dealer_id != NULL ? dealer_id : "", &e) != ERR_OK) {
    end(p, NULL, &e);
    return;
  }
  p->facts.dealer = dealer_id;
  const struct dealer *d = directory_by_id(p->config->directory, dealer_id);
  const struct token_key key = snapshot_token_key(p->config, d->account_id);
  tokens_get(s->options.tokens, key.account_id, key.credential, NULL,
             tokens_wait_id(s->options.tokens), on_token, p);
}
