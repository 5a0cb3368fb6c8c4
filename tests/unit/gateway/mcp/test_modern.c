/* The era from 2026-07-28 on: every row of its ladder of errors, and what its results carry. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/mcp/headers.h"
#include "gateway/mcp/jsonrpc.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

#define V "2026-07-28"
#define META(v)                                                                                    \
  "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":" v                                      \
  ",\"io.modelcontextprotocol/clientCapabilities\":{}}"
#define RPC(method, params)                                                                        \
  "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"" method "\",\"params\":{" params "}}"
#define BARE(method) RPC(method, META("\"" V "\""))
#define WITH(method, params) RPC(method, params "," META("\"" V "\""))

static struct fixture f;

/* One row: headers, body, what must come back. */
struct row {
  const char *version, *method, *name; /* headers; NULL: absent */
  const char *body;
  int status, code;
};

static struct answer *ask(const struct row *r)
{
  struct mcp_headers h = {.protocol_version = r->version,
                          .method = r->method,
                          .name = r->name,
                          .session_id = "of no meaning here"};
  return post_as(&f, r->body, &h, "alice", true, true);
}

static void expect(const struct row *rows, size_t n)
{
  fixture_start(&f, fixture_offer);
  for (size_t i = 0; i < n; i++) {
    struct answer *a = ask(&rows[i]);
    if (a->status != rows[i].status || answer_code(a) != rows[i].code)
      printf("\n  row %zu: %d %d %s\n", i, a->status, answer_code(a), a->body ? a->body : "");
    CU_ASSERT_EQUAL(a->status, rows[i].status);
    CU_ASSERT_EQUAL(answer_code(a), rows[i].code);
    CU_ASSERT_STRING_EQUAL(a->session_id, "");
    CU_ASSERT_PTR_NOT_NULL_FATAL(a->body);
    CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"id\":\"q\""));
    answer_free(a);
  }
  fixture_stop(&f);
}

static void missing_or_malformed_meta_is_invalid_params(void)
{
  static const struct row rows[] = {
      {V, "tools/list", NULL, RPC("tools/list", ""), 400, -32602},
      {V, "tools/list", NULL, RPC("tools/list", "\"_meta\":{}"), 400, -32602},
      {V, "tools/list", NULL, RPC("tools/list", "\"_meta\":7"), 400, -32602},
      {V, "tools/list", NULL, RPC("tools/list", META("7")), 400, -32602},
      {NULL, NULL, NULL, RPC("tools/list", META("null")), 400, -32602},
      {V, "tools/list", NULL,
       RPC("tools/list", "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"" V "\"}"), 400,
       -32602},
      {V, "tools/list", NULL,
       RPC("tools/list", "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"" V
                         "\",\"io.modelcontextprotocol/clientCapabilities\":[]}"),
       400, -32602},
      {NULL, NULL, NULL, "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"server/discover\"}", 400,
       -32602},
      {V, "initialize", NULL, RPC("initialize", "\"protocolVersion\":\"2025-11-25\""), 400, -32020},
  };
  expect(rows, ARRAY_LEN(rows));
}

static void contradictions_come_before_the_version_and_absences_after_it(void)
{
  static const struct row rows[] = {
      {V, "tools/list", NULL, RPC("tools/list", META("\"2099-01-01\"")), 400, -32020},
      {"2099-01-01", "tools/call", NULL, RPC("tools/list", META("\"2099-01-01\"")), 400, -32020},
      {"2099-01-01", "tools/list", NULL, RPC("tools/list", META("\"2099-01-01\"")), 400, -32022},
      {"2025-11-25", "tools/list", NULL, RPC("tools/list", META("\"2025-11-25\"")), 400, -32022},
      {NULL, NULL, NULL, RPC("tools/list", META("\"2025-11-25\"")), 400, -32022},
      {NULL, "tools/list", NULL, BARE("tools/list"), 400, -32020},
      {V, NULL, NULL, BARE("tools/list"), 400, -32020},
      {V, "Tools/List", NULL, BARE("tools/list"), 400, -32020},
      {V, "nope", NULL, BARE("nope"), 404, -32601},
      {NULL, "nope", NULL, BARE("nope"), 400, -32020},
  };
  expect(rows, ARRAY_LEN(rows));
}

static void name_is_repeated_literally_or_in_base64(void)
{
  static const char call[] = WITH("tools/call", "\"name\":\"echo\"");
  static const char read[] = WITH("resources/read", "\"uri\":\"ui://test/page\"");
  static const char get[] = WITH("prompts/get", "\"name\":\"plain\"");
  static const struct row rows[] = {
      {V, "tools/call", "echo", call, 200, 0},
      {V, "tools/call", "=?base64?ZWNobw==?=", call, 200, 0},
      {V, "tools/call", NULL, call, 400, -32020},
      {V, "tools/call", "fail", call, 400, -32020},
      {V, "tools/call", "Echo", call, 400, -32020},
      {V, "tools/call", "=?base64?ZWNobw?=", call, 400, -32020},    /* no padding */
      {V, "tools/call", "=?base64?ZWNo bw==?=", call, 400, -32020}, /* not in the alphabet */
      {V, "tools/call", "=?base64?ZWNobx==?=", call, 400, -32020},  /* bits beyond the end */
      {V, "tools/call", "=?BASE64?ZWNobw==?=", call, 400, -32020},  /* a literal */
      {V, "tools/call", "=?base64?ZWNobw==", call, 400, -32020},    /* a literal */
      {V, "resources/read", "ui://test/page", read, 200, 0},
      {V, "resources/read", NULL, read, 400, -32020},
      {V, "prompts/get", "plain", get, 200, 0},
      {V, "prompts/get", "ask", get, 400, -32020},
      {V, "tools/list", "anything", BARE("tools/list"), 200, 0},
  };
  expect(rows, ARRAY_LEN(rows));
}

static void header_text_is_decoded_strictly(void)
{
  static const struct {
    const char *value, *text; /* NULL: refused */
  } rows[] = {{"plain", "plain"},
              {"", ""},
              {"=?base64?"
               "?=",
               ""},
              {"=?base64?8J+Yig==?=", "\xf0\x9f\x98\x8a"},
              {"=?base64?8J-Yig==?=", NULL}, /* base64url */
              {"=?base64?/w==?=", NULL},     /* not UTF-8 */
              {"=?base64?AA==?=", NULL},     /* NUL */
              {"=?base64?=?=", NULL},
              {"=?base64?=", "=?base64?="}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct buf text AUTO_BUF = BUF_INIT(64);
    bool ok = mcp_header_text(&text, rows[i].value);
    CU_ASSERT_EQUAL(ok, rows[i].text != NULL);
    CU_ASSERT_STRING_EQUAL(buf_str(&text), ok ? rows[i].text : "");
  }
}

static void methods_of_the_sessions_era_are_unknown(void)
{
  static const char *const gone[] = {
      "initialize", "ping", "logging/setLevel", "resources/subscribe", "resources/unsubscribe",
      "tasks/list"};
  fixture_start(&f, fixture_offer);
  for (size_t i = 0; i < ARRAY_LEN(gone); i++) {
    AUTO_FREE char *body = xasprintf(
        "{\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"%s\",\"params\":{" META("\"" V "\"") "}}",
        gone[i]);
    struct answer *a = ask(&(struct row){V, gone[i], NULL, body, 0, 0});
    CU_ASSERT_EQUAL(a->status, 404);
    CU_ASSERT_EQUAL(answer_code(a), -32601);
    CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"id\":\"q\""));
    answer_free(a);
  }
  fixture_stop(&f);
}

static void what_is_not_offered_is_unknown(void)
{
  fixture_start(&f, NULL);
  struct answer *a = ask(&(struct row){V, "prompts/list", NULL, BARE("prompts/list"), 0, 0});
  CU_ASSERT_EQUAL(a->status, 404);
  CU_ASSERT_EQUAL(answer_code(a), -32601);
  answer_free(a);
  fixture_stop(&f);
}

static void bad_params_are_errors_at_200(void)
{
  static const struct row rows[] = {
      {V, "tools/call", "nope", WITH("tools/call", "\"name\":\"nope\""), 200, -32602},
      {V, "tools/call", "echo", WITH("tools/call", "\"name\":\"echo\",\"arguments\":7"), 200,
       -32602},
      {V, "tools/list", NULL, WITH("tools/list", "\"cursor\":\"x\""), 200, -32602},
      {V, "prompts/get", "ask", WITH("prompts/get", "\"name\":\"ask\""), 200, -32602},
      {V, "resources/read", "test://none", WITH("resources/read", "\"uri\":\"test://none\""), 200,
       -32602},
  };
  expect(rows, ARRAY_LEN(rows));
}

#define QUIET(method, params)                                                                      \
  RPC(method, params "\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"" V                 \
                     "\",\"io.modelcontextprotocol/clientCapabilities\":{},"                       \
                     "\"progressToken\":null,\"io.modelcontextprotocol/logLevel\":null}")

static void null_and_empty_are_absent_in_this_era_too(void)
{
  static const struct {
    struct row said;
    const char *absent;
  } rows[] = {
#define LIST_ROWS(method)                                                                          \
  {{V, method, NULL, WITH(method, "\"cursor\":null"), 200, 0}, BARE(method)},                      \
      {{V, method, NULL, WITH(method, "\"cursor\":\"\""), 200, 0}, BARE(method)},                  \
      {{V, method, NULL, QUIET(method, ""), 200, 0}, BARE(method)}
      LIST_ROWS("tools/list"),
      LIST_ROWS("prompts/list"),
      LIST_ROWS("resources/list"),
      LIST_ROWS("resources/templates/list"),
      {{V, "server/discover", NULL, QUIET("server/discover", ""), 200, 0}, BARE("server/discover")},
      {{V, "tools/call", "echo", QUIET("tools/call", "\"name\":\"echo\","), 200, 0},
       WITH("tools/call", "\"name\":\"echo\"")},
      {{V, "tools/call", "echo", WITH("tools/call", "\"name\":\"echo\",\"arguments\":null"), 200,
        0},
       WITH("tools/call", "\"name\":\"echo\"")},
  };
  fixture_start(&f, fixture_offer);
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct row plain = rows[i].said;
    plain.body = rows[i].absent;
    struct answer *said = ask(&rows[i].said), *absent = ask(&plain);
    CU_ASSERT_EQUAL(said->status, 200);
    CU_ASSERT_FALSE(said->stream);
    CU_ASSERT_EQUAL(answer_code(said), 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(said->body);
    CU_ASSERT_STRING_EQUAL(said->body, absent->body);
    answer_free(said);
    answer_free(absent);
  }
  fixture_stop(&f);
}

static void resource_that_is_not_there_is_named(void)
{
  fixture_start(&f, fixture_offer);
  struct answer *a = ask(&(struct row){V, "resources/read", "test://none",
                                       WITH("resources/read", "\"uri\":\"test://none\""), 0, 0});
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"data\":{\"uri\":\"test://none\"}"));
  answer_free(a);
  fixture_stop(&f);
}

static void unsupported_version_names_what_is_served_and_what_was_asked_for(void)
{
  fixture_start(&f, NULL);
  struct answer *a = ask(&(struct row){NULL, NULL, NULL, RPC("x", META("\"2025-11-25\"")), 0, 0});
  CU_ASSERT_PTR_NOT_NULL(
      strstr(a->body, "\"data\":{\"supported\":[\"" V "\"],\"requested\":\"2025-11-25\"}"));
  answer_free(a);
  fixture_stop(&f);
}

static void check_result(const char *method, const char *name, const char *body, bool kept)
{
  struct answer *a = ask(&(struct row){V, method, name, body, 0, 0});
  cJSON *j = answer_json(a);
  const cJSON *result = cJSON_GetObjectItem(j, "result");
  const cJSON *info = cJSON_GetObjectItem(cJSON_GetObjectItem(result, "_meta"),
                                          "io.modelcontextprotocol/serverInfo");
  const cJSON *ttl = cJSON_GetObjectItem(result, "ttlMs");
  const char *scope = cJSON_GetStringValue(cJSON_GetObjectItem(result, "cacheScope"));
  CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(cJSON_GetObjectItem(result, "resultType")),
                         "complete");
  CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(cJSON_GetObjectItem(info, "name")), "test");
  CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(cJSON_GetObjectItem(info, "version")), "1.0");
  CU_ASSERT_EQUAL(cJSON_IsNumber(ttl), kept);
  CU_ASSERT_EQUAL(scope != NULL, kept);
  if (kept && scope != NULL) {
    CU_ASSERT_TRUE(ttl->valueint >= 0);
    CU_ASSERT_STRING_EQUAL(scope, "private");
  }
  cJSON_Delete(j);
  answer_free(a);
}

static void results_say_their_kind_and_how_long_they_may_be_kept(void)
{
  fixture_start(&f, fixture_offer);
  check_result("server/discover", NULL, BARE("server/discover"), true);
  check_result("tools/list", NULL, BARE("tools/list"), true);
  check_result("prompts/list", NULL, BARE("prompts/list"), true);
  check_result("resources/list", NULL, BARE("resources/list"), true);
  check_result("resources/templates/list", NULL, BARE("resources/templates/list"), true);
  check_result("resources/read", "ui://test/page",
               WITH("resources/read", "\"uri\":\"ui://test/page\""), true);
  check_result("resources/read", "test://echo", WITH("resources/read", "\"uri\":\"test://echo\""),
               true);
  check_result("tools/call", "echo", WITH("tools/call", "\"name\":\"echo\""), false);
  check_result("tools/call", "fail", WITH("tools/call", "\"name\":\"fail\""), false);
  check_result("prompts/get", "plain", WITH("prompts/get", "\"name\":\"plain\""), false);
  fixture_stop(&f);
}

static void discovery_names_versions_and_capabilities(void)
{
  fixture_start(&f, fixture_offer);
  struct answer *a = ask(&(struct row){V, "server/discover", NULL, BARE("server/discover"), 0, 0});
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"supportedVersions\":[\"" V "\"]"));
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"capabilities\":{\"tools\":{"));
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"instructions\":\"Call echo.\""));
  answer_free(a);
  fixture_stop(&f);
}

static void notifications_get_202_and_nothing_else(void)
{
  fixture_start(&f, NULL);
  static const char *const bodies[] = {
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/x\"}",
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{" META("\"" V
                                                                                      "\"") "}}"};
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    struct answer *a = ask(&(struct row){V, NULL, NULL, bodies[i], 0, 0});
    CU_ASSERT_EQUAL(a->status, 202);
    CU_ASSERT_STRING_EQUAL(a->body, "");
    answer_free(a);
  }
  fixture_stop(&f);
}

static void both_eras_are_served_side_by_side(void)
{
  fixture_start(&f, fixture_offer);
  fixture_initialize(&f, "2025-11-25");
  struct answer *old = post(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}");
  struct answer *new = ask(&(struct row){V, "tools/list", NULL, BARE("tools/list"), 0, 0});
  CU_ASSERT_PTR_NULL(strstr(old->body, "resultType"));
  CU_ASSERT_PTR_NULL(strstr(old->body, "ttlMs"));
  CU_ASSERT_PTR_NOT_NULL(strstr(new->body, "\"resultType\":\"complete\""));
  answer_free(old);
  answer_free(new);
  fixture_stop(&f);
}

static void client_that_leaves_cancels_its_call(void)
{
  fixture_start(&f, NULL);
  struct answer *a =
      ask(&(struct row){V, "tools/call", "slow", WITH("tools/call", "\"name\":\"slow\""), 0, 0});
  CU_ASSERT_EQUAL(a->releases, 0);
  mcp_exchange_gone(a->exchange);
  CU_ASSERT_EQUAL(f.cancels, 1);
  CU_ASSERT_EQUAL(a->releases, 1);
  finish_held(&f, 0);
  CU_ASSERT_EQUAL(a->replies + a->stream, 0);
  CU_ASSERT_FALSE(a->written_after_release);
  answer_free(a);
  fixture_stop(&f);
}

/* Nobody but its connection knows a call of this era, so ids of two clients may be equal. */
static void equal_ids_do_not_meet(void)
{
  fixture_start(&f, NULL);
  const struct row slow = {V, "tools/call", "slow", WITH("tools/call", "\"name\":\"slow\""), 0, 0};
  struct answer *one = ask(&slow), *other = ask(&slow);
  CU_ASSERT_EQUAL(f.n_held, 2);
  finish_held(&f, 1);
  CU_ASSERT_EQUAL(one->replies, 0);
  CU_ASSERT_EQUAL(other->replies, 1);
  finish_held(&f, 0);
  answer_free(one);
  answer_free(other);
  fixture_stop(&f);
}

TEST_MAIN("mcp_modern", TEST(missing_or_malformed_meta_is_invalid_params),
          TEST(contradictions_come_before_the_version_and_absences_after_it),
          TEST(name_is_repeated_literally_or_in_base64), TEST(header_text_is_decoded_strictly),
          TEST(methods_of_the_sessions_era_are_unknown), TEST(what_is_not_offered_is_unknown),
          TEST(bad_params_are_errors_at_200), TEST(null_and_empty_are_absent_in_this_era_too),
          TEST(resource_that_is_not_there_is_named),
          TEST(unsupported_version_names_what_is_served_and_what_was_asked_for),
          TEST(results_say_their_kind_and_how_long_they_may_be_kept),
          TEST(discovery_names_versions_and_capabilities),
          TEST(notifications_get_202_and_nothing_else), TEST(both_eras_are_served_side_by_side),
          TEST(client_that_leaves_cancels_its_call), TEST(equal_ids_do_not_meet))
