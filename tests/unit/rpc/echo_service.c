/* The Echo service: every behaviour of a handler that the tests need. */
#include "tests/unit/rpc/echo_service.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"

void pause_ms(unsigned ms)
{
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
  nanosleep(&t, NULL);
}

static void reply_with(struct rpc_call *call, const SayRequest *r)
{
  SayResponse response = AMCP__TEST__V1__SAY_RESPONSE__INIT;
  response.text = r->text;
  response.payload = r->payload;
  rpc_call_reply(call, &response.base);
}

static void say(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  struct echo *echo = service;
  atomic_fetch_add(&echo->served, 1);
  reply_with(call, (const SayRequest *)request);
}

static void say_slowly(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  const SayRequest *r = (const SayRequest *)request;
  struct echo *echo = service;
  atomic_fetch_add(&echo->served, 1);
  pause_ms(r->delay_ms);
  reply_with(call, r);
}

struct hang {
  struct echo *echo;
  struct rpc_call *call;
};

static void unhang(void *arg)
{
  struct hang *h = arg;
  atomic_fetch_add(&h->echo->cancelled, 1);
  struct err e = {0};
  err_set(&e, ERR_CANCELLED, "caller_gone", "nobody waits any more");
  rpc_call_finish(h->call, &e);
}

static void hang(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  (void)request;
  struct hang *h = ARENA_NEW(rpc_call_arena(call), struct hang);
  *h = (struct hang){service, call};
  rpc_call_on_cancel(call, unhang, h);
  atomic_fetch_add(&h->echo->hanging, 1);
}

static void fail(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  atomic_fetch_add(&((struct echo *)service)->served, 1);
  const FailRequest *r = (const FailRequest *)request;
  struct err e = {0};
  err_set(&e, (enum err_code)r->code, r->reason, "%s", r->message);
  err_set_details(&e, r->details.data, r->details.len);
  rpc_call_finish(call, &e);
}

/* An entry as text; "" when there is none. */
static char *text_entry(struct rpc_call *call, const char *key)
{
  size_t len;
  const char *bytes = rpc_call_metadata(call, key, &len);
  return arena_strndup(rpc_call_arena(call), bytes != NULL ? bytes : "", len);
}

static void describe(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  (void)request;
  (void)service;
  DescribeResponse d = AMCP__TEST__V1__DESCRIBE_RESPONSE__INIT;
  struct rpc_peer peer = rpc_call_peer(call);
  d.identity = TEXT(peer.identity);
  d.address = TEXT(peer.address);
  d.text_value = text_entry(call, "x-text");
  d.traceparent = text_entry(call, RPC_META_TRACEPARENT);
  const void *binary = rpc_call_metadata(call, "x-raw-bin", &d.binary_value.len);
  d.binary_value.data = (uint8_t *)(uintptr_t)binary;
  const void *grant = rpc_call_metadata(call, RPC_META_GRANT, &d.grant.len);
  d.grant.data = (uint8_t *)(uintptr_t)grant;
  int64_t deadline = rpc_call_deadline_ms(call);
  d.remaining_ms = deadline == INT64_MAX ? -1 : deadline - clock_mono_ms();
  rpc_call_reply(call, &d.base);
}

static bool relay_message(void *user, const ProtobufCMessage *message)
{
  if (message->descriptor == &amcp__test__v1__say_response__descriptor)
    reply_with(user, (const SayRequest *)(const void *)&(SayRequest){
                         .text = ((const SayResponse *)message)->text});
  else
    rpc_call_reply(user, message);
  return true;
}

static void relay_done(void *user, const struct err *status)
{
  if (status->code != ERR_OK)
    rpc_call_finish(user, status);
}

/* Calls the method named by the request's text, on behalf of this call. */
static void relay(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct rpc_client_callbacks callbacks = {relay_message, relay_done};
  struct echo *echo = service;
  const SayRequest *r = (const SayRequest *)request;
  struct rpc_client_options options = {.parent = call};
  struct err e = {0};
  if (rpc_client_start(NULL, echo->relay, ECHO_SERVICE, r->text, RPC_UNARY, request, &options,
                       &callbacks, call, &e) != ERR_OK)
    rpc_call_finish(call, &e);
}

static void pack_count(CountResponse *m, uint32_t number, uint32_t bytes, struct arena *a)
{
  *m = (CountResponse)AMCP__TEST__V1__COUNT_RESPONSE__INIT;
  m->number = number;
  m->payload.len = bytes;
  m->payload.data = arena_alloc(a, bytes);
}

struct counting {
  struct echo *echo;
  struct rpc_call *call;
  uint32_t count, next;
  CountResponse message;
};

static void counting_over(struct counting *c)
{
  atomic_fetch_add(&c->echo->counts_over, 1);
  rpc_call_finish(c->call, NULL);
}

/* Sends until the queue is full, then waits to be called again. */
static void count_on(void *arg)
{
  struct counting *c = arg;
  while (c->next < c->count) {
    c->message.number = c->next;
    enum err_code code = rpc_call_send(c->call, &c->message.base);
    if (code == ERR_RESOURCE_EXHAUSTED) {
      atomic_fetch_add(&c->echo->full, 1);
      rpc_call_on_writable(c->call, count_on, c);
      return;
    }
    if (code != ERR_OK)
      break;
    c->next++;
    atomic_fetch_add(&c->echo->sent, 1);
  }
  counting_over(c);
}

static void note_cancel(void *arg)
{
  struct counting *c = arg;
  atomic_fetch_add(&c->echo->cancelled, 1);
}

static void count(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  const CountRequest *r = (const CountRequest *)request;
  struct arena *a = rpc_call_arena(call);
  struct counting *c = ARENA_NEW(a, struct counting);
  *c = (struct counting){.echo = service, .call = call, .count = r->count};
  pack_count(&c->message, 0, r->bytes, a);
  rpc_call_on_cancel(call, note_cancel, c);
  if (r->mode == 1) {
    count_on(c);
    return;
  }
  for (; c->next < c->count; c->next++) {
    c->message.number = c->next;
    if (rpc_call_send_wait(call, &c->message.base) != ERR_OK)
      break;
    atomic_fetch_add(&c->echo->sent, 1);
  }
  counting_over(c);
}

static size_t tree_size(const Tree *t)
{
  size_t n = 1;
  for (size_t i = 0; i < t->n_branches; i++)
    n += tree_size(t->branches[i]);
  return n;
}

static void plant(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  (void)service;
  char text[32];
  snprintf(text, sizeof(text), "%zu", tree_size((const Tree *)request));
  SayResponse response = AMCP__TEST__V1__SAY_RESPONSE__INIT;
  response.text = text;
  rpc_call_reply(call, &response.base);
}

static void broken(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  (void)request;
  (void)service;
  SayResponse response = AMCP__TEST__V1__SAY_RESPONSE__INIT;
  response.text = TEXT("\xc3(");
  rpc_call_reply(call, &response.base);
}

static const struct rpc_method methods[] = {
    {"Say", RPC_UNARY, RPC_ON_POLLER, say},
    {"SaySlowly", RPC_UNARY, RPC_ON_WORKER, say_slowly},
    {"Hang", RPC_UNARY, RPC_ON_POLLER, hang},
    {"Fail", RPC_UNARY, RPC_ON_POLLER, fail},
    {"Describe", RPC_UNARY, RPC_ON_WORKER, describe},
    {"Relay", RPC_UNARY, RPC_ON_POLLER, relay},
    {"Count", RPC_SERVER_STREAMING, RPC_ON_WORKER, count},
    {"Broken", RPC_UNARY, RPC_ON_POLLER, broken},
    {"Plant", RPC_UNARY, RPC_ON_POLLER, plant},
};

static void must(bool ok, const char *what, const struct err *e)
{
  if (ok)
    return;
  fprintf(stderr, "%s: %s\n", what, e->message);
  abort();
}

struct rpc_server *echo_start(struct echo *echo, const struct rpc_server_options *o)
{
  log_init("echo", LOG_LEVEL_ERROR);
  struct rpc_server_options options = {0};
  if (o != NULL)
    options = *o;
  if (options.listen == NULL)
    options.listen = "127.0.0.1:0";
  if (options.drain_ms == 0)
    options.drain_ms = 1;
  if (options.grace_ms == 0)
    options.grace_ms = 5000;
  struct err e = {0};
  struct rpc_server *s;
  must(rpc_server_new(&s, &options, &e) == ERR_OK, "server_new", &e);
  must(rpc_server_add(s, ECHO_SERVICE, methods, ARRAY_LEN(methods), echo, &e) == ERR_OK, "add", &e);
  must(rpc_server_start(s, &e) == ERR_OK, "start", &e);
  return s;
}

const char *echo_address(const struct rpc_server *s)
{
  static _Thread_local char address[64];
  snprintf(address, sizeof(address), "127.0.0.1:%u", rpc_server_port(s));
  return address;
}

struct rpc_channel *echo_connect(const struct rpc_server *s)
{
  struct rpc_channel_options options = {.target = echo_address(s), .name = "echo-svc"};
  struct err e = {0};
  struct rpc_channel *ch;
  must(rpc_channel_new(&ch, &options, &e) == ERR_OK, "channel_new", &e);
  return ch;
}

enum err_code echo_say(struct rpc_channel *ch, const char *method, const char *text,
                       const struct rpc_client_options *o, struct err *e)
{
  SayRequest request = SAY_REQUEST;
  request.text = TEXT(text);
  ProtobufCMessage *response;
  *e = (struct err){0};
  enum err_code code =
      rpc_client_call_sync(&response, ch, ECHO_SERVICE, method, &request.base, o, e);
  if (code == ERR_OK && strcmp(((SayResponse *)response)->text, text) != 0)
    code = err_set(e, ERR_DATA_LOSS, NULL, "the echo is not what was said");
  if (response != NULL)
    protobuf_c_message_free_unpacked(response, NULL);
  return code;
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct outcome *o = user;
  pthread_mutex_lock(&o->lock);
  if (message->descriptor == &amcp__test__v1__count_response__descriptor) {
    const CountResponse *m = (const CountResponse *)message;
    if (m->number != (uint32_t)o->messages)
      o->in_order = false;
    o->last_number = m->number;
    o->bytes += m->payload.len;
  }
  o->messages++;
  bool more = o->pause_after == 0 || o->messages < o->pause_after;
  pthread_cond_broadcast(&o->changed);
  pthread_mutex_unlock(&o->lock);
  return more;
}

static void on_done(void *user, const struct err *status)
{
  struct outcome *o = user;
  pthread_mutex_lock(&o->lock);
  o->done++;
  o->status = *status;
  pthread_cond_broadcast(&o->changed);
  pthread_mutex_unlock(&o->lock);
}

const struct rpc_client_callbacks outcome_callbacks = {on_message, on_done};

bool outcome_wait(struct outcome *o)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_sec += 20;
  pthread_mutex_lock(&o->lock);
  int rc = 0;
  while (o->done == 0 && rc == 0)
    rc = pthread_cond_timedwait(&o->changed, &o->lock, &until);
  bool done = o->done == 1;
  pthread_mutex_unlock(&o->lock);
  return done;
}

bool wait_for(atomic_int *value, int want)
{
  for (int i = 0; i < 2000 && atomic_load(value) < want; i++)
    pause_ms(10);
  return atomic_load(value) >= want;
}
