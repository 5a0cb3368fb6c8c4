/* Text in HTML. */
#ifndef AMCP_GATEWAY_HTTP_HTML_H
#define AMCP_GATEWAY_HTTP_HTML_H

#include "common/base/buf.h"

/* Appends text that holds no markup afterwards, in element content and in quoted attributes. NULL:
 * nothing. */
void html_put(struct buf *out, const char *text);

#endif
