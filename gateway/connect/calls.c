/* The steps behind the pages: one rpc each, and the answer. */
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "gateway/connect/internal.h"

/* Longer than auth-svc asks Google: two questions of AUTH_TOKEN_TIMEOUT_MS and the disk. */
enum { QUICK_MS = 10000, GOOGLE_MS = 45000 };

static struct page page_of(const struct visit *v)
{
  return (struct page){.words = v->words,
                       .base = v->connect->base,
                       .operator_name = v->connect->operator_name,
                       .privacy_url = v->connect->privacy_url,
                       .body = BUF_INIT(PAGE_MAX)};
}

/* --------------------------------------------------------------------------- errors */

/* How an error of auth-svc is answered; `again`: the session goes on, so a new try needs no link.
 */
static const struct {
  const char *reason;
  int status;
  bool again;
} failures[] = {
    {"invite_over", 410, false},    {"session_over", 410, false},
    {"interrupted", 409, true},     {"wrong_browser", 403, false},
    {"wrong_issuer", 403, true},    {"declined", 403, true},
    {"admin_policy", 403, true},    {"scope_missing", 403, true},
    {"no_analytics", 403, true},    {"google_refused", 502, true},
    {"bad_id_token", 502, true},    {"no_refresh_token", 502, true},
    {"google_slow", 503, true},     {"state_unwritable", 503, false},
    {"state_full", 503, false},     {"state_unavailable", 503, true},
    {"property_taken", 409, false}, {"property_unknown", 400, false},
    {"dealer_taken", 409, false},   {"not_live", 503, false},
    {"too_many_tries", 429, false},
};

void visit_fail(struct visit *v, const char *reason, int status, bool again)
{
  struct page p = page_of(v);
  page_error(&p, reason, again && v->session[0] != '\0');
  v->answered = true;
  page_send(&p, v->exchange, status, v->connect->google);
}

static void fail_as(struct visit *v, const struct err *e)
{
  for (size_t i = 0; i < ARRAY_LEN(failures); i++)
    if (strcmp(failures[i].reason, e->reason) == 0) {
      visit_fail(v, e->reason, failures[i].status, failures[i].again);
      return;
    }
  if (strcmp(e->reason, "connect_off") == 0) {
    visit_fail(v, "not_found", 404, false);
    return;
  }
  log_warn("auth-svc did not complete a step of a consent", LOG_S("code", err_code_name(e->code)),
           LOG_S("reason", e->reason), LOG_S("detail", e->message));
  exchange_add_header(v->exchange, "Retry-After", "30");
  visit_fail(v, "unavailable", 503, false);
}

/* ---------------------------------------------------------------------------- calls */

static void on_done(void *user, const struct err *status)
{
  struct visit *v = user;
  MAGIC_CHECK(v, CONNECT_VISIT_MAGIC);
  if (status->code != ERR_OK && !v->answered)
    fail_as(v, status);
  exchange_unref(v->exchange); /* the visit may be gone with it */
}

static void ask(struct visit *v, const char *method, const ProtobufCMessage *request,
                bool (*on_message)(void *user, const ProtobufCMessage *message),
                uint32_t timeout_ms)
{
  const struct rpc_client_callbacks callbacks = {on_message, on_done};
  const struct rpc_client_options options = {.timeout_ms = timeout_ms};
  struct err e = {0};
  exchange_ref(v->exchange);
  if (rpc_client_start(NULL, v->connect->auth, &analytics__auth__v1__connect_service__descriptor,
                       method, RPC_UNARY, request, &options, &callbacks, v, &e) != ERR_OK)
    on_done(v, &e);
}

static char *client_of(const struct visit *v)
{
  const char *client = exchange_client(v->exchange);
  return borrow_text(client != NULL ? client : "");
}

static struct visit *visit_of(void *user)
{
  struct visit *v = user;
  MAGIC_CHECK(v, CONNECT_VISIT_MAGIC);
  v->answered = true;
  return v;
}

/* ---------------------------------------------------------------------------- invite */

static bool on_invite(void *user, const ProtobufCMessage *message)
{
  struct visit *v = visit_of(user);
  const Analytics__Auth__V1__ShowInviteResponse *r = (const void *)message;
  struct page p = page_of(v);
  page_invite(&p, r, v->fields.invite);
  page_send(&p, v->exchange, 200, v->connect->google);
  return true;
}

void visit_invite(struct visit *v)
{
  Analytics__Auth__V1__ShowInviteRequest request = ANALYTICS__AUTH__V1__SHOW_INVITE_REQUEST__INIT;
  request.token = v->fields.invite;
  request.client_address = client_of(v);
  ask(v, "ShowInvite", &request.base, on_invite, QUICK_MS);
}

/* ----------------------------------------------------------------------------- start */

/* The prefix binds the cookie to this host over TLS; Lax, because it must come back with Google's
 * redirect. The language goes with the session. */
static bool on_started(void *user, const ProtobufCMessage *message)
{
  struct visit *v = visit_of(user);
  const Analytics__Auth__V1__StartConsentResponse *r = (const void *)message;
  char cookie[CONNECT_SESSION_MAX + 128];
  snprintf(cookie, sizeof(cookie),
           "__Host-connect=%.43s.%s; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax",
           r->session, v->words->language);
  page_redirect(v->exchange, r->authorization_url, cookie, v->connect->google);
  mem_wipe(cookie, sizeof(cookie));
  return true;
}

static void start(struct visit *v, char *token, char *session)
{
  Analytics__Auth__V1__StartConsentRequest request =
      ANALYTICS__AUTH__V1__START_CONSENT_REQUEST__INIT;
  request.token = token;
  request.session = session;
  request.language = borrow_text(v->words->language);
  request.client_address = client_of(v);
  ask(v, "StartConsent", &request.base, on_started, QUICK_MS);
}

void visit_start(struct visit *v)
{
  start(v, v->fields.invite, borrow_text(""));
}

void visit_again(struct visit *v)
{
  if (v->session[0] == '\0')
    visit_fail(v, "session_over", 410, false);
  else
    start(v, borrow_text(""), v->session);
}

/* -------------------------------------------------------------------------- callback */

static bool to_consent(void *user, const ProtobufCMessage *message)
{
  struct visit *v = visit_of(user);
  AUTO_FREE char *location = xasprintf("%s/consent", v->connect->url);
  (void)message;
  page_redirect(v->exchange, location, NULL, NULL);
  return true;
}

void visit_callback(struct visit *v)
{
  Analytics__Auth__V1__ReceiveConsentRequest request =
      ANALYTICS__AUTH__V1__RECEIVE_CONSENT_REQUEST__INIT;
  request.session = v->session;
  request.state = v->fields.state;
  request.code = v->fields.code;
  request.error = v->fields.error;
  request.issuer = v->fields.iss;
  request.client_address = client_of(v);
  ask(v, "ReceiveConsent", &request.base, to_consent, GOOGLE_MS);
}

/* --------------------------------------------------------------------------- consent */

static bool on_consent(void *user, const ProtobufCMessage *message)
{
  struct visit *v = visit_of(user);
  const Analytics__Auth__V1__ShowConsentResponse *r = (const void *)message;
  struct page p = page_of(v);
  page_consent(&p, r);
  page_send(&p, v->exchange, 200, v->connect->google);
  return true;
}

void visit_consent(struct visit *v)
{
  Analytics__Auth__V1__ShowConsentRequest request = ANALYTICS__AUTH__V1__SHOW_CONSENT_REQUEST__INIT;
  request.session = v->session;
  request.client_address = client_of(v);
  ask(v, "ShowConsent", &request.base, on_consent, QUICK_MS);
}

void visit_finish(struct visit *v)
{
  Analytics__Auth__V1__FinishConsentRequest request =
      ANALYTICS__AUTH__V1__FINISH_CONSENT_REQUEST__INIT;
  request.session = v->session;
  request.property_id = v->fields.property;
  request.client_address = client_of(v);
  ask(v, "FinishConsent", &request.base, to_consent, GOOGLE_MS);
}
