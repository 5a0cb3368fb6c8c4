/* GetAccessTokens: tokens that are held, of several dealers. Each dealer goes through the steps of
 * GetAccessToken (target, token, revocation, audit line) by the same functions; one that any of
 * them fails has no token in the answer and no line here, and is asked for alone, which has both.
 */
#include "auth-svc/rpc/internal.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"

enum { DEALERS_MAX = 500 };

typedef Analytics__Auth__V1__GetAccessTokensRequest tokens_request;
typedef Analytics__Auth__V1__GetAccessTokenRequest token_request;
typedef Analytics__Auth__V1__GetAccessTokenResponse token_response;

/* What the answer points to. */
struct given {
  token_request request;
  struct token_call asked;
  struct token_result held; /* its token is NULL where none is given */
  char principal[PRINCIPAL_SIZE];
};

/* Gives the dealer's token, if it is held and may be given. */
static void give(struct given *g, token_response *out, const struct token_call *call)
{
  struct err e = {0};
  struct service *s = call->service;
  g->asked = *call;
  g->asked.request = &g->request;
  if (token_call_resolve(&g->asked, &e) != ERR_OK ||
      !tokens_try(s->options.tokens, g->asked.key.account_id, g->asked.key.credential, &g->held))
    return;
  if (token_call_check(&g->asked, &e) != ERR_OK ||
      service_audit(s, call->call, &g->asked.facts, &e) != ERR_OK) {
    secret_unref(TAKE_PTR(g->held.access_token));
    return;
  }
  metric_add(s->issued, 1, METRIC_LABELS(g->asked.facts.purpose, "ok"));
  token_call_answer(out, g->principal, &g->asked, &g->held);
}

static void reply(const struct token_call *call, const tokens_request *r)
{
  size_t n = r->n_dealer_refs;
  AUTO_FREE struct given *given = xcalloc(n, sizeof(*given));
  AUTO_FREE token_response *answers = xcalloc(n, sizeof(*answers));
  AUTO_FREE token_response **list = xcalloc(n, sizeof(*list));
  Analytics__Auth__V1__GetAccessTokensResponse response =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKENS_RESPONSE__INIT;
  for (size_t i = 0; i < n; i++) {
    struct given *g = &given[i];
    analytics__auth__v1__get_access_token_request__init(&g->request);
    g->request.target_case = ANALYTICS__AUTH__V1__GET_ACCESS_TOKEN_REQUEST__TARGET_DEALER_REF;
    g->request.dealer_ref = r->dealer_refs[i];
    g->request.purpose = r->purpose;
    analytics__auth__v1__get_access_token_response__init(&answers[i]);
    list[i] = &answers[i];
    give(g, &answers[i], call);
  }
  response.n_answers = n;
  response.answers = list;
  service_end_audited(call->call, &response.base);
  for (size_t i = 0; i < n; i++)
    secret_unref(given[i].held.access_token);
}

static enum err_code check_count(const tokens_request *r, struct err *e)
{
  if (r->n_dealer_refs > 0 && r->n_dealer_refs <= DEALERS_MAX)
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_dealer_refs",
                 "dealer_refs: expected 1 to %d, got %zu", DEALERS_MAX, r->n_dealer_refs);
}

void service_get_access_tokens(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  const tokens_request *r = (const tokens_request *)request;
  struct token_call t = {
      .service = service_of(user),
      .call = call,
      .facts = {.event = "get_access_token", .purpose = purpose_name(r->purpose)}};
  struct err e = {0};
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(t.service->options.config);
  t.config = config;
  if (token_call_open(&t, &e) == ERR_OK && check_count(r, &e) == ERR_OK) {
    reply(&t, r);
    return;
  }
  metric_add(t.service->issued, 1, METRIC_LABELS(t.facts.purpose, e.reason));
  service_end_call(t.service, call, &t.facts, NULL, &e);
}
