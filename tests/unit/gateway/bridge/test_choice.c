/* Which failures become a question, and which argument the answer goes into. */
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/pbjson/ambiguity.h"
#include "common/pbjson/borrow.h"
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
  cJSON *given = cJSON_Duplicate(arguments, true);
  bool applied = choice_apply(call, arguments, &e);
  asked = applied && choice_ask(call, given, &failure);
  AUTO_FREE char *text = applied ? cJSON_PrintUnformatted(arguments) : xstrdup(e.message);
  if (!asked)
    mcp_call_finish(call, &(struct mcp_tool_result){.text = text, .text_len = strlen(text)});
  mcp_call_unref(call);
  cJSON_Delete(given);
}

static void host(struct mcp_server_options *o)
{
  o->tools.call = fail_or_answer;
  o->asks_in_sessions = true;
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

#define KIND(k) ANALYTICS__ERROR__V1__KIND__##k

/* A failure with up to two candidates. */
static void fails_with(Analytics__Error__V1__Kind kind, const char *text, size_t n)
{
  Analytics__Error__V1__Ambiguity a = ANALYTICS__ERROR__V1__AMBIGUITY__INIT;
  Analytics__Error__V1__Candidate one = ANALYTICS__ERROR__V1__CANDIDATE__INIT, two = one;
  Analytics__Error__V1__Candidate *list[] = {&one, &two};
  one.value = borrow_text("d01"), one.title = borrow_text("Ford of Reno");
  two.value = borrow_text("d07"), two.title = borrow_text("Ford, Waco");
  a.kind = kind;
  a.asked = borrow_text(text);
  a.candidates = list;
  a.n_candidates = n;
  failure = (struct err){0};
  err_set(&failure, ERR_INVALID_ARGUMENT, "several", "several fit");
  ambiguity_put(&failure, &a);
}

static bool says(const struct answer *a, const char *part)
{
  const char *text = a->n_events > 0 ? a->events[a->n_events - 1] : a->body;
  if (strstr(text, part) == NULL)
    printf("\n  got %s\n  wanted %s\n", text, part);
  return strstr(text, part) != NULL;
}

#define CHOICES                                                                                    \
  "{\"type\":\"string\",\"oneOf\":[{\"const\":\"d01\",\"title\":\"Ford of Reno\"},"                \
  "{\"const\":\"d07\",\"title\":\"Ford, Waco\"}]}"

static void the_question_is_about_the_argument_that_holds_the_text(void)
{
  static const struct {
    Analytics__Error__V1__Kind kind;
    const char *arguments, *key, *message;
  } rows[] = {
      {KIND(DEALER), "{\"dealer_id\":\"Ford\",\"limit\":3}", "dealer_id", "Which dealer is meant"},
      {KIND(DEALER), "{\"brand\":\"ford\",\"dealer\":\" ford\"}", "dealer", "Which dealer"},
      {KIND(DEALER), "{\"dealer_ids\":[\"ford\"]}", "dealer_ids", "Which dealer"},
      {KIND(DEALER), "{\"dealer_ids\":[\"opel\",\"ford\"]}", "dealer_ids_1", "Which dealer"},
      {KIND(REGION), "{\"Area-2\":\"ford\"}", "area_2", "Which region is meant by \\\"ford\\\"?"},
      {KIND(DAY), "{\"date_range\":{\"start_date\":\"ford\"}}", "date_range_start_date",
       "Which day"},
  };
  fixture_start(&f, host);
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    fails_with(rows[i].kind, "ford", 2);
    struct answer *a = call_with(rows[i].arguments, "");
    AUTO_FREE char *field = xasprintf("\"%s\":" CHOICES, rows[i].key);
    CU_ASSERT_TRUE(asked);
    CU_ASSERT_TRUE(says(a, field));
    CU_ASSERT_TRUE(says(a, rows[i].message));
    answer_free(a);
  }
  fixture_stop(&f);
}

static void what_cannot_be_asked_stays_a_failure(void)
{
  static const struct {
    const char *arguments;
    size_t n;
  } rows[] = {{"{\"dealer_id\":\"opel\"}", 2},
              {"{\"dealer_id\":\"ford\"}", 1},
              {"{\"dealer_id\":\"ford\"}", 0},
              {"{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":{\"a\":\"ford\"}}}}}}}", 2}};
  fixture_start(&f, host);
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    fails_with(KIND(DEALER), "ford", rows[i].n);
    struct answer *a = call_with(rows[i].arguments, "");
    CU_ASSERT_FALSE(asked);
    CU_ASSERT_TRUE(says(a, "\"resultType\":\"complete\""));
    answer_free(a);
  }
  fails_with(KIND(DEALER), "ford", 2);
  memset(failure.details, 0xff, failure.details_len);
  answer_free(call_with("{\"dealer_id\":\"ford\"}", ""));
  CU_ASSERT_FALSE(asked);
  fixture_stop(&f);
}

static char *rest_of(const struct answer *a, const char *responses)
{
  const char *state = strstr(a->body, "\"requestState\":\"");
  CU_ASSERT_PTR_NOT_NULL_FATAL(state);
  AUTO_FREE char *text = xstrndup(state, strcspn(state, "}"));
  return xasprintf(",%s,\"inputResponses\":{%s}", text, responses);
}

static void the_answer_takes_the_place_of_the_text(void)
{
#define ARGUMENTS "{\"date_ranges\":[{\"end_date\":\"ford\"}],\"limit\":3}"
#define KEY "date_ranges_end_date"
  fixture_start(&f, host);
  fails_with(KIND(DAY), "ford", 2);
  struct answer *a = call_with(ARGUMENTS, "");
  AUTO_FREE char *rest =
      rest_of(a, "\"" KEY "\":{\"action\":\"accept\",\"content\":{\"" KEY "\":\"d07\"}}");
  struct answer *b = call_with(ARGUMENTS, rest);
  CU_ASSERT_FALSE(asked); /* although it fails again */
  CU_ASSERT_TRUE(says(b, "{\\\"date_ranges\\\":[{\\\"end_date\\\":\\\"d07\\\"}],\\\"limit\\\":3}"));
  AUTO_FREE char *declined = rest_of(a, "\"" KEY "\":{\"action\":\"decline\"}");
  struct answer *c = call_with(ARGUMENTS, declined);
  CU_ASSERT_TRUE(says(c, "none of them was chosen"));
  answer_free(a);
  answer_free(b);
  answer_free(c);
  fixture_stop(&f);
}

static void clients_of_sessions_are_asked_as_well(void)
{
  fixture_start(&f, host);
  fixture_initialize_as(&f, "2025-11-25", "{\"elicitation\":{}}");
  fails_with(KIND(DEALER), "ford", 2);
  struct answer *a = post(&f, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
                              "\"name\":\"echo\",\"arguments\":{\"dealer\":\"ford\"}}}");
  CU_ASSERT_TRUE(says(a, "\"dealer\":" CHOICES));
  cJSON *question = cJSON_Parse(a->events[0]);
  AUTO_FREE char *answer =
      xasprintf("{\"jsonrpc\":\"2.0\",\"id\":\"%s\",\"result\":{\"action\":\"accept\",\"content\":{"
                "\"dealer\":\"d07\"}}}",
                cJSON_GetObjectItem(question, "id")->valuestring);
  answer_free(post(&f, answer));
  CU_ASSERT_TRUE(says(a, "{\\\"dealer\\\":\\\"d07\\\"}"));
  cJSON_Delete(question);
  answer_free(a);
  fixture_stop(&f);
}

TEST_MAIN("choice", TEST(the_question_is_about_the_argument_that_holds_the_text),
          TEST(what_cannot_be_asked_stays_a_failure), TEST(the_answer_takes_the_place_of_the_text),
          TEST(clients_of_sessions_are_asked_as_well))
