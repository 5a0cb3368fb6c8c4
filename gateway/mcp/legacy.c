/* The initialize era, 2024-11-05 to 2025-11-25: sessions, batches, methods. */
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "gateway/mcp/internal.h"

enum { MAX_BATCH = 32 };

struct method {
  const char *name;
  mcp_handler *handle;
};

/* initialize is not here: it is the one request without a session. */
static const struct method methods[] = {
    {"ping", mcp_ping},
    {"prompts/get", mcp_prompts_get},
    {"prompts/list", mcp_prompts_list},
    {"resources/list", mcp_resources_list},
    {"resources/read", mcp_resources_read},
    {"resources/templates/list", mcp_resource_templates_list},
    {"tools/call", mcp_tools_call},
    {"tools/list", mcp_tools_list},
};

/* Methods of a capability that was not declared do not exist. */
static bool is_offered(const struct mcp_tool_host *host, const char *name)
{
  if (strncmp(name, "prompts/", 8) == 0)
    return host->n_prompts > 0;
  return strncmp(name, "resources/", 10) != 0 || host->n_resources > 0;
}

static void dispatch(struct mcp_call *call, const char *name)
{
  for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
    if (strcmp(methods[i].name, name) == 0 &&
        is_offered(&call->exchange->server->options.tools, name)) {
      call->method_label = methods[i].name;
      methods[i].handle(call);
      return;
    }
  }
  mcp_call_error(call, JSONRPC_METHOD_NOT_FOUND, "Method not found", NULL);
  mcp_call_unref(call);
}

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
    dispatch(call, m->method);
  }
}

static void cancelled(struct mcp_server *s, struct mcp_session *session, const cJSON *params)
{
  const cJSON *id = cJSON_GetObjectItemCaseSensitive(params, "requestId");
  struct mcp_call *call =
      jsonrpc_id_valid(id) ? mcp_session_find_call(s->sessions, session, id) : NULL;
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
  mcp_exchange_refuse(x, 202, 0, NULL, NULL, NULL);
}

/* Checks every element before any is handled. Counts the requests; -1 when refused. */
static int check_batch(struct mcp_exchange *x, const struct mcp_session *session)
{
  int n = cJSON_GetArraySize(x->body), requests = 0;
  const char *problem = NULL;
  if (session->version != MCP_2025_03_26)
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
  int requests = check_batch(x, session);
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

/* The session a message belongs to, with a reference; NULL after a refusal. */
static struct mcp_session *require_session(struct mcp_exchange *x,
                                           const struct mcp_headers *headers)
{
  if (headers->session_id == NULL) {
    mcp_exchange_refuse(x, 400, MCP_BAD_REQUEST,
                        "Bad Request: Mcp-Session-Id header is required. Send initialize first "
                        "and repeat the Mcp-Session-Id of its response",
                        NULL, NULL);
    return NULL;
  }
  struct mcp_server *s = x->server;
  struct mcp_session *session =
      mcp_session_find(s->sessions, headers->session_id, x->principal->id, s->unix_ms());
  if (session == NULL)
    mcp_exchange_refuse(x, 404, MCP_SESSION_NOT_FOUND, "Session not found", NULL, NULL);
  return session;
}

static bool check_version_header(struct mcp_exchange *x, const char *version)
{
  enum mcp_version v;
  if (version == NULL || mcp_version_parse(version, &v))
    return true;
  struct buf text AUTO_BUF = BUF_INIT(512);
  buf_puts(&text, "Bad Request: unsupported MCP-Protocol-Version (supported: ");
  for (int i = MCP_VERSION_COUNT - 1; i >= 0; i--)
    buf_printf(&text, "%s%s", mcp_version_name((enum mcp_version)i), i > 0 ? ", " : ")");
  mcp_exchange_refuse(x, 400, MCP_BAD_REQUEST, buf_str(&text), NULL, NULL);
  return false;
}

static void initialize(struct mcp_exchange *x, const struct jsonrpc_message *m)
{
  x->pending = 1;
  struct mcp_call *call = mcp_call_new(x, m, NULL);
  call->method_label = "initialize";
  mcp_initialize(call);
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
  if (!check_version_header(x, headers->protocol_version))
    return;
  struct mcp_session *session = require_session(x, headers);
  if (session == NULL)
    return;
  if (cJSON_IsArray(x->body))
    batch(x, session);
  else
    single(x, &m, session);
  mcp_session_release(x->server->sessions, session);
}
