/* The initialize era, 2024-11-05 to 2025-11-25: sessions, batches, methods. */
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "gateway/mcp/internal.h"

enum { MAX_BATCH = 32 };

/* One request whose response is pending already. */
static void request(struct mcp_exchange *x, const struct jsonrpc_message *m,
                    struct mcp_session *session)
{
  struct mcp_call *call = mcp_call_new(x, m, session);
  if (m->bad_params) {
    mcp_call_error(call, JSONRPC_INVALID_PARAMS, "params must be an object", NULL);
    mcp_call_unref(call);
  } else if (strcmp(m->method, "initialize") == 0) {
    mcp_call_error(call, JSONRPC_INVALID_REQUEST,
                   "initialize must be the only message of its request", NULL);
    mcp_call_unref(call);
  } else {
    mcp_call_dispatch(call, m->method);
  }
}

static void cancelled(struct mcp_server *s, struct mcp_session *session, const cJSON *params)
{
  const cJSON *id = cJSON_GetObjectItemCaseSensitive(params, "requestId");
  struct mcp_call *call = jsonrpc_id_valid(id) && session != NULL
                              ? mcp_session_find_call(s->sessions, session, id)
                              : NULL;
  if (call == NULL)
    return; /* ended already, or never was: the specification says to ignore it */
  mcp_call_cancel(call);
  mcp_call_unref(call);
}

static void notification(struct mcp_exchange *x, const struct jsonrpc_message *m,
                         struct mcp_session *session)
{
  bool cancel = strcmp(m->method, "notifications/cancelled") == 0;
  if (cancel)
    cancelled(x->server, session, m->params);
  bool known = cancel || strcmp(m->method, "notifications/initialized") == 0;
  mcp_server_count(x->server, known ? m->method : "other_notification", 0);
}

static void single(struct mcp_exchange *x, const struct jsonrpc_message *m,
                   struct mcp_session *session)
{
  if (m->kind == JSONRPC_REQUEST) {
    x->pending = 1;
    request(x, m, session);
    return;
  }
  if (m->kind == JSONRPC_NOTIFICATION)
    notification(x, m, session);
  else
    mcp_elicit_response(x->server, session, x->body);
  mcp_exchange_refuse(x, 202, 0, NULL, NULL, NULL);
}

/* Checks every element before any is handled. Counts the requests; -1 when refused. */
static int check_batch(struct mcp_exchange *x)
{
  int n = cJSON_GetArraySize(x->body), requests = 0;
  const char *problem = NULL;
  if (x->version != MCP_2025_03_26)
    problem = "Batches exist only in version 2025-03-26: send one message per request";
  else if (n == 0)
    problem = "A batch must not be empty";
  else if (n > MAX_BATCH)
    problem = "A batch holds at most 32 messages";
  const cJSON *element;
  cJSON_ArrayForEach(element, x->body)
  {
    struct jsonrpc_message m = jsonrpc_read(element);
    requests += m.kind == JSONRPC_REQUEST;
    if (problem == NULL && m.kind == JSONRPC_INVALID)
      problem = m.problem;
  }
  if (problem == NULL)
    return requests;
  mcp_exchange_refuse(x, 400, JSONRPC_INVALID_REQUEST, problem, NULL, NULL);
  return -1;
}

static void batch(struct mcp_exchange *x, struct mcp_session *session)
{
  int requests = check_batch(x);
  if (requests < 0)
    return;
  x->batch = true;
  x->pending = (size_t)requests;
  const cJSON *element;
  cJSON_ArrayForEach(element, x->body)
  {
    struct jsonrpc_message m = jsonrpc_read(element);
    if (m.kind == JSONRPC_REQUEST)
      request(x, &m, session);
    else if (m.kind == JSONRPC_NOTIFICATION)
      notification(x, &m, session);
  }
  if (requests == 0)
    mcp_exchange_refuse(x, 202, 0, NULL, NULL, NULL);
}

/* The session that a message names, with a reference; NULL for none. False after a refusal. */
static bool find_session(struct mcp_session **session, struct mcp_exchange *x, const char *id)
{
  struct mcp_server *s = x->server;
  *session = NULL;
  if (id == NULL) {
    if (s->options.sessions_required)
      mcp_exchange_refuse(x, 400, MCP_BAD_REQUEST,
                          "Bad Request: Mcp-Session-Id header is required. Send initialize first "
                          "and repeat the Mcp-Session-Id of its response",
                          NULL, NULL);
    return !s->options.sessions_required;
  }
  *session = mcp_session_find(s->sessions, id, x->principal, s->unix_ms());
  if (*session == NULL)
    mcp_exchange_refuse(x, 404, MCP_SESSION_NOT_FOUND, "Session not found", NULL, NULL);
  else
    x->version = (*session)->version;
  return *session != NULL;
}

/* Whether the version that a message names is served, and which it is. */
static bool read_version(struct mcp_exchange *x, const char *version)
{
  x->version = MCP_LEGACY_ASSUMED;
  if (version == NULL || mcp_version_parse(version, MCP_ERA_LEGACY, &x->version))
    return true;
  struct buf text AUTO_BUF = BUF_INIT(512);
  buf_puts(&text, "Bad Request: unsupported MCP-Protocol-Version (supported: ");
  mcp_version_put_list(&text, MCP_ERA_LEGACY, "", ", ");
  buf_putc(&text, ')');
  mcp_exchange_refuse(x, 400, MCP_BAD_REQUEST, buf_str(&text), NULL, NULL);
  return false;
}

static void initialize(struct mcp_exchange *x, const struct jsonrpc_message *m)
{
  x->pending = 1;
  mcp_call_dispatch(mcp_call_new(x, m, NULL), m->method);
}

void mcp_legacy_post(struct mcp_exchange *x, const struct mcp_headers *headers)
{
  struct jsonrpc_message m = {.kind = JSONRPC_NOTIFICATION};
  if (!cJSON_IsArray(x->body)) {
    m = jsonrpc_read(x->body);
    if (m.kind == JSONRPC_INVALID) {
      mcp_exchange_refuse(x, 400, JSONRPC_INVALID_REQUEST, m.problem, NULL, NULL);
      return;
    }
    /* The version header plays no part here: what counts is in the params. */
    if (m.kind == JSONRPC_REQUEST && strcmp(m.method, "initialize") == 0) {
      initialize(x, &m);
      return;
    }
  }
  struct mcp_session *session;
  if (!read_version(x, headers->protocol_version) ||
      !find_session(&session, x, headers->session_id))
    return;
  if (cJSON_IsArray(x->body))
    batch(x, session);
  else
    single(x, &m, session);
  mcp_session_release(x->server->sessions, session);
}
