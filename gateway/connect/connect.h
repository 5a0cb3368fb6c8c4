/* The pages where a dealer connects its website: plain HTML and CSS without script under /connect.
 *
 * No MCP in here and no secret: the steps are auth-svc's (analytics.auth.v1.ConnectService), and
 * what a browser brings (link, session, the query of Google's redirect) is passed on and kept
 * nowhere.
 *
 *   GET  /connect?invite=LINK   whom the link is for, what is asked and why; changes nothing
 *   POST /connect/start         begins: a new session in a cookie, 303 to Google
 *   GET  /connect/callback      Google's redirect: 303 to the next
 *   GET  /connect/consent       account and properties to confirm; later: connected, with figures
 *   POST /connect/again         another account: a new session, 303 to Google
 *   POST /connect/finish        confirms: 303 to /connect/consent
 *   GET  /connect/style.css
 *
 * A POST must come from a page of ours (Sec-Fetch-Site, else Origin). Every answer carries the
 * headers of page.c. Limits count for each address; those for each link are auth-svc's. */
#ifndef AMCP_GATEWAY_CONNECT_H
#define AMCP_GATEWAY_CONNECT_H

#include "common/rpc/rpc.h"
#include "gateway/http/listener.h"

struct connect_options {
  struct rpc_channel *auth;   /* outlives the object */
  const char *url;            /* CONNECT_URL: https, or http to loopback; ends in /connect */
  const char *authorization;  /* URL of Google's consent screen */
  const char *operator_name;  /* who asks, as the pages say it; NULL: "this service" */
  const char *privacy_url;    /* NULL: no link */
  size_t requests_per_minute; /* of one address */
};

struct connect;
/* Errors name the setting. *out is NULL without a URL. */
enum err_code connect_new(struct connect **out, const struct connect_options *options,
                          struct err *e);
/* No request may be under way: stop listener and channel first. NULL is fine. */
void connect_free(struct connect *c);

/* Whether a path is of these pages. */
bool connect_is_path(const char *path);
/* Hooks of the listener for such a path; c NULL: the pages are not served (404). */
void connect_on_head(struct connect *c, struct exchange *x);
void connect_on_request(struct connect *c, struct exchange *x);

#endif
