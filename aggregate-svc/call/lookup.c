/* A window of unary calls: each one that ends starts the next. One lock covers the window and the
 * kind's functions; `running` counts the calls under way and one for the start itself, so that
 * `finished` runs once, after the last, without the lock. */
#include "aggregate-svc/call/lookup.h"

#include <pthread.h>
#include <stdlib.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "common/rpc/grant_reasons.h"

enum { LOOKUP_MAGIC = 0x4c6f6f6b, LOOKUP_ONE_MAGIC = 0x4c6b316e };

static const ProtobufCServiceDescriptor *const service =
    &analytics__report__v1__report_service__descriptor;

/* The question about one dealer. */
struct lookup_one {
  uint32_t magic;
  struct lookup *all;
  size_t member;
  struct rpc_client_call *call;
};

struct lookup {
  uint32_t magic;
  const struct lookup_kind *kind;
  struct lookup_call call;
  const void *question;
  void (*finished)(void *user, const struct err *status);
  void *user;
  pthread_mutex_t lock;
  struct lookup_one *ones;
  size_t n, next, running;
  struct err fatal;
};

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct lookup_one *one = user;
  MAGIC_CHECK(one, LOOKUP_ONE_MAGIC);
  struct lookup *l = one->all;
  pthread_mutex_lock(&l->lock);
  l->kind->answered(l->question, one->member, message);
  pthread_mutex_unlock(&l->lock);
  return true;
}

/* The lock is held. */
static void fail(struct lookup *l, size_t member, const struct err *e)
{
  if (l->kind->failed != NULL)
    l->kind->failed(l->question, member, e);
  if (grant_is_over(e) && l->fatal.code == ERR_OK)
    l->fatal = *e;
}

static void on_done(void *user, const struct err *status);

static enum err_code ask(struct lookup *l, struct lookup_one *one, struct err *e)
{
  const ProtobufCMethodDescriptor *m =
      protobuf_c_service_descriptor_get_method_by_name(service, l->kind->method);
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(m->input, "dealer_id");
  int64_t left = l->call.deadline_ms - clock_mono_ms();
  struct rpc_client_options options = {.timeout_ms = left < 1 ? 1 : (uint32_t)left,
                                       .parent = l->call.parent};
  struct rpc_client_callbacks callbacks = {on_message, on_done};
  AUTO_FREE ProtobufCMessage *request = xcalloc(1, m->input->sizeof_message);
  m->input->message_init(request);
  *(char **)((char *)request + field->offset) =
      borrow_text(l->call.cohort->members[one->member].dealer_id);
  if (l->kind->fill != NULL)
    l->kind->fill(l->question, request);
  return rpc_client_start(&one->call, l->call.report, service, l->kind->method, RPC_UNARY, request,
                          &options, &callbacks, one, e);
}

/* Starts questions while the window has room. The lock is held. */
static void start_next(struct lookup *l)
{
  while (l->next < l->n && l->running <= LOOKUP_AT_ONCE && l->fatal.code == ERR_OK) {
    struct lookup_one *one = &l->ones[l->next++];
    struct err e = {0};
    if (ask(l, one, &e) == ERR_OK)
      l->running++;
    else
      fail(l, one->member, &e);
  }
}

static void let_go(struct lookup *l)
{
  pthread_mutex_lock(&l->lock);
  start_next(l);
  bool last = --l->running == 0;
  struct err status = l->fatal;
  pthread_mutex_unlock(&l->lock);
  if (last)
    l->finished(l->user, &status); /* l may be gone after this */
}

static void on_done(void *user, const struct err *status)
{
  struct lookup_one *one = user;
  MAGIC_CHECK(one, LOOKUP_ONE_MAGIC);
  if (status->code != ERR_OK) {
    pthread_mutex_lock(&one->all->lock);
    fail(one->all, one->member, status);
    pthread_mutex_unlock(&one->all->lock);
  }
  let_go(one->all);
}

static struct lookup *lookup_new(const struct lookup_kind *kind, const struct lookup_call *call,
                                 const void *question)
{
  struct lookup *l = xcalloc(1, sizeof(*l));
  l->magic = LOOKUP_MAGIC;
  l->kind = kind;
  l->call = *call;
  l->question = question;
  l->ones = xcalloc(call->cohort->n + 1, sizeof(*l->ones));
  pthread_mutex_init(&l->lock, NULL);
  for (size_t i = 0; i < call->cohort->n; i++)
    if (call->cohort->members[i].visible && kind->wanted(question, i))
      l->ones[l->n++] = (struct lookup_one){LOOKUP_ONE_MAGIC, l, i, NULL};
  return l;
}

bool lookup_start(struct lookup **out, const struct lookup_kind *kind,
                  const struct lookup_call *call, const void *question,
                  void (*finished)(void *user, const struct err *status), void *user)
{
  struct lookup *l = lookup_new(kind, call, question);
  if (l->n == 0) {
    lookup_free(l);
    return false;
  }
  l->finished = finished;
  l->user = user;
  l->running = 1;
  *out = l;
  let_go(l);
  return true;
}

void lookup_free(struct lookup *l)
{
  if (l == NULL)
    return;
  MAGIC_CHECK(l, LOOKUP_MAGIC);
  for (size_t i = 0; i < l->n; i++)
    rpc_client_release(l->ones[i].call);
  free(l->ones);
  pthread_mutex_destroy(&l->lock);
  l->magic = 0;
  free(l);
}
