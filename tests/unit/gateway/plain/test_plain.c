/* A tool's answer as plain JSON: the whole gateway over raw sockets, in front of a fake backend. */
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "gateway/app.h"
#include "gateway/plain/plain.h"
#include "tests/e2e/mcp/fake_backend.h"
#include "tests/unit/gateway/http/raw_http.h"
#include "tests/unit/harness.h"

#define GOOD "Authorization: Bearer good-alice\r\n"
#define JSON "Content-Type: application/json\r\n"

static struct fake_backend *backend;
static struct app *app;
static uint16_t port;

static void start(size_t calls_per_minute, size_t requests_per_minute)
{
  static char address[32];
  struct err e = {0};
  log_init("test", LOG_LEVEL_ERROR);
  rpc_init();
  backend = fake_backend_start(0, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(backend);
  snprintf(address, sizeof(address), "127.0.0.1:%u", fake_backend_port(backend));
  const struct settings s = {.host = "127.0.0.1",
                             .auth_enabled = true,
                             .auth_addr = address,
                             .report_addr = address,
                             .aggregate_addr = address,
                             .service = {.log_level = LOG_LEVEL_ERROR, .drain_ms = 1},
                             .threads = 2,
                             .max_connections = 64,
                             .max_body = 1024 * 1024,
                             .session_life_s = 3600,
                             .tool_timeout_ms = 1000,
                             .share_calls_per_minute = (int64_t)calls_per_minute,
                             .share_requests_per_minute = (int64_t)requests_per_minute,
                             .grace_ms = 500};
  CU_ASSERT_EQUAL_FATAL(app_start(&app, &s, &e), ERR_OK);
  port = app_port(app);
}

static void stop(void)
{
  app_stop(app);
  fake_backend_stop(backend);
  rpc_shutdown();
}

static struct raw_answer get(const char *path)
{
  return raw_request(port, "GET", path, GOOD, NULL);
}

static bool header_is(const struct raw_answer *a, const char *name, const char *value)
{
  char got[512];
  return raw_header(a, name, got, sizeof(got)) && strcmp(got, value) == 0;
}

static void expect(struct raw_answer a, int status, const char *part)
{
  bool right = a.status == status && strstr(buf_str(&a.body), part) != NULL;
  CU_ASSERT_TRUE(right);
  CU_ASSERT_TRUE(header_is(&a, "Content-Type", "application/json"));
  if (!right)
    fprintf(stderr, "got %d %s\nwanted %d %s\n", a.status, buf_str(&a.body), status, part);
  raw_answer_free(&a);
}

static void get_answers_the_structured_result_alone(void)
{
  start(0, 0);
  struct raw_answer a = get("/mcp/tools/list_dealers?query=ford&limit=5");
  CU_ASSERT_TRUE(header_is(&a, "Cache-Control", "no-store"));
  CU_ASSERT_EQUAL(buf_str(&a.body)[0], '{');
  CU_ASSERT_PTR_NULL(strstr(buf_str(&a.body), "jsonrpc"));
  CU_ASSERT_PTR_NULL(strstr(buf_str(&a.body), "structuredContent"));
  expect(a, 200, "\"rows\":[[\"d01\",\"Ford of \\\"Portland\\\"\\n\",\"West\",[\"213025502\"]]]");
  expect(get("/mcp/tools/list_dealers"), 200, "\"rows\":[[\"d01\"");
  stop();
}

/* Values are decoded; names and values pass the repairs of a tool call. */
static void arguments_are_read_as_those_of_a_tool_call(void)
{
  start(0, 0);
  expect(get("/mcp/tools/list_dealers?region=no%77here"), 404, "regions are West");
  expect(get("/mcp/tools/list_dealers?REGION=+nowhere%20"), 404, "regions are West");
  expect(get("/mcp/tools/list_dealers?limit=%EF%BC%95&query="), 200, "\"rows\"");
  expect(get("/mcp/tools/run_report?dealer=quota&metrics=sessions&metrics=newUsers"), 429,
         "quota exhausted until 08:00Z");
  expect(get("/mcp/tools/run_report?dealer=quota&metrics=[%22sessions%22]"), 429, "quota");
  stop();
}

static void post_takes_a_json_object(void)
{
  start(0, 0);
  expect(raw_request(port, "POST", "/mcp/tools/list_dealers", GOOD JSON, "{\"query\":\"ford\"}"),
         200, "\"rows\":[[\"d01\"");
  expect(
      raw_request(port, "POST", "/mcp/tools/list_dealers", GOOD JSON, "{\"region\":\"nowhere\"}"),
      404, "regions are West");
  expect(raw_request(port, "POST", "/mcp/tools/list_dealers", GOOD JSON, ""), 200, "\"rows\"");
  expect(raw_request(port, "POST", "/mcp/tools/list_dealers", GOOD JSON, "[1]"), 400,
         "must be a JSON object");
  expect(raw_request(port, "POST", "/mcp/tools/list_dealers", GOOD JSON, "{"), 400, "well-formed");
  expect(raw_request(port, "POST", "/mcp/tools/list_dealers", GOOD "Content-Type: text/plain\r\n",
                     "{}"),
         415, "application/json");
  expect(raw_request(port, "POST", "/mcp/tools/list_dealers?query=a", GOOD JSON, "{}"), 400,
         "leave the query out");
  stop();
}

static void bad_arguments_are_400_and_name_the_field(void)
{
  static const struct {
    const char *path, *part;
  } rows[] = {
      {"/mcp/tools/list_dealers?limit=many", "limit"},
      {"/mcp/tools/list_dealers?limt=5", "did you mean limit"},
      {"/mcp/tools/list_dealers?=5", "without a name"},
      {"/mcp/tools/list_dealers?query=%FF", "query: the value is not UTF-8"},
      {"/mcp/tools/list_dealers?query=a%00b", "query: the value is not UTF-8"},
      {"/mcp/tools/list_dealers?%FF=1", "not UTF-8"},
      {"/mcp/tools/list_dealers?query=huge", "fewer rows"},
  };
  start(0, 0);
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    expect(get(rows[i].path), 400, rows[i].part);
  stop();
}

static void who_may_not_is_refused_as_on_the_endpoint(void)
{
  start(0, 0);
  struct raw_answer a = raw_request(port, "GET", "/mcp/tools/list_dealers", "", NULL);
  CU_ASSERT_PTR_NOT_NULL(strstr(a.head, "WWW-Authenticate: Bearer"));
  expect(a, 401, "{\"error\":\"Missing credentials\"}");
  expect(raw_request(port, "GET", "/mcp/tools/list_dealers", "Authorization: Bearer bad\r\n", NULL),
         401, "{\"error\":\"Invalid credentials\"}");
  expect(raw_request(port, "POST", "/mcp/tools/list_dealers",
                     JSON "Authorization: Bearer forbidden\r\n", "{}"),
         403, "{\"error\":\"Access denied\"}");
  a = raw_request(port, "POST", "/mcp/tools/list_dealers", JSON "Authorization: Bearer down\r\n",
                  "{}");
  CU_ASSERT_TRUE(header_is(&a, "Retry-After", "5"));
  expect(a, 503, "{\"error\":\"Auth service unavailable\"}");
  expect(raw_request(port, "GET", "/mcp/tools/list_dealers", GOOD "Origin: http://evil\r\n", NULL),
         403, "Origin not allowed");
  a = get("/mcp/tools/list_dealers?query=revoked");
  CU_ASSERT_PTR_NOT_NULL(strstr(a.head, "error=\"invalid_token\""));
  expect(a, 401, "revoked");
  stop();
}

static void unknown_tools_are_404_and_other_methods_405(void)
{
  start(0, 0);
  expect(get("/mcp/tools/no_such_tool"), 404, "Unknown tool: no_such_tool");
  expect(get("/mcp/tools/list_dealers/x"), 404, "Unknown tool: list_dealers/x");
  expect(get("/mcp/tools/%FF"), 404, "Unknown tool");
  expect(get("/mcp/tools/"), 404, "Not found");
  const char *methods[] = {"PUT", "DELETE"};
  for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
    struct raw_answer a = raw_request(port, methods[i], "/mcp/tools/list_dealers", GOOD JSON, NULL);
    CU_ASSERT_TRUE(header_is(&a, "Allow", "GET, POST, OPTIONS"));
    expect(a, 405, "Method not allowed");
  }
  struct raw_answer a = raw_request(port, "OPTIONS", "/mcp/tools/list_dealers", "", NULL);
  CU_ASSERT_EQUAL(a.status, 204);
  CU_ASSERT_TRUE(header_is(&a, "Access-Control-Allow-Methods", "GET, POST, OPTIONS"));
  raw_answer_free(&a);
  stop();
}

static void share_is_that_of_tool_calls(void)
{
  start(2, 0);
  expect(get("/mcp/tools/list_dealers"), 200, "rows");
  expect(get("/mcp/tools/list_dealers"), 200, "rows");
  struct raw_answer a = get("/mcp/tools/list_dealers");
  CU_ASSERT_TRUE(header_is(&a, "Retry-After", "30"));
  expect(a, 429, "in one minute");
  stop();
  start(0, 1);
  expect(get("/mcp/tools/list_dealers"), 200, "rows");
  a = get("/mcp/tools/list_dealers");
  CU_ASSERT_TRUE(header_is(&a, "Retry-After", "60"));
  expect(a, 429, "{\"error\":\"");
  stop();
}

static void failures_of_services_have_their_status(void)
{
  start(0, 0);
  expect(get("/mcp/tools/list_dealers?query=internal"), 500, "row 3 is odd");
  expect(get("/mcp/tools/list_dealers?query=hang"), 504, "did not answer within");
  expect(get("/mcp/tools/get_account_summaries"), 501, "does not know get_account_summaries");
  struct raw_answer a = get("/mcp/tools/run_report?dealer=quota&metrics=sessions");
  CU_ASSERT_TRUE(header_is(&a, "Retry-After", "60"));
  expect(a, 429, "quota");
  const struct {
    enum err_code code;
    int status;
  } rows[] = {{ERR_OK, 200},
              {ERR_FAILED_PRECONDITION, 400},
              {ERR_ALREADY_EXISTS, 409},
              {ERR_ABORTED, 503},
              {ERR_CANCELLED, 503},
              {ERR_UNAVAILABLE, 503},
              {ERR_DATA_LOSS, 500},
              {ERR_UNKNOWN, 500}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++)
    CU_ASSERT_EQUAL(plain_status(rows[i].code), rows[i].status);
  stop();
}

static void streaming_tools_answer_their_result(void)
{
  start(0, 0);
  expect(get("/mcp/tools/compare_dealer_sessions?region=West"), 200, "20 % above");
  expect(get("/mcp/tools/compare_dealer_sessions?region=silent"), 500, "without a result");
  stop();
}

static void client_that_leaves_cancels_the_call(void)
{
  start(0, 0);
  int fd = raw_connect(port);
  raw_puts(fd,
           "GET /mcp/tools/compare_dealer_sessions?region=hang HTTP/1.1\r\nHost: localhost\r\n" GOOD
           "\r\n");
  int64_t end = clock_mono_ms() + 20000;
  const struct timespec pause = {.tv_nsec = 2000000};
  while (fake_backend_hanging(backend) < 1 && clock_mono_ms() < end)
    nanosleep(&pause, NULL);
  close(fd);
  while (fake_backend_cancels(backend) < 1 && clock_mono_ms() < end)
    nanosleep(&pause, NULL);
  CU_ASSERT_EQUAL(fake_backend_cancels(backend), 1);
  stop();
}

static void end_of_the_program_answers_a_call_that_hangs(void)
{
  start(0, 0);
  int fd = raw_connect(port);
  raw_puts(fd,
           "GET /mcp/tools/compare_dealer_sessions?region=hang HTTP/1.1\r\nHost: localhost\r\n" GOOD
           "\r\n");
  int64_t end = clock_mono_ms() + 20000;
  const struct timespec pause = {.tv_nsec = 2000000};
  while (fake_backend_hanging(backend) < 1 && clock_mono_ms() < end)
    nanosleep(&pause, NULL);
  stop();
  struct raw_answer a = raw_read(fd, 5000);
  CU_ASSERT_PTR_NOT_NULL(strstr(a.head, "Retry-After: "));
  expect(a, 503, "The server is restarting");
  close(fd);
}

TEST_MAIN("plain", TEST(get_answers_the_structured_result_alone),
          TEST(arguments_are_read_as_those_of_a_tool_call), TEST(post_takes_a_json_object),
          TEST(bad_arguments_are_400_and_name_the_field),
          TEST(who_may_not_is_refused_as_on_the_endpoint),
          TEST(unknown_tools_are_404_and_other_methods_405), TEST(share_is_that_of_tool_calls),
          TEST(failures_of_services_have_their_status), TEST(streaming_tools_answer_their_result),
          TEST(client_that_leaves_cancels_the_call),
          TEST(end_of_the_program_answers_a_call_that_hangs))
