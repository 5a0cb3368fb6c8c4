/* The gateway's HTTP listener on libmicrohttpd: limits, bodies, event streams, disconnects.
 *
 * Each request becomes an exchange. The owner answers it exactly once, at once or later and
 * from any thread; the listener takes care of slow, silent and vanished clients. */
#ifndef AMCP_GATEWAY_HTTP_LISTENER_H
#define AMCP_GATEWAY_HTTP_LISTENER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/trace/context.h"
#include "gateway/http/proxies.h"
#include "gateway/share/share.h"

struct listener;
struct exchange;

struct listener_options {
  const char *host;         /* address or name to bind; empty means every address */
  uint16_t port;            /* 0 takes a free one */
  unsigned threads;         /* 0 means 2 */
  unsigned max_connections; /* 0 means 2,048; more wait in the backlog */
  size_t max_body;          /* of one request; 0 means 4 MiB; more is 413 */
  size_t max_bodies;        /* of all requests together; 0 means 256 MiB; more is 503 */
  size_t small_body;        /* so much of each body counts for neither, and is taken before it is
                               known who sends it; 0 means 64 KiB */
  uint32_t first_ms;        /* until the first request line of a connection; 0 means 10,000 */
  uint32_t idle_ms;         /* a connection without traffic; 0 means 75,000 */
  uint32_t receive_ms;      /* for a request's body, and beyond idle_ms for its head; 0 means
                               30,000 */
  uint32_t stuck_ms;        /* a client with unsent bytes that takes none; 0 means 30,000 */
  uint32_t send_ms;      /* for a client to take an answer other than a stream; 0 means 120,000 */
  uint32_t keepalive_ms; /* a comment on streams silent for so long; 0 means 15,000 */
  const struct proxies *proxies; /* in front, whose word about clients is taken; NULL: none */
  /* The head is there, the body is not. May answer already (then the body is read but not
   * kept); otherwise on_request follows. Both run on the listener's threads and must not
   * block. */
  void (*on_head)(struct exchange *x, void *user);
  void (*on_request)(struct exchange *x, void *user);
  /* Before the listener itself refuses a request whose headers are all there (400, 413, 417, 503):
   * adds headers to that answer. May be NULL. */
  void (*on_refusal)(struct exchange *x, void *user);
  /* About every second, on a thread of its own; may be NULL. */
  void (*on_tick)(void *user);
  /* The grace of listener_stop() is over: the owners of what is under way should answer now, for
   * what is not answered a second later is cut. May be NULL. */
  void (*on_grace_over)(void *user);
  void *user;
};

/* Binds and starts. A busy port is ERR_UNAVAILABLE with the address in the message. */
enum err_code listener_start(struct listener **out, const struct listener_options *options,
                             struct err *e);
uint16_t listener_port(const struct listener *l);
/* Connections open now. */
size_t listener_connections(struct listener *l);
/* From now on connections close after their last answer, so that clients go elsewhere. */
void listener_drain(struct listener *l);
/* Accepts no more, answers what was sent on connections it had, read or not, for at most grace_ms;
 * then on_grace_over(), and a second later the rest is cut. Frees. Blocks until done. NULL is
 * fine. */
void listener_stop(struct listener *l, uint32_t grace_ms);

/* The request. Texts live as long as the exchange, and are overwritten with its end. */
const char *exchange_method(const struct exchange *x);
const char *exchange_path(const struct exchange *x); /* decoded, without the query */
/* Address of the client, without a port: the peer's, or what a proxy in front says of it. NULL when
 * unknown. */
const char *exchange_client(const struct exchange *x);
/* Value without white space around it, names without case; repeated headers are joined with
 * ", ". NULL when absent. */
const char *exchange_header(const struct exchange *x, const char *name);
/* Gives fn each argument of the query, decoded, in the order in which they came, until it returns
 * false. Names and values may hold any byte; each is followed by a NUL. */
void exchange_query(const struct exchange *x,
                    bool (*fn)(void *arg, const char *name, size_t name_len, const char *value,
                               size_t value_len),
                    void *arg);
/* In on_request and after. */
const char *exchange_body(const struct exchange *x, size_t *len);

/* In on_head: of a body that is not small the rest is not read until exchange_release(). */
void exchange_hold(struct exchange *x);
/* It is known who sends the request: his share, NULL for none, pays for body and answer. A
 * reference is taken. Once; thread-safe. */
void exchange_release(struct exchange *x, struct share *share);
/* An object that goes with the exchange: free_user(user) runs at its end. In on_head. */
void exchange_set_user(struct exchange *x, void *user, void (*free_user)(void *user));
void *exchange_user(const struct exchange *x);

/* In on_head: the request's trace is read from its headers, and begins to be recorded where traces
 * are. `route` is the path that it came by, without what varies. */
void exchange_trace_begin(struct exchange *x, const char *route);
/* What the request's work is done for; perhaps no context. Lives as long as the exchange. */
const struct trace_context *exchange_trace(const struct exchange *x);

/* Whoever answers later takes a reference first. When the last one goes before an answer,
 * the client gets 500. */
void exchange_ref(struct exchange *x);
void exchange_unref(struct exchange *x);
/* fn(arg) runs once if the client goes away before its answer was complete, at once when it
 * has; free_arg(arg) runs when the exchange is freed. One per exchange. */
void exchange_on_close(struct exchange *x, void (*fn)(void *arg), void (*free_arg)(void *arg),
                       void *arg);

/* Adds a header to the answer; before the answer, on the thread that handles it. Names and
 * values with control characters are dropped. */
void exchange_add_header(struct exchange *x, const char *name, const char *value);
/* The answer. Takes the buffer's memory; body may be NULL. content_type NULL for none. A
 * second answer is logged and dropped. When too many bytes of the caller's answers are unread, he
 * gets 503 in its place. Thread-safe. */
void exchange_reply(struct exchange *x, int status, const char *content_type, struct buf *body);
/* The answer as text/event-stream: start, events (data is one text, lines are kept), end.
 * A client that does not take its events within 8 MiB, or within its share, is cut off.
 * Thread-safe. */
void exchange_stream_start(struct exchange *x);
void exchange_stream_event(struct exchange *x, const char *data, size_t len);
void exchange_stream_end(struct exchange *x);

#endif
