/* tools/list. */
#include <string.h>

#include "gateway/mcp/cursor.h"
#include "gateway/mcp/internal.h"

static void put_annotations(struct buf *out, const struct mcp_tool *tool)
{
  buf_puts(out, ",\"annotations\":{");
  if (tool->title != NULL) {
    buf_puts(out, "\"title\":");
    buf_put_json_string(out, tool->title, strlen(tool->title));
    buf_putc(out, ',');
  }
  buf_printf(out, "\"readOnlyHint\":%s", tool->read_only ? "true" : "false");
  /* The two hints mean something only for tools that change things. */
  if (!tool->read_only)
    buf_printf(out, ",\"destructiveHint\":%s", tool->destructive ? "true" : "false");
  buf_printf(out, ",\"idempotentHint\":%s,\"openWorldHint\":%s}",
             tool->idempotent ? "true" : "false", tool->open_world ? "true" : "false");
}

/* Hosts without MCP Apps ignore it; some read the name that it had in drafts. */
static void put_app(struct buf *out, const char *uri)
{
  buf_puts(out, ",\"_meta\":{\"ui\":{\"resourceUri\":");
  buf_put_json_string(out, uri, strlen(uri));
  buf_puts(out, "},\"ui/resourceUri\":");
  buf_put_json_string(out, uri, strlen(uri));
  buf_putc(out, '}');
}

/* Only fields that the negotiated version knows. One of a later version than MCP_TOOLS_NEWEST
 * moves that. */
static void put_tool(struct buf *out, const struct mcp_tool *tool, enum mcp_version version)
{
  buf_puts(out, "{\"name\":");
  buf_put_json_string(out, tool->name, strlen(tool->name));
  if (tool->title != NULL && version >= MCP_2025_06_18) {
    buf_puts(out, ",\"title\":");
    buf_put_json_string(out, tool->title, strlen(tool->title));
  }
  buf_puts(out, ",\"description\":");
  buf_put_json_string(out, tool->description, strlen(tool->description));
  buf_printf(out, ",\"inputSchema\":%s", tool->input_schema);
  if (tool->output_schema != NULL && version >= MCP_2025_06_18)
    buf_printf(out, ",\"outputSchema\":%s", tool->output_schema);
  if (version >= MCP_2025_03_26)
    put_annotations(out, tool);
  if (tool->app != NULL && version >= MCP_2025_06_18)
    put_app(out, tool->app);
  buf_putc(out, '}');
}

static void put_page(struct buf *out, const struct mcp_server_options *o, enum mcp_version version,
                     const struct mcp_page *page, bool is_operator)
{
  size_t n = 0;
  buf_puts(out, "{\"tools\":[");
  for (size_t i = page->start; i < page->end; i++) {
    if (o->tools.tools[i].operators_only && !is_operator)
      continue;
    if (n++ > 0)
      buf_putc(out, ',');
    put_tool(out, &o->tools.tools[i], version);
  }
  buf_putc(out, ']');
  mcp_page_put_next(out, page);
  buf_putc(out, '}');
}

/* The pages stay for as long as the server does, so each has room for itself alone. */
void mcp_tools_write_first_pages(struct mcp_server *s)
{
  AUTO_BUF struct buf page = BUF_INIT(MCP_MAX_ANSWER);
  const struct mcp_page first =
      mcp_page_at("tools", s->options.tools.n_tools, 0, s->options.page_size);
  for (int v = 0; v <= MCP_TOOLS_NEWEST; v++)
    for (int i = 0; i < 2; i++) {
      buf_clear(&page);
      put_page(&page, &s->options, (enum mcp_version)v, &first, i == 1);
      s->first_pages[i][v] = BUF_INIT(page.len);
      buf_append(&s->first_pages[i][v], page.data, page.len);
    }
}

static const struct buf *first_page(const struct mcp_call *call)
{
  const struct mcp_exchange *x = call->exchange;
  int v = call->version < MCP_TOOLS_NEWEST ? (int)call->version : MCP_TOOLS_NEWEST;
  return &x->server->first_pages[x->principal->is_operator][v];
}

void mcp_tools_list(struct mcp_call *call)
{
  const struct mcp_server_options *o = &call->exchange->server->options;
  struct buf later AUTO_BUF = BUF_INIT(MCP_MAX_ANSWER);
  bool is_operator = call->exchange->principal->is_operator;
  const struct buf *text = first_page(call);
  struct mcp_page page;
  if (mcp_page_read(&page, call, "tools", o->tools.n_tools)) {
    if (page.start > 0) {
      put_page(&later, o, call->version, &page, is_operator);
      text = &later;
    }
    mcp_call_result(call, buf_str(text), text->len, NULL);
  }
  mcp_call_unref(call);
}
