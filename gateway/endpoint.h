/* The gateway's HTTP surface: which path is what, who may come in, and the way of a posted
 * message from bytes to the protocol and back. */
#ifndef AMCP_GATEWAY_ENDPOINT_H
#define AMCP_GATEWAY_ENDPOINT_H

#include "gateway/access/access.h"
#include "gateway/access/resource.h"
#include "gateway/http/listener.h"
#include "gateway/http/policy.h"
#include "gateway/mcp/server.h"

/* A backend whose readiness /health shows. */
struct endpoint_backend {
  const char *name;
  bool (*ready)(void *arg);
  void *arg;
};

/* Everything is borrowed and outlives the listener. */
struct endpoint {
  struct access *access;
  bool auth_enabled;
  struct mcp_server *mcp;
  struct resource *resource;
  struct origins *origins;
  const struct endpoint_backend *backends;
  size_t n_backends;
  struct shares *shares; /* NULL: nobody is limited */
  const char *trusted_subject; /* whose X-User-ID names the person; NULL or "": nobody's */
};

/* Hooks for the listener; user is the endpoint. */
void endpoint_on_head(struct exchange *x, void *user);
void endpoint_on_request(struct exchange *x, void *user);
void endpoint_on_refusal(struct exchange *x, void *user);
void endpoint_on_tick(void *user);
void endpoint_on_grace_over(void *user);

#endif
