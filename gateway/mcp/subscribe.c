/* resources/subscribe and resources/unsubscribe of a session. */
#include <string.h>

#include "gateway/mcp/internal.h"

enum { URI_MAX = 2048 };

/* The URI; NULL after a refusal. */
static const char *read_uri(struct mcp_call *call)
{
  const char *uri = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(call->params, "uri"));
  if (uri == NULL || uri[0] == '\0' || strlen(uri) > URI_MAX)
    mcp_call_error(call, JSONRPC_INVALID_PARAMS,
                   "params.uri must be a string of at most 2,048 bytes", NULL);
  else if (call->session == NULL)
    mcp_call_error(call, JSONRPC_INVALID_REQUEST,
                   "A subscription is a session's: send initialize first", NULL);
  else
    return uri;
  return NULL;
}

void mcp_subscribe(struct mcp_call *call)
{
  const char *uri = read_uri(call);
  if (uri != NULL && mcp_session_subscribe(call->exchange->server->sessions, call->session, uri))
    mcp_call_result(call, "{}", 2, NULL);
  else if (uri != NULL)
    mcp_call_error(call, JSONRPC_INTERNAL_ERROR,
                   "Too many subscriptions: end some, or try again later", NULL);
  mcp_call_unref(call);
}

void mcp_unsubscribe(struct mcp_call *call)
{
  const char *uri = read_uri(call);
  if (uri != NULL) {
    mcp_session_unsubscribe(call->exchange->server->sessions, call->session, uri);
    mcp_call_result(call, "{}", 2, NULL);
  }
  mcp_call_unref(call);
}
