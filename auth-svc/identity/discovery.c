/* Addresses and content of an issuer's metadata. */
#include "auth-svc/identity/discovery.h"

#include <string.h>
#include <strings.h>

#include "auth-svc/credential/exchange.h"
#include "auth-svc/credential/field.h"
#include "auth-svc/credential/open_host.h"
#include "common/base/config.h"
#include "common/base/json.h"

bool discovery_url_is_safe(const char *url)
{
  char host[256], name[256];
  if (strlen(url) > DISCOVERY_URL_MAX || field_has_control(url) || strchr(url, ' ') != NULL ||
      !open_host_url_is_whole(url) || !url_host(url, host, sizeof(host)) ||
      !open_host_name(host, name, sizeof(name)))
    return false;
  return strncasecmp(url, "https:", 6) == 0 || config_host_is_loopback(name);
}

const char *discovery_issuer_problem(const char *issuer)
{
  if (!discovery_url_is_safe(issuer))
    return "must be an https URL of at most 1024 bytes (http only to a loopback address)";
  return strpbrk(issuer, "?#") != NULL ? "must have no query and no fragment" : NULL;
}

void discovery_put_url(struct buf *out, const char *issuer, bool oauth)
{
  size_t len = strlen(issuer);
  size_t host = (size_t)(strstr(issuer, "://") + 3 - issuer);
  size_t origin = host + strcspn(issuer + host, "/");
  while (len > origin && issuer[len - 1] == '/')
    len--;
  if (oauth) {
    buf_append(out, issuer, origin);
    buf_puts(out, "/.well-known/oauth-authorization-server");
    buf_append(out, issuer + origin, len - origin);
  } else {
    buf_append(out, issuer, len);
    buf_puts(out, "/.well-known/openid-configuration");
  }
}

static enum err_code refuse(struct err *e, const char *why)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "discovery", "the issuer's metadata %s", why);
}

enum err_code discovery_read(struct buf *jwks_uri, const char *issuer, const char *metadata,
                             size_t len, struct err *e)
{
  AUTO_JSON cJSON *root = NULL;
  if (json_parse(&root, metadata, len, NULL, NULL) != ERR_OK || !cJSON_IsObject(root))
    return refuse(e, "is not a JSON object");
  const char *says = json_get_string(root, "issuer"), *uri = json_get_string(root, "jwks_uri");
  if (says == NULL || strcmp(says, issuer) != 0)
    return refuse(e,
                  "names another issuer; write the issuer in AUTH_ISSUERS_FILE letter for letter "
                  "as its metadata does, with or without a slash at the end");
  if (uri == NULL || !discovery_url_is_safe(uri))
    return refuse(e, "has no jwks_uri with https");
  return buf_puts(jwks_uri, uri) ? ERR_OK : refuse(e, "has a jwks_uri that is too long");
}
