/* gRPC server and client on the core's completion queues, driven by protobuf-c
 * service descriptors. The only room that includes <grpc/...>.
 *
 * Threads: a few polling threads, shared by all servers and channels of the process, deliver
 * everything. Callbacks marked "on the poller" must not block and must be short; handlers that
 * compute for long or wait run on the server's worker pool instead. All functions are thread-safe
 * unless stated. */
#ifndef AMCP_RPC_RPC_H
#define AMCP_RPC_RPC_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/error.h"
#include "common/trace/context.h"

/* Call once per process before and after everything else here. */
void rpc_init(void);
void rpc_shutdown(void);

/* How many threads poll for all servers and channels of the process; 0, as without this call,
 * for one per two processors. Before the first of them. */
void rpc_set_pollers(size_t n);

/* PEM files. All NULL means plaintext. A server with tls requires and checks a
 * client certificate; files are watched and reloaded without a restart. */
struct rpc_tls {
  const char *cert_file;
  const char *key_file;
  const char *ca_file;
};

/* When the first certificate of a PEM file expires, seconds since 1970; false when it holds none or
 * cannot be read. Reads the file. */
bool rpc_certificate_end(const char *file, int64_t *out);

struct rpc_metadata {
  const char *key; /* lower case; binary values need the suffix -bin */
  const void *value;
  size_t value_len;
};

/* Metadata keys of this project. */
#define RPC_META_GRANT "grant-bin"               /* sealed grant */
#define RPC_META_TRACEPARENT TRACE_HEADER_PARENT /* W3C trace context */
#define RPC_META_TRACESTATE TRACE_HEADER_STATE
#define RPC_META_REASON "error-reason"       /* struct err's reason, in trailers */
#define RPC_META_DETAILS "error-details-bin" /* struct err's details, in trailers */

/* The reason of an error when no server has answered: no connection, one that broke, or a server
 * that hangs. A call that changes nothing may then be made again. */
#define RPC_REASON_UNREACHABLE "unreachable"

/* ------------------------------------------------------------------ server */

struct rpc_server;
struct rpc_call; /* one call on the server */

enum rpc_kind { RPC_UNARY, RPC_SERVER_STREAMING };
enum rpc_thread {
  RPC_ON_POLLER, /* the handler never blocks */
  RPC_ON_WORKER, /* the handler runs on the worker pool */
};

/* Handles one call. `request` lives as long as the call. The handler owns one
 * reference and ends the call, then or later and from any thread, with exactly one
 * rpc_call_reply() or rpc_call_finish(). */
typedef void rpc_handler(struct rpc_call *call, const ProtobufCMessage *request, void *service);

struct rpc_method {
  const char *name; /* as in the .proto */
  enum rpc_kind kind;
  enum rpc_thread thread;
  rpc_handler *handle;
};

struct rpc_server_options {
  const char *listen; /* host:port; port 0 takes a free one */
  struct rpc_tls tls;
  size_t workers;             /* threads for RPC_ON_WORKER; 0 means 4 */
  size_t queue_max;           /* calls waiting for a worker; 0 means 1,024 */
  size_t max_message_bytes;   /* received; 0 means 8 MiB */
  uint32_t drain_ms;          /* NOT_SERVING but still serving; 0 means 500 */
  uint32_t connection_age_ms; /* then a connection ends gracefully, its client connects again and
                                 finds other addresses of the name; 0 means 30,000 */
  uint32_t grace_ms;          /* for calls under way at the end; 0 means 10,000 */
  /* Called for each call that this layer answers in place of a handler (no such method, a message
   * that is malformed or too large, too many calls, a caller that is gone), before the answer
   * leaves; may put another error into *status. `method` is the path that was asked for. On the
   * poller or a worker: must not wait. NULL for none. */
  void (*on_refusal)(void *user, struct rpc_call *call, const char *method, struct err *status);
  void *user;
};

/* Makes a server that also serves grpc.health.v1 and reflection (v1, v1alpha). */
enum err_code rpc_server_new(struct rpc_server **out, const struct rpc_server_options *options,
                             struct err *e);
/* Adds a service before the start. Methods of the descriptor that the table lacks
 * answer UNIMPLEMENTED; a name the descriptor lacks is an error. `methods` and
 * `service` must outlive the server. */
enum err_code rpc_server_add(struct rpc_server *s, const ProtobufCServiceDescriptor *descriptor,
                             const struct rpc_method *methods, size_t n, void *service,
                             struct err *e);
/* Binds and starts. A busy port is ERR_UNAVAILABLE with the address in the message.
 * Health is SERVING from then on. */
enum err_code rpc_server_start(struct rpc_server *s, struct err *e);
uint16_t rpc_server_port(const struct rpc_server *s);
/* Health of the whole server (service "" and every added one). */
void rpc_server_set_serving(struct rpc_server *s, bool serving);
/* NOT_SERVING from now on, and no drain_ms in rpc_server_stop(): the caller waits as long as it
 * likes before that. s may be NULL. */
void rpc_server_drain(struct rpc_server *s);
/* NOT_SERVING -> drain_ms -> no new calls -> grace_ms -> cancel the rest -> freed.
 * Blocks until done. s may be NULL. */
void rpc_server_stop(struct rpc_server *s);

/* The caller, from its certificate; empty without TLS. */
struct rpc_peer {
  /* SPIFFE id, else first DNS name, else common name; "" without a certificate, and when that
   * name holds a NUL or other control characters. */
  const char *identity;
  const char *address; /* "ipv4:127.0.0.1:4711" */
};

void rpc_call_ref(struct rpc_call *call);
void rpc_call_unref(struct rpc_call *call);
/* Memory that lives as long as the call. Not thread-safe: use it from the thread
 * that is handling the call at that time. */
struct arena *rpc_call_arena(struct rpc_call *call);
/* The bytes of a metadata entry, without a NUL behind them, which live as long as the call; NULL
 * when there is no such key. len may be NULL. */
const void *rpc_call_metadata(const struct rpc_call *call, const char *key, size_t *len);
struct rpc_peer rpc_call_peer(struct rpc_call *call);
/* The trace that the call belongs to, and the span that further calls are made for: what came in
 * the metadata, or the call's own span where traces are recorded. May be no context. Lives as long
 * as the call; a handler runs in it (trace/scope.h). NULL for NULL. */
const struct trace_context *rpc_call_trace(const struct rpc_call *call);
/* When the caller stops waiting, on clock_mono_ms()'s scale; INT64_MAX when never. */
int64_t rpc_call_deadline_ms(struct rpc_call *call);
/* When work for a call must end so that the answer still reaches the caller in time: a tenth of
 * what is left, at least 100 ms (or half of what is left, if that is less) and at most 2 s, before
 * the call's deadline; and no later than longest_ms from now. Both times as clock_mono_ms(). */
int64_t rpc_work_deadline_ms(int64_t now_ms, int64_t call_deadline_ms, int64_t longest_ms);
bool rpc_call_cancelled(struct rpc_call *call);
/* fn(arg) runs once, on the poller, when the caller goes away or the deadline
 * passes; at once, but still on the poller, when that has happened already; never after
 * the call was finished. One per call. Passing NULL takes it back: after that returns, fn
 * neither runs nor is running (unless called from a poller callback). So do reply and
 * finish: hold no lock that fn takes while calling them. */
void rpc_call_on_cancel(struct rpc_call *call, void (*fn)(void *arg), void *arg);

/* Ends a unary call well. Consumes the handler's reference. The message is packed
 * before the function returns. */
void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *response);
/* Sends one message of a stream. ERR_OK: queued. ERR_RESOURCE_EXHAUSTED: more than
 * 1 MiB waits already; the message was NOT taken, wait for on_writable. ERR_CANCELLED:
 * the peer is gone, finish the call. */
enum err_code rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message);
/* Same, but waits for room; only on worker or own threads, never on a poller. */
enum err_code rpc_call_send_wait(struct rpc_call *call, const ProtobufCMessage *message);
/* fn(arg) runs once, on the poller, when half of the queue is free again (at once when it
 * is now) or the peer is gone. One at a time. NULL takes it back. */
void rpc_call_on_writable(struct rpc_call *call, void (*fn)(void *arg), void *arg);
/* Ends a call: OK for a NULL or zero error, after all queued messages were sent.
 * Consumes the handler's reference. The error's reason goes into RPC_META_REASON, its details
 * into RPC_META_DETAILS. */
void rpc_call_finish(struct rpc_call *call, const struct err *status);

/* ------------------------------------------------------------------ client */

struct rpc_channel;
struct rpc_client_call; /* one call on the client */

struct rpc_channel_options {
  const char *target; /* gRPC target: dns:///report-svc:50052, 127.0.0.1:50052 */
  struct rpc_tls tls;
  size_t max_message_bytes; /* received; 0 means 32 MiB */
  const char *name;         /* backend's name in error texts: "report-svc" */
  /* With TLS: the SPIFFE id or DNS name that the server's certificate must hold, whatever the
   * address says. NULL or "": the host of the target. ERR_INVALID_ARGUMENT without TLS. */
  const char *identity;
  /* The server's certificate must be of the CA, but may have any name: for a program that asks
   * itself at an address its certificate does not name. Without an identity only. */
  bool any_host;
};

/* A channel with round_robin, health checking, keepalive, and reconnect backoff 100 ms to
 * 2 s. Connects on first use. A call that no server answered (no connection, a connection
 * that broke, a server that was shutting down) is made again for up to 2 s after its
 * first failure, at most 3 times once it may have reached a server, and not after a message
 * has arrived; then it fails with ERR_UNAVAILABLE, reason "unreachable". Where the target is a name
 * and no address of it has answered, those are 8 s: what DNS says may be old or still empty. What a
 * handler answers is never retried. */
enum err_code rpc_channel_new(struct rpc_channel **out, const struct rpc_channel_options *options,
                              struct err *e);
/* Cancels what is under way, waits for its callbacks, frees. Not on a poller. NULL is
 * fine. */
void rpc_channel_free(struct rpc_channel *ch);
/* Whether the channel is connected now (starts connecting if idle). */
bool rpc_channel_ready(struct rpc_channel *ch);

/* attempt_ms of calls that a service answers from memory: three attempts take less than 5 s. */
enum { RPC_QUICK_ATTEMPT_MS = 1500 };

struct rpc_client_options {
  uint32_t timeout_ms; /* 0 means 30,000 */
  /* An attempt that brings no message for so long is given up and the call made again, on the next
   * server where there are several; after three of them it fails with ERR_UNAVAILABLE, reason
   * "unreachable". For calls that take far less and can be repeated. 0 for no limit but the
   * timeout and the keepalive, which ends the connection to a server that hangs after 13 s. */
  uint32_t attempt_ms;
  const struct rpc_metadata *metadata; /* copied */
  size_t n_metadata;
  /* A call being served on behalf of which this one is made: its deadline bounds this
   * one, its cancellation or end cancels it, its trace is passed on, and so is its
   * grant unless metadata holds another. NULL for none; work shared by several callers
   * has no parent. */
  struct rpc_call *parent;
  /* The trace that the call belongs to. NULL: the parent's, or the thread's (trace/scope.h); none
   * of it when metadata holds a traceparent. Each attempt is a span, and the callbacks run in the
   * context that is given here. */
  const struct trace_context *trace;
  /* For who may know a message already: each one as it came in, not checked, on the poller with the
   * callbacks' user. True: these bytes are known, and are neither checked nor given to on_message.
   * NULL: none is known. */
  bool (*on_bytes)(void *user, const void *data, size_t len);
};

/* on_message: each message, on the poller; valid during the callback. For unary calls
 * it runs once before on_done, and only when the call succeeded. Return false to stop
 * receiving until rpc_client_resume() (streams only).
 * on_done: the end, exactly once, on the poller, nothing after it. status->code is
 * ERR_OK on success. status->message is complete for people: it names the backend when
 * the backend could not be reached. */
struct rpc_client_callbacks {
  bool (*on_message)(void *user, const ProtobufCMessage *message);
  void (*on_done)(void *user, const struct err *status);
};

/* Starts a call. The request is packed before the function returns. When it fails, no
 * callback will run. *out (may be NULL) is set before the call starts; release it with
 * rpc_client_release() after or before the end. */
enum err_code rpc_client_start(struct rpc_client_call **out, struct rpc_channel *ch,
                               const ProtobufCServiceDescriptor *service, const char *method,
                               enum rpc_kind kind, const ProtobufCMessage *request,
                               const struct rpc_client_options *options,
                               const struct rpc_client_callbacks *callbacks, void *user,
                               struct err *e);
/* on_done follows with ERR_CANCELLED, unless the call ended already. */
void rpc_client_cancel(struct rpc_client_call *call);
void rpc_client_resume(struct rpc_client_call *call);
void rpc_client_release(struct rpc_client_call *call);

/* Unary call that waits; not on a poller. *response is freed with
 * protobuf_c_message_free_unpacked(response, NULL). */
enum err_code rpc_client_call_sync(ProtobufCMessage **response, struct rpc_channel *ch,
                                   const ProtobufCServiceDescriptor *service, const char *method,
                                   const ProtobufCMessage *request,
                                   const struct rpc_client_options *options, struct err *e);

#endif
