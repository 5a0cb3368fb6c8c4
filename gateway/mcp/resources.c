/* resources/list, resources/templates/list and resources/read. A resource is a text that stands,
 * the same for everybody, or the text of a tool's answer; reading that is a call of the tool, under
 * the same share and grant. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "gateway/mcp/content.h"
#include "gateway/mcp/cursor.h"
#include "gateway/mcp/internal.h"
#include "gateway/mcp/template.h"

static void put_member(struct buf *out, const char *key, const char *value)
{
  buf_printf(out, ",\"%s\":", key);
  buf_put_json_string(out, value, strlen(value));
}

static const char *mime_type(const struct mcp_resource *r)
{
  return r->mime_type != NULL ? r->mime_type : "text/plain";
}

static void put_resource(struct buf *out, const struct mcp_resource *r, enum mcp_version version)
{
  buf_puts(out, mcp_template_has(r->uri, NULL) ? "{\"uriTemplate\":" : "{\"uri\":");
  buf_put_json_string(out, r->uri, strlen(r->uri));
  put_member(out, "name", r->name);
  if (version >= MCP_2025_06_18)
    put_member(out, "title", r->title);
  put_member(out, "description", r->description);
  put_member(out, "mimeType", mime_type(r));
  buf_putc(out, '}');
}

static bool is_template(const struct mcp_resource *r)
{
  return mcp_template_has(r->uri, NULL);
}

static void list(struct mcp_call *call, const char *key, bool templates)
{
  const struct mcp_tool_host *host = &call->exchange->server->options.tools;
  struct buf out AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER);
  struct mcp_page page;
  size_t n = 0, at = 0;
  for (size_t i = 0; i < host->n_resources; i++)
    n += is_template(&host->resources[i]) == templates;
  if (mcp_page_read(&page, call, key, n)) {
    buf_printf(&out, "{\"%s\":[", key);
    for (size_t i = 0; i < host->n_resources; i++) {
      if (is_template(&host->resources[i]) != templates)
        continue;
      bool here = at >= page.start && at < page.end;
      if (here && at > page.start)
        buf_putc(&out, ',');
      if (here)
        put_resource(&out, &host->resources[i], call->version);
      at++;
    }
    buf_putc(&out, ']');
    mcp_page_put_next(&out, &page);
    buf_putc(&out, '}');
    mcp_call_result(call, buf_str(&out), out.len, NULL);
  }
  mcp_call_unref(call);
}

void mcp_resources_list(struct mcp_call *call)
{
  list(call, "resources", false);
}

void mcp_resource_templates_list(struct mcp_call *call)
{
  list(call, "resourceTemplates", true);
}

/* The resource of a URI, and the values in its places; those are the caller's to delete. */
static const struct mcp_resource *find(cJSON **values, const struct mcp_tool_host *host,
                                       const char *uri)
{
  for (size_t i = 0; i < host->n_resources; i++) {
    *values = mcp_template_match(host->resources[i].uri, uri);
    if (*values != NULL)
      return &host->resources[i];
  }
  return NULL;
}

/* What of an echo is not more than a name. */
static void not_found(struct mcp_call *call, const char *uri, const char *why)
{
  struct buf data AUTO_BUF = BUF_INIT(8192);
  buf_puts(&data, "{\"uri\":");
  buf_put_json_string(&data, uri, strlen(uri) <= 512 ? strlen(uri) : 0);
  buf_putc(&data, '}');
  mcp_call_error(call, mcp_version_rules(call->version)->resource_not_found, why, buf_str(&data));
}

/* What a resource holds, as the result of reading it; data NULL: the text. */
static void put_contents(struct buf *out, const struct mcp_call *call, const char *text, size_t len,
                         const void *data, size_t data_len)
{
  const char *uri = json_get_string(call->params, "uri");
  buf_puts(out, "{\"contents\":[{\"uri\":");
  buf_put_json_string(out, uri, strlen(uri));
  put_member(out, "mimeType", mime_type(call->resource));
  mcp_content_put_body(out, text, len, data, data_len);
  buf_puts(out, "}]}");
}

static void give_content(struct mcp_call *call)
{
  const struct mcp_resource *r = call->resource;
  struct buf json AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER - 2 * JSONRPC_MAX_ID * 6);
  put_contents(&json, call, r->content, r->content != NULL ? strlen(r->content) : 0, r->bytes,
               r->n_bytes);
  mcp_call_result(call, buf_str(&json), json.len, NULL);
}

/* False after an answer. */
static bool read_uri(struct mcp_call *call)
{
  const cJSON *uri = cJSON_GetObjectItemCaseSensitive(call->params, "uri");
  if (!cJSON_IsString(uri)) {
    mcp_call_error(call, JSONRPC_INVALID_PARAMS, "params.uri must be a string", NULL);
    return false;
  }
  AUTO_JSON cJSON *values = NULL;
  call->resource = find(&values, &call->exchange->server->options.tools, uri->valuestring);
  if (call->resource == NULL) {
    not_found(call, uri->valuestring, "Resource not found: resources/list names the resources");
    return false;
  }
  if (call->resource->content != NULL || call->resource->bytes != NULL) {
    give_content(call);
    return false;
  }
  call->tool = call->resource->tool;
  call->arguments = mcp_template_arguments(call->resource->arguments, values);
  if (call->arguments != NULL)
    return true;
  mcp_call_error(call, JSONRPC_INTERNAL_ERROR, "The resource cannot be read", NULL);
  return false;
}

void mcp_resources_read(struct mcp_call *call)
{
  if (read_uri(call) && mcp_tools_attach(call))
    mcp_tools_run(call);
  mcp_call_unref(call);
}

/* What the URI holds is refused by the tool: under this name there is nothing. */
static void finish_error(struct mcp_call *call, const struct mcp_tool_result *r)
{
  struct buf text AUTO_BUF = BUF_INIT(r->text_len + 1);
  buf_append(&text, r->text, r->text_len);
  if (r->code == ERR_INVALID_ARGUMENT || r->code == ERR_NOT_FOUND)
    not_found(call, json_get_string(call->params, "uri"), buf_str(&text));
  else
    mcp_call_error(call, JSONRPC_INTERNAL_ERROR, buf_str(&text), NULL);
}

void mcp_resource_finish(struct mcp_call *call, const struct mcp_tool_result *r)
{
  struct buf json AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER - 2 * JSONRPC_MAX_ID * 6);
  if (r->is_error) {
    finish_error(call, r);
    return;
  }
  put_contents(&json, call, r->text, r->text_len, NULL, 0);
  if (json.failed)
    mcp_call_error(call, JSONRPC_INTERNAL_ERROR, "The resource is too large to deliver", NULL);
  else
    mcp_call_settle_tool(call, &json, false);
}
