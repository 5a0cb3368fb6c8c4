/* Channels to a name whose addresses come and go, over a DNS server of the test's own. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/rpc/echo_service.h"
#include "tests/unit/side.h"

enum { MOST = 4, PATIENCE_MS = 60 * 1000 };

/* ------------------------------------------------------------- DNS server */

/* Answers every question for A with the last octets it holds, 127.0.0.N, and every other with none;
 * no address at all: there is no such name (RFC 1035). */
struct dns {
  int fd;
  uint16_t port;
  pthread_t thread;
  atomic_bool stop;
  atomic_int asked; /* questions for A */
  pthread_mutex_t lock;
  uint8_t octets[MOST];
  size_t n;
};

static void dns_says(struct dns *d, size_t n, const uint8_t *octets)
{
  pthread_mutex_lock(&d->lock);
  memcpy(d->octets, octets, n);
  d->n = n;
  pthread_mutex_unlock(&d->lock);
}

/* The length of the question's name, type and class; 0 when they are not there. */
static size_t question_size(const uint8_t *message, size_t len)
{
  size_t at = 12;
  while (at < len && message[at] != 0)
    at += (size_t)message[at] + 1;
  return at + 5 <= len ? at + 5 - 12 : 0;
}

static size_t answer(struct dns *d, uint8_t *m, size_t len)
{
  static const uint8_t record[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 127, 0, 0};
  size_t size = question_size(m, len), out = 12 + size;
  bool for_a = size > 4 && m[out - 3] == 1;
  m[2] = 0x81; /* an answer, recursion as desired */
  memset(m + 6, 0, 6);
  pthread_mutex_lock(&d->lock);
  m[3] = d->n == 0 ? 0x83 : 0x80;
  for (size_t i = 0; for_a && i < d->n; i++) {
    memcpy(m + out, record, sizeof(record));
    out += sizeof(record);
    m[out++] = d->octets[i];
    m[7]++;
  }
  pthread_mutex_unlock(&d->lock);
  atomic_fetch_add(&d->asked, for_a ? 1 : 0);
  return out;
}

static void *dns_run(void *arg)
{
  struct dns *d = arg;
  while (!atomic_load(&d->stop)) {
    uint8_t message[1024];
    struct sockaddr_in from;
    socklen_t from_size = sizeof(from);
    struct pollfd p = {.fd = d->fd, .events = POLLIN};
    if (poll(&p, 1, 50) != 1)
      continue;
    ssize_t n = recvfrom(d->fd, message, 512, 0, (struct sockaddr *)&from, &from_size);
    if (n > 12)
      sendto(d->fd, message, answer(d, message, (size_t)n), 0, (struct sockaddr *)&from, from_size);
  }
  return NULL;
}

static void dns_start(struct dns *d)
{
  struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(in);
  *d = (struct dns){.lock = PTHREAD_MUTEX_INITIALIZER};
  d->fd = socket(AF_INET, SOCK_DGRAM, 0);
  CU_ASSERT_EQUAL_FATAL(bind(d->fd, (struct sockaddr *)&in, size), 0);
  getsockname(d->fd, (struct sockaddr *)&in, &size);
  d->port = ntohs(in.sin_port);
  pthread_create(&d->thread, NULL, dns_run, d);
}

static void dns_end(struct dns *d)
{
  atomic_store(&d->stop, true);
  pthread_join(d->thread, NULL);
  close(d->fd);
}

/* --------------------------------------------------------------- the stage */

static struct dns dns;
static struct echo echoes[2];
static uint16_t port;

/* Replica i is 127.0.0.(2 + i), all of them on one port. */
static struct rpc_server *start(size_t i)
{
  char listen[64];
  snprintf(listen, sizeof(listen), "127.0.0.%zu:%u", 2 + i, port);
  struct rpc_server_options o = {.listen = listen, .connection_age_ms = 300};
  struct rpc_server *s = echo_start(&echoes[i], &o);
  port = rpc_server_port(s);
  return s;
}

static struct rpc_channel *begin(void)
{
  rpc_init();
  memset(echoes, 0, sizeof(echoes));
  dns_start(&dns);
  if (port == 0) /* the first takes one that the others then share */
    rpc_server_stop(start(0));
  char target[96];
  snprintf(target, sizeof(target), "dns://127.0.0.1:%u/echo.test:%u", dns.port, port);
  struct rpc_channel_options o = {.target = target, .name = "echo-svc"};
  struct rpc_channel *channel;
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(rpc_channel_new(&channel, &o, &e), ERR_OK);
  return channel;
}

static void end(struct rpc_channel *channel)
{
  rpc_channel_free(channel);
  dns_end(&dns);
  rpc_shutdown();
}

static const uint8_t first[] = {2}, second[] = {3}, both[] = {2, 3};
#define SAY(names) dns_says(&dns, sizeof(names), names)

static void new_addresses_are_found_while_the_old_ones_answer(void)
{
  struct rpc_channel *channel = begin();
  struct err e;
  int lost = 0;
  struct rpc_server *a = start(0);
  SAY(first);
  CU_ASSERT_EQUAL(echo_say(channel, "Say", "x", NULL, &e), ERR_OK);
  struct rpc_server *b = start(1);
  SAY(both);
  int64_t until_ms = clock_mono_ms() + PATIENCE_MS;
  while (atomic_load(&echoes[1].served) == 0 && clock_mono_ms() < until_ms)
    lost += echo_say(channel, "Say", "x", NULL, &e) != ERR_OK;
  CU_ASSERT_TRUE(atomic_load(&echoes[1].served) > 0);
  CU_ASSERT_EQUAL(lost, 0);
  rpc_server_stop(a);
  rpc_server_stop(b);
  end(channel);
}

struct waiting_call {
  struct rpc_channel *channel;
  enum err_code code;
  struct err e;
};

static void *say_it(void *arg)
{
  struct waiting_call *w = arg;
  const struct rpc_client_options o = {.timeout_ms = PATIENCE_MS};
  w->code = echo_say(w->channel, "Say", "x", &o, &w->e);
  return NULL;
}

static void a_call_waits_for_a_name_that_has_no_address_yet(void)
{
  struct waiting_call w = {.channel = begin()};
  pthread_t thread;
  struct rpc_server *a = start(0);
  pthread_create(&thread, NULL, say_it, &w);
  CU_ASSERT_TRUE(wait_for(&dns.asked, 3)); /* which takes longer than an address is waited for */
  SAY(first);
  pthread_join(thread, NULL);
  CU_ASSERT_EQUAL(w.code, ERR_OK);
  if (w.code != ERR_OK)
    printf("%s\n", w.e.message);
  rpc_server_stop(a);
  end(w.channel);
}

/* A rollout faster than DNS: the only address it gives is that of a server that is gone. */
static void a_call_waits_while_dns_names_a_server_that_is_gone(void)
{
  struct waiting_call w = {.channel = begin()};
  pthread_t thread;
  struct err e;
  struct rpc_server *a = start(0);
  SAY(first);
  CU_ASSERT_EQUAL(echo_say(w.channel, "Say", "x", NULL, &e), ERR_OK);
  struct rpc_server *b = start(1);
  rpc_server_stop(a);
  int asked = atomic_load(&dns.asked);
  pthread_create(&thread, NULL, say_it, &w);
  CU_ASSERT_TRUE(wait_for(&dns.asked, asked + 3));
  SAY(second);
  pthread_join(thread, NULL);
  CU_ASSERT_EQUAL(w.code, ERR_OK);
  if (w.code != ERR_OK)
    printf("%s\n", w.e.message);
  CU_ASSERT_EQUAL(atomic_load(&echoes[1].served), 1);
  rpc_server_stop(b);
  end(w.channel);
}

static void a_call_that_finds_no_address_ends_with_its_deadline(void)
{
  struct rpc_channel *channel = begin();
  struct err e;
  const struct rpc_client_options o = {.timeout_ms = 700};
  int64_t began_ms = clock_mono_ms();
  enum err_code code = echo_say(channel, "Say", "x", &o, &e);
  CU_ASSERT_TRUE(code == ERR_UNAVAILABLE || code == ERR_DEADLINE_EXCEEDED);
  CU_ASSERT_TRUE(clock_mono_ms() - began_ms < 5000);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "echo-svc"));
  end(channel);
}

TEST_MAIN_SIDE_BY_SIDE("rpc names", TEST(new_addresses_are_found_while_the_old_ones_answer),
                       TEST(a_call_waits_for_a_name_that_has_no_address_yet),
                       TEST(a_call_waits_while_dns_names_a_server_that_is_gone),
                       TEST(a_call_that_finds_no_address_ends_with_its_deadline))
