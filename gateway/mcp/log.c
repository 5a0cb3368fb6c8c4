/* logging/setLevel and notifications/message. */
#include "gateway/mcp/log.h"

#include <string.h>

#include "common/base/mem.h"
#include "gateway/mcp/internal.h"

static const char *const names[MCP_LEVELS] = {"debug", "info",     "notice", "warning",
                                              "error", "critical", "alert",  "emergency"};

bool mcp_level_read(const cJSON *value, enum mcp_level *level)
{
  const char *text = cJSON_GetStringValue(value);
  for (int i = 0; text != NULL && i < MCP_LEVELS; i++) {
    if (strcmp(text, names[i]) == 0) {
      *level = (enum mcp_level)i;
      return true;
    }
  }
  return false;
}

static bool refuse(struct mcp_call *call, int code, const char *message)
{
  mcp_call_error(call, code, message, NULL);
  return false;
}

static bool set_level(struct mcp_call *call)
{
  enum mcp_level level;
  if (!mcp_level_read(cJSON_GetObjectItemCaseSensitive(call->params, "level"), &level))
    return refuse(call, JSONRPC_INVALID_PARAMS, "params.level must be one of " MCP_LEVEL_NAMES);
  if (call->session == NULL)
    return refuse(call, JSONRPC_INVALID_REQUEST, "A level is a session's: send initialize first");
  return mcp_session_set_level(call->exchange->server->sessions, call->session, level) ||
         refuse(call, JSONRPC_INTERNAL_ERROR,
                "Too many sessions have settings: end one of yours, or try again later");
}

void mcp_set_level(struct mcp_call *call)
{
  if (set_level(call))
    mcp_call_result(call, "{}", 2, NULL);
  mcp_call_unref(call);
}

void mcp_call_log(struct mcp_call *call, enum mcp_level level, const char *logger, const char *text)
{
  struct mcp_exchange *x = call->exchange;
  /* Batches and answers of plain JSON have no room for messages. */
  if (level < call->level || !x->server->options.tools.logs || x->batch || !x->accepts_sse)
    return;
  struct buf json AUTO_BUF = BUF_INIT(64 * 1024);
  buf_printf(
      &json,
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{\"level\":\"%s\"",
      names[level]);
  if (logger != NULL) {
    buf_puts(&json, ",\"logger\":");
    buf_put_json_string(&json, logger, strlen(logger));
  }
  buf_puts(&json, ",\"data\":");
  buf_put_json_string(&json, text, strlen(text));
  buf_puts(&json, "}}");
  mcp_exchange_start_stream(x);
  pthread_mutex_lock(&x->lock);
  if (!x->finished && x->streaming && !call->settled && !json.failed)
    x->sink.stream_event(x->sink_arg, buf_str(&json), json.len);
  pthread_mutex_unlock(&x->lock);
}
