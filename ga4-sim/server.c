/* One thread per connection: a request that waits (latency, slow body) holds up no
 * other. At most 1,024 connections. */
#include "ga4-sim/server.h"

#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "common/base/mem.h"
#include "ga4-sim/api/api.h"
#include "ga4-sim/base/file.h"
#include "ga4-sim/base/listen.h"
#include "ga4-sim/base/value.h"
#include "ga4-sim/login/login.h"
#include "ga4-sim/switches/control.h"

enum {
  CONNECTIONS_MAX = 1024,
  BODY_MAX = 4 * 1024 * 1024,
  IDLE_TIMEOUT_S = 120,
  THREAD_STACK = 1024 * 1024,
  GZIP_MIN = 1024,
  PEM_MAX = 8192,
  PIECES = 20, /* a slow body is sent in so many pieces */
};

struct server {
  struct MHD_Daemon *daemon;
  struct MHD_Daemon *tls[TLS_LISTEN_MAX];
  struct sim *sim;
};

/* What travels with a connection's request. */
struct exchange {
  struct buf body;
  bool too_large;
};

static const char *query(struct MHD_Connection *c, const char *name)
{
  return MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, name);
}

static const char *header(struct MHD_Connection *c, const char *name)
{
  return MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
}

static const char *lookup(void *ctx, bool is_header, const char *name)
{
  return is_header ? header(ctx, name) : query(ctx, name);
}

static bool contains(const char *text, const char *part)
{
  return text != NULL && strstr(text, part) != NULL;
}

static void describe(struct MHD_Connection *c, const char *method, const char *path,
                     const struct buf *body, struct request *q)
{
  *q = (struct request){.method = method,
                        .path = path,
                        .authorization = header(c, "Authorization"),
                        .gzip = contains(header(c, "Accept-Encoding"), "gzip"),
                        .body = buf_str(body),
                        .body_len = body->len,
                        .lookup = lookup,
                        .lookup_ctx = c};
  request_read_style(q);
}

static void answer(struct sim *s, const struct request *q, struct reply *r)
{
  if (strcmp(q->path, "/livez") == 0) {
    bool ready = atomic_load(&s->ready);
    r->status = ready ? 200 : 503;
    r->content_type = "text/plain";
    r->pretty = false;
    buf_puts(&r->body, ready ? "ok\n" : "writing files\n");
  } else if (strncmp(q->path, "/sim/", 5) == 0) {
    control_handle(s, q, r);
  } else if (!identity_handle(s, q, r)) {
    api_handle(s, q, r);
  }
}

/* Replaces the body by its gzip form. */
static bool compress_body(struct buf *body)
{
  z_stream z = {0};
  if (deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    return false;
  struct buf out = BUF_INIT(body->max);
  size_t bound = deflateBound(&z, body->len);
  char *to = buf_reserve(&out, bound);
  bool ok = false;
  if (to != NULL) {
    z.next_in = (unsigned char *)body->data;
    z.avail_in = (uInt)body->len;
    z.next_out = (unsigned char *)to;
    z.avail_out = (uInt)bound;
    ok = deflate(&z, Z_FINISH) == Z_STREAM_END;
    out.len += z.total_out;
  }
  deflateEnd(&z);
  if (!ok) {
    buf_free(&out);
    return false;
  }
  buf_free(body);
  *body = out;
  return true;
}

/* A body that is sent slowly or not to its end. */
struct spoiled {
  struct sim *sim;
  char *data;
  size_t len;
  uint32_t pause_ms;
  bool cut;
};

static ssize_t spoiled_read(void *cls, uint64_t pos, char *out, size_t max)
{
  struct spoiled *b = cls;
  size_t end = b->cut ? b->len / 2 : b->len;
  if (pos >= end)
    return b->cut ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
  sim_wait(b->sim, b->pause_ms);
  size_t n = end - (size_t)pos, piece = b->pause_ms > 0 ? b->len / PIECES + 1 : max;
  if (n > piece)
    n = piece;
  if (n > max)
    n = max;
  memcpy(out, b->data + pos, n);
  return (ssize_t)n;
}

static void spoiled_free(void *cls)
{
  struct spoiled *b = cls;
  free(b->data);
  free(b);
}

static struct MHD_Response *make_response(struct sim *s, struct reply *r)
{
  size_t len;
  char *data = buf_take(&r->body, &len);
  if (r->malformed)
    len -= len / 3;
  if (r->slow_ms == 0 && !r->cut)
    return MHD_create_response_from_buffer(len, data, MHD_RESPMEM_MUST_FREE);
  struct spoiled *b = xcalloc(1, sizeof(*b));
  *b = (struct spoiled){
      .sim = s, .data = data, .len = len, .pause_ms = r->slow_ms / PIECES, .cut = r->cut};
  return MHD_create_response_from_callback(len, 4096, spoiled_read, b, spoiled_free);
}

static void lay_out(struct reply *r)
{
  if (!r->pretty || r->body.len == 0)
    return;
  struct buf out = BUF_INIT(r->body.max);
  value_pretty_json(&out, r->body.data, r->body.len);
  buf_free(&r->body);
  r->body = out;
}

static enum MHD_Result send_reply(struct MHD_Connection *c, struct sim *s, const struct request *q,
                                  struct reply *r)
{
  lay_out(r);
  bool zipped = q->gzip && r->body.len >= GZIP_MIN && !r->malformed && compress_body(&r->body);
  struct MHD_Response *response = make_response(s, r);
  MHD_add_response_header(response, "Content-Type", r->content_type);
  MHD_add_response_header(response, "Vary", "Origin, X-Origin, Referer");
  MHD_add_response_header(response, "Cache-Control",
                          r->no_store ? "no-cache, no-store, max-age=0, must-revalidate"
                                      : "private");
  if (zipped)
    MHD_add_response_header(response, "Content-Encoding", "gzip");
  if (r->www_authenticate[0] != '\0')
    MHD_add_response_header(response, "WWW-Authenticate", r->www_authenticate);
  if (r->header_name != NULL)
    MHD_add_response_header(response, r->header_name, r->header_value);
  enum MHD_Result result = MHD_queue_response(c, (unsigned)r->status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *path,
                                  const char *method, const char *version, const char *data,
                                  size_t *size, void **state)
{
  (void)version;
  struct server *server = cls;
  struct exchange *x = *state;
  if (x == NULL) {
    x = xcalloc(1, sizeof(*x));
    buf_init(&x->body, BODY_MAX);
    *state = x;
    return MHD_YES;
  }
  if (*size > 0) {
    if (!buf_append(&x->body, data, *size))
      x->too_large = true;
    *size = 0;
    return MHD_YES;
  }
  struct request q;
  struct reply r;
  reply_init(&r);
  describe(c, method, path, &x->body, &q);
  if (x->too_large)
    reply_google_error(&r, 413, "INVALID_ARGUMENT", "Request payload size exceeds the limit.",
                       NULL);
  else
    answer(server->sim, &q, &r);
  enum MHD_Result result = send_reply(c, server->sim, &q, &r);
  reply_free(&r);
  return result;
}

static void on_completed(void *cls, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode code)
{
  (void)cls;
  (void)c;
  (void)code;
  struct exchange *x = *state;
  if (x == NULL)
    return;
  buf_free(&x->body);
  free(x);
  *state = NULL;
}

/* Takes over fd, also when it fails. key and certificate (PEM): NULL for a plain listener. */
static struct MHD_Daemon *listen_with(struct server *server, int fd, const char *key,
                                      const char *certificate)
{
  unsigned flags = MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_POLL;
  struct MHD_OptionItem secured[] = {{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)key},
                                     {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)certificate},
                                     {MHD_OPTION_END, 0, NULL}};
  struct MHD_OptionItem none[] = {{MHD_OPTION_END, 0, NULL}};
  struct MHD_Daemon *daemon = MHD_start_daemon(
      key != NULL ? flags | MHD_USE_TLS : flags, 0, NULL, NULL, on_request, server,
      MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
      MHD_OPTION_CONNECTION_LIMIT, (unsigned)CONNECTIONS_MAX, MHD_OPTION_CONNECTION_TIMEOUT,
      (unsigned)IDLE_TIMEOUT_S, MHD_OPTION_THREAD_STACK_SIZE, (size_t)THREAD_STACK,
      MHD_OPTION_ARRAY, key != NULL ? secured : none, MHD_OPTION_END);
  if (daemon == NULL)
    close(fd);
  return daemon;
}

static enum err_code start_tls(struct server *server, struct authority *a, size_t i, struct err *e)
{
  const struct tls_listen *l = &server->sim->options->tls[i];
  AUTO_BUF struct buf certificate = BUF_INIT(PEM_MAX), key = BUF_INIT(PEM_MAX);
  int fd = -1;
  if (listen_on(l->host, l->port, &fd, e) != ERR_OK)
    return e->code;
  uint16_t port = listen_port(fd);
  if (!authority_issue(a, l->certificate, &certificate, &key)) {
    close(fd);
    return err_set(e, ERR_INTERNAL, "certificate", "OpenSSL could not make a certificate");
  }
  server->tls[i] = listen_with(server, fd, buf_str(&key), buf_str(&certificate));
  if (server->tls[i] == NULL)
    return err_set(e, ERR_INTERNAL, "listen", "the listener over TLS could not start");
  printf("listening on https://%s:%u, its certificate is %s\n", l->host, port,
         certificate_names[l->certificate]);
  return ERR_OK;
}

/* The listeners over TLS, with one authority. */
static enum err_code start_all_tls(struct server *server, struct err *e)
{
  const struct options *o = server->sim->options;
  AUTO_BUF struct buf pem = BUF_INIT(PEM_MAX);
  enum err_code code = ERR_OK;
  if (o->n_tls == 0 && o->write_ca == NULL)
    return ERR_OK;
  struct authority *a = authority_new();
  if (a == NULL || !authority_put(a, &pem))
    code = err_set(e, ERR_INTERNAL, "certificate", "OpenSSL could not make an authority");
  for (size_t i = 0; code == ERR_OK && i < o->n_tls; i++)
    code = start_tls(server, a, i, e);
  if (code == ERR_OK && o->write_ca != NULL)
    code = file_write_private(o->write_ca, &pem, e);
  authority_free(a);
  return code;
}

enum err_code server_start(struct server **out, struct sim *s, uint16_t *port, struct err *e)
{
  int fd = -1;
  enum err_code code = listen_on(s->options->host, s->options->port, &fd, e);
  if (code != ERR_OK)
    return code;
  *port = listen_port(fd);
  struct server *server = xcalloc(1, sizeof(*server));
  server->sim = s;
  s->delay = delay_new();
  server->daemon = listen_with(server, fd, NULL, NULL);
  if (server->daemon == NULL)
    code = err_set(e, ERR_INTERNAL, "listen", "the HTTP listener could not start");
  if (code == ERR_OK)
    code = start_all_tls(server, e);
  if (code != ERR_OK) {
    server_stop(server);
    return code;
  }
  *out = server;
  return ERR_OK;
}

void server_stop(struct server *server)
{
  delay_end(server->sim->delay);
  if (server->daemon != NULL)
    MHD_stop_daemon(server->daemon);
  for (size_t i = 0; i < TLS_LISTEN_MAX; i++)
    if (server->tls[i] != NULL)
      MHD_stop_daemon(server->tls[i]);
  delay_free(server->sim->delay);
  server->sim->delay = NULL;
  free(server);
}
