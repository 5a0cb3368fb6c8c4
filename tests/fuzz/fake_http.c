/* Questions in a queue, answered from a fuzzer's input. */
#include "tests/fuzz/fake_http.h"

#include "common/base/buf.h"

enum { WAITING_MAX = 16, BODY_END = 0x1e };

struct http_client {
  int unused;
};

struct question {
  char *url, *sent; /* sent: headers, a line each, and the body */
  bool want_header;
  void (*on_done)(void *user, const struct http_response *response);
  void *user;
};

static struct question waiting[WAITING_MAX];
static size_t n_waiting;
static char *last_sent;
static struct {
  void (*fn)(void *arg);
  void *arg;
  int64_t delay_ms;
} timer = {.delay_ms = -1};

struct http_client *fake_http(void)
{
  static struct http_client client;
  return &client;
}

/* ------------------------------------------------------------- common/http/client.h */

enum err_code http_client_new(struct http_client **out, const struct http_client_options *options,
                              struct err *e)
{
  (void)options, (void)e;
  *out = fake_http();
  return ERR_OK;
}

void http_client_free(struct http_client *c)
{
  (void)c;
}

enum err_code http_client_send(struct http_transfer **out, struct http_client *c,
                               const struct http_request *request, struct err *e)
{
  (void)c, (void)e;
  FUZZ_MUST(out == NULL && n_waiting < WAITING_MAX && request->on_done != NULL);
  FUZZ_MUST(request->timeout_ms > 0 && request->max_response_bytes > 0);
  struct buf sent = BUF_INIT(1 << 20);
  for (size_t i = 0; i < request->n_headers; i++) {
    FUZZ_MUST(strpbrk(request->headers[i].name, "\r\n: ") == NULL);
    FUZZ_MUST(strpbrk(request->headers[i].value, "\r\n") == NULL);
    buf_printf(&sent, "%s %s\n", request->headers[i].name, request->headers[i].value);
  }
  waiting[n_waiting++] =
      (struct question){xstrdup(request->url), buf_take(&sent, NULL), request->want_header != NULL,
                        request->on_done, request->user};
  return ERR_OK;
}

enum err_code http_client_after(struct http_client *c, uint32_t delay_ms, void (*fn)(void *arg),
                                void *arg)
{
  (void)c;
  FUZZ_MUST(timer.delay_ms < 0);
  timer.fn = fn;
  timer.arg = arg;
  timer.delay_ms = delay_ms;
  return ERR_OK;
}

/* ------------------------------------------------------------------------- answers */

const char *fake_http_question(const char *const *allowed)
{
  if (n_waiting == 0)
    return NULL;
  const char *url = waiting[0].url;
  bool known = false;
  for (size_t i = 0; allowed[i] != NULL && !known; i++)
    known = strncmp(url, allowed[i], strlen(allowed[i])) == 0;
  FUZZ_MUST(known && strpbrk(url, " \r\n\t") == NULL);
  return url;
}

static void deliver(const struct http_response *response)
{
  struct question q = waiting[0];
  memmove(waiting, waiting + 1, --n_waiting * sizeof(*waiting));
  free(last_sent);
  last_sent = q.sent;
  q.on_done(q.user, response);
  free(q.url);
}

bool fake_http_sent(const char *text)
{
  return last_sent != NULL && strstr(last_sent, text) != NULL;
}

/* No whole answer arrived. */
static void deliver_error(enum err_code code)
{
  struct http_response r = {
      .body = "", .content_type = "", .retry_after = "", .www_authenticate = "", .wanted = ""};
  err_set(&r.error, code, "fuzz", "the transfer failed");
  deliver(&r);
}

static char *read_body(struct fuzz_input *in, size_t *len)
{
  const uint8_t *end = in->len > 0 ? memchr(in->data, BODY_END, in->len) : NULL;
  *len = end != NULL ? (size_t)(end - in->data) : in->len;
  char *body = fuzz_copy(in->data, *len);
  size_t used = end != NULL ? *len + 1 : *len;
  in->data += used;
  in->len -= used;
  return body;
}

void fake_http_answer(struct fuzz_input *in)
{
  static const int statuses[] = {200, 200, 200, 200, 400, 401, 403, 404, 408, 429, 500, 503, 302};
  static const enum err_code errors[] = {ERR_DEADLINE_EXCEEDED, ERR_UNAVAILABLE,
                                         ERR_RESOURCE_EXHAUSTED};
  size_t choice = fuzz_byte(in) % (ARRAY_LEN(statuses) + ARRAY_LEN(errors)), len;
  if (choice >= ARRAY_LEN(statuses)) {
    deliver_error(errors[choice - ARRAY_LEN(statuses)]);
    return;
  }
  AUTO_FREE char *header = fuzz_line(in);
  AUTO_FREE char *body = read_body(in, &len);
  deliver(&(struct http_response){.status = statuses[choice],
                                  .body = body,
                                  .body_len = len,
                                  .content_type = "application/json",
                                  .retry_after = header,
                                  .www_authenticate = "",
                                  .wanted = waiting[0].want_header ? header : ""});
}

int64_t fake_http_timer_ms(void)
{
  return timer.delay_ms;
}

void fake_http_timer_run(void)
{
  FUZZ_MUST(timer.delay_ms >= 0);
  timer.delay_ms = -1;
  timer.fn(timer.arg);
}

void fake_http_end(void)
{
  while (n_waiting > 0)
    deliver_error(ERR_CANCELLED);
  timer.delay_ms = -1;
}
