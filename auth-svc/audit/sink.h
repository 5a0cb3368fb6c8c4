/* The audit log's second sink: each line that was written goes to standard output or syslog, too.
 *
 * Whoever reads it may be slow or gone, and no call waits for him: lines wait in a queue of 1 MiB
 * for a thread, and those that find no room, or cannot be delivered, are lost. Lost lines are
 * counted (auth_audit_sink_lines_total{result="lost"}) and logged once a minute; the file has them.
 * Thread-safe. */
#ifndef AMCP_AUTH_AUDIT_SINK_H
#define AMCP_AUTH_AUDIT_SINK_H

#include "auth-svc/audit/audit.h"

enum { AUDIT_SINK_QUEUE_MAX = 1 << 20 };

struct audit_sink;

/* `target` NULL means /dev/log (syslog's socket) or descriptor 1; else it is the path of another
 * socket, or another descriptor in decimal digits, which stays the caller's. Syslog gets facility
 * authpriv, severity info (RFC 3164). A socket that is not there is tried again. UNAVAILABLE: no
 * thread. */
enum err_code audit_sink_new(struct audit_sink **out, enum audit_sink_kind kind, const char *target,
                             struct err *e);
/* Takes a line with its newline; never waits. A NULL sink is fine. */
void audit_sink_offer(struct audit_sink *s, const char *line, size_t len);
/* Gives what waits half a second to get out. NULL is fine. */
void audit_sink_free(struct audit_sink *s);

#endif
