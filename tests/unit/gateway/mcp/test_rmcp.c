/* The official Rust client (rmcp 3.11.0, which tries server/discover first) as it was seen to ask,
 * header by header and byte by byte, and how it went on after each answer. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/gateway/http/raw_http.h"
#include "tests/unit/gateway/running.h"
#include "tests/unit/harness.h"

#define ACCEPT "accept: text/event-stream, application/json\r\n"
#define BEARER "authorization: Bearer good-alice\r\n"
#define VERSION(v) "mcp-protocol-version: " v "\r\n"
#define METHOD(m) "mcp-method: " m "\r\n"
#define JSON "content-type: application/json\r\n"
#define SESSION "mcp-session-id: %s\r\n"

#define META(v, more)                                                                              \
  "\"_meta\":{\"io.modelcontextprotocol/clientCapabilities\":{},"                                  \
  "\"io.modelcontextprotocol/clientInfo\":{\"name\":\"rmcp\",\"version\":\"3.11.0\"},"             \
  "\"io.modelcontextprotocol/protocolVersion\":\"" v "\"" more "}"
#define DISCOVER(id, v)                                                                            \
  "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"server/discover\",\"params\":{" META(v, "") "}" \
                                                                                               "}"

/* One request of a connection, and what has to come back. */
struct row {
  const char *method, *headers, *body; /* headers: %s is the session */
  int status;
  const char *type;     /* of the answer; NULL: any */
  const char *parts[4]; /* of the answer's body */
};

#define LIST_MODERN                                                                                \
  {                                                                                                \
    "POST", ACCEPT BEARER VERSION("2026-07-28") METHOD("tools/list") JSON,                         \
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{" META(               \
            "2026-07-28", ",\"progressToken\":0") "}}",                                            \
        200, "application/json",                                                                   \
    {                                                                                              \
      "\"id\":2,\"result\":{", "\"resultType\":\"complete\"", "{\"name\":\"list_dealers\","        \
    }                                                                                              \
  }
#define CALL_MODERN                                                                                \
  {                                                                                                \
    "POST",                                                                                        \
        ACCEPT BEARER METHOD("tools/call")                                                         \
            VERSION("2026-07-28") "mcp-name: list_dealers\r\n" JSON,                               \
        "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{" META(               \
            "2026-07-28", ",\"progressToken\":1") ",\"arguments\":{\"query\":\"ford\"},\"name\":"  \
                                                  "\"list_dealers\"}}",                            \
        200, "text/event-stream",                                                                  \
    {                                                                                              \
      "\"id\":3,\"result\":{", "\"resultType\":\"complete\"", "\"isError\":false"                  \
    }                                                                                              \
  }

static struct running gateway;
static char session[160];

static void say(const struct row *r, const struct raw_answer *a, const char *wanted)
{
  printf("\n  %s %s\n  got %d %.400s\n  wanted %s\n", r->method, r->body != NULL ? r->body : "",
         a->status, buf_str(&a->body), wanted);
  CU_FAIL("an answer that rmcp does not take");
}

static void check(const struct row *r, const struct raw_answer *a)
{
  char type[64] = "", id[sizeof(session)];
  if (a->status != r->status)
    say(r, a, "another status");
  raw_header(a, "Content-Type", type, sizeof(type));
  if (r->type != NULL && strcmp(type, r->type) != 0)
    say(r, a, r->type);
  for (size_t i = 0; i < ARRAY_LEN(r->parts) && r->parts[i] != NULL; i++)
    if (strstr(buf_str(&a->body), r->parts[i]) == NULL)
      say(r, a, r->parts[i]);
  if (raw_header(a, "Mcp-Session-Id", id, sizeof(id)))
    snprintf(session, sizeof(session), "%s", id);
}

static void ask(const struct row *r)
{
  AUTO_FREE char *headers = strstr(r->headers, "%s") == NULL
                                ? xstrdup(r->headers)
                                : xasprintf("%.*s%s%s", (int)strcspn(r->headers, "%"), r->headers,
                                            session, strchr(r->headers, '%') + 2);
  struct raw_answer a = raw_request(gateway.port, r->method, "/mcp", headers, r->body);
  check(r, &a);
  raw_answer_free(&a);
}

static void walk(const struct row *rows, size_t n)
{
  session[0] = '\0';
  running_start(&gateway, LOG_LEVEL_ERROR, NULL);
  for (size_t i = 0; i < n; i++)
    ask(&rows[i]);
  running_stop(&gateway);
}

static void discovery_is_answered_and_all_calls_are_modern(void)
{
  static const struct row rows[] = {
      {"POST",
       ACCEPT BEARER VERSION("2026-07-28") METHOD("server/discover") JSON,
       DISCOVER("0", "2026-07-28"),
       200,
       "application/json",
       {"{\"jsonrpc\":\"2.0\",\"id\":0,\"result\":{", "\"supportedVersions\":[\"2026-07-28\"]",
        "\"capabilities\":{\"tools\":{"}},
      LIST_MODERN,
      CALL_MODERN,
  };
  walk(rows, ARRAY_LEN(rows));
  CU_ASSERT_STRING_EQUAL(session, "");
}

/* A client that knows a revision which is not served, and prefers it: it reads data.supported and
 * asks again. A refusal of another form would make it take the gateway for one of before. */
static void a_revision_of_the_future_is_refused_with_those_that_are_served(void)
{
  static const struct row rows[] = {
      {"POST",
       ACCEPT BEARER METHOD("server/discover") VERSION("2099-01-01") JSON,
       DISCOVER("0", "2099-01-01"),
       400,
       "application/json",
       {"{\"jsonrpc\":\"2.0\",\"id\":0,\"error\":{\"code\":-32022,",
        "\"data\":{\"supported\":[\"2026-07-28\"],\"requested\":\"2099-01-01\"}"}},
      {"POST",
       ACCEPT BEARER VERSION("2026-07-28") METHOD("server/discover") JSON,
       DISCOVER("1", "2026-07-28"),
       200,
       "application/json",
       {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{", "\"supportedVersions\":[\"2026-07-28\"]"}},
      LIST_MODERN,
      CALL_MODERN,
  };
  walk(rows, ARRAY_LEN(rows));
}

/* When something between has refused server/discover (404, -32601), it initializes with the
 * version that it likes best, 2026-07-28, and takes the older one that the answer names. */
static void its_way_back_to_a_session_is_open(void)
{
  static const struct row rows[] = {
      {"POST",
       ACCEPT BEARER JSON,
       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"capabilities\":{},"
       "\"clientInfo\":{\"name\":\"rmcp\",\"version\":\"3.11.0\"},\"protocolVersion\":"
       "\"2026-07-28\"}}",
       200,
       "application/json",
       {"{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-11-25\","}},
      {"POST",
       ACCEPT BEARER VERSION("2025-11-25") SESSION JSON,
       "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
       202,
       "",
       {NULL}},
      {"POST",
       ACCEPT BEARER VERSION("2025-11-25") SESSION JSON,
       "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"tools/list\",\"params\":{\"_meta\":{"
       "\"progressToken\":0}}}",
       200,
       "application/json",
       {"\"id\":2,\"result\":{", "{\"name\":\"list_dealers\","}},
      {"POST",
       ACCEPT BEARER VERSION("2025-11-25") SESSION JSON,
       "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{\"_meta\":{"
       "\"progressToken\":1},\"arguments\":{\"query\":\"ford\"},\"name\":\"list_dealers\"}}",
       200,
       "text/event-stream",
       {"\"id\":3,\"result\":{", "\"isError\":false"}},
      {"DELETE", BEARER SESSION VERSION("2025-11-25") "accept: */*\r\n", NULL, 204, "", {NULL}},
      {"DELETE",
       BEARER SESSION VERSION("2025-11-25") "accept: */*\r\n",
       NULL,
       404,
       "application/json",
       {"Session not found"}},
  };
  walk(rows, ARRAY_LEN(rows));
  CU_ASSERT_STRING_NOT_EQUAL(session, "");
}

/* It opens the stream of its session beside its calls, with the same accept. */
static void the_stream_of_its_session_opens(void)
{
  static const struct row initialize = {
      "POST",
      ACCEPT BEARER JSON,
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"initialize\",\"params\":{\"capabilities\":{},"
      "\"clientInfo\":{\"name\":\"rmcp\",\"version\":\"3.11.0\"},\"protocolVersion\":"
      "\"2026-07-28\"}}",
      200,
      "application/json",
      {"\"protocolVersion\":\"2025-11-25\""}};
  char type[64] = "";
  running_start(&gateway, LOG_LEVEL_ERROR, NULL);
  ask(&initialize);
  AUTO_FREE char *request = xasprintf("GET /mcp HTTP/1.1\r\n" ACCEPT SESSION BEARER VERSION(
                                          "2025-11-25") "host: 127.0.0.1:%u\r\n\r\n",
                                      session, gateway.port);
  int fd = raw_connect(gateway.port);
  raw_puts(fd, request);
  struct raw_answer a = raw_read_head(fd, 5000);
  CU_ASSERT_EQUAL(a.status, 200);
  CU_ASSERT_TRUE(raw_header(&a, "Content-Type", type, sizeof(type)));
  CU_ASSERT_STRING_EQUAL(type, "text/event-stream");
  raw_answer_free(&a);
  close(fd);
  running_stop(&gateway);
}

TEST_MAIN("gateway_rmcp", TEST(discovery_is_answered_and_all_calls_are_modern),
          TEST(a_revision_of_the_future_is_refused_with_those_that_are_served),
          TEST(its_way_back_to_a_session_is_open), TEST(the_stream_of_its_session_opens))
