/* The one host that credentials may be sent to without TLS: a simulator that runs under a name of
 * its own, in a container say. AUTH_ALLOW_HTTP_TOKEN_HOST names it; without it plain http goes to
 * loopback only. Where a URL is checked, the environment is asked, like the other variables that
 * credentials read (docs/internals/auth/credential.md). */
#ifndef AMCP_AUTH_OPEN_HOST_H
#define AMCP_AUTH_OPEN_HOST_H

#include <stdbool.h>
#include <stddef.h>

/* What is wrong with a value of the setting (static text); NULL when nothing is. */
const char *open_host_problem(const char *host);
/* Whether the setting names this host; `name` has no port and no brackets. */
bool open_host_allows(const char *name);
/* The name in a "host:port", "[v6]:port" or either without port. False when it does not fit. */
bool open_host_name(const char *host, char *out, size_t size);
/* Whether "host", "host:443" or "[::1]:443" stands before a URL's path: a typing error there shows
 * at the first use otherwise. */
bool open_host_url_is_whole(const char *url);
/* Whether a URL is safe for secrets: https, or http to loopback or to that host. */
bool open_host_url_is_safe(const char *url);

#endif
