/* Pages that draw the answers of tools in hosts that show MCP Apps (extension
 * io.modelcontextprotocol/ui, revision 2026-01-26). A page is one file without anything from
 * elsewhere, made at build time of NAME.js and what the pages share (page.html, app.css, app.js); it
 * gets the structured form of an answer from its host and knows nothing else. */
#ifndef AMCP_GATEWAY_APPS_APPS_H
#define AMCP_GATEWAY_APPS_APPS_H

#include <stddef.h>

#define APP_MIME_TYPE "text/html;profile=mcp-app"

struct app {
  const char *uri, *name, *title, *description;
  const char *html;
};

extern const struct app apps[];
extern const size_t apps_len;

/* The page of a URI; NULL when there is none. */
const struct app *app_find(const char *uri);

#endif
