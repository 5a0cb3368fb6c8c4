/* Whether auth-svc accepts tokens made for the URL that our metadata names: asked at the start, so
 * that services whose settings differ say so before anybody signs in in vain. */
#ifndef AMCP_GATEWAY_ACCESS_AUDIENCE_H
#define AMCP_GATEWAY_ACCESS_AUDIENCE_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/rpc/rpc.h"

struct audience;

/* url NULL or empty: there is nothing to ask. `retry_ms`, how long a refusal counts before it is
 * asked again; 0 means 30,000. The channel and the URL must outlive the object. */
struct audience *audience_new(struct rpc_channel *auth, const char *url, uint32_t retry_ms);
/* After the channel has ended. NULL is fine. */
void audience_free(struct audience *a);

/* Whether it does; asks where that is not known yet, and waits for nothing. When not, appends a
 * line for /readyz. Once it did, it stays so: what changes later must not end a running gateway.
 * Thread-safe. */
bool audience_is_right(struct audience *a, struct buf *detail);

#endif
