/* A request on its way in: what its head may be refused for, its body, and its end. */
#include "gateway/http/intake.h"

#include <stdio.h>
#include <string.h>

#include "common/base/codec.h"
#include "common/base/log.h"
#include "gateway/http/connections.h"
#include "gateway/http/head.h"
#include "gateway/http/meter.h"
#include "gateway/http/reply.h"

/* A refused body is read and dropped up to here, so that the client can send it off and
 * see the answer; beyond, the connection is closed. */
enum { DISCARD_MAX = 16 * 1024 * 1024 };

static void activate(struct listener *l, struct exchange *x)
{
  meter_begun();
  pthread_mutex_lock(&l->lock);
  x->next = l->active;
  if (l->active != NULL)
    l->active->prev = x;
  l->active = x;
  pthread_mutex_unlock(&l->lock);
}

static void deactivate(struct listener *l, struct exchange *x)
{
  pthread_mutex_lock(&l->lock);
  *(x->prev != NULL ? &x->prev->next : &l->active) = x->next;
  if (x->next != NULL)
    x->next->prev = x->prev;
  pthread_mutex_unlock(&l->lock);
}

/* Bytes the client says it will send; 0 when it does not say or the number is absurd
 * (libmicrohttpd refuses those). */
static unsigned long long declared_length(const struct exchange *x)
{
  const char *text = exchange_header(x, "Content-Length");
  return text != NULL ? strtoull(text, NULL, 10) : 0;
}

static void refuse(struct exchange *x, int status, const char *text)
{
  const struct listener_options *o = &x->listener->options;
  if (o->on_refusal != NULL)
    o->on_refusal(x, o->user);
  reply_error(x, status, text);
}

static void reply_too_large(struct exchange *x)
{
  char text[96];
  snprintf(text, sizeof(text), "Request body is larger than %zu bytes",
           x->listener->options.max_body);
  refuse(x, 413, text);
}

/* A length that can be read in two ways is how requests are smuggled past a proxy
 * (RFC 9112, 6.3 and 6.1). NULL when it is clear. */
static const char *length_problem(const struct exchange *x)
{
  const char *length = exchange_header(x, "Content-Length");
  const char *coding = exchange_header(x, "Transfer-Encoding");
  if (length != NULL && (strchr(length, ',') != NULL || coding != NULL))
    return "Content-Length must be given once and not with Transfer-Encoding";
  if (coding != NULL && !ascii_case_equal(coding, "chunked"))
    return "Transfer-Encoding must be given once and be chunked";
  return NULL;
}

/* What is wrong with the head itself: refused before anything is decided on it. */
static bool refuse_head(struct exchange *x, struct MHD_Connection *c, const char *method,
                        const char *version)
{
  const char *problem = length_problem(x);
  if (x->head_too_large)
    refuse(x, 431, "Too many or too large request headers or arguments of the query");
  else if (!head_is_strict(c, method, version))
    refuse(x, 400,
           "Header lines must end with CR LF, and hold no line folding and no control "
           "characters");
  else if (problem != NULL)
    refuse(x, 400, problem);
  return x->answered;
}

/* The first call for a request: its head is there. */
static enum MHD_Result begin(struct listener *l, struct MHD_Connection *c, const char *method,
                             const char *url, const char *version, void **con_cls)
{
  struct conn *conn =
      MHD_get_connection_info(c, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
  struct exchange *x = exchange_new(l, c, conn, method, url);
  *con_cls = x;
  activate(l, x);
  conn_phase(x->conn, CONN_BODY);
  if (refuse_head(x, c, method, version)) {
    /* Where the next request begins is not certain. */
    exchange_add_header(x, "Connection", "close");
    return exchange_proceed(x);
  }
  const char *expect = exchange_header(x, "Expect");
  unsigned long long length = declared_length(x);
  if (expect != NULL && !ascii_case_equal(expect, "100-continue"))
    refuse(x, 417, "Only Expect: 100-continue is supported");
  else if (length > l->options.max_body)
    reply_too_large(x);
  else
    l->options.on_head(x, l->options.user);
  /* An answer now closes the connection, which is right only when the body would be a
   * waste: announced and not yet sent, or larger than anyone reads for nothing. */
  if (length > 0 && exchange_answered(x) && (expect != NULL || length > DISCARD_MAX))
    return exchange_proceed(x);
  return MHD_YES;
}

/* Counts what of a body is beyond the small part: all such bytes together, and the caller's. */
static bool take_room(struct listener *l, struct exchange *x)
{
  size_t small = l->options.small_body;
  size_t more = x->body.len > small + x->counted ? x->body.len - small - x->counted : 0;
  if (more == 0)
    return true;
  if (atomic_fetch_add(&l->body_bytes, more) + more <= l->options.max_bodies &&
      exchange_body_take(x, more))
    return true;
  atomic_fetch_sub(&l->body_bytes, more);
  return false;
}

/* A part of the body. */
static enum MHD_Result receive(struct exchange *x, const char *data, size_t *size)
{
  size_t n = *size;
  enum body_next next = exchange_body_next(x, x->body.len + n);
  if (next == BODY_LATER)
    return MHD_YES; /* the same part comes again */
  *size = 0;
  x->received += n;
  if (x->received > DISCARD_MAX)
    return MHD_NO;
  if (next == BODY_DROP)
    return MHD_YES;
  x->too_large = !buf_append(&x->body, data, n);
  x->no_room = !x->too_large && !take_room(x->listener, x);
  if (x->too_large || x->no_room)
    buf_free(&x->body);
  return MHD_YES;
}

/* The request is whole. */
static void hand_over(struct exchange *x)
{
  pthread_mutex_lock(&x->lock);
  x->handed_over = true;
  bool answered = x->answered;
  pthread_mutex_unlock(&x->lock);
  conn_phase(x->conn, CONN_BUSY);
  if (answered)
    return;
  if (x->too_large) {
    reply_too_large(x);
  } else if (x->no_room) {
    exchange_add_header(x, "Retry-After", "1");
    refuse(x, 503, "Too many large requests at once, try again");
  } else {
    x->listener->options.on_request(x, x->listener->options.user);
  }
}

enum MHD_Result intake_on_access(void *cls, struct MHD_Connection *c, const char *url,
                                 const char *method, const char *version, const char *data,
                                 size_t *size, void **con_cls)
{
  struct exchange *x = *con_cls;
  if (x == NULL)
    return begin(cls, c, method, url, version, con_cls);
  MAGIC_CHECK(x, EXCHANGE_MAGIC);
  if (*size > 0)
    return receive(x, data, size);
  if (!x->handed_over)
    hand_over(x);
  return exchange_proceed(x);
}

void intake_on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
                         enum MHD_RequestTerminationCode code)
{
  (void)c;
  (void)code;
  struct listener *l = cls;
  struct exchange *x = *con_cls;
  if (x == NULL)
    return;
  *con_cls = NULL;
  deactivate(l, x);
  int status = x->queued ? x->status : 0;
  meter_ended(status, x->received, x->sent);
  exchange_trace_end(x, status);
  log_debug("http request", LOG_S("method", x->method), LOG_S("path", x->path),
            LOG_I("status", status), LOG_I("ms", clock_mono_ms() - x->started_ms),
            LOG_I("bytes_in", x->received), LOG_I("bytes_out", x->sent));
  atomic_fetch_sub(&l->body_bytes, x->counted);
  conn_phase(x->conn, CONN_HEAD);
  atomic_store(&x->conn->begun, false);
  exchange_complete(x);
}
