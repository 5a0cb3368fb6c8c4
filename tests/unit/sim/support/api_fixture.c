/* Signs a dealer in and calls the API handler. */
#include "tests/unit/sim/support/api_fixture.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"

static void sign_in(size_t dealer, char *out, size_t size)
{
  char token[TOKEN_MAX_BYTES];
  const struct token t = {.identity = (int64_t)dealer,
                          .expires_unix_s = now_s() + 600,
                          .scopes = SCOPE_ANALYTICS_READONLY,
                          .kind = TOKEN_USER};
  tokens_issue(&identity_sim()->tokens, &t, token, sizeof(token));
  snprintf(out, size, "Bearer %s", token);
}

struct answer api(size_t dealer, const char *path, const char *body, const char *const *query)
{
  char bearer[TOKEN_MAX_BYTES + 8];
  const char *headers[12] = {"Authorization", bearer};
  size_t version = strcspn(path, " ");
  sign_in(dealer, bearer, sizeof(bearer));
  for (size_t i = 0; query != NULL && query[i] != NULL && i < 8; i++)
    headers[i + 2] = query[i];
  AUTO_FREE char *full =
      xasprintf("/%.*s/properties/%s%s", (int)version, path,
                identity_sim()->world->properties[dealer].id_text, path + version + 1);
  return body == NULL ? call("GET", full, NULL, headers)
                      : call("POST", full, fixture_json(body), headers);
}

const char *api_refusal(size_t dealer, const char *path, const char *body, const char *const *query)
{
  static char out[2048];
  AUTO_ANSWER struct answer a = api(dealer, path, body, query);
  snprintf(out, sizeof(out), "%s", member(&a, "error.message"));
  CU_ASSERT_EQUAL(a.status == 200, out[0] == '\0');
  return out;
}
