/* The one host that credentials may be sent to without TLS. */
#include "auth-svc/credential/open_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "auth-svc/credential/exchange.h"
#include "common/base/config.h"
#include "common/base/mem.h"

enum { HOST_MAX = 253 };

/* A name may end in the dot of the root. */
static size_t length_of(const char *host)
{
  size_t n = strlen(host);
  while (n > 0 && host[n - 1] == '.')
    n--;
  return n;
}

static bool ends_in(const char *host, size_t len, const char *suffix)
{
  size_t n = strlen(suffix);
  return len >= n && strncasecmp(host + len - n, suffix, n) == 0;
}

const char *open_host_problem(const char *host)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                 "0123456789.-";
  /* Those whose credentials are real. */
  static const char *const never[] = {"googleapis.com", "google.com", "google.internal",
                                      "amazonaws.com"};
  size_t n = length_of(host);
  if (n == 0 || n > HOST_MAX || strspn(host, alphabet) != strlen(host))
    return "must be the name of one host, without scheme, port or wildcard, such as ga4-sim";
  for (size_t i = 0; i < ARRAY_LEN(never); i++)
    if (ends_in(host, n, never[i]))
      return "must not be a host of Google or AWS: it is for a simulator only";
  return NULL;
}

bool open_host_allows(const char *name)
{
  const char *host = config_text("AUTH_ALLOW_HTTP_TOKEN_HOST");
  if (host == NULL || open_host_problem(host) != NULL)
    return false;
  size_t n = length_of(host);
  return n == length_of(name) && strncasecmp(host, name, n) == 0;
}

bool open_host_name(const char *host, char *out, size_t size)
{
  bool v6 = *host == '[';
  host += v6;
  size_t n = strcspn(host, v6 ? "]" : ":");
  return n > 0 && (size_t)snprintf(out, size, "%.*s", (int)n, host) < size;
}

bool open_host_url_is_whole(const char *url)
{
  const char *host = strstr(url, "://");
  if (host == NULL)
    return false;
  host += 3;
  const char *end = host + strcspn(host, "/?#");
  const char *p = host + (*host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":[]/?#"));
  if (p > end || (*host == '[' && p == host + 2))
    return false;
  size_t digits = *p == ':' ? strspn(p + 1, "0123456789") : 0;
  return p == end || (digits >= 1 && digits <= 5 && p + 1 + digits == end);
}

bool open_host_url_is_safe(const char *url)
{
  char host[256], name[256];
  if (!url_host(url, host, sizeof(host)) || !open_host_name(host, name, sizeof(name)))
    return false;
  return strncasecmp(url, "https:", 6) == 0 || config_host_is_loopback(name) ||
         open_host_allows(name);
}
