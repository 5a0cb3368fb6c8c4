/* One request: from its description to a curl handle, and curl's callbacks. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "common/http/internal.h"

/* Sets an option and keeps the first refusal, for one check at the end. */
#define SET(t, option, value) note((t), curl_easy_setopt((t)->easy, (option), (value)))
static void note(struct http_transfer *t, CURLcode result)
{
  if (t->setup == CURLE_OK)
    t->setup = result;
}

/* ---- what the caller may ask for ---- */

static bool is_token(const char *s)
{
  static const char extra[] = "!#$%&'*+-.^_`|~"; /* RFC 9110 section 5.6.2 */
  if (*s == '\0')
    return false;
  for (; *s != '\0'; s++) {
    bool alnum = (*s >= 'a' && *s <= 'z') || (*s >= 'A' && *s <= 'Z') || (*s >= '0' && *s <= '9');
    if (!alnum && strchr(extra, *s) == NULL)
      return false;
  }
  return true;
}

/* Refuses what could end the header line, or the request, early. */
static enum err_code check_header(const struct http_header *h, struct err *e)
{
  if (h->name == NULL || !is_token(h->name))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_header", "a header name is empty or malformed");
  if (ascii_case_equal(h->name, "content-length") || ascii_case_equal(h->name, "transfer-encoding"))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_header", "header %s is set by the client itself",
                   h->name);
  for (const char *p = h->value; p != NULL && *p != '\0'; p++)
    if ((unsigned char)*p < 0x20 && *p != '\t')
      return err_set(e, ERR_INVALID_ARGUMENT, "bad_header", "header %s holds a control character",
                     h->name);
  return h->value != NULL
             ? ERR_OK
             : err_set(e, ERR_INVALID_ARGUMENT, "bad_header", "header %s has no value", h->name);
}

static enum err_code check_request(const struct http_request *r, struct err *e)
{
  if (r->on_done == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_request", "an HTTP request needs on_done");
  if (r->method == NULL || !is_token(r->method) || strlen(r->method) > 16)
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_request", "the HTTP method is malformed");
  for (size_t i = 0; i < r->n_headers; i++)
    if (check_header(&r->headers[i], e) != ERR_OK)
      return ERR_INVALID_ARGUMENT;
  return ERR_OK;
}

/* ---- URL ---- */

static void cleanup_url(CURLU **u)
{
  curl_url_cleanup(*u);
}

static void cleanup_curl_string(char **s)
{
  curl_free(*s);
}
#define AUTO_CURL_STRING CLEANUP(cleanup_curl_string)

static enum err_code bad_url(CURLUcode rc, struct err *e)
{
  return err_set(e, ERR_INVALID_ARGUMENT, "bad_url", "the URL cannot be used: %s",
                 curl_url_strerror(rc));
}

/* Takes host and port out of the URL. The URL itself is not repeated in messages: its query
 * may hold a secret. */
static enum err_code set_url(struct http_transfer *t, const char *url, struct err *e)
{
  CLEANUP(cleanup_url) CURLU *u = curl_url();
  AUTO_CURL_STRING char *scheme = NULL;
  AUTO_CURL_STRING char *host = NULL;
  AUTO_CURL_STRING char *port = NULL;
  AUTO_CURL_STRING char *path = NULL;
  CURLUcode rc = url != NULL ? curl_url_set(u, CURLUPART_URL, url, CURLU_DISALLOW_USER)
                             : CURLUE_MALFORMED_INPUT;
  if (rc == CURLUE_OK)
    rc = curl_url_get(u, CURLUPART_SCHEME, &scheme, 0);
  if (rc != CURLUE_OK)
    return bad_url(rc, e);
  if (!ascii_case_equal(scheme, "https") && !ascii_case_equal(scheme, "http"))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_url", "the URL's scheme is %s; use http or https",
                   scheme);
  rc = curl_url_get(u, CURLUPART_HOST, &host, 0);
  if (rc == CURLUE_OK)
    rc = curl_url_get(u, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT);
  if (rc == CURLUE_OK)
    rc = curl_url_get(u, CURLUPART_PATH, &path, 0);
  if (rc != CURLUE_OK)
    return bad_url(rc, e);
  t->path = xstrdup(path);
  t->host = xstrdup(host);
  t->peer = xasprintf("%s:%s", host, port);
  SET(t, CURLOPT_URL, url);
  return ERR_OK;
}

/* ---- callbacks ---- */

static bool is_success(const struct http_transfer *t)
{
  long status = 0;
  curl_easy_getinfo(t->easy, CURLINFO_RESPONSE_CODE, &status);
  return status >= 200 && status < 300;
}

static size_t stop_transfer(struct http_transfer *t, enum http_stop why)
{
  t->stop = why;
  return 0; /* curl ends the transfer with CURLE_WRITE_ERROR */
}

static size_t hand_over(struct http_transfer *t, const char *data, size_t len)
{
  if (t->max_response > 0 && len > t->max_response - t->received)
    return stop_transfer(t, HTTP_STOP_TOO_LARGE);
  struct trace_scope scope = trace_enter(t->trace);
  enum http_flow flow = t->on_body(t->user, data, len);
  trace_leave(scope);
  switch (flow) {
  case HTTP_CONTINUE:
    t->received += len;
    return len;
  case HTTP_PAUSE:
    http_loop_pause(t);
    return CURL_WRITEFUNC_PAUSE;
  case HTTP_ABORT:
    break;
  }
  return stop_transfer(t, HTTP_STOP_ABORTED);
}

static size_t on_write(char *data, size_t size, size_t n, void *user)
{
  struct http_transfer *t = user;
  MAGIC_CHECK(t, HTTP_TRANSFER_MAGIC);
  size_t len = size * n;
  if (atomic_load(&t->cancelled))
    return stop_transfer(t, HTTP_STOP_CANCELLED);
  bool success = is_success(t);
  if (success && t->on_body != NULL)
    return hand_over(t, data, len);
  if (success)
    return buf_append(&t->body, data, len) ? len : stop_transfer(t, HTTP_STOP_TOO_LARGE);
  /* An error page: what fits is enough to see what happened, the rest is dropped. */
  size_t room = t->body.len < HTTP_MAX_ERROR_BODY ? HTTP_MAX_ERROR_BODY - t->body.len : 0;
  buf_append(&t->body, data, len < room ? len : room);
  return len;
}

/* Keeps a header's value; repeated ones are joined with a comma. Longer ones than the cap
 * are dropped, and what is not printable ASCII becomes a question mark: callers log these. */
static void capture(struct buf *out, const char *line, size_t len, const char *name)
{
  size_t n = strlen(name);
  if (len <= n || line[n] != ':' || strncasecmp(line, name, n) != 0)
    return;
  const char *value = line + n + 1;
  const char *end = line + len;
  while (value < end && (*value == ' ' || *value == '\t'))
    value++;
  while (end > value && (end[-1] == '\r' || end[-1] == '\n' || end[-1] == ' ' || end[-1] == '\t'))
    end--;
  if (out->len > 0 && end > value)
    buf_puts(out, ", ");
  size_t at = out->len;
  if (!buf_append(out, value, (size_t)(end - value)))
    return;
  for (; at < out->len; at++)
    if (out->data[at] < 0x20 || out->data[at] > 0x7e)
      out->data[at] = '?';
}

/* A new status line: what an interim response said does not count. */
static void begin_headers(struct http_transfer *t)
{
  buf_clear(&t->content_type);
  buf_clear(&t->retry_after);
  buf_clear(&t->www_authenticate);
  buf_clear(&t->wanted);
  t->encoded = false;
}

static bool declared_too_large(const struct http_transfer *t)
{
  curl_off_t length = -1;
  if (t->max_response == 0 || t->encoded || t->head || !is_success(t))
    return false;
  curl_easy_getinfo(t->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
  return length > 0 && (uint64_t)length > t->max_response;
}

static size_t on_header(char *line, size_t size, size_t n, void *user)
{
  static const char encoding[] = "content-encoding:";
  struct http_transfer *t = user;
  MAGIC_CHECK(t, HTTP_TRANSFER_MAGIC);
  size_t len = size * n;
  if (len >= 5 && memcmp(line, "HTTP/", 5) == 0)
    begin_headers(t);
  capture(&t->content_type, line, len, "content-type");
  capture(&t->retry_after, line, len, "retry-after");
  capture(&t->www_authenticate, line, len, "www-authenticate");
  if (t->want_header != NULL)
    capture(&t->wanted, line, len, t->want_header);
  if (len >= sizeof(encoding) && strncasecmp(line, encoding, sizeof(encoding) - 1) == 0)
    t->encoded = true;
  bool last = len <= 2 && (line[0] == '\r' || line[0] == '\n');
  return last && declared_too_large(t) ? stop_transfer(t, HTTP_STOP_TOO_LARGE) : len;
}

/* ---- the handle ---- */

static void add_header(struct http_transfer *t, const char *line)
{
  struct curl_slist *list = curl_slist_append(t->headers, line);
  note(t, list != NULL ? CURLE_OK : CURLE_OUT_OF_MEMORY);
  if (list != NULL)
    t->headers = list;
}

static void add_trace(struct http_transfer *t, const struct http_request *r)
{
  struct trace_context own;
  char line[sizeof(TRACE_HEADER_STATE) + TRACE_STATE_MAX + 8], parent[TRACE_PARENT_LEN + 1];
  if (!http_trace_begin(t, r, &own))
    return;
  trace_context_parent(&own, parent);
  snprintf(line, sizeof(line), TRACE_HEADER_PARENT ": %s", parent);
  add_header(t, line);
  snprintf(line, sizeof(line), TRACE_HEADER_STATE ": %s", own.state);
  if (own.state[0] != '\0')
    add_header(t, line);
}

/* curl drops "Name:" and sends "Name;" as an empty header. */
static void set_headers(struct http_transfer *t, const struct http_request *r)
{
  bool has_type = false;
  for (size_t i = 0; i < r->n_headers; i++) {
    const struct http_header *h = &r->headers[i];
    char *line =
        h->value[0] != '\0' ? xasprintf("%s: %s", h->name, h->value) : xasprintf("%s;", h->name);
    add_header(t, line);
    mem_wipe(line, strlen(line));
    free(line);
    has_type = has_type || ascii_case_equal(h->name, "content-type");
  }
  if (!has_type)
    add_header(t, "Content-Type:"); /* curl would call any body a form */
  add_header(t, "Expect:");         /* saves a round trip on large bodies */
  add_trace(t, r);
  SET(t, CURLOPT_HTTPHEADER, t->headers);
}

static void set_method(struct http_transfer *t, const struct http_request *r)
{
  bool post = strcmp(r->method, "POST") == 0;
  bool carries = post || strcmp(r->method, "PUT") == 0 || strcmp(r->method, "PATCH") == 0;
  snprintf(t->method, sizeof(t->method), "%s", r->method);
  t->head = strcmp(r->method, "HEAD") == 0;
  if (t->head)
    SET(t, CURLOPT_NOBODY, 1L);
  else if (r->body != NULL || carries) {
    t->request_len = r->body != NULL ? r->body_len : 0;
    t->request_body = xmalloc(t->request_len + 1);
    if (t->request_len > 0)
      memcpy(t->request_body, r->body, t->request_len);
    SET(t, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)t->request_len);
    SET(t, CURLOPT_POSTFIELDS, t->request_body);
  }
  if (!t->head && !post)
    SET(t, CURLOPT_CUSTOMREQUEST, r->method);
}

/* ca_file and ca_dir replace the system's certificates, including curl's built-in directory of
 * them; without a directory curl also keeps the parsed certificates between connections. */
static void set_tls(struct http_transfer *t)
{
  SET(t, CURLOPT_SSL_VERIFYPEER, 1L);
  SET(t, CURLOPT_SSL_VERIFYHOST, 2L);
  SET(t, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
  SET(t, CURLOPT_CAPATH, t->client->ca_dir);
  if (t->client->ca_file != NULL || t->client->ca_dir != NULL)
    SET(t, CURLOPT_CAINFO, t->client->ca_file);
}

static void set_limits(struct http_transfer *t, const struct http_request *r)
{
  SET(t, CURLOPT_NOSIGNAL, 1L);
  SET(t, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(t, CURLOPT_PROTOCOLS_STR, "http,https");
  SET(t, CURLOPT_FOLLOWLOCATION, 0L);
  SET(t, CURLOPT_CONNECTTIMEOUT_MS, (long)HTTP_CONNECT_TIMEOUT_MS);
  SET(t, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
  SET(t, CURLOPT_TCP_KEEPALIVE, 1L);
  SET(t, CURLOPT_UPLOAD_BUFFERSIZE, (long)HTTP_UPLOAD_BUFFER);
  /* Ending a transfer during its name look-up must not wait for the look-up. */
  SET(t, CURLOPT_QUICK_EXIT, 1L);
  /* gzip alone: it grows by at most a factor of 1,032, which bounds what curl must keep when
   * a transfer is paused in the middle of a read. */
  SET(t, CURLOPT_ACCEPT_ENCODING, "gzip");
  SET(t, CURLOPT_USERAGENT, t->client->user_agent);
  if (r->no_proxy)
    SET(t, CURLOPT_PROXY, "");
}

static void set_callbacks(struct http_transfer *t)
{
  SET(t, CURLOPT_PRIVATE, (void *)t);
  SET(t, CURLOPT_OPENSOCKETFUNCTION, http_sockets_open);
  SET(t, CURLOPT_OPENSOCKETDATA, (void *)&t->loop->sockets);
  SET(t, CURLOPT_ERRORBUFFER, t->curl_message);
  SET(t, CURLOPT_WRITEFUNCTION, on_write);
  SET(t, CURLOPT_WRITEDATA, (void *)t);
  SET(t, CURLOPT_HEADERFUNCTION, on_header);
  SET(t, CURLOPT_HEADERDATA, (void *)t);
}

static void set_response(struct http_transfer *t, const struct http_request *r)
{
  t->on_body = r->on_body;
  t->on_done = r->on_done;
  t->user = r->user;
  t->timeout_ms = r->timeout_ms > 0 ? r->timeout_ms : HTTP_DEFAULT_TIMEOUT_MS;
  t->longest_ms = r->longest_ms > t->timeout_ms ? r->longest_ms : t->timeout_ms;
  t->max_response = r->max_response_bytes;
  if (t->max_response == 0 && r->on_body == NULL)
    t->max_response = HTTP_DEFAULT_MAX_RESPONSE;
  size_t body = t->on_body == NULL ? t->max_response : 0;
  /* A token endpoint answers with tokens. */
  t->body = BUF_SECRET(body > HTTP_MAX_ERROR_BODY ? body : HTTP_MAX_ERROR_BODY);
  buf_init(&t->content_type, 256);
  buf_init(&t->retry_after, 64);
  buf_init(&t->www_authenticate, 1024);
  buf_init(&t->wanted, 1024);
  t->want_header = xstrdup(r->want_header);
}

enum err_code http_transfer_setup(struct http_transfer *t, const struct http_request *request,
                                  struct err *e)
{
  set_response(t, request);
  if (check_request(request, e) != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  t->easy = curl_easy_init();
  if (t->easy == NULL)
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "no_memory", "no memory for another HTTP request");
  if (set_url(t, request->url, e) != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  set_limits(t, request);
  set_tls(t);
  set_method(t, request);
  set_headers(t, request);
  set_callbacks(t);
  if (t->setup != CURLE_OK)
    return err_set(e, ERR_INTERNAL, "curl_option", "the HTTP request cannot be set up: %s",
                   curl_easy_strerror(t->setup));
  return ERR_OK;
}
