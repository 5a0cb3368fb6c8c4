/* What a call sends: one batch at a time, messages in order, the status last. */
#include "common/rpc/server.h"

#include <grpc/slice.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"

static void outgoing_free(struct outgoing *o)
{
  if (o == NULL)
    return;
  grpc_byte_buffer_destroy(o->bytes);
  free(o);
}

static void enqueue(struct rpc_call *call, grpc_byte_buffer *bytes)
{
  struct outgoing *o = xcalloc(1, sizeof(*o));
  o->bytes = bytes;
  o->len = grpc_byte_buffer_length(bytes);
  *call->queue_end = o;
  call->queue_end = &o->next;
  call->queued_bytes += o->len;
}

static struct outgoing *dequeue(struct rpc_call *call)
{
  struct outgoing *o = call->queue;
  call->queue = o->next;
  if (call->queue == NULL)
    call->queue_end = &call->queue;
  return o;
}

void call_drop_queue(struct rpc_call *call)
{
  call->peer_gone = true;
  while (call->queue != NULL) {
    struct outgoing *o = dequeue(call);
    call->queued_bytes -= o->len;
    outgoing_free(o);
  }
}

static void add_message_op(struct rpc_call *call, grpc_op *op)
{
  call->in_flight = dequeue(call);
  op->op = GRPC_OP_SEND_MESSAGE;
  op->data.send_message.send_message = call->in_flight->bytes;
  /* More follows at once: let the transport gather small messages into one write. */
  if (call->queue != NULL)
    op->flags = GRPC_WRITE_BUFFER_HINT;
}

static void add_status_op(struct rpc_call *call, grpc_op *op)
{
  op->op = GRPC_OP_SEND_STATUS_FROM_SERVER;
  op->data.send_status_from_server.status = call->status;
  op->data.send_status_from_server.status_details =
      call->status == GRPC_STATUS_OK ? NULL : &call->status_message;
  op->data.send_status_from_server.trailing_metadata = call->trailers;
  op->data.send_status_from_server.trailing_metadata_count = call->n_trailers;
  call->status_sent = true;
}

/* Starts the next batch if none is under way: initial metadata, a message, the status
 * and the watch for the end, whichever are due. The lock is held. */
static void pump(struct rpc_call *call)
{
  bool end = call->finished && (call->queue == NULL || call->queue->next == NULL);
  if (call->sending || call->status_sent || (call->queue == NULL && !call->finished))
    return;
  grpc_op ops[4];
  memset(ops, 0, sizeof(ops));
  size_t n = 0;
  if (!call->initial_sent)
    ops[n++].op = GRPC_OP_SEND_INITIAL_METADATA;
  call->initial_sent = true;
  if (call->queue != NULL)
    add_message_op(call, &ops[n++]);
  if (end) {
    add_status_op(call, &ops[n++]);
    if (!atomic_exchange(&call->close_watched, true)) {
      ops[n].op = GRPC_OP_RECV_CLOSE_ON_SERVER;
      ops[n++].data.recv_close_on_server.cancelled = &call->close_cancelled;
    }
  }
  call->sending = true;
  rpc_call_ref(call);
  rpc_batch(call->core, ops, n, &call->send_event);
}

static void count_call(struct rpc_call *call)
{
  call_trace_end(call);
  const struct server_method *m = call->method;
  rpc_metrics_server(m == NULL ? "other" : m->service_name, m == NULL ? "other" : m->method->name,
                     (int)call->status, call->started_ns);
  if (m == NULL || m->is_work)
    rpc_metrics_server_over();
}

/* Releases what the status batch needed. */
static void release_status(struct rpc_call *call)
{
  grpc_slice_unref(call->status_message);
  for (size_t i = 0; i < call->n_trailers; i++) {
    grpc_slice_unref(call->trailers[i].key);
    grpc_slice_unref(call->trailers[i].value);
  }
}

void call_on_send_event(struct rpc_event *ev, bool ok)
{
  struct rpc_call *call = CONTAINER_OF(ev, struct rpc_call, send_event);
  MAGIC_CHECK(call, RPC_CALL_MAGIC);
  pthread_mutex_lock(&call->lock);
  struct outgoing *sent = TAKE_PTR(call->in_flight);
  if (sent != NULL)
    call->queued_bytes -= sent->len;
  call->sending = false;
  if (!ok)
    call_drop_queue(call);
  bool over = call->status_sent;
  if (!over)
    pump(call);
  pthread_cond_broadcast(&call->changed);
  pthread_mutex_unlock(&call->lock);
  outgoing_free(sent);
  if (over) {
    count_call(call);
    release_status(call);
  } else {
    call_run_due(call);
  }
  rpc_call_unref(call);
}

enum err_code rpc_call_send(struct rpc_call *call, const ProtobufCMessage *message)
{
  pthread_mutex_lock(&call->lock);
  enum err_code code = ERR_OK;
  if (call->peer_gone || call->finished)
    code = ERR_CANCELLED;
  else if (call->queued_bytes > RPC_SEND_QUEUE_BYTES)
    code = ERR_RESOURCE_EXHAUSTED;
  pthread_mutex_unlock(&call->lock);
  if (code != ERR_OK)
    return code;
  grpc_byte_buffer *bytes = rpc_pack(message);
  pthread_mutex_lock(&call->lock);
  if (call->peer_gone || call->finished) {
    code = ERR_CANCELLED;
    grpc_byte_buffer_destroy(bytes);
  } else {
    enqueue(call, bytes);
    pump(call);
  }
  pthread_mutex_unlock(&call->lock);
  return code;
}

enum err_code rpc_call_send_wait(struct rpc_call *call, const ProtobufCMessage *message)
{
  for (;;) {
    enum err_code code = rpc_call_send(call, message);
    if (code != ERR_RESOURCE_EXHAUSTED)
      return code;
    pthread_mutex_lock(&call->lock);
    while (!call->peer_gone && call->queued_bytes > RPC_SEND_QUEUE_BYTES / 2)
      pthread_cond_wait(&call->changed, &call->lock);
    pthread_mutex_unlock(&call->lock);
  }
}

static void add_trailer(struct rpc_call *call, const char *key, const char *value)
{
  grpc_slice slice = grpc_slice_from_copied_string(value);
  if (!grpc_header_nonbin_value_is_legal(slice)) {
    grpc_slice_unref(slice);
    return;
  }
  call->trailers[call->n_trailers++] =
      (grpc_metadata){.key = grpc_slice_from_static_string(key), .value = slice};
}

/* The status as the core wants it. A handler that answers UNAVAILABLE or CANCELLED has
 * answered: the pushback keeps clients from taking it for a broken connection and trying
 * again (https://github.com/grpc/proposal/blob/master/A6-client-retries.md). */
static void set_status(struct rpc_call *call, const struct err *status)
{
  call->status_message = grpc_empty_slice();
  if (status == NULL || status->code == ERR_OK)
    return;
  call->status = (grpc_status_code)status->code;
  call->status_message = grpc_slice_from_copied_string(status->message);
  if (status->reason[0] != '\0')
    add_trailer(call, RPC_META_REASON, status->reason);
  if (status->details_len > 0)
    call->trailers[call->n_trailers++] = (grpc_metadata){
        .key = grpc_slice_from_static_string(RPC_META_DETAILS),
        .value = grpc_slice_from_copied_buffer((const char *)status->details, status->details_len)};
  if (status->code == ERR_UNAVAILABLE || status->code == ERR_CANCELLED)
    add_trailer(call, RPC_META_PUSHBACK, "-1");
}

/* Ends the call, with one more message when bytes is not NULL. */
static void end_call(struct rpc_call *call, grpc_byte_buffer *bytes, const struct err *status)
{
  MAGIC_CHECK(call, RPC_CALL_MAGIC);
  pthread_mutex_lock(&call->lock);
  if (call->finished) {
    log_error("a handler ended its call twice",
              LOG_S("method", call->method == NULL ? "" : call->method->path));
    abort();
  }
  call_drop_callbacks(call);
  set_status(call, status);
  if (bytes != NULL && !call->peer_gone)
    enqueue(call, TAKE_PTR(bytes));
  call->finished = true;
  pump(call);
  pthread_mutex_unlock(&call->lock);
  if (bytes != NULL)
    grpc_byte_buffer_destroy(bytes);
  rpc_call_unref(call);
}

void rpc_call_reply(struct rpc_call *call, const ProtobufCMessage *response)
{
  end_call(call, rpc_pack(response), NULL);
}

void rpc_call_finish(struct rpc_call *call, const struct err *status)
{
  end_call(call, NULL, status);
}

void call_read(struct rpc_call *call,
               void (*fn)(struct rpc_call *call, const ProtobufCMessage *message, void *service))
{
  call->on_message = fn;
  rpc_call_ref(call);
  grpc_op op = {.op = GRPC_OP_RECV_MESSAGE};
  op.data.recv_message.recv_message = &call->incoming;
  rpc_batch(call->core, &op, 1, &call->recv_event);
}

void call_on_recv_event(struct rpc_event *ev, bool ok)
{
  (void)ok;
  struct rpc_call *call = CONTAINER_OF(ev, struct rpc_call, recv_event);
  MAGIC_CHECK(call, RPC_CALL_MAGIC);
  grpc_byte_buffer *bytes = TAKE_PTR(call->incoming);
  struct rpc_unpacked message = {0};
  if (bytes != NULL) {
    struct err e = {0};
    size_t max = call->server->options.max_message_bytes * RPC_UNPACK_FACTOR;
    enum err_code code = rpc_unpack(&message, call->method->input, bytes, NULL, max, &e);
    grpc_byte_buffer_destroy(bytes);
    if (code != ERR_OK) {
      rpc_call_finish(call, &e);
      rpc_call_unref(call);
      return;
    }
  }
  call->on_message(call, message.message, call->method->service);
  rpc_unpacked_free(&message);
  rpc_call_unref(call);
}
