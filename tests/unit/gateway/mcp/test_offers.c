/* Resources and prompts through the protocol. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

#define RPC(method, params)                                                                        \
  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":{" params "}}"

static struct fixture f;

static void start(const char *version)
{
  fixture_start(&f, fixture_offer);
  fixture_initialize(&f, version);
}

/* Posts and checks that the answer holds a text. */
static void expect(const char *body, const char *part)
{
  struct answer *a = post(&f, body);
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a->body);
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, part));
  if (strstr(a->body, part) == NULL)
    printf("\n  got %s\n  wanted %s\n", a->body, part);
  answer_free(a);
}

static void what_is_offered_is_declared_and_nothing_else(void)
{
  static const char initialize[] =
      RPC("initialize", "\"protocolVersion\":\"2025-11-25\",\"capabilities\":{},\"clientInfo\":{"
                        "\"name\":\"t\",\"version\":\"1\"}");
  fixture_start(&f, fixture_offer);
  f.session[0] = '\0';
  struct answer *a = post_as(&f, initialize, &(struct mcp_headers){0}, "p", true, true);
  CU_ASSERT_PTR_NOT_NULL(
      strstr(a->body, "\"capabilities\":{\"tools\":{},\"resources\":{},\"prompts\":{}}"));
  answer_free(a);
  fixture_stop(&f);
  fixture_start(&f, NULL);
  fixture_initialize(&f, "2025-11-25");
  static const char *const methods[] = {RPC("resources/list", ""), RPC("prompts/list", ""),
                                        RPC("resources/read", "\"uri\":\"test://echo\""),
                                        RPC("resources/templates/list", "")};
  for (size_t i = 0; i < ARRAY_LEN(methods); i++)
    expect(methods[i], "\"code\":-32601");
  fixture_stop(&f);
}

static void lists_name_what_there_is(void)
{
  start("2025-11-25");
  expect(RPC("resources/list", ""),
         "{\"resources\":[{\"uri\":\"test://echo\",\"name\":\"echo\",\"title\":\"T\","
         "\"description\":\"D\",\"mimeType\":\"text/plain\"},");
  expect(RPC("resources/templates/list", ""), "\"result\":{\"resourceTemplates\":[]}");
  expect(RPC("prompts/list", ""),
         "{\"prompts\":[{\"name\":\"ask\",\"title\":\"Ask\",\"description\":\"Asks.\","
         "\"arguments\":[{\"name\":\"dealer\",\"description\":\"Whose.\",\"required\":true},"
         "{\"name\":\"period\",\"description\":\"When.\",\"required\":false}]},{\"name\":"
         "\"plain\",\"title\":\"Plain\",\"description\":\"Plain.\"}]}");
  expect(RPC("prompts/list", "\"cursor\":\"x\""), "-32602");
  expect(RPC("resources/list", "\"cursor\":7"), "-32602");
  fixture_stop(&f);
  start("2025-03-26"); /* titles came later */
  struct answer *a = post(&f, RPC("resources/list", ""));
  CU_ASSERT_PTR_NULL(strstr(a->body, "\"title\""));
  answer_free(a);
  a = post(&f, RPC("prompts/list", ""));
  CU_ASSERT_PTR_NULL(strstr(a->body, "\"title\""));
  answer_free(a);
  fixture_stop(&f);
}

static const char *body_of(const struct answer *a)
{
  return a->body != NULL ? a->body : "";
}

/* null and "" where a client has nothing to say: the answer is that of a client that says nothing.
 */
static void what_is_null_or_empty_is_as_if_it_were_absent(void)
{
  static const struct {
    const char *said, *absent;
  } rows[] = {
#define LIST_ROWS(method)                                                                          \
  {RPC(method, "\"cursor\":null"), RPC(method, "")},                                               \
      {RPC(method, "\"cursor\":\"\""), RPC(method, "")},                                           \
      {RPC(method, "\"_meta\":{\"progressToken\":null}"), RPC(method, "")},                        \
      {RPC(method, "\"_meta\":null"), RPC(method, "")},                                            \
      {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":null}",                 \
       RPC(method, "")},                                                                           \
      {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\"}", RPC(method, "")}
      LIST_ROWS("tools/list"),
      LIST_ROWS("prompts/list"),
      LIST_ROWS("resources/list"),
      LIST_ROWS("resources/templates/list"),
      {RPC("ping", "\"_meta\":{\"progressToken\":null}"), RPC("ping", "")},
      {RPC("resources/read", "\"uri\":\"ui://test/page\",\"_meta\":{\"progressToken\":null}"),
       RPC("resources/read", "\"uri\":\"ui://test/page\"")},
      {RPC("resources/read", "\"uri\":\"test://echo\",\"_meta\":{\"progressToken\":null}"),
       RPC("resources/read", "\"uri\":\"test://echo\"")},
      {RPC("prompts/get", "\"name\":\"plain\",\"arguments\":null"),
       RPC("prompts/get", "\"name\":\"plain\"")},
      {RPC("tools/call", "\"name\":\"echo\",\"_meta\":{\"progressToken\":null}"),
       RPC("tools/call", "\"name\":\"echo\"")},
      {RPC("tools/call", "\"name\":\"echo\",\"arguments\":null"),
       RPC("tools/call", "\"name\":\"echo\"")},
  };
  start("2025-11-25");
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    struct answer *said = post(&f, rows[i].said), *absent = post(&f, rows[i].absent);
    if (strcmp(body_of(said), body_of(absent)) != 0)
      printf("\n  %s\n  %s\n", rows[i].said, body_of(said));
    CU_ASSERT_STRING_EQUAL(body_of(said), body_of(absent));
    CU_ASSERT_EQUAL(said->status, 200);
    CU_ASSERT_EQUAL(answer_code(said), 0);
    CU_ASSERT_FALSE(said->stream);
    answer_free(said);
    answer_free(absent);
  }
  fixture_stop(&f);
}

/* Without a tool that is called, and without a share that it would take. */
static void a_text_that_stands_is_read_as_it_is(void)
{
  start("2025-11-25");
  expect(RPC("resources/list", ""),
         "{\"uri\":\"ui://test/page\",\"name\":\"page\",\"title\":\"T\","
         "\"description\":\"D\",\"mimeType\":\"text/html;profile=mcp-app\"}]");
  expect(RPC("resources/read", "\"uri\":\"ui://test/page\""),
         "\"result\":{\"contents\":[{\"uri\":\"ui://test/page\",\"mimeType\":\"text/"
         "html;profile=mcp-app\","
         "\"text\":\"<p class=\\\"x\\\">\\n\"}]}");
  fixture_stop(&f);
}

static void a_resource_is_the_text_of_its_tool(void)
{
  start("2025-11-25");
  expect(RPC("resources/read", "\"uri\":\"test://echo\""),
         "\"result\":{\"contents\":[{\"uri\":\"test://echo\",\"mimeType\":\"text/plain\","
         "\"text\":\"");
  CU_ASSERT_STRING_EQUAL(f.last_arguments, "{\"text\":\"hi\"}");
  expect(RPC("resources/read", "\"uri\":\"test://fail\""), "\"code\":-32603");
  expect(RPC("resources/read", "\"uri\":\"test://none\""),
         "\"code\":-32002,\"message\":\"Resource not found: resources/list names the resources\","
         "\"data\":{\"uri\":\"test://none\"}");
  expect(RPC("resources/read", "\"uri\":7"), "-32602");
  expect(RPC("resources/read", ""), "-32602");
  fixture_stop(&f);
}

static void reading_can_be_cancelled(void)
{
  start("2025-11-25");
  struct answer *a = post(&f, RPC("resources/read", "\"uri\":\"test://slow\""));
  CU_ASSERT_EQUAL(a->status, 0);
  answer_free(post(&f, "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/cancelled\",\"params\":{"
                       "\"requestId\":1}}"));
  CU_ASSERT_EQUAL(f.cancels, 1);
  CU_ASSERT_EQUAL(a->status, 202);
  finish_held(&f, 0);
  answer_free(a);
  fixture_stop(&f);
}

static void a_prompt_is_filled_in(void)
{
  start("2025-11-25");
  expect(RPC("prompts/get", "\"name\":\"ask\",\"arguments\":{\"dealer\":\"Ford \\\"R\\\"\"}"),
         "\"result\":{\"description\":\"Asks.\",\"messages\":[{\"role\":\"user\",\"content\":{"
         "\"type\":\"text\",\"text\":\"How is Ford \\\"R\\\" in last month? {other} {\"}}]}");
  expect(RPC("prompts/get",
             "\"name\":\"ask\",\"arguments\":{\"dealer\":\"{period}\",\"period\":\"2026-10\"}"),
         "How is {period} in 2026-10?"); /* what was filled in is not read again */
  expect(RPC("prompts/get", "\"name\":\"plain\""), "\"text\":\"Hello\"");
  expect(RPC("prompts/get", "\"name\":\"plain\",\"arguments\":null"), "\"text\":\"Hello\"");
  fixture_stop(&f);
}

static void bad_prompts_are_invalid_params(void)
{
  static const struct {
    const char *body, *part;
  } rows[] = {
      {RPC("prompts/get", ""), "params.name must be a string"},
      {RPC("prompts/get", "\"name\":\"none\""), "Unknown prompt"},
      {RPC("prompts/get", "\"name\":\"ask\""), "params.arguments.dealer is required"},
      {RPC("prompts/get", "\"name\":\"ask\",\"arguments\":{\"dealer\":\" \"}"), "is required"},
      {RPC("prompts/get", "\"name\":\"ask\",\"arguments\":{\"dealer\":7}"), "must be a text"},
      {RPC("prompts/get", "\"name\":\"ask\",\"arguments\":{\"x\":\"y\"}"), "does not show"},
      {RPC("prompts/get", "\"name\":\"ask\",\"arguments\":[]"), "must be an object"},
  };
  start("2025-11-25");
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    expect(rows[i].body, "\"code\":-32602");
    expect(rows[i].body, rows[i].part);
  }
  char long_name[700];
  memset(long_name, 'x', sizeof(long_name) - 1);
  long_name[sizeof(long_name) - 1] = '\0';
  AUTO_FREE char *body =
      xasprintf("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"prompts/get\","
                "\"params\":{\"name\":\"ask\",\"arguments\":{\"dealer\":\"%s\"}}}",
                long_name);
  expect(body, "must be a text of at most 512 bytes");
  fixture_stop(&f);
}

TEST_MAIN("offers", TEST(what_is_offered_is_declared_and_nothing_else),
          TEST(lists_name_what_there_is), TEST(what_is_null_or_empty_is_as_if_it_were_absent),
          TEST(a_text_that_stands_is_read_as_it_is), TEST(a_resource_is_the_text_of_its_tool),
          TEST(reading_can_be_cancelled), TEST(a_prompt_is_filled_in),
          TEST(bad_prompts_are_invalid_params))
