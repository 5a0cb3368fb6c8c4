/* A server's life: options, services, start, drain and stop. */
#include "common/rpc/server.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/wait.h"
#include "common/rpc/args.h"
#include "common/rpc/tls.h"

static struct rpc_server_options with_defaults(const struct rpc_server_options *o)
{
  struct rpc_server_options full = *o;
  full.workers = o->workers == 0 ? 4 : o->workers;
  full.queue_max = o->queue_max == 0 ? 1024 : o->queue_max;
  full.max_message_bytes =
      o->max_message_bytes == 0 ? (size_t)8 * 1024 * 1024 : o->max_message_bytes;
  full.drain_ms = o->drain_ms == 0 ? 500 : o->drain_ms;
  full.grace_ms = o->grace_ms == 0 ? 10 * 1000 : o->grace_ms;
  full.connection_age_ms = o->connection_age_ms == 0 ? 30 * 1000 : o->connection_age_ms;
  full.listen = NULL;
  full.tls = (struct rpc_tls){0};
  return full;
}

static void init_lock(struct rpc_server *s)
{
  wait_init(&s->ended);
  pthread_mutex_init(&s->lock, NULL);
}

static void make_core(struct rpc_server *s)
{
  struct rpc_args args;
  rpc_args_server(&args, s->options.max_message_bytes, s->options.connection_age_ms);
  s->core = grpc_server_create(&args.args, NULL);
  s->pollers = rpc_pollers(&s->n_pollers);
  for (size_t i = 0; i < s->n_pollers; i++)
    grpc_server_register_completion_queue(s->core, s->pollers[i].cq, NULL);
}

enum err_code rpc_server_new(struct rpc_server **out, const struct rpc_server_options *options,
                             struct err *e)
{
  *out = NULL;
  if (options->listen == NULL || options->listen[0] == '\0')
    return err_set(e, ERR_INVALID_ARGUMENT, NULL, "the server needs an address host:port");
  grpc_server_credentials *credentials;
  enum err_code code = rpc_tls_server(&credentials, &options->tls, e);
  if (code != ERR_OK)
    return code;
  struct rpc_server *s = xcalloc(1, sizeof(*s));
  s->credentials = credentials;
  s->listen = xstrdup(options->listen);
  s->options = with_defaults(options);
  s->services_end = &s->services;
  init_lock(s);
  make_core(s);
  s->health = health_new();
  s->reflection = reflection_new();
  code = health_add_to(s->health, s, e);
  if (code == ERR_OK)
    code = reflection_add_to(s->reflection, s, e);
  if (code != ERR_OK) {
    rpc_server_stop(s);
    return code;
  }
  *out = s;
  return ERR_OK;
}

static enum err_code add_method(struct rpc_server *s, const ProtobufCServiceDescriptor *descriptor,
                                const struct rpc_method *method, void *service, struct err *e)
{
  const ProtobufCMethodDescriptor *d =
      protobuf_c_service_descriptor_get_method_by_name(descriptor, method->name);
  if (d == NULL)
    return err_set(e, ERR_INVALID_ARGUMENT, NULL, "%s has no method %s", descriptor->name,
                   method->name);
  struct server_method *m = xcalloc(1, sizeof(*m));
  *m = (struct server_method){.next = s->methods,
                              .server = s,
                              .service_name = descriptor->name,
                              .method = method,
                              .input = d->input,
                              .service = service,
                              .path = xasprintf("/%s/%s", descriptor->name, method->name),
                              .is_work = strncmp(descriptor->name, "grpc.", 5) != 0};
  s->methods = m;
  m->registered = grpc_server_register_method(s->core, m->path, NULL,
                                              GRPC_SRM_PAYLOAD_READ_INITIAL_BYTE_BUFFER, 0);
  if (m->registered == NULL)
    return err_set(e, ERR_ALREADY_EXISTS, NULL, "%s was added twice", m->path + 1);
  return ERR_OK;
}

enum err_code rpc_server_add(struct rpc_server *s, const ProtobufCServiceDescriptor *descriptor,
                             const struct rpc_method *methods, size_t n, void *service,
                             struct err *e)
{
  if (s->started)
    return err_set(e, ERR_FAILED_PRECONDITION, NULL, "%s was added after the server started",
                   descriptor->name);
  for (size_t i = 0; i < n; i++) {
    enum err_code code = add_method(s, descriptor, &methods[i], service, e);
    if (code != ERR_OK)
      return code;
  }
  struct server_service *added = xcalloc(1, sizeof(*added));
  added->name = descriptor->name;
  *s->services_end = added;
  s->services_end = &added->next;
  return ERR_OK;
}

enum err_code rpc_server_start(struct rpc_server *s, struct err *e)
{
  int port = grpc_server_add_http2_port(s->core, s->listen, s->credentials);
  if (port <= 0)
    return err_set(e, ERR_UNAVAILABLE, "cannot_listen",
                   "cannot listen on %s: another process uses the port, or the address does not "
                   "belong to this machine",
                   s->listen);
  s->port = (uint16_t)port;
  s->pool = pool_new("rpc", s->options.workers, s->options.queue_max);
  grpc_server_start(s->core);
  s->started = true;
  rpc_metrics_serving();
  server_arm_all(s);
  rpc_server_set_serving(s, true);
  return ERR_OK;
}

uint16_t rpc_server_port(const struct rpc_server *s)
{
  return s->port;
}

void rpc_server_set_serving(struct rpc_server *s, bool serving)
{
  health_set_serving(s->health, serving);
}

void server_call_gone(struct rpc_server *s)
{
  if (atomic_fetch_sub(&s->live, 1) > 1)
    return;
  pthread_mutex_lock(&s->lock);
  pthread_cond_broadcast(&s->ended);
  pthread_mutex_unlock(&s->lock);
}

static void on_core_down(struct rpc_event *ev, bool ok)
{
  (void)ok;
  struct rpc_server *s = CONTAINER_OF(ev, struct rpc_server, down_event);
  pthread_mutex_lock(&s->lock);
  s->core_down = true;
  pthread_cond_broadcast(&s->ended);
  pthread_mutex_unlock(&s->lock);
}

static void sleep_ms(uint32_t ms)
{
  struct timespec t = {.tv_sec = ms / 1000, .tv_nsec = (long)(ms % 1000) * 1000000};
  while (nanosleep(&t, &t) != 0 && errno == EINTR)
    ;
}

/* Waits until no call is left or ms have passed. True: none is left. */
static bool wait_for_end(struct rpc_server *s, uint32_t ms)
{
  int64_t until_ms = clock_mono_ms() + ms;
  bool ended, in_time = true;
  pthread_mutex_lock(&s->lock);
  while (!(ended = s->core_down && atomic_load(&s->live) == 0) && in_time)
    in_time = wait_until(&s->ended, &s->lock, until_ms);
  pthread_mutex_unlock(&s->lock);
  return ended;
}

/* Refuses new calls; on_core_down() comes when the last one is over. */
static void shut_core_down(struct rpc_server *s)
{
  s->down_event = RPC_EVENT_INIT(on_core_down);
  RPC_TSAN_RELEASE(&s->down_event);
  grpc_server_shutdown_and_notify(s->core, s->pollers[0].cq, &s->down_event);
}

/* The core refuses calls from here on, so those that no poller has accepted yet end as
 * CANCELLED at the client. Hence the wait before: clients that watch the health have
 * gone elsewhere by now. */
static void end_calls(struct rpc_server *s)
{
  shut_core_down(s);
  if (wait_for_end(s, s->options.grace_ms))
    return;
  log_warn("calls still run at the end of the grace period; cancelling them",
           LOG_I("calls", atomic_load(&s->live)));
  grpc_server_cancel_all_calls(s->core);
  while (!wait_for_end(s, 10 * 1000))
    log_error("a cancelled call was not finished; waiting for its handler",
              LOG_I("calls", atomic_load(&s->live)));
}

static void free_server(struct rpc_server *s)
{
  while (s->methods != NULL) {
    struct server_method *m = s->methods;
    s->methods = m->next;
    free(m->path);
    free(m);
  }
  while (s->services != NULL) {
    struct server_service *service = s->services;
    s->services = service->next;
    free(service);
  }
  health_free(s->health);
  reflection_free(s->reflection);
  grpc_server_credentials_release(s->credentials);
  pthread_cond_destroy(&s->ended);
  pthread_mutex_destroy(&s->lock);
  free(s->listen);
  free(s);
}

void rpc_server_drain(struct rpc_server *s)
{
  if (s == NULL)
    return;
  s->drained = true;
  rpc_server_set_serving(s, false);
}

void rpc_server_stop(struct rpc_server *s)
{
  if (s == NULL)
    return;
  if (s->started) {
    rpc_server_set_serving(s, false);
    sleep_ms(s->drained ? 0 : s->options.drain_ms);
    health_end(s->health);
    end_calls(s);
  } else {
    end_calls(s);
  }
  pool_free(s->pool);
  for (size_t i = 0; i < s->n_pollers; i++)
    rpc_poller_settle(&s->pollers[i]);
  grpc_server_destroy(s->core);
  free_server(s);
}
