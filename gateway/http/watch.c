/* Watches suspended connections for clients that go away, and ticks once a second.
 *
 * libmicrohttpd takes a suspended connection out of its own poll set, so a client that
 * hangs up would be noticed only when its answer is written. This thread waits for exactly
 * that on an epoll set of its own. A client that closes only its sending side counts as
 * gone: no HTTP client does so while it waits.
 *
 * A connection is in that set for its whole life, so that a request costs no system call here.
 * Its end is an edge, reported once: one that comes while the connection is not suspended is
 * remembered, and asked for again when it is. */
#include <errno.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "gateway/http/internal.h"

enum { TICK_MS = 1000, MAX_EVENTS = 64 };

/* One file descriptor's place in the table; the generation distinguishes a late event from
 * one that belongs to the present connection. */
struct slot {
  struct exchange *exchange; /* that is suspended; NULL for none */
  uint32_t generation;
  bool open;  /* in the epoll set */
  bool ended; /* its end was reported */
};

struct watch {
  int epoll, wake;
  pthread_t thread;
  pthread_mutex_t lock;
  struct slot *slots; /* by file descriptor */
  size_t n_slots;
  atomic_bool stop;
  void (*tick)(void *arg);
  void *arg;
};

/* data.u64 of the event that ends the wait. */
#define WAKE_EVENT UINT64_MAX

/* The connection of an event has ended: its exchange, with a reference, when it is suspended. */
static struct exchange *note_end(struct watch *w, uint64_t data)
{
  size_t fd = (size_t)(data & UINT32_MAX);
  uint32_t generation = (uint32_t)(data >> 32);
  struct exchange *x = NULL;
  pthread_mutex_lock(&w->lock);
  struct slot *slot = fd < w->n_slots ? &w->slots[fd] : NULL;
  if (slot != NULL && slot->open && slot->generation == generation) {
    slot->ended = true;
    x = slot->exchange;
  }
  if (x != NULL)
    exchange_ref(x);
  pthread_mutex_unlock(&w->lock);
  return x;
}

static void handle(struct watch *w, const struct epoll_event *event)
{
  if (event->data.u64 == WAKE_EVENT)
    return;
  struct exchange *x = note_end(w, event->data.u64);
  if (x == NULL)
    return;
  exchange_peer_gone(x, false);
  exchange_unref(x);
}

static void *run(void *arg)
{
  struct watch *w = arg;
  struct epoll_event events[MAX_EVENTS];
  int64_t next = clock_mono_ms() + TICK_MS;
  while (!atomic_load(&w->stop)) {
    int64_t wait = next - clock_mono_ms();
    int n = epoll_wait(w->epoll, events, MAX_EVENTS, wait > 0 ? (int)wait : 0);
    for (int i = 0; i < n; i++)
      handle(w, &events[i]);
    if (clock_mono_ms() >= next) {
      w->tick(w->arg);
      next = clock_mono_ms() + TICK_MS;
    }
  }
  return NULL;
}

struct watch *watch_start(void (*tick)(void *arg), void *arg)
{
  struct watch *w = xcalloc(1, sizeof(*w));
  w->tick = tick;
  w->arg = arg;
  pthread_mutex_init(&w->lock, NULL);
  w->epoll = epoll_create1(EPOLL_CLOEXEC);
  w->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = WAKE_EVENT};
  if (w->epoll < 0 || w->wake < 0 || epoll_ctl(w->epoll, EPOLL_CTL_ADD, w->wake, &event) != 0 ||
      pthread_create(&w->thread, NULL, run, w) != 0) {
    if (w->epoll >= 0)
      close(w->epoll);
    if (w->wake >= 0)
      close(w->wake);
    free(w);
    return NULL;
  }
  return w;
}

void watch_stop(struct watch *w)
{
  atomic_store(&w->stop, true);
  eventfd_write(w->wake, 1);
  pthread_join(w->thread, NULL);
  close(w->epoll);
  close(w->wake);
  free(w->slots);
  pthread_mutex_destroy(&w->lock);
  free(w);
}

static void grow(struct watch *w, size_t fd)
{
  size_t n = w->n_slots > 0 ? w->n_slots : 64;
  while (n <= fd)
    n *= 2;
  w->slots = xrealloc(w->slots, n * sizeof(*w->slots));
  for (size_t i = w->n_slots; i < n; i++)
    w->slots[i] = (struct slot){0};
  w->n_slots = n;
}

/* Puts the slot's connection into the set, or looks at it again. The lock is held. */
static bool ask_locked(struct watch *w, int operation, int fd)
{
  struct epoll_event event = {.events = EPOLLRDHUP | EPOLLHUP | EPOLLERR | EPOLLET,
                              .data.u64 = (uint64_t)w->slots[fd].generation << 32 | (uint32_t)fd};
  return epoll_ctl(w->epoll, operation, fd, &event) == 0;
}

void watch_open(struct watch *w, int fd)
{
  pthread_mutex_lock(&w->lock);
  if ((size_t)fd >= w->n_slots)
    grow(w, (size_t)fd);
  struct slot *slot = &w->slots[fd];
  *slot = (struct slot){.generation = slot->generation + 1};
  slot->open = ask_locked(w, EPOLL_CTL_ADD, fd);
  pthread_mutex_unlock(&w->lock);
}

void watch_close(struct watch *w, int fd)
{
  pthread_mutex_lock(&w->lock);
  struct slot *slot = &w->slots[fd];
  if (slot->open)
    epoll_ctl(w->epoll, EPOLL_CTL_DEL, fd, NULL);
  *slot = (struct slot){.generation = slot->generation};
  pthread_mutex_unlock(&w->lock);
}

bool watch_add(struct watch *w, int fd, struct exchange *x)
{
  pthread_mutex_lock(&w->lock);
  struct slot *slot = &w->slots[fd];
  bool ok = slot->open && (!slot->ended || ask_locked(w, EPOLL_CTL_MOD, fd));
  slot->exchange = ok ? x : NULL;
  pthread_mutex_unlock(&w->lock);
  return ok;
}

void watch_remove(struct watch *w, int fd)
{
  pthread_mutex_lock(&w->lock);
  w->slots[fd].exchange = NULL;
  pthread_mutex_unlock(&w->lock);
}
