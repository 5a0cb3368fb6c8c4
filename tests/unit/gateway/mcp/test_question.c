/* Questions back to the person: asked where they can be, answered once, by whoever was asked. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

#define FORMS "\"elicitation\":{}"

static struct fixture f;

/* Asks which of two, and gives back what was chosen. */
static void choose(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  (void)host, (void)tool;
  static const struct mcp_choice choices[] = {{"d01", "Ford of \"Reno\""}, {"d02", "Ford"}};
  static const struct mcp_question question = {
      .key = "dealer", .message = "Which dealer?", .choices = choices, .n = 2};
  const char *value, *text = "cannot ask";
  switch (mcp_call_answer(call, "dealer", &value)) {
  case MCP_ANSWERED:
    text = value;
    break;
  case MCP_DECLINED:
    text = "declined";
    break;
  case MCP_NO_ANSWER:
    if (mcp_call_may_ask(call))
      mcp_call_ask(call, &question, 1);
    break;
  }
  mcp_call_finish(call, &(struct mcp_tool_result){.text = text, .text_len = strlen(text)});
  mcp_call_unref(call);
}

static void asking(struct mcp_server_options *o)
{
  o->tools.call = choose;
}

static struct answer *ask_as(const char *who, const char *can, const char *arguments,
                             const char *rest)
{
  AUTO_FREE char *body =
      xasprintf("{\"jsonrpc\":\"2.0\",\"id\":5,\"method\":\"tools/call\",\"params\":{\"name\":"
                "\"echo\",\"arguments\":{%s}%s,\"_meta\":{\"io.modelcontextprotocol/"
                "protocolVersion\":\"2026-07-28\",\"io.modelcontextprotocol/clientCapabilities\":{"
                "%s}}}}",
                arguments, rest, can);
  struct mcp_headers h = {.protocol_version = "2026-07-28", .method = "tools/call", .name = "echo"};
  return post_as(&f, body, &h, who, true, true);
}

static bool says(const struct answer *a, const char *part)
{
  if (strstr(a->body, part) == NULL)
    printf("\n  got %s\n  wanted %s\n", a->body, part);
  return strstr(a->body, part) != NULL;
}

/* The rest of the params of the second round. */
static char *second_round(const struct answer *first, const char *responses)
{
  AUTO_JSON cJSON *j = answer_json(first);
  const char *state =
      json_get_string(cJSON_GetObjectItemCaseSensitive(j, "result"), "requestState");
  CU_ASSERT_PTR_NOT_NULL_FATAL(state);
  return xasprintf(",\"requestState\":\"%s\",\"inputResponses\":{%s}", state, responses);
}

#define D02 "\"dealer\":{\"action\":\"accept\",\"content\":{\"dealer\":\"d02\"}}"

static void the_question_is_a_form_of_choices(void)
{
  fixture_start(&f, asking);
  struct answer *a = ask_as("alice", FORMS, "\"q\":\"ford\"", "");
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_TRUE(says(a, "\"resultType\":\"input_required\""));
  CU_ASSERT_TRUE(says(
      a, "\"inputRequests\":{\"dealer\":{\"method\":\"elicitation/create\",\"params\":{\"mode\":"
         "\"form\",\"message\":\"Which dealer?\",\"requestedSchema\":{\"type\":\"object\","
         "\"properties\":{\"dealer\":{\"type\":\"string\",\"oneOf\":[{\"const\":\"d01\",\"title\":"
         "\"Ford of \\\"Reno\\\"\"},{\"const\":\"d02\",\"title\":\"Ford\"}]}},\"required\":["
         "\"dealer\"]}}}}"));
  CU_ASSERT_PTR_NULL(strstr(a->body, "ttlMs"));
  answer_free(a);
  fixture_stop(&f);
}

static void the_answer_reaches_the_same_call(void)
{
  fixture_start(&f, asking);
  struct answer *a = ask_as("alice", FORMS, "\"q\":\"ford\"", "");
  AUTO_FREE char *rest = second_round(a, D02 ",\"stray\":{}");
  struct answer *b = ask_as("alice", FORMS, "\"q\":\"ford\"", rest);
  CU_ASSERT_TRUE(says(b, "\"text\":\"d02\""));
  CU_ASSERT_TRUE(says(b, "\"resultType\":\"complete\""));
  answer_free(a);
  answer_free(b);
  fixture_stop(&f);
}

static void whoever_declines_is_not_asked_again(void)
{
  static const char *const answers[] = {"\"dealer\":{\"action\":\"decline\"}",
                                        "\"dealer\":{\"action\":\"cancel\"}",
                                        "\"dealer\":{\"action\":\"accept\",\"content\":{}}"};
  fixture_start(&f, asking);
  struct answer *a = ask_as("alice", FORMS, "", "");
  for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
    AUTO_FREE char *rest = second_round(a, answers[i]);
    struct answer *b = ask_as("alice", FORMS, "", rest);
    CU_ASSERT_TRUE(says(b, "\"text\":\"declined\""));
    answer_free(b);
  }
  answer_free(a);
  fixture_stop(&f);
}

static void a_missing_answer_is_asked_for_again(void)
{
  fixture_start(&f, asking);
  struct answer *a = ask_as("alice", FORMS, "", "");
  AUTO_FREE char *rest = second_round(a, "\"dealer\":12,\"other\":{\"action\":\"accept\"}");
  struct answer *b = ask_as("alice", FORMS, "", rest);
  CU_ASSERT_TRUE(says(b, "\"inputRequests\":{\"dealer\""));
  answer_free(b);
  answer_free(a);
  fixture_stop(&f);
}

static void expect_refused(struct answer *a)
{
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_EQUAL(answer_code(a), -32602);
  CU_ASSERT_TRUE(says(a, "requestState"));
  answer_free(a);
}

/* Asks for one and then for another. */
static void choose_twice(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  (void)host, (void)tool;
  static const struct mcp_question questions[] = {
      {.key = "first", .message = "1?", .schema = "{\"type\":\"object\",\"properties\":{}}"},
      {.key = "second", .message = "2?", .schema = "{\"type\":\"object\",\"properties\":{}}"}};
  const char *first, *second;
  mcp_call_answer(call, "first", &first);
  mcp_call_answer(call, "second", &second);
  if (first == NULL) {
    mcp_call_ask(call, questions, 1);
  } else if (second == NULL) {
    mcp_call_ask(call, questions, 2);
  } else {
    AUTO_FREE char *text = xasprintf("%s, %s", first, second);
    mcp_call_finish(call, &(struct mcp_tool_result){.text = text, .text_len = strlen(text)});
  }
  mcp_call_unref(call);
}

static void asking_twice(struct mcp_server_options *o)
{
  o->tools.call = choose_twice;
}

static void answers_of_earlier_rounds_travel_in_the_state(void)
{
#define GIVE(key, value)                                                                           \
  "\"" key "\":{\"action\":\"accept\",\"content\":{\"" key "\":\"" value "\"}}"
  fixture_start(&f, asking_twice);
  struct answer *a = ask_as("alice", FORMS, "", "");
  AUTO_FREE char *one = second_round(a, GIVE("first", "red"));
  struct answer *b = ask_as("alice", FORMS, "", one);
  CU_ASSERT_TRUE(says(b, "\"inputRequests\":{\"second\":"));
  CU_ASSERT_PTR_NULL(strstr(b->body, "\"1?\""));
  AUTO_FREE char *two = second_round(b, GIVE("second", "blue"));
  struct answer *c = ask_as("alice", FORMS, "", two);
  CU_ASSERT_TRUE(says(c, "\"text\":\"red, blue\""));
  answer_free(c);
  answer_free(b);
  answer_free(a);
  fixture_stop(&f);
}

static void carried_answers_cannot_be_changed(void)
{
  fixture_start(&f, asking_twice);
  struct answer *a = ask_as("alice", FORMS, "", "");
  AUTO_FREE char *one = second_round(a, GIVE("first", "red"));
  struct answer *b = ask_as("alice", FORMS, "", one);
  AUTO_FREE char *two = second_round(b, GIVE("second", "blue"));
  char *dot = strchr(two, '.');
  CU_ASSERT_PTR_NOT_NULL_FATAL(dot);
  dot[8] = dot[8] == 'A' ? 'B' : 'A';
  expect_refused(ask_as("alice", FORMS, "", two));
  answer_free(b);
  answer_free(a);
  fixture_stop(&f);
}

static void clients_without_forms_are_not_asked(void)
{
  static const char *const can[] = {"", "\"sampling\":{}", "\"elicitation\":{\"url\":{}}"};
  fixture_start(&f, asking);
  for (size_t i = 0; i < ARRAY_LEN(can); i++) {
    struct answer *a = ask_as("alice", can[i], "", "");
    CU_ASSERT_TRUE(says(a, "\"text\":\"cannot ask\""));
    answer_free(a);
    a = ask_as("alice", can[i], "", ",\"requestState\":\"x\",\"inputResponses\":{" D02 "}");
    CU_ASSERT_TRUE(says(a, "\"text\":\"cannot ask\"")); /* stray, and of no use */
    answer_free(a);
  }
  struct answer *a = ask_as("alice", "\"elicitation\":{\"form\":{},\"url\":{}}", "", "");
  CU_ASSERT_TRUE(says(a, "input_required"));
  answer_free(a);
  fixture_stop(&f);
}

static void legacy_clients_are_not_asked(void)
{
  fixture_start(&f, asking);
  fixture_initialize(&f, "2025-11-25");
  struct answer *a = post(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":"
                              "{\"name\":\"echo\"}}");
  CU_ASSERT_TRUE(says(a, "\"text\":\"cannot ask\""));
  answer_free(a);
  fixture_stop(&f);
}

static void an_answer_without_its_question_is_asked_for_again(void)
{
  fixture_start(&f, asking);
  struct answer *a = ask_as("alice", FORMS, "", ",\"inputResponses\":{" D02 "}");
  CU_ASSERT_TRUE(says(a, "input_required"));
  answer_free(a);
  fixture_stop(&f);
}

static void a_state_belongs_to_its_request_its_caller_and_its_time(void)
{
  fixture_start(&f, asking);
  struct answer *a = ask_as("alice", FORMS, "\"q\":\"ford\"", "");
  AUTO_FREE char *rest = second_round(a, D02);
  expect_refused(ask_as("bob", FORMS, "\"q\":\"ford\"", rest));
  expect_refused(ask_as("alice", FORMS, "\"q\":\"opel\"", rest));
  AUTO_FREE char *changed = xstrdup(rest);
  changed[40] = changed[40] == 'A' ? 'B' : 'A';
  expect_refused(ask_as("alice", FORMS, "\"q\":\"ford\"", changed));
  expect_refused(ask_as("alice", FORMS, "\"q\":\"ford\"", ",\"requestState\":7"));
  expect_refused(ask_as("alice", FORMS, "\"q\":\"ford\"", ",\"requestState\":\"\""));
  fixture_now += 10 * 60 * 1000;
  expect_refused(ask_as("alice", FORMS, "\"q\":\"ford\"", rest));
  fixture_now -= 1;
  struct answer *b = ask_as("alice", FORMS, "\"q\":\"ford\"", rest);
  CU_ASSERT_TRUE(says(b, "\"text\":\"d02\""));
  answer_free(b);
  answer_free(a);
  fixture_stop(&f);
}

TEST_MAIN("mcp_question", TEST(the_question_is_a_form_of_choices),
          TEST(the_answer_reaches_the_same_call), TEST(whoever_declines_is_not_asked_again),
          TEST(a_missing_answer_is_asked_for_again),
          TEST(answers_of_earlier_rounds_travel_in_the_state),
          TEST(carried_answers_cannot_be_changed), TEST(clients_without_forms_are_not_asked),
          TEST(legacy_clients_are_not_asked),
          TEST(an_answer_without_its_question_is_asked_for_again),
          TEST(a_state_belongs_to_its_request_its_caller_and_its_time))
