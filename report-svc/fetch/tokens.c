/* Tokens of the dealers that a fetch starts with, by one call to auth-svc. Those that it does not
 * give, and all when it fails, are asked for one by one (google/call_token.c), which waits and says
 * why. Only of the dealers that start at once: an answer of auth-svc is good for the moment. */
#include "analytics/auth/v1/auth.pb-c.h"
#include "report-svc/fetch/fetch.h"

enum { MOST_PER_CALL = 500 }; /* auth-svc's own bound */

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct fetch *f = user;
  const Analytics__Auth__V1__GetAccessTokensResponse *r = (const void *)message;
  for (size_t i = 0; i < r->n_answers && i < f->request->n_dealer_refs; i++)
    if (r->answers[i]->access_token[0] != '\0')
      f->dealers[i].token = token_new(r->answers[i]);
  return true;
}

static void on_done(void *user, const struct err *status)
{
  struct fetch *f = user;
  (void)status;
  fetch_pump(f, 0); /* f may be gone after this */
}

/* A cancel of the fetch's call cancels this one, too. */
static enum err_code ask(struct fetch *f, size_t n)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  Analytics__Auth__V1__GetAccessTokensRequest request =
      ANALYTICS__AUTH__V1__GET_ACCESS_TOKENS_REQUEST__INIT;
  struct err e = {0};
  request.dealer_refs = f->request->dealer_refs;
  request.n_dealer_refs = n;
  request.purpose = f->request->purpose;
  struct rpc_client_options options = {.timeout_ms = RPC_QUICK_ATTEMPT_MS, .parent = f->call};
  return rpc_client_start(NULL, google_options(f->service->google)->auth,
                          &analytics__auth__v1__auth_service__descriptor, "GetAccessTokens",
                          RPC_UNARY, &request.base, &options, &callbacks, f, &e);
}

void fetch_tokens_seek(struct fetch *f)
{
  size_t n = fetch_most_at_once(f);
  if (n > MOST_PER_CALL)
    n = MOST_PER_CALL;
  if (n > f->request->n_dealer_refs)
    n = f->request->n_dealer_refs;
  if (n == 1 || f->own || ask(f, n) != ERR_OK)
    fetch_pump(f, 0);
}
