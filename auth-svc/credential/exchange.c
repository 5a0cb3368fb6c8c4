/* Asks a token endpoint. */
#include "auth-svc/credential/exchange.h"

#include <string.h>
#include <strings.h>

#include "common/base/codec.h"
#include "common/base/mem.h"

enum { FORM_MAX = 64 * 1024, TIMEOUT_MS = 10000 };

/* What the answer is read with; made for one question. */
struct exchange {
  enum grant_kind grant;
  char host[256];
  size_t n_secrets;
  struct form_field form[12]; /* names are static, values point into secrets */
  struct secret *secrets[12];
};

bool url_host(const char *url, char *out, size_t size)
{
  const char *host = strncasecmp(url, "https://", 8) == 0  ? url + 8
                     : strncasecmp(url, "http://", 7) == 0 ? url + 7
                                                           : NULL;
  if (host == NULL)
    return false;
  size_t n = strcspn(host, "/?#");
  if (n == 0 || n >= size || memchr(host, '@', n) != NULL)
    return false;
  memcpy(out, host, n);
  out[n] = '\0';
  return true;
}

static void exchange_free(struct exchange *x)
{
  for (size_t i = 0; i < x->n_secrets; i++)
    secret_unref(x->secrets[i]);
  free(x);
}

static void read_reply(const void *source, const struct secret *proof,
                       const struct http_response *response, struct token_reply *out)
{
  struct exchange *x = (struct exchange *)(uintptr_t)source;
  (void)proof;
  token_reply_read(out, response, x->host, x->grant, x->form, x->n_secrets);
  exchange_free(x);
}

bool form_write(struct buf *out, const struct form_field *form, size_t n)
{
  for (size_t i = 0; i < n; i++) {
    if (i > 0)
      buf_putc(out, '&');
    percent_encode(out, form[i].name, strlen(form[i].name));
    buf_putc(out, '=');
    percent_encode(out, form[i].value, strlen(form[i].value));
  }
  return !out->failed;
}

static struct exchange *exchange_new(enum grant_kind grant, const struct form_field *form, size_t n)
{
  struct exchange *x = xcalloc(1, sizeof(*x));
  x->grant = grant;
  for (size_t i = 0; i < n && i < ARRAY_LEN(x->form); i++) {
    x->secrets[i] = secret_from(form[i].value);
    x->form[i] = (struct form_field){form[i].name, secret_text(x->secrets[i]), form[i].open};
    x->n_secrets++;
  }
  return x;
}

enum err_code token_exchange_start(const struct token_env *env, const char *url,
                                   enum grant_kind grant, const struct form_field *form, size_t n,
                                   token_done *done, void *user, struct err *e)
{
  bool google_oauth =
      grant == GRANT_REFRESH_TOKEN || grant == GRANT_REFRESH_SOURCE || grant == GRANT_JWT_BEARER;
  const char *endpoint = google_oauth && env->endpoint != NULL ? env->endpoint : url;
  AUTO_BUF struct buf body = BUF_SECRET(FORM_MAX);
  if (!form_write(&body, form, n))
    return err_set(e, ERR_INVALID_ARGUMENT, "credential_too_long",
                   "the credential is longer than a token endpoint takes");
  struct exchange *x = exchange_new(grant, form, n);
  if (!url_host(endpoint, x->host, sizeof(x->host))) {
    exchange_free(x);
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_token_uri", "token_uri: not an http(s) URL");
  }
  const struct http_header headers[] = {{"Content-Type", "application/x-www-form-urlencoded"},
                                        {"Accept", "application/json"}};
  const struct http_request request = {
      .method = "POST",
      .url = endpoint,
      .headers = headers,
      .n_headers = ARRAY_LEN(headers),
      .body = body.data,
      .body_len = body.len,
      .timeout_ms = env->timeout_ms != 0 ? env->timeout_ms : TIMEOUT_MS,
      .max_response_bytes = TOKEN_RESPONSE_MAX,
  };
  enum err_code code = token_ask(env, request, read_reply, x, NULL, done, user, e);
  if (code != ERR_OK)
    exchange_free(x);
  return code;
}

/* ---------------------------------------------------------------- asking for a token */

struct ask {
  uint32_t magic;
  token_ask_read *read;
  const void *source;
  struct secret *proof;
  token_done *done;
  void *user;
};

enum { ASK_MAGIC = 0x67657474 };

static void ask_free(struct ask *a)
{
  secret_unref(a->proof);
  free(a);
}

static void on_answer(void *user, const struct http_response *response)
{
  struct ask *a = user;
  MAGIC_CHECK(a, ASK_MAGIC);
  struct token_reply reply = {0};
  a->read(a->source, a->proof, response, &reply);
  a->done(a->user, &reply);
  token_reply_clear(&reply);
  ask_free(a);
}

enum err_code token_ask(const struct token_env *env, struct http_request request,
                        token_ask_read *read, const void *source, struct secret *proof,
                        token_done *done, void *user, struct err *e)
{
  struct ask *a = xcalloc(1, sizeof(*a));
  *a = (struct ask){ASK_MAGIC, read, source, secret_ref(proof), done, user};
  if (env->timeout_ms != 0 && env->timeout_ms < request.timeout_ms)
    request.timeout_ms = env->timeout_ms;
  request.on_done = on_answer;
  request.user = a;
  enum err_code code = http_client_send(NULL, env->http, &request, e);
  if (code != ERR_OK)
    ask_free(a);
  return code;
}
