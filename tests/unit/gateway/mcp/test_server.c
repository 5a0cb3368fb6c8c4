/* The protocol without a network: initialize, sessions, framing, ids, batches, eras. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

#define REQ(id, method) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"" method "\"}"
#define SLOW(id)                                                                                   \
  "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{\"name\":\"slow\"}}"
#define INIT(v)                                                                                    \
  "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":\"" v   \
  "\",\"capabilities\":{},\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}"

static void expect(struct answer *a, int status, int code)
{
  CU_ASSERT_EQUAL(a->status, status);
  CU_ASSERT_EQUAL(answer_code(a), code);
  CU_ASSERT_EQUAL(a->replies + a->stream, 1);
  CU_ASSERT_EQUAL(a->releases, 1);
  CU_ASSERT_FALSE(a->written_after_release);
  answer_free(a);
}

/* Visible ASCII (2025-11-25, Session Management), here base64url, and short enough for any header.
 */
static void expect_session_id(const char *id)
{
  static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  CU_ASSERT_TRUE(strlen(id) >= 64 && strlen(id) < 128);
  CU_ASSERT_EQUAL(strspn(id, alphabet), strlen(id));
}

static void expect_version(struct fixture *f, const char *wanted, const char *given)
{
  char body[256];
  snprintf(body, sizeof(body),
           "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
           "\"protocolVersion\":\"%s\"}}",
           wanted);
  struct answer *a = post(f, body);
  cJSON *j = answer_json(a);
  cJSON *result = cJSON_GetObjectItem(j, "result");
  CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(cJSON_GetObjectItem(result, "protocolVersion")),
                         given);
  CU_ASSERT_PTR_NOT_NULL(cJSON_GetObjectItem(cJSON_GetObjectItem(result, "capabilities"), "tools"));
  cJSON *info = cJSON_GetObjectItem(result, "serverInfo");
  CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(cJSON_GetObjectItem(info, "name")), "test");
  CU_ASSERT_STRING_EQUAL(cJSON_GetStringValue(cJSON_GetObjectItem(result, "instructions")),
                         "Call echo.");
  expect_session_id(a->session_id);
  cJSON_Delete(j);
  answer_free(a);
}

static void initialize_echoes_served_versions_and_offers_the_newest_for_others(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  expect_version(&f, "2024-11-05", "2024-11-05");
  expect_version(&f, "2025-03-26", "2025-03-26");
  expect_version(&f, "2025-06-18", "2025-06-18");
  expect_version(&f, "2025-11-25", "2025-11-25");
  expect_version(&f, "2024-10-07", "2025-11-25");
  expect_version(&f, "2026-07-28", "2025-11-25");
  expect_version(&f, "", "2025-11-25");
  CU_ASSERT_EQUAL(mcp_server_sessions(f.server), 0); /* nothing is kept of them */
  fixture_stop(&f);
}

static void no_instructions(struct mcp_server_options *o)
{
  o->instructions = "";
}

static void empty_instructions_are_left_out(void)
{
  struct fixture f;
  fixture_start(&f, no_instructions);
  struct answer *a = post(&f, INIT("2025-11-25"));
  CU_ASSERT_PTR_NULL(strstr(a->body, "instructions"));
  answer_free(a);
  fixture_stop(&f);
}

static void initialize_without_a_version_is_invalid_params_and_opens_no_session(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  expect(post(&f, REQ("1", "initialize")), 200, -32602);
  CU_ASSERT_EQUAL(mcp_server_sessions(f.server), 0);
  fixture_stop(&f);
}

static void malformed_bodies_get_400(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  static const char *const not_json[] = {"",
                                         "{",
                                         "{\"jsonrpc\":\"2.0\",\"id\":1,",
                                         "nope",
                                         "{\"a\":\"\\u0000\"}",
                                         "{\"a\":1,\"a\":2}",
                                         "{} {}"};
  for (size_t i = 0; i < ARRAY_LEN(not_json); i++)
    expect(post(&f, not_json[i]), 400, -32700);
  static const char *const not_rpc[] = {
      "1",
      "null",
      "\"x\"",
      "{}",
      "{\"jsonrpc\":\"1.0\",\"id\":1,\"method\":\"ping\"}",
      "{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"ping\"}",
      "{\"jsonrpc\":\"2.0\",\"id\":1.5,\"method\":\"ping\"}",
      "{\"jsonrpc\":\"2.0\",\"id\":9007199254740993,\"method\":\"ping\"}",
      "{\"jsonrpc\":\"2.0\",\"id\":[1],\"method\":\"ping\"}",
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":7}",
      "{\"jsonrpc\":\"2.0\",\"id\":1}",
  };
  for (size_t i = 0; i < ARRAY_LEN(not_rpc); i++)
    expect(post(&f, not_rpc[i]), 400, -32600);
  fixture_stop(&f);
}

static void error_bodies_of_malformed_requests_carry_no_id(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  struct answer *a = post(&f, "{");
  CU_ASSERT_PTR_NULL(strstr(a->body, "\"id\""));
  answer_free(a);
  fixture_stop(&f);
}

static void ids_come_back_as_they_were(void)
{
  static const char *const ids[] = {"0",
                                    "1",
                                    "-7",
                                    "9007199254740991",
                                    "\"a\"",
                                    "\"1\"",
                                    "\"\"",
                                    "\"\\\"quoted\\\\ \\n\"",
                                    "\"\u00fc\xf0\x9f\x9a\x97\""};
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  for (size_t i = 0; i < ARRAY_LEN(ids); i++) {
    AUTO_FREE char *body = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"method\":\"ping\"}", ids[i]);
    AUTO_FREE char *want = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":%s,\"result\":{}}", ids[i]);
    struct answer *a = post(&f, body);
    CU_ASSERT_STRING_EQUAL(a->body, want);
    answer_free(a);
  }
  fixture_stop(&f);
}

static void unknown_method_is_an_error_at_200(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  expect(post(&f, REQ("1", "no/such")), 200, -32601);
  expect(post(&f, REQ("1", "prompts/list")), 200, -32601);
  expect(post(&f, REQ("1", "logging/setLevel")), 200, -32601);
  expect(post(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":[1]}"), 200,
         -32602);
  fixture_stop(&f);
}

static void notifications_and_responses_get_202_and_nothing_else(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  static const char *const bodies[] = {
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}",
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\",\"params\":{}}",
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/no_such\"}",
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\"}",
      "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{\"requestId\":9}}",
      "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}",
      "{\"jsonrpc\":\"2.0\",\"id\":5,\"error\":{\"code\":1,\"message\":\"x\"}}",
  };
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    struct answer *a = post(&f, bodies[i]);
    CU_ASSERT_EQUAL(a->status, 202);
    CU_ASSERT_STRING_EQUAL(a->body, "");
    answer_free(a);
  }
  fixture_stop(&f);
}

static void sessions_required(struct mcp_server_options *o)
{
  o->sessions_required = true;
}

static void session_header_missing_is_400_where_sessions_are_required_and_unknown_is_404(void)
{
  struct fixture f;
  fixture_start(&f, sessions_required);
  struct mcp_headers none = {0}, unknown = {.session_id = "0123456789abcdef0123456789abcdef"};
  expect(post_as(&f, REQ("1", "ping"), &none, "alice", true, true), 400, -32000);
  expect(post_as(&f, REQ("1", "ping"), &unknown, "alice", true, true), 404, -32001);
  fixture_stop(&f);
}

/* In the version of the header, else in 2025-03-26, which clients without one speak. */
static void requests_without_initialize_and_session_are_served(void)
{
  static const struct {
    const char *version;
    bool batches, structured;
  } rows[] = {{NULL, true, false},
              {"2025-03-26", true, false},
              {"2024-11-05", false, false},
              {"2025-06-18", false, true},
              {"2025-11-25", false, true}};
  struct fixture f;
  fixture_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct mcp_headers h = {.protocol_version = rows[i].version};
    expect(post_as(&f, "[" REQ("1", "ping") "]", &h, "alice", true, true),
           rows[i].batches ? 200 : 400, rows[i].batches ? 0 : -32600);
    struct answer *a = post_as(&f,
                               "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
                               "\"params\":{\"name\":\"echo\"}}",
                               &h, "alice", true, true);
    CU_ASSERT_EQUAL(a->status, 200);
    CU_ASSERT_STRING_EQUAL(a->session_id, "");
    CU_ASSERT_EQUAL(strstr(a->body, "structuredContent") != NULL, rows[i].structured);
    answer_free(a);
  }
  fixture_stop(&f);
}

static void session_of_another_principal_is_unknown(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct mcp_headers h = {.session_id = f.session};
  expect(post_as(&f, REQ("1", "ping"), &h, "mallory", true, true), 404, -32001);
  expect(post_as(&f, REQ("1", "ping"), &h, "alice", true, true), 200, 0);
  fixture_stop(&f);
}

static void session_ids_differ_and_appear_only_on_initialize(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  char first[128];
  snprintf(first, sizeof(first), "%s", f.session);
  fixture_initialize(&f, "2025-11-25");
  CU_ASSERT_STRING_NOT_EQUAL(first, f.session);
  struct answer *a = post(&f, REQ("1", "ping"));
  CU_ASSERT_STRING_EQUAL(a->session_id, "");
  answer_free(a);
  fixture_stop(&f);
}

static void one_hour(struct mcp_server_options *o)
{
  o->session_life_ms = 3600 * 1000;
}

static void session_ends_with_its_life_whether_used_or_not(void)
{
  struct fixture f;
  fixture_start(&f, one_hour);
  fixture_initialize(&f, "2025-11-25");
  fixture_now += 3599 * 1000;
  mcp_server_tick(f.server);
  expect(post(&f, REQ("1", "ping")), 200, 0);
  fixture_now += 1000;
  expect(post(&f, REQ("1", "ping")), 404, -32001);
  fixture_stop(&f);
}

static void session_from_a_replica_whose_clock_is_ahead_holds_within_five_minutes(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_now += 3600 * 1000;
  fixture_initialize(&f, "2025-11-25");
  fixture_now -= 5 * 60 * 1000;
  expect(post(&f, REQ("1", "ping")), 200, 0);
  fixture_now -= 1;
  expect(post(&f, REQ("1", "ping")), 404, -32001);
  fixture_stop(&f);
}

static void sessions_that_others_open_push_nobody_out(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-06-18");
  struct mcp_headers none = {0};
  for (int i = 0; i < 20000; i++)
    expect(post_as(&f, INIT("2025-11-25"), &none, "mallory", true, true), 200, 0);
  CU_ASSERT_EQUAL(mcp_server_sessions(f.server), 0);
  expect(post(&f, REQ("1", "ping")), 200, 0);
  fixture_stop(&f);
}

/* Another server with the keys of the first, as a replica or after a restart. */
static void replica_with_the_same_keys_takes_a_session_and_one_without_does_not(void)
{
  static const char keys[] = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n",
                    rotated[] =
                        "new: 1f1e1d1c1b1a191817161514131211100f0e0d0c0b0a09080706050403020100\n"
                        "old: 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f\n";
  struct fixture a, b, stranger;
  fixture_start_with(&a, keys);
  fixture_initialize(&a, "2025-06-18");
  fixture_start_with(&b, rotated);
  memcpy(b.session, a.session, sizeof(b.session));
  expect(post(&b, REQ("1", "ping")), 200, 0);
  struct answer *list = post(&b, REQ("1", "tools/list"));
  CU_ASSERT_PTR_NOT_NULL(strstr(list->body, "outputSchema")); /* the version came along */
  answer_free(list);
  fixture_start(&stranger, NULL);
  memcpy(stranger.session, a.session, sizeof(stranger.session));
  expect(post(&stranger, REQ("1", "ping")), 404, -32001);
  fixture_stop(&stranger);
  fixture_stop(&b);
  fixture_stop(&a);
}

static void two_deletions(struct mcp_server_options *o)
{
  o->max_deleted_sessions = 2;
}

static void deletions_are_remembered_as_many_as_fit_the_latest_first(void)
{
  struct fixture f;
  char ids[3][128];
  struct mcp_principal alice = {.id = "alice"};
  fixture_start(&f, two_deletions);
  for (int i = 0; i < 3; i++) {
    fixture_initialize(&f, "2025-11-25");
    snprintf(ids[i], sizeof(ids[i]), "%s", f.session);
    CU_ASSERT_EQUAL(
        mcp_server_delete(f.server, &(struct mcp_headers){.session_id = ids[i]}, &alice), 204);
  }
  CU_ASSERT_EQUAL(mcp_server_delete(f.server, &(struct mcp_headers){.session_id = ids[2]}, &alice),
                  404);
  CU_ASSERT_EQUAL(mcp_server_delete(f.server, &(struct mcp_headers){.session_id = ids[1]}, &alice),
                  404);
  CU_ASSERT_EQUAL(mcp_server_delete(f.server, &(struct mcp_headers){.session_id = ids[0]}, &alice),
                  204);
  fixture_stop(&f);
}

static void session_id_changed_in_any_character_is_unknown(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  for (size_t i = 0; f.session[i] != '\0'; i++) {
    char old = f.session[i];
    f.session[i] = old == 'A' ? 'B' : 'A';
    expect(post(&f, REQ("1", "ping")), 404, -32001);
    f.session[i] = old;
  }
  expect(post(&f, REQ("1", "ping")), 200, 0);
  fixture_stop(&f);
}

static void delete_ends_a_session_and_its_calls(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *call = post(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\","
                                 "\"params\":{\"name\":\"slow\"}}");
  struct mcp_principal mallory = {.id = "mallory"}, alice = {.id = "alice"};
  CU_ASSERT_EQUAL(
      mcp_server_delete(f.server, &(struct mcp_headers){.session_id = f.session}, &mallory), 404);
  CU_ASSERT_EQUAL(mcp_server_delete(f.server, &(struct mcp_headers){.session_id = NULL}, &alice),
                  405);
  /* From 2026-07-28 on a session id in a header is ignored. */
  const struct mcp_headers modern = {.session_id = f.session, .protocol_version = "2026-07-28"};
  CU_ASSERT_EQUAL(mcp_server_delete(f.server, &modern, &alice), 405);
  const struct mcp_headers unknown = {.session_id = f.session, .protocol_version = "2025-12-01"};
  CU_ASSERT_EQUAL(mcp_server_delete(f.server, &unknown, &alice), 400);
  CU_ASSERT_EQUAL(f.cancels, 0);
  const struct mcp_headers legacy = {.session_id = f.session, .protocol_version = "2025-11-25"};
  CU_ASSERT_EQUAL(mcp_server_delete(f.server, &legacy, &alice), 204);
  CU_ASSERT_EQUAL(f.cancels, 1);
  expect(call, 202, 0);
  CU_ASSERT_EQUAL(
      mcp_server_delete(f.server, &(struct mcp_headers){.session_id = f.session}, &alice), 404);
  expect(post(&f, REQ("1", "ping")), 404, -32001);
  finish_held(&f, 0);
  fixture_stop(&f);
}

static void version_header_absent_or_served_passes_and_others_get_400(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct mcp_headers h = {.session_id = f.session};
  static const char *const good[] = {NULL, "2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"};
  for (size_t i = 0; i < ARRAY_LEN(good); i++) {
    h.protocol_version = good[i];
    expect(post_as(&f, REQ("1", "ping"), &h, "alice", true, true), 200, 0);
  }
  static const char *const bad[] = {"1999-01-01", "nonsense", "2025-11-26", ""};
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    h.protocol_version = bad[i];
    expect(post_as(&f, REQ("1", "ping"), &h, "alice", true, true), 400, -32000);
  }
  fixture_stop(&f);
}

static void batch_belongs_to_2025_03_26_alone(void)
{
  static const char *const others[] = {"2024-11-05", "2025-06-18", "2025-11-25"};
  struct fixture f;
  fixture_start(&f, NULL);
  for (size_t i = 0; i < ARRAY_LEN(others); i++) {
    fixture_initialize(&f, others[i]);
    expect(post(&f, "[" REQ("1", "ping") "]"), 400, -32600);
  }
  fixture_initialize(&f, "2025-03-26");
  struct answer *a = post(
      &f, "[" REQ("1", "ping") "," REQ(
              "\"b\"", "nope") ","
                               "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}]");
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_STRING_EQUAL(a->body,
                         "[{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}},{\"jsonrpc\":\"2.0\","
                         "\"id\":\"b\",\"error\":{\"code\":-32601,\"message\":\"Method not "
                         "found\"}}]");
  answer_free(a);
  fixture_stop(&f);
}

static void batch_edges(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-03-26");
  expect(post(&f, "[]"), 400, -32600);
  expect(post(&f, "[1]"), 400, -32600);
  expect(post(&f, "[" REQ("1", "ping") ",{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"x\"}]"), 400,
         -32600);
  struct answer *a = post(&f, "[{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\"}]");
  CU_ASSERT_EQUAL(a->status, 202);
  CU_ASSERT_STRING_EQUAL(a->body, "");
  answer_free(a);
  a = post(&f, "[" INIT("2025-03-26") "]");
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "-32600"));
  CU_ASSERT_STRING_EQUAL(a->session_id, "");
  answer_free(a);
  struct buf many AUTO_BUF = BUF_INIT(8192);
  for (int i = 0; i < 33; i++)
    buf_printf(&many, "%c" REQ("%d", "ping"), i == 0 ? '[' : ',', i);
  buf_putc(&many, ']');
  expect(post(&f, buf_str(&many)), 400, -32600);
  fixture_stop(&f);
}

static void batch_waits_for_its_slowest_call(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-03-26");
  struct answer *a =
      post(&f, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
               "{\"name\":\"slow\",\"_meta\":{\"progressToken\":1}}}," REQ("2", "ping") "]");
  CU_ASSERT_EQUAL(a->status, 0);
  mcp_call_progress(f.held[0], 1, 2, "half");
  finish_held(&f, 0);
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_FALSE(a->stream);
  cJSON *j = answer_json(a);
  CU_ASSERT_EQUAL(cJSON_GetArraySize(j), 2);
  cJSON_Delete(j);
  answer_free(a);
  fixture_stop(&f);
}

static void null_params_are_as_absent(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  expect(post(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ping\",\"params\":null}"), 200, 0);
  expect(post(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\",\"params\":null}"), 200,
         0);
  expect(post(&f, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/initialized\","
                  "\"params\":null}"),
         202, 0);
  fixture_stop(&f);
}

/* A call as JSON, one in a batch, one that streams, and one that comes too late. */
static void calls_at_the_end_are_told_to_call_again_and_their_work_is_cancelled(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-03-26");
  struct answer *json = post(&f, SLOW("1")),
                *batch = post(&f, "[" SLOW("2") "," REQ("3", "ping") "]");
  struct answer *stream =
      post(&f, "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"tools/call\","
               "\"params\":{\"name\":\"slow\",\"_meta\":{\"progressToken\":1}}}");
  CU_ASSERT_EQUAL(json->replies + batch->replies + stream->releases, 0);
  mcp_server_restarting(f.server);
  CU_ASSERT_EQUAL(f.cancels, 3);
  CU_ASSERT_TRUE(stream->stream && stream->ended);
  CU_ASSERT_EQUAL(answer_code(stream), -32000);
  CU_ASSERT_PTR_NOT_NULL(strstr(batch->body, "\"id\":2,\"error\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(batch->body, "restarting: call again"));
  CU_ASSERT_PTR_NOT_NULL(strstr(batch->body, "\"id\":3,\"result\""));
  CU_ASSERT_EQUAL(json->releases + batch->releases + stream->releases, 3);
  answer_free(stream);
  answer_free(batch);
  expect(json, 200, -32000);
  expect(post(&f, SLOW("5")), 200, -32000);
  CU_ASSERT_EQUAL(f.n_held, 3);
  for (int i = 0; i < 3; i++)
    finish_held(&f, i); /* too late, and harmless */
  fixture_stop(&f);
}

static void refusal_before_the_protocol_carries_the_id_of_one_request(void)
{
  static const struct {
    const char *body, *answer;
  } rows[] = {{REQ("\"a\"", "ping"), "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"error\":{\"code\":-32000,"
                                     "\"message\":\"no\"}}"},
              {"{nonsense", "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"no\"}}"},
              {"[" REQ("1", "ping") "]",
               "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"no\"}}"},
              {"", "{\"jsonrpc\":\"2.0\",\"error\":{\"code\":-32000,\"message\":\"no\"}}"}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO_BUF struct buf out = BUF_INIT(1024);
    mcp_refusal_put(&out, rows[i].body, strlen(rows[i].body), -32000, "no");
    CU_ASSERT_STRING_EQUAL(buf_str(&out), rows[i].answer);
  }
}

static void client_that_takes_only_event_streams_gets_them(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  struct mcp_headers none = {0};
  struct answer *a = post_as(&f, INIT("2025-11-25"), &none, "alice", false, true);
  CU_ASSERT_TRUE(a->stream && a->ended);
  CU_ASSERT_EQUAL(a->n_events, 1);
  expect_session_id(a->session_id);
  answer_free(a);
  fixture_stop(&f);
}

TEST_MAIN("mcp_server", TEST(initialize_echoes_served_versions_and_offers_the_newest_for_others),
          TEST(empty_instructions_are_left_out),
          TEST(initialize_without_a_version_is_invalid_params_and_opens_no_session),
          TEST(malformed_bodies_get_400), TEST(error_bodies_of_malformed_requests_carry_no_id),
          TEST(ids_come_back_as_they_were), TEST(unknown_method_is_an_error_at_200),
          TEST(notifications_and_responses_get_202_and_nothing_else),
          TEST(session_header_missing_is_400_where_sessions_are_required_and_unknown_is_404),
          TEST(requests_without_initialize_and_session_are_served),
          TEST(session_of_another_principal_is_unknown),
          TEST(session_ids_differ_and_appear_only_on_initialize),
          TEST(session_ends_with_its_life_whether_used_or_not),
          TEST(session_from_a_replica_whose_clock_is_ahead_holds_within_five_minutes),
          TEST(sessions_that_others_open_push_nobody_out),
          TEST(replica_with_the_same_keys_takes_a_session_and_one_without_does_not),
          TEST(deletions_are_remembered_as_many_as_fit_the_latest_first),
          TEST(session_id_changed_in_any_character_is_unknown),
          TEST(delete_ends_a_session_and_its_calls),
          TEST(version_header_absent_or_served_passes_and_others_get_400),
          TEST(batch_belongs_to_2025_03_26_alone), TEST(batch_edges),
          TEST(batch_waits_for_its_slowest_call), TEST(null_params_are_as_absent),
          TEST(calls_at_the_end_are_told_to_call_again_and_their_work_is_cancelled),
          TEST(refusal_before_the_protocol_carries_the_id_of_one_request),
          TEST(client_that_takes_only_event_streams_gets_them))
