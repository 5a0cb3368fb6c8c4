/* The listener for pages of operators. */
#include "common/http/pages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/config.h"
#include "common/base/mem.h"
#include "common/http/daemon.h"
#include "common/http/listen.h"
#include "common/http/pages_tls.h"

enum {
  PAGES_MAGIC = 0x50616765,
  THREADS = 2,
  MAX_CONNECTIONS = 32,
  CONNECTION_MEMORY = 16 * 1024, /* request line and headers, and TLS */
  IDLE_TIMEOUT_S = 10,
};

struct pages {
  uint32_t magic;
  struct pages_options options;
  struct pages_material tls;
  bool has_tls;
  struct http_daemon *daemon;
  uint16_t port;
};

struct page_request {
  struct MHD_Connection *connection;
  const char *path;
};

const char *page_path(const struct page_request *r)
{
  return r->path;
}

const char *page_header(const struct page_request *r, const char *name)
{
  return MHD_lookup_connection_value(r->connection, MHD_HEADER_KIND, name);
}

const char *page_argument(const struct page_request *r, const char *name)
{
  return MHD_lookup_connection_value(r->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* -------------------------------------------------------------------------- answers */

static void add_headers(struct MHD_Response *r)
{
  static const char *const headers[][2] = {
      {"Cache-Control", "no-store"},
      {"X-Content-Type-Options", "nosniff"},
      {"Content-Security-Policy",
       "default-src 'none'; style-src 'self'; form-action 'none'; base-uri 'none'; "
       "frame-ancestors 'none'"},
      {"X-Frame-Options", "DENY"},
      {"Referrer-Policy", "no-referrer"},
      {"Cross-Origin-Opener-Policy", "same-origin"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Vary", "Accept"}};
  for (size_t i = 0; i < ARRAY_LEN(headers); i++)
    MHD_add_response_header(r, headers[i][0], headers[i][1]);
}

/* Sends the reply's body and frees it. */
static enum MHD_Result send_reply(struct MHD_Connection *connection, struct page_reply *reply)
{
  size_t len;
  char *data = buf_take(&reply->body, &len);
  struct MHD_Response *r = MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
  if (r == NULL) {
    free(data);
    return MHD_NO;
  }
  add_headers(r);
  MHD_add_response_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, reply->type);
  if (reply->status == MHD_HTTP_METHOD_NOT_ALLOWED)
    MHD_add_response_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  enum MHD_Result result = MHD_queue_response(connection, reply->status, r);
  MHD_destroy_response(r);
  return result;
}

static enum MHD_Result refuse(struct MHD_Connection *connection, unsigned status, const char *text)
{
  struct page_reply reply = {status, "text/plain; charset=utf-8", BUF_INIT(1024)};
  buf_printf(&reply.body, "%s\n", text);
  return send_reply(connection, &reply);
}

/* "localhost:9480", "127.0.0.1", "[::1]:9480". */
static bool is_loopback_host(const char *text)
{
  char host[256];
  uint16_t port;
  if (text == NULL)
    return false;
  AUTO_FREE char *with_port = xasprintf("%s:0", text);
  return (config_split_hostport(text, host, sizeof(host), &port) ||
          config_split_hostport(with_port, host, sizeof(host), &port)) &&
         config_host_is_loopback(host);
}

static enum MHD_Result answer(const struct pages *p, const struct page_request *request)
{
  struct page_reply reply = {MHD_HTTP_OK, "text/plain; charset=utf-8",
                             BUF_INIT(p->options.max_body)};
  p->options.answer(p->options.user, request, &reply);
  if (!reply.body.failed)
    return send_reply(request->connection, &reply);
  buf_free(&reply.body);
  return refuse(request->connection, MHD_HTTP_INTERNAL_SERVER_ERROR, "the page is too large");
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **state)
{
  struct pages *p = cls;
  const struct page_request request = {connection, path};
  (void)version, (void)upload, (void)upload_size, (void)state;
  MAGIC_CHECK(p, PAGES_MAGIC);
  if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 && strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
    return refuse(connection, MHD_HTTP_METHOD_NOT_ALLOWED, "only GET and HEAD");
  if (!p->has_tls && !is_loopback_host(page_header(&request, "Host")))
    return refuse(connection, MHD_HTTP_FORBIDDEN,
                  "Host must be localhost or a loopback address: open this page under one");
  return answer(p, &request);
}

/* ------------------------------------------------------------------------- listening */

static bool has_all(const struct pages_tls *tls)
{
  return tls->cert_file != NULL && tls->key_file != NULL && tls->client_ca_file != NULL;
}

static bool has_any(const struct pages_tls *tls)
{
  return tls->cert_file != NULL || tls->key_file != NULL || tls->client_ca_file != NULL;
}

static enum err_code split(const struct pages_options *o, char *host, size_t size, uint16_t *port,
                           struct err *e)
{
  return config_split_hostport(o->listen, host, size, port)
             ? ERR_OK
             : err_set(e, ERR_INVALID_ARGUMENT, "bad_listen",
                       "%s: \"%s\" is not an address; expected host:port or [v6]:port", o->setting,
                       o->listen);
}

enum err_code pages_check(const struct pages_options *o, struct err *e)
{
  char host[256];
  uint16_t port;
  if (o->listen == NULL)
    return ERR_OK;
  if (split(o, host, sizeof(host), &port, e) != ERR_OK)
    return e->code;
  if (has_any(&o->tls) && !has_all(&o->tls))
    return err_set(e, ERR_INVALID_ARGUMENT, "bad_tls",
                   "%s: certificate, key and CA of its clients must be set together or not at all",
                   o->setting);
  if (config_host_is_loopback(host) || has_all(&o->tls))
    return ERR_OK;
  return err_set(e, ERR_INVALID_ARGUMENT, "open_listen",
                 "%s: %s is not a loopback address: set 127.0.0.1, or a certificate, its key and "
                 "the CA that its clients' certificates must be of",
                 o->setting, o->listen);
}

/* The library's own messages: unexpected peers, not worth a line. */
static void drop_message(void *cls, const char *format, va_list args)
{
  (void)cls, (void)format, (void)args;
}

static struct http_daemon *start_daemon(struct pages *p, int fd)
{
  struct MHD_OptionItem items[4 + PAGES_TLS_ITEMS] = {
      {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)drop_message, NULL},
      {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, NULL},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, CONNECTION_MEMORY, NULL},
      {MHD_OPTION_END, 0, NULL}};
  if (p->has_tls)
    pages_material_items(&p->tls, &items[3]);
  return http_daemon_start(&(struct http_daemon_options){.listen_fd = fd,
                                                         .threads = THREADS,
                                                         .max_connections = MAX_CONNECTIONS,
                                                         .tls = p->has_tls,
                                                         .on_access = on_request,
                                                         .on_access_arg = p,
                                                         .items = items});
}

static enum err_code start(struct pages *p, struct err *e)
{
  const struct pages_options *o = &p->options;
  char host[256];
  int fd = -1;
  struct listen_options listen = {.host = host, .backlog = MAX_CONNECTIONS, .setting = o->setting};
  p->has_tls = has_all(&o->tls);
  if (p->has_tls && pages_material_read(&p->tls, &o->tls, e) != ERR_OK)
    return e->code;
  if (split(o, host, sizeof(host), &listen.port, e) != ERR_OK ||
      listen_open(&fd, &p->port, &listen, e) != ERR_OK)
    return e->code;
  p->daemon = start_daemon(p, fd);
  if (p->daemon != NULL)
    return ERR_OK;
  close(fd);
  return err_set(e, p->has_tls ? ERR_INVALID_ARGUMENT : ERR_RESOURCE_EXHAUSTED, "no_listener",
                 "%s: the listener cannot start: %s", o->setting,
                 p->has_tls ? "its certificate and key do not belong together, or there are too "
                              "few threads or descriptors"
                            : "out of threads or descriptors");
}

enum err_code pages_start(struct pages **out, const struct pages_options *options, struct err *e)
{
  *out = NULL;
  if (options->listen == NULL)
    return ERR_OK;
  if (pages_check(options, e) != ERR_OK)
    return e->code;
  struct pages *p = xcalloc(1, sizeof(*p));
  p->magic = PAGES_MAGIC;
  p->options = *options;
  enum err_code code = start(p, e);
  if (code != ERR_OK) {
    pages_stop(p);
    return code;
  }
  *out = p;
  return ERR_OK;
}

uint16_t pages_port(const struct pages *p)
{
  return p->port;
}

void pages_stop(struct pages *p)
{
  if (p == NULL)
    return;
  MAGIC_CHECK(p, PAGES_MAGIC);
  http_daemon_stop(p->daemon); /* closes the listening socket too */
  pages_material_free(&p->tls);
  p->magic = 0;
  free(p);
}
