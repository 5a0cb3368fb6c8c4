/* One posted body and its one answer: JSON, a batch of JSON, or an event stream. */
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "gateway/mcp/call.h"
#include "gateway/mcp/internal.h"
#include "gateway/mcp/result.h"
#include "gateway/mcp/stream.h"

struct mcp_exchange *mcp_exchange_new(struct mcp_server *s, const struct mcp_post *post,
                                      const struct mcp_sink *sink, void *sink_arg)
{
  struct mcp_exchange *x = xcalloc(1, sizeof(*x));
  x->magic = MCP_EXCHANGE_MAGIC;
  atomic_init(&x->refs, 1);
  pthread_mutex_init(&x->lock, NULL);
  x->server = s;
  x->principal = post->principal;
  x->principal->ref(x->principal);
  trace_context_copy(&x->trace, post->trace);
  x->accepts_json = post->accepts_json;
  x->accepts_sse = post->accepts_sse;
  x->started_ms = s->now_ms();
  x->version = MCP_LEGACY_NEWEST;
  x->sink = *sink;
  x->sink_arg = sink_arg;
  x->parts = BUF_INIT(MCP_MAX_ANSWER);
  return x;
}

void mcp_exchange_ref(struct mcp_exchange *x)
{
  atomic_fetch_add(&x->refs, 1);
}

void mcp_exchange_unref(struct mcp_exchange *x)
{
  if (x == NULL)
    return;
  MAGIC_CHECK(x, MCP_EXCHANGE_MAGIC);
  if (atomic_fetch_sub(&x->refs, 1) != 1)
    return;
  x->principal->unref(x->principal);
  cJSON_Delete(x->body);
  buf_free(&x->parts);
  pthread_mutex_destroy(&x->lock);
  x->magic = 0;
  free(x);
}

/* The answer is complete or nobody wants it: the sink is not touched again. */
static void finish_locked(struct mcp_exchange *x)
{
  x->finished = true;
  mcp_server_unlist(x->server, x);
  x->sink.release(x->sink_arg);
}

/* Takes the memory of json. */
static void reply_locked(struct mcp_exchange *x, int status, const char *session_id,
                         struct buf *json)
{
  if (x->accepts_json || json->len == 0) {
    x->sink.reply(x->sink_arg, status, session_id, json);
  } else {
    x->sink.stream_start(x->sink_arg, session_id);
    x->sink.stream_event(x->sink_arg, buf_str(json), json->len);
    x->sink.stream_end(x->sink_arg);
  }
  finish_locked(x);
}

void mcp_exchange_refuse(struct mcp_exchange *x, int status, int code, const char *message,
                         const cJSON *id, const char *data)
{
  struct buf body AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER);
  if (code != 0)
    jsonrpc_put_error(&body, id, code, message, data);
  pthread_mutex_lock(&x->lock);
  if (!x->finished) {
    /* A refusal has a status of its own, so it cannot be an event. */
    x->sink.reply(x->sink_arg, status, NULL, &body);
    finish_locked(x);
  }
  pthread_mutex_unlock(&x->lock);
}

void mcp_exchange_start_stream(struct mcp_exchange *x)
{
  pthread_mutex_lock(&x->lock);
  if (!x->finished && !x->streaming && !x->batch && x->accepts_sse) {
    x->sink.stream_start(x->sink_arg, NULL);
    x->streaming = true;
  }
  pthread_mutex_unlock(&x->lock);
}

void mcp_exchange_keep_open(struct mcp_exchange *x)
{
  /* Under the lock: a cancellation on another thread may have finished it already. */
  pthread_mutex_lock(&x->lock);
  if (!x->finished)
    mcp_server_list(x->server, x, !x->streaming && !x->batch && x->accepts_sse);
  pthread_mutex_unlock(&x->lock);
}

/* Adds a response to a batch; the last one sends it. */
static void add_part_locked(struct mcp_exchange *x, struct buf *json)
{
  if (json->len > 0) {
    buf_putc(&x->parts, x->parts.len == 0 ? '[' : ',');
    buf_append(&x->parts, buf_str(json), json->len);
  }
  if (x->pending > 0)
    return;
  if (x->parts.failed) {
    buf_clear(&x->parts);
    jsonrpc_put_error(&x->parts, NULL, JSONRPC_INTERNAL_ERROR,
                      "The answers to this batch are too large together: send them one by one",
                      NULL);
    x->sink.reply(x->sink_arg, 500, NULL, &x->parts);
    finish_locked(x);
    return;
  }
  if (x->parts.len > 0)
    buf_putc(&x->parts, ']');
  reply_locked(x, x->parts.len > 0 ? 200 : 202, NULL, &x->parts);
}

/* What a call is settled with: JSON text (empty for none), or the result of a direct call. */
struct response {
  const char *session_id;
  struct buf *json;
  const struct mcp_tool_result *direct;
  const char *scopes; /* that the principal lacks; NULL: another answer */
};

static void direct_done_locked(struct mcp_exchange *x, const struct mcp_tool_result *result)
{
  if (result != NULL)
    x->sink.result(x->sink_arg, result);
  finish_locked(x);
}

static void forbid_locked(struct mcp_exchange *x, const struct response *r)
{
  if (x->sink.forbid != NULL)
    x->sink.forbid(x->sink_arg, r->scopes, r->json);
  else
    x->sink.reply(x->sink_arg, 403, NULL, r->json);
  finish_locked(x);
}

/* One response is there (or, with an empty buffer, will never be). */
static void part_done_locked(struct mcp_exchange *x, const struct response *r)
{
  const char *session_id = r->session_id;
  struct buf *json = r->json;
  x->pending--;
  if (x->finished)
    return;
  if (x->sink.result != NULL) {
    direct_done_locked(x, r->direct);
  } else if (x->batch) {
    add_part_locked(x, json);
  } else if (r->scopes != NULL && !x->streaming) {
    forbid_locked(x, r);
  } else if (x->streaming) {
    if (json->len > 0)
      x->sink.stream_event(x->sink_arg, buf_str(json), json->len);
    x->sink.stream_end(x->sink_arg);
    finish_locked(x);
  } else {
    reply_locked(x, json->len > 0 ? 200 : 202, session_id, json);
  }
}

struct mcp_call *mcp_call_new(struct mcp_exchange *x, const struct jsonrpc_message *m,
                              struct mcp_session *session)
{
  struct mcp_call *call = xcalloc(1, sizeof(*call));
  call->magic = MCP_CALL_MAGIC;
  atomic_init(&call->refs, 2); /* the caller's, and one until the call is settled */
  mcp_exchange_ref(x);
  call->exchange = x;
  call->id = m->id;
  call->params = m->params;
  mcp_session_ref(x->server->sessions, session);
  call->session = session;
  call->version = x->version;
  call->can = session != NULL ? session->can : 0;
  call->level = mcp_session_level(x->server->sessions, session);
  call->started_ns = clock_mono_ns();
  pthread_mutex_lock(&x->lock);
  call->next_in_exchange = x->calls;
  x->calls = call;
  pthread_mutex_unlock(&x->lock);
  return call;
}

void mcp_call_dispatch(struct mcp_call *call, const char *method)
{
  call->method = mcp_method_find(&call->exchange->server->options.tools,
                                 mcp_version_era(call->version), method);
  if (call->method != NULL) {
    call->method->handle(call);
    return;
  }
  mcp_call_error(call, JSONRPC_METHOD_NOT_FOUND, "Method not found", NULL);
  mcp_call_unref(call);
}

const char *mcp_call_label(const struct mcp_call *call)
{
  if (call->method != NULL)
    return call->method->name;
  return mcp_call_is_direct(call) ? "direct" : call->id == NULL ? "get" : "other";
}

void mcp_call_ref(struct mcp_call *call)
{
  MAGIC_CHECK(call, MCP_CALL_MAGIC);
  atomic_fetch_add(&call->refs, 1);
}

static void call_drop(struct mcp_call *call)
{
  if (atomic_fetch_sub(&call->refs, 1) != 1)
    return;
  cJSON_Delete(call->arguments);
  cJSON_Delete(call->as_they_came);
  cJSON_Delete(call->answers);
  free(call->ask_key);
  mcp_session_release(call->exchange->server->sessions, call->session);
  mcp_exchange_unref(call->exchange);
  call->magic = 0;
  free(call);
}

static bool is_settled(struct mcp_call *call)
{
  pthread_mutex_lock(&call->exchange->lock);
  bool settled = call->settled;
  pthread_mutex_unlock(&call->exchange->lock);
  return settled;
}

void mcp_call_unref(struct mcp_call *call)
{
  MAGIC_CHECK(call, MCP_CALL_MAGIC);
  /* A host that lets go without an end: the client must not wait for ever. */
  if (atomic_load(&call->refs) == 2 && !is_settled(call))
    mcp_call_error(call, JSONRPC_INTERNAL_ERROR, "The tool ended without an answer", NULL);
  call_drop(call);
}

static void unlink_call_locked(struct mcp_exchange *x, struct mcp_call *call)
{
  struct mcp_call **p = &x->calls;
  while (*p != call)
    p = &(*p)->next_in_exchange;
  *p = call->next_in_exchange;
}

/* Gives the place of a call to the next one. The call may be one that never ran. */
static void end_turn(struct mcp_call *call)
{
  if (share_call_end(&call->turn))
    mcp_call_unref(call); /* the reference of its turn */
}

void mcp_call_admitted(struct mcp_call *call)
{
  pthread_mutex_lock(&call->exchange->lock);
  call->admitted = true;
  bool settled = call->settled;
  pthread_mutex_unlock(&call->exchange->lock);
  if (settled)
    end_turn(call);
}

/* Settles a call with its response. False when it was settled already. The lock is not held. */
static bool settle(struct mcp_call *call, const struct response *response, bool cancel)
{
  struct mcp_exchange *x = call->exchange;
  pthread_mutex_lock(&x->lock);
  bool first = !call->settled, admitted = call->admitted, stream = false, waited = false;
  if (first) {
    stream = mcp_stream_remove(call);
    waited = call->waiting;
    call->waiting = false;
    call->settled = true;
    call->cancelled = cancel;
    if (cancel && call->on_cancel != NULL)
      call->on_cancel(call->on_cancel_arg);
    call->on_cancel = NULL;
    unlink_call_locked(x, call);
    /* Before the answer is out: a client may use the id again as soon as it has read it. */
    if (call->attached)
      mcp_session_detach(x->server->sessions, call->session, call);
    part_done_locked(x, response);
  }
  pthread_mutex_unlock(&x->lock);
  if (first && admitted)
    end_turn(call);
  if (stream)
    call_drop(call); /* the reference of the list */
  if (waited)
    call_drop(call); /* of the wait */
  if (first)
    call_drop(call);
  return first;
}

void mcp_call_result(struct mcp_call *call, const char *result, size_t len, const char *session_id)
{
  struct buf json AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER);
  mcp_result_put(&json, call, MCP_COMPLETE, result, len);
  if (json.failed) {
    mcp_call_error(call, JSONRPC_INTERNAL_ERROR, "The answer is too large", NULL);
    return;
  }
  if (settle(call, &(struct response){.session_id = session_id, .json = &json}, false))
    mcp_server_count(call->exchange->server, mcp_call_label(call), 0);
}

static void count_tool(struct mcp_call *call, bool is_error)
{
  mcp_server_count(call->exchange->server, mcp_call_label(call), 0);
  mcp_server_count_tool(call, is_error ? "error" : "ok");
}

void mcp_call_settle_tool(struct mcp_call *call, const struct buf *result, bool is_error)
{
  struct buf json AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER);
  buf_expect(&json, result->len + JSONRPC_FRAME);
  mcp_result_put(&json, call, MCP_COMPLETE, buf_str(result), result->len);
  if (settle(call, &(struct response){.json = &json}, false))
    count_tool(call, is_error);
}

void mcp_call_settle_question(struct mcp_call *call, const struct buf *result)
{
  struct buf json AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER);
  mcp_result_put(&json, call, MCP_INPUT_REQUIRED, buf_str(result), result->len);
  if (settle(call, &(struct response){.json = &json}, false)) {
    mcp_server_count(call->exchange->server, mcp_call_label(call), 0);
    if (call->tool != NULL)
      mcp_server_count_tool(call, "question");
  }
}

bool mcp_call_is_direct(const struct mcp_call *call)
{
  return call->exchange->sink.result != NULL;
}

void mcp_call_settle_direct(struct mcp_call *call, const struct mcp_tool_result *result)
{
  struct buf none AUTO_BUF = BUF_INIT(1);
  if (settle(call, &(struct response){.json = &none, .direct = result}, false))
    count_tool(call, result->is_error);
}

/* Settles a call with an error of the protocol. */
static void settle_error(struct mcp_call *call, int code, const char *message, const char *data,
                         bool cancel)
{
  struct buf json AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER);
  jsonrpc_put_error(&json, call->id, code, message, data);
  const struct mcp_tool_result direct = {
      .is_error = true,
      .code = code == MCP_SERVER_ERROR ? ERR_UNAVAILABLE : ERR_INTERNAL,
      .text = message,
      .text_len = strlen(message),
  };
  if (settle(call, &(struct response){.json = &json, .direct = &direct}, cancel))
    mcp_server_count(call->exchange->server, mcp_call_label(call), code);
}

void mcp_call_error(struct mcp_call *call, int code, const char *message, const char *data)
{
  settle_error(call, code, message, data, false);
}

/* As RFC 6750, 3.1, has it: whoever can, comes again with a token that has them all. In a batch it
 * is an error like any other. */
void mcp_call_forbid(struct mcp_call *call, const char *scopes)
{
  struct buf json AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER);
  AUTO_FREE char *text = xasprintf("The access token lacks a scope that this needs: %s", scopes);
  jsonrpc_put_error(&json, call->id, JSONRPC_INVALID_REQUEST, text, NULL);
  const struct mcp_tool_result direct = {.is_error = true,
                                         .code = ERR_PERMISSION_DENIED,
                                         .scopes = scopes,
                                         .text = text,
                                         .text_len = strlen(text)};
  if (settle(call, &(struct response){.json = &json, .direct = &direct, .scopes = scopes}, false)) {
    mcp_server_count(call->exchange->server, mcp_call_label(call), JSONRPC_INVALID_REQUEST);
    mcp_server_count_tool(call, "forbidden");
  }
}

void mcp_call_restarting(struct mcp_call *call)
{
  settle_error(call, MCP_SERVER_ERROR, "The server is restarting: call again", NULL, true);
}

void mcp_call_cancel(struct mcp_call *call)
{
  struct buf none AUTO_BUF = BUF_INIT(1);
  if (settle(call, &(struct response){.json = &none}, true))
    mcp_server_cancelled(call);
}

/* Settles every call that is under way. The lock is held, and let go meanwhile. */
static void settle_all_locked(struct mcp_exchange *x, void (*end)(struct mcp_call *call))
{
  while (x->calls != NULL) {
    struct mcp_call *call = x->calls;
    mcp_call_ref(call);
    pthread_mutex_unlock(&x->lock);
    end(call);
    mcp_call_unref(call);
    pthread_mutex_lock(&x->lock);
  }
}

void mcp_exchange_restarting(struct mcp_exchange *x)
{
  pthread_mutex_lock(&x->lock);
  settle_all_locked(x, mcp_call_restarting);
  pthread_mutex_unlock(&x->lock);
}

void mcp_exchange_gone(struct mcp_exchange *x)
{
  MAGIC_CHECK(x, MCP_EXCHANGE_MAGIC);
  pthread_mutex_lock(&x->lock);
  if (!x->finished)
    finish_locked(x);
  settle_all_locked(x, mcp_call_cancel);
  pthread_mutex_unlock(&x->lock);
}
