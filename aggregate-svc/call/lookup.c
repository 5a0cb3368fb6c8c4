/* A window of unary calls: each one that ends starts the next. One lock covers the window and the
 * callbacks; `running` counts the calls under way and one for the start itself, so that `finished`
 * runs once, after the last, without the lock. */
#include "aggregate-svc/call/each.h"

#include <pthread.h>
#include <stdlib.h>

#include "analytics/report/v1/report.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"
#include "common/rpc/grant_reasons.h"

enum { EACH_MAGIC = 0x45616368, EACH_ONE_MAGIC = 0x456f6e65 };

static const ProtobufCServiceDescriptor *const service =
    &analytics__report__v1__report_service__descriptor;

/* The question about one dealer. */
struct each_one {
  uint32_t magic;
  struct each *all;
  size_t member;
  struct rpc_client_call *call;
};

struct each {
  uint32_t magic;
  struct each_options options;
  pthread_mutex_t lock;
  struct each_one *ones;
  size_t n, next, running;
  struct err fatal;
};

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct each_one *one = user;
  MAGIC_CHECK(one, EACH_ONE_MAGIC);
  pthread_mutex_lock(&one->all->lock);
  one->all->options.answered(one->all->options.user, one->member, message);
  pthread_mutex_unlock(&one->all->lock);
  return true;
}

/* The lock is held. */
static void fail(struct each *x, size_t member, const struct err *e)
{
  x->options.failed(x->options.user, member, e);
  if (grant_is_over(e) && x->fatal.code == ERR_OK)
    x->fatal = *e;
}

static void on_done(void *user, const struct err *status);

static enum err_code ask(struct each *x, struct each_one *one, struct err *e)
{
  const ProtobufCMethodDescriptor *m =
      protobuf_c_service_descriptor_get_method_by_name(service, x->options.method);
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(m->input, "dealer_id");
  int64_t left = x->options.deadline_ms - clock_mono_ms();
  struct rpc_client_options options = {.timeout_ms = left < 1 ? 1 : (uint32_t)left,
                                       .parent = x->options.parent};
  struct rpc_client_callbacks callbacks = {on_message, on_done};
  AUTO_FREE ProtobufCMessage *request = xcalloc(1, m->input->sizeof_message);
  m->input->message_init(request);
  *(char **)((char *)request + field->offset) =
      borrow_text(x->options.cohort->members[one->member].dealer_id);
  if (x->options.fill != NULL)
    x->options.fill(x->options.user, one->member, request);
  return rpc_client_start(&one->call, x->options.report, service, x->options.method, RPC_UNARY,
                          request, &options, &callbacks, one, e);
}

/* Starts questions while the window has room. The lock is held. */
static void start_next(struct each *x)
{
  while (x->next < x->n && x->running <= x->options.at_once && x->fatal.code == ERR_OK) {
    struct each_one *one = &x->ones[x->next++];
    struct err e = {0};
    if (ask(x, one, &e) == ERR_OK)
      x->running++;
    else
      fail(x, one->member, &e);
  }
}

static void let_go(struct each *x)
{
  pthread_mutex_lock(&x->lock);
  start_next(x);
  bool last = --x->running == 0;
  struct err status = x->fatal;
  pthread_mutex_unlock(&x->lock);
  if (last)
    x->options.finished(x->options.user, &status);
}

static void on_done(void *user, const struct err *status)
{
  struct each_one *one = user;
  MAGIC_CHECK(one, EACH_ONE_MAGIC);
  if (status->code != ERR_OK) {
    pthread_mutex_lock(&one->all->lock);
    fail(one->all, one->member, status);
    pthread_mutex_unlock(&one->all->lock);
  }
  let_go(one->all);
}

void each_start(struct each **out, const struct each_options *options)
{
  struct each *x = xcalloc(1, sizeof(*x));
  x->magic = EACH_MAGIC;
  x->options = *options;
  x->ones = xcalloc(options->cohort->n + 1, sizeof(*x->ones));
  pthread_mutex_init(&x->lock, NULL);
  for (size_t i = 0; i < options->cohort->n; i++)
    if (options->cohort->members[i].visible && options->wanted(options->user, i))
      x->ones[x->n++] = (struct each_one){EACH_ONE_MAGIC, x, i, NULL};
  *out = x;
  x->running = 1;
  let_go(x);
}

void each_free(struct each *x)
{
  if (x == NULL)
    return;
  MAGIC_CHECK(x, EACH_MAGIC);
  for (size_t i = 0; i < x->n; i++)
    rpc_client_release(x->ones[i].call);
  free(x->ones);
  pthread_mutex_destroy(&x->lock);
  x->magic = 0;
  free(x);
}
