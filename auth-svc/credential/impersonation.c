/* IAM Credentials' generateAccessToken. */
#include "auth-svc/credential/impersonation.h"

#include <stdio.h>
#include <string.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/secret/json.h"
#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { ANSWER_MAX = 64 * 1024, TIMEOUT_MS = 10000 };

struct impersonation {
  char *url;
  char *account; /* email in the URL, for messages; "" when it has none */
  char *body;    /* the same for every call; no secret */
  int64_t life_s;
  uint8_t fingerprint[SHA256_SIZE];
};

static char *make_body(const char *scope, int64_t life_s, const char *const *delegates, size_t n)
{
  AUTO_JSON cJSON *body = cJSON_CreateObject();
  char lifetime[WHOLE_TEXT + 1];
  snprintf(lifetime, sizeof(lifetime), "%llds", (long long)life_s);
  cJSON_AddItemToObject(body, "scope", cJSON_CreateStringArray(&scope, 1));
  cJSON_AddStringToObject(body, "lifetime", lifetime);
  cJSON *list = n > 0 ? cJSON_AddArrayToObject(body, "delegates") : NULL;
  for (size_t i = 0; i < n; i++) {
    bool whole = strncmp(delegates[i], "projects/", 9) == 0;
    AUTO_FREE char *name =
        xasprintf("%s%s", whole ? "" : "projects/-/serviceAccounts/", delegates[i]);
    cJSON_AddItemToArray(list, cJSON_CreateString(name));
  }
  return cJSON_PrintUnformatted(body);
}

/* ".../serviceAccounts/EMAIL:generateAccessToken" */
static char *account_of(const char *url)
{
  const char *at = strstr(url, "/serviceAccounts/");
  if (at == NULL)
    return xstrdup("");
  at += strlen("/serviceAccounts/");
  return xstrndup(at, strcspn(at, ":/?"));
}

struct impersonation *impersonation_new(const char *url, const char *scope, int64_t life_s,
                                        const char *const *delegates, size_t n_delegates)
{
  struct impersonation *m = xcalloc(1, sizeof(*m));
  m->url = xstrdup(url);
  m->account = account_of(url);
  m->life_s = life_s != 0 ? life_s : IMPERSONATION_LIFE_S;
  m->body = make_body(scope, m->life_s, delegates, n_delegates);
  credential_digest(m->fingerprint, (const char *const[]){m->url, m->body}, 2);
  return m;
}

void impersonation_free(struct impersonation *m)
{
  if (m == NULL)
    return;
  free(m->url);
  free(m->account);
  free(m->body);
  free(m);
}

const uint8_t *impersonation_fingerprint(const struct impersonation *m)
{
  return m->fingerprint;
}

/* ------------------------------------------------------------------- the answer */

/* Our clock may be wrong: the answer counts up to what was asked for, and a time that is over
 * or missing counts as unknown. */
static int64_t life_left(const struct impersonation *m, const char *expire_time)
{
  int64_t at = 0;
  if (expire_time == NULL || !clock_parse_rfc3339(expire_time, &at))
    return TOKEN_LIFE_UNKNOWN_S;
  int64_t left = (at - clock_unix_ms()) / 1000;
  if (left < 1)
    return TOKEN_LIFE_UNKNOWN_S;
  return left < m->life_s ? left : m->life_s;
}

static void read_token(const struct impersonation *m, const struct http_response *r,
                       const char *who, struct token_reply *reply)
{
  static const char reason[] = "token_endpoint_unavailable";
  AUTO_WIPED_JSON cJSON *body = answer_object(reply, r, reason, who);
  if (body == NULL)
    return;
  const char *token = json_get_string(body, "accessToken");
  if (!answer_is_token(token)) {
    answer_passing(reply, r, reason, who, "answered without a usable accessToken");
    return;
  }
  reply->outcome = TOKEN_OBTAINED;
  reply->access_token = secret_from(token);
  reply->expires_in_s = life_left(m, json_get_string(body, "expireTime"));
}

static void read_answer(const void *source, const struct secret *proof,
                        const struct http_response *r, struct token_reply *reply)
{
  const struct impersonation *m = source;
  static const char reason[] = "token_endpoint_unavailable";
  char host[256] = "";
  const struct form_field secret = {"token", secret_text(proof), false};
  url_host(m->url, host, sizeof(host));
  AUTO_FREE char *who = xasprintf("IAM Credentials %s", host);
  AUTO_FREE char *what = xasprintf("to impersonate %.200s", m->account);
  if (answer_lost(reply, r, reason, who, "64 KiB"))
    return;
  if (r->status == 200) {
    read_token(m, r, who, reply);
  } else if (!answer_google_error(reply, r, who, what,
                                  r->status == 401
                                      ? "the token of the step before was not accepted"
                                      : "give the caller roles/iam.serviceAccountTokenCreator (a "
                                        "federated identity: roles/iam.workloadIdentityUser) on "
                                        "it, enable iamcredentials.googleapis.com, check "
                                        "service_account_impersonation_url",
                                  &secret, 1)) {
    answer_passing(reply, r, reason, who, "answered HTTP %d", r->status);
  }
}

enum err_code impersonation_start(const struct impersonation *m, const struct token_env *env,
                                  struct secret *token, token_done *done, void *user, struct err *e)
{
  AUTO_BUF struct buf bearer = BUF_SECRET(TOKEN_MAX_BYTES + 16);
  if (buf_reserve(&bearer, secret_len(token) + 8) == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "credential_too_long",
                   "the token to impersonate with is too long");
  buf_printf(&bearer, "Bearer %s", secret_text(token));
  const struct http_header headers[] = {{"Authorization", buf_str(&bearer)},
                                        {"Content-Type", "application/json"},
                                        {"Accept", "application/json"}};
  const struct http_request request = {
      .method = "POST",
      .url = m->url,
      .headers = headers,
      .n_headers = ARRAY_LEN(headers),
      .body = m->body,
      .body_len = strlen(m->body),
      .timeout_ms = env->timeout_ms != 0 ? env->timeout_ms : TIMEOUT_MS,
      .max_response_bytes = ANSWER_MAX,
  };
  return token_ask(env, request, read_answer, m, token, done, user, e);
}
