/* TCP and TLS to Redis. */
#include "report-svc/shared/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

struct wire {
  int fd;
  SSL *ssl;         /* NULL: plain text */
  bool needs_write; /* TLS wants to write before it reads on */
};

static int left_ms(int64_t deadline_ms)
{
  int64_t left = deadline_ms - clock_mono_ms();
  return left < 0 ? 0 : left > 60000 ? 60000 : (int)left;
}

/* ------------------------------------------------------------------ TCP */

static bool finish_connect(int fd, int64_t deadline_ms)
{
  struct pollfd p = {.fd = fd, .events = POLLOUT};
  int error = 0;
  socklen_t size = sizeof(error);
  while (poll(&p, 1, left_ms(deadline_ms)) < 0 && errno == EINTR) {
  }
  if (p.revents == 0)
    error = ETIMEDOUT;
  else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
    error = errno;
  errno = error;
  return error == 0;
}

/* A connected socket, or -1 and errno. */
static int connect_one(const struct addrinfo *a, int64_t deadline_ms)
{
  int on = 1;
  int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return -1;
  if ((connect(fd, a->ai_addr, a->ai_addrlen) == 0 || errno == EINPROGRESS) &&
      finish_connect(fd, deadline_ms)) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
    return fd;
  }
  int error = errno;
  close(fd);
  errno = error;
  return -1;
}

static enum err_code connect_any(int *fd, const struct redis_url *url, int64_t deadline_ms,
                                 struct err *e)
{
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM}, *all = NULL;
  int code = getaddrinfo(url->host, url->port, &hints, &all);
  if (code != 0)
    return err_set(e, ERR_UNAVAILABLE, "redis", "looking its host up: %s", gai_strerror(code));
  *fd = -1;
  for (const struct addrinfo *a = all; a != NULL && *fd < 0; a = a->ai_next)
    *fd = connect_one(a, deadline_ms);
  freeaddrinfo(all);
  if (*fd < 0)
    return err_set(e, ERR_UNAVAILABLE, "redis", "connecting: %s", strerror(errno));
  return ERR_OK;
}

/* ------------------------------------------------------------------ TLS */

static enum err_code tls_failed(struct err *e, const SSL *ssl)
{
  long verdict = ssl == NULL ? X509_V_OK : SSL_get_verify_result(ssl);
  unsigned long code = ERR_peek_error();
  const char *why = verdict != X509_V_OK ? X509_verify_cert_error_string(verdict)
                    : code != 0          ? ERR_reason_error_string(code)
                                         : "the connection ended";
  err_set(e, ERR_UNAVAILABLE, "redis", "TLS: %s", why == NULL ? "failed" : why);
  ERR_clear_error();
  return e->code;
}

static enum err_code make_context(SSL_CTX **out, const struct wire_trust *trust, struct err *e)
{
  SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
  bool system = trust->ca_file == NULL && trust->ca_dir == NULL;
  *out = ctx;
  if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
      (system ? SSL_CTX_set_default_verify_paths(ctx)
              : SSL_CTX_load_verify_locations(ctx, trust->ca_file, trust->ca_dir)) != 1)
    return tls_failed(e, NULL);
  SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
  SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  return ERR_OK;
}

/* The certificate must be for this name or address. */
static bool expect_host(SSL *ssl, const char *host)
{
  struct in6_addr any;
  bool address = inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1;
  if (address)
    return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl), host) == 1;
  return SSL_set1_host(ssl, host) == 1 && SSL_set_tlsext_host_name(ssl, host) == 1;
}

static enum err_code shake_hands(struct wire *w, int64_t deadline_ms, struct err *e)
{
  int result;
  while ((result = SSL_connect(w->ssl)) != 1) {
    int why = SSL_get_error(w->ssl, result);
    if (why != SSL_ERROR_WANT_READ && why != SSL_ERROR_WANT_WRITE)
      return tls_failed(e, w->ssl);
    struct pollfd p = {.fd = w->fd, .events = why == SSL_ERROR_WANT_READ ? POLLIN : POLLOUT};
    if (poll(&p, 1, left_ms(deadline_ms)) == 0)
      return err_set(e, ERR_UNAVAILABLE, "redis", "TLS: no answer in time");
  }
  return ERR_OK;
}

static enum err_code start_tls(struct wire *w, const char *host, const struct wire_trust *trust,
                               int64_t deadline_ms, struct err *e)
{
  SSL_CTX *ctx = NULL;
  enum err_code code = make_context(&ctx, trust, e);
  if (code == ERR_OK) {
    w->ssl = SSL_new(ctx);
    if (w->ssl == NULL || SSL_set_fd(w->ssl, w->fd) != 1 || !expect_host(w->ssl, host))
      code = tls_failed(e, NULL);
  }
  SSL_CTX_free(ctx); /* the connection has a reference of its own */
  return code == ERR_OK ? shake_hands(w, deadline_ms, e) : code;
}

/* ------------------------------------------------------------------ public */

enum err_code wire_open(struct wire **out, const struct redis_url *url,
                        const struct wire_trust *trust, int64_t deadline_ms, struct err *e)
{
  int fd;
  *out = NULL;
  if (connect_any(&fd, url, deadline_ms, e) != ERR_OK)
    return e->code;
  struct wire *w = xcalloc(1, sizeof(*w));
  w->fd = fd;
  if (url->tls && start_tls(w, url->host, trust, deadline_ms, e) != ERR_OK) {
    wire_close(w);
    return e->code;
  }
  *out = w;
  return ERR_OK;
}

void wire_close(struct wire *w)
{
  if (w == NULL)
    return;
  SSL_free(w->ssl);
  close(w->fd);
  free(w);
}

static ssize_t tls_result(struct wire *w, int result)
{
  if (result > 0)
    return result;
  int why = SSL_get_error(w->ssl, result);
  w->needs_write = why == SSL_ERROR_WANT_WRITE;
  ERR_clear_error();
  return why == SSL_ERROR_WANT_READ || why == SSL_ERROR_WANT_WRITE ? 0 : -1;
}

static int tls_size(size_t size)
{
  return size > 1 << 20 ? 1 << 20 : (int)size;
}

static bool would_block(void)
{
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

ssize_t wire_read(struct wire *w, void *out, size_t size)
{
  if (w->ssl != NULL)
    return tls_result(w, SSL_read(w->ssl, out, tls_size(size)));
  ssize_t n = recv(w->fd, out, size, 0);
  return n > 0 ? n : n < 0 && would_block() ? 0 : -1;
}

ssize_t wire_write(struct wire *w, const void *data, size_t len)
{
  if (w->ssl != NULL)
    return tls_result(w, SSL_write(w->ssl, data, tls_size(len)));
  ssize_t n = send(w->fd, data, len, MSG_NOSIGNAL);
  return n >= 0 ? n : would_block() ? 0 : -1;
}

void wire_wait(const struct wire *w, bool writing, int other_fd, int timeout_ms)
{
  short out = writing || w->needs_write ? POLLOUT : 0;
  struct pollfd fds[2] = {{.fd = w->fd, .events = (short)(POLLIN | out)},
                          {.fd = other_fd, .events = POLLIN}};
  poll(fds, 2, timeout_ms);
}
