/* The whole gateway over raw sockets, in front of a fake backend on real gRPC. */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "gateway/app.h"
#include "tests/e2e/mcp/fake_backend.h"
#include "tests/unit/gateway/http/raw_http.h"
#include "tests/unit/harness.h"

#define JSON_HEADERS                                                                               \
  "Content-Type: application/json\r\nAccept: application/json, text/event-stream\r\n"
#define GOOD "Authorization: Bearer good-alice\r\n"
#define RPC(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\"}"
#define INIT                                                                                       \
  "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"       \
  "\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"
#define CALL(id, tool, arguments)                                                                  \
  "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"" tool      \
  "\",\"arguments\":{" arguments "}}}"

#define COMPARE(id, region)                                                                        \
  "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":"             \
  "\"compare_dealer_sessions\",\"arguments\":{\"region\":\"" region                                \
  "\"},\"_meta\":{\"progressToken\":\"p1\"}}}"

static struct fake_backend *backend;
static struct app *app;
static uint16_t port;

static struct settings settings_for(const char *address)
{
  return (struct settings){.host = "127.0.0.1",
                           .auth_enabled = true,
                           .auth_addr = address,
                           .report_addr = address,
                           .aggregate_addr = address,
                           .service = {.log_level = LOG_LEVEL_ERROR},
                           .threads = 2,
                           .max_connections = 64,
                           .max_body = 4 * 1024 * 1024,
                           .session_life_s = 3600,
                           .tool_timeout_ms = 20000,
                           .grace_ms = 500};
}

static void start_with(struct settings s, bool open)
{
  static char address[32];
  log_init("test", LOG_LEVEL_ERROR);
  rpc_init();
  if (s.auth_addr == NULL) {
    backend = fake_backend_start(0, open);
    CU_ASSERT_PTR_NOT_NULL_FATAL(backend);
    snprintf(address, sizeof(address), "127.0.0.1:%u", fake_backend_port(backend));
    s.auth_addr = s.report_addr = s.aggregate_addr = address;
  }
  struct err e = {0};
  CU_ASSERT_EQUAL_FATAL(app_start(&app, &s, &e), ERR_OK);
  port = app_port(app);
}

static void start(void)
{
  start_with(settings_for(NULL), false);
}

static void stop(void)
{
  app_stop(app);
  fake_backend_stop(backend);
  app = NULL;
  backend = NULL;
  rpc_shutdown();
}

static struct raw_answer mcp(const char *headers, const char *body)
{
  AUTO_FREE char *all = xasprintf(JSON_HEADERS "%s", headers);
  return raw_request(port, "POST", "/mcp", all, body);
}

static void expect(struct raw_answer a, int status, const char *part)
{
  CU_ASSERT_EQUAL(a.status, status);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.body), part));
  if (a.status != status || strstr(buf_str(&a.body), part) == NULL)
    fprintf(stderr, "got %d %s\nwanted %d %s\n", a.status, buf_str(&a.body), status, part);
  raw_answer_free(&a);
}

/* Headers of a session of alice: authorization and session id. */
static char *session(void)
{
  struct raw_answer a = mcp(GOOD, INIT);
  char id[128] = "";
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_TRUE(raw_header(&a, "Mcp-Session-Id", id, sizeof(id)));
  raw_answer_free(&a);
  return xasprintf(GOOD "Mcp-Session-Id: %s\r\n", id);
}

static bool header_is(const struct raw_answer *a, const char *name, const char *value)
{
  char got[512];
  return raw_header(a, name, got, sizeof(got)) && strcmp(got, value) == 0;
}

/* ----------------------------------------------------------------- routes */

static void open_routes_need_no_credentials(void)
{
  start();
  expect(raw_request(port, "GET", "/", "", NULL), 200, "\"endpoint\":\"/mcp\"");
  expect(raw_request(port, "GET", "/health", "Host: evil.example\r\n", NULL), 200, "\"version\"");
  expect(raw_request(port, "GET", "/nothing", "", NULL), 404, "\"error\"");
  expect(raw_request(port, "POST", "/health", "", "x"), 405, "\"error\"");
  expect(raw_request(port, "GET", "/.well-known/oauth-protected-resource", "", NULL), 404, "");
  expect(raw_request(port, "GET", "/.well-known/oauth-protected-resource/mcp", "", NULL), 404, "");
  stop();
}

static void health_shows_each_backend(void)
{
  start();
  bool all = false;
  for (int i = 0; i < 400 && !all; i++) {
    struct raw_answer a = raw_request(port, "GET", "/health", "", NULL);
    all = strstr(buf_str(&a.body), "{\"status\":\"ok\",") != NULL &&
          strstr(buf_str(&a.body), "\"auth-svc\":\"ready\",\"report-svc\":\"ready\","
                                   "\"aggregate-svc\":\"ready\"") != NULL;
    raw_answer_free(&a);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
  }
  CU_ASSERT_TRUE(all);
  fake_backend_stop(backend);
  backend = NULL;
  bool degraded = false;
  for (int i = 0; i < 400 && !degraded; i++) {
    struct raw_answer a = raw_request(port, "GET", "/health", "", NULL);
    degraded = strstr(buf_str(&a.body), "\"status\":\"degraded\"") != NULL;
    raw_answer_free(&a);
    nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
  }
  CU_ASSERT_TRUE(degraded);
  stop();
}

static void get_is_405_with_allow_and_both_paths_are_alike(void)
{
  start();
  struct raw_answer a =
      raw_request(port, "GET", "/mcp", GOOD "Accept: text/event-stream\r\n", NULL);
  CU_ASSERT_EQUAL(a.status, 405);
  CU_ASSERT_TRUE(header_is(&a, "Allow", "POST, DELETE, OPTIONS"));
  raw_answer_free(&a);
  expect(raw_request(port, "PUT", "/mcp", GOOD, "x"), 405, "");
  expect(raw_request(port, "POST", "/mcp/", GOOD JSON_HEADERS, INIT), 200, "serverInfo");
  expect(raw_request(port, "POST", "/", GOOD JSON_HEADERS, INIT), 405, "the MCP endpoint is /mcp");
  stop();
}

/* ----------------------------------------------------------------- access */

static void missing_and_invalid_credentials_are_401_with_a_challenge(void)
{
  static const char *const missing[] = {"", "Authorization: Basic eA==\r\n",
                                        "Authorization: Bearer\r\n", "Authorization: Bearer \r\n"};
  start();
  for (size_t i = 0; i < ARRAY_LEN(missing); i++) {
    struct raw_answer a = mcp(missing[i], INIT);
    CU_ASSERT_EQUAL(a.status, 401);
    CU_ASSERT_STRING_EQUAL(buf_str(&a.body), "{\"error\":\"Missing credentials\"}");
    CU_ASSERT_TRUE(header_is(&a, "WWW-Authenticate", "Bearer realm=\"analytics-mcp\""));
    raw_answer_free(&a);
  }
  static const char *const invalid[] = {"Authorization: Bearer nonsense\r\n",
                                        "Authorization: Bearer expired\r\n",
                                        "Authorization: Bearer \xff\xfe\r\n"};
  for (size_t i = 0; i < ARRAY_LEN(invalid); i++) {
    struct raw_answer a = mcp(invalid[i], INIT);
    char value[256] = "";
    CU_ASSERT_EQUAL(a.status, 401);
    CU_ASSERT_STRING_EQUAL(buf_str(&a.body), "{\"error\":\"Invalid credentials\"}");
    CU_ASSERT_TRUE(raw_header(&a, "WWW-Authenticate", value, sizeof(value)));
    CU_ASSERT_PTR_NOT_NULL(strstr(value, "error=\"invalid_token\""));
    raw_answer_free(&a);
  }
  expect(raw_request(port, "GET", "/mcp", "", NULL), 401, "Missing");
  expect(raw_request(port, "DELETE", "/mcp", "", NULL), 401, "Missing");
  expect(mcp("Authorization: Bearer forbidden\r\n", INIT), 403, "Access denied");
  stop();
}

static void auth_service_trouble_is_503_and_never_401(void)
{
  start();
  struct raw_answer a = mcp("Authorization: Bearer down\r\n", INIT);
  CU_ASSERT_EQUAL(a.status, 503);
  CU_ASSERT_STRING_EQUAL(buf_str(&a.body),
                         "{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32000,"
                         "\"message\":\"Auth service unavailable\"}}");
  CU_ASSERT_TRUE(header_is(&a, "Retry-After", "5"));
  raw_answer_free(&a);
  fake_backend_stop(backend);
  backend = NULL;
  expect(mcp(GOOD, INIT), 503, "Auth service unavailable");
  stop();
}

static void grant_is_asked_for_once_and_remembered(void)
{
  start();
  for (int i = 0; i < 5; i++)
    expect(mcp(GOOD, INIT), 200, "serverInfo");
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 1);
  expect(mcp("Authorization: Bearer good-bob\r\n", INIT), 200, "serverInfo");
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 2);
  stop();
}

static void grant_that_a_service_refuses_is_asked_for_anew(void)
{
  start();
  AUTO_FREE char *headers = session();
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 1);
  fake_backend_refuse_grants(backend);
  expect(mcp(headers, CALL("1", "list_dealers", "")), 200, "\"isError\":false");
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 2);
  fake_backend_refuse_grants(backend);
  expect(mcp(headers, COMPARE("2", "West")), 200, "\"isError\":false"); /* a stream, too */
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 3);
  expect(mcp(headers, CALL("3", "list_dealers", "")), 200, "\"isError\":false");
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 3); /* remembered */
  stop();
}

static void call_is_repeated_once_and_no_more(void)
{
  start();
  AUTO_FREE char *headers = session();
  expect(mcp(headers, CALL("1", "list_dealers", "\"query\":\"refuse\"")), 200, "Try again");
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 2);
  expect(mcp(headers, CALL("2", "list_dealers", "")), 200, "\"isError\":false");
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 3); /* the refused one was forgotten */
  stop();
}

static void revoked_bearer_is_told_so_and_forgotten(void)
{
  start();
  AUTO_FREE char *headers = session();
  expect(mcp(headers, CALL("1", "list_dealers", "\"query\":\"revoked\"")), 200,
         "this bearer token has been revoked");
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 1); /* another grant would be no better */
  expect(mcp(headers, CALL("2", "list_dealers", "")), 200, "\"isError\":false");
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 2);
  stop();
}

static void session_is_of_no_use_to_another_principal(void)
{
  start();
  AUTO_FREE char *headers = session();
  AUTO_FREE char *stolen =
      xasprintf("Authorization: Bearer good-mallory\r\n%s", strchr(headers, '\n') + 1);
  expect(mcp(stolen, RPC("1", "ping")), 404, "Session not found");
  expect(mcp(headers, RPC("1", "ping")), 200, "\"result\":{}");
  stop();
}

#define PING "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\"}"

/* The key file of a set of replicas. */
static char *write_key_file(void)
{
  char path[] = "/tmp/amcp-session-keys-XXXXXX";
  int fd = mkstemp(path);
  CU_ASSERT_TRUE_FATAL(fd >= 0);
  CU_ASSERT_TRUE(
      dprintf(fd, "k1: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n") > 0);
  close(fd);
  return xstrdup(path);
}

static void restarted_gateway_takes_the_session_with_the_same_key_file_only(void)
{
  AUTO_FREE char *file = write_key_file();
  struct settings s = settings_for(NULL);
  s.session_key_file = file;
  start_with(s, false);
  AUTO_FREE char *headers = session();
  stop();
  start_with(s, false);
  expect(mcp(headers, PING), 200, "\"result\":{}");
  stop();
  unlink(file);
  start();
  expect(mcp(headers, PING), 404, "-32001");
  stop();
}

static void without_auth_everyone_gets_the_local_grant(void)
{
  struct settings s = settings_for(NULL);
  s.auth_enabled = false;
  start_with(s, true);
  expect(mcp("", INIT), 200, "serverInfo");
  expect(mcp("Authorization: Bearer whatever\r\n", INIT), 200, "serverInfo");
  stop();
}

static void oauth_metadata_is_served_when_configured(void)
{
  struct settings s = settings_for(NULL);
  s.resource_url = "https://mcp.example.com/mcp";
  s.auth_servers = "https://login.example.com";
  start_with(s, false);
  static const char *const paths[] = {"/.well-known/oauth-protected-resource",
                                      "/.well-known/oauth-protected-resource/mcp"};
  for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
    struct raw_answer a = raw_request(port, "GET", paths[i], "", NULL);
    CU_ASSERT_EQUAL(a.status, 200);
    CU_ASSERT_TRUE(header_is(&a, "Content-Type", "application/json"));
    CU_ASSERT_TRUE(header_is(&a, "Access-Control-Allow-Origin", "*"));
    CU_ASSERT_PTR_NOT_NULL(
        strstr(buf_str(&a.body), "\"resource\":\"https://mcp.example.com/mcp\""));
    raw_answer_free(&a);
    a = raw_request(port, "OPTIONS", paths[i], "Origin: https://app.example\r\n", NULL);
    CU_ASSERT_EQUAL(a.status, 204);
    CU_ASSERT_TRUE(header_is(&a, "Access-Control-Allow-Origin", "*"));
    CU_ASSERT_TRUE(header_is(&a, "Access-Control-Allow-Headers", "MCP-Protocol-Version, Accept"));
    raw_answer_free(&a);
  }
  struct raw_answer a = mcp("", INIT);
  CU_ASSERT_TRUE(header_is(&a, "WWW-Authenticate",
                           "Bearer realm=\"analytics-mcp\", resource_metadata=\"https://"
                           "mcp.example.com/.well-known/oauth-protected-resource/mcp\""));
  raw_answer_free(&a);
  stop();
}

/* An ingress adds a path in front of /mcp, and clients look where the challenge says. */
static void oauth_metadata_is_served_at_the_path_of_the_public_url(void)
{
  static const char prefixed[] = "/.well-known/oauth-protected-resource/dealers/mcp";
  struct settings s = settings_for(NULL);
  s.resource_url = "https://mcp.example.com/dealers/mcp";
  s.auth_servers = "https://login.example.com";
  start_with(s, false);
  expect(raw_request(port, "GET", prefixed, "", NULL), 200,
         "\"resource\":\"https://mcp.example.com/dealers/mcp\"");
  expect(raw_request(port, "OPTIONS", prefixed, "", NULL), 204, "");
  expect(raw_request(port, "GET", "/.well-known/oauth-protected-resource", "", NULL), 200,
         "dealers");
  expect(raw_request(port, "GET", "/.well-known/oauth-protected-resource/dealers", "", NULL), 404,
         "");
  stop();
}

/* ---------------------------------------------------------------- headers */

static void origin_and_host_are_checked_before_anything_else(void)
{
  start();
  expect(mcp("Origin: http://evil.example\r\n", INIT), 403, "Origin");
  expect(mcp(GOOD "Origin: null\r\n", INIT), 403, "Origin");
  int fd = raw_connect(port);
  raw_puts(fd, "POST /mcp HTTP/1.1\r\nHost: evil.example\r\nContent-Length: 2\r\n\r\n{}");
  struct raw_answer bad = raw_read(fd, 20000);
  expect(bad, 403, "Host");
  close(fd);
  AUTO_FREE char *own = xasprintf(GOOD "Origin: http://localhost:%u\r\n", port);
  struct raw_answer a = mcp(own, INIT);
  CU_ASSERT_EQUAL(a.status, 200);
  char origin[64];
  CU_ASSERT_TRUE(raw_header(&a, "Access-Control-Allow-Origin", origin, sizeof(origin)));
  CU_ASSERT_PTR_NOT_NULL(strstr(own, origin));
  CU_ASSERT_TRUE(
      header_is(&a, "Access-Control-Expose-Headers", "Mcp-Session-Id, WWW-Authenticate"));
  raw_answer_free(&a);
  stop();
}

static void preflight_is_204_without_credentials(void)
{
  start();
  AUTO_FREE char *headers = xasprintf("Origin: http://localhost:%u\r\n"
                                      "Access-Control-Request-Method: POST\r\n",
                                      port);
  struct raw_answer a = raw_request(port, "OPTIONS", "/mcp", headers, NULL);
  char value[256] = "";
  CU_ASSERT_EQUAL(a.status, 204);
  CU_ASSERT_TRUE(raw_header(&a, "Access-Control-Allow-Headers", value, sizeof(value)));
  CU_ASSERT_PTR_NOT_NULL(strstr(value, "Mcp-Session-Id"));
  raw_answer_free(&a);
  expect(raw_request(port, "OPTIONS", "/mcp", "Origin: http://evil.example\r\n", NULL), 403, "");
  stop();
}

static void content_type_and_accept_follow_the_table(void)
{
  start();
  static const struct {
    const char *headers;
    int status;
  } rows[] = {
      {GOOD "Content-Type: text/plain\r\n", 415},
      {GOOD "Accept: application/json\r\n", 415},
      {GOOD "Content-Type: application/jsonx\r\n", 415},
      {GOOD "Content-Type: Application/JSON; charset=UTF-8\r\nAccept: */*\r\n", 200},
      {GOOD "Content-Type: application/json\r\n", 200},
      {GOOD "Content-Type: application/json\r\nAccept: application/json\r\n", 200},
      {GOOD "Content-Type: application/json\r\nAccept: text/event-stream\r\n", 200},
      {GOOD
       "Content-Type: application/json\r\nAccept: text/event-stream, application/json;q=0.9\r\n",
       200},
      {GOOD "Content-Type: application/json\r\nAccept: text/html\r\n", 406},
      {GOOD "Content-Type: application/json\r\nAccept: application/json;q=0\r\n", 406},
      {GOOD "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", 415},
      {GOOD "Content-Type: application/json\r\nContent-Encoding: Identity\r\n", 200},
  };
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct raw_answer a = raw_request(port, "POST", "/mcp", rows[i].headers, INIT);
    CU_ASSERT_EQUAL(a.status, rows[i].status);
    raw_answer_free(&a);
  }
  stop();
}

static void answers_have_their_exact_types(void)
{
  start();
  AUTO_FREE char *headers = session();
  struct raw_answer a = mcp(headers, RPC("1", "ping"));
  CU_ASSERT_TRUE(header_is(&a, "Content-Type", "application/json"));
  raw_answer_free(&a);
  a = mcp(headers, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}");
  char value[64];
  CU_ASSERT_EQUAL(a.status, 202);
  CU_ASSERT_TRUE(header_is(&a, "Content-Length", "0"));
  CU_ASSERT_FALSE(raw_header(&a, "Content-Type", value, sizeof(value)));
  raw_answer_free(&a);
  AUTO_FREE char *sse =
      xasprintf("%sContent-Type: application/json\r\nAccept: text/event-stream\r\n", headers);
  a = raw_request(port, "POST", "/mcp", sse, RPC("1", "ping"));
  CU_ASSERT_TRUE(header_is(&a, "Content-Type", "text/event-stream"));
  CU_ASSERT_STRING_EQUAL(buf_str(&a.body), "event: message\ndata: {\"jsonrpc\":\"2.0\",\"id\":1,"
                                           "\"result\":{}}\n\n");
  raw_answer_free(&a);
  stop();
}

static void bad_bodies_have_their_status(void)
{
  start();
  AUTO_FREE char *headers = session();
  expect(mcp(headers, "{\"jsonrpc\":\"2.0\",\"id\":1,\"meth"), 400, "-32700");
  expect(mcp(headers, ""), 400, "-32700");
  expect(mcp(headers, "[]"), 400, "-32600");
  expect(mcp(headers, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"no/such\"}"), 200, "-32601");
  expect(mcp(GOOD, RPC("1", "ping")), 400, "Mcp-Session-Id");
  expect(mcp(GOOD "Mcp-Session-Id: nope\r\n", RPC("1", "ping")), 404, "-32001");
  AUTO_FREE char *versioned = xasprintf("%sMCP-Protocol-Version: 1999-01-01\r\n", headers);
  expect(mcp(versioned, RPC("1", "ping")), 400, "2025-11-25");
  size_t size = 4 * 1024 * 1024 + 1;
  char *big = xmalloc(size + 1);
  memset(big, ' ', size);
  big[size] = '\0';
  expect(mcp(headers, big), 413, "larger than 4194304 bytes");
  free(big);
  stop();
}

static void modern_probe_is_answered(void)
{
  start();
  expect(mcp(GOOD "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: server/discover\r\n",
             "{\"jsonrpc\":\"2.0\",\"id\":\"server-discover-probe-1\",\"method\":\"server/"
             "discover\",\"params\":{\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":"
             "\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{}}}}"),
         200, "\"supportedVersions\":[\"2026-07-28\"]");
  stop();
}

static void delete_ends_the_session(void)
{
  start();
  AUTO_FREE char *headers = session();
  struct raw_answer a = raw_request(port, "DELETE", "/mcp", headers, NULL);
  CU_ASSERT_EQUAL(a.status, 204);
  raw_answer_free(&a);
  expect(mcp(headers, RPC("1", "ping")), 404, "");
  expect(raw_request(port, "DELETE", "/mcp", headers, NULL), 404, "");
  stop();
}

/* There is nothing to delete: of either era, and whatever else is in the head. */
static void delete_without_a_session_is_405(void)
{
  static const char *const heads[] = {GOOD, GOOD "MCP-Protocol-Version: 2026-07-28\r\n",
                                      GOOD "MCP-Protocol-Version: 2025-11-25\r\n",
                                      GOOD "MCP-Protocol-Version: 2026-07-28\r\nMcp-Method: "
                                           "tools/list\r\nAccept: application/json\r\n",
                                      GOOD "MCP-Protocol-Version: 2026-07-28\r\nMcp-Session-Id: "
                                           "stale\r\n"};
  start();
  for (size_t i = 0; i < ARRAY_LEN(heads); i++) {
    struct raw_answer a = raw_request(port, "DELETE", "/mcp", heads[i], NULL);
    CU_ASSERT_TRUE(header_is(&a, "Allow", "POST, OPTIONS"));
    CU_ASSERT_TRUE(header_is(&a, "Content-Type", "application/json"));
    expect(a, 405, "{\"error\":\"DELETE ends a session: name it in Mcp-Session-Id\"}");
  }
  expect(raw_request(port, "DELETE", "/mcp", GOOD "Mcp-Session-Id: nobodys\r\n", NULL), 404,
         "Session not found");
  stop();
}

static void delete_with_a_version_that_is_not_served_is_400(void)
{
  start();
  AUTO_FREE char *headers = session();
  AUTO_FREE char *unknown = xasprintf("%sMCP-Protocol-Version: 2024-10-07\r\n", headers);
  expect(raw_request(port, "DELETE", "/mcp", unknown, NULL), 400,
         "MCP-Protocol-Version is not a served one: send that of the session");
  expect(raw_request(port, "DELETE", "/mcp", headers, NULL), 204, "");
  stop();
}

/* ------------------------------------------------------------------ tools */

static void list_names_the_tools_of_the_catalogue(void)
{
  start();
  AUTO_FREE char *headers = session();
  struct raw_answer a = mcp(headers, RPC("1", "tools/list"));
  static const char *const names[] = {
      "compare_dealer_sessions",  "get_account_summaries", "get_custom_dimensions_and_metrics",
      "get_property_details",     "list_dealers",          "run_report",
      "run_report_across_dealers"};
  const char *at = buf_str(&a.body);
  for (size_t i = 0; i < ARRAY_LEN(names) && at != NULL; i++) {
    AUTO_FREE char *want = xasprintf("{\"name\":\"%s\",\"title\":", names[i]);
    at = strstr(at, want);
    CU_ASSERT_PTR_NOT_NULL(at);
  }
  raw_answer_free(&a);
  stop();
}

static void call_reaches_the_service_with_grant_and_trace(void)
{
  start();
  AUTO_FREE char *headers = session();
  expect(mcp(headers, CALL("7", "list_dealers", "\"query\":\"ford\"")), 200,
         "\"columns\":[\"dealer_id\",\"name\",\"region\",\"property_ids\"],\"rows\":[[\"d01\","
         "\"Ford of \\\"Portland\\\"\\n\",\"West\",[\"213025502\"]]]");
  AUTO_FREE char *traced = xasprintf(
      "%straceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n", headers);
  expect(mcp(traced, CALL("7", "list_dealers", "\"query\":\"trace\"")), 200,
         "[\"d01\",\"00-0af7651916cd43dd8448eb211c80319c-");
  /* What the message says of its trace comes before what its request says. */
  expect(mcp(traced,
             "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"tools/call\",\"params\":{\"name\":"
             "\"list_dealers\",\"arguments\":{\"query\":\"trace\"},\"_meta\":{"
             "\"traceparent\":\"00-11112222333344445555666677778888-b7ad6b7169203331-01\"}}}"),
         200, "[\"d01\",\"00-11112222333344445555666677778888-b7ad6b7169203331-01");
  expect(mcp(traced, "{\"jsonrpc\":\"2.0\",\"id\":8,\"method\":\"tools/call\",\"params\":{\"name\":"
                     "\"list_dealers\",\"arguments\":{\"query\":\"trace\"},\"_meta\":{"
                     "\"traceparent\":\"00-0-0-01\"}}}"),
         200, "[\"d01\",\"00-0af7651916cd43dd8448eb211c80319c-");
  stop();
}

static void bad_arguments_are_results_that_name_the_path(void)
{
  static const struct {
    const char *body, *part;
  } rows[] = {
      {CALL("1", "list_dealers", "\"limit\":501"), "limit"},
      {CALL("1", "list_dealers", "\"limit\":\"many\""), "limit"},
      {CALL("1", "list_dealers", "\"regoin\":\"West\""), "region"},
      {CALL("1", "list_dealers", "\"region\":\"nowhere\""), "regions are West"},
      {CALL("1", "run_report",
            "\"dealer_id\":\"d01\",\"metrics\":[\"a\",\"b\",\"c\",\"d\",\"e\",\"f\",\"g\",\"h\","
            "\"i\",\"j\",\"k\"]"),
       "metrics"},
      {CALL("1", "run_report", "\"date_ranges\":[{\"start_date\":7,\"end_date\":\"today\"}]"),
       "date_ranges[0].start_date"},
  };
  start();
  AUTO_FREE char *headers = session();
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct raw_answer a = mcp(headers, rows[i].body);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.body), "\"isError\":true"));
    expect(a, 200, rows[i].part);
  }
  stop();
}

static void service_errors_are_results(void)
{
  start();
  AUTO_FREE char *headers = session();
  expect(mcp(headers, CALL("1", "list_dealers", "\"query\":\"internal\"")), 200,
         "Internal error in auth-svc: row 3 is odd. Give the operator the trace id ");
  expect(
      mcp(headers, CALL("1", "run_report", "\"dealer_id\":\"quota\",\"metrics\":[\"sessions\"]")),
      200, "quota exhausted until 08:00Z");
  expect(mcp(headers, CALL("1", "get_account_summaries", "")), 200,
         "report-svc does not know get_account_summaries");
  expect(mcp(headers, CALL("1", "compare_dealer_sessions", "\"region\":\"silent\"")), 200,
         "ended without a result");
  expect(mcp(headers, CALL("1", "list_dealers", "\"query\":\"huge\"")), 200, "fewer rows");
  expect(mcp(headers, CALL("1", "no_such_tool", "")), 200, "-32602");
  stop();
}

static void call_beyond_its_deadline_names_the_service(void)
{
  struct settings s = settings_for(NULL);
  s.tool_timeout_ms = 1000;
  start_with(s, false);
  AUTO_FREE char *headers = session();
  int64_t begin = clock_mono_ms();
  struct raw_answer a = mcp(headers, CALL("1", "list_dealers", "\"query\":\"hang\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.body), "\"isError\":true"));
  expect(a, 200, "auth-svc did not answer");
  CU_ASSERT_TRUE(clock_mono_ms() - begin < 8000);
  stop();
}

static void service_that_is_down_is_named_and_comes_back_without_a_restart(void)
{
  start();
  AUTO_FREE char *headers = session();
  uint16_t old = fake_backend_port(backend);
  fake_backend_stop(backend);
  backend = NULL;
  struct raw_answer a = mcp(headers, CALL("1", "run_report", "\"metrics\":[\"sessions\"]"));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&a.body), "\"isError\":true"));
  expect(a, 200, "report-svc");
  backend = fake_backend_start(old, false);
  CU_ASSERT_PTR_NOT_NULL_FATAL(backend);
  bool back = false;
  for (int i = 0; i < 20 && !back; i++) {
    a = mcp(headers, CALL("1", "run_report", "\"metrics\":[\"sessions\"]"));
    back = strstr(buf_str(&a.body), "\"isError\":false") != NULL;
    raw_answer_free(&a);
  }
  CU_ASSERT_TRUE(back);
  stop();
}

static void progress_streams_and_the_result_ends_it(void)
{
  start();
  AUTO_FREE char *headers = session();
  struct raw_answer a = mcp(headers, COMPARE("1", "West"));
  CU_ASSERT_TRUE(header_is(&a, "Content-Type", "text/event-stream"));
  const char *body = buf_str(&a.body);
  const char *one = strstr(body, "\"progress\":1,\"total\":3,\"message\":\"1 of 3 dealers\"");
  const char *three = one != NULL ? strstr(one, "\"progress\":3,") : NULL;
  const char *result = three != NULL ? strstr(three, "\"structuredContent\":") : NULL;
  CU_ASSERT_PTR_NOT_NULL(result);
  CU_ASSERT_PTR_NOT_NULL(strstr(body, "\"9007199254740993\""));
  raw_answer_free(&a);
  stop();
}

static void wait_hanging(int n)
{
  for (int i = 0; i < 2000 && fake_backend_hanging(backend) < n; i++)
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  CU_ASSERT_EQUAL(fake_backend_hanging(backend), n);
}

static void wait_cancels(int n)
{
  for (int i = 0; i < 2000 && fake_backend_cancels(backend) < n; i++)
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  CU_ASSERT_EQUAL(fake_backend_cancels(backend), n);
}

static int send_call(const char *headers, const char *body)
{
  int fd = raw_connect(port);
  AUTO_FREE char *request = xasprintf("POST /mcp HTTP/1.1\r\nHost: localhost:%u\r\n" JSON_HEADERS
                                      "%sContent-Length: %zu\r\n\r\n%s",
                                      port, headers, strlen(body), body);
  raw_puts(fd, request);
  return fd;
}

static void disconnect_cancels_the_rpc(void)
{
  start();
  AUTO_FREE char *headers = session();
  int json = send_call(headers, CALL("1", "list_dealers", "\"query\":\"hang\""));
  wait_hanging(1);
  CU_ASSERT_EQUAL(fake_backend_cancels(backend), 0);
  close(json);
  wait_cancels(1);
  int stream = send_call(headers, COMPARE("2", "hang"));
  struct buf seen AUTO_BUF = BUF_INIT(65536);
  CU_ASSERT_TRUE(raw_wait_text(stream, &seen, "1 of 3", 20000));
  close(stream);
  wait_cancels(2);
  stop();
}

static void cancelled_notification_ends_the_call_without_a_response(void)
{
  start();
  AUTO_FREE char *headers = session();
  int stream = send_call(headers, COMPARE("\"c\"", "hang"));
  struct buf seen AUTO_BUF = BUF_INIT(65536);
  CU_ASSERT_TRUE(raw_wait_text(stream, &seen, "1 of 3", 20000));
  expect(mcp(headers, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
                      "\"requestId\":\"c\"}}"),
         202, "");
  CU_ASSERT_TRUE(raw_wait_text(stream, &seen, "\r\n0\r\n\r\n", 20000));
  CU_ASSERT_PTR_NULL(strstr(buf_str(&seen), "\"result\""));
  wait_cancels(1);
  close(stream);
  stop();
}

struct hammer {
  const char *headers;
  unsigned seed;
  int answered;
};

/* Calls of three kinds; every third client leaves at some moment. */
static void *hammer(void *arg)
{
  static const char *const calls[] = {
      ("\"tools/call\",\"params\":{\"name\":\"compare_dealer_sessions\",\"arguments\":{"
       "\"region\":\"West\"},\"_meta\":{\"progressToken\":1}}"),
      "\"tools/call\",\"params\":{\"name\":\"list_dealers\"}", "\"ping\""};
  struct hammer *h = arg;
  for (int i = 0; i < 60; i++) {
    char body[512];
    snprintf(body, sizeof(body), "{\"jsonrpc\":\"2.0\",\"id\":\"%u-%d\",\"method\":%s}", h->seed, i,
             calls[i % 3]);
    int fd = send_call(h->headers, body);
    if (i % 7 < 2) {
      nanosleep(
          &(struct timespec){.tv_nsec = (long)(h->seed * 7919 + (unsigned)i * 104729) % 6000000},
          NULL);
    } else {
      struct raw_answer a = raw_read(fd, 20000);
      h->answered += a.status == 200 && strstr(buf_str(&a.body), "\"result\"") != NULL;
      raw_answer_free(&a);
    }
    close(fd);
  }
  return NULL;
}

static void clients_leaving_at_any_moment_harm_nobody(void)
{
  start();
  AUTO_FREE char *headers = session();
  struct hammer h[6];
  pthread_t threads[ARRAY_LEN(h)];
  for (size_t i = 0; i < ARRAY_LEN(h); i++) {
    h[i] = (struct hammer){.headers = headers, .seed = (unsigned)i + 1};
    pthread_create(&threads[i], NULL, hammer, &h[i]);
  }
  for (size_t i = 0; i < ARRAY_LEN(h); i++) {
    pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(h[i].answered, 42);
  }
  expect(mcp(headers, RPC("1", "ping")), 200, "\"result\":{}");
  stop();
}

struct steady {
  const char *headers;
  unsigned seed;
  const atomic_bool *over;
  atomic_int answered;
  int good;
};

static void *call_steadily(void *arg)
{
  static const char *const calls[] = {"list_dealers\",\"arguments\":{}",
                                      "run_report\",\"arguments\":{\"metrics\":[\"sessions\"]}"};
  struct steady *h = arg;
  for (int i = 0; i < 60 || !atomic_load(h->over); i++) {
    AUTO_FREE char *body =
        xasprintf("{\"jsonrpc\":\"2.0\",\"id\":\"%u-%d\",\"method\":\"tools/call\",\"params\":{"
                  "\"name\":\"%s}}",
                  h->seed, i, calls[i % 2]);
    struct raw_answer a = mcp(h->headers, body);
    bool good = a.status == 200 && strstr(buf_str(&a.body), "\"isError\":false") != NULL;
    if (!good)
      fprintf(stderr, "got %d %s\n", a.status, buf_str(&a.body));
    h->good += good;
    raw_answer_free(&a);
    atomic_fetch_add(&h->answered, 1);
  }
  return NULL;
}

/* Until each of them has had two more answers: the second call began after this did. */
static void let_go_on(struct steady *h, size_t n)
{
  for (size_t i = 0; i < n; i++)
    for (int from = atomic_load(&h[i].answered); atomic_load(&h[i].answered) < from + 2;)
      nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void changes_of_keys_lose_no_call(void)
{
  start();
  AUTO_FREE char *headers = session();
  struct steady h[6];
  pthread_t threads[ARRAY_LEN(h)];
  atomic_bool over = false;
  for (size_t i = 0; i < ARRAY_LEN(h); i++) {
    h[i] = (struct steady){.headers = headers, .seed = (unsigned)i + 1, .over = &over};
    CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, call_steadily, &h[i]), 0);
  }
  for (int change = 0; change < 8; change++) {
    let_go_on(h, ARRAY_LEN(h)); /* no call meets two changes */
    fake_backend_refuse_grants(backend);
  }
  let_go_on(h, ARRAY_LEN(h));
  atomic_store(&over, true);
  for (size_t i = 0; i < ARRAY_LEN(h); i++) {
    pthread_join(threads[i], NULL);
    CU_ASSERT_EQUAL(h[i].good, h[i].answered);
    CU_ASSERT_TRUE(h[i].good >= 60);
  }
  CU_ASSERT_TRUE(fake_backend_questions(backend) >= 8);
  stop();
}

static void stop_ends_calls_that_hang(void)
{
  start();
  AUTO_FREE char *headers = session();
  int fd = send_call(headers, COMPARE("1", "hang"));
  struct buf seen AUTO_BUF = BUF_INIT(65536);
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "1 of 3", 20000));
  int json = send_call(headers, CALL("2", "list_dealers", "\"query\":\"hang\""));
  wait_hanging(2);
  int64_t begin = clock_mono_ms();
  app_stop(app);
  app = NULL;
  CU_ASSERT_TRUE(clock_mono_ms() - begin < 6000);
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "restarting: call again", 20000));
  CU_ASSERT_TRUE(raw_wait_text(fd, &seen, "\r\n0\r\n\r\n", 20000)); /* the stream's proper end */
  struct raw_answer a = raw_read(json, 20000);
  CU_ASSERT_TRUE(header_is(&a, "Connection", "close"));
  expect(a, 200, "\"code\":-32000");
  close(json);
  close(fd);
  stop();
}

/* Authentication that waits for a service which comes back within two seconds. */
static void *restart_backend(void *arg)
{
  const uint16_t *at = arg;
  nanosleep(&(struct timespec){.tv_nsec = 700000000}, NULL);
  backend = fake_backend_start(*at, false);
  return NULL;
}

static void initialize_waits_for_an_auth_service_that_comes_back(void)
{
  start();
  expect(mcp(GOOD, INIT), 200, "serverInfo");
  uint16_t at = fake_backend_port(backend);
  fake_backend_stop(backend);
  pthread_t t;
  pthread_create(&t, NULL, restart_backend, &at);
  int64_t begin = clock_mono_ms();
  expect(mcp("Authorization: Bearer good-bob\r\n", INIT), 200, "serverInfo");
  CU_ASSERT_TRUE(clock_mono_ms() - begin < 4000);
  pthread_join(t, NULL);
  stop();
}

/* The time until a share gives another: all of it, less what the test took until here. */
static void expect_seconds(const char *text, long all)
{
  long s = strtol(text, NULL, 10);
  CU_ASSERT_TRUE(s > all / 2 && s <= all);
}

static void expect_wait(struct raw_answer a, const char *before, long all)
{
  const char *at = strstr(buf_str(&a.body), before);
  CU_ASSERT_PTR_NOT_NULL(at);
  if (at != NULL)
    expect_seconds(at + strlen(before), all);
  expect(a, 200, " seconds.");
}

static void calls_beyond_a_share_are_results_that_say_when_to_try_again(void)
{
  struct settings s = settings_for(NULL);
  s.share_calls_per_minute = 2;
  s.trusted_subject = "alice";
  start_with(s, false);
  AUTO_FREE char *headers = session();
  AUTO_FREE char *eve = xasprintf("%sX-User-ID: eve\r\n", headers);
  AUTO_FREE char *bob = xasprintf("%sX-User-Email: bob@example.com\r\n", headers);
  const char *call = CALL("1", "list_dealers", "\"query\":\"ford\"");
  const char *who[] = {headers, eve, bob}; /* each person of a trusted token has a share */
  for (size_t i = 0; i < ARRAY_LEN(who); i++) {
    expect(mcp(who[i], call), 200, "\"isError\":false");
    expect(mcp(who[i], call), 200, "\"isError\":false");
    expect_wait(mcp(who[i], call), "in one minute: try again in ", 30);
    expect(mcp(who[i], RPC("1", "ping")), 200, "\"result\":{}");
  }
  stop();
}

static void names_of_people_count_for_the_trusted_subject_only(void)
{
  struct settings s = settings_for(NULL);
  s.share_calls_per_minute = 1;
  s.trusted_subject = "somebody";
  start_with(s, false);
  AUTO_FREE char *headers = session();
  AUTO_FREE char *eve = xasprintf("%sX-User-ID: eve\r\n", headers);
  const char *call = CALL("1", "list_dealers", "\"query\":\"ford\"");
  expect(mcp(headers, call), 200, "\"isError\":false");
  expect(mcp(eve, call), 200, "in one minute");
  stop();
}

static void requests_beyond_a_share_are_429_with_the_time_to_wait(void)
{
  struct settings s = settings_for(NULL);
  s.share_requests_per_minute = 3;
  start_with(s, false);
  AUTO_FREE char *headers = session();
  expect(mcp(headers, RPC("1", "ping")), 200, "\"result\":{}");
  expect(mcp(headers, RPC("1", "ping")), 200, "\"result\":{}");
  struct raw_answer a = mcp(headers, RPC("\"x\"", "ping"));
  char wait_s[16] = "";
  CU_ASSERT_TRUE(raw_header(&a, "Retry-After", wait_s, sizeof(wait_s)));
  expect_seconds(wait_s, 20);
  expect(a, 429, "{\"jsonrpc\":\"2.0\",\"id\":\"x\",\"error\":{\"code\":-32000,");
  expect(mcp("Authorization: Bearer good-bob\r\n", INIT), 200, "serverInfo");
  stop();
}

/* One caller's calls that hang take his places, not those of others. */
static void hanging_calls_of_one_caller_leave_room_for_others(void)
{
  struct settings s = settings_for(NULL);
  s.share_running = 2;
  s.share_calls = 6;
  s.max_running = 4;
  start_with(s, false);
  AUTO_FREE char *headers = session();
  int fds[7];
  for (int i = 0; i < 7; i++) {
    AUTO_FREE char *body =
        xasprintf("{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"tools/call\",\"params\":{\"name\":"
                  "\"list_dealers\",\"arguments\":{\"query\":\"hang\"}}}",
                  i + 10);
    fds[i] = send_call(headers, body);
  }
  wait_hanging(2);
  const char *call = CALL("1", "list_dealers", "\"query\":\"ford\"");
  struct pollfd ready[7]; /* one of the seven, whichever came last, is one too many */
  for (int i = 0; i < 7; i++)
    ready[i] = (struct pollfd){.fd = fds[i], .events = POLLIN};
  CU_ASSERT_EQUAL(poll(ready, 7, 20000), 1);
  for (int i = 0; i < 7; i++)
    if ((ready[i].revents & POLLIN) != 0)
      expect(raw_read(fds[i], 20000), 200, "are under way: try again in");
  struct raw_answer init = mcp("Authorization: Bearer good-bob\r\n", INIT);
  char id[128] = "";
  CU_ASSERT_TRUE(raw_header(&init, "Mcp-Session-Id", id, sizeof(id)));
  raw_answer_free(&init);
  AUTO_FREE char *bob = xasprintf("Authorization: Bearer good-bob\r\nMcp-Session-Id: %s\r\n", id);
  int64_t begin = clock_mono_ms();
  for (int i = 0; i < 20; i++)
    expect(mcp(bob, call), 200, "\"isError\":false");
  CU_ASSERT_TRUE(clock_mono_ms() - begin < 18000); /* the hanging ones end after that */
  CU_ASSERT_EQUAL(fake_backend_hanging(backend), 2);
  for (int i = 0; i < 7; i++)
    close(fds[i]);
  for (int i = 0; i < 2000 && fake_backend_cancels(backend) < fake_backend_hanging(backend); i++)
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  expect(mcp(headers, call), 200, "\"isError\":false"); /* every place was given back */
  stop();
}

/* A stranger's body is not taken; his credentials are judged before it is there. */
static void bearer_is_decided_before_a_large_body_is_sent(void)
{
  start();
  int fd = raw_connect(port);
  AUTO_FREE char *head = xasprintf("POST /mcp HTTP/1.1\r\nHost: localhost:%u\r\n" JSON_HEADERS
                                   "Authorization: Bearer wrong\r\nContent-Length: 4000000\r\n\r\n",
                                   port);
  char part[4096];
  memset(part, ' ', sizeof(part));
  raw_puts(fd, head);
  for (int i = 0; i < 976 && raw_send(fd, part, sizeof(part)); i++)
    ;
  raw_send(fd, part, 4000000 % sizeof(part));
  expect(raw_read(fd, 20000), 401, "Invalid credentials");
  close(fd);
  stop();
}

static void refusals_of_the_listener_are_json_that_a_browser_may_read(void)
{
  static const struct {
    const char *extra;
    int status;
  } rows[] = {{"Content-Length: 99999999\r\n", 413},
              {"Content-Length: 3\r\nContent-Length: 3\r\n", 400},
              {"Expect: something\r\nContent-Length: 0\r\n", 417},
              {"X: a\r\n b\r\n", 400}};
  start();
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO_FREE char *request = xasprintf(
        "POST /mcp HTTP/1.1\r\nHost: localhost:%u\r\nOrigin: http://localhost:%u\r\n%s\r\n", port,
        port, rows[i].extra);
    int fd = raw_connect(port);
    raw_puts(fd, request);
    struct raw_answer a = raw_read(fd, 20000);
    AUTO_FREE char *origin = xasprintf("http://localhost:%u", port);
    CU_ASSERT_TRUE(header_is(&a, "Access-Control-Allow-Origin", origin));
    CU_ASSERT_TRUE(header_is(&a, "Content-Type", "application/json"));
    expect(a, rows[i].status, "{\"error\":\"");
    close(fd);
  }
  stop();
}

static void an_unlimited_gateway_counts_nothing(void)
{
  struct settings s = settings_for(NULL);
  s.unlimited = true;
  s.share_requests_per_minute = s.share_calls_per_minute = s.strangers_per_minute = 1;
  start_with(s, false);
  AUTO_FREE char *alice = session();
  for (int i = 0; i < 3; i++) {
    expect(mcp(alice, CALL("1", "list_dealers", "\"query\":\"ford\"")), 200, "\"isError\":false");
    expect(mcp("Authorization: Bearer guess\r\n", RPC("1", "ping")), 401, "Invalid credentials");
  }
  stop();
}

/* The address that auth-svc gets for a stranger whose request has these headers. */
static void expect_client(const char *headers, const char *client)
{
  static int guess;
  char got[64];
  AUTO_FREE char *all = xasprintf("Authorization: Bearer guess-%d\r\n%s", ++guess, headers);
  expect(mcp(all, RPC("1", "ping")), 401, "Invalid credentials");
  fake_backend_client(backend, got, sizeof(got));
  CU_ASSERT_STRING_EQUAL(got, client);
}

static void the_word_of_a_proxy_counts_for_the_address_and_nobody_elses(void)
{
  struct settings s = settings_for(NULL);
  s.trusted_proxies = "127.0.0.0/8, 10.0.0.0/8";
  start_with(s, false);
  expect_client("", "127.0.0.1");
  expect_client("X-Forwarded-For: 192.0.2.7\r\n", "192.0.2.7");
  expect_client("X-Forwarded-For: 6.6.6.6\r\nX-Forwarded-For: 192.0.2.7, 10.0.0.1\r\n",
                "192.0.2.7");
  expect_client("X-Forwarded-For: 2001:db8::7\r\nForwarded: for=6.6.6.6\r\n", "2001:db8::7");
  expect_client("X-Forwarded-For: nonsense\r\n", "127.0.0.1");
  stop();
  s.forwarded_header = "Forwarded";
  start_with(s, false);
  expect_client("Forwarded: for=192.0.2.7\r\nX-Forwarded-For: 6.6.6.6\r\n", "192.0.2.7");
  expect_client("X-Forwarded-For: 6.6.6.6\r\n", "127.0.0.1");
  stop();
  s.trusted_proxies = "10.0.0.0/8";
  start_with(s, false);
  expect_client("Forwarded: for=192.0.2.7\r\n", "127.0.0.1");
  stop();
}

static void strangers_behind_a_proxy_have_a_minute_each(void)
{
  struct settings s = settings_for(NULL);
  s.trusted_proxies = "127.0.0.1";
  s.strangers_per_minute = 3;
  start_with(s, false);
  AUTO_FREE char *alice = session();
  for (int i = 0; i < 6; i++) {
    struct raw_answer a =
        mcp("X-Forwarded-For: 192.0.2.7\r\nAuthorization: Bearer guess\r\n", RPC("1", "ping"));
    CU_ASSERT_EQUAL(header_is(&a, "Retry-After", "5"), i >= 3);
    expect(a, i < 3 ? 401 : 429, i < 3 ? "Invalid credentials" : "unknown bearers");
  }
  CU_ASSERT_EQUAL(fake_backend_questions(backend), 1 + 3);
  expect_client("X-Forwarded-For: 192.0.2.8\r\n", "192.0.2.8");
  AUTO_FREE char *beside = xasprintf("X-Forwarded-For: 192.0.2.7\r\n%s", alice);
  expect(mcp(beside, RPC("1", "ping")), 200, "\"result\"");
  stop();
}

static void busy_port_is_refused_with_the_address(void)
{
  start();
  struct settings s = settings_for("127.0.0.1:1");
  s.port = port;
  struct app *second = NULL;
  struct err e = {0};
  CU_ASSERT_EQUAL(app_start(&second, &s, &e), ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(e.message, "is in use"));
  s = settings_for("127.0.0.1:1");
  s.allowed_origins = "*";
  CU_ASSERT_EQUAL(app_start(&second, &s, &e), ERR_INVALID_ARGUMENT);
  stop();
}

TEST_MAIN(
    "gateway", TEST(open_routes_need_no_credentials), TEST(health_shows_each_backend),
    TEST(get_is_405_with_allow_and_both_paths_are_alike),
    TEST(missing_and_invalid_credentials_are_401_with_a_challenge),
    TEST(auth_service_trouble_is_503_and_never_401), TEST(grant_is_asked_for_once_and_remembered),
    TEST(grant_that_a_service_refuses_is_asked_for_anew), TEST(call_is_repeated_once_and_no_more),
    TEST(revoked_bearer_is_told_so_and_forgotten), TEST(changes_of_keys_lose_no_call),
    TEST(session_is_of_no_use_to_another_principal),
    TEST(restarted_gateway_takes_the_session_with_the_same_key_file_only),
    TEST(without_auth_everyone_gets_the_local_grant),
    TEST(oauth_metadata_is_served_when_configured),
    TEST(oauth_metadata_is_served_at_the_path_of_the_public_url),
    TEST(origin_and_host_are_checked_before_anything_else),
    TEST(preflight_is_204_without_credentials), TEST(content_type_and_accept_follow_the_table),
    TEST(answers_have_their_exact_types), TEST(bad_bodies_have_their_status),
    TEST(modern_probe_is_answered), TEST(delete_ends_the_session),
    TEST(delete_without_a_session_is_405), TEST(delete_with_a_version_that_is_not_served_is_400),
    TEST(list_names_the_tools_of_the_catalogue),
    TEST(call_reaches_the_service_with_grant_and_trace),
    TEST(bad_arguments_are_results_that_name_the_path), TEST(service_errors_are_results),
    TEST(call_beyond_its_deadline_names_the_service),
    TEST(service_that_is_down_is_named_and_comes_back_without_a_restart),
    TEST(progress_streams_and_the_result_ends_it), TEST(disconnect_cancels_the_rpc),
    TEST(cancelled_notification_ends_the_call_without_a_response),
    TEST(clients_leaving_at_any_moment_harm_nobody), TEST(stop_ends_calls_that_hang),
    TEST(initialize_waits_for_an_auth_service_that_comes_back),
    TEST(refusals_of_the_listener_are_json_that_a_browser_may_read),
    TEST(calls_beyond_a_share_are_results_that_say_when_to_try_again),
    TEST(names_of_people_count_for_the_trusted_subject_only),
    TEST(requests_beyond_a_share_are_429_with_the_time_to_wait),
    TEST(hanging_calls_of_one_caller_leave_room_for_others),
    TEST(bearer_is_decided_before_a_large_body_is_sent), TEST(an_unlimited_gateway_counts_nothing),
    TEST(the_word_of_a_proxy_counts_for_the_address_and_nobody_elses),
    TEST(strangers_behind_a_proxy_have_a_minute_each), TEST(busy_port_is_refused_with_the_address))
