/* Threads of our own under libmicrohttpd's daemons. */
#include "common/http/daemon.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/base/mem.h"

enum {
  MAX_THREADS = 64,
  WAIT_MS = 1000,    /* longest wait: idle connections are timed out by turns */
  ACCEPTS = 32,      /* connections taken per turn, so that threads share them */
  SHORTAGE_MS = 100, /* pause of accepting when descriptors ran out */
  SETTLE_TURNS = 2,  /* the turn under way, and a whole one after it */
};

struct worker {
  struct http_daemon *owner;
  struct MHD_Daemon *daemon;
  int epoll_fd, wake;
  unsigned max_connections;
  pthread_t thread;
  bool started;
  bool short_of_fds;  /* the thread's own */
  atomic_bool closed; /* accepts no more */
  atomic_bool called; /* there may be work that no descriptor shows */
  atomic_bool asleep; /* in poll(), or about to be: `called` needs a wake-up */
  atomic_uint_fast64_t turns;
};

struct http_daemon {
  struct http_daemon_options options;
  atomic_bool no_more, stop;
  atomic_uint resuming; /* threads inside of http_daemon_resume() */
  size_t n;
  struct worker workers[MAX_THREADS];
};

static bool has_room(const struct worker *w)
{
  const union MHD_DaemonInfo *info =
      MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
  const struct http_daemon_options *o = &w->owner->options;
  return info->num_connections < w->max_connections &&
         (o->may_accept == NULL || o->may_accept(o->user));
}

/* Takes connections off the backlog. False when none waits there any more. */
static bool accept_some(struct worker *w)
{
  for (int i = 0; i < ACCEPTS && has_room(w); i++) {
    struct sockaddr_storage from = {0};
    socklen_t len = sizeof(from);
    int fd = accept4(w->owner->options.listen_fd, (struct sockaddr *)&from, &len,
                     SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      w->short_of_fds = errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
      return false;
    }
    /* The daemon closes what it cannot take. */
    MHD_add_connection(w->daemon, fd, (struct sockaddr *)&from, len);
  }
  return true;
}

/* Has the thread handle what is there now. While it works, that takes no system call: it looks
 * at `called` after it has said that it is about to sleep. */
static void call(struct worker *w)
{
  if (!atomic_exchange(&w->called, true) && atomic_load(&w->asleep))
    eventfd_write(w->wake, 1);
}

/* poll(), which does not block when the thread was called before or is called meanwhile. */
static void sleep_until(struct worker *w, struct pollfd *fds, size_t n, int ms)
{
  eventfd_t ignored;
  atomic_store(&w->asleep, true);
  poll(fds, n, atomic_load(&w->called) ? 0 : ms);
  atomic_store(&w->asleep, false);
  atomic_exchange(&w->called, false); /* sees what was done before the calls */
  if ((fds[1].revents & POLLIN) != 0)
    eventfd_read(w->wake, &ignored);
}

/* Until something is there to do, at most `WAIT_MS`. Whether a connection may wait in the
 * backlog. */
static bool wait_for_work(struct worker *w)
{
  MHD_UNSIGNED_LONG_LONG due;
  int ms = MHD_get_timeout(w->daemon, &due) == MHD_YES && due < WAIT_MS ? (int)due : WAIT_MS;
  bool take = !atomic_load(&w->closed) && !w->short_of_fds && has_room(w);
  if (w->short_of_fds && ms > SHORTAGE_MS)
    ms = SHORTAGE_MS;
  struct pollfd fds[] = {{.fd = w->epoll_fd, .events = POLLIN},
                         {.fd = w->wake, .events = POLLIN},
                         {.fd = take ? w->owner->options.listen_fd : -1, .events = POLLIN}};
  bool last = atomic_load(&w->owner->no_more) && !atomic_load(&w->closed);
  if (last)
    ms = 0;
  sleep_until(w, fds, ARRAY_LEN(fds), ms);
  w->short_of_fds = false;
  return last || (fds[2].revents & POLLIN) != 0;
}

static void *run(void *arg)
{
  struct worker *w = arg;
  while (!atomic_load(&w->owner->stop)) {
    bool last = atomic_load(&w->owner->no_more);
    if (wait_for_work(w) && (!accept_some(w) || !has_room(w)) && last)
      atomic_store(&w->closed, true);
    MHD_run(w->daemon);
    atomic_fetch_add(&w->turns, 1);
  }
  return NULL;
}

/* The owner's options and what makes the daemon one of ours. */
static bool start_worker(struct http_daemon *d, struct worker *w)
{
  const struct http_daemon_options *o = &d->options;
  w->owner = d;
  w->max_connections = (o->max_connections + o->threads - 1) / o->threads;
  w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  const unsigned flags = MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME |
                         MHD_USE_ERROR_LOG | (o->tls ? MHD_USE_TLS : 0);
  w->daemon =
      MHD_start_daemon(flags, 0, NULL, NULL, o->on_access, o->on_access_arg, MHD_OPTION_ARRAY,
                       o->items, MHD_OPTION_CONNECTION_LIMIT, w->max_connections, MHD_OPTION_END);
  if (w->daemon == NULL || w->wake < 0)
    return false;
  w->epoll_fd = MHD_get_daemon_info(w->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
  w->started = pthread_create(&w->thread, NULL, run, w) == 0;
  return w->started;
}

static void wake_all(struct http_daemon *d)
{
  for (size_t i = 0; i < d->n; i++)
    call(&d->workers[i]);
}

static void join_all(struct http_daemon *d)
{
  atomic_store(&d->stop, true);
  wake_all(d);
  for (size_t i = 0; i < d->n; i++)
    if (d->workers[i].started)
      pthread_join(d->workers[i].thread, NULL);
  while (atomic_load(&d->resuming) > 0)
    sched_yield(); /* a few instructions */
}

static void free_all(struct http_daemon *d)
{
  for (size_t i = 0; i < d->n; i++) {
    if (d->workers[i].daemon != NULL)
      MHD_stop_daemon(d->workers[i].daemon);
    if (d->workers[i].wake >= 0)
      close(d->workers[i].wake);
  }
  free(d);
}

struct http_daemon *http_daemon_start(const struct http_daemon_options *options)
{
  struct http_daemon *d = xcalloc(1, sizeof(*d));
  d->options = *options;
  if (d->options.threads == 0)
    d->options.threads = 1;
  if (d->options.threads > MAX_THREADS)
    d->options.threads = MAX_THREADS;
  for (size_t i = 0; i < d->options.threads; i++) {
    d->n = i + 1;
    if (!start_worker(d, &d->workers[i])) {
      join_all(d);
      free_all(d);
      return NULL;
    }
  }
  return d;
}

void http_daemon_resume(struct http_daemon *d, struct MHD_Connection *connection)
{
  const struct MHD_Daemon *daemon =
      MHD_get_connection_info(connection, MHD_CONNECTION_INFO_DAEMON)->daemon;
  atomic_fetch_add(&d->resuming, 1);
  /* From then on the connection may end at any time. */
  MHD_resume_connection(connection);
  for (size_t i = 0; i < d->n; i++)
    if (d->workers[i].daemon == daemon)
      call(&d->workers[i]);
  atomic_fetch_sub(&d->resuming, 1);
}

void http_daemon_settle(struct http_daemon *d)
{
  const struct timespec pause = {.tv_nsec = 1000000};
  uint64_t seen[MAX_THREADS];
  for (size_t i = 0; i < d->n; i++)
    seen[i] = atomic_load(&d->workers[i].turns);
  for (size_t i = 0; i < d->n; i++)
    while (atomic_load(&d->workers[i].turns) - seen[i] < SETTLE_TURNS) {
      call(&d->workers[i]);
      nanosleep(&pause, NULL);
    }
}

static bool all_closed(struct http_daemon *d)
{
  bool closed = true;
  for (size_t i = 0; i < d->n; i++)
    closed &= atomic_load(&d->workers[i].closed);
  return closed;
}

void http_daemon_stop_accepting(struct http_daemon *d)
{
  if (atomic_exchange(&d->no_more, true))
    return;
  wake_all(d);
  while (!all_closed(d))
    http_daemon_settle(d);
  close(d->options.listen_fd);
  d->options.listen_fd = -1;
}

void http_daemon_stop(struct http_daemon *d)
{
  if (d == NULL)
    return;
  join_all(d);
  if (d->options.listen_fd >= 0)
    close(d->options.listen_fd);
  free_all(d);
}
