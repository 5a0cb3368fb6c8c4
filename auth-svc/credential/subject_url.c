/* Subject tokens from a URL: the local identity endpoint of a platform. */
#include <string.h>
#include <strings.h>

#include "auth-svc/credential/answer.h"
#include "auth-svc/credential/subject_token.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

enum { LOCAL_TIMEOUT_MS = 5000 };

struct url_source {
  struct subject_source base;
  char *url;
  char *json_field; /* NULL: the whole text */
  size_t n_headers;
  struct http_header headers[SUBJECT_MAX_HEADERS]; /* values point into the secrets */
  struct secret *values[SUBJECT_MAX_HEADERS];
};

static void read_answer(const void *source, const struct secret *proof,
                        const struct http_response *r, struct token_reply *reply)
{
  (void)proof;
  const struct url_source *s = source;
  static const char reason[] = "subject_token_unavailable";
  char host[256] = "";
  const char *why = NULL;
  url_host(s->url, host, sizeof(host));
  AUTO_FREE char *who = xasprintf("the token's endpoint %s (credential_source.url)", host);
  if (answer_lost(reply, r, reason, who, "64 KiB"))
    return;
  if (answer_busy(reply, r, reason, who))
    return;
  if (r->status != 200) {
    answer_operator_fault(reply, "subject_token_refused",
                          "%s answered HTTP %d; check credential_source.url and its headers", who,
                          r->status);
  } else if (!subject_extract(&reply->access_token, r->body, r->body_len, s->json_field, &why)) {
    answer_operator_fault(reply, "subject_token_unusable", "the answer of %s %s", who, why);
  } else {
    reply->outcome = TOKEN_OBTAINED;
  }
}

static enum err_code obtain(const struct subject_source *base, const struct token_env *env,
                            token_done *done, void *user, struct err *e)
{
  const struct url_source *s = (const void *)base;
  const struct http_request request = {
      .method = "GET",
      .url = s->url,
      .headers = s->headers,
      .n_headers = s->n_headers,
      .timeout_ms = LOCAL_TIMEOUT_MS,
      .max_response_bytes = SUBJECT_SOURCE_MAX,
      .no_proxy = strncasecmp(s->url, "http:", 5) == 0,
  };
  return token_ask(env, request, read_answer, s, NULL, done, user, e);
}

static void destroy(struct subject_source *base)
{
  struct url_source *s = (void *)base;
  for (size_t i = 0; i < s->n_headers; i++) {
    free(borrow_text(s->headers[i].name));
    secret_unref(s->values[i]);
  }
  free(s->url);
  free(s->json_field);
  free(s);
}

static const struct subject_kind kind = {GRANT_STS_URL, obtain, destroy};

struct subject_source *subject_from_url(const char *url, const struct http_header *headers,
                                        size_t n_headers, const char *json_field)
{
  struct url_source *s = xcalloc(1, sizeof(*s));
  const char *parts[3 + 2 * SUBJECT_MAX_HEADERS] = {"url", url, json_field};
  size_t n = 3;
  s->base.kind = &kind;
  s->url = xstrdup(url);
  s->json_field = xstrdup(json_field);
  for (size_t i = 0; i < n_headers && i < SUBJECT_MAX_HEADERS; i++) {
    s->values[i] = secret_from(headers[i].value);
    s->headers[i] = (struct http_header){xstrdup(headers[i].name), secret_text(s->values[i])};
    parts[n++] = headers[i].name;
    parts[n++] = headers[i].value;
    s->n_headers++;
  }
  credential_digest(s->base.fingerprint, parts, n);
  return &s->base;
}
