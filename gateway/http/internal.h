/* Inside of gateway/http: listener, exchange and the watch over suspended connections. */
#ifndef AMCP_GATEWAY_HTTP_INTERNAL_H
#define AMCP_GATEWAY_HTTP_INTERNAL_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/base/arena.h"
#include "common/http/daemon.h"
#include "common/trace/span.h"
#include "gateway/http/listener.h"
#include "gateway/http/proxies.h"

enum { EXCHANGE_MAGIC = 0x48545850 };

/* What a connection is doing, for the limits on slow clients. */
enum conn_phase { CONN_NEW, CONN_HEAD, CONN_BODY, CONN_BUSY, CONN_SENDING };

enum { KEEP_ALIVE_MS = 20 * 1000 }; /* shorter idle times are not announced */

struct conn {
  int fd;
  char peer[ADDRESS_TEXT];   /* "" when it is not known */
  char client[ADDRESS_TEXT]; /* of a request that names no other: as proxies_client() writes it */
  atomic_int phase;
  atomic_llong since_ms;
  atomic_bool known;        /* a caller with a share has used it */
  atomic_bool cut;          /* its end is under way */
  atomic_bool begun;        /* a request line was read; its request is not answered yet */
  struct conn *next, *prev; /* guarded by the listener's lock */
};

struct watch;

struct listener {
  struct listener_options options;
  struct http_daemon *daemon;
  struct watch *watch;
  uint16_t port;
  char keep_alive[32]; /* value of the header, where idle_ms is long enough for one */
  atomic_bool draining, stopping;
  atomic_size_t body_bytes;
  pthread_mutex_t lock; /* taken before an exchange's lock, never after */
  struct conn *conns;
  size_t n_conns, peak_conns;
  struct exchange *active;
};

struct header {
  const char *name, *value;
  struct header *next;
};

/* An argument of the query, decoded; not text yet: it may hold any byte. */
struct query {
  const char *name, *value;
  size_t name_len, value_len;
  struct query *next;
};

struct exchange {
  unsigned magic;
  atomic_size_t refs; /* the listener's own is one of them */
  struct listener *listener;
  struct MHD_Connection *connection;
  struct conn *conn;
  struct exchange *next, *prev; /* guarded by the listener's lock */

  /* Read-only once the request was handed over. */
  struct arena *arena;
  const char *method, *path, *client;
  struct header *request_headers;
  size_t n_request_headers;
  struct query *query, **query_end; /* in the order in which they came */
  size_t n_query;
  bool head_too_large; /* headers are missing: nothing may be decided on the rest */
  struct buf body;
  int64_t started_ms;
  struct trace_context trace;
  struct span *span;        /* NULL: not recorded; ends with the request */
  size_t received, counted; /* bytes; those that count beyond the small ones */
  bool too_large, no_room;

  pthread_mutex_t lock;
  bool handed_over;
  bool held; /* a body that is not small waits until exchange_release() */
  struct share *share;
  size_t answer_bytes; /* of the share: not read by the client yet */
  void *user;
  void (*free_user)(void *user);
  struct header *reply_headers;
  bool answered, streaming, stream_ended;
  bool suspended; /* only then may another thread resume it */
  bool queued;    /* libmicrohttpd has the response */
  bool closed;    /* the client or the connection is gone */
  bool orphaned;  /* the last owner left without an answer */
  bool followed;  /* another request waited behind it when it was answered */
  int status;
  const char *content_type;
  struct buf reply;
  struct buf stream;
  size_t stream_sent, sent; /* of the buffer; in all */
  int64_t last_write_ms;
  void (*on_close)(void *arg);
  void (*free_arg)(void *arg);
  void *close_arg;
};

/* Whether bytes wait in its socket. */
bool conn_has_unread(const struct conn *c);

struct exchange *exchange_new(struct listener *l, struct MHD_Connection *c, struct conn *conn,
                              const char *method, const char *path);
/* Hands libmicrohttpd the response, suspends the connection until there is one, or gives
 * up: what the access handler returns. */
enum MHD_Result exchange_proceed(struct exchange *x);
bool exchange_answered(struct exchange *x);
/* Whether a body may grow to `len` bytes now; else the connection is suspended until it may. */
enum body_next { BODY_KEEP, BODY_DROP, BODY_LATER };
enum body_next exchange_body_next(struct exchange *x, size_t len);
/* Takes `bytes` of the body out of the caller's share. */
bool exchange_body_take(struct exchange *x, size_t bytes);
/* The connection no longer belongs to the exchange; drops the listener's reference. */
void exchange_complete(struct exchange *x);
/* The client of a suspended connection is gone. force also cuts one that is not suspended. */
void exchange_peer_gone(struct exchange *x, bool force);
/* A comment, when a stream was silent for keepalive_ms. */
void exchange_keep_alive(struct exchange *x, int64_t now_ms, uint32_t keepalive_ms);

/* The request is over; status 0: it had no answer. */
void exchange_trace_end(struct exchange *x, int status);

/* Notices clients that go away while libmicrohttpd does not look, and ticks. */
struct watch *watch_start(void (*tick)(void *arg), void *arg);
void watch_stop(struct watch *w);
/* Around the life of a connection; its descriptor is open meanwhile. */
void watch_open(struct watch *w, int fd);
void watch_close(struct watch *w, int fd);
/* x is suspended on the connection: exchange_peer_gone(x) follows when its client goes or has gone.
 * False when that cannot be watched. */
bool watch_add(struct watch *w, int fd, struct exchange *x);
/* After this returns, x is no longer looked up. */
void watch_remove(struct watch *w, int fd);

#endif
