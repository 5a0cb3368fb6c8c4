/* The parts of a server that its files share. Private to common/rpc. */
#ifndef AMCP_RPC_SERVER_H
#define AMCP_RPC_SERVER_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/base/metrics.h"
#include "common/base/pool.h"
#include "common/rpc/core.h"
#include "common/rpc/message.h"
#include "common/rpc/rpc.h"
#include "common/trace/span.h"

enum {
  RPC_SEND_QUEUE_BYTES = 1024 * 1024, /* a stream's messages that wait to be sent */
  /* Unpacked memory per received byte that the limit allows; see rpc_unpack(). */
  RPC_UNPACK_FACTOR = 8,
};

/* A stream in both directions; only reflection needs one. */
#define RPC_BIDI_STREAMING ((enum rpc_kind)(RPC_SERVER_STREAMING + 1))

/* One method of an added service, as registered with the core. */
struct server_method {
  struct server_method *next;
  struct rpc_server *server;
  const char *service_name;
  const struct rpc_method *method;
  const ProtobufCMessageDescriptor *input;
  void *service;
  void *registered;
  char *path;   /* "/package.Service/Method" */
  bool is_work; /* not health or reflection, whose streams stay open as long as the client lives */
};

struct server_service {
  struct server_service *next;
  const char *name;
};

struct health;
struct reflection;

struct rpc_server {
  grpc_server *core;
  char *listen;
  grpc_server_credentials *credentials;
  struct rpc_server_options options; /* with the defaults filled in; no strings */
  struct server_method *methods;
  struct server_service *services, **services_end;
  size_t n_pollers;
  struct rpc_poller *pollers; /* shared */
  struct pool *pool;
  struct health *health;
  struct reflection *reflection;
  uint16_t port;
  bool started;
  bool drained; /* the owner has waited for callers to go elsewhere */

  atomic_size_t live;   /* call objects, armed slots included */
  pthread_mutex_t lock; /* of core_down */
  pthread_cond_t ended; /* live reached 0, or core_down */
  bool core_down;
  struct rpc_event down_event;
};

/* A message that waits to be sent. */
struct outgoing {
  struct outgoing *next;
  grpc_byte_buffer *bytes;
  size_t len;
};

enum { CALL_TRAILERS_MAX = 3 };

/* Which callback of a call the poller is running. */
enum call_callback { CALLBACK_NONE, CALLBACK_CANCEL, CALLBACK_WRITABLE };

/* One call: first a slot that waits for a request, then the call itself. Fields are
 * grouped by who may touch them. */
struct rpc_call {
  uint32_t magic;
  atomic_uint refs;
  /* Set before the call is dispatched, constant then. */
  struct rpc_server *server;
  struct server_method *method; /* NULL: no such method */
  struct rpc_poller *poller;
  grpc_call *core;
  gpr_timespec deadline;
  grpc_metadata_array metadata;
  grpc_call_details details; /* only when method is NULL */
  grpc_byte_buffer *payload;
  int64_t started_ns;
  struct trace_context trace;
  struct span *span; /* NULL: not recorded; ends with the status */

  /* Of the thread that handles the call. */
  struct arena *arena;
  struct rpc_unpacked request;

  struct rpc_event request_event, close_event, send_event, poke_event, recv_event;
  bool watched_later;        /* once its handler has returned to the poller; constant */
  atomic_bool close_watched; /* RECV_CLOSE_ON_SERVER was started */
  atomic_bool cancelled;
  int close_cancelled; /* written by the core */

  pthread_mutex_t lock;
  /* Guarded by lock: */
  pthread_cond_t changed; /* room in the queue, peer gone, callback over */
  struct outgoing *queue, **queue_end, *in_flight;
  size_t queued_bytes; /* in queue and in flight */
  bool sending;        /* a send batch is under way */
  bool initial_sent;
  bool finished;    /* reply or finish was called */
  bool status_sent; /* the batch with the status was started */
  bool peer_gone;
  bool poking;
  void (*on_cancel)(void *arg);
  void *cancel_arg;
  void (*on_writable)(void *arg);
  void *writable_arg;
  enum call_callback running;
  grpc_status_code status;
  grpc_slice status_message;
  grpc_metadata trailers[CALL_TRAILERS_MAX];
  size_t n_trailers;
  struct call_facts *facts; /* of the caller; made on first use, constant then */

  /* Streams in both directions: on the poller only. */
  void (*on_message)(struct rpc_call *call, const ProtobufCMessage *message, void *service);
  grpc_byte_buffer *incoming;
};
#define RPC_CALL_MAGIC 0x52706343u

/* server_request.c */

/* Arms the slots of every method on every poller. */
void server_arm_all(struct rpc_server *s);
/* Counts a call object that is gone. */
void server_call_gone(struct rpc_server *s);

/* server_call.c */

/* A slot for the next call of a method; NULL method: for unknown ones. */
struct rpc_call *call_new(struct rpc_server *s, struct server_method *m, struct rpc_poller *p);
/* Starts to watch for the end of the call, unless that was done. */
void call_watch_close(struct rpc_call *call);
/* Runs callbacks that are due. On the poller, without the lock. */
void call_run_due(struct rpc_call *call);
/* Has call_run_due() called on the poller. The lock is held. */
void call_poke(struct rpc_call *call);
/* Drops what reply and finish must drop: no callback runs from then on. The lock is held
 * and may be given up in between. */
void call_drop_callbacks(struct rpc_call *call);
/* The peer is gone: drops the messages that wait. The lock is held. */
void call_drop_queue(struct rpc_call *call);

/* server_stream.c */
void call_on_send_event(struct rpc_event *ev, bool ok);
/* Reads the next message of a stream in both directions and gives it to fn on the
 * poller; NULL when the peer has sent its last. Only on the poller, one at a time. */
void call_read(struct rpc_call *call,
               void (*fn)(struct rpc_call *call, const ProtobufCMessage *message, void *service));
void call_on_recv_event(struct rpc_event *ev, bool ok);

/* server_trace.c */

/* A call has arrived: reads its trace and begins its span. */
void call_trace_begin(struct rpc_call *call);
/* Its status was sent. */
void call_trace_end(struct rpc_call *call);

/* call_facts.c */
/* The first entry of a key, where the core keeps it; NULL when there is none. */
const grpc_slice *call_metadata_find(const struct rpc_call *call, const char *key);
struct call_facts;
void call_facts_free(struct call_facts *facts);

/* health.c */
struct health *health_new(void);
enum err_code health_add_to(struct health *h, struct rpc_server *s, struct err *e);
void health_set_serving(struct health *h, bool serving);
/* Ends the Watch streams; later ones end at once. */
void health_end(struct health *h);
void health_free(struct health *h);

/* reflection.c */
struct reflection *reflection_new(void);
enum err_code reflection_add_to(struct reflection *r, struct rpc_server *s, struct err *e);
void reflection_free(struct reflection *r);

/* rpc_metrics.c */

/* A server starts: the metrics are there from now on. */
void rpc_metrics_serving(void);
/* A call has arrived, and has been answered. */
void rpc_metrics_server_begun(void);
void rpc_metrics_server_over(void);
void rpc_metrics_server(const char *service, const char *method, int code, int64_t started_ns);

#endif
