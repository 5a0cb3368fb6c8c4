/* The listener: libmicrohttpd's daemons, their callbacks, slow clients, and the end. */
#include "gateway/http/listener.h"

#include <malloc.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/codec.h"
#include "common/base/descriptors.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/http/listen.h"
#include "gateway/http/head.h"
#include "gateway/http/internal.h"
#include "gateway/http/meter.h"
#include "gateway/http/reply.h"

/* A refused body is read and dropped up to here, so that the client can send it off and
 * see the answer; beyond, the connection is closed. */
enum {
  DISCARD_MAX = 16 * 1024 * 1024,
  HEAD_MAX = 32 * 1024,
  BACKLOG = 1024,
  LAST_ANSWERS_MS = 1000,
  RESERVE = 8, /* an eighth of the connections is kept for new ones */
  SLOW_SENDER_MS = 1000,
  HANG_UP_MS = 500, /* what was read before the end has been looked at by then */
  CUT_TRIES = 4,
  CROWD = 64,
};

/* ------------------------------------------------------------ connections */

static void conn_phase(struct conn *c, enum conn_phase phase)
{
  atomic_store(&c->since_ms, clock_mono_ms());
  atomic_store(&c->phase, phase);
}

/* Of a connection whose request line is being read. */
static void *on_request_line(void *cls, const char *uri, struct MHD_Connection *connection)
{
  (void)cls, (void)uri;
  struct conn *c =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
  if (c == NULL)
    return NULL;
  atomic_store(&c->begun, true);
  if (atomic_load(&c->phase) == CONN_NEW)
    conn_phase(c, CONN_HEAD);
  return NULL;
}

bool conn_has_unread(const struct conn *c)
{
  int n = 0;
  return ioctl(c->fd, FIONREAD, &n) == 0 && n > 0;
}

/* How dispensable a connection is that does nothing for anybody, 0: not at all. Those that never
 * asked anything go first, those of known callers late, and one that has been sending a request for
 * a while last. */
static int dispensable(const struct conn *c, int64_t now)
{
  enum conn_phase phase = (enum conn_phase)atomic_load(&c->phase);
  if (atomic_load(&c->cut) || phase == CONN_BUSY || phase == CONN_SENDING)
    return 0;
  if (phase == CONN_BODY || atomic_load(&c->begun))
    return now - atomic_load(&c->since_ms) > SLOW_SENDER_MS ? 1 : 0;
  return phase == CONN_NEW ? 4 : atomic_load(&c->known) ? 2 : 3;
}

static struct conn *most_dispensable(const struct listener *l)
{
  int64_t now = clock_mono_ms();
  struct conn *found = NULL;
  int best = 0;
  for (struct conn *c = l->conns; c != NULL; c = c->next) {
    int d = dispensable(c, now);
    if (d > best || (d > 0 && d == best && c->since_ms < found->since_ms)) {
      best = d;
      found = c;
    }
  }
  return found;
}

/* Makes room for a new connection, which may be one that has something to ask: closes the one that
 * has been dispensable longest. One whose request waits in its socket is not, but counts as used
 * just now. The lock is held. */
static void cut_idlest(struct listener *l)
{
  struct conn *c = NULL;
  for (int i = 0; i < CUT_TRIES && (c = most_dispensable(l)) != NULL; i++) {
    if (!atomic_load(&c->begun) && conn_has_unread(c)) {
      atomic_store(&c->since_ms, clock_mono_ms());
      continue;
    }
    atomic_store(&c->cut, true);
    shutdown(c->fd, SHUT_RDWR);
    meter_refused("connections");
    return;
  }
}

/* Mapped IPv4 addresses are left as they are. */
static void read_peer(struct conn *conn, struct MHD_Connection *c, const struct proxies *proxies)
{
  char host[NI_MAXHOST];
  const union MHD_ConnectionInfo *info =
      MHD_get_connection_info(c, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
  if (info == NULL || info->client_addr == NULL)
    return;
  const struct sockaddr *sa = info->client_addr;
  socklen_t len =
      sa->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
  if (getnameinfo(sa, len, host, NI_MAXHOST, NULL, 0, NI_NUMERICHOST) != 0)
    return;
  host[strcspn(host, "%")] = '\0'; /* the scope of a link-local one */
  text_copy(conn->peer, sizeof(conn->peer), host);
  if (proxies != NULL)
    proxies_client(proxies, conn->client, conn->peer, NULL);
  else
    memcpy(conn->client, conn->peer, sizeof(conn->client));
}

static struct conn *conn_open(struct listener *l, struct MHD_Connection *connection)
{
  struct conn *c = xcalloc(1, sizeof(*c));
  c->fd = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
  int on = 1;
  unsigned stuck_ms = l->options.stuck_ms;
  setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
  setsockopt(c->fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &stuck_ms, sizeof(stuck_ms));
  conn_phase(c, CONN_NEW);
  read_peer(c, connection, l->options.proxies);
  watch_open(l->watch, c->fd);
  pthread_mutex_lock(&l->lock);
  if (l->n_conns >= l->options.max_connections - l->options.max_connections / RESERVE)
    cut_idlest(l);
  c->next = l->conns;
  if (l->conns != NULL)
    l->conns->prev = c;
  l->conns = c;
  meter_connections(++l->n_conns);
  pthread_mutex_unlock(&l->lock);
  return c;
}

static void conn_close(struct listener *l, struct conn *c)
{
  watch_close(l->watch, c->fd);
  pthread_mutex_lock(&l->lock);
  *(c->prev != NULL ? &c->prev->next : &l->conns) = c->next;
  if (c->next != NULL)
    c->next->prev = c->prev;
  meter_connections(--l->n_conns);
  pthread_mutex_unlock(&l->lock);
  free(c);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **context,
                          enum MHD_ConnectionNotificationCode code)
{
  if (code == MHD_CONNECTION_NOTIFY_STARTED)
    *context = conn_open(cls, connection);
  else
    conn_close(cls, *context);
}

/* How long a connection may stay in its phase; 0 without a limit. libmicrohttpd's own
 * timeout looks only at silence, so a client that drips bytes needs these. */
static int64_t phase_limit(const struct listener_options *o, enum conn_phase phase)
{
  int64_t head_ms = (int64_t)o->idle_ms + o->receive_ms;
  switch (phase) {
  case CONN_NEW:
    return o->first_ms < head_ms ? o->first_ms : head_ms;
  case CONN_HEAD:
    return head_ms;
  case CONN_BODY:
    return o->receive_ms;
  case CONN_SENDING:
    return o->send_ms;
  case CONN_BUSY:
    break;
  }
  return 0;
}

/* Whether more of a request is awaited from a client that sends no more. libmicrohttpd 0.9.75 does
 * not notice an end that came together with the bytes before it: it takes a short read for all
 * there is, and its edge-triggered epoll does not report again. */
static bool has_hung_up(const struct conn *c, enum conn_phase phase)
{
  char next;
  return phase != CONN_BUSY && phase != CONN_SENDING &&
         recv(c->fd, &next, sizeof(next), MSG_PEEK | MSG_DONTWAIT) == 0;
}

/* Ends connections that are too slow, and those whose client has gone. */
static void cut_slow(struct listener *l, int64_t now)
{
  for (struct conn *c = l->conns; c != NULL; c = c->next) {
    enum conn_phase phase = (enum conn_phase)atomic_load(&c->phase);
    int64_t limit = phase_limit(&l->options, phase), spent = now - atomic_load(&c->since_ms);
    bool slow = limit > 0 && spent > limit;
    if (atomic_load(&c->cut) || (!slow && (spent < HANG_UP_MS || !has_hung_up(c, phase))))
      continue;
    atomic_store(&c->cut, true);
    shutdown(c->fd, SHUT_RDWR);
    if (slow)
      meter_refused("slow");
  }
}

/* After a crowd has left, what it used goes back to the system. */
static bool crowd_has_left(struct listener *l)
{
  bool left = l->peak_conns > CROWD && l->n_conns < l->peak_conns / 4;
  if (left || l->n_conns > l->peak_conns)
    l->peak_conns = l->n_conns;
  return left;
}

static void tick(void *arg)
{
  struct listener *l = arg;
  int64_t now = clock_mono_ms();
  pthread_mutex_lock(&l->lock);
  bool trim = crowd_has_left(l);
  cut_slow(l, now);
  for (struct exchange *x = l->active; x != NULL; x = x->next)
    exchange_keep_alive(x, now, l->options.keepalive_ms);
  pthread_mutex_unlock(&l->lock);
  if (trim)
    malloc_trim(0);
  if (l->options.on_tick != NULL)
    l->options.on_tick(l->options.user);
}

/* --------------------------------------------------------------- requests */

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

static enum MHD_Result on_access(void *cls, struct MHD_Connection *c, const char *url,
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

static void on_completed(void *cls, struct MHD_Connection *c, void **con_cls,
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

static void on_log(void *cls, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void on_log(void *cls, const char *format, va_list args)
{
  (void)cls;
  char text[256];
  int n = vsnprintf(text, sizeof(text), format, args);
  while (n > 0 && n < (int)sizeof(text) && text[n - 1] == '\n')
    text[--n] = '\0';
  log_debug("libmicrohttpd", LOG_S("detail", text));
}

/* ------------------------------------------------------------ start, stop */

static void set_default(uint32_t *value, uint32_t fallback)
{
  if (*value == 0)
    *value = fallback;
}

static void set_defaults(struct listener_options *o)
{
  if (o->host == NULL)
    o->host = "";
  set_default(&o->threads, 2);
  set_default(&o->max_connections, 2048);
  if (o->max_body == 0)
    o->max_body = (size_t)4 * 1024 * 1024;
  if (o->small_body == 0)
    o->small_body = (size_t)64 * 1024;
  if (o->max_bodies == 0)
    o->max_bodies = (size_t)256 * 1024 * 1024;
  set_default(&o->first_ms, 10000);
  set_default(&o->stuck_ms, 30000);
  set_default(&o->idle_ms, 75000);
  set_default(&o->receive_ms, 30000);
  set_default(&o->send_ms, 120000);
  set_default(&o->keepalive_ms, 15000);
}

/* As many connections as there are descriptors for. */
static void fit_descriptors(struct listener_options *o)
{
  size_t fitting = descriptors_reserve(o->max_connections, "ANALYTICS_MCP_MAX_CONNECTIONS");
  o->max_connections = fitting > RESERVE ? (unsigned)fitting : RESERVE;
}

static struct http_daemon *start_daemon(struct listener *l, int fd)
{
  const struct listener_options *o = &l->options;
  const struct MHD_OptionItem items[] = {
      {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, l},
      {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, l},
      {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)on_connection, l},
      {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_request_line, l},
      {MHD_OPTION_CONNECTION_TIMEOUT, (o->idle_ms + 999) / 1000, NULL},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_MAX, NULL},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
      {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
      {MHD_OPTION_END, 0, NULL},
  };
  return http_daemon_start(&(struct http_daemon_options){.listen_fd = fd,
                                                         .threads = o->threads,
                                                         .max_connections = o->max_connections,
                                                         .on_access = on_access,
                                                         .on_access_arg = l,
                                                         .items = items});
}

enum err_code listener_start(struct listener **out, const struct listener_options *options,
                             struct err *e)
{
  struct listener *l = xcalloc(1, sizeof(*l));
  l->options = *options;
  set_defaults(&l->options);
  fit_descriptors(&l->options);
  if (l->options.idle_ms >= KEEP_ALIVE_MS)
    snprintf(l->keep_alive, sizeof(l->keep_alive), "timeout=%u", l->options.idle_ms / 1000 - 10);
  meter_init();
  pthread_mutex_init(&l->lock, NULL);
  struct listen_options where = {.host = l->options.host,
                                 .port = options->port,
                                 .backlog = BACKLOG,
                                 .setting = "ANALYTICS_MCP_PORT"};
  int fd = -1;
  enum err_code code = listen_open(&fd, &l->port, &where, e);
  if (code != ERR_OK) {
    pthread_mutex_destroy(&l->lock);
    free(l);
    return code;
  }
  l->watch = watch_start(tick, l);
  l->daemon = l->watch != NULL ? start_daemon(l, fd) : NULL;
  if (l->daemon == NULL) {
    close(fd);
    if (l->watch != NULL)
      watch_stop(l->watch);
    pthread_mutex_destroy(&l->lock);
    free(l);
    return err_set(e, ERR_INTERNAL, "listener_failed", "the HTTP listener cannot start");
  }
  *out = l;
  return ERR_OK;
}

uint16_t listener_port(const struct listener *l)
{
  return l->port;
}

size_t listener_connections(struct listener *l)
{
  pthread_mutex_lock(&l->lock);
  size_t n = l->n_conns;
  pthread_mutex_unlock(&l->lock);
  return n;
}

void listener_drain(struct listener *l)
{
  atomic_store(&l->draining, true);
}

/* Whether nothing that was sent waits for its answer, as far as it can be seen from here: what a
 * thread has just taken off a socket shows when that thread has had its turn. */
static bool looks_answered(struct listener *l)
{
  pthread_mutex_lock(&l->lock);
  bool answered = l->active == NULL;
  for (struct conn *c = l->conns; c != NULL && answered; c = c->next)
    answered = !atomic_load(&c->begun) && !conn_has_unread(c);
  pthread_mutex_unlock(&l->lock);
  return answered;
}

/* False when that took longer than limit_ms. */
static bool wait_answered(struct listener *l, uint32_t limit_ms)
{
  const struct timespec pause = {.tv_nsec = 10000000};
  int64_t end = clock_mono_ms() + limit_ms;
  for (;;) {
    if (looks_answered(l)) {
      http_daemon_settle(l->daemon);
      if (looks_answered(l))
        return true;
    }
    if (clock_mono_ms() >= end)
      return false;
    nanosleep(&pause, NULL);
  }
}

/* Suspended connections must not be left when the daemon stops. */
static void cut_all(struct listener *l)
{
  atomic_store(&l->stopping, true);
  size_t n = 0, cap = 64;
  struct exchange **list = xcalloc(cap, sizeof(struct exchange *));
  pthread_mutex_lock(&l->lock);
  for (struct exchange *x = l->active; x != NULL; x = x->next) {
    if (n == cap)
      list = xrealloc(list, (cap *= 2) * sizeof(struct exchange *));
    exchange_ref(x);
    list[n++] = x;
  }
  pthread_mutex_unlock(&l->lock);
  for (size_t i = 0; i < n; i++) {
    exchange_peer_gone(list[i], true);
    exchange_unref(list[i]);
  }
  free(list);
  if (n > 0)
    log_warn("requests cut off at the end", LOG_I("requests", n));
}

void listener_stop(struct listener *l, uint32_t grace_ms)
{
  if (l == NULL)
    return;
  listener_drain(l);
  http_daemon_stop_accepting(l->daemon);
  if (!wait_answered(l, grace_ms) && l->options.on_grace_over != NULL) {
    l->options.on_grace_over(l->options.user);
    wait_answered(l, LAST_ANSWERS_MS);
  }
  cut_all(l);
  wait_answered(l, LAST_ANSWERS_MS);
  http_daemon_stop(l->daemon);
  watch_stop(l->watch);
  pthread_mutex_destroy(&l->lock);
  free(l);
}
