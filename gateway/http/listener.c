/* The listener: libmicrohttpd's daemon from start to stop, and its tick. */
#include "gateway/http/listener.h"

#include <malloc.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/descriptors.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/http/listen.h"
#include "gateway/http/connections.h"
#include "gateway/http/intake.h"
#include "gateway/http/meter.h"

enum {
  HEAD_MAX = 32 * 1024,
  BACKLOG = 1024,
  LAST_ANSWERS_MS = 1000,
};

/* After a crowd of connections has left, what it used goes back to the system. */
static void tick(void *arg)
{
  struct listener *l = arg;
  int64_t now = clock_mono_ms();
  pthread_mutex_lock(&l->lock);
  bool trim = conns_crowd_has_left(l);
  conns_cut_slow(l, now);
  for (struct exchange *x = l->active; x != NULL; x = x->next)
    exchange_keep_alive(x, now, l->options.keepalive_ms);
  pthread_mutex_unlock(&l->lock);
  if (trim)
    malloc_trim(0);
  if (l->options.on_tick != NULL)
    l->options.on_tick(l->options.user);
}

static void on_log(void *cls, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static void on_log(void *cls, const char *format, va_list args)
{
  (void)cls;
  char text[256];
  int n = vsnprintf(text, sizeof(text), format, args);
  while (n > 0 && n < (int)sizeof(text) && text[n - 1] == '\n')
    text[--n] = '\0';
  log_debug("libmicrohttpd", LOG_S("detail", text));
}

/* ------------------------------------------------------------ start, stop */

static void set_default(uint32_t *value, uint32_t fallback)
{
  if (*value == 0)
    *value = fallback;
}

static void set_defaults(struct listener_options *o)
{
  if (o->host == NULL)
    o->host = "";
  set_default(&o->threads, 2);
  set_default(&o->max_connections, 2048);
  if (o->max_body == 0)
    o->max_body = (size_t)4 * 1024 * 1024;
  if (o->small_body == 0)
    o->small_body = (size_t)64 * 1024;
  if (o->max_bodies == 0)
    o->max_bodies = (size_t)256 * 1024 * 1024;
  set_default(&o->first_ms, 10000);
  set_default(&o->stuck_ms, 30000);
  set_default(&o->idle_ms, 75000);
  set_default(&o->receive_ms, 30000);
  set_default(&o->send_ms, 120000);
  set_default(&o->keepalive_ms, 15000);
}

/* As many connections as there are descriptors for. */
static void fit_descriptors(struct listener_options *o)
{
  size_t fitting = descriptors_reserve(o->max_connections, "ANALYTICS_MCP_MAX_CONNECTIONS");
  o->max_connections = fitting > CONN_RESERVE ? (unsigned)fitting : CONN_RESERVE;
}

static struct http_daemon *start_daemon(struct listener *l, int fd)
{
  const struct listener_options *o = &l->options;
  const struct MHD_OptionItem items[] = {
      {MHD_OPTION_EXTERNAL_LOGGER, (intptr_t)on_log, l},
      {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)intake_on_completed, l},
      {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)conn_on_notify, l},
      {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)conn_on_request_line, l},
      {MHD_OPTION_CONNECTION_TIMEOUT, (o->idle_ms + 999) / 1000, NULL},
      {MHD_OPTION_CONNECTION_MEMORY_LIMIT, HEAD_MAX, NULL},
      {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
      {MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1, NULL},
      {MHD_OPTION_END, 0, NULL},
  };
  return http_daemon_start(&(struct http_daemon_options){.listen_fd = fd,
                                                         .threads = o->threads,
                                                         .max_connections = o->max_connections,
                                                         .on_access = intake_on_access,
                                                         .on_access_arg = l,
                                                         .items = items});
}

enum err_code listener_start(struct listener **out, const struct listener_options *options,
                             struct err *e)
{
  struct listener *l = xcalloc(1, sizeof(*l));
  l->options = *options;
  set_defaults(&l->options);
  fit_descriptors(&l->options);
  if (l->options.idle_ms >= KEEP_ALIVE_MS)
    snprintf(l->keep_alive, sizeof(l->keep_alive), "timeout=%u", l->options.idle_ms / 1000 - 10);
  meter_init();
  pthread_mutex_init(&l->lock, NULL);
  struct listen_options where = {.host = l->options.host,
                                 .port = options->port,
                                 .backlog = BACKLOG,
                                 .setting = "ANALYTICS_MCP_PORT"};
  int fd = -1;
  enum err_code code = listen_open(&fd, &l->port, &where, e);
  if (code != ERR_OK) {
    pthread_mutex_destroy(&l->lock);
    free(l);
    return code;
  }
  l->watch = watch_start(tick, l);
  l->daemon = l->watch != NULL ? start_daemon(l, fd) : NULL;
  if (l->daemon == NULL) {
    close(fd);
    if (l->watch != NULL)
      watch_stop(l->watch);
    pthread_mutex_destroy(&l->lock);
    free(l);
    return err_set(e, ERR_INTERNAL, "listener_failed", "the HTTP listener cannot start");
  }
  *out = l;
  return ERR_OK;
}

uint16_t listener_port(const struct listener *l)
{
  return l->port;
}

size_t listener_connections(struct listener *l)
{
  pthread_mutex_lock(&l->lock);
  size_t n = l->n_conns;
  pthread_mutex_unlock(&l->lock);
  return n;
}

void listener_drain(struct listener *l)
{
  atomic_store(&l->draining, true);
}

/* Whether nothing that was sent waits for its answer, as far as it can be seen from here: what a
 * thread has just taken off a socket shows when that thread has had its turn. */
static bool looks_answered(struct listener *l)
{
  pthread_mutex_lock(&l->lock);
  bool answered = l->active == NULL;
  for (struct conn *c = l->conns; c != NULL && answered; c = c->next)
    answered = !atomic_load(&c->begun) && !conn_has_unread(c);
  pthread_mutex_unlock(&l->lock);
  return answered;
}

/* False when that took longer than limit_ms. */
static bool wait_answered(struct listener *l, uint32_t limit_ms)
{
  const struct timespec pause = {.tv_nsec = 10000000};
  int64_t end = clock_mono_ms() + limit_ms;
  for (;;) {
    if (looks_answered(l)) {
      http_daemon_settle(l->daemon);
      if (looks_answered(l))
        return true;
    }
    if (clock_mono_ms() >= end)
      return false;
    nanosleep(&pause, NULL);
  }
}

/* Suspended connections must not be left when the daemon stops. */
static void cut_all(struct listener *l)
{
  atomic_store(&l->stopping, true);
  size_t n = 0, cap = 64;
  struct exchange **list = xcalloc(cap, sizeof(struct exchange *));
  pthread_mutex_lock(&l->lock);
  for (struct exchange *x = l->active; x != NULL; x = x->next) {
    if (n == cap)
      list = xrealloc(list, (cap *= 2) * sizeof(struct exchange *));
    exchange_ref(x);
    list[n++] = x;
  }
  pthread_mutex_unlock(&l->lock);
  for (size_t i = 0; i < n; i++) {
    exchange_peer_gone(list[i], true);
    exchange_unref(list[i]);
  }
  free(list);
  if (n > 0)
    log_warn("requests cut off at the end", LOG_I("requests", n));
}

void listener_stop(struct listener *l, uint32_t grace_ms)
{
  if (l == NULL)
    return;
  listener_drain(l);
  http_daemon_stop_accepting(l->daemon);
  if (!wait_answered(l, grace_ms) && l->options.on_grace_over != NULL) {
    l->options.on_grace_over(l->options.user);
    wait_answered(l, LAST_ANSWERS_MS);
  }
  cut_all(l);
  wait_answered(l, LAST_ANSWERS_MS);
  http_daemon_stop(l->daemon);
  watch_stop(l->watch);
  pthread_mutex_destroy(&l->lock);
  free(l);
}
