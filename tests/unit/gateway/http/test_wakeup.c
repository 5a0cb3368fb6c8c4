/* Connections that all send in the same moment: none of them may be forgotten. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "gateway/http/listener.h"
#include "tests/unit/gateway/http/raw_http.h"
#include "tests/unit/harness.h"

/* A round is late beyond LATEST_MS, or LATE_FACTOR times the median round on a machine that is
 * slow, which may make one round of twenty late. */
enum {
  MAX_CLIENTS = 512,
  MAX_ROUNDS = 1000,
  LATEST_MS = 1000,
  LATE_FACTOR = 10,
  HANG_MS = 10000,
  ANSWER_MAX = 1024
};

static void on_head(struct exchange *x, void *user)
{
  (void)x, (void)user;
}

static void on_request(struct exchange *x, void *user)
{
  (void)user;
  struct buf body = BUF_INIT(16);
  buf_puts(&body, "done");
  exchange_reply(x, 200, "text/plain", &body);
}

/* Rounds: 20, or as many as AMCP_WAKEUP_ROUNDS says. */
static int rounds(void)
{
  const char *text = getenv("AMCP_WAKEUP_ROUNDS");
  int n = text != NULL ? (int)strtol(text, NULL, 10) : 0;
  return n > 0 && n <= MAX_ROUNDS ? n : 20;
}

struct clients {
  int n, epoll;
  int fds[MAX_CLIENTS];
};

static void connect_all(struct clients *c, uint16_t port, int n)
{
  c->n = n;
  c->epoll = epoll_create1(EPOLL_CLOEXEC);
  for (int i = 0; i < n; i++) {
    c->fds[i] = raw_connect(port);
    struct epoll_event event = {.events = EPOLLIN, .data.fd = c->fds[i]};
    CU_ASSERT_EQUAL_FATAL(epoll_ctl(c->epoll, EPOLL_CTL_ADD, c->fds[i], &event), 0);
  }
}

static void send_all(const struct clients *c)
{
  static const char request[] = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";
  for (int i = 0; i < c->n; i++)
    CU_ASSERT_TRUE(raw_puts(c->fds[i], request));
}

/* Reads one short answer of each. The time until the last of them; -1 when one is missing. */
static int64_t read_all(const struct clients *c)
{
  int64_t start = clock_mono_ms(), now = start;
  struct epoll_event events[64];
  char text[ANSWER_MAX];
  for (int left = c->n; left > 0;) {
    int n = epoll_wait(c->epoll, events, ARRAY_LEN(events), HANG_MS);
    now = clock_mono_ms();
    if (n <= 0)
      return -1;
    for (int i = 0; i < n; i++) {
      ssize_t got = recv(events[i].data.fd, text, sizeof(text), MSG_DONTWAIT);
      if (got <= 0)
        return -1;
      left -= memmem(text, (size_t)got, "done", 4) != NULL;
    }
  }
  return now - start;
}

/* Both ends of every connection are here. */
static void allow_descriptors(void)
{
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
}

static int by_size(const void *a, const void *b)
{
  int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
  return (x > y) - (x < y);
}

static void expect_prompt(int64_t *took, int n)
{
  qsort(took, (size_t)n, sizeof(took[0]), by_size);
  int64_t median = took[n / 2], latest = median * LATE_FACTOR;
  if (latest < LATEST_MS)
    latest = LATEST_MS;
  int last = n - 1 - n / 20;
  if (took[last] > latest)
    fprintf(stderr, "%d of %d rounds took %lld ms or more, their median: %lld ms\n", n - last, n,
            (long long)took[last], (long long)median);
  CU_ASSERT_TRUE(took[last] <= latest);
}

static void expect_prompt_answers(int n)
{
  allow_descriptors();
  static struct clients c;
  static int64_t took[MAX_ROUNDS];
  int all = rounds();
  struct listener *l = NULL;
  struct err e = {0};
  const struct listener_options options = {
      .host = "127.0.0.1", .on_head = on_head, .on_request = on_request};
  CU_ASSERT_EQUAL_FATAL(listener_start(&l, &options, &e), ERR_OK);
  connect_all(&c, listener_port(l), n);
  for (int round = 0; round < all; round++) {
    send_all(&c);
    took[round] = read_all(&c);
    CU_ASSERT_TRUE_FATAL(took[round] >= 0); /* else one is forgotten */
  }
  expect_prompt(took, all);
  for (int i = 0; i < c.n; i++)
    close(c.fds[i]);
  close(c.epoll);
  listener_stop(l, 1000);
}

static void requests_of_128_connections_at_once_are_all_answered_promptly(void)
{
  expect_prompt_answers(128);
}

static void requests_of_256_connections_at_once_are_all_answered_promptly(void)
{
  expect_prompt_answers(256);
}

static void requests_of_512_connections_at_once_are_all_answered_promptly(void)
{
  expect_prompt_answers(512);
}

TEST_MAIN("gateway_wakeup", TEST(requests_of_128_connections_at_once_are_all_answered_promptly),
          TEST(requests_of_256_connections_at_once_are_all_answered_promptly),
          TEST(requests_of_512_connections_at_once_are_all_answered_promptly))
