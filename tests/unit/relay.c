#include "tests/unit/relay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { MAX_PAIRS = 64, TURN_MS = 10 };

struct pair {
  int client, server;
};

struct relay {
  int listener;
  uint16_t port, target;
  pthread_t thread;
  atomic_bool stop, hold;
  atomic_uint cuts;  /* asked for */
  atomic_uint turns; /* of the thread */
  atomic_ullong bytes;
  pthread_mutex_t lock;
  pthread_cond_t changed;
  unsigned cuts_done; /* the lock's */
  struct pair pairs[MAX_PAIRS];
  size_t n;
};

static int connect_to(uint16_t port)
{
  struct sockaddr_in in = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (connect(fd, (struct sockaddr *)&in, sizeof(in)) == 0)
    return fd;
  close(fd);
  return -1;
}

static void accept_one(struct relay *r)
{
  int client = accept(r->listener, NULL, NULL);
  int server = client < 0 || r->n == MAX_PAIRS ? -1 : connect_to(r->target);
  if (server >= 0)
    r->pairs[r->n++] = (struct pair){client, server};
  else if (client >= 0)
    close(client);
}

static void drop(struct relay *r, size_t i)
{
  close(r->pairs[i].client);
  close(r->pairs[i].server);
  r->pairs[i] = r->pairs[--r->n];
}

/* False: the connection is over. */
static bool pass(int from, int to, atomic_ullong *count)
{
  char data[16384];
  ssize_t n = recv(from, data, sizeof(data), 0);
  if (n <= 0 || send(to, data, (size_t)n, MSG_NOSIGNAL) != n)
    return false;
  if (count != NULL)
    atomic_fetch_add(count, (unsigned long long)n);
  return true;
}

static void pass_all(struct relay *r)
{
  struct pollfd fds[2 * MAX_PAIRS + 1];
  size_t n = r->n;
  for (size_t i = 0; i < n; i++) {
    fds[2 * i] = (struct pollfd){.fd = r->pairs[i].client, .events = POLLIN};
    fds[2 * i + 1] = (struct pollfd){.fd = r->pairs[i].server, .events = POLLIN};
  }
  fds[2 * n] = (struct pollfd){.fd = r->listener, .events = POLLIN};
  if (poll(fds, 2 * n + 1, TURN_MS) <= 0)
    return;
  for (size_t i = n; i-- > 0;) {
    bool up = fds[2 * i].revents == 0 || pass(fds[2 * i].fd, fds[2 * i + 1].fd, &r->bytes);
    if (!up || (fds[2 * i + 1].revents != 0 && !pass(fds[2 * i + 1].fd, fds[2 * i].fd, NULL)))
      drop(r, i);
  }
  if (fds[2 * n].revents != 0)
    accept_one(r);
}

static void cut_if_asked(struct relay *r)
{
  pthread_mutex_lock(&r->lock);
  if (r->cuts_done != atomic_load(&r->cuts)) {
    while (r->n > 0)
      drop(r, r->n - 1);
    r->cuts_done = atomic_load(&r->cuts);
    pthread_cond_broadcast(&r->changed);
  }
  pthread_mutex_unlock(&r->lock);
}

static void *run(void *arg)
{
  struct relay *r = arg;
  while (!atomic_load(&r->stop)) {
    if (atomic_load(&r->hold))
      poll(NULL, 0, TURN_MS);
    else
      pass_all(r);
    cut_if_asked(r);
    atomic_fetch_add(&r->turns, 1);
  }
  while (r->n > 0)
    drop(r, r->n - 1);
  return NULL;
}

struct relay *relay_start(uint16_t target_port)
{
  struct relay *r = xcalloc(1, sizeof(*r));
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(in);
  r->target = target_port;
  r->listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CU_ASSERT_EQUAL_FATAL(bind(r->listener, (struct sockaddr *)&in, size), 0);
  CU_ASSERT_EQUAL_FATAL(listen(r->listener, MAX_PAIRS), 0);
  getsockname(r->listener, (struct sockaddr *)&in, &size);
  r->port = ntohs(in.sin_port);
  pthread_mutex_init(&r->lock, NULL);
  pthread_cond_init(&r->changed, NULL);
  CU_ASSERT_EQUAL_FATAL(pthread_create(&r->thread, NULL, run, r), 0);
  return r;
}

uint16_t relay_port(const struct relay *r)
{
  return r->port;
}

void relay_cut(struct relay *r)
{
  pthread_mutex_lock(&r->lock);
  unsigned wanted = atomic_fetch_add(&r->cuts, 1) + 1;
  while (r->cuts_done != wanted)
    pthread_cond_wait(&r->changed, &r->lock);
  pthread_mutex_unlock(&r->lock);
}

void relay_hold(struct relay *r, bool hold)
{
  atomic_store(&r->hold, hold);
  unsigned turn = atomic_load(&r->turns);
  while (atomic_load(&r->turns) - turn < 2) /* the turn under way may still pass something on */
    poll(NULL, 0, 1);
}

uint64_t relay_bytes(const struct relay *r)
{
  return atomic_load(&r->bytes);
}

void relay_stop(struct relay *r)
{
  if (r == NULL)
    return;
  atomic_store(&r->stop, true);
  pthread_join(r->thread, NULL);
  close(r->listener);
  pthread_cond_destroy(&r->changed);
  pthread_mutex_destroy(&r->lock);
  free(r);
}
