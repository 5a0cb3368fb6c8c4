/* Metrics of the listener: requests, bytes, connections, refusals. Thread-safe. */
#ifndef AMCP_GATEWAY_HTTP_METER_H
#define AMCP_GATEWAY_HTTP_METER_H

#include <stddef.h>

/* Registers them, so that they are shown before the first request. Comes before all others; again is
 * fine. */
void meter_init(void);
void meter_connections(size_t now);
void meter_begun(void);
/* A request is over; status 0: it had no answer. Bytes of its body, and of its answer's. */
void meter_ended(int status, size_t received, size_t sent);
/* Something was refused or cut for a cause of the listener's own; a static text. */
void meter_refused(const char *cause);

#endif
