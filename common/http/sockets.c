/* curl's sockets in an epoll set.
 *
 * curl says which sockets it wants to hear of (on_socket) and when it wants to be called in any
 * case (on_timer); http_sockets_turn() waits for either and calls curl_multi_socket_action() for
 * what is ready. The set is level-triggered: curl may leave bytes in a socket and is called again.
 *
 * `wanted` has what curl waits for, by descriptor. A socket that curl is done with stays in the set
 * until it is ready once more: most are connections that soon have another transfer. Nor would it
 * be safe to take it out then, because libcurl 7.88 says so of sockets that it closed while they
 * were connecting, when the number may be another thread's. When it opens the next one under the
 * same number at once, for the host's next address, it says nothing at all: http_sockets_open()
 * sees that a socket is new while something is wanted of its number. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/http/internal.h"

enum { EVENTS = 64, FIRST_WANTED = 64 };

static uint32_t events_of(int what)
{
  return (what == CURL_POLL_IN || what == CURL_POLL_INOUT ? (uint32_t)EPOLLIN : 0u) |
         (what == CURL_POLL_OUT || what == CURL_POLL_INOUT ? (uint32_t)EPOLLOUT : 0u);
}

/* Puts the socket into the set, or changes what is waited for there. One that cannot be watched has
 * its transfer end by its deadline: an error would have curl end all transfers of the handle. */
static void watch(const struct http_sockets *s, int fd, uint32_t events)
{
  struct epoll_event event = {.events = events, .data.fd = fd};
  if (epoll_ctl(s->epoll, EPOLL_CTL_MOD, fd, &event) != 0 &&
      (errno != ENOENT || epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0))
    log_error("a connection cannot be watched", LOG_S("error", strerror(errno)));
}

static uint32_t wanted_of(const struct http_sockets *s, int fd)
{
  return (size_t)fd < s->n_wanted ? s->wanted[fd] : 0;
}

static void want(struct http_sockets *s, int fd, uint32_t events)
{
  size_t n = s->n_wanted == 0 ? FIRST_WANTED : s->n_wanted;
  while (n <= (size_t)fd) /* at most as many as the process may have descriptors */
    n *= 2;
  if (n > s->n_wanted) {
    s->wanted = xrealloc(s->wanted, n * sizeof(*s->wanted));
    memset(s->wanted + s->n_wanted, 0, (n - s->n_wanted) * sizeof(*s->wanted));
    s->n_wanted = n;
  }
  s->wanted[fd] = events;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *user, void *known)
{
  struct http_sockets *s = user;
  (void)easy, (void)known;
  want(s, fd, events_of(what));
  if (what != CURL_POLL_REMOVE)
    watch(s, fd, events_of(what));
  return 0;
}

curl_socket_t http_sockets_open(void *sockets, curlsocktype purpose, struct curl_sockaddr *address)
{
  struct http_sockets *s = sockets;
  int fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
  (void)purpose;
  if (fd < 0)
    return CURL_SOCKET_BAD;
  if (wanted_of(s, fd) != 0)
    watch(s, fd, wanted_of(s, fd));
  return fd;
}

static int on_timer(CURLM *multi, long timeout_ms, void *user)
{
  struct http_sockets *s = user;
  (void)multi;
  s->due_ms = timeout_ms < 0 ? INT64_MAX : clock_mono_ms() + timeout_ms;
  return 0;
}

bool http_sockets_init(struct http_sockets *s, CURLM *multi)
{
  *s = (struct http_sockets){.multi = multi, .due_ms = INT64_MAX};
  s->epoll = epoll_create1(EPOLL_CLOEXEC);
  s->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (s->epoll < 0 || s->wake < 0)
    return false;
  watch(s, s->wake, EPOLLIN);
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, (void *)s);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, (void *)s);
  return true;
}

void http_sockets_free(struct http_sockets *s)
{
  if (s->multi == NULL)
    return;
  if (s->epoll >= 0)
    close(s->epoll);
  if (s->wake >= 0)
    close(s->wake);
  free(s->wanted);
  *s = (struct http_sockets){0};
}

void http_sockets_wake(struct http_sockets *s)
{
  uint64_t one = 1;
  /* It can only fail because a wake-up is there already. */
  if (write(s->wake, &one, sizeof(one)) < 0 && errno != EAGAIN)
    log_error("a thread of the HTTP client cannot be woken", LOG_S("error", strerror(errno)));
}

static void take_wake(const struct http_sockets *s)
{
  uint64_t n;
  while (read(s->wake, &n, sizeof(n)) < 0 && errno == EINTR)
    ;
}

static void act(struct http_sockets *s, curl_socket_t fd, int events)
{
  int running;
  curl_multi_socket_action(s->multi, fd, events, &running);
}

static void act_on(struct http_sockets *s, const struct epoll_event *event)
{
  uint32_t e = event->events;
  if (event->data.fd == s->wake)
    take_wake(s);
  else if (wanted_of(s, event->data.fd) == 0)
    epoll_ctl(s->epoll, EPOLL_CTL_DEL, event->data.fd, NULL); /* an idle connection that ends */
  else
    act(s, event->data.fd,
        ((e & (EPOLLIN | EPOLLHUP)) != 0 ? CURL_CSELECT_IN : 0) |
            ((e & EPOLLOUT) != 0 ? CURL_CSELECT_OUT : 0) |
            ((e & EPOLLERR) != 0 ? CURL_CSELECT_ERR : 0));
}

void http_sockets_turn(struct http_sockets *s, int wait_ms)
{
  struct epoll_event events[EVENTS];
  int64_t left = s->due_ms == INT64_MAX ? INT64_MAX : s->due_ms - clock_mono_ms();
  if (left < wait_ms)
    wait_ms = left > 0 ? (int)left : 0;
  int n = epoll_wait(s->epoll, events, EVENTS, wait_ms);
  for (int i = 0; i < n; i++)
    act_on(s, &events[i]);
  if (s->due_ms <= clock_mono_ms()) {
    s->due_ms = INT64_MAX; /* curl sets the next one from within */
    act(s, CURL_SOCKET_TIMEOUT, 0);
  }
}
