/* Asks a token endpoint and reads its answer. */
#include "auth-svc/token_exchange.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/json.h"
#include "common/base/mem.h"

enum { EXCHANGE_MAGIC = 0x7458e001, FORM_MAX = 32 * 1024, RETRY_AFTER_MAX_MS = 300 * 1000 };

struct exchange {
  uint32_t magic;
  enum grant_kind grant;
  token_done *done;
  void *user;
  char host[256];
  size_t n_secrets;
  struct form_field form[8]; /* names are static, values point into secrets */
  struct secret *secrets[8];
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

/* ---------------------------------------------------------------- the answer */

static bool repeats_a_value(const char *text, const struct form_field *form, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (strlen(form[i].value) >= 6 && strcmp(form[i].name, "grant_type") != 0 &&
        strstr(text, form[i].value) != NULL)
      return true;
  return false;
}

/* A text of the server for a message: printable, short, without what we sent. */
static void quote(char *out, size_t size, const char *text, const struct form_field *form, size_t n)
{
  size_t len = 0;
  out[0] = '\0';
  if (text == NULL || repeats_a_value(text, form, n))
    return;
  for (; *text != '\0' && len + 1 < size; text++)
    out[len++] = (char)(*text >= 0x20 && *text < 0x7f ? *text : '?');
  out[len] = '\0';
}

/* OAuth's error codes are lower_snake_case words; nothing else becomes a reason. */
static bool is_error_code(const char *s)
{
  size_t n = s != NULL ? strspn(s, "abcdefghijklmnopqrstuvwxyz_") : 0;
  return n > 0 && n < 40 && s[n] == '\0';
}

static uint32_t parse_retry_after(const char *s)
{
  if (s == NULL || !isdigit((unsigned char)s[0]))
    return 0;
  unsigned long seconds = strtoul(s, NULL, 10);
  return seconds > RETRY_AFTER_MAX_MS / 1000 ? RETRY_AFTER_MAX_MS : (uint32_t)seconds * 1000;
}

static void passing(struct token_reply *out, const struct http_response *r, const char *host,
                    const char *what)
{
  out->outcome = TOKEN_PASSING;
  out->retry_after_ms = parse_retry_after(r->retry_after);
  err_set(&out->error, ERR_UNAVAILABLE, "token_endpoint_unavailable", "token endpoint %s %s", host,
          what);
}

static void refused(struct token_reply *out, const char *host, const char *code, const char *detail,
                    enum grant_kind grant)
{
  const char *open = *detail != '\0' ? " (" : "", *close = *detail != '\0' ? ")" : "";
  if (strcmp(code, "invalid_grant") == 0 && grant == GRANT_REFRESH_TOKEN) {
    out->outcome = TOKEN_NEEDS_CONSENT;
    err_set(&out->error, ERR_FAILED_PRECONDITION, "invalid_grant",
            "dealer must re-consent: %s refused the refresh token%s%s%s; put the new refresh token "
            "into the dealers file and restart",
            host, open, detail, close);
    return;
  }
  out->outcome = TOKEN_OPERATOR_FAULT;
  const char *remedy =
      grant == GRANT_JWT_BEARER
          ? "check the service account's key and the clock of this machine"
          : "check client_id and client_secret of the OAuth client; the dealer's consent is not "
            "the cause";
  err_set(&out->error, ERR_FAILED_PRECONDITION, code, "%s: %s refused this installation%s%s%s; %s",
          code, host, open, detail, close, remedy);
}

static void read_error(struct token_reply *out, const struct http_response *r, const char *host,
                       enum grant_kind grant, const struct form_field *form, size_t n)
{
  static const char *const transient[] = {"temporarily_unavailable", "server_error",
                                          "internal_failure", "rate_limit_exceeded", "slow_down"};
  AUTO_JSON cJSON *body = NULL;
  if (json_parse(&body, r->body, r->body_len, NULL, NULL) != ERR_OK)
    body = NULL;
  const char *code = body != NULL ? json_get_string(body, "error") : NULL;
  bool known = is_error_code(code);
  bool again = r->status == 429 || r->status >= 500 || !known ||
               (r->status == 403 && strcmp(code, "invalid_grant") != 0);
  for (size_t i = 0; known && i < ARRAY_LEN(transient); i++)
    again = again || strcmp(code, transient[i]) == 0;
  char detail[160];
  quote(detail, sizeof(detail), body != NULL ? json_get_string(body, "error_description") : NULL,
        form, n);
  if (again) {
    AUTO_FREE char *what =
        xasprintf("answered HTTP %d%s%s%s", r->status, known ? " " : "", known ? code : "",
                  r->status == 404 ? "; check oauth.token_uri" : "");
    passing(out, r, host, what);
  } else {
    refused(out, host, code, detail, grant);
  }
}

/* Seconds of life. Numbers and numeric strings; what makes no sense counts as unknown. */
static int64_t read_expires_in(const cJSON *body)
{
  const cJSON *v = cJSON_GetObjectItemCaseSensitive(body, "expires_in");
  double s = cJSON_IsNumber(v) ? v->valuedouble : NAN;
  if (cJSON_IsString(v)) {
    char *end = NULL;
    s = strtod(v->valuestring, &end);
    if (end == v->valuestring || *end != '\0')
      s = NAN;
  }
  if (isnan(s) || s < 1)
    return TOKEN_LIFE_UNKNOWN_S;
  return s > TOKEN_LIFE_MAX_S ? TOKEN_LIFE_MAX_S : (int64_t)s;
}

/* A token goes into an HTTP header: visible ASCII only (RFC 6750 §2.1). */
static bool usable_token(const char *s)
{
  size_t n = s != NULL ? strnlen(s, TOKEN_MAX_BYTES + 1) : 0;
  if (n == 0 || n > TOKEN_MAX_BYTES)
    return false;
  for (size_t i = 0; i < n; i++)
    if (s[i] <= 0x20 || s[i] >= 0x7f)
      return false;
  return true;
}

static void wipe_strings(cJSON *j)
{
  for (cJSON *c = j != NULL ? j->child : NULL; c != NULL; c = c->next)
    if (cJSON_IsString(c))
      mem_wipe(c->valuestring, strlen(c->valuestring));
}

static void read_token(struct token_reply *out, const struct http_response *r, const char *host)
{
  AUTO_JSON cJSON *body = NULL;
  if (json_parse(&body, r->body, r->body_len, NULL, NULL) != ERR_OK || !cJSON_IsObject(body)) {
    passing(out, r, host, "answered HTTP 200 with something that is not a JSON object");
    return;
  }
  const char *access = json_get_string(body, "access_token");
  const char *refresh = json_get_string(body, "refresh_token");
  const char *type = json_get_string(body, "token_type");
  if (type != NULL && !ascii_case_equal(type, "bearer")) {
    passing(out, r, host, "gave a token that is no bearer token");
  } else if (!usable_token(access)) {
    passing(out, r, host, "answered without a usable access_token; is the scope right?");
  } else {
    out->outcome = TOKEN_OBTAINED;
    out->access_token = secret_from(access);
    out->refresh_token = usable_token(refresh) ? secret_from(refresh) : NULL;
    out->expires_in_s = read_expires_in(body);
  }
  wipe_strings(body);
}

void token_reply_read(struct token_reply *out, const struct http_response *response,
                      const char *host, enum grant_kind grant, const struct form_field *form,
                      size_t n)
{
  *out = (struct token_reply){0};
  if (response->error.code == ERR_DEADLINE_EXCEEDED)
    passing(out, response, host, "did not answer in time");
  else if (response->error.code == ERR_RESOURCE_EXHAUSTED)
    passing(out, response, host, "answered with more than 64 KiB");
  else if (response->error.code == ERR_CANCELLED)
    passing(out, response, host, "was not asked to the end: auth-svc is stopping");
  else if (response->error.code != ERR_OK)
    passing(out, response, host, "could not be reached");
  else if (response->status == 200)
    read_token(out, response, host);
  else
    read_error(out, response, host, grant, form, n);
}

/* -------------------------------------------------------------- the question */

static void exchange_free(struct exchange *x)
{
  for (size_t i = 0; i < x->n_secrets; i++)
    secret_unref(x->secrets[i]);
  free(x);
}

static void on_done(void *user, const struct http_response *response)
{
  struct exchange *x = user;
  MAGIC_CHECK(x, EXCHANGE_MAGIC);
  struct token_reply reply;
  token_reply_read(&reply, response, x->host, x->grant, x->form, x->n_secrets);
  x->done(x->user, &reply);
  token_reply_clear(&reply);
  exchange_free(x);
}

static bool write_form(struct buf *out, const struct form_field *form, size_t n)
{
  /* All at once: a buffer that grows would leave copies of secrets behind. */
  if (buf_reserve(out, FORM_MAX - 1) == NULL)
    return false;
  for (size_t i = 0; i < n; i++) {
    if (i > 0)
      buf_putc(out, '&');
    percent_encode(out, form[i].name, strlen(form[i].name));
    buf_putc(out, '=');
    percent_encode(out, form[i].value, strlen(form[i].value));
  }
  return !out->failed;
}

static struct exchange *exchange_new(enum grant_kind grant, const struct form_field *form, size_t n,
                                     token_done *done, void *user)
{
  struct exchange *x = xcalloc(1, sizeof(*x));
  x->magic = EXCHANGE_MAGIC;
  x->grant = grant;
  x->done = done;
  x->user = user;
  for (size_t i = 0; i < n && i < ARRAY_LEN(x->form); i++) {
    x->secrets[i] = secret_from(form[i].value);
    x->form[i] = (struct form_field){form[i].name, secret_text(x->secrets[i])};
    x->n_secrets++;
  }
  return x;
}

enum err_code token_exchange_start(const struct token_env *env, const char *url,
                                   enum grant_kind grant, const struct form_field *form, size_t n,
                                   token_done *done, void *user, struct err *e)
{
  const char *endpoint = env->endpoint != NULL ? env->endpoint : url;
  AUTO_WIPED_BUF struct buf body = BUF_INIT(FORM_MAX);
  if (!write_form(&body, form, n))
    return err_set(e, ERR_INVALID_ARGUMENT, "credential_too_long",
                   "the credential is longer than a token endpoint takes");
  struct exchange *x = exchange_new(grant, form, n, done, user);
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
      .timeout_ms = env->timeout_ms != 0 ? env->timeout_ms : 10000,
      .max_response_bytes = TOKEN_RESPONSE_MAX,
      .on_done = on_done,
      .user = x,
  };
  enum err_code code = http_client_send(NULL, env->http, &request, e);
  if (code != ERR_OK)
    exchange_free(x);
  return code;
}
