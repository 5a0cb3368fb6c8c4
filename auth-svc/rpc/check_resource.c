/* CheckResource: whether the gateway and auth-svc mean the same public URL.
 *
 * Clients get their tokens for the URL that the gateway's metadata names. Where every issuer's
 * tokens must be for another, nobody could sign in; audiences that the issuers file names are the
 * operator's word, since some providers write the client's id there. */
#include <string.h>

#include "auth-svc/rpc/internal.h"

/* Whether AUTH_JWT_* accepts any token. */
static bool has_own_keys(const struct service *s, const struct snapshot *config)
{
  return s->options.jwks != NULL || config->trust.jwt_keys->n > 0;
}

static bool is_accepted(const struct service *s, const struct snapshot *config, const char *url)
{
  const struct issuers *issuers = config->trust.issuers;
  if (has_own_keys(s, config) && strcmp(s->options.bearer.jwt.audience, url) == 0)
    return true;
  for (size_t i = 0; i < issuers->n; i++) {
    const struct issuer *x = &issuers->items[i];
    if (x->own_audiences || strcmp(x->audiences.items[0], url) == 0)
      return true;
  }
  return false;
}

static enum err_code check(const struct service *s, struct rpc_call *call,
                           const struct snapshot *config, const char *url, struct err *e)
{
  if (service_check_peer(call, s->options.gateway_identity, e) != ERR_OK)
    return e->code;
  if (!s->options.bearer.enabled || is_accepted(s, config, url))
    return ERR_OK;
  const struct issuers *issuers = config->trust.issuers;
  bool own = has_own_keys(s, config);
  if (!own && issuers->n == 0)
    return err_set(e, ERR_FAILED_PRECONDITION, "other_resource",
                   "auth-svc takes no signed tokens, although the gateway sends clients to an "
                   "authorization server: set AUTH_ISSUERS_FILE, or AUTH_JWT_ISSUER and a key");
  return err_set(e, ERR_FAILED_PRECONDITION, "other_resource",
                 "auth-svc takes tokens made for \"%.100s\", not for \"%.200s\": set "
                 "ANALYTICS_MCP_RESOURCE_URL of gateway and auth-svc to the same, and leave "
                 "AUTH_JWT_AUDIENCE out",
                 own ? s->options.bearer.jwt.audience : issuers->items[0].audiences.items[0], url);
}

void service_check_resource(struct rpc_call *call, const ProtobufCMessage *message, void *user)
{
  struct service *s = service_of(user);
  AUTO_SNAPSHOT struct snapshot *config = snapshot_current(s->options.config);
  const Analytics__Auth__V1__CheckResourceRequest *request = (const void *)message;
  Analytics__Auth__V1__CheckResourceResponse response =
      ANALYTICS__AUTH__V1__CHECK_RESOURCE_RESPONSE__INIT;
  const struct facts facts = {.event = "check_resource"};
  struct err e = {0};
  check(s, call, config, request->resource, &e);
  service_end_call(s, call, &facts, &response.base, &e);
}
