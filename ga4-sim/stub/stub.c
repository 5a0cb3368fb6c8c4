/* The listener of the stub. A request that has arrived whole is answered at once, or suspended
 * until the queue says that its latency is over. */
#include "ga4-sim/stub/stub.h"

#include <microhttpd.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/signals.h"
#include "ga4-sim/base/listen.h"
#include "ga4-sim/stub/answer.h"
#include "ga4-sim/stub/dealers.h"
#include "ga4-sim/stub/kept.h"
#include "ga4-sim/stub/queue.h"

enum { THREADS = 2, CONNECTIONS_MAX = 8192, BODY_MAX = 1024 * 1024, ANSWER_MAX = 64 * 1024 * 1024 };

struct stub {
  const struct options *options;
  int64_t today;
  struct stub_queue *queue; /* NULL without latency */
  struct stub_kept *kept;
  struct MHD_Daemon *daemon;
  atomic_llong tokens, reports, in_flight, max_in_flight;
};

/* What travels with a request. */
struct exchange {
  struct stub_waiter waiter;
  struct MHD_Connection *connection;
  struct stub *stub;
  struct buf body;
  bool counted, waited;
};

static void on_due(struct stub_waiter *w)
{
  MHD_resume_connection(CONTAINER_OF(w, struct exchange, waiter)->connection);
}

static void count(struct exchange *x)
{
  struct stub *s = x->stub;
  x->counted = true;
  atomic_fetch_add(&s->reports, 1);
  long long n = atomic_fetch_add(&s->in_flight, 1) + 1, most = atomic_load(&s->max_in_flight);
  while (n > most && !atomic_compare_exchange_weak(&s->max_in_flight, &most, n))
    ;
}

static void put_stats(struct buf *out, struct stub *s)
{
  buf_printf(out,
             "{\"totals\":{\"token_requests\":%lld,\"report_requests\":%lld,\"in_flight\":%lld,"
             "\"max_concurrent\":%lld}}\n",
             (long long)s->tokens, (long long)s->reports, (long long)s->in_flight,
             (long long)s->max_in_flight);
}

static bool ends_with(const char *path, const char *end)
{
  size_t n = strlen(path), m = strlen(end);
  return n > m && strcmp(path + n - m, end) == 0;
}

static int answer(struct buf *out, struct exchange *x, const char *method, const char *path)
{
  if (strcmp(method, "POST") == 0)
    return stub_answer(out, path, buf_str(&x->body), x->body.len,
                       &(struct stub_facts){x->stub->today, x->stub->options->stub_rows});
  if (strcmp(path, "/sim/stats") == 0)
    put_stats(out, x->stub);
  else if (ends_with(path, "/metadata"))
    stub_metadata(out, path);
  else if (strcmp(path, "/livez") == 0)
    buf_puts(out, "ok\n");
  else
    return 404;
  return 200;
}

/* Makes the answer, or finds that of an equal question. */
static struct stub_text *find_answer(int *status, struct exchange *x, const char *method,
                                     const char *path)
{
  struct buf out = BUF_INIT(ANSWER_MAX);
  struct stub_kept *kept = x->stub->kept;
  bool batch = ends_with(path, ":batchRunReports"), report = batch || ends_with(path, ":runReport");
  const char *body = buf_str(&x->body);
  size_t len, body_len = x->body.len;
  struct stub_text *text = report ? stub_kept_get(kept, batch, body, body_len) : NULL;
  *status = 200;
  if (text != NULL)
    return text;
  *status = answer(&out, x, method, path);
  char *data = buf_take(&out, &len);
  text = stub_text_new(data, len);
  if (report && *status == 200)
    stub_kept_put(kept, batch, body, body_len, text);
  return text;
}

static enum MHD_Result reply(struct exchange *x, const char *method, const char *path)
{
  int status;
  struct stub_text *text = find_answer(&status, x, method, path);
  struct MHD_Response *r = MHD_create_response_from_buffer_with_free_callback_cls(
      stub_text_len(text), stub_text_data(text), stub_text_unref, text);
  MHD_add_response_header(r, "Content-Type", "application/json; charset=UTF-8");
  enum MHD_Result result = MHD_queue_response(x->connection, (unsigned)status, r);
  MHD_destroy_response(r);
  return result;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
  struct stub *s = cls;
  struct exchange *x = *state;
  (void)version;
  if (x == NULL) {
    x = xcalloc(1, sizeof(*x));
    x->stub = s;
    x->connection = c;
    buf_init(&x->body, BODY_MAX);
    *state = x;
    return MHD_YES;
  }
  if (*size > 0) {
    if (!buf_append(&x->body, data, *size))
      return MHD_NO;
    *size = 0;
    return MHD_YES;
  }
  bool token = strcmp(path, "/token") == 0, api = strcmp(method, "POST") == 0 && !token;
  if (token)
    atomic_fetch_add(&s->tokens, 1);
  if (api && !x->counted)
    count(x);
  if (api && s->queue != NULL && !x->waited) {
    x->waited = true;
    MHD_suspend_connection(c);
    stub_queue_add(s->queue, &x->waiter);
    return MHD_YES;
  }
  return reply(x, method, path);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode code)
{
  struct stub *s = cls;
  struct exchange *x = *state;
  (void)c;
  (void)code;
  if (x == NULL)
    return;
  if (x->counted)
    atomic_fetch_sub(&s->in_flight, 1);
  buf_free(&x->body);
  free(x);
  *state = NULL;
}

static enum err_code serve(struct stub *s, uint16_t port, struct err *e)
{
  const struct options *o = s->options;
  char url[300];
  bool v6 = strchr(o->host, ':') != NULL;
  snprintf(url, sizeof(url), "http://%s%s%s:%u", v6 ? "[" : "", o->host, v6 ? "]" : "", port);
  if (o->write_dealers != NULL &&
      stub_dealers_write(o->write_dealers, o->world.dealers, o->world.regions,
                         o->public_url != NULL ? o->public_url : url, e) != ERR_OK)
    return e->code;
  printf("listening on %s\n", url);
  fflush(stdout);
  signals_wait(NULL, NULL);
  return ERR_OK;
}

static struct MHD_Daemon *start_daemon(struct stub *s, int fd)
{
  return MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL,
                          on_request, s, MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED,
                          on_completed, s, MHD_OPTION_THREAD_POOL_SIZE, (unsigned)THREADS,
                          MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_END);
}

enum err_code stub_run(const struct options *o, struct err *e)
{
  struct stub s = {.options = o, .today = o->world.today, .kept = stub_kept_new()};
  int fd = -1;
  enum err_code code = listen_on(o->host, o->port, &fd, e);
  if (code != ERR_OK) {
    stub_kept_free(s.kept);
    return code;
  }
  if (o->latency_ms > 0)
    s.queue = stub_queue_new(o->latency_ms, on_due);
  s.daemon = start_daemon(&s, fd);
  if (s.daemon == NULL) {
    close(fd);
    code = err_set(e, ERR_INTERNAL, "listen", "the HTTP listener could not start");
  } else {
    code = serve(&s, listen_port(fd), e);
    MHD_quiesce_daemon(s.daemon);
  }
  if (s.queue != NULL)
    stub_queue_end(s.queue);
  if (s.daemon != NULL) {
    MHD_stop_daemon(s.daemon);
    close(fd);
  }
  if (s.queue != NULL)
    stub_queue_free(s.queue);
  stub_kept_free(s.kept);
  return code;
}
