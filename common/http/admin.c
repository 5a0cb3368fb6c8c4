/* The small listener for operators: /livez, /readyz, /metrics. */
#include "common/http/admin.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/http/daemon.h"
#include "common/http/listen.h"

enum {
  ADMIN_MAGIC = 0x41646d6e,
  MAX_CONNECTIONS = 32,
  CONNECTION_MEMORY = 8 * 1024, /* request line and headers */
  IDLE_TIMEOUT_S = 5,
  MAX_DETAIL = 16 * 1024,
  MAX_METRICS = 16 * 1024 * 1024,
};

struct admin {
  uint32_t magic;
  struct http_daemon *daemon;
  uint16_t port;
  bool (*ready)(void *user, struct buf *detail);
  void *user;
  atomic_bool draining;
};

/* ---- answers ---- */

/* Sends the buffer's content and frees it. */
static enum MHD_Result reply(struct MHD_Connection *conn, unsigned status, const char *type,
                             struct buf *body)
{
  size_t len;
  char *data = buf_take(body, &len);
  struct MHD_Response *r = MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
  if (r == NULL) {
    free(data);
    return MHD_NO;
  }
  MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  MHD_add_response_header(r, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
    MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  enum MHD_Result result = MHD_queue_response(conn, status, r);
  MHD_destroy_response(r);
  return result;
}

static enum MHD_Result reply_text(struct MHD_Connection *conn, unsigned status, const char *text)
{
  struct buf b = BUF_INIT(MAX_DETAIL);
  buf_printf(&b, "%s\n", text);
  return reply(conn, status, "text/plain; charset=utf-8", &b);
}

static enum MHD_Result reply_readiness(struct admin *a, struct MHD_Connection *conn)
{
  AUTO_BUF struct buf detail = BUF_INIT(MAX_DETAIL);
  if (atomic_load(&a->draining))
    return reply_text(conn, MHD_HTTP_SERVICE_UNAVAILABLE, "draining");
  bool ready = a->ready == NULL || a->ready(a->user, &detail);
  struct buf b = BUF_INIT(MAX_DETAIL + 64);
  buf_puts(&b, ready ? "ready\n" : "not ready\n");
  buf_puts(&b, buf_str(&detail));
  return reply(conn, ready ? MHD_HTTP_OK : MHD_HTTP_SERVICE_UNAVAILABLE,
               "text/plain; charset=utf-8", &b);
}

static enum MHD_Result reply_metrics(struct MHD_Connection *conn)
{
  struct buf b = BUF_INIT(MAX_METRICS);
  if (metrics_render(&b))
    return reply(conn, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", &b);
  buf_free(&b);
  return reply_text(conn, MHD_HTTP_INTERNAL_SERVER_ERROR, "the metrics are larger than 16 MiB");
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *conn, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
  struct admin *a = cls;
  (void)version, (void)upload, (void)upload_size, (void)state;
  MAGIC_CHECK(a, ADMIN_MAGIC);
  /* Answering before any body is read makes the library close the connection after. */
  if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
    return reply_text(conn, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
  if (strcmp(path, "/livez") == 0)
    return reply_text(conn, MHD_HTTP_OK, "ok");
  if (strcmp(path, "/readyz") == 0)
    return reply_readiness(a, conn);
  if (strcmp(path, "/metrics") == 0)
    return reply_metrics(conn);
  return reply_text(conn, MHD_HTTP_NOT_FOUND, "try /livez, /readyz or /metrics");
}

/* ---- listening ---- */

static enum err_code open_listener(const char *listen_text, int *fd, uint16_t *port, struct err *e)
{
  char host[256];
  struct listen_options options = {
      .host = host, .backlog = MAX_CONNECTIONS, .setting = "ADMIN_LISTEN"};
  if (!config_split_hostport(listen_text, host, sizeof(host), &options.port))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_listen",
                   "ADMIN_LISTEN: \"%s\" is not an address; expected host:port, [v6]:port or :port",
                   listen_text);
  return listen_open(fd, port, &options, e);
}

/* The library's own messages: unexpected peers, not worth a line. */
static void drop_message(void *cls, const char *format, va_list args)
{
  (void)cls, (void)format, (void)args;
}

static struct http_daemon *start_daemon(struct admin *a, int fd)
{
  const struct MHD_OptionItem items[] = {
      {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)drop_message, NULL},
      {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, NULL},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
      {MHD_OPTION_END, 0, NULL},
  };
  return http_daemon_start(&(struct http_daemon_options){.listen_fd = fd,
                                                         .threads = 1,
                                                         .max_connections = MAX_CONNECTIONS,
                                                         .on_access = on_request,
                                                         .on_access_arg = a,
                                                         .items = items});
}

enum err_code admin_start(struct admin **out, const struct admin_options *options, struct err *e)
{
  int fd = -1;
  uint16_t port = 0;
  *out = NULL;
  if (options->listen == NULL)
    return ERR_OK;
  enum err_code code = open_listener(options->listen, &fd, &port, e);
  if (code != ERR_OK)
    return code;
  struct admin *a = xcalloc(1, sizeof(*a));
  a->magic = ADMIN_MAGIC;
  a->ready = options->ready;
  a->user = options->user;
  a->port = port;
  atomic_init(&a->draining, false);
  a->daemon = start_daemon(a, fd);
  if (a->daemon == NULL) {
    close(fd);
    free(a);
    return err_set(e, ERR_RESOURCE_EXHAUSTED, "no_thread",
                   "admin listener: its thread cannot start: out of threads or descriptors");
  }
  *out = a;
  return ERR_OK;
}

uint16_t admin_port(const struct admin *a)
{
  return a->port;
}

void admin_set_draining(struct admin *a)
{
  if (a != NULL)
    atomic_store(&a->draining, true);
}

void admin_stop(struct admin *a)
{
  if (a == NULL)
    return;
  MAGIC_CHECK(a, ADMIN_MAGIC);
  http_daemon_stop(a->daemon); /* closes the listening socket too */
  a->magic = 0;
  free(a);
}
