/* The epoll set under curl, without a transfer. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/http/internal.h"
#include "tests/unit/harness.h"

enum { LONG_MS = 20000 };

static void begin(struct http_sockets *s)
{
  curl_global_init(CURL_GLOBAL_DEFAULT);
  CU_ASSERT_TRUE_FATAL(http_sockets_init(s, curl_multi_init()));
}

static void end(struct http_sockets *s)
{
  curl_multi_cleanup(s->multi);
  http_sockets_free(s);
}

static int open_one(struct http_sockets *s)
{
  struct curl_sockaddr address = {.family = AF_INET, .socktype = SOCK_STREAM};
  return http_sockets_open(s, CURLSOCKTYPE_IPCXN, &address);
}

static bool is_watched(const struct http_sockets *s, int fd)
{
  struct epoll_event event = {.events = EPOLLIN};
  return epoll_ctl(s->epoll, EPOLL_CTL_ADD, fd, &event) != 0 && errno == EEXIST;
}

/* A host's first address refused: curl closed its socket, opens one for the next, and thinks that
 * the number is watched. */
static void socket_that_is_new_under_a_wanted_number_is_watched(void)
{
  struct http_sockets s;
  begin(&s);
  int first = open_one(&s);
  s.n_wanted = (size_t)first + 1;
  s.wanted = xcalloc(s.n_wanted, sizeof(*s.wanted));
  s.wanted[first] = EPOLLOUT;
  close(first);
  int second = open_one(&s);
  CU_ASSERT_EQUAL_FATAL(second, first);
  CU_ASSERT_TRUE(is_watched(&s, second));
  int other = open_one(&s);
  CU_ASSERT_FALSE(is_watched(&s, other));
  close(second);
  close(other);
  end(&s);
}

/* The server closes a connection that no transfer has: the thread must not see it again and again.
 */
static void socket_that_nothing_is_wanted_of_leaves_the_set_when_ready(void)
{
  struct http_sockets s;
  int pair[2];
  begin(&s);
  CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
  CU_ASSERT_EQUAL(epoll_ctl(s.epoll, EPOLL_CTL_ADD, pair[0],
                            &(struct epoll_event){.events = EPOLLIN, .data.fd = pair[0]}),
                  0);
  close(pair[1]);
  http_sockets_turn(&s, LONG_MS);
  CU_ASSERT_FALSE(is_watched(&s, pair[0]));
  close(pair[0]);
  end(&s);
}

static void wake_up_ends_the_next_wait_at_once_and_no_other(void)
{
  struct http_sockets s;
  begin(&s);
  int64_t before = clock_mono_ms();
  http_sockets_wake(&s);
  http_sockets_wake(&s);
  http_sockets_turn(&s, LONG_MS);
  CU_ASSERT_TRUE(clock_mono_ms() - before < LONG_MS / 2);
  before = clock_mono_ms();
  http_sockets_turn(&s, 20);
  CU_ASSERT_TRUE(clock_mono_ms() - before >= 19);
  end(&s);
}

TEST_MAIN("http.sockets", TEST(socket_that_is_new_under_a_wanted_number_is_watched),
          TEST(socket_that_nothing_is_wanted_of_leaves_the_set_when_ready),
          TEST(wake_up_ends_the_next_wait_at_once_and_no_other))
