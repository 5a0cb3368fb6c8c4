/* grpc.health.v1: Check and Watch.
 *
 * Rules: https://github.com/grpc/grpc/blob/master/doc/health-checking.md. All services
 * of a server share one state. */
#include <string.h>

#include "common/base/mem.h"
#include "common/rpc/server.h"
#include "grpc/health/v1/health.pb-c.h"

typedef Grpc__Health__V1__HealthCheckRequest HealthRequest;
typedef Grpc__Health__V1__HealthCheckResponse HealthResponse;
typedef Grpc__Health__V1__HealthCheckResponse__ServingStatus HealthStatus;

#define STATUS(name) GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__##name

/* One Watch stream. It holds the handler's reference to its call. */
struct watcher {
  struct watcher *next, **link; /* link points at what points here */
  struct health *health;
  struct rpc_call *call;
  bool known; /* the server has the service */
};

struct health {
  struct rpc_server *server;
  pthread_mutex_t lock; /* of what follows */
  bool serving;
  bool ended;
  struct watcher *watchers;
};

static bool knows(const struct health *h, const char *service)
{
  if (service[0] == '\0')
    return true;
  for (const struct server_service *s = h->server->services; s != NULL; s = s->next)
    if (strcmp(s->name, service) == 0)
      return true;
  return false;
}

static HealthResponse response_of(HealthStatus status)
{
  HealthResponse r = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
  r.status = status;
  return r;
}

static void check(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct health *h = service;
  const HealthRequest *request = (const HealthRequest *)message;
  if (!knows(h, request->service)) {
    struct err e = {0};
    err_set(&e, ERR_NOT_FOUND, "unknown_service", "this server has no service %s",
            request->service);
    rpc_call_finish(call, &e);
    return;
  }
  pthread_mutex_lock(&h->lock);
  bool serving = h->serving;
  pthread_mutex_unlock(&h->lock);
  HealthResponse r = response_of(serving ? STATUS(SERVING) : STATUS(NOT_SERVING));
  rpc_call_reply(call, &r.base);
}

/* Sends the state as this watcher sees it. The lock is held. A watcher that does not
 * read falls behind; its queue takes far more changes than a server's life has. */
static void send_state(const struct watcher *w)
{
  HealthResponse r = response_of(!w->known            ? STATUS(SERVICE_UNKNOWN)
                                 : w->health->serving ? STATUS(SERVING)
                                                      : STATUS(NOT_SERVING));
  rpc_call_send(w->call, &r.base);
}

/* The lock is held. */
static void unlink_watcher(struct watcher *w)
{
  *w->link = w->next;
  if (w->next != NULL)
    w->next->link = w->link;
  w->link = NULL;
}

/* On the poller: the caller went away. */
static void forget(void *arg)
{
  struct watcher *w = arg;
  struct health *h = w->health;
  pthread_mutex_lock(&h->lock);
  bool mine = w->link != NULL;
  if (mine)
    unlink_watcher(w);
  pthread_mutex_unlock(&h->lock);
  if (!mine)
    return; /* health_end() has it */
  struct err gone = {.code = ERR_CANCELLED};
  rpc_call_finish(w->call, &gone);
  free(w);
}

static void watch(struct rpc_call *call, const ProtobufCMessage *message, void *service)
{
  struct health *h = service;
  const HealthRequest *request = (const HealthRequest *)message;
  struct watcher *w = xcalloc(1, sizeof(*w));
  *w = (struct watcher){.health = h, .call = call, .known = knows(h, request->service)};
  rpc_call_ref(call);
  pthread_mutex_lock(&h->lock);
  send_state(w);
  bool ended = h->ended;
  if (!ended) {
    w->next = h->watchers;
    w->link = &h->watchers;
    if (w->next != NULL)
      w->next->link = &w->next;
    h->watchers = w;
    rpc_call_on_cancel(call, forget, w); /* fn comes later, on the poller */
  }
  pthread_mutex_unlock(&h->lock);
  if (ended) {
    rpc_call_finish(call, NULL);
    free(w);
  }
  rpc_call_unref(call);
}

static const struct rpc_method methods[] = {
    {"Check", RPC_UNARY, RPC_ON_POLLER, check},
    {"Watch", RPC_SERVER_STREAMING, RPC_ON_POLLER, watch},
};

struct health *health_new(void)
{
  struct health *h = xcalloc(1, sizeof(*h));
  pthread_mutex_init(&h->lock, NULL);
  return h;
}

enum err_code health_add_to(struct health *h, struct rpc_server *s, struct err *e)
{
  h->server = s;
  return rpc_server_add(s, &grpc__health__v1__health__descriptor, methods, ARRAY_LEN(methods), h,
                        e);
}

void health_set_serving(struct health *h, bool serving)
{
  pthread_mutex_lock(&h->lock);
  bool changed = h->serving != serving;
  h->serving = serving;
  for (struct watcher *w = h->watchers; changed && w != NULL; w = w->next)
    if (w->known)
      send_state(w);
  pthread_mutex_unlock(&h->lock);
}

void health_end(struct health *h)
{
  pthread_mutex_lock(&h->lock);
  h->ended = true;
  struct watcher *all = TAKE_PTR(h->watchers);
  for (struct watcher *w = all; w != NULL; w = w->next)
    w->link = NULL;
  pthread_mutex_unlock(&h->lock);
  while (all != NULL) {
    struct watcher *w = all;
    all = w->next;
    rpc_call_finish(w->call, NULL); /* after this, forget() neither runs nor will */
    free(w);
  }
}

void health_free(struct health *h)
{
  if (h == NULL)
    return;
  pthread_mutex_destroy(&h->lock);
  free(h);
}
