/* What the library serves beyond what the product needs: kinds of content, logs, needs of tools,
 * subscriptions to resources, prompts of the host, pages of every list. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

static struct fixture f;
static const struct mcp_principal alice = {.id = "alice"};

static bool says(const char *text, const char *part)
{
  if (text == NULL || strstr(text, part) == NULL)
    printf("\n  got %s\n  wanted %s\n", text != NULL ? text : "nothing", part);
  return text != NULL && strstr(text, part) != NULL;
}

static const char *last(const struct answer *a)
{
  return a->n_events > 0 ? a->events[a->n_events - 1] : a->body;
}

/* A request of the session's era. */
static struct answer *ask(const char *method, const char *params)
{
  AUTO_FREE char *body =
      xasprintf("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"%s\",\"params\":{%s}}", method, params);
  return post(&f, body);
}

/* A request of 2026-07-28; meta: more members of _meta. */
static struct answer *ask_modern(const char *method, const char *name, const char *params,
                                 const char *meta)
{
  AUTO_FREE char *body =
      xasprintf("{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"%s\",\"params\":{%s\"_meta\":{"
                "\"io.modelcontextprotocol/protocolVersion\":\"2026-07-28\","
                "\"io.modelcontextprotocol/clientCapabilities\":{}%s}}}",
                method, params, meta);
  struct mcp_headers h = {.protocol_version = "2026-07-28", .method = method, .name = name};
  return post_as(&f, body, &h, "alice", true, true);
}

static void expect(struct answer *a, const char *part)
{
  CU_ASSERT_TRUE(says(last(a), part));
  answer_free(a);
}

static void expect_code(struct answer *a, int status, int code)
{
  CU_ASSERT_EQUAL(a->status, status);
  CU_ASSERT_EQUAL(answer_code(a), code);
  answer_free(a);
}

/* ----------------------------------------------------------------- content */

static void show(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  (void)host, (void)tool;
  static const struct mcp_content parts[] = {
      {.kind = MCP_TEXT, .text = "\"two\""},
      {.kind = MCP_IMAGE, .data = "\0\xff", .data_len = 2, .mime_type = "image/png"},
      {.kind = MCP_AUDIO, .data = "abc", .data_len = 3, .mime_type = "audio/wav"},
      {.kind = MCP_EMBEDDED, .uri = "x://a", .mime_type = "text/plain", .text = "hi"},
      {.kind = MCP_EMBEDDED, .uri = "x://b", .data = "abcd", .data_len = 4},
      {.kind = MCP_LINK, .uri = "x://c", .name = "c", .mime_type = "text/html"}};
  mcp_call_finish(
      call, &(struct mcp_tool_result){.text = "one", .text_len = 3, .parts = parts, .n_parts = 6});
  mcp_call_unref(call);
}

static void showing(struct mcp_server_options *o)
{
  o->tools.call = show;
}

static void every_kind_of_content_has_its_form(void)
{
  fixture_start(&f, showing);
  fixture_initialize(&f, "2025-11-25");
  expect(ask("tools/call", "\"name\":\"echo\""),
         "{\"content\":[{\"type\":\"text\",\"text\":\"one\"},"
         "{\"type\":\"text\",\"text\":\"\\\"two\\\"\"},"
         "{\"type\":\"image\",\"data\":\"AP8=\",\"mimeType\":\"image/png\"},"
         "{\"type\":\"audio\",\"data\":\"YWJj\",\"mimeType\":\"audio/wav\"},"
         "{\"type\":\"resource\",\"resource\":{\"uri\":\"x://a\",\"mimeType\":\"text/plain\","
         "\"text\":\"hi\"}},"
         "{\"type\":\"resource\",\"resource\":{\"uri\":\"x://b\",\"blob\":\"YWJjZA==\"}},"
         "{\"type\":\"resource_link\",\"uri\":\"x://c\",\"name\":\"c\",\"mimeType\":\"text/html\"}"
         "],\"isError\":false}");
  fixture_stop(&f);
}

static void what_a_version_does_not_know_becomes_text(void)
{
  fixture_start(&f, showing);
  fixture_initialize(&f, "2025-03-26");
  struct answer *a = ask("tools/call", "\"name\":\"echo\"");
  CU_ASSERT_TRUE(says(a->body, "\"type\":\"audio\""));
  CU_ASSERT_TRUE(says(a->body, "{\"type\":\"text\",\"text\":\"c: x://c\"}"));
  answer_free(a);
  fixture_initialize(&f, "2024-11-05");
  a = ask("tools/call", "\"name\":\"echo\"");
  CU_ASSERT_PTR_NULL(strstr(a->body, "\"type\":\"audio\""));
  CU_ASSERT_TRUE(says(a->body, "a sound of type audio/wav"));
  answer_free(a);
  fixture_stop(&f);
}

/* -------------------------------------------------------------------- logs */

static void log_all(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  (void)host, (void)tool;
  for (int i = 0; i < MCP_LEVELS; i++)
    mcp_call_log(call, (enum mcp_level)i, i == 4 ? "lo\"g" : NULL, "said");
  mcp_call_finish(call, &(struct mcp_tool_result){.text = "one", .text_len = 3});
  mcp_call_unref(call);
}

static void logging(struct mcp_server_options *o)
{
  o->tools.call = log_all;
  o->tools.logs = true;
  o->max_kept_sessions = 8;
}

static int logged(const char *params)
{
  struct answer *a = ask("tools/call", params);
  int n = a->stream ? a->n_events - 1 : 0;
  answer_free(a);
  return n;
}

static void sessions_get_the_levels_they_set(void)
{
  fixture_start(&f, logging);
  fixture_initialize(&f, "2025-11-25");
  CU_ASSERT_EQUAL(logged("\"name\":\"echo\""), 7); /* from info on */
  expect(ask("logging/setLevel", "\"level\":\"error\""), "\"result\":{}");
  struct answer *a = ask("tools/call", "\"name\":\"echo\"");
  CU_ASSERT_EQUAL(a->n_events, 5);
  CU_ASSERT_STRING_EQUAL(a->events[0],
                         "{\"jsonrpc\":\"2.0\",\"method\":\"notifications/message\",\"params\":{"
                         "\"level\":\"error\",\"logger\":\"lo\\\"g\",\"data\":\"said\"}}");
  answer_free(a);
  expect_code(ask("logging/setLevel", "\"level\":\"loud\""), 200, -32602);
  expect_code(ask("logging/setLevel", ""), 200, -32602);
  CU_ASSERT_EQUAL(logged("\"name\":\"echo\""), 4);
  fixture_stop(&f);
}

static void settings_are_bounded_and_end_with_their_session(void)
{
  fixture_start(&f, logging);
  for (int i = 0; i < 3; i++) {
    fixture_initialize(&f, "2025-11-25");
    struct answer *a = ask("logging/setLevel", "\"level\":\"error\"");
    CU_ASSERT_EQUAL(answer_code(a), i < 2 ? 0 : -32603); /* a quarter of eight */
    answer_free(a);
  }
  CU_ASSERT_EQUAL(mcp_server_sessions(f.server), 2);
  fixture_now += INT64_C(8) * 24 * 3600 * 1000;
  mcp_server_tick(f.server);
  CU_ASSERT_EQUAL(mcp_server_sessions(f.server), 0);
  fixture_initialize(&f, "2025-11-25");
  expect(ask("logging/setLevel", "\"level\":\"error\""), "\"result\":{}");
  CU_ASSERT_EQUAL(
      mcp_server_delete(f.server, &(struct mcp_headers){.session_id = f.session}, &alice), 204);
  CU_ASSERT_EQUAL(mcp_server_sessions(f.server), 0);
  fixture_stop(&f);
}

static void modern_requests_name_their_level_or_get_none(void)
{
#define LEVEL(l) ",\"io.modelcontextprotocol/logLevel\":" l
  fixture_start(&f, logging);
  struct answer *a = ask_modern("tools/call", "echo", "\"name\":\"echo\",", "");
  CU_ASSERT_FALSE(a->stream);
  answer_free(a);
  a = ask_modern("tools/call", "echo", "\"name\":\"echo\",", LEVEL("\"alert\""));
  CU_ASSERT_EQUAL(a->n_events, 3);
  answer_free(a);
  expect_code(ask_modern("tools/call", "echo", "\"name\":\"echo\",", LEVEL("\"loud\"")), 400,
              -32602);
  expect_code(ask_modern("tools/call", "echo", "\"name\":\"echo\",", LEVEL("3")), 400, -32602);
  expect_code(ask_modern("logging/setLevel", NULL, "\"level\":\"info\",", ""), 404, -32601);
  fixture_stop(&f);
}

/* ------------------------------------------------------------------- needs */

static struct mcp_tool needy[1];

static void needing(struct mcp_server_options *o)
{
  needy[0] = o->tools.tools[0];
  needy[0].needs = MCP_CLIENT_SAMPLING | MCP_CLIENT_ROOTS;
  o->tools.tools = needy;
  o->tools.n_tools = 1;
}

static void a_tool_that_needs_more_of_its_client_is_not_run(void)
{
  fixture_start(&f, needing);
  struct answer *a = ask_modern("tools/call", "echo", "\"name\":\"echo\",", "");
  CU_ASSERT_TRUE(
      says(a->body, "\"data\":{\"requiredCapabilities\":{\"roots\":{},\"sampling\":{}}}"));
  expect_code(a, 400, -32021);
  fixture_initialize_as(&f, "2025-11-25", "{\"roots\":{}}");
  expect(ask("tools/call", "\"name\":\"echo\""), "\"isError\":true");
  CU_ASSERT_EQUAL(f.host_calls, 0);
  fixture_initialize_as(&f, "2025-11-25", "{\"roots\":{},\"sampling\":{}}");
  expect(ask("tools/call", "\"name\":\"echo\""), "\"isError\":false");
  fixture_stop(&f);
}

/* ------------------------------------------------------------------ scopes */

static struct mcp_tool scoped[16];

static void scoping(struct mcp_server_options *o)
{
  CU_ASSERT_FATAL(o->tools.n_tools <= ARRAY_LEN(scoped));
  memcpy(scoped, o->tools.tools, o->tools.n_tools * sizeof(scoped[0]));
  scoped[0].scopes = "read more";
  o->tools.tools = scoped;
  fixture_offer(o);
}

static bool has_none(const struct mcp_principal *p, const char *scopes)
{
  return strcmp(p->id, "alice") != 0 || strcmp(scopes, "read more") != 0;
}

static void expect_forbidden(struct answer *a)
{
  CU_ASSERT_STRING_EQUAL(a->scopes, "read more");
  CU_ASSERT_FALSE(a->stream);
  CU_ASSERT_TRUE(says(a->body, "\"id\":3"));
  expect_code(a, 403, -32600);
}

static void a_call_beyond_the_scopes_is_forbidden_before_anything_runs(void)
{
#define ECHO "\"name\":\"echo\",\"_meta\":{\"progressToken\":1}"
  fixture_start(&f, scoping);
  fixture_has_scopes = has_none;
  fixture_initialize(&f, "2025-11-25");
  expect_forbidden(ask("tools/call", ECHO));
  expect_forbidden(ask("resources/read", "\"uri\":\"test://echo\""));
  expect_forbidden(ask_modern("tools/call", "echo", "\"name\":\"echo\",", ""));
  CU_ASSERT_EQUAL(f.host_calls, 0);
  expect(ask("tools/call", "\"name\":\"fail\""), "\"isError\":true");
  struct mcp_headers none = {0};
  struct answer *a = post_as(&f,
                             "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"tools/call\",\"params\":{"
                             "\"name\":\"echo\"}}",
                             &none, "bob", true, true);
  CU_ASSERT_EQUAL(a->status, 200);
  answer_free(a);
  CU_ASSERT_EQUAL(f.host_calls, 2);
  fixture_stop(&f);
}

static void in_a_batch_it_is_an_error_like_any_other(void)
{
  fixture_start(&f, scoping);
  fixture_has_scopes = has_none;
  fixture_initialize(&f, "2025-03-26");
  struct answer *a =
      post(&f, "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"tools/call\",\"params\":{"
               "\"name\":\"echo\"}},{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"ping\"}]");
  CU_ASSERT_EQUAL(a->status, 200);
  CU_ASSERT_TRUE(says(a->body, "\"id\":1,\"error\":{\"code\":-32600"));
  CU_ASSERT_TRUE(says(a->body, "\"id\":2,\"result\":{}"));
  answer_free(a);
  fixture_stop(&f);
}

/* ----------------------------------------------------------- subscriptions */

static void changing(struct mcp_server_options *o)
{
  fixture_offer(o);
  o->tools.resources_change = true;
}

static void subscribers_hear_of_their_resources(void)
{
#define UPDATED "\"method\":\"notifications/resources/updated\",\"params\":{"
  fixture_start(&f, changing);
  fixture_initialize(&f, "2025-11-25");
  struct answer *got = xcalloc(1, sizeof(*got));
  CU_ASSERT_EQUAL(get_as(&f, got, f.session, "alice"), 0);
  mcp_server_resource_changed(f.server, "test://echo");
  CU_ASSERT_EQUAL(got->n_events, 0);
  expect(ask("resources/subscribe", "\"uri\":\"test://echo\""), "\"result\":{}");
  mcp_server_resource_changed(f.server, "test://echo");
  mcp_server_resource_changed(f.server, "test://fail");
  CU_ASSERT_EQUAL(got->n_events, 1);
  CU_ASSERT_TRUE(says(last(got), UPDATED "\"uri\":\"test://echo\"}"));
  expect(ask("resources/unsubscribe", "\"uri\":\"test://echo\""), "\"result\":{}");
  mcp_server_resource_changed(f.server, "test://echo");
  CU_ASSERT_EQUAL(got->n_events, 1);
  expect_code(ask("resources/subscribe", "\"uri\":7"), 200, -32602);
  mcp_exchange_gone(got->exchange);
  answer_free(got);
  fixture_stop(&f);
}

static void listeners_hear_of_the_resources_they_name(void)
{
  fixture_start(&f, changing);
  struct answer *a = ask_modern(
      "subscriptions/listen", NULL,
      "\"notifications\":{\"toolsListChanged\":true,\"resourceSubscriptions\":[\"test://echo\"]},",
      "");
  CU_ASSERT_TRUE(says(last(a), "\"notifications\":{\"resourceSubscriptions\":[\"test://echo\"]}"));
  mcp_server_resource_changed(f.server, "test://fail");
  mcp_server_resource_changed(f.server, "test://echo");
  CU_ASSERT_EQUAL(a->n_events, 2);
  CU_ASSERT_TRUE(says(last(a), UPDATED "\"_meta\":{\"io.modelcontextprotocol/subscriptionId\":3},"
                                       "\"uri\":\"test://echo\"}"));
  mcp_exchange_gone(a->exchange);
  answer_free(a);
  expect_code(ask_modern("subscriptions/listen", NULL,
                         "\"notifications\":{\"resourceSubscriptions\":\"test://echo\"},", ""),
              200, -32602);
  fixture_stop(&f);
}

/* ------------------------------------------------------- prompts and pages */

static void make_prompt(void *host, const struct mcp_prompt *prompt, struct mcp_call *call)
{
  (void)host;
  const char *who = json_get_string(mcp_call_arguments(call), "who");
  const struct mcp_message messages[] = {
      {.content = {.kind = MCP_TEXT, .text = who}},
      {.assistant = true, .content = {.kind = MCP_LINK, .uri = "x://a", .name = "a"}}};
  if (strcmp(prompt->name, "bad") == 0)
    mcp_call_finish(call, &(struct mcp_tool_result){.is_error = true, .text = "no", .text_len = 2});
  else
    mcp_call_finish_prompt(call, messages, 2);
  mcp_call_unref(call);
}

static const struct mcp_prompt_argument who = {.name = "who", .description = "W", .otherwise = ""};
static const struct mcp_prompt made[] = {
    {.name = "good", .title = "G", .description = "D", .arguments = &who, .n_arguments = 1},
    {.name = "bad", .title = "B", .description = "D"},
    {.name = "text", .title = "T", .description = "D", .text = "T"}};

static void making(struct mcp_server_options *o)
{
  fixture_offer(o);
  o->tools.prompts = made;
  o->tools.n_prompts = ARRAY_LEN(made);
  o->tools.prompt = make_prompt;
  o->page_size = 2;
}

static void the_host_makes_prompts_without_a_text(void)
{
  fixture_start(&f, making);
  fixture_initialize(&f, "2025-11-25");
  expect(ask("prompts/get", "\"name\":\"good\",\"arguments\":{\"who\":\"me\"}"),
         "{\"description\":\"D\",\"messages\":[{\"role\":\"user\",\"content\":{\"type\":\"text\","
         "\"text\":\"me\"}},{\"role\":\"assistant\",\"content\":{\"type\":\"resource_link\","
         "\"uri\":\"x://a\",\"name\":\"a\"}}]}");
  expect_code(ask("prompts/get", "\"name\":\"good\""), 200, -32602);
  expect_code(ask("prompts/get", "\"name\":\"bad\""), 200, -32603);
  fixture_stop(&f);
}

/* Reads a list to its end; how many names and pages there are. */
static void read_list(const char *method, const char *key, int *names, int *pages)
{
  AUTO_FREE char *cursor = xstrdup("");
  *names = *pages = 0;
  while (cursor != NULL) {
    AUTO_FREE char *params = xasprintf("\"cursor\":\"%s\"", cursor);
    struct answer *a = ask(method, params);
    AUTO_JSON cJSON *j = answer_json(a);
    const cJSON *result = cJSON_GetObjectItemCaseSensitive(j, "result");
    *names += cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(result, key));
    *pages += 1;
    const char *next = json_get_string(result, "nextCursor");
    free(cursor);
    cursor = next != NULL ? xstrdup(next) : NULL;
    answer_free(a);
  }
}

static void every_list_has_pages(void)
{
  int names, pages;
  fixture_start(&f, making);
  fixture_initialize(&f, "2025-11-25");
  read_list("tools/list", "tools", &names, &pages);
  CU_ASSERT_EQUAL(names, 5);
  CU_ASSERT_EQUAL(pages, 3);
  read_list("resources/list", "resources", &names, &pages);
  CU_ASSERT_EQUAL(names, 4);
  CU_ASSERT_EQUAL(pages, 2);
  read_list("prompts/list", "prompts", &names, &pages);
  CU_ASSERT_EQUAL(names, 3);
  CU_ASSERT_EQUAL(pages, 2);
  expect_code(ask("prompts/list", "\"cursor\":\"dG9vbHM6Mg\""), 200, -32602); /* "tools:2" */
  fixture_stop(&f);
}

TEST_MAIN("mcp_library", TEST(every_kind_of_content_has_its_form),
          TEST(what_a_version_does_not_know_becomes_text), TEST(sessions_get_the_levels_they_set),
          TEST(settings_are_bounded_and_end_with_their_session),
          TEST(modern_requests_name_their_level_or_get_none),
          TEST(a_tool_that_needs_more_of_its_client_is_not_run),
          TEST(a_call_beyond_the_scopes_is_forbidden_before_anything_runs),
          TEST(in_a_batch_it_is_an_error_like_any_other), TEST(subscribers_hear_of_their_resources),
          TEST(listeners_hear_of_the_resources_they_name),
          TEST(the_host_makes_prompts_without_a_text), TEST(every_list_has_pages))
