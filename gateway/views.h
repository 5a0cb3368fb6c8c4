/* Open streams of notifications: whether their bearers still hold, and whether they see what they
 * saw. */
#ifndef AMCP_GATEWAY_VIEWS_H
#define AMCP_GATEWAY_VIEWS_H

#include "gateway/mcp/server.h"

/* Asks auth-svc about the bearers of streams that were not looked at for a while; once for each
 * bearer. A stream whose caller sees other dealers, regions or cohorts than before is notified; one
 * whose bearer no longer holds is ended. The principals are callers (access/caller.h). Call it
 * about every second; does not wait. */
void views_check(struct mcp_server *s);

#endif
