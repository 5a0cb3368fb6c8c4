/* The HTTP listener of the simulator, on libmicrohttpd. */
#ifndef GA4_SIM_SERVER_H
#define GA4_SIM_SERVER_H

#include <stdint.h>

#include "common/base/error.h"
#include "ga4-sim/sim/sim.h"

struct server;

/* Starts listening on options->host and port (0: a free one, *port says which). A port in
 * use ends with ERR_UNAVAILABLE and a message that names it. */
enum err_code server_start(struct server **out, struct sim *s, uint16_t *port, struct err *e);
/* Ends waiting requests, stops listening, frees. */
void server_stop(struct server *server);

#endif
