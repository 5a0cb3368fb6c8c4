/* URLs of credentials. */
#include "auth-svc/credential/reader.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "auth-svc/credential/exchange.h"
#include "auth-svc/credential/open_host.h"

/* Link-local, where clouds have their metadata servers; AWS has one in fd00:ec2::/32 too. */
static bool is_metadata_address(const char *name)
{
  struct in_addr v4;
  if (inet_pton(AF_INET, name, &v4) == 1)
    return ntohl(v4.s_addr) >> 16 == 0xa9fe;
  return strcasecmp(name, "fd00:ec2::254") == 0;
}

static enum err_code check_url(const struct field_at *p, const char *key, const char *url,
                               bool metadata)
{
  char host[256], name[256];
  if (!open_host_url_is_whole(url))
    return field_refuse(p, key, "must be an https URL, such as https://host.example:443/path");
  if (strchr(url, ' ') != NULL || !url_host(url, host, sizeof(host)) ||
      !open_host_name(host, name, sizeof(name)))
    return field_refuse(p, key, "must be an https URL");
  if (!open_host_url_is_safe(url) && !(metadata && is_metadata_address(name)))
    return field_refuse(p, key,
                        "must be an https URL: secrets would travel in the clear to %.100s (plain "
                        "http is for loopback%s, and for a simulator that "
                        "AUTH_ALLOW_HTTP_TOKEN_HOST names)",
                        name, metadata ? " and metadata addresses" : "");
  return ERR_OK;
}

enum err_code field_secure_url(const struct field_at *p, const char *key, const char *url)
{
  return check_url(p, key, url, false);
}

enum err_code field_metadata_url(const struct field_at *p, const char *key, const char *url)
{
  return check_url(p, key, url, true);
}
