/* Session ids that were opened before. A client sends the same id with each request, and opening
 * one costs more than all else that is done with it. Bounded: the id longest unused gives way. What
 * was opened with keys that have changed since is opened again. Thread-safe. */
#ifndef AMCP_GATEWAY_MCP_OPENED_H
#define AMCP_GATEWAY_MCP_OPENED_H

#include "gateway/mcp/session_id.h"

struct opened;

/* keys outlives it. */
struct opened *opened_new(struct ring *keys);
void opened_free(struct opened *o);
/* As mcp_session_id_open(). */
bool opened_find(struct opened *o, const char *id, struct mcp_session_facts *facts);

#endif
