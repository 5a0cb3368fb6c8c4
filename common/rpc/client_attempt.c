/* One attempt of a client call: the batches it consists of and what they deliver.
 *
 * A call (client_call.c) makes one attempt after the other (client_retry.c) until it ends; this
 * file knows one attempt, and of the others only that over() is called when it has ended.
 *
 * A unary call is one batch: send metadata, message and half-close, receive metadata, message and
 * status. Its completion is the attempt's end. A stream is three kinds of batch that complete in
 * any order, each with an event of its own: "start" sends the request, "status" waits for the end
 * from the beginning, and "recv" reads one message, is started again after each one, and ends with
 * an empty message. The attempt is over when all three are done: check_over().
 *
 * Everything runs on the channel's poller, one event at a time, except the first start and
 * rpc_client_resume(). So only what those and a cancellation touch is guarded by the lock: the
 * core's call, and how a paused stream goes on. on_message() may say "no more for now"; then no
 * read is started until rpc_client_resume(), which may come while on_message() still runs
 * (`resumed`), so that neither of the two reads twice or not at all. A paused stream holds
 * "recv" back; check_over() lets it go when the call failed or was cancelled, as nobody needs to
 * resume then. What was paused on a status of OK may have messages left, so it stays. */
#include <grpc/byte_buffer.h>
#include <grpc/slice.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/rpc/client.h"
#include "common/rpc/server.h"

static void on_unary(struct rpc_event *ev, bool ok);
static void on_stream_start(struct rpc_event *ev, bool ok);
static void on_stream_message(struct rpc_event *ev, bool ok);
static void on_stream_status(struct rpc_event *ev, bool ok);

void client_attempt_init(struct rpc_client_call *call, void (*over)(struct rpc_client_call *call))
{
  call->over = over;
  call->start_event = RPC_EVENT_INIT(call->kind == RPC_UNARY ? on_unary : on_stream_start);
  call->status_event = RPC_EVENT_INIT(on_stream_status);
  call->recv_event = RPC_EVENT_INIT(on_stream_message);
  grpc_metadata_array_init(&call->initial);
  grpc_metadata_array_init(&call->trailing);
  call->details = grpc_empty_slice();
}

void client_attempt_clear(struct rpc_client_call *call)
{
  grpc_metadata_array_destroy(&call->initial);
  grpc_metadata_array_destroy(&call->trailing);
  grpc_slice_unref(call->details);
  if (call->sending != NULL)
    grpc_byte_buffer_destroy(call->sending);
  if (call->response != NULL)
    grpc_byte_buffer_destroy(call->response);
  if (call->attempt != NULL)
    grpc_call_unref(call->attempt);
}

/* Makes the call as after its first init. */
static void reset(struct rpc_client_call *call)
{
  if (call->attempt == NULL)
    return;
  client_attempt_clear(call);
  grpc_metadata_array_init(&call->initial);
  grpc_metadata_array_init(&call->trailing);
  call->details = grpc_empty_slice();
  call->sending = call->response = NULL;
  call->attempt = NULL;
  call->start_done = call->status_done = call->recv_over = false;
}

static size_t add_send_ops(struct rpc_client_call *call, grpc_op *ops)
{
  memset(ops, 0, 4 * sizeof(*ops));
  ops[0].op = GRPC_OP_SEND_INITIAL_METADATA;
  ops[0].data.send_initial_metadata.metadata = call->metadata;
  ops[0].data.send_initial_metadata.count = call->n_metadata;
  ops[1].op = GRPC_OP_SEND_MESSAGE;
  ops[1].data.send_message.send_message = call->sending;
  ops[2].op = GRPC_OP_SEND_CLOSE_FROM_CLIENT;
  ops[3].op = GRPC_OP_RECV_INITIAL_METADATA;
  ops[3].data.recv_initial_metadata.recv_initial_metadata = &call->initial;
  return 4;
}

static void set_message_op(struct rpc_client_call *call, grpc_op *op)
{
  memset(op, 0, sizeof(*op));
  op->op = GRPC_OP_RECV_MESSAGE;
  op->data.recv_message.recv_message = &call->response;
}

static void set_status_op(struct rpc_client_call *call, grpc_op *op)
{
  memset(op, 0, sizeof(*op));
  op->op = GRPC_OP_RECV_STATUS_ON_CLIENT;
  op->data.recv_status_on_client.trailing_metadata = &call->trailing;
  op->data.recv_status_on_client.status = &call->status;
  op->data.recv_status_on_client.status_details = &call->details;
}

/* Reads the next message of a stream. The lock is held. */
static void read_next(struct rpc_client_call *call)
{
  grpc_op op;
  set_message_op(call, &op);
  rpc_batch(call->attempt, &op, 1, &call->recv_event);
}

void client_attempt_start(struct rpc_client_call *call)
{
  reset(call);
  call->retrying = false;
  struct rpc_channel *ch = call->channel;
  grpc_call *parent = NULL;
  if (call->parent != NULL) {
    call_watch_close(call->parent); /* through which its cancellation reaches us */
    parent = call->parent->core;
  }
  call->attempt =
      grpc_channel_create_registered_call(ch->core, parent, GRPC_PROPAGATE_DEFAULTS, ch->poller->cq,
                                          call->method->registered, call->deadline, NULL);
  if (call->cancelled)
    grpc_call_cancel(call->attempt, NULL);
  call->sending = grpc_raw_byte_buffer_create(&call->request, 1);
  client_trace_begin(call);
  grpc_op ops[6];
  size_t n = add_send_ops(call, ops);
  if (call->kind == RPC_UNARY) {
    set_message_op(call, &ops[n++]);
    set_status_op(call, &ops[n++]);
    rpc_batch(call->attempt, ops, n, &call->start_event);
  } else {
    rpc_batch(call->attempt, ops, n, &call->start_event);
    set_status_op(call, &ops[0]);
    rpc_batch(call->attempt, ops, 1, &call->status_event);
    read_next(call);
  }
  client_patience_begin(call);
}

static void note_delivery(struct rpc_client_call *call)
{
  call->delivered = true;
  client_patience_end(call);
}

/* Whether the owner knows the message as it came in. */
static bool is_known(struct rpc_client_call *call, grpc_byte_buffer *bytes)
{
  if (call->on_bytes == NULL || bytes == NULL || bytes->data.raw.compression != GRPC_COMPRESS_NONE)
    return false;
  grpc_slice all = rpc_gather(bytes);
  bool known = call->on_bytes(call->user, GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all));
  if (known)
    mem_wipe(GRPC_SLICE_START_PTR(all), GRPC_SLICE_LENGTH(all));
  grpc_slice_unref(all);
  return known;
}

/* Unpacks a message and gives it to the callback. False: do not read on. */
static bool unpack(struct rpc_client_call *call, grpc_byte_buffer *bytes)
{
  struct rpc_unpacked u;
  struct err e = {0};
  const ProtobufCMessageDescriptor *type = call->method->descriptor->output;
  size_t max = call->channel->max_message_bytes * CLIENT_UNPACK_FACTOR;
  enum err_code code = call->keep_message ? rpc_unpack(&u, type, bytes, NULL, max, &e)
                                          : rpc_unpack_whole(&u, type, bytes, max, &e);
  if (code != ERR_OK) {
    call->local_error = xcalloc(1, sizeof(*call->local_error));
    err_set(call->local_error, code == ERR_RESOURCE_EXHAUSTED ? code : ERR_INTERNAL, e.reason,
            "%s sent a message that cannot be used: %s", call->channel->name, e.message);
    return false;
  }
  note_delivery(call);
  struct trace_scope scope = trace_enter(call->trace);
  bool more =
      call->callbacks.on_message == NULL || call->callbacks.on_message(call->user, u.message);
  trace_leave(scope);
  if (!call->keep_message || call->callbacks.on_message == NULL)
    rpc_unpacked_free(&u);
  return more;
}

/* Gives the message that has come to the callbacks. False: do not read on. */
static bool deliver(struct rpc_client_call *call)
{
  grpc_byte_buffer *bytes = TAKE_PTR(call->response);
  bool more = true;
  if (is_known(call, bytes))
    note_delivery(call);
  else
    more = unpack(call, bytes);
  if (bytes != NULL)
    grpc_byte_buffer_destroy(bytes);
  return more;
}

static void on_unary(struct rpc_event *ev, bool ok)
{
  (void)ok; /* the status says it all */
  struct rpc_client_call *call = CONTAINER_OF(ev, struct rpc_client_call, start_event);
  MAGIC_CHECK(call, RPC_CLIENT_CALL_MAGIC);
  /* The batch was started under the lock: wait until its starter has let go. */
  pthread_mutex_lock(&call->lock);
  pthread_mutex_unlock(&call->lock);
  if (call->status == GRPC_STATUS_OK)
    deliver(call);
  client_patience_end(call);
  call->over(call);
}

/* Ends the attempt once nothing of it is outstanding. A paused stream that failed ends
 * without being resumed; one that ended well may still hold messages. */
static void check_over(struct rpc_client_call *call)
{
  if (!call->start_done || !call->status_done)
    return;
  pthread_mutex_lock(&call->lock);
  if (call->paused && (call->status != GRPC_STATUS_OK || call->cancelled)) {
    call->paused = false;
    call->recv_over = true;
  }
  pthread_mutex_unlock(&call->lock);
  if (!call->recv_over)
    return;
  client_patience_end(call);
  call->over(call);
}

static void on_stream_start(struct rpc_event *ev, bool ok)
{
  (void)ok;
  struct rpc_client_call *call = CONTAINER_OF(ev, struct rpc_client_call, start_event);
  MAGIC_CHECK(call, RPC_CLIENT_CALL_MAGIC);
  call->start_done = true;
  check_over(call);
}

static void on_stream_status(struct rpc_event *ev, bool ok)
{
  (void)ok;
  struct rpc_client_call *call = CONTAINER_OF(ev, struct rpc_client_call, status_event);
  MAGIC_CHECK(call, RPC_CLIENT_CALL_MAGIC);
  call->status_done = true;
  check_over(call);
}

static void on_stream_message(struct rpc_event *ev, bool ok)
{
  (void)ok;
  struct rpc_client_call *call = CONTAINER_OF(ev, struct rpc_client_call, recv_event);
  MAGIC_CHECK(call, RPC_CLIENT_CALL_MAGIC);
  pthread_mutex_lock(&call->lock);
  call->delivering = true;
  call->resumed = false;
  pthread_mutex_unlock(&call->lock);
  call->recv_over = call->response == NULL;
  bool more = !call->recv_over && deliver(call);
  if (call->local_error != NULL) {
    call->recv_over = true;
    grpc_call_cancel(call->attempt, NULL);
  }
  pthread_mutex_lock(&call->lock);
  call->delivering = false;
  if (!call->recv_over) {
    call->paused = !more && !call->resumed;
    if (!call->paused)
      read_next(call);
  }
  pthread_mutex_unlock(&call->lock);
  check_over(call);
}

void rpc_client_resume(struct rpc_client_call *call)
{
  MAGIC_CHECK(call, RPC_CLIENT_CALL_MAGIC);
  pthread_mutex_lock(&call->lock);
  call->resumed = true;
  if (call->paused && !call->ended) {
    call->paused = false;
    read_next(call);
  }
  pthread_mutex_unlock(&call->lock);
}
