/* Resources and prompts of the catalogue, as the protocol shows them. */
#ifndef AMCP_GATEWAY_BRIDGE_OFFERS_H
#define AMCP_GATEWAY_BRIDGE_OFFERS_H

#include "gateway/mcp/tool.h"

/* Gives the host those of its tools, whose `data` are their rows of the catalogue. Texts are the
 * catalogue's. */
void offers_add(struct mcp_tool_host *host);
/* Frees what offers_add() made. A host without it is fine. */
void offers_free(struct mcp_tool_host *host);

#endif
