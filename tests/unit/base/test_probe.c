/* Asking a listener of our own over HTTP. */
#include "common/base/probe.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

/* A listener that reads one request and answers with `answer`; nothing when it is NULL. */
struct listener {
  int fd;
  char address[64];
  const char *answer;
  char request[1024];
  pthread_t thread;
};

static void *serve(void *arg)
{
  struct listener *l = arg;
  int fd = accept(l->fd, NULL, NULL);
  if (fd < 0)
    return NULL;
  ssize_t n = recv(fd, l->request, sizeof(l->request) - 1, 0);
  l->request[n > 0 ? n : 0] = '\0';
  if (l->answer == NULL)
    n = recv(fd, l->request, 1, 0); /* until the other side gives up */
  else
    n = send(fd, l->answer, strlen(l->answer), MSG_NOSIGNAL);
  CU_ASSERT_EQUAL(n, l->answer == NULL ? 0 : (ssize_t)strlen(l->answer));
  close(fd);
  return NULL;
}

static void begin(struct listener *l, const char *answer)
{
  struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof(at);
  *l = (struct listener){.fd = socket(AF_INET, SOCK_STREAM, 0), .answer = answer};
  CU_ASSERT_EQUAL_FATAL(bind(l->fd, (struct sockaddr *)&at, size), 0);
  CU_ASSERT_EQUAL_FATAL(listen(l->fd, 4), 0);
  getsockname(l->fd, (struct sockaddr *)&at, &size);
  snprintf(l->address, sizeof(l->address), "127.0.0.1:%u", ntohs(at.sin_port));
  CU_ASSERT_EQUAL_FATAL(pthread_create(&l->thread, NULL, serve, l), 0);
}

static void end(struct listener *l)
{
  pthread_join(l->thread, NULL);
  close(l->fd);
}

static void a_listener_is_reached_on_loopback_when_it_takes_every_address(void)
{
  static const char *const cases[][2] = {
      {"0.0.0.0:9464", "127.0.0.1:9464"},   {":9464", "127.0.0.1:9464"},    {"[::]:80", "[::1]:80"},
      {"10.1.2.3:50051", "10.1.2.3:50051"}, {"[fe80::1]:1", "[fe80::1]:1"},
  };
  char out[64];
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    CU_ASSERT_TRUE(probe_own_address(cases[i][0], out, sizeof(out)));
    CU_ASSERT_STRING_EQUAL(out, cases[i][1]);
  }
  CU_ASSERT_FALSE(probe_own_address("9464", out, sizeof(out)));
  CU_ASSERT_FALSE(probe_own_address("127.0.0.1:70000", out, sizeof(out)));
  CU_ASSERT_FALSE(probe_own_address("127.0.0.1:9464", out, 10));
}

static void the_status_of_the_answer_is_returned(void)
{
  static const struct {
    const char *answer;
    int status;
  } cases[] = {{"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n", 200},
               {"HTTP/1.1 503 Service Unavailable\r\n\r\n", 503},
               {"HTTP/1.0 404 ", 404}};
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    struct listener l;
    struct err e = {0};
    int status = 0;
    begin(&l, cases[i].answer);
    CU_ASSERT_EQUAL(probe_http(&status, l.address, "/readyz", &e), ERR_OK);
    CU_ASSERT_EQUAL(status, cases[i].status);
    end(&l);
    CU_ASSERT_PTR_NOT_NULL(strstr(l.request, "GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:"));
  }
}

static void what_is_not_http_is_no_answer(void)
{
  static const char *const answers[] = {"SSH-2.0-OpenSSH_9.2p1\r\n", "HTTP/1.1 2xx OK\r\n",
                                        "HTTP/1.1 ",
                                        "\x15\x03\x01\x00\x02\x02\x50\x15\x03\x01\x00\x02\x02\x50"};
  for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
    struct listener l;
    struct err e = {0};
    int status = 0;
    begin(&l, answers[i]);
    CU_ASSERT_EQUAL(probe_http(&status, l.address, "/livez", &e), ERR_UNAVAILABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(e.message, l.address));
    end(&l);
  }
}

static void silence_ends_within_the_time_of_a_probe(void)
{
  struct listener l;
  struct err e = {0};
  int status = 0;
  begin(&l, NULL);
  int64_t began_ms = clock_mono_ms();
  CU_ASSERT_EQUAL(probe_http(&status, l.address, "/livez", &e), ERR_UNAVAILABLE);
  int64_t took_ms = clock_mono_ms() - began_ms;
  CU_ASSERT_TRUE(took_ms >= PROBE_TIMEOUT_MS - 1);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "timed out"));
  end(&l);
}

static void a_closed_port_and_a_name_are_refused_at_once(void)
{
  struct listener l;
  struct err e = {0};
  int status = 0;
  begin(&l, "HTTP/1.1 200 OK\r\n\r\n");
  CU_ASSERT_EQUAL(probe_http(&status, l.address, "/livez", &e), ERR_OK);
  end(&l);
  CU_ASSERT_EQUAL(probe_http(&status, l.address, "/livez", &e), ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "refused"));
  CU_ASSERT_EQUAL(probe_http(&status, "example.com:80", "/livez", &e), ERR_INVALID_ARGUMENT);
}

TEST_MAIN("probe", TEST(a_listener_is_reached_on_loopback_when_it_takes_every_address),
          TEST(the_status_of_the_answer_is_returned), TEST(what_is_not_http_is_no_answer),
          TEST(silence_ends_within_the_time_of_a_probe),
          TEST(a_closed_port_and_a_name_are_refused_at_once))
