/* Questions in a session (2025-06-18, Elicitation): a request to the client as an event of the
 * call's stream; the answer is a message that the client posts by itself, with the request's id.
 *
 * While a call waits it stays one of its session's, so that its cancellation, the end of the
 * session and the client's leaving end it as ever; it keeps its turn too, for a bounded time.
 * Whoever sets `waiting` back (the answer, the clock, or the end of the call) gets the reference
 * that went with it. An answer that reaches another process finds nothing there, and the clock ends
 * the wait. */
#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/base/random.h"
#include "gateway/mcp/internal.h"

static void put_request(struct buf *out, const char *id, const struct buf *params)
{
  buf_printf(out, "{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"method\":\"elicitation/create\",", id);
  buf_puts(out, "\"params\":");
  buf_append(out, buf_str(params), params->len);
  buf_putc(out, '}');
}

static void make_id(char id[MCP_ASK_ID])
{
  uint8_t bytes[8];
  char hex[2 * sizeof(bytes) + 1];
  random_fill(bytes, sizeof(bytes));
  hex_write(hex, bytes, sizeof(bytes));
  snprintf(id, MCP_ASK_ID, "ask-%s", hex);
}

void mcp_elicit(struct mcp_call *call, const char *key, const struct buf *params)
{
  struct mcp_exchange *x = call->exchange;
  struct mcp_server *s = x->server;
  struct buf json AUTO_BUF = BUF_INIT(300 * 1024);
  char id[MCP_ASK_ID];
  make_id(id);
  put_request(&json, id, params);
  mcp_exchange_start_stream(x);
  pthread_mutex_lock(&x->lock);
  if (!call->settled && !x->finished) {
    mcp_call_ref(call);
    call->waiting = true;
    call->on_cancel = NULL; /* the host's work on this run is over */
    free(call->ask_key);
    call->ask_key = xstrdup(key);
    mcp_session_ask(s->sessions, call, id);
    mcp_server_asked(s, x, s->now_ms());
    x->sink.stream_event(x->sink_arg, buf_str(&json), json.len);
  }
  pthread_mutex_unlock(&x->lock);
}

/* Ends the wait of a call; false when something else has ended it. Then the reference that went
 * with the wait is the caller's. */
static bool claim(struct mcp_call *call)
{
  struct mcp_exchange *x = call->exchange;
  pthread_mutex_lock(&x->lock);
  bool waited = call->waiting;
  call->waiting = false;
  if (waited) {
    mcp_session_ask(x->server->sessions, call, "");
    mcp_server_asked(x->server, x, 0);
  }
  pthread_mutex_unlock(&x->lock);
  return waited;
}

/* The host gets the call as it got it first, with the answers. Takes the reference. */
static void run_again(struct mcp_call *call)
{
  cJSON_Delete(call->arguments);
  call->arguments = cJSON_Duplicate(call->as_they_came, true);
  mcp_call_run(call);
}

/* An error in place of a result: the client could not ask. That is an answer as well. */
static cJSON *answer_of(const cJSON *response)
{
  const cJSON *result = cJSON_GetObjectItemCaseSensitive(response, "result");
  if (cJSON_IsObject(result))
    return cJSON_Duplicate(result, true);
  cJSON *answer = cJSON_CreateObject();
  cJSON_AddStringToObject(answer, "action", "cancel");
  return answer;
}

void mcp_elicit_response(struct mcp_server *s, struct mcp_session *session, const cJSON *response)
{
  const char *id = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(response, "id"));
  struct mcp_call *call =
      session != NULL && id != NULL ? mcp_session_find_asking(s->sessions, session, id) : NULL;
  if (call == NULL)
    return;
  if (claim(call)) {
    mcp_question_add_answer(call, call->ask_key, answer_of(response));
    run_again(call);
  }
  mcp_call_unref(call);
}

/* The call of an exchange that waits, with a reference; NULL: none does. */
static struct mcp_call *waiting_call(struct mcp_exchange *x)
{
  pthread_mutex_lock(&x->lock);
  struct mcp_call *call = x->calls != NULL && x->calls->waiting ? x->calls : NULL;
  if (call != NULL)
    mcp_call_ref(call);
  pthread_mutex_unlock(&x->lock);
  return call;
}

void mcp_elicit_overdue(struct mcp_server *s)
{
  struct mcp_exchange *x;
  while ((x = mcp_server_next_overdue(s, s->now_ms() - s->options.ask_ms)) != NULL) {
    struct mcp_call *call = waiting_call(x);
    if (call != NULL && claim(call)) {
      call->may_ask = false;
      run_again(call);
    }
    if (call != NULL)
      mcp_call_unref(call);
    mcp_exchange_unref(x);
  }
}
