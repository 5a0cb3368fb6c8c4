/* URLs: checking a configured endpoint and putting a request's URL together. */
#ifndef AMCP_HTTP_URL_H
#define AMCP_HTTP_URL_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/error.h"

/* Whether a text can serve as an endpoint: http or https, a host, perhaps a port and a path;
 * no user, query or fragment. Otherwise ERR_INVALID_ARGUMENT with "NAME: ..." where name says
 * where the text comes from ("GA4_DATA_ENDPOINT"). */
enum err_code url_valid_endpoint(const char *name, const char *endpoint, struct err *e);

/* Whether the endpoint is plain http to a host that is not loopback: tokens would travel in
 * the open. */
bool url_is_exposed(const char *endpoint);

/* Appends endpoint and path with exactly one slash between them. The path is taken as it is:
 * encode what comes from outside with url_put_segment(). False when out is full. */
bool url_join(struct buf *out, const char *endpoint, const char *path);

/* Appends one path segment or query value, percent-encoded (a slash too). */
bool url_put_segment(struct buf *out, const char *segment);

/* Appends name=value to a query, both encoded, with ? or & before it as out needs. */
bool url_put_query(struct buf *out, const char *name, const char *value);

#endif
