/* tools/call, and what the host of the tools does with a call. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/mcp/content.h"
#include "gateway/mcp/internal.h"

/* ------------------------------------------------------------------- call */

static const struct mcp_tool *find_tool(const struct mcp_server *s, const char *name)
{
  const struct mcp_tool_host *host = &s->options.tools;
  for (size_t i = 0; i < host->n_tools; i++) {
    if (strcmp(host->tools[i].name, name) == 0)
      return &host->tools[i];
  }
  return NULL;
}

const struct mcp_tool *mcp_server_tool(const struct mcp_server *s, const char *name,
                                       const struct mcp_principal *principal)
{
  const struct mcp_tool *tool = find_tool(s, name);
  return tool == NULL || principal->is_operator || !tool->operators_only ? tool : NULL;
}

static bool refuse(struct mcp_call *call, const char *message)
{
  mcp_call_error(call, JSONRPC_INVALID_PARAMS, message, NULL);
  return false;
}

static bool read_name(struct mcp_call *call)
{
  const cJSON *name = cJSON_GetObjectItemCaseSensitive(call->params, "name");
  if (!cJSON_IsString(name))
    return refuse(call, "params.name must be a string, the name of a tool");
  call->tool =
      mcp_server_tool(call->exchange->server, name->valuestring, call->exchange->principal);
  if (call->tool != NULL)
    return true;
  char text[160];
  snprintf(text, sizeof(text), "Unknown tool: %.80s (tools/list names the tools)",
           name->valuestring);
  /* A cut may fall inside a character. */
  return refuse(call, utf8_valid(text, strlen(text)) ? text : "Unknown tool");
}

/* The object that a text of JSON holds, an empty one for a blank text; NULL for other texts. */
static cJSON *object_in_text(const char *text)
{
  cJSON *object = NULL;
  const char *from = text + strspn(text, " \t\r\n");
  if (*from == '\0')
    return cJSON_CreateObject();
  if (json_parse(&object, from, strlen(from), NULL, NULL) != ERR_OK)
    return NULL;
  if (cJSON_IsObject(object))
    return object;
  cJSON_Delete(object);
  return NULL;
}

/* Absent and null arguments are an empty object, and a text of JSON is the object it holds: clients
 * send all of them. */
bool mcp_read_arguments(struct mcp_call *call)
{
  cJSON *params = call->exchange->body;
  if (cJSON_IsArray(params)) {
    /* Find our own element again: a batch's elements are not const. */
    cJSON *element;
    cJSON_ArrayForEach(element, params)
    {
      if (cJSON_GetObjectItemCaseSensitive(element, "id") == call->id)
        break;
    }
    params = element;
  }
  params = cJSON_GetObjectItemCaseSensitive(params, "params");
  const cJSON *arguments = cJSON_GetObjectItemCaseSensitive(params, "arguments");
  cJSON *in_text = cJSON_IsString(arguments) ? object_in_text(arguments->valuestring) : NULL;
  if (arguments != NULL && in_text == NULL && !cJSON_IsObject(arguments) &&
      !cJSON_IsNull(arguments))
    return refuse(call, "params.arguments must be an object");
  if (in_text != NULL)
    call->arguments = in_text;
  else if (cJSON_IsObject(arguments))
    call->arguments = cJSON_DetachItemFromObjectCaseSensitive(params, "arguments");
  else
    call->arguments = cJSON_CreateObject();
  if (call->may_ask && call->session != NULL)
    call->as_they_came = cJSON_Duplicate(call->arguments, true);
  return call->arguments != NULL || refuse(call, "params.arguments cannot be read");
}

static bool read_progress_token(struct mcp_call *call)
{
  const cJSON *meta = cJSON_GetObjectItemCaseSensitive(call->params, "_meta");
  const cJSON *token = cJSON_GetObjectItemCaseSensitive(meta, "progressToken");
  if (cJSON_IsNull(token))
    token = NULL;
  if (token != NULL && !jsonrpc_id_valid(token))
    return refuse(call, "params._meta.progressToken must be a string or a whole number");
  call->progress_token = token;
  call->last_progress = -1e300;
  return true;
}

bool mcp_tools_attach(struct mcp_call *call)
{
  struct mcp_server *s = call->exchange->server;
  if (call->session == NULL) /* who leaves cancels it; nobody else can name it */
    return true;
  /* Set before the call can be found by another thread. */
  call->attached = true;
  switch (mcp_session_attach(s->sessions, call->session, call, s->options.max_calls_per_session)) {
  case MCP_ATTACHED:
    return true;
  case MCP_ATTACH_DUPLICATE:
    call->attached = false;
    mcp_call_error(call, JSONRPC_INVALID_REQUEST,
                   "A request with this id is under way: ids must be unique in a session", NULL);
    return false;
  case MCP_ATTACH_TOO_MANY:
    break;
  }
  call->attached = false;
  static const char text[] =
      "Too many calls are under way in this session: wait for one to end, then try again.";
  mcp_call_finish(call, &(struct mcp_tool_result){
                            .is_error = true, .text = text, .text_len = sizeof(text) - 1});
  return false;
}

/* A stream at once when progress is wanted, later when the call takes long. */
static void open_exchange(struct mcp_call *call)
{
  struct mcp_exchange *x = call->exchange;
  if (call->progress_token != NULL && x->accepts_sse)
    mcp_exchange_start_stream(x);
  mcp_exchange_keep_open(x);
}

void mcp_call_run(struct mcp_call *call)
{
  struct mcp_server *s = call->exchange->server;
  const struct mcp_tool_host *host = &s->options.tools;
  /* It was listed before, so that one that comes later than the end of the server sees it. */
  if (atomic_load(&s->restarting)) {
    mcp_call_restarting(call);
    mcp_call_unref(call);
  } else if (call->prompt != NULL) {
    host->prompt(host->host, call->prompt, call);
  } else {
    host->call(host->host, call->tool, call);
  }
}

/* It is the call's turn. */
static void run_call(struct share_turn *turn)
{
  mcp_call_run(CONTAINER_OF(turn, struct mcp_call, turn));
}

/* A result, which the model reads, rather than an error, which the host may hide from it. */
static void refuse_share(struct mcp_call *call, enum share_cause cause, int64_t retry_ms)
{
  char text[160];
  int len = snprintf(text, sizeof(text), "%s: try again in %lld seconds.", share_cause_text(cause),
                     (long long)(retry_ms + 999) / 1000);
  mcp_call_finish(call, &(struct mcp_tool_result){.is_error = true,
                                                  .code = ERR_RESOURCE_EXHAUSTED,
                                                  .retry_ms = retry_ms,
                                                  .text = text,
                                                  .text_len = (size_t)len});
}

static void take_turn(struct mcp_call *call)
{
  int64_t retry_ms = 0;
  mcp_call_ref(call); /* run_call()'s */
  enum share_kind kind = call->tool->long_running ? SHARE_LONG : SHARE_SHORT;
  enum share_cause cause =
      share_call_begin(call->exchange->principal->share, &call->turn, kind, run_call, &retry_ms);
  if (cause == SHARE_GRANTED) {
    mcp_call_admitted(call);
  } else {
    refuse_share(call, cause, retry_ms);
    mcp_call_unref(call);
  }
}

static bool may_run(const struct mcp_call *call)
{
  const struct mcp_principal *p = call->exchange->principal;
  return call->tool->scopes == NULL || p->has_scopes == NULL ||
         p->has_scopes(p, call->tool->scopes);
}

void mcp_tools_run(struct mcp_call *call)
{
  if (may_run(call)) {
    open_exchange(call);
    take_turn(call);
  } else {
    mcp_call_forbid(call, call->tool->scopes);
  }
}

unsigned mcp_tool_lacks(const struct mcp_server *s, const cJSON *params, unsigned can)
{
  const char *name = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(params, "name"));
  const struct mcp_tool *tool = name != NULL ? find_tool(s, name) : NULL;
  return tool != NULL ? tool->needs & ~can : 0;
}

/* Of a session: a request of its own era was refused before. */
static bool check_needs(struct mcp_call *call)
{
  static const char text[] = "This tool needs what your client did not declare when it connected: "
                             "see the tool's description.";
  if ((call->tool->needs & ~call->can) == 0)
    return true;
  mcp_call_finish(call, &(struct mcp_tool_result){
                            .is_error = true, .text = text, .text_len = sizeof(text) - 1});
  return false;
}

void mcp_tools_call(struct mcp_call *call)
{
  if (read_name(call) && check_needs(call) &&
      mcp_question_begin(call, call->tool->asks_without_state) && mcp_read_arguments(call) &&
      read_progress_token(call) && mcp_tools_attach(call))
    mcp_tools_run(call);
  mcp_call_unref(call);
}

/* ----------------------------------------------------------- for the host */

cJSON *mcp_call_arguments(struct mcp_call *call)
{
  return call->arguments;
}

cJSON *mcp_call_take_arguments(struct mcp_call *call)
{
  return TAKE_PTR(call->arguments);
}

const struct mcp_principal *mcp_call_principal(const struct mcp_call *call)
{
  return call->exchange->principal;
}

void mcp_call_trace(const struct mcp_call *call, struct trace_context *out)
{
  const cJSON *meta = cJSON_GetObjectItemCaseSensitive(call->params, "_meta");
  const char *parent =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(meta, TRACE_HEADER_PARENT));
  const char *state =
      cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(meta, TRACE_HEADER_STATE));
  if (!trace_context_read(out, parent, state))
    trace_context_copy(out, &call->exchange->trace);
}

const struct trace_context *mcp_call_request_trace(const struct mcp_call *call)
{
  return &call->exchange->trace;
}

void mcp_call_on_cancel(struct mcp_call *call, void (*fn)(void *arg), void *arg)
{
  pthread_mutex_lock(&call->exchange->lock);
  if (call->cancelled) {
    fn(arg);
  } else if (!call->settled) {
    call->on_cancel = fn;
    call->on_cancel_arg = arg;
  }
  pthread_mutex_unlock(&call->exchange->lock);
}

static void put_progress(struct buf *out, const struct mcp_call *call, double progress,
                         double total, const char *message)
{
  buf_puts(out, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":"
                "{\"progressToken\":");
  jsonrpc_put_id(out, call->progress_token);
  buf_printf(out, ",\"progress\":%.15g", progress);
  if (total > 0)
    buf_printf(out, ",\"total\":%.15g", total);
  /* The message came with 2025-03-26. */
  if (message != NULL && message[0] != '\0' && call->version >= MCP_2025_03_26) {
    buf_puts(out, ",\"message\":");
    buf_put_json_string(out, message, strlen(message));
  }
  buf_puts(out, "}}");
}

void mcp_call_progress(struct mcp_call *call, double progress, double total, const char *message)
{
  if (call->progress_token == NULL || !(progress > -1e300 && progress < 1e300))
    return;
  struct mcp_exchange *x = call->exchange;
  struct buf json AUTO_BUF = BUF_INIT(16384);
  put_progress(&json, call, progress, total, message);
  pthread_mutex_lock(&x->lock);
  if (!x->finished && x->streaming && !call->settled && !json.failed &&
      progress > call->last_progress) {
    call->last_progress = progress;
    x->sink.stream_event(x->sink_arg, buf_str(&json), json.len);
  }
  pthread_mutex_unlock(&x->lock);
}

static void put_result(struct buf *out, const struct mcp_call *call,
                       const struct mcp_tool_result *r)
{
  const char *before = "";
  buf_puts(out, "{\"content\":[");
  if (r->text != NULL) {
    buf_puts(out, "{\"type\":\"text\",\"text\":");
    buf_put_json_string(out, r->text, r->text_len);
    buf_putc(out, '}');
    before = ",";
  }
  for (size_t i = 0; i < r->n_parts; i++) {
    buf_puts(out, before);
    mcp_content_put(out, &r->parts[i], call->version);
    before = ",";
  }
  buf_putc(out, ']');
  if (r->structured != NULL && call->version >= MCP_2025_06_18) {
    buf_puts(out, ",\"structuredContent\":");
    buf_append(out, r->structured, r->structured_len);
  }
  buf_printf(out, ",\"isError\":%s}", r->is_error ? "true" : "false");
}

static struct mcp_tool_result too_large(char *text, size_t size, size_t len)
{
  snprintf(text, size,
           "The answer is too large to deliver (%.1f MB of text; the whole message may have "
           "%.1f MB). Ask for fewer rows or columns, for example with a smaller limit.",
           (double)len / 1e6, MCP_MAX_ANSWER / 1e6);
  return (struct mcp_tool_result){.is_error = true, .text = text, .text_len = strlen(text)};
}

void mcp_call_finish(struct mcp_call *call, const struct mcp_tool_result *result)
{
  MAGIC_CHECK(call, MCP_CALL_MAGIC);
  if (mcp_call_is_direct(call)) {
    mcp_call_settle_direct(call, result);
    return;
  }
  if (call->completion != NULL) {
    mcp_completion_finish(call, result);
    return;
  }
  if (call->prompt != NULL) {
    mcp_call_error(call, JSONRPC_INTERNAL_ERROR, result->text, NULL);
    return;
  }
  if (call->resource != NULL) {
    mcp_resource_finish(call, result);
    return;
  }
  /* Room for the JSON-RPC frame around the result. */
  struct buf json AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER - 2 * JSONRPC_MAX_ID * 6);
  struct mcp_tool_result r = *result;
  char text[256];
  buf_expect(&json, r.text_len + r.text_len / 8 + r.structured_len + JSONRPC_FRAME);
  put_result(&json, call, &r);
  if (json.failed) {
    buf_clear(&json);
    r = too_large(text, sizeof(text), result->text_len);
    put_result(&json, call, &r);
  }
  mcp_call_settle_tool(call, &json, r.is_error);
}
