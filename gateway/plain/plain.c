/* A tool's answer as plain JSON. */
#include "gateway/plain/plain.h"

#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/http/policy.h"
#include "gateway/http/reply.h"
#include "gateway/plain/read.h"

#define PREFIX "/mcp/tools/"

enum { PLAIN_MAGIC = 0x504c4149, DEFAULT_RETRY_MS = 60000, ERROR_MAX = 64 * 1024 };

bool plain_is_path(const char *path)
{
  return strncmp(path, PREFIX, strlen(PREFIX)) == 0 && path[strlen(PREFIX)] != '\0';
}

/* google.rpc.Code's HTTP mapping (google/rpc/code.proto), with 503 for a call that was cut short
 * here: nobody but the client may say 499. */
int plain_status(enum err_code code)
{
  switch (code) {
  case ERR_OK:
    return 200;
  case ERR_INVALID_ARGUMENT:
  case ERR_OUT_OF_RANGE:
  case ERR_FAILED_PRECONDITION:
    return 400;
  case ERR_UNAUTHENTICATED:
    return 401;
  case ERR_PERMISSION_DENIED:
    return 403;
  case ERR_NOT_FOUND:
    return 404;
  case ERR_ALREADY_EXISTS:
    return 409;
  case ERR_RESOURCE_EXHAUSTED:
    return 429;
  case ERR_UNIMPLEMENTED:
    return 501;
  case ERR_UNAVAILABLE:
  case ERR_ABORTED:
  case ERR_CANCELLED:
    return 503;
  case ERR_DEADLINE_EXCEEDED:
    return 504;
  default:
    return 500;
  }
}

/* ------------------------------------------------------------------- sink */

/* A call under way; the sink owns it. */
struct plain_call {
  unsigned magic;
  struct exchange *exchange;
  const struct resource *resource;
};

/* scopes: what the token lacks; NULL: the token itself is no longer accepted. */
static void add_challenge(const struct plain_call *c, const char *scopes)
{
  struct buf value AUTO_BUF = BUF_INIT(4096);
  if (scopes != NULL)
    resource_step_up(c->resource, &value, scopes);
  else
    resource_challenge(c->resource, &value, "invalid_token",
                       "The token has expired or is no longer accepted");
  exchange_add_header(c->exchange, "WWW-Authenticate", buf_str(&value));
}

static void put_failure(struct plain_call *c, const struct mcp_tool_result *r)
{
  int status = plain_status(r->code);
  struct buf body = BUF_INIT(ERROR_MAX);
  if (status == 401 || r->scopes != NULL)
    add_challenge(c, r->scopes);
  if (status == 429 || status == 503)
    reply_add_retry(c->exchange, r->retry_ms > 0 ? r->retry_ms : DEFAULT_RETRY_MS);
  buf_puts(&body, "{\"error\":");
  buf_put_json_string(&body, r->text, r->text_len);
  buf_putc(&body, '}');
  exchange_reply(c->exchange, status, REPLY_JSON_TYPE, &body);
}

static void on_result(void *arg, const struct mcp_tool_result *r)
{
  struct plain_call *c = arg;
  MAGIC_CHECK(c, PLAIN_MAGIC);
  if (r->is_error) {
    put_failure(c, r);
    return;
  }
  struct buf body = BUF_INIT(r->structured_len + 1);
  buf_append(&body, r->structured, r->structured_len);
  exchange_reply(c->exchange, 200, REPLY_JSON_TYPE, &body);
}

static void on_release(void *arg)
{
  struct plain_call *c = arg;
  MAGIC_CHECK(c, PLAIN_MAGIC);
  exchange_unref(c->exchange);
  c->magic = 0;
  free(c);
}

static void on_close(void *arg)
{
  mcp_exchange_gone(arg);
}

static void free_mcp(void *arg)
{
  mcp_exchange_unref(arg);
}

/* ------------------------------------------------------------------- call */

/* Takes the arguments. */
static void run(const struct plain *p, struct exchange *x, const struct mcp_tool *tool,
                cJSON *arguments, struct mcp_principal *principal)
{
  static const struct mcp_sink sink = {.release = on_release, .result = on_result};
  struct plain_call *c = xcalloc(1, sizeof(*c));
  *c = (struct plain_call){.magic = PLAIN_MAGIC, .exchange = x, .resource = p->resource};
  const struct mcp_direct_call call = {
      .tool = tool, .arguments = arguments, .trace = exchange_trace(x), .principal = principal};
  struct mcp_exchange *mcp = NULL;
  exchange_ref(x); /* the sink's */
  mcp_server_call(p->mcp, &call, &sink, c, &mcp);
  exchange_on_close(x, on_close, free_mcp, mcp);
}

/* NULL after a refusal. */
static const struct mcp_tool *find_tool(const struct plain *p, struct exchange *x,
                                        const struct mcp_principal *principal)
{
  const char *name = exchange_path(x) + strlen(PREFIX);
  const struct mcp_tool *tool = mcp_server_tool(p->mcp, name, principal);
  char text[200];
  if (tool != NULL && tool->read_only)
    return tool;
  if (tool != NULL)
    snprintf(text, sizeof(text), "%.80s changes things: call it through MCP", name);
  else
    snprintf(text, sizeof(text), "Unknown tool: %.80s (tools/list of MCP names the tools)", name);
  /* A cut may fall inside a character, and the path may hold any byte. */
  reply_error(x, 404, utf8_valid(text, strlen(text)) ? text : "Unknown tool");
  return NULL;
}

/* NULL with *status and the error when they cannot be read. */
static cJSON *read_arguments(const struct exchange *x, int *status, struct err *e)
{
  *status = 400;
  if (strcmp(exchange_method(x), "GET") == 0)
    return read_query(x, e);
  size_t len;
  const char *body = exchange_body(x, &len);
  if (len > 0 && !content_type_is_json(exchange_header(x, "Content-Type"))) {
    *status = 415;
    err_set(e, ERR_INVALID_ARGUMENT, "content_type", "Content-Type must be application/json");
    return NULL;
  }
  return read_body(x, body, len, e);
}

void plain_answer(const struct plain *p, struct exchange *x, struct mcp_principal *principal)
{
  const char *method = exchange_method(x);
  struct err e = {0};
  int status = 400;
  exchange_add_header(x, "Cache-Control", "no-store");
  if (strcmp(method, "GET") != 0 && strcmp(method, "POST") != 0) {
    reply_not_allowed(x, PLAIN_METHODS, "Method not allowed: GET or POST a tool's arguments");
    return;
  }
  const struct mcp_tool *tool = find_tool(p, x, principal);
  if (tool == NULL)
    return;
  cJSON *arguments = read_arguments(x, &status, &e);
  if (arguments == NULL)
    reply_error(x, status, e.message);
  else
    run(p, x, tool, arguments, principal);
}
