/* completion/complete: what may stand for an argument of a prompt or a resource template, as people
 * type. The values come from a tool, under the caller's own grant and share. */
#include <string.h>

#include "gateway/mcp/internal.h"
#include "gateway/mcp/template.h"

enum { VALUES_MAX = 100 }; /* of one answer (2025-06-18, Completion) */

static bool refuse(struct mcp_call *call, const char *message)
{
  mcp_call_error(call, JSONRPC_INVALID_PARAMS, message, NULL);
  return false;
}

/* Whether what is referred to has the argument. */
static bool is_argument(const struct mcp_tool_host *host, const cJSON *ref, const char *name)
{
  const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ref, "type"));
  const char *prompt = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ref, "name"));
  const char *uri = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ref, "uri"));
  if (strcmp(type, "ref/resource") == 0) {
    for (size_t i = 0; uri != NULL && i < host->n_resources; i++) {
      if (strcmp(host->resources[i].uri, uri) == 0)
        return mcp_template_has(uri, name);
    }
    return false;
  }
  for (size_t i = 0; prompt != NULL && i < host->n_prompts; i++) {
    const struct mcp_prompt *p = &host->prompts[i];
    for (size_t k = 0; strcmp(p->name, prompt) == 0 && k < p->n_arguments; k++) {
      if (strcmp(p->arguments[k].name, name) == 0)
        return true;
    }
  }
  return false;
}

static const struct mcp_completion *find(const struct mcp_tool_host *host, const char *name)
{
  for (size_t i = 0; i < host->n_completions; i++) {
    if (strcmp(host->completions[i].argument, name) == 0)
      return &host->completions[i];
  }
  return NULL;
}

static bool check(struct mcp_call *call, const cJSON *ref, const cJSON *argument)
{
  const char *type = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(ref, "type"));
  if (type == NULL || (strcmp(type, "ref/prompt") != 0 && strcmp(type, "ref/resource") != 0))
    return refuse(call, "params.ref.type must be \"ref/prompt\" or \"ref/resource\"");
  if (!cJSON_IsString(cJSON_GetObjectItemCaseSensitive(argument, "name")) ||
      !cJSON_IsString(cJSON_GetObjectItemCaseSensitive(argument, "value")))
    return refuse(call, "params.argument must have a name and a value, both strings");
  return true;
}

/* The arguments of the tool's call: {value} is what was typed, other places are filled from those
 * arguments that are known already. NULL when one is not. */
static cJSON *arguments_for(const struct mcp_completion *c, const cJSON *params, const char *value)
{
  const cJSON *context = cJSON_GetObjectItemCaseSensitive(params, "context");
  cJSON *values = cJSON_Duplicate(cJSON_GetObjectItemCaseSensitive(context, "arguments"), true);
  if (!cJSON_IsObject(values)) {
    cJSON_Delete(values);
    values = cJSON_CreateObject();
  }
  cJSON_DeleteItemFromObjectCaseSensitive(values, "value");
  cJSON_AddStringToObject(values, "value", value);
  cJSON *arguments = mcp_template_arguments(c->arguments, values);
  cJSON_Delete(values);
  return arguments;
}

static void give_nothing(struct mcp_call *call)
{
  static const char none[] = "{\"completion\":{\"values\":[],\"total\":0,\"hasMore\":false}}";
  mcp_call_result(call, none, sizeof(none) - 1, NULL);
}

/* What is not known is not an error: whoever types goes on typing. */
static bool find_source(struct mcp_call *call, const cJSON *ref, const cJSON *argument)
{
  const struct mcp_tool_host *host = &call->exchange->server->options.tools;
  const char *name = cJSON_GetObjectItemCaseSensitive(argument, "name")->valuestring;
  const char *value = cJSON_GetObjectItemCaseSensitive(argument, "value")->valuestring;
  call->completion = is_argument(host, ref, name) ? find(host, name) : NULL;
  if (call->completion != NULL) {
    call->tool = call->completion->tool;
    call->arguments = arguments_for(call->completion, call->params, value);
  }
  if (call->arguments != NULL)
    return true;
  give_nothing(call);
  return false;
}

void mcp_complete(struct mcp_call *call)
{
  const cJSON *ref = cJSON_GetObjectItemCaseSensitive(call->params, "ref");
  const cJSON *argument = cJSON_GetObjectItemCaseSensitive(call->params, "argument");
  if (check(call, ref, argument) && find_source(call, ref, argument) && mcp_tools_attach(call))
    mcp_tools_run(call);
  mcp_call_unref(call);
}

struct values {
  struct buf *out;
  size_t n;
};

static void add_value(void *arg, const char *value)
{
  struct values *v = arg;
  if (v->n++ >= VALUES_MAX)
    return;
  if (v->n > 1)
    buf_putc(v->out, ',');
  buf_put_json_string(v->out, value, strlen(value));
}

void mcp_completion_finish(struct mcp_call *call, const struct mcp_tool_result *r)
{
  const struct mcp_tool_host *host = &call->exchange->server->options.tools;
  struct buf json AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER - 2 * JSONRPC_MAX_ID * 6);
  struct values values = {.out = &json};
  buf_puts(&json, "{\"completion\":{\"values\":[");
  if (!r->is_error)
    host->complete(host->host, call->completion, r, add_value, &values);
  buf_printf(&json, "],\"total\":%zu,\"hasMore\":%s}}", values.n,
             values.n > VALUES_MAX ? "true" : "false");
  mcp_call_settle_tool(call, &json, r->is_error);
}
