/* An HTTP/1.1 server for tests. */
#include "tests/unit/http/server.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "common/base/buf.h"
#include "common/base/mem.h"

enum { MAX_CONNECTIONS = 512, MAX_REQUEST = 8 * 1024 * 1024, MAX_BODY = 32 * 1024 * 1024 };

struct connection {
  struct server *server;
  pthread_t thread;
  int fd;
  SSL *ssl;
  bool used;
};

struct server {
  int fd;
  uint16_t port;
  SSL_CTX *tls;
  pthread_t thread;
  pthread_mutex_t lock;
  struct connection connections[MAX_CONNECTIONS];
  unsigned n_connections;
  unsigned open;
  unsigned most_open;
  unsigned n_requests;
  atomic_bool stopping;
};

struct request {
  struct connection *c;
  struct buf head; /* request line and headers */
  struct buf body;
  const char *target;
};

unsigned char server_byte(size_t at)
{
  uint64_t x = (at / 3 + 1) * 0x9E3779B97F4A7C15u;
  return (unsigned char)('a' + (x >> 40) % 23);
}

/* Bodies are mostly the same first bytes: made once. */
enum { KNOWN = 256 * 1024 };
static char known[KNOWN];
static pthread_once_t known_once = PTHREAD_ONCE_INIT;

static void make_known(void)
{
  for (size_t i = 0; i < KNOWN; i++)
    known[i] = (char)server_byte(i);
}

bool server_bytes_are(size_t at, const char *data, size_t len)
{
  pthread_once(&known_once, make_known);
  size_t n = at >= KNOWN ? 0 : len < KNOWN - at ? len : KNOWN - at;
  if (n > 0 && memcmp(data, known + at, n) != 0)
    return false;
  for (size_t i = n; i < len; i++)
    if ((unsigned char)data[i] != server_byte(at + i))
      return false;
  return true;
}

static void sleep_ms(long ms)
{
  nanosleep(&(struct timespec){.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000}, NULL);
}

/* ---- reading and writing ---- */

static long conn_read(struct connection *c, char *p, size_t n)
{
  return c->ssl != NULL ? SSL_read(c->ssl, p, (int)n) : recv(c->fd, p, n, 0);
}

static bool conn_write(struct connection *c, const char *p, size_t n)
{
  while (n > 0) {
    long sent = c->ssl != NULL ? SSL_write(c->ssl, p, (int)n) : send(c->fd, p, n, MSG_NOSIGNAL);
    if (sent <= 0)
      return false;
    p += sent;
    n -= (size_t)sent;
  }
  return true;
}

static size_t content_length(const struct buf *head)
{
  const char *p = strcasestr(buf_str(head), "\r\ncontent-length:");
  return p != NULL ? strtoul(p + 17, NULL, 10) : 0;
}

/* Reads one request; bytes after it do not come (no pipelining). */
static bool read_request(struct request *r)
{
  char piece[16384];
  char *end;
  while ((end = strstr(buf_str(&r->head), "\r\n\r\n")) == NULL) {
    long n = conn_read(r->c, piece, sizeof(piece));
    if (n <= 0 || !buf_append(&r->head, piece, (size_t)n))
      return false;
  }
  size_t head = (size_t)(end - r->head.data) + 4;
  buf_append(&r->body, r->head.data + head, r->head.len - head);
  r->head.len = head;
  r->head.data[head] = '\0';
  size_t want = content_length(&r->head);
  while (r->body.len < want) {
    long n = conn_read(r->c, piece, sizeof(piece));
    if (n <= 0 || !buf_append(&r->body, piece, (size_t)n))
      return false;
  }
  r->target = strchr(r->head.data, ' ') + 1;
  return true;
}

/* ---- answers ---- */

static size_t query(const struct request *r, const char *name, size_t fallback)
{
  const char *end = strchr(r->target, ' ');
  for (const char *p = strpbrk(r->target, "?&"); p != NULL && p < end; p = strpbrk(p + 1, "?& ")) {
    size_t n = strlen(name);
    if (strncmp(p + 1, name, n) == 0 && p[1 + n] == '=')
      return strtoul(p + 2 + n, NULL, 10);
  }
  return fallback;
}

static bool path_is(const struct request *r, const char *path)
{
  size_t n = strlen(path);
  return strncmp(r->target, path, n) == 0 && strchr("? ", r->target[n]) != NULL;
}

static bool answer(struct request *r, const char *status_and_headers, const void *body, size_t n)
{
  struct buf b = BUF_INIT(MAX_BODY);
  buf_printf(&b, "HTTP/1.1 %s\r\nContent-Length: %zu\r\n\r\n", status_and_headers, n);
  if (strncmp(r->head.data, "HEAD ", 5) != 0)
    buf_append(&b, body, n);
  bool ok = conn_write(r->c, b.data, b.len);
  buf_free(&b);
  return ok;
}

static bool answer_echo(struct request *r)
{
  struct buf b = BUF_INIT(MAX_REQUEST);
  buf_append(&b, r->head.data, r->head.len);
  buf_append(&b, buf_str(&r->body), r->body.len);
  bool ok = answer(r, "200 OK\r\nContent-Type: text/plain; charset=utf-8", b.data, b.len);
  buf_free(&b);
  return ok;
}

static void fill(struct buf *b, size_t n)
{
  char *p = buf_reserve(b, n);
  if (p == NULL)
    return;
  pthread_once(&known_once, make_known);
  memcpy(p, known, n < KNOWN ? n : KNOWN);
  for (size_t i = KNOWN; i < n; i++)
    p[i] = (char)server_byte(i);
  b->len += n;
}

static void compress_body(struct buf *b)
{
  z_stream z = {0};
  struct buf out = BUF_INIT(MAX_BODY);
  deflateInit2(&z, Z_BEST_SPEED, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  size_t bound = deflateBound(&z, b->len);
  z.next_in = (Bytef *)b->data;
  z.avail_in = (uInt)b->len;
  z.next_out = (Bytef *)buf_reserve(&out, bound);
  z.avail_out = (uInt)bound;
  deflate(&z, Z_FINISH);
  out.len = z.total_out;
  deflateEnd(&z);
  buf_free(b);
  *b = out;
}

static bool send_piece(struct request *r, const char *p, size_t n, bool chunked)
{
  char size[32];
  if (!chunked)
    return conn_write(r->c, p, n);
  int len = snprintf(size, sizeof(size), "%zx\r\n", n);
  return conn_write(r->c, size, (size_t)len) && conn_write(r->c, p, n) &&
         conn_write(r->c, "\r\n", 2);
}

static bool answer_bytes(struct request *r)
{
  bool chunked = query(r, "chunked", 0) != 0;
  bool gzip = query(r, "gzip", 0) != 0;
  size_t piece = query(r, "piece", 4096);
  long pause_ms = (long)query(r, "pause_ms", 0);
  struct buf b = BUF_INIT(MAX_BODY);
  struct buf head = BUF_INIT(4096);
  fill(&b, query(r, "n", 0));
  if (gzip)
    compress_body(&b);
  buf_printf(&head, "HTTP/1.1 200 OK\r\n%s", gzip ? "Content-Encoding: gzip\r\n" : "");
  if (chunked)
    buf_puts(&head, "Transfer-Encoding: chunked\r\n\r\n");
  else
    buf_printf(&head, "Content-Length: %zu\r\n\r\n", b.len);
  bool ok = conn_write(r->c, head.data, head.len);
  for (size_t at = 0; ok && at < b.len && !atomic_load(&r->c->server->stopping); at += piece) {
    ok = send_piece(r, b.data + at, b.len - at < piece ? b.len - at : piece, chunked);
    if (pause_ms > 0)
      sleep_ms(pause_ms);
  }
  ok = ok && (!chunked || conn_write(r->c, "0\r\n\r\n", 5));
  buf_free(&b);
  buf_free(&head);
  return ok;
}

static bool answer_status(struct request *r)
{
  struct buf b = BUF_INIT(MAX_BODY);
  char head[256];
  fill(&b, query(r, "n", 0));
  snprintf(head, sizeof(head),
           "%zu Status\r\nContent-Type: application/json\r\nretry-after: 7\r\n"
           "WWW-Authenticate: Bearer realm=\"a\"\r\nwww-authenticate: Basic",
           query(r, "code", 500));
  bool ok = answer(r, head, buf_str(&b), b.len);
  buf_free(&b);
  return ok;
}

/* Waits until the client closes or the server stops. */
static bool hang(struct request *r)
{
  char byte;
  while (conn_read(r->c, &byte, 1) > 0)
    ;
  return false;
}

static bool answer_declare(struct request *r)
{
  char head[128];
  int n = snprintf(head, sizeof(head), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\nx",
                   query(r, "n", 0));
  return conn_write(r->c, head, (size_t)n) && hang(r);
}

static bool answer_cut(struct request *r)
{
  struct buf b = BUF_INIT(MAX_BODY);
  size_t n = query(r, "n", 0);
  buf_printf(&b, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n + 100);
  fill(&b, n);
  conn_write(r->c, b.data, b.len);
  buf_free(&b);
  return false;
}

static bool answer_interim(struct request *r)
{
  static const char interim[] = "HTTP/1.1 103 Early Hints\r\nContent-Type: text/early\r\n"
                                "Retry-After: 99\r\n\r\n";
  return conn_write(r->c, interim, sizeof(interim) - 1) &&
         answer(r, "200 OK\r\nContent-Type: text/final", "done", 4);
}

static bool respond(struct request *r)
{
  if (path_is(r, "/echo"))
    return answer_echo(r);
  if (path_is(r, "/bytes"))
    return answer_bytes(r);
  if (path_is(r, "/status"))
    return answer_status(r);
  if (path_is(r, "/redirect"))
    return answer(r, "302 Found\r\nLocation: /echo", "moved", 5);
  if (path_is(r, "/interim"))
    return answer_interim(r);
  if (path_is(r, "/cut"))
    return answer_cut(r);
  if (path_is(r, "/declare"))
    return answer_declare(r);
  if (path_is(r, "/hang"))
    return hang(r);
  if (path_is(r, "/badgzip"))
    return answer(r, "200 OK\r\nContent-Encoding: gzip", "this is not gzip", 16);
  if (path_is(r, "/empty"))
    return answer(r, "200 OK", "", 0);
  if (path_is(r, "/once"))
    return answer_echo(r) && false;
  if (path_is(r, "/strange"))
    return answer(r, "503 No\r\nRetry-After: a\xff\x01z", "", 0);
  if (path_is(r, "/close"))
    return false;
  return answer(r, "404 Not Found", "no such path", 12);
}

/* ---- connections ---- */

static bool serve_one(struct connection *c)
{
  struct request r = {.c = c, .head = BUF_INIT(MAX_REQUEST), .body = BUF_INIT(MAX_REQUEST)};
  bool keep = read_request(&r);
  if (keep) {
    pthread_mutex_lock(&c->server->lock);
    c->server->n_requests++;
    pthread_mutex_unlock(&c->server->lock);
    keep = respond(&r);
  }
  buf_free(&r.head);
  buf_free(&r.body);
  return keep;
}

static void *serve(void *arg)
{
  struct connection *c = arg;
  struct server *s = c->server;
  sigset_t pipe_signal;
  sigemptyset(&pipe_signal);
  sigaddset(&pipe_signal, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
  if (s->tls != NULL) {
    c->ssl = SSL_new(s->tls);
    SSL_set_fd(c->ssl, c->fd);
  }
  if (c->ssl == NULL || SSL_accept(c->ssl) == 1)
    while (!atomic_load(&s->stopping) && serve_one(c))
      ;
  if (c->ssl != NULL) {
    SSL_shutdown(c->ssl);
    SSL_free(c->ssl);
  }
  pthread_mutex_lock(&s->lock);
  s->open--;
  close(c->fd);
  c->fd = -1;
  pthread_mutex_unlock(&s->lock);
  return NULL;
}

static struct connection *free_slot(struct server *s)
{
  for (size_t i = 0; i < MAX_CONNECTIONS; i++) {
    struct connection *c = &s->connections[i];
    if (c->used && c->fd == -1) {
      pthread_join(c->thread, NULL);
      c->used = false;
    }
    if (!c->used)
      return c;
  }
  return NULL;
}

static void adopt(struct server *s, int fd)
{
  pthread_mutex_lock(&s->lock);
  struct connection *c = atomic_load(&s->stopping) ? NULL : free_slot(s);
  if (c != NULL) {
    *c = (struct connection){.server = s, .fd = fd, .used = true};
    s->n_connections++;
    s->open++;
    s->most_open = s->open > s->most_open ? s->open : s->most_open;
    pthread_create(&c->thread, NULL, serve, c);
  } else {
    close(fd);
  }
  pthread_mutex_unlock(&s->lock);
}

static void *accept_loop(void *arg)
{
  struct server *s = arg;
  for (;;) {
    int fd = accept4(s->fd, NULL, NULL, SOCK_CLOEXEC);
    if (fd < 0)
      return NULL;
    adopt(s, fd);
  }
}

struct server *server_start(SSL_CTX *tls)
{
  struct server *s = xcalloc(1, sizeof(*s));
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(a);
  s->tls = tls;
  atomic_init(&s->stopping, false);
  pthread_mutex_init(&s->lock, NULL);
  s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(s->fd, (struct sockaddr *)&a, len) != 0 || listen(s->fd, 512) != 0 ||
      getsockname(s->fd, (struct sockaddr *)&a, &len) != 0)
    abort();
  s->port = ntohs(a.sin_port);
  pthread_create(&s->thread, NULL, accept_loop, s);
  return s;
}

void server_stop(struct server *s)
{
  atomic_store(&s->stopping, true);
  shutdown(s->fd, SHUT_RDWR);
  pthread_join(s->thread, NULL);
  close(s->fd);
  pthread_mutex_lock(&s->lock);
  for (size_t i = 0; i < MAX_CONNECTIONS; i++)
    if (s->connections[i].used && s->connections[i].fd != -1)
      shutdown(s->connections[i].fd, SHUT_RDWR);
  pthread_mutex_unlock(&s->lock);
  for (size_t i = 0; i < MAX_CONNECTIONS; i++)
    if (s->connections[i].used)
      pthread_join(s->connections[i].thread, NULL);
  SSL_CTX_free(s->tls);
  pthread_mutex_destroy(&s->lock);
  free(s);
}

uint16_t server_port(const struct server *s)
{
  return s->port;
}

static unsigned locked(struct server *s, const unsigned *value)
{
  pthread_mutex_lock(&s->lock);
  unsigned v = *value;
  pthread_mutex_unlock(&s->lock);
  return v;
}

unsigned server_connections(struct server *s)
{
  return locked(s, &s->n_connections);
}

unsigned server_requests(struct server *s)
{
  return locked(s, &s->n_requests);
}

unsigned server_most_open(struct server *s)
{
  return locked(s, &s->most_open);
}
