/* Services that die or hang in the middle of a call, as the gateway's callers see it. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "gateway/app.h"
#include "tests/e2e/mcp/fake_backend.h"
#include "tests/unit/gateway/http/raw_http.h"
#include "tests/unit/relay.h"
#include "tests/unit/side.h"

#define HEADERS                                                                                    \
  "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"              \
  "Authorization: Bearer good-alice\r\n"
#define INIT                                                                                       \
  "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"       \
  "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"
#define CALL(tool, arguments)                                                                      \
  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"" tool           \
  "\",\"arguments\":{" arguments "},\"_meta\":{\"progressToken\":\"p\"}}}"
#define COMPARE(region) CALL("compare_dealer_sessions", "\"region\":\"" region "\"")

static struct fake_backend *backend;
static struct relay *relay; /* in front of the backend */
static struct app *app;
static uint16_t port;
static char headers[512]; /* with those of a session */

static void open_session(void)
{
  char id[128] = "";
  struct raw_answer a = raw_request(port, "POST", "/mcp", HEADERS, INIT);
  CU_ASSERT_TRUE_FATAL(raw_header(&a, "Mcp-Session-Id", id, sizeof(id)));
  snprintf(headers, sizeof(headers), HEADERS "Mcp-Session-Id: %s\r\n", id);
  raw_answer_free(&a);
}

static void start(void)
{
  static char address[32];
  log_init("test", LOG_LEVEL_ERROR);
  rpc_init();
  backend = fake_backend_start(0, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(backend);
  relay = relay_start(fake_backend_port(backend));
  snprintf(address, sizeof(address), "127.0.0.1:%u", relay_port(relay));
  struct settings s = {.host = "127.0.0.1",
                       .auth_enabled = true,
                       .auth_addr = address,
                       .report_addr = address,
                       .aggregate_addr = address,
                       .service = {.log_level = LOG_LEVEL_ERROR, .drain_ms = 1},
                       .threads = 2,
                       .max_connections = 64,
                       .max_body = 4 * 1024 * 1024,
                       .session_life_s = 3600,
                       .tool_timeout_ms = 20000,
                       .grace_ms = 500};
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(app_start(&app, &s, &e), ERR_OK);
  port = app_port(app);
  open_session();
}

static void stop(void)
{
  relay_hold(relay, false);
  app_stop(app);
  fake_backend_stop(backend);
  relay_stop(relay);
  rpc_shutdown();
}

static int send_call(const char *body)
{
  int fd = raw_connect(port);
  AUTO_FREE char *request =
      xasprintf("POST /mcp HTTP/1.1\r\nHost: localhost:%u\r\n%sContent-Length: %zu\r\n\r\n%s", port,
                headers, strlen(body), body);
  raw_puts(fd, request);
  return fd;
}

static size_t count(const char *text, const char *part)
{
  size_t n = 0;
  for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
    n++;
  return n;
}

static void wait_hanging(int n)
{
  for (int i = 0; i < 2000 && fake_backend_hanging(backend) < n; i++)
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  CU_ASSERT_EQUAL(fake_backend_hanging(backend), n);
}

static void expect_once(const struct buf *seen, const char *part)
{
  CU_ASSERT_EQUAL(count(buf_str(seen), part), 1);
  if (count(buf_str(seen), part) != 1)
    fprintf(stderr, "wanted once: %s\nin: %s\n", part, buf_str(seen));
}

static void comparison_whose_service_dies_after_progress_is_made_again(void)
{
  start();
  struct buf seen AUTO_BUF = BUF_INIT(65536);
  int fd = send_call(COMPARE("first hangs"));
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "1 of 3 dealers", 5000));
  wait_hanging(1);
  relay_cut(relay);
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "\r\n0\r\n\r\n", 10000));
  expect_once(&seen, "\"progress\":1,"); /* and not again by the second attempt */
  expect_once(&seen, "\"progress\":2,");
  expect_once(&seen, "\"progress\":3,");
  expect_once(&seen, "\"9007199254740993\"");
  expect_once(&seen, "\"isError\":false");
  close(fd);
  stop();
}

static void call_whose_service_dies_again_and_again_ends_with_an_error(void)
{
  start();
  struct buf seen AUTO_BUF = BUF_INIT(65536);
  int fd = send_call(COMPARE("hang"));
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "1 of 3 dealers", 5000));
  for (int i = 1; i <= 3; i++) { /* made again twice */
    wait_hanging(i);
    relay_cut(relay);
  }
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "\r\n0\r\n\r\n", 10000));
  expect_once(&seen, "\"progress\":1,");
  expect_once(&seen, "\"isError\":true");
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&seen), "aggregate-svc"));
  CU_ASSERT_EQUAL(fake_backend_hanging(backend), 3);
  close(fd);
  stop();
}

static void caller_that_left_is_no_reason_to_make_the_call_again(void)
{
  start();
  struct buf seen AUTO_BUF = BUF_INIT(65536);
  int fd = send_call(COMPARE("hang"));
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "1 of 3 dealers", 5000));
  close(fd);
  for (int i = 0; i < 500 && fake_backend_cancels(backend) == 0; i++)
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  relay_cut(relay);
  struct raw_answer a = raw_request(port, "POST", "/mcp", headers, COMPARE("West"));
  CU_ASSERT_EQUAL(a.status, 200);
  raw_answer_free(&a);
  CU_ASSERT_EQUAL(fake_backend_hanging(backend), 1);
  stop();
}

static void auth_service_that_hangs_is_named_within_five_seconds(void)
{
  start();
  struct raw_answer a = raw_request(port, "POST", "/mcp", headers, COMPARE("West"));
  CU_ASSERT_EQUAL(a.status, 200);
  raw_answer_free(&a);
  relay_hold(relay, true);
  int64_t began = clock_mono_ms();
  a = raw_request(port, "POST", "/mcp", headers, CALL("list_dealers", ""));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.body), "\"isError\":true"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.body), "auth-svc"));
  raw_answer_free(&a);
  CU_ASSERT_TRUE(clock_mono_ms() - began < 8000);
  stop();
}

TEST_MAIN_SIDE_BY_SIDE("gateway during outages",
                       TEST(comparison_whose_service_dies_after_progress_is_made_again),
                       TEST(call_whose_service_dies_again_and_again_ends_with_an_error),
                       TEST(caller_that_left_is_no_reason_to_make_the_call_again),
                       TEST(auth_service_that_hangs_is_named_within_five_seconds))
