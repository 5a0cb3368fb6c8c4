/* A token endpoint on plain sockets, one thread for each connection. */
#include "tests/unit/auth/support/fake_endpoint.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/wait.h"

struct fake_endpoint {
  int listener;
  pthread_t acceptor;
  char url[64];
  pthread_mutex_t lock;
  pthread_cond_t idle, asked, released;
  struct fake_answer answer;
  int hits;
  int open;
  int releases;
  bool stopping;
  char form[16384];
};

struct connection {
  struct fake_endpoint *f;
  int fd;
};

/* Reads one request; returns where its body starts, NULL when the peer left. */
static const char *read_request(int fd, char *buf, size_t size)
{
  size_t len = 0;
  while (len + 1 < size) {
    ssize_t n = read(fd, buf + len, size - 1 - len);
    if (n <= 0)
      return NULL;
    len += (size_t)n;
    buf[len] = '\0';
    char *end = strstr(buf, "\r\n\r\n");
    const char *length = end != NULL ? strcasestr(buf, "content-length:") : NULL;
    if (end != NULL && strncmp(buf, "GET ", 4) == 0)
      return end + 4;
    if (end != NULL && length != NULL &&
        len >= (size_t)(end + 4 - buf) + strtoul(length + 15, NULL, 10))
      return end + 4;
  }
  return NULL;
}

static bool send_all(int fd, const char *p, size_t n)
{
  while (n > 0) {
    ssize_t w = send(fd, p, n, MSG_NOSIGNAL);
    if (w <= 0)
      return false;
    p += w;
    n -= (size_t)w;
  }
  return true;
}

static void drip(int fd, const struct buf *body, unsigned ms)
{
  for (size_t i = 0; i < body->len; i++) {
    usleep(ms * 1000);
    if (!send_all(fd, body->data + i, 1))
      return; /* the client had enough */
  }
}

static void put_blanks(struct buf *out, size_t n)
{
  char blanks[4096];
  memset(blanks, ' ', sizeof(blanks));
  for (size_t part; n > 0; n -= part) {
    part = n < sizeof(blanks) ? n : sizeof(blanks);
    buf_append(out, blanks, part);
  }
}

static void write_answer(int fd, const struct fake_answer *a, int n)
{
  struct buf body = BUF_INIT(16 << 20), out = BUF_INIT(32 << 20);
  if (a->body != NULL)
    buf_append(&body, a->body, a->body_len != 0 ? a->body_len : strlen(a->body));
  else
    buf_printf(&body, "{\"access_token\":\"token-%d\",\"expires_in\":%d,\"token_type\":\"Bearer\"}",
               n, a->expires_in);
  put_blanks(&body, a->padding);
  buf_printf(&out, "HTTP/1.1 %d X\r\nContent-Type: application/json\r\nConnection: close\r\n",
             a->status);
  if (!a->no_length)
    buf_printf(&out, "Content-Length: %zu\r\n", body.len + a->missing);
  buf_printf(&out, "%s\r\n", a->headers != NULL ? a->headers : "");
  if (a->drip_ms > 0) {
    if (send_all(fd, out.data, out.len))
      drip(fd, &body, a->drip_ms);
  } else {
    buf_append(&out, buf_str(&body), body.len);
    send_all(fd, out.data, out.len);
  }
  buf_free(&body);
  buf_free(&out);
}

/* Under lock: waits for the delay, fake_release() or fake_stop(); false when it was the last. By
 * the kernel's clock, which programs that set clock_mono_ms() forward leave alone. */
static bool hold(struct fake_endpoint *f, unsigned delay_ms)
{
  struct timespec until;
  int releases = f->releases, late = 0;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += delay_ms / 1000;
  until.tv_nsec += (long)(delay_ms % 1000) * 1000000;
  until.tv_sec += until.tv_nsec / 1000000000;
  until.tv_nsec %= 1000000000;
  while (late == 0 && !f->stopping && f->releases == releases)
    late = pthread_cond_timedwait(&f->released, &f->lock, &until);
  return !f->stopping;
}

static void *serve(void *arg)
{
  struct connection *c = arg;
  struct fake_endpoint *f = c->f;
  char *request = xcalloc(1, 65536);
  const char *body = read_request(c->fd, request, 65536);
  if (body != NULL) {
    pthread_mutex_lock(&f->lock);
    struct fake_answer a = f->answer;
    int n = ++f->hits;
    snprintf(f->form, sizeof(f->form), "%s", body);
    pthread_cond_broadcast(&f->asked);
    bool answers = !a.cut_off && (a.delay_ms == 0 || hold(f, a.delay_ms));
    pthread_mutex_unlock(&f->lock);
    if (answers)
      write_answer(c->fd, &a, n);
  }
  close(c->fd);
  free(request);
  free(c);
  pthread_mutex_lock(&f->lock);
  f->open--;
  pthread_cond_broadcast(&f->idle);
  pthread_mutex_unlock(&f->lock);
  return NULL;
}

static void *accept_all(void *arg)
{
  struct fake_endpoint *f = arg;
  int fd;
  while ((fd = accept(f->listener, NULL, NULL)) >= 0) {
    struct connection *c = xcalloc(1, sizeof(*c));
    pthread_t t;
    *c = (struct connection){f, fd};
    pthread_mutex_lock(&f->lock);
    f->open++;
    pthread_mutex_unlock(&f->lock);
    if (pthread_create(&t, NULL, serve, c) != 0)
      abort();
    pthread_detach(t);
  }
  return NULL;
}

struct fake_endpoint *fake_start(void)
{
  struct fake_endpoint *f = xcalloc(1, sizeof(*f));
  struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(addr);
  pthread_mutex_init(&f->lock, NULL);
  pthread_cond_init(&f->idle, NULL);
  wait_init(&f->asked);
  wait_init(&f->released);
  f->answer = (struct fake_answer){.status = 200, .expires_in = 3600};
  f->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (bind(f->listener, (struct sockaddr *)&addr, len) != 0 || listen(f->listener, 128) != 0 ||
      getsockname(f->listener, (struct sockaddr *)&addr, &len) != 0)
    abort();
  snprintf(f->url, sizeof(f->url), "http://127.0.0.1:%d/token", ntohs(addr.sin_port));
  if (pthread_create(&f->acceptor, NULL, accept_all, f) != 0)
    abort();
  return f;
}

void fake_stop(struct fake_endpoint *f)
{
  shutdown(f->listener, SHUT_RDWR);
  pthread_join(f->acceptor, NULL);
  close(f->listener);
  pthread_mutex_lock(&f->lock);
  f->stopping = true;
  pthread_cond_broadcast(&f->released);
  while (f->open > 0)
    pthread_cond_wait(&f->idle, &f->lock);
  pthread_mutex_unlock(&f->lock);
  pthread_mutex_destroy(&f->lock);
  pthread_cond_destroy(&f->idle);
  pthread_cond_destroy(&f->asked);
  pthread_cond_destroy(&f->released);
  free(f);
}

const char *fake_url(const struct fake_endpoint *f)
{
  return f->url;
}

void fake_set(struct fake_endpoint *f, const struct fake_answer *answer)
{
  pthread_mutex_lock(&f->lock);
  f->answer = *answer;
  pthread_mutex_unlock(&f->lock);
}

void fake_release(struct fake_endpoint *f)
{
  pthread_mutex_lock(&f->lock);
  f->releases++;
  pthread_cond_broadcast(&f->released);
  pthread_mutex_unlock(&f->lock);
}

int fake_hits(struct fake_endpoint *f)
{
  pthread_mutex_lock(&f->lock);
  int n = f->hits;
  pthread_mutex_unlock(&f->lock);
  return n;
}

bool fake_wait_hits(struct fake_endpoint *f, int n)
{
  int64_t until = clock_mono_ms() + 20000;
  pthread_mutex_lock(&f->lock);
  while (f->hits < n && wait_until(&f->asked, &f->lock, until))
    ;
  bool came = f->hits >= n;
  pthread_mutex_unlock(&f->lock);
  return came;
}

void fake_last_form(struct fake_endpoint *f, char *out, size_t size)
{
  pthread_mutex_lock(&f->lock);
  snprintf(out, size, "%s", f->form);
  pthread_mutex_unlock(&f->lock);
}
