/* A collector for tests. */
#include "tests/unit/otlp/receiver.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/wait.h"

enum { SCRIPT_MAX = 16, HEAD_MAX = 16384, BODY_MAX = 8 * 1024 * 1024 };

struct receiver {
  int fd, connection;
  uint16_t port;
  pthread_t thread;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  int script[SCRIPT_MAX];
  size_t n_script, at_script;
  const char *header;
  int64_t reject;
  bool stopping, let_go;
  size_t requests, faults, n_exports;
  char head[HEAD_MAX];
  ReceivedExport *exports[RECEIVER_KEEPS];
};

static bool read_exactly(int fd, char *into, size_t n)
{
  for (size_t have = 0; have < n;) {
    ssize_t got = recv(fd, into + have, n - have, 0);
    if (got <= 0)
      return false;
    have += (size_t)got;
  }
  return true;
}

/* Byte by byte: the head is short, and nothing of the body is taken. */
static bool read_head(int fd, char head[HEAD_MAX])
{
  size_t n = 0;
  while (n < HEAD_MAX - 1) {
    if (!read_exactly(fd, head + n, 1))
      return false;
    head[++n] = '\0';
    if (n >= 4 && strcmp(head + n - 4, "\r\n\r\n") == 0)
      return true;
  }
  return false;
}

static bool header_of(const char *head, const char *name, char *out, size_t size)
{
  size_t n = strlen(name);
  out[0] = '\0';
  for (const char *line = strstr(head, "\r\n"); line != NULL; line = strstr(line + 2, "\r\n")) {
    if (strncasecmp(line + 2, name, n) != 0 || line[2 + n] != ':')
      continue;
    const char *value = line + 3 + n;
    value += strspn(value, " ");
    snprintf(out, size, "%.*s", (int)strcspn(value, "\r"), value);
    return true;
  }
  return false;
}

static bool ids_are_right(const ReceivedSpan *s)
{
  return s->trace_id.len == 16 && s->span_id.len == 8 &&
         (s->parent_span_id.len == 0 || s->parent_span_id.len == 8) && s->name[0] != '\0' &&
         s->start_time_unix_nano > 0 && s->end_time_unix_nano >= s->start_time_unix_nano;
}

static bool export_is_right(const ReceivedExport *e)
{
  if (e == NULL || e->n_resource_spans == 0)
    return false;
  for (size_t i = 0; i < e->n_resource_spans; i++)
    for (size_t k = 0; k < e->resource_spans[i]->n_scope_spans; k++)
      for (size_t s = 0; s < e->resource_spans[i]->scope_spans[k]->n_spans; s++)
        if (!ids_are_right(e->resource_spans[i]->scope_spans[k]->spans[s]))
          return false;
  return true;
}

static void put_reply(struct buf *out, int status, const char *header, int64_t rejected)
{
  uint8_t body[128];
  size_t len = 0;
  Opentelemetry__Proto__Collector__Trace__V1__ExportTraceServiceResponse r =
      OPENTELEMETRY__PROTO__COLLECTOR__TRACE__V1__EXPORT_TRACE_SERVICE_RESPONSE__INIT;
  Opentelemetry__Proto__Collector__Trace__V1__ExportTracePartialSuccess partial =
      OPENTELEMETRY__PROTO__COLLECTOR__TRACE__V1__EXPORT_TRACE_PARTIAL_SUCCESS__INIT;
  partial.rejected_spans = rejected;
  partial.error_message = (char *)"too old";
  if (rejected > 0)
    r.partial_success = &partial;
  if (status == 200)
    len = opentelemetry__proto__collector__trace__v1__export_trace_service_response__pack(&r, body);
  buf_printf(out, "HTTP/1.1 %d X\r\nContent-Type: application/x-protobuf\r\n", status);
  if (status != 200 && header != NULL)
    buf_printf(out, "%s\r\n", header);
  buf_printf(out, "Content-Length: %zu\r\n\r\n", len);
  buf_append(out, body, len);
}

/* The status of the request's answer; 0 when there is to be none. The lock is held. */
static int next_status(struct receiver *r)
{
  int status = r->at_script < r->n_script ? r->script[r->at_script++] : 200;
  if (status != RECEIVER_HOLDS)
    return status;
  while (!r->let_go && !r->stopping)
    pthread_cond_wait(&r->changed, &r->lock);
  return r->stopping ? 0 : 200;
}

static bool answer(struct receiver *r, int fd, const char *head, const char *body, size_t len)
{
  static const char line[] = "POST /v1/traces HTTP/1.1\r\n";
  char type[64];
  AUTO_BUF struct buf reply = BUF_INIT(4096);
  header_of(head, "content-type", type, sizeof(type));
  ReceivedExport *e =
      opentelemetry__proto__collector__trace__v1__export_trace_service_request__unpack(
          NULL, len, (const uint8_t *)body);
  pthread_mutex_lock(&r->lock);
  bool right = strncmp(head, line, sizeof(line) - 1) == 0 &&
               strcmp(type, "application/x-protobuf") == 0 && export_is_right(e);
  r->faults += !right;
  r->requests++;
  snprintf(r->head, sizeof(r->head), "%s", head);
  pthread_cond_broadcast(&r->changed);
  int status = next_status(r);
  if (status == 200 && r->n_exports < RECEIVER_KEEPS)
    r->exports[r->n_exports++] = TAKE_PTR(e);
  put_reply(&reply, status, r->header, r->reject);
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
  if (e != NULL)
    opentelemetry__proto__collector__trace__v1__export_trace_service_request__free_unpacked(e,
                                                                                            NULL);
  return status != 0 && send(fd, reply.data, reply.len, MSG_NOSIGNAL) == (ssize_t)reply.len;
}

static void serve(struct receiver *r, int fd)
{
  AUTO_FREE char *head = xmalloc(HEAD_MAX), *body = xmalloc(BODY_MAX);
  char length[32];
  while (read_head(fd, head)) {
    size_t len = header_of(head, "content-length", length, sizeof(length))
                     ? (size_t)strtoul(length, NULL, 10)
                     : 0;
    if (len > BODY_MAX || !read_exactly(fd, body, len) || !answer(r, fd, head, body, len))
      return;
  }
}

static void *run(void *arg)
{
  struct receiver *r = arg;
  int fd;
  while ((fd = accept(r->fd, NULL, NULL)) >= 0) {
    pthread_mutex_lock(&r->lock);
    r->connection = fd;
    bool stopping = r->stopping;
    pthread_mutex_unlock(&r->lock);
    if (!stopping)
      serve(r, fd);
    pthread_mutex_lock(&r->lock);
    r->connection = -1;
    pthread_mutex_unlock(&r->lock);
    close(fd);
  }
  return NULL;
}

struct receiver *receiver_start(void)
{
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(at);
  struct receiver *r = xcalloc(1, sizeof(*r));
  r->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  r->connection = -1;
  pthread_mutex_init(&r->lock, NULL);
  wait_init(&r->changed);
  if (bind(r->fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(r->fd, 8) != 0 ||
      getsockname(r->fd, (struct sockaddr *)&at, &len) != 0 ||
      pthread_create(&r->thread, NULL, run, r) != 0)
    abort();
  r->port = ntohs(at.sin_port);
  return r;
}

void receiver_stop(struct receiver *r)
{
  pthread_mutex_lock(&r->lock);
  r->stopping = true;
  pthread_cond_broadcast(&r->changed);
  if (r->connection >= 0)
    shutdown(r->connection, SHUT_RDWR);
  pthread_mutex_unlock(&r->lock);
  shutdown(r->fd, SHUT_RDWR);
  pthread_join(r->thread, NULL);
  close(r->fd);
  for (size_t i = 0; i < r->n_exports; i++)
    opentelemetry__proto__collector__trace__v1__export_trace_service_request__free_unpacked(
        r->exports[i], NULL);
  pthread_cond_destroy(&r->changed);
  pthread_mutex_destroy(&r->lock);
  free(r);
}

uint16_t receiver_port(const struct receiver *r)
{
  return r->port;
}

void receiver_script(struct receiver *r, const int *statuses, size_t n, const char *header)
{
  pthread_mutex_lock(&r->lock);
  memcpy(r->script, statuses, n * sizeof(*statuses));
  r->n_script = n;
  r->at_script = 0;
  r->header = header;
  pthread_mutex_unlock(&r->lock);
}

void receiver_let_go(struct receiver *r)
{
  pthread_mutex_lock(&r->lock);
  r->let_go = true;
  pthread_cond_broadcast(&r->changed);
  pthread_mutex_unlock(&r->lock);
}

void receiver_reject(struct receiver *r, int64_t spans)
{
  pthread_mutex_lock(&r->lock);
  r->reject = spans;
  pthread_mutex_unlock(&r->lock);
}

bool receiver_wait(struct receiver *r, size_t requests)
{
  int64_t until = clock_mono_ms() + 20000;
  pthread_mutex_lock(&r->lock);
  while (r->requests < requests && wait_until(&r->changed, &r->lock, until))
    ;
  bool came = r->requests >= requests;
  pthread_mutex_unlock(&r->lock);
  return came;
}

size_t receiver_requests(struct receiver *r)
{
  pthread_mutex_lock(&r->lock);
  size_t n = r->requests;
  pthread_mutex_unlock(&r->lock);
  return n;
}

size_t receiver_faults(struct receiver *r)
{
  pthread_mutex_lock(&r->lock);
  size_t n = r->faults;
  pthread_mutex_unlock(&r->lock);
  return n;
}

const char *receiver_header(struct receiver *r, const char *name, char *out, size_t size)
{
  pthread_mutex_lock(&r->lock);
  header_of(r->head, name, out, size);
  pthread_mutex_unlock(&r->lock);
  return out;
}

const ReceivedExport *receiver_export(struct receiver *r, size_t i)
{
  pthread_mutex_lock(&r->lock);
  const ReceivedExport *e = i < r->n_exports ? r->exports[i] : NULL;
  pthread_mutex_unlock(&r->lock);
  return e;
}

size_t receiver_spans(struct receiver *r)
{
  size_t n = 0;
  const ReceivedExport *e;
  for (size_t i = 0; (e = receiver_export(r, i)) != NULL; i++)
    n += e->resource_spans[0]->scope_spans[0]->n_spans;
  return n;
}
