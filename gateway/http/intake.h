/* How a request comes in: libmicrohttpd's handlers from its head to its end. Inside of
 * gateway/http.
 *
 * `cls` is the listener, `*con_cls` the exchange: made with the head, and left to whoever answers
 * it when the request has ended. What is wrong with a request is answered here (400, 413, 417, 431,
 * 503); the rest goes to the listener's on_head and on_request. Both handlers run on the
 * connection's own thread. */
#ifndef AMCP_GATEWAY_HTTP_INTAKE_H
#define AMCP_GATEWAY_HTTP_INTAKE_H

#include "gateway/http/internal.h"

/* The head, then each part of the body, then once the request is whole. MHD_NO closes the
 * connection. */
enum MHD_Result intake_on_access(void *cls, struct MHD_Connection *c, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *size, void **con_cls);
/* The request has ended, answered or not: it is counted, logged, and leaves the listener's list. */
void intake_on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
                         enum MHD_RequestTerminationCode code);

#endif
