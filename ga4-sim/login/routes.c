/* Which identity endpoint a request is for. */
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/login/login.h"

static const struct {
  const char *method; /* NULL: any */
  const char *begin, *end;
  void (*handle)(struct sim *s, const struct request *q, struct reply *r);
} routes[] = {
    {"POST", "/v1/token", "", sts_token},
    {"POST", "/sts/v1/token", "", sts_token},
    {NULL, "/latest/", NULL, imds},
    {NULL, "/computeMetadata/", NULL, metadata_server},
    {NULL, "/computeMetadata", "", metadata_server},
    {"GET", "/", "", metadata_server},
    {"POST", "/v1/projects/-/serviceAccounts/", ":generateAccessToken", iam_generate_access_token},
    {"GET", "/.well-known/openid-configuration", "", oidc_discovery},
    {"GET", "/openid/v1/jwks", "", oidc_keys},
    {NULL, "/revoke", "", oauth_revoke},
    {NULL, "/tokeninfo", "", oauth_tokeninfo},
    {"GET", "/o/oauth2/v2/auth", "", consent_screen},
    {"POST", "/o/oauth2/v2/decide", "", consent_decide},
    {"GET", "/o/oauth2/v2/style.css", "", consent_style},
    /* Last: Google has had the token endpoint under several paths. */
    {"POST", "/", "/token", oauth_token},
    {"POST", "/token", "", oauth_token},
};

/* end "": the path is `begin`; NULL: it only begins so; else it ends so too. */
static bool matches(size_t i, const struct request *q)
{
  size_t n = strlen(q->path), begin = strlen(routes[i].begin);
  if (routes[i].method != NULL && strcmp(routes[i].method, q->method) != 0)
    return false;
  if (strncmp(q->path, routes[i].begin, begin) != 0)
    return false;
  if (routes[i].end == NULL)
    return true;
  size_t end = strlen(routes[i].end);
  return end == 0 ? n == begin : n >= begin + end && strcmp(q->path + n - end, routes[i].end) == 0;
}

bool identity_handle(struct sim *s, const struct request *q, struct reply *r)
{
  for (size_t i = 0; i < ARRAY_LEN(routes); i++)
    if (matches(i, q)) {
      routes[i].handle(s, q, r);
      return true;
    }
  return false;
}
