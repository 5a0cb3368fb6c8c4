/* The connections of a listener: whose they are, which go when room is needed, and slow clients. */
#include "gateway/http/connections.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/base/codec.h"
#include "common/base/mem.h"
#include "gateway/http/meter.h"

enum {
  SLOW_SENDER_MS = 1000,
  HANG_UP_MS = 500, /* what was read before the end has been looked at by then */
  CUT_TRIES = 4,
  CROWD = 64,
};

void *conn_on_request_line(void *cls, const char *uri, struct MHD_Connection *connection)
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
  if (l->n_conns >= l->options.max_connections - l->options.max_connections / CONN_RESERVE)
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

void conn_on_notify(void *cls, struct MHD_Connection *connection, void **context,
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

void conns_cut_slow(struct listener *l, int64_t now)
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

bool conns_crowd_has_left(struct listener *l)
{
  bool left = l->peak_conns > CROWD && l->n_conns < l->peak_conns / 4;
  if (left || l->n_conns > l->peak_conns)
    l->peak_conns = l->n_conns;
  return left;
}
