/* The connections that a listener holds: one struct conn from accept to close, in the listener's
 * list. Inside of gateway/http.
 *
 * A conn belongs to the listener: libmicrohttpd's notification makes and frees it. Its atomics are
 * written by the connection's own thread and read by any; the list, and the functions named
 * conns_*, need the listener's lock. Nothing here fails: without memory the process ends, and an
 * address that cannot be read stays "". */
#ifndef AMCP_GATEWAY_HTTP_CONNECTIONS_H
#define AMCP_GATEWAY_HTTP_CONNECTIONS_H

#include "common/base/clock.h"
#include "gateway/http/internal.h"

enum { CONN_RESERVE = 8 }; /* an eighth of the connections is kept for new ones */

/* The connection enters a phase now, which its limit counts from. In the header because every
 * request does so four times. */
static inline void conn_phase(struct conn *c, enum conn_phase phase)
{
  atomic_store(&c->since_ms, clock_mono_ms());
  atomic_store(&c->phase, phase);
}

/* MHD_OPTION_NOTIFY_CONNECTION of a listener, `cls`: makes a conn, or frees it. One that would come
 * into the reserve first ends the most dispensable other one. */
void conn_on_notify(void *cls, struct MHD_Connection *connection, void **context,
                    enum MHD_ConnectionNotificationCode code);
/* MHD_OPTION_URI_LOG_CALLBACK: a request line is being read. Returns NULL. */
void *conn_on_request_line(void *cls, const char *uri, struct MHD_Connection *connection);

/* Ends connections that are too slow at `now` (clock_mono_ms()), and those whose client has gone.
 * The lock is held. */
void conns_cut_slow(struct listener *l, int64_t now);
/* Whether a crowd has left since it was last asked, so that what it used can go back to the system.
 * The lock is held. */
bool conns_crowd_has_left(struct listener *l);

#endif
