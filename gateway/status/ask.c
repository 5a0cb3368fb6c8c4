/* The questions behind the page. */
#include "gateway/status/ask.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/wait.h"
#include "common/pbjson/pbjson.h"

/* One service's answer, copied: the message lives during the callback only. */
struct question {
  const ProtobufCServiceDescriptor *service;
  struct rpc_channel *channel;
  struct wait_once end;
  uint8_t *packed; /* NULL: none */
  size_t len;
  struct err status;
};

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct question *q = user;
  q->len = protobuf_c_message_get_packed_size(message);
  q->packed = xmalloc(q->len + 1);
  protobuf_c_message_pack(message, q->packed);
  return true;
}

static void on_done(void *user, const struct err *status)
{
  struct question *q = user;
  q->status = *status;
  wait_once_over(&q->end);
}

static void begin(struct question *q)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  const Analytics__Status__V1__GetStatusRequest request =
      ANALYTICS__STATUS__V1__GET_STATUS_REQUEST__INIT;
  const struct rpc_client_options options = {.timeout_ms = ASK_MS};
  if (rpc_client_start(NULL, q->channel, q->service, "GetStatus", RPC_UNARY, &request.base,
                       &options, &callbacks, q, &q->status) != ERR_OK)
    wait_once_over(&q->end);
}

/* The answer in the arena; NULL when there was none. */
static const void *end(struct question *q, struct arena *arena)
{
  ProtobufCAllocator allocator = pbjson_arena_allocator(arena);
  const ProtobufCMethodDescriptor *method =
      protobuf_c_service_descriptor_get_method_by_name(q->service, "GetStatus");
  ProtobufCMessage *m = NULL;
  wait_once(&q->end);
  if (q->packed != NULL && q->status.code == ERR_OK)
    m = protobuf_c_message_unpack(method->output, &allocator, q->len, q->packed);
  free(q->packed);
  return m;
}

static void ask(struct answers *a, const struct status_page_options *o)
{
  struct question questions[STATUS_SERVICES] = {
      {.service = &analytics__auth__v1__status_service__descriptor,
       .channel = o->auth,
       .end = WAIT_ONCE_INIT},
      {.service = &analytics__report__v1__status_service__descriptor,
       .channel = o->report,
       .end = WAIT_ONCE_INIT},
      {.service = &analytics__aggregate__v1__status_service__descriptor,
       .channel = o->aggregate,
       .end = WAIT_ONCE_INIT}};
  struct status_parts parts = {.asking = status_service(&o->self, a->arena)};
  a->asked_unix_ms = clock_unix_ms();
  for (size_t i = 0; i < STATUS_SERVICES; i++)
    begin(&questions[i]);
  parts.auth = end(&questions[0], a->arena);
  parts.report = end(&questions[1], a->arena);
  parts.aggregate = end(&questions[2], a->arena);
  for (size_t i = 0; i < STATUS_SERVICES; i++)
    parts.away[i] = questions[i].status;
  parts.now_unix_ms = clock_unix_ms();
  a->status = status_join(&parts, a->arena);
}

struct answers *ask_services(const struct status_page_options *o)
{
  struct answers *a = xcalloc(1, sizeof(*a));
  a->arena = arena_new(STATUS_ARENA_MAX);
  ask(a, o);
  if (a->status != NULL)
    return a;
  answers_free(a);
  return NULL;
}

void answers_free(struct answers *a)
{
  if (a == NULL)
    return;
  arena_free(a->arena);
  free(a);
}
