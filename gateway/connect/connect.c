/* Routes of the pages, what may come in, and what a request brings. */
#include "gateway/connect/connect.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/config.h"
#include "common/base/mem.h"
#include "gateway/connect/internal.h"

#define PREFIX "/connect"

enum { BODY_MAX = 16 * 1024 };

struct visit_kind {
  const char *path; /* behind the prefix */
  const char *method;
  visit_run *run;
  bool with_session; /* without its cookie it is session_over at once */
};

static const struct visit_kind kinds[] = {
    {"", "GET", visit_invite, false},           {"/start", "POST", visit_start, false},
    {"/callback", "GET", visit_callback, true}, {"/consent", "GET", visit_consent, true},
    {"/again", "POST", visit_again, true},      {"/finish", "POST", visit_finish, true},
};

/* ----------------------------------------------------------------------------- life */

static enum err_code wrong(struct err *e, const char *text)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_setting", "CONNECT_URL: %s", text);
}

/* https://host[:port]/…/connect, or http to loopback: session cookies travel with it. */
static enum err_code check_url(const char *url, const char **path, struct err *e)
{
  char host[256];
  uint16_t port;
  bool secure = strncmp(url, "https://", 8) == 0, plain = strncmp(url, "http://", 7) == 0;
  const char *authority = url + (secure ? 8 : 7);
  size_t n = secure || plain ? strcspn(authority, "/?#@ \"';,") : 0;
  if (n == 0 || n >= sizeof(host) || authority[n] != '/')
    return wrong(e, "must be an https URL such as https://analytics.example.com/connect");
  AUTO_FREE char *name = xstrndup(authority, n);
  if (plain && !config_host_is_loopback(name) &&
      !(config_split_hostport(name, host, sizeof(host), &port) && config_host_is_loopback(host)))
    return wrong(e, "must be an https URL (plain http is for loopback)");
  *path = authority + n;
  size_t len = strlen(*path);
  if (len < strlen(PREFIX) || strcmp(*path + len - strlen(PREFIX), PREFIX) != 0 ||
      (*path)[strspn(*path,
                     "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/")] != '\0')
    return wrong(e, "its path must end in " PREFIX);
  return ERR_OK;
}

/* "https://accounts.google.com" of "https://accounts.google.com/o/oauth2/v2/auth". */
static char *origin_of(const char *url)
{
  const char *host = strstr(url, "://");
  size_t n = host != NULL ? (size_t)(host - url) + 3 + strcspn(host + 3, "/?#;, ") : 0;
  return xstrndup(url, n);
}

/* Its origin becomes part of a header, where blanks, commas and semicolons end it. */
static bool is_endpoint(const char *url)
{
  const char *host = strncmp(url, "https://", 8) == 0  ? url + 8
                     : strncmp(url, "http://", 7) == 0 ? url + 7
                                                       : "";
  return host[strcspn(host, "/?#")] == '/' && host[0] != '/' && strpbrk(url, " ;,'\"\t") == NULL;
}

enum err_code connect_new(struct connect **out, const struct connect_options *options,
                          struct err *e)
{
  const char *path = NULL;
  *out = NULL;
  if (options->url == NULL)
    return ERR_OK;
  if (check_url(options->url, &path, e) != ERR_OK)
    return e->code;
  if (!is_endpoint(options->authorization))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_setting",
                   "CONNECT_AUTHORIZATION_ENDPOINT: must be a URL such as "
                   "https://accounts.google.com/o/oauth2/v2/auth");
  struct connect *c = xcalloc(1, sizeof(*c));
  *c = (struct connect){.auth = options->auth,
                        .url = xstrdup(options->url),
                        .origin = xstrndup(options->url, (size_t)(path - options->url)),
                        .base = xstrdup(path),
                        .google = origin_of(options->authorization),
                        .operator_name = options->operator_name,
                        .privacy_url = options->privacy_url};
  c->shares =
      shares_new(&(struct share_limits){.requests_per_minute = options->requests_per_minute});
  *out = c;
  return ERR_OK;
}

void connect_free(struct connect *c)
{
  if (c == NULL)
    return;
  shares_free(c->shares);
  free(c->url);
  free(c->origin);
  free(c->base);
  free(c->google);
  free(c);
}

bool connect_is_path(const char *path)
{
  size_t n = strlen(PREFIX);
  return strncmp(path, PREFIX, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* "SESSION.LANGUAGE" of our cookie. */
static void read_cookie(struct visit *v)
{
  const char *language = fields_read_cookie(exchange_header(v->exchange, "Cookie"), v->session);
  if (language != NULL)
    v->words = connect_words_of(language);
}

/* ---------------------------------------------------------------------------- gates */

/* Whether a form was sent by a page of ours: browsers say so themselves; of one that does not, the
 * Origin must be ours (which a page without referrer does not send, so old browsers are refused).
 */
static bool is_ours(const struct connect *c, const struct exchange *x)
{
  const char *site = exchange_header(x, "Sec-Fetch-Site"), *origin = exchange_header(x, "Origin");
  if (site != NULL)
    return strcmp(site, "same-origin") == 0;
  return origin != NULL && strcmp(origin, c->origin) == 0;
}

static bool is_form(const struct exchange *x)
{
  static const char type[] = "application/x-www-form-urlencoded";
  const char *given = exchange_header(x, "Content-Type");
  size_t n = sizeof(type) - 1;
  return given != NULL && strncasecmp(given, type, n) == 0 &&
         (given[n] == '\0' || given[n] == ';' || given[n] == ' ');
}

static bool too_many(struct visit *v)
{
  const char *client = exchange_client(v->exchange);
  struct share *share =
      share_of(v->connect->shares, client != NULL ? client : "unknown", "connect");
  int64_t retry_ms = 0;
  bool refused = share_request(share, &retry_ms) != SHARE_GRANTED;
  share_unref(share);
  if (refused)
    exchange_add_header(v->exchange, "Retry-After", "60");
  return refused;
}

static bool is_method(const struct exchange *x, const char *method)
{
  const char *given = exchange_method(x);
  return strcmp(given, method) == 0 || (strcmp(method, "GET") == 0 && strcmp(given, "HEAD") == 0);
}

static void refuse_method(struct visit *v)
{
  exchange_add_header(v->exchange, "Allow", v->kind->method);
  visit_fail(v, "not_found", 405, false);
}

void visit_free(void *visit)
{
  struct visit *v = visit;
  mem_wipe(&v->fields, sizeof(v->fields));
  mem_wipe(v->session, sizeof(v->session));
  v->magic = 0;
  free(v);
}

/* What can be decided without the body. */
static void check_head(struct visit *v)
{
  struct exchange *x = v->exchange;
  if (too_many(v))
    visit_fail(v, "too_many_requests", 429, false);
  else if (v->kind == NULL)
    visit_fail(v, "not_found", 404, false);
  else if (!is_method(x, v->kind->method))
    refuse_method(v);
  else if (strcmp(v->kind->method, "POST") == 0 && (!is_ours(v->connect, x) || !is_form(x)))
    visit_fail(v, "cross_site", 403, false);
  else if (v->kind->with_session && v->session[0] == '\0')
    visit_fail(v, "session_over", 410, false);
}

static const struct visit_kind *kind_of(const char *path)
{
  path += strlen(PREFIX);
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    if (strcmp(kinds[i].path, path) == 0 || (i == 0 && strcmp(path, "/") == 0))
      return &kinds[i];
  return NULL;
}

void connect_on_head(struct connect *c, struct exchange *x)
{
  struct buf none = BUF_INIT(64);
  if (c == NULL) {
    exchange_reply(x, 404, NULL, &none);
    return;
  }
  if (strcmp(exchange_path(x), PREFIX "/style.css") == 0 && is_method(x, "GET")) {
    page_send_style(x);
    return;
  }
  struct visit *v = xcalloc(1, sizeof(*v));
  v->magic = CONNECT_VISIT_MAGIC;
  v->connect = c;
  v->exchange = x;
  v->kind = kind_of(exchange_path(x));
  v->words = connect_words_of(exchange_header(x, "Accept-Language"));
  exchange_set_user(x, v, visit_free);
  read_cookie(v);
  check_head(v);
}

void connect_on_request(struct connect *c, struct exchange *x)
{
  struct visit *v = exchange_user(x);
  MAGIC_CHECK(v, CONNECT_VISIT_MAGIC);
  size_t len = 0;
  const char *body = exchange_body(x, &len);
  (void)c;
  if (strcmp(v->kind->method, "POST") != 0)
    exchange_query(x, fields_take, &v->fields);
  else if (len <= BODY_MAX)
    fields_read_form(&v->fields, body != NULL ? body : "", body != NULL ? len : 0);
  if (v->fields.lang[0] != '\0')
    v->words = connect_words_of(v->fields.lang);
  v->kind->run(v);
}
