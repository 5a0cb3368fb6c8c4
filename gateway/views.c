/* Open streams of notifications: whose they are, and what those see. */
#include "gateway/views.h"

#include "common/base/log.h"
#include "common/base/mem.h"
#include "gateway/access/caller.h"

enum { CHECK_MAGIC = 0x56494557 };

struct check {
  unsigned magic;
  struct mcp_server *server;
  struct mcp_principal *principal;
  uint64_t view; /* before */
};

static void on_checked(void *arg, enum access_outcome outcome, struct grant *grant)
{
  struct check *c = arg;
  MAGIC_CHECK(c, CHECK_MAGIC);
  struct mcp_principal *p = c->principal;
  if (outcome == ACCESS_GRANTED && grant_view(grant) != c->view)
    mcp_server_changed(c->server, p,
                       MCP_TOOLS_CHANGED | MCP_PROMPTS_CHANGED | MCP_RESOURCES_CHANGED);
  else if (outcome == ACCESS_INVALID || outcome == ACCESS_FORBIDDEN || outcome == ACCESS_MISSING)
    mcp_server_end_streams(c->server, p);
  p->unref(p);
  c->magic = 0;
  free(c);
}

void views_check(struct mcp_server *s)
{
  struct mcp_principal *p;
  while ((p = mcp_server_unchecked_stream(s)) != NULL) {
    struct grant *grant = caller_grant(caller_of(p));
    struct check *c = xcalloc(1, sizeof(*c));
    *c = (struct check){CHECK_MAGIC, s, p, grant_view(grant)};
    caller_renew(caller_of(p), grant, on_checked, c);
    grant_unref(grant);
  }
}
