/* The gateway put together: channels, access, bridge, protocol, listener, admin. */
#ifndef AMCP_GATEWAY_APP_H
#define AMCP_GATEWAY_APP_H

#include "gateway/settings.h"

struct app;

/* Opens and starts everything. Nothing is left behind on failure. */
enum err_code app_start(struct app **out, const struct settings *s, struct err *e);
/* Port of the MCP endpoint. */
uint16_t app_port(const struct app *a);
/* Not ready from now on; connections close after their next answer, so that clients go elsewhere.
 * NULL is fine. */
void app_drain(struct app *a);
/* No new connections -> requests under way get grace_ms -> freed. NULL is fine. */
void app_stop(struct app *a);

#endif
