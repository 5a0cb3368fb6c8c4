/* The admin listener: paths, methods, readiness, limits. */
#include <arpa/inet.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/http/admin.h"
#include "tests/unit/side.h"

static int dial(uint16_t port)
{
  struct sockaddr_in a = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct timeval patience = {.tv_sec = 15};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
  if (connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0)
    return fd;
  close(fd);
  return -1;
}

/* Sends text and reads until the other side closes. */
static void exchange(uint16_t port, const char *text, struct buf *answer)
{
  char piece[4096];
  ssize_t n;
  buf_clear(answer);
  int fd = dial(port);
  CU_ASSERT_TRUE_FATAL(fd >= 0);
  send(fd, text, strlen(text), MSG_NOSIGNAL);
  while ((n = recv(fd, piece, sizeof(piece), 0)) > 0)
    buf_append(answer, piece, (size_t)n);
  close(fd);
}

static void request(uint16_t port, const char *method, const char *path, struct buf *answer)
{
  char text[512];
  snprintf(text, sizeof(text), "%s %s HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n", method,
           path);
  exchange(port, text, answer);
}

static bool begins(const struct buf *b, const char *text)
{
  return strncmp(buf_str(b), text, strlen(text)) == 0;
}

static bool holds(const struct buf *b, const char *text)
{
  return strstr(buf_str(b), text) != NULL;
}

static const char *body_of(const struct buf *b)
{
  const char *p = strstr(buf_str(b), "\r\n\r\n");
  return p != NULL ? p + 4 : "(no body)";
}

static struct admin *start(bool (*ready)(void *user, struct buf *detail), void *user)
{
  struct admin *a = NULL;
  struct err e = {0};
  struct admin_options o = {.listen = "127.0.0.1:0", .ready = ready, .user = user};
  CU_ASSERT_EQUAL_FATAL(admin_start(&a, &o, &e), ERR_OK);
  CU_ASSERT_TRUE(admin_port(a) > 0);
  return a;
}

static void livez_answers_ok(void)
{
  AUTO_BUF struct buf b = BUF_INIT(1 << 20);
  struct admin *a = start(NULL, NULL);
  request(admin_port(a), "GET", "/livez", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 200 "));
  CU_ASSERT_STRING_EQUAL(body_of(&b), "ok\n");
  request(admin_port(a), "HEAD", "/livez", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 200 "));
  CU_ASSERT_STRING_EQUAL(body_of(&b), "");
  request(admin_port(a), "GET", "/livez?verbose=1", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 200 "));
  admin_stop(a);
}

static bool has_dealers(void *user, struct buf *detail)
{
  int dealers = atomic_load((atomic_int *)user);
  buf_printf(detail, "%s dealers: %d loaded\n", dealers > 0 ? "ok" : "fail", dealers);
  return dealers > 0;
}

static void readyz_follows_the_program_and_shows_its_conditions(void)
{
  AUTO_BUF struct buf b = BUF_INIT(1 << 20);
  atomic_int dealers = 0;
  struct admin *a = start(has_dealers, &dealers);
  request(admin_port(a), "GET", "/readyz", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 503 "));
  CU_ASSERT_STRING_EQUAL(body_of(&b), "not ready\nfail dealers: 0 loaded\n");
  atomic_store(&dealers, 24);
  request(admin_port(a), "GET", "/readyz", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 200 "));
  CU_ASSERT_STRING_EQUAL(body_of(&b), "ready\nok dealers: 24 loaded\n");
  admin_set_draining(a);
  request(admin_port(a), "GET", "/readyz", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 503 "));
  CU_ASSERT_STRING_EQUAL(body_of(&b), "draining\n");
  request(admin_port(a), "GET", "/livez", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 200 "));
  admin_stop(a);
}

static void metrics_are_served_in_prometheus_format(void)
{
  AUTO_BUF struct buf b = BUF_INIT(1 << 20);
  struct admin *a = start(NULL, NULL);
  metric_add(metrics_counter("test_admin_total", "Counted by a test.", NULL), 3, NULL);
  request(admin_port(a), "GET", "/metrics", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 200 "));
  CU_ASSERT_TRUE(holds(&b, "Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
  CU_ASSERT_TRUE(holds(&b, "\n# TYPE test_admin_total counter\ntest_admin_total 3\n"));
  admin_stop(a);
}

static void other_paths_and_methods_are_refused(void)
{
  AUTO_BUF struct buf b = BUF_INIT(1 << 20);
  struct admin *a = start(NULL, NULL);
  request(admin_port(a), "GET", "/", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 404 "));
  request(admin_port(a), "GET", "/livez/../metrics", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 404 "));
  const char *methods[] = {"POST", "PUT", "DELETE", "OPTIONS", "TRACE", "get"};
  for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
    request(admin_port(a), methods[i], "/livez", &b);
    CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 405 "));
    CU_ASSERT_TRUE(holds(&b, "\r\nAllow: GET, HEAD\r\n"));
  }
  admin_stop(a);
}

static void body_of_a_refused_request_is_not_read(void)
{
  AUTO_BUF struct buf b = BUF_INIT(1 << 20);
  struct admin *a = start(NULL, NULL);
  exchange(admin_port(a),
           "POST /readyz HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\nxxxx", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 405 "));
  admin_stop(a);
}

static void oversized_and_malformed_requests_leave_it_serving(void)
{
  AUTO_BUF struct buf b = BUF_INIT(1 << 20);
  AUTO_BUF struct buf long_one = BUF_INIT(1 << 20);
  struct admin *a = start(NULL, NULL);
  buf_puts(&long_one, "GET /livez?");
  for (int i = 0; i < 64 * 1024; i++)
    buf_putc(&long_one, 'a');
  buf_puts(&long_one, " HTTP/1.1\r\nHost: a\r\n\r\n");
  exchange(admin_port(a), buf_str(&long_one), &b);
  CU_ASSERT_FALSE(begins(&b, "HTTP/1.1 200 "));
  exchange(admin_port(a), "\x16\x03\x01 not http\r\n\r\n", &b);
  CU_ASSERT_FALSE(begins(&b, "HTTP/1.1 200 "));
  request(admin_port(a), "GET", "/livez", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 200 "));
  admin_stop(a);
}

static void idle_connections_are_limited_and_closed(void)
{
  enum { N = 48 };
  AUTO_BUF struct buf b = BUF_INIT(1 << 20);
  struct admin *a = start(NULL, NULL);
  int fds[N];
  for (int i = 0; i < N; i++)
    fds[i] = dial(admin_port(a));
  int64_t began = clock_mono_ms();
  char byte;
  CU_ASSERT_EQUAL(recv(fds[0], &byte, 1, 0), 0); /* closed by the idle timeout */
  CU_ASSERT_TRUE(clock_mono_ms() - began < 9000);
  request(admin_port(a), "GET", "/livez", &b);
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 200 "));
  for (int i = 0; i < N; i++)
    close(fds[i]);
  admin_stop(a);
}

static void busy_port_is_named(void)
{
  struct admin *a = start(NULL, NULL);
  struct admin *second;
  struct err e;
  char address[32];
  snprintf(address, sizeof(address), "127.0.0.1:%u", admin_port(a));
  CU_ASSERT_EQUAL(admin_start(&second, &(struct admin_options){.listen = address}, &e),
                  ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NULL(second);
  CU_ASSERT_STRING_EQUAL(e.reason, "address_in_use");
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, address));
  admin_stop(a);
}

static void malformed_address_is_refused(void)
{
  struct admin *a;
  struct err e;
  CU_ASSERT_EQUAL(admin_start(&a, &(struct admin_options){.listen = "nine"}, &e),
                  ERR_INVALID_ARGUMENT);
  CU_ASSERT_STRING_EQUAL(
      e.message,
      "ADMIN_LISTEN: \"nine\" is not an address; expected host:port, [v6]:port or :port");
  CU_ASSERT_EQUAL(admin_start(&a, &(struct admin_options){.listen = "192.0.2.1:0"}, &e),
                  ERR_UNAVAILABLE);
}

static void port_alone_listens_on_every_address(void)
{
  AUTO_BUF struct buf b = BUF_INIT(1 << 20);
  struct admin *a;
  CU_ASSERT_EQUAL_FATAL(admin_start(&a, &(struct admin_options){.listen = ":0"}, NULL), ERR_OK);
  request(admin_port(a), "GET", "/livez", &b); /* dial() uses IPv4 */
  CU_ASSERT_TRUE(begins(&b, "HTTP/1.1 200 "));
  admin_stop(a);
}

TEST_MAIN_SIDE_BY_SIDE("http.admin", TEST(livez_answers_ok),
                       TEST(readyz_follows_the_program_and_shows_its_conditions),
                       TEST(metrics_are_served_in_prometheus_format),
                       TEST(other_paths_and_methods_are_refused),
                       TEST(body_of_a_refused_request_is_not_read),
                       TEST(oversized_and_malformed_requests_leave_it_serving),
                       TEST(idle_connections_are_limited_and_closed), TEST(busy_port_is_named),
                       TEST(malformed_address_is_refused),
                       TEST(port_alone_listens_on_every_address))
