/* tools/list and tools/call without a network: versions, cursors, progress, cancellation. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

#define CALL(id, params)                                                                           \
  "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"tools/call\",\"params\":{" params "}}"
#define LIST "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\"}"

static char *list_in(struct fixture *f, const char *version)
{
  fixture_initialize(f, version);
  struct answer *a = post(f, LIST);
  char *body = xstrdup(a->body);
  answer_free(a);
  return body;
}

static void list_has_only_fields_of_the_negotiated_version(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  AUTO_FREE char *v2024 = list_in(&f, "2024-11-05");
  AUTO_FREE char *v2025_03 = list_in(&f, "2025-03-26");
  AUTO_FREE char *v2025_06 = list_in(&f, "2025-06-18");
  CU_ASSERT_PTR_NULL(strstr(v2024, "annotations"));
  CU_ASSERT_PTR_NULL(strstr(v2024, "\"title\""));
  CU_ASSERT_PTR_NULL(strstr(v2024, "outputSchema"));
  CU_ASSERT_PTR_NOT_NULL(strstr(v2025_03, "\"annotations\":{\"title\":\"Echo\",\"readOnlyHint\":"
                                          "true,\"idempotentHint\":true,\"openWorldHint\":false}"));
  CU_ASSERT_PTR_NULL(strstr(v2025_03, "outputSchema"));
  CU_ASSERT_PTR_NOT_NULL(strstr(v2025_06, "\"name\":\"echo\",\"title\":\"Echo\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(v2025_06, "\"outputSchema\":{\"type\":\"object\"}"));
  CU_ASSERT_PTR_NULL(strstr(v2025_06, "nextCursor"));
  fixture_stop(&f);
}

static void list_is_the_same_every_time(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  AUTO_FREE char *first = list_in(&f, "2025-11-25");
  AUTO_FREE char *second = list_in(&f, "2025-11-25");
  CU_ASSERT_STRING_EQUAL(first, second);
  fixture_stop(&f);
}

static char *answered(struct fixture *f, const char *body, const char *principal)
{
  const struct mcp_headers headers = {0};
  struct answer *a = post_as(f, body, &headers, principal, true, false);
  char *text = xstrdup(a->body);
  answer_free(a);
  return text;
}

static void tools_for_operators_are_seen_and_called_by_them_alone(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  AUTO_FREE char *others = answered(&f, LIST, "ann");
  AUTO_FREE char *operators = answered(&f, LIST, FIXTURE_OPERATOR);
  AUTO_FREE char *refused = answered(&f, CALL("2", "\"name\":\"state\""), "ann");
  AUTO_FREE char *unknown = answered(&f, CALL("2", "\"name\":\"stats\""), "ann");
  AUTO_FREE char *called = answered(&f, CALL("2", "\"name\":\"state\""), FIXTURE_OPERATOR);
  CU_ASSERT_PTR_NULL(strstr(others, "\"state\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(others, "\"slow\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(operators, "\"state\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(operators, "\"slow\""));
  /* As a tool that does not exist, so that nobody learns of it. */
  CU_ASSERT_PTR_NOT_NULL(strstr(refused, "Unknown tool: state"));
  CU_ASSERT_PTR_NOT_NULL(strstr(unknown, "Unknown tool: stats"));
  CU_ASSERT_PTR_NULL(strstr(called, "Unknown tool"));
  CU_ASSERT_EQUAL(f.host_calls, 1);
  fixture_stop(&f);
}

static void pages_of_two(struct mcp_server_options *o)
{
  o->page_size = 2;
}

static void list_pages_give_every_tool_once(void)
{
  struct fixture f;
  fixture_start(&f, pages_of_two);
  fixture_initialize(&f, "2025-11-25");
  char cursor[64] = "", names[256] = "";
  int pages = 0;
  do {
    AUTO_FREE char *body =
        cursor[0] == '\0' ? xstrdup(LIST)
                          : xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
                                      "\"params\":{\"cursor\":\"%s\"}}",
                                      cursor);
    struct answer *a = post(&f, body);
    cJSON *j = answer_json(a);
    cJSON *result = cJSON_GetObjectItem(j, "result");
    const cJSON *tool;
    cJSON_ArrayForEach(tool, cJSON_GetObjectItem(result, "tools"))
    {
      size_t n = strlen(names);
      snprintf(names + n, sizeof(names) - n, "%s ",
               cJSON_GetStringValue(cJSON_GetObjectItem(tool, "name")));
    }
    const char *next = cJSON_GetStringValue(cJSON_GetObjectItem(result, "nextCursor"));
    snprintf(cursor, sizeof(cursor), "%s", next != NULL ? next : "");
    cJSON_Delete(j);
    answer_free(a);
  } while (++pages < 10 && cursor[0] != '\0');
  CU_ASSERT_EQUAL(pages, 3);
  CU_ASSERT_STRING_EQUAL(names, "echo fail forget large slow ");
  fixture_stop(&f);
}

static void empty_and_null_cursors_begin_at_the_first_page(void)
{
  static const char *const none[] = {"null", "\"\""};
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *whole = post(&f, LIST);
  for (size_t i = 0; i < ARRAY_LEN(none); i++) {
    AUTO_FREE char *body = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
                                     "\"params\":{\"cursor\":%s}}",
                                     none[i]);
    struct answer *a = post(&f, body);
    CU_ASSERT_STRING_EQUAL(a->body, whole->body);
    answer_free(a);
  }
  answer_free(whole);
  fixture_stop(&f);
}

static void null_progress_token_asks_for_no_progress(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"echo\",\"_meta\":{\"progressToken\":null}"));
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_FALSE(a->stream);
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"isError\":false"));
  answer_free(a);
  fixture_stop(&f);
}

static void foreign_cursor_is_invalid_params(void)
{
  static const char *const bad[] = {"\"x\"", "7", "\"dG9vbHM6OTk\"", "{}", "false"};
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    AUTO_FREE char *body = xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/list\","
                                     "\"params\":{\"cursor\":%s}}",
                                     bad[i]);
    struct answer *a = post(&f, body);
    CU_ASSERT_EQUAL(a->status, 200);
    CU_ASSERT_EQUAL(answer_code(a), -32602);
    answer_free(a);
  }
  fixture_stop(&f);
}

static void call_gives_text_and_the_same_json_structured(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-06-18");
  struct answer *a = post(&f, CALL("1", "\"name\":\"echo\",\"arguments\":{\"text\":\"h\"}"));
  CU_ASSERT_STRING_EQUAL(
      a->body, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"content\":[{\"type\":\"text\","
               "\"text\":\"{\\\"text\\\":\\\"h\\\"}\"}],\"structuredContent\":{\"text\":\"h\"},"
               "\"isError\":false}}");
  answer_free(a);
  fixture_initialize(&f, "2025-03-26");
  a = post(&f, CALL("1", "\"name\":\"echo\",\"arguments\":{\"text\":\"h\"}"));
  CU_ASSERT_PTR_NULL(strstr(a->body, "structuredContent"));
  answer_free(a);
  fixture_stop(&f);
}

static void absent_and_null_arguments_are_empty(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  static const char *const bodies[] = {CALL("1", "\"name\":\"echo\""),
                                       CALL("1", "\"name\":\"echo\",\"arguments\":null"),
                                       CALL("1", "\"name\":\"echo\",\"arguments\":{}")};
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++) {
    answer_free(post(&f, bodies[i]));
    CU_ASSERT_STRING_EQUAL(f.last_arguments, "{}");
  }
  CU_ASSERT_EQUAL(f.host_calls, 3);
  fixture_stop(&f);
}

/* Some clients send the arguments as JSON text. */
static void arguments_as_text_are_the_object_in_it(void)
{
  static const char *const cases[][2] = {
      {"\"{}\"", "{}"},
      {"\"\"", "{}"},
      {"\" {\\\"text\\\":\\\"h\\\"}\"", "{\"text\":\"h\"}"},
  };
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
    AUTO_FREE char *body = xasprintf(CALL("1", "\"name\":\"echo\",\"arguments\":%s"), cases[i][0]);
    answer_free(post(&f, body));
    CU_ASSERT_STRING_EQUAL(f.last_arguments, cases[i][1]);
  }
  CU_ASSERT_EQUAL(f.host_calls, ARRAY_LEN(cases));
  fixture_stop(&f);
}

static void malformed_calls_are_protocol_errors(void)
{
  static const char *const bad[] = {
      CALL("1", "\"name\":\"no_such\""),
      CALL("1", "\"name\":7"),
      CALL("1", ""),
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\"}",
      CALL("1", "\"name\":\"echo\",\"arguments\":[]"),
      CALL("1", "\"name\":\"echo\",\"arguments\":\"[]\""),
      CALL("1", "\"name\":\"echo\",\"arguments\":\"{\\\"text\\\":\""),
      CALL("1", "\"name\":\"echo\",\"_meta\":{\"progressToken\":{}}"),
      CALL("1", "\"name\":\"echo\",\"_meta\":{\"progressToken\":1.5}"),
  };
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
    struct answer *a = post(&f, bad[i]);
    CU_ASSERT_EQUAL(a->status, 200);
    CU_ASSERT_EQUAL(answer_code(a), -32602);
    answer_free(a);
  }
  CU_ASSERT_EQUAL(f.host_calls, 0);
  fixture_stop(&f);
}

static void tool_failure_is_a_result(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"fail\""));
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_EQUAL(answer_code(a), 0);
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"isError\":true"));
  CU_ASSERT_PTR_NULL(strstr(a->body, "structuredContent"));
  answer_free(a);
  fixture_stop(&f);
}

static void answer_that_does_not_fit_becomes_advice(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"large\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"isError\":true"));
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "fewer rows"));
  answer_free(a);
  fixture_stop(&f);
}

static void call_the_host_forgets_is_answered(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"forget\""));
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_EQUAL(answer_code(a), -32603);
  answer_free(a);
  fixture_stop(&f);
}

static void progress_goes_out_rising_and_never_after_the_result(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"slow\",\"_meta\":{\"progressToken\":\"p\"}"));
  CU_ASSERT_TRUE(a->stream);
  mcp_call_progress(f.held[0], 0, 24, "starting");
  mcp_call_progress(f.held[0], 7, 24, "7 of 24");
  mcp_call_progress(f.held[0], 7, 24, "again");
  mcp_call_progress(f.held[0], 3, 24, "back");
  mcp_call_progress(f.held[0], 8.5, 0, NULL);
  mcp_call_ref(f.held[0]);
  struct mcp_call *call = f.held[0];
  finish_held(&f, 0);
  mcp_call_progress(call, 24, 24, "late");
  mcp_call_unref(call);
  CU_ASSERT_EQUAL(a->n_events, 4);
  CU_ASSERT_STRING_EQUAL(a->events[1],
                         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
                         "\"progressToken\":\"p\",\"progress\":7,\"total\":24,\"message\":\"7 of "
                         "24\"}}");
  CU_ASSERT_STRING_EQUAL(a->events[2],
                         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/progress\",\"params\":{"
                         "\"progressToken\":\"p\",\"progress\":8.5}}");
  CU_ASSERT_PTR_NOT_NULL(strstr(a->events[3], "\"result\""));
  CU_ASSERT_TRUE(a->ended);
  CU_ASSERT_FALSE(a->written_after_release);
  answer_free(a);
  fixture_stop(&f);
}

static void without_a_token_there_is_no_progress_and_the_answer_is_json(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"slow\""));
  mcp_call_progress(f.held[0], 1, 2, "half");
  CU_ASSERT_EQUAL(a->status, 0);
  finish_held(&f, 0);
  CU_ASSERT_EQUAL(a->replies, 1);
  CU_ASSERT_FALSE(a->stream);
  answer_free(a);
  fixture_stop(&f);
}

static void token_is_of_no_use_to_a_client_that_takes_only_json(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct mcp_headers h = {.session_id = f.session};
  struct answer *a = post_as(&f, CALL("1", "\"name\":\"slow\",\"_meta\":{\"progressToken\":1}"), &h,
                             "alice", true, false);
  mcp_call_progress(f.held[0], 1, 2, "half");
  fixture_now += 60000;
  mcp_server_tick(f.server);
  finish_held(&f, 0);
  CU_ASSERT_EQUAL(a->replies, 1);
  CU_ASSERT_FALSE(a->stream);
  answer_free(a);
  fixture_stop(&f);
}

static void long_call_becomes_a_stream(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"slow\""));
  fixture_now += 9000;
  mcp_server_tick(f.server);
  CU_ASSERT_FALSE(a->stream);
  fixture_now += 1000;
  mcp_server_tick(f.server);
  CU_ASSERT_TRUE(a->stream);
  mcp_server_tick(f.server);
  finish_held(&f, 0);
  CU_ASSERT_EQUAL(a->n_events, 1);
  CU_ASSERT_TRUE(a->ended);
  CU_ASSERT_EQUAL(a->replies, 0);
  answer_free(a);
  fixture_stop(&f);
}

static void cancel(struct fixture *f, const char *id)
{
  AUTO_FREE char *body = xasprintf("{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\","
                                   "\"params\":{\"requestId\":%s,\"reason\":\"x\"}}",
                                   id);
  answer_free(post(f, body));
}

static void cancelled_call_ends_without_a_response(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *json = post(&f, CALL("1", "\"name\":\"slow\""));
  struct answer *stream =
      post(&f, CALL("\"1\"", "\"name\":\"slow\",\"_meta\":{\"progressToken\":5}"));
  cancel(&f, "2");
  CU_ASSERT_EQUAL(f.cancels, 0);
  cancel(&f, "1");
  CU_ASSERT_EQUAL(f.cancels, 1);
  CU_ASSERT_EQUAL(json->status, 202);
  CU_ASSERT_STRING_EQUAL(json->body, "");
  CU_ASSERT_FALSE(stream->ended);
  cancel(&f, "\"1\"");
  CU_ASSERT_EQUAL(f.cancels, 2);
  CU_ASSERT_TRUE(stream->ended);
  CU_ASSERT_EQUAL(stream->n_events, 0);
  finish_held(&f, 0);
  finish_held(&f, 1);
  CU_ASSERT_EQUAL(json->releases, 1);
  CU_ASSERT_FALSE(json->written_after_release || stream->written_after_release);
  answer_free(json);
  answer_free(stream);
  fixture_stop(&f);
}

static void cancellation_reaches_only_the_own_session(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"slow\""));
  fixture_initialize(&f, "2025-11-25");
  cancel(&f, "1");
  CU_ASSERT_EQUAL(f.cancels, 0);
  finish_held(&f, 0);
  CU_ASSERT_EQUAL(a->status, 200);
  answer_free(a);
  fixture_stop(&f);
}

static void disconnect_cancels_and_nothing_is_written_after(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"slow\",\"_meta\":{\"progressToken\":5}"));
  mcp_exchange_gone(a->exchange);
  CU_ASSERT_EQUAL(f.cancels, 1);
  CU_ASSERT_EQUAL(a->releases, 1);
  mcp_call_progress(f.held[0], 1, 2, NULL);
  finish_held(&f, 0);
  CU_ASSERT_EQUAL(a->n_events, 0);
  CU_ASSERT_FALSE(a->written_after_release);
  answer_free(a);
  fixture_stop(&f);
}

static void id_under_way_cannot_be_used_again(void)
{
  struct fixture f;
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"slow\""));
  struct answer *b = post(&f, CALL("1", "\"name\":\"slow\""));
  CU_ASSERT_EQUAL(answer_code(b), -32600);
  CU_ASSERT_EQUAL(f.n_held, 1);
  finish_held(&f, 0);
  CU_ASSERT_EQUAL(answer_code(a), 0);
  answer_free(a);
  answer_free(b);
  fixture_stop(&f);
}

static void two_calls(struct mcp_server_options *o)
{
  o->max_calls_per_session = 2;
}

static void calls_beyond_the_cap_are_told_to_wait(void)
{
  struct fixture f;
  fixture_start(&f, two_calls);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, CALL("1", "\"name\":\"slow\""));
  struct answer *b = post(&f, CALL("2", "\"name\":\"slow\""));
  struct answer *c = post(&f, CALL("3", "\"name\":\"slow\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(c->body, "Too many calls"));
  CU_ASSERT_PTR_NOT_NULL(strstr(c->body, "\"isError\":true"));
  finish_held(&f, 0);
  struct answer *d = post(&f, CALL("4", "\"name\":\"slow\""));
  CU_ASSERT_EQUAL(d->status, 0);
  finish_held(&f, 1);
  finish_held(&f, 2);
  answer_free(a);
  answer_free(b);
  answer_free(c);
  answer_free(d);
  fixture_stop(&f);
}

TEST_MAIN(
    "mcp_tools", TEST(list_has_only_fields_of_the_negotiated_version),
    TEST(list_is_the_same_every_time), TEST(tools_for_operators_are_seen_and_called_by_them_alone),
    TEST(list_pages_give_every_tool_once), TEST(empty_and_null_cursors_begin_at_the_first_page),
    TEST(null_progress_token_asks_for_no_progress), TEST(foreign_cursor_is_invalid_params),
    TEST(call_gives_text_and_the_same_json_structured), TEST(absent_and_null_arguments_are_empty),
    TEST(arguments_as_text_are_the_object_in_it),
    TEST(malformed_calls_are_protocol_errors), TEST(tool_failure_is_a_result),
    TEST(answer_that_does_not_fit_becomes_advice), TEST(call_the_host_forgets_is_answered),
    TEST(progress_goes_out_rising_and_never_after_the_result),
    TEST(without_a_token_there_is_no_progress_and_the_answer_is_json),
    TEST(token_is_of_no_use_to_a_client_that_takes_only_json), TEST(long_call_becomes_a_stream),
    TEST(cancelled_call_ends_without_a_response), TEST(cancellation_reaches_only_the_own_session),
    TEST(disconnect_cancels_and_nothing_is_written_after), TEST(id_under_way_cannot_be_used_again),
    TEST(calls_beyond_the_cap_are_told_to_wait))
