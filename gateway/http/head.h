/* Whether the head of a request is written as RFC 9112 has it. libmicrohttpd 0.9.75 takes more: a
 * bare line feed for a line's end, folded lines, NULs and other control characters inside a line.
 * Another reader on the way may see other headers there, or another request. */
#ifndef AMCP_GATEWAY_HTTP_HEAD_H
#define AMCP_GATEWAY_HTTP_HEAD_H

#include <microhttpd.h>
#include <stdbool.h>

/* In the access handler's first call for a request, with the method and version it gives. */
bool head_is_strict(struct MHD_Connection *c, const char *method, const char *version);
#endif
