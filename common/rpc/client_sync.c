/* A unary call that waits. */
#include "common/base/mem.h"
#include "common/base/wait.h"
#include "common/rpc/client.h"

struct waiter {
  struct wait_once end;
  ProtobufCMessage *response;
  struct err status;
};

static bool take_response(void *user, const ProtobufCMessage *message)
{
  struct waiter *w = user;
  w->response = (ProtobufCMessage *)(uintptr_t)message; /* ours: keep_message */
  return true;
}

static void note_end(void *user, const struct err *status)
{
  struct waiter *w = user;
  w->status = *status;
  wait_once_over(&w->end);
}

enum err_code rpc_client_call_sync(ProtobufCMessage **response, struct rpc_channel *ch,
                                   const ProtobufCServiceDescriptor *service, const char *method,
                                   const ProtobufCMessage *request,
                                   const struct rpc_client_options *options, struct err *e)
{
  static const struct rpc_client_callbacks callbacks = {take_response, note_end};
  *response = NULL;
  struct waiter w = {.end = WAIT_ONCE_INIT};
  enum err_code code = client_call_start(NULL, ch, service, method, RPC_UNARY, true, request,
                                         options, &callbacks, &w, e);
  if (code != ERR_OK)
    return code;
  wait_once(&w.end);
  if (w.status.code != ERR_OK) {
    if (w.response != NULL)
      protobuf_c_message_free_unpacked(w.response, NULL);
    if (e != NULL)
      *e = w.status;
    return w.status.code;
  }
  *response = w.response;
  return ERR_OK;
}
