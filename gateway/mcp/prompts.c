/* prompts/list and prompts/get. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "gateway/mcp/content.h"
#include "gateway/mcp/cursor.h"
#include "gateway/mcp/internal.h"

enum { ARGUMENT_MAX = 512, TEXT_MAX = 64 * 1024 };

/* ------------------------------------------------------------------- list */

static void put_member(struct buf *out, const char *key, const char *value)
{
  buf_printf(out, "\"%s\":", key);
  buf_put_json_string(out, value, strlen(value));
}

static void put_arguments(struct buf *out, const struct mcp_prompt *p)
{
  buf_puts(out, ",\"arguments\":[");
  for (size_t i = 0; i < p->n_arguments; i++) {
    const struct mcp_prompt_argument *a = &p->arguments[i];
    buf_puts(out, i > 0 ? ",{" : "{");
    put_member(out, "name", a->name);
    buf_putc(out, ',');
    put_member(out, "description", a->description);
    buf_printf(out, ",\"required\":%s}", a->otherwise[0] == '\0' ? "true" : "false");
  }
  buf_putc(out, ']');
}

static void put_prompt(struct buf *out, const struct mcp_prompt *p, enum mcp_version version)
{
  buf_putc(out, '{');
  put_member(out, "name", p->name);
  if (version >= MCP_2025_06_18) {
    buf_putc(out, ',');
    put_member(out, "title", p->title);
  }
  buf_putc(out, ',');
  put_member(out, "description", p->description);
  if (p->n_arguments > 0)
    put_arguments(out, p);
  buf_putc(out, '}');
}

void mcp_prompts_list(struct mcp_call *call)
{
  const struct mcp_tool_host *host = &call->exchange->server->options.tools;
  struct buf out AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER);
  struct mcp_page page;
  if (mcp_page_read(&page, call, "prompts", host->n_prompts)) {
    buf_puts(&out, "{\"prompts\":[");
    for (size_t i = page.start; i < page.end; i++) {
      if (i > page.start)
        buf_putc(&out, ',');
      put_prompt(&out, &host->prompts[i], call->version);
    }
    buf_putc(&out, ']');
    mcp_page_put_next(&out, &page);
    buf_putc(&out, '}');
    mcp_call_result(call, buf_str(&out), out.len, NULL);
  }
  mcp_call_unref(call);
}

/* -------------------------------------------------------------------- get */

static bool refuse(struct mcp_call *call, const char *message)
{
  mcp_call_error(call, JSONRPC_INVALID_PARAMS, message, NULL);
  return false;
}

static const struct mcp_prompt *find(struct mcp_call *call)
{
  const struct mcp_tool_host *host = &call->exchange->server->options.tools;
  const cJSON *name = cJSON_GetObjectItemCaseSensitive(call->params, "name");
  for (size_t i = 0; cJSON_IsString(name) && i < host->n_prompts; i++) {
    if (strcmp(host->prompts[i].name, name->valuestring) == 0)
      return &host->prompts[i];
  }
  refuse(call, cJSON_IsString(name) ? "Unknown prompt: prompts/list names the prompts"
                                    : "params.name must be a string, the name of a prompt");
  return NULL;
}

/* What was given for an argument; NULL for nothing. */
static const char *given(const cJSON *values, const char *name)
{
  const char *text = cJSON_GetStringValue(cJSON_GetObjectItemCaseSensitive(values, name));
  return text != NULL && text[strspn(text, " \t\r\n")] != '\0' ? text : NULL;
}

static bool is_argument(const struct mcp_prompt *p, const char *name)
{
  for (size_t i = 0; i < p->n_arguments; i++) {
    if (strcmp(p->arguments[i].name, name) == 0)
      return true;
  }
  return false;
}

static bool check_values(struct mcp_call *call, const struct mcp_prompt *p, const cJSON *values)
{
  char text[160];
  const cJSON *value;
  if (values != NULL && !cJSON_IsObject(values) && !cJSON_IsNull(values))
    return refuse(call, "params.arguments must be an object");
  cJSON_ArrayForEach(value, values)
  {
    if (!is_argument(p, value->string))
      return refuse(call, "params.arguments holds a name that prompts/list does not show");
    if (!cJSON_IsString(value) || strlen(value->valuestring) > ARGUMENT_MAX) {
      snprintf(text, sizeof(text), "params.arguments.%.40s must be a text of at most %d bytes",
               value->string, ARGUMENT_MAX);
      return refuse(call, text);
    }
  }
  for (size_t i = 0; i < p->n_arguments; i++) {
    if (p->arguments[i].otherwise[0] != '\0' || given(values, p->arguments[i].name) != NULL)
      continue;
    snprintf(text, sizeof(text), "params.arguments.%.40s is required", p->arguments[i].name);
    return refuse(call, text);
  }
  return true;
}

/* The argument whose name stands at s, before a brace; NULL when there is none. */
static const struct mcp_prompt_argument *argument_at(const struct mcp_prompt *p, const char *s)
{
  for (size_t i = 0; i < p->n_arguments; i++) {
    size_t len = strlen(p->arguments[i].name);
    if (strncmp(s, p->arguments[i].name, len) == 0 && s[len] == '}')
      return &p->arguments[i];
  }
  return NULL;
}

static void fill_in(struct buf *out, const struct mcp_prompt *p, const cJSON *values)
{
  for (const char *s = p->text; *s != '\0'; s++) {
    const struct mcp_prompt_argument *a = *s == '{' ? argument_at(p, s + 1) : NULL;
    if (a == NULL) {
      buf_putc(out, *s);
      continue;
    }
    const char *value = given(values, a->name);
    buf_puts(out, value != NULL ? value : a->otherwise);
    s += strlen(a->name) + 1;
  }
}

static void give_text(struct mcp_call *call, const struct mcp_prompt *p, const cJSON *values)
{
  struct buf text AUTO_BUF = BUF_INIT(TEXT_MAX);
  fill_in(&text, p, values);
  const struct mcp_message message = {.content = {.kind = MCP_TEXT, .text = buf_str(&text)}};
  mcp_call_finish_prompt(call, &message, 1);
}

/* Not a tool: it takes no turn. */
static void run_host(struct mcp_call *call)
{
  mcp_exchange_keep_open(call->exchange);
  mcp_call_ref(call); /* the host's */
  mcp_call_run(call);
}

void mcp_prompts_get(struct mcp_call *call)
{
  const cJSON *values = cJSON_GetObjectItemCaseSensitive(call->params, "arguments");
  const struct mcp_prompt *p = find(call);
  call->prompt = p;
  if (p != NULL && check_values(call, p, values)) {
    if (p->text != NULL)
      give_text(call, p, values);
    else if (mcp_question_begin(call, false) && mcp_read_arguments(call) && mcp_tools_attach(call))
      run_host(call);
  }
  mcp_call_unref(call);
}

void mcp_call_finish_prompt(struct mcp_call *call, const struct mcp_message *messages, size_t n)
{
  MAGIC_CHECK(call, MCP_CALL_MAGIC);
  struct buf out AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER - 2 * JSONRPC_MAX_ID * 6);
  buf_putc(&out, '{');
  put_member(&out, "description", call->prompt->description);
  buf_puts(&out, ",\"messages\":[");
  for (size_t i = 0; i < n; i++) {
    buf_printf(&out, "%s{\"role\":\"%s\",\"content\":", i > 0 ? "," : "",
               messages[i].assistant ? "assistant" : "user");
    mcp_content_put(&out, &messages[i].content, call->version);
    buf_putc(&out, '}');
  }
  buf_puts(&out, "]}");
  if (out.failed)
    mcp_call_error(call, JSONRPC_INTERNAL_ERROR, "The prompt is too large to deliver", NULL);
  else
    mcp_call_result(call, buf_str(&out), out.len, NULL);
}
