/* Which failures become a question, and which argument the answer goes into. */
#include <string.h>

#include "common/base/mem.h"
#include "gateway/bridge/choice.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

static struct fixture f;
static struct err failure;
static bool asked;

/* Fails as the test says, unless an answer came; then gives back the arguments. */
static void fail_or_answer(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  (void)host, (void)tool;
  struct err e = {0};
  cJSON *arguments = mcp_call_arguments(call);
  bool applied = choice_apply(call, arguments, &e);
  asked = applied && choice_ask(call, arguments, &failure);
  AUTO_FREE char *text = applied ? cJSON_PrintUnformatted(arguments) : xstrdup(e.message);
  mcp_call_finish(call, &(struct mcp_tool_result){.text = text, .text_len = strlen(text)});
  mcp_call_unref(call);
}

static void host(struct mcp_server_options *o)
{
  o->tools.call = fail_or_answer;
}

static struct answer *call_with(const char *arguments, const char *rest)
{
  AUTO_FREE char *body = xasprintf(
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{\"name\":\"echo\","
      "\"arguments\":%s%s,\"_meta\":{\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
      "\"io.modelcontextprotocol/clientCapabilities\":{\"elicitation\":{}}}}}",
      arguments, rest);
  struct mcp_headers h = {.protocol_version = "2026-07-28", .method = "tools/call", .name = "echo"};
  return post_as(&f, body, &h, "alice", true, true);
}

static void fails_with(const char *reason, const char *message)
{
  failure = (struct err){0};
  err_set(&failure, ERR_INVALID_ARGUMENT, reason, "%s", message);
}

#define TWO                                                                                        \
  "dealer_id: \"ford\" fits 2 dealers: \"d01\" Ford of Reno, \"d07\" Ford, Waco; give one "        \
  "dealer_id"

static void the_choices_are_those_of_the_failure(void)
{
  fixture_start(&f, host);
  fails_with("several_dealers", TWO);
  struct answer *a = call_with("{\"dealer_id\":\"ford\",\"limit\":3}", "");
  CU_ASSERT_TRUE(asked);
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"dealer_id\":{\"type\":\"string\",\"oneOf\":["
                                         "{\"const\":\"d01\",\"title\":\"Ford of Reno\"},"
                                         "{\"const\":\"d07\",\"title\":\"Ford, Waco\"}]}"));
  answer_free(a);
  fails_with("several_dealers", "dealer_id: \"ford\" fits 9 dealers: \"d1\" A, \"d2\" B, \"d3\" C, "
                                "\"d4\" D, \"d5\" E, ...; give one dealer_id");
  a = call_with("{\"dealer_ids\":[\"ford\"]}", "");
  CU_ASSERT_TRUE(asked);
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "{\"const\":\"d5\",\"title\":\"E\"}]"));
  answer_free(a);
  fixture_stop(&f);
}

static void what_cannot_be_asked_stays_a_failure(void)
{
  static const struct {
    const char *reason, *message, *arguments;
  } rows[] = {
      {"unknown_dealer", TWO, "{\"dealer_id\":\"ford\"}"},
      {"several_dealers", TWO, "{\"dealer_id\":\"opel\"}"},
      {"several_dealers", TWO, "{\"dealer_ids\":[\"ford\",\"opel\"]}"},
      {"several_dealers", "dealer_id: \"ford\" fits 1 dealers: \"d01\" Ford; give one",
       "{\"dealer_id\":\"ford\"}"},
      {"several_dealers", "dealer_id: \"ford", "{\"dealer_id\":\"ford\"}"},
      {"several_dealers", " dealers: ; \"ford\"", "{\"dealer_id\":\"ford\"}"},
      {"several_dealers", "", "{\"dealer_id\":\"ford\"}"},
  };
  fixture_start(&f, host);
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    fails_with(rows[i].reason, rows[i].message);
    struct answer *a = call_with(rows[i].arguments, "");
    CU_ASSERT_FALSE(asked);
    CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"resultType\":\"complete\""));
    answer_free(a);
  }
  fixture_stop(&f);
}

static void the_answer_takes_the_place_of_the_name(void)
{
  fixture_start(&f, host);
  fails_with("several_dealers", TWO);
  struct answer *a = call_with("{\"dealer_ids\":[\"ford\"],\"limit\":3}", "");
  const char *state = strstr(a->body, "\"requestState\":\"");
  CU_ASSERT_PTR_NOT_NULL_FATAL(state);
  AUTO_FREE char *text = xstrndup(state, strcspn(state, "}"));
  AUTO_FREE char *rest =
      xasprintf(",%s,\"inputResponses\":{\"dealer_ids\":{\"action\":\"accept\",\"content\":{"
                "\"dealer_ids\":\"d07\"}}}",
                text);
  struct answer *b = call_with("{\"dealer_ids\":[\"ford\"],\"limit\":3}", rest);
  CU_ASSERT_FALSE(asked);
  CU_ASSERT_PTR_NOT_NULL(strstr(b->body, "{\\\"dealer_ids\\\":[\\\"d07\\\"],\\\"limit\\\":3}"));
  answer_free(a);
  answer_free(b);
  fixture_stop(&f);
}

TEST_MAIN("choice", TEST(the_choices_are_those_of_the_failure),
          TEST(what_cannot_be_asked_stays_a_failure), TEST(the_answer_takes_the_place_of_the_name))
