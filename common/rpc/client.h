/* The parts of a client that its files share. Private to common/rpc. */
#ifndef AMCP_RPC_CLIENT_H
#define AMCP_RPC_CLIENT_H

#include <grpc/grpc.h>
#include <pthread.h>
#include <stdatomic.h>

#include "common/rpc/core.h"
#include "common/rpc/message.h"
#include "common/rpc/rpc.h"
#include "common/trace/scope.h"
#include "common/trace/span.h"

enum { CLIENT_UNPACK_FACTOR = 8 }; /* unpacked memory per received byte, see rpc_unpack() */

/* A method that was called at least once. Entries are added, never removed. */
struct channel_method {
  struct channel_method *next;
  const ProtobufCServiceDescriptor *service;
  const ProtobufCMethodDescriptor *descriptor;
  void *registered;
};

struct rpc_channel {
  grpc_channel *core;
  struct rpc_poller *poller; /* shared; the channel's calls all run on it */
  char *name, *target;
  size_t max_message_bytes;
  bool named; /* the target is looked up, so that its addresses may change */
  _Atomic(struct channel_method *) methods;

  pthread_mutex_t lock; /* also of adding methods */
  /* Guarded by lock: */
  pthread_cond_t idle; /* calls became empty */
  struct rpc_client_call *calls;
  bool closing;
  atomic_size_t pokes; /* events that still come and look at the channel */

  /* On the poller only. */
  struct rpc_timer retry;          /* armed while calls wait */
  struct rpc_client_call *waiting; /* for their next attempt */
  struct rpc_timer patience;       /* armed while attempts are timed */
  struct rpc_client_call *timed;   /* attempts with a limit of their own */
  int64_t reconnected_ms;          /* when a failed call last asked for a connection */
};

/* One call: its request, and what the attempt under way delivers into. */
struct rpc_client_call {
  uint32_t magic;
  atomic_uint refs;
  /* Constant from the start. */
  struct rpc_channel *channel;
  const struct channel_method *method;
  enum rpc_kind kind;
  bool keep_message; /* on_message takes the message over; it is on the heap */
  struct rpc_client_callbacks callbacks;
  bool (*on_bytes)(void *user, const void *data, size_t len); /* NULL: none */
  void *user;
  struct rpc_call *parent;
  grpc_metadata *metadata;
  size_t n_metadata;
  struct trace_context *trace; /* that it is made for; NULL: none */
  size_t trace_at;             /* traceparent in metadata; SIZE_MAX: not there, or not ours */
  grpc_slice request;          /* packed */
  gpr_timespec deadline;
  int64_t started_ns, deadline_ms;
  uint32_t attempt_ms; /* how long an attempt may go without an answer; 0: no limit */

  struct rpc_client_call *next, **link; /* channel's calls; its lock */
  struct rpc_client_call *waiting_next; /* channel's waiting */

  /* Written by the core during an attempt. */
  grpc_metadata_array initial, trailing;
  grpc_status_code status;
  grpc_slice details;
  grpc_byte_buffer *sending; /* the request; the core empties it, so one per attempt */
  grpc_byte_buffer *response;
  struct rpc_event start_event, status_event, recv_event, poke_event, patience_event;

  /* On the poller only. */
  void (*over)(struct rpc_client_call *call); /* the attempt under way has ended */
  bool start_done, status_done, recv_over;
  bool delivered;          /* a message has reached the callback: no retry */
  struct err *local_error; /* ends the call instead of the status; NULL: none */
  unsigned reached;        /* attempts that got as far as a server */
  unsigned failures;
  int64_t failed_ms, retry_at_ms;                   /* the first failure, the next attempt */
  struct span *span;                                /* of the attempt under way; NULL: none */
  unsigned hung;                                    /* attempts that were given up */
  bool gave_up;                                     /* on the attempt under way */
  struct rpc_client_call *timed_next, **timed_link; /* channel's timed; link NULL: not in it */

  /* Set when an attempt starts, which only the first does elsewhere than on the poller. */
  bool timing; /* the attempt under way has a limit */
  int64_t give_up_ms;

  pthread_mutex_t lock;
  /* Guarded by lock: */
  grpc_call *attempt;
  bool cancelled, ended;
  bool retrying; /* no attempt is under way, the next one has a time */
  bool delivering, resumed, paused;
};
#define RPC_CLIENT_CALL_MAGIC 0x5270636cu

/* channel.c */
const struct channel_method *channel_method_get(struct rpc_channel *ch,
                                                const ProtobufCServiceDescriptor *service,
                                                const char *method, struct err *e);
/* Adds the call to those the channel waits for. False when it is being freed. */
bool channel_link(struct rpc_channel *ch, struct rpc_client_call *call);
void channel_unlink(struct rpc_channel *ch, struct rpc_client_call *call);
/* One of `pokes` has come; the channel may be gone afterwards. */
void channel_poked(struct rpc_channel *ch);

/* client_metadata.c */

/* The metadata to send: the options' own, and what the parent passes on. */
enum err_code client_metadata_make(struct rpc_client_call *call,
                                   const struct rpc_client_options *options, struct err *e);
void client_metadata_free(struct rpc_client_call *call);
/* Text of a trailer into out, "" when absent. */
void client_trailer(const struct rpc_client_call *call, const char *key, char *out, size_t size);
/* The details of an error that the server sent; none where it sent none, or too many. */
void client_details(const struct rpc_client_call *call, struct err *e);

/* client_trace.c */

/* The context that a call with these options is made for; NULL when there is none. */
const struct trace_context *client_trace_of(const struct rpc_client_options *options);
/* An attempt begins: its span, and the metadata that names it. The call's lock is held. */
void client_trace_begin(struct rpc_client_call *call);
/* It is over. On the poller. */
void client_trace_end(struct rpc_client_call *call);
void client_trace_free(struct rpc_client_call *call);

/* client_call.c */
void client_call_ref(struct rpc_client_call *call);
void client_call_unref(struct rpc_client_call *call);
enum err_code client_call_start(struct rpc_client_call **out, struct rpc_channel *ch,
                                const ProtobufCServiceDescriptor *service, const char *method,
                                enum rpc_kind kind, bool keep_message,
                                const ProtobufCMessage *request,
                                const struct rpc_client_options *options,
                                const struct rpc_client_callbacks *callbacks, void *user,
                                struct err *e);

/* client_attempt.c */

/* over() runs on the poller after each attempt, once nothing of it is outstanding. */
void client_attempt_init(struct rpc_client_call *call, void (*over)(struct rpc_client_call *call));
/* Starts an attempt. The call's lock is held. */
void client_attempt_start(struct rpc_client_call *call);
/* Frees what attempts have left. */
void client_attempt_clear(struct rpc_client_call *call);

/* client_retry.c */

/* After an attempt's end, on the poller: whether another one follows. */
bool client_retry_plan(struct rpc_client_call *call);
/* The status of a call that ends with the attempt that is over. */
void client_retry_status(struct rpc_client_call *call, struct err *status);
/* The channel's timer: starts the attempts whose time has come. */
void client_retry_due(void *channel);
/* Takes a call off the list of those that wait for their next attempt; false when it is not
 * there. On the poller. */
bool client_retry_forget(struct rpc_client_call *call);

/* client_patience.c */

/* The attempt that was just started is given up when it goes without an answer for attempt_ms. The
 * call's lock is held. */
void client_patience_begin(struct rpc_client_call *call);
/* It has its answer, or is over. On the poller. */
void client_patience_end(struct rpc_client_call *call);
/* The channel's timer: gives up what is overdue. */
void client_patience_due(void *channel);

/* rpc_metrics.c, shared with the server. */
void rpc_metrics_client(const char *backend, const char *method, int code, int64_t started_ns);

#endif
