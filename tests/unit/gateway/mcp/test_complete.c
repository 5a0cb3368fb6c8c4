/* Resource templates, and the completion of arguments. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "gateway/mcp/template.h"
#include "tests/unit/gateway/mcp/fixture.h"
#include "tests/unit/harness.h"

#define RPC(method, params)                                                                        \
  "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"" method "\",\"params\":{" params "}}"
#define COMPLETE(ref, name, value)                                                                 \
  RPC("completion/complete",                                                                       \
      "\"ref\":{" ref "},\"argument\":{\"name\":\"" name "\",\"value\":\"" value "\"}")
#define ASK "\"type\":\"ref/prompt\",\"name\":\"ask\""

static struct fixture f;
static struct mcp_resource resources[3];
static struct mcp_completion completions[3];
static size_t many; /* values that the host gives */

/* The values of a tool's answer {"text": "x"}: x, x1, x2, ... */
static void values(void *host, const struct mcp_completion *c, const struct mcp_tool_result *r,
                   void (*add)(void *arg, const char *value), void *arg)
{
  (void)host, (void)c;
  AUTO_JSON cJSON *j = cJSON_Parse(r->structured);
  char text[64];
  for (size_t i = 0; i < many; i++) {
    snprintf(text, sizeof(text), "%s%zu", json_get_string(j, "text"), i);
    add(arg, text);
  }
}

static const struct mcp_tool *tool(const struct mcp_server_options *o, const char *name)
{
  for (size_t i = 0; i < o->tools.n_tools; i++) {
    if (strcmp(o->tools.tools[i].name, name) == 0)
      return &o->tools.tools[i];
  }
  return NULL;
}

static void offer(struct mcp_server_options *o)
{
  fixture_offer(o);
  resources[0] = (struct mcp_resource){.uri = "test://dealers/{dealer}/fields/{field}",
                                       .name = "fields",
                                       .title = "T",
                                       .description = "D",
                                       .tool = tool(o, "echo"),
                                       .arguments = "{\"id\":\"{dealer}\",\"text\":\"{field}\","
                                                    "\"limit\":5}"};
  resources[1] = (struct mcp_resource){
      .uri = "test://plain", .name = "plain", .title = "T", .description = "D", .content = "plain"};
  o->tools.resources = resources;
  resources[2] = (struct mcp_resource){.uri = "test://gone/{id}",
                                       .name = "gone",
                                       .title = "T",
                                       .description = "D",
                                       .tool = tool(o, "fail"),
                                       .arguments = "{\"gone\":\"{id}\"}"};
  o->tools.n_resources = 3;
  completions[0] =
      (struct mcp_completion){"dealer", tool(o, "echo"), "{\"text\":\"{value}\"}", NULL};
  completions[1] = (struct mcp_completion){"field", tool(o, "echo"),
                                           "{\"text\":\"{value}\",\"id\":\"{dealer}\"}", NULL};
  completions[2] = (struct mcp_completion){"period", tool(o, "fail"), "{}", NULL};
  o->tools.completions = completions;
  o->tools.n_completions = 3;
  o->tools.complete = values;
}

static void start(void)
{
  many = 2;
  fixture_start(&f, offer);
  fixture_initialize(&f, "2025-11-25");
}

static void expect(const char *body, const char *part)
{
  struct answer *a = post(&f, body);
  CU_ASSERT_PTR_NOT_NULL_FATAL(a->body);
  if (strstr(a->body, part) == NULL)
    printf("\n  got %s\n  wanted %s\n", a->body, part);
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, part));
  answer_free(a);
}

static void templates_are_listed_by_themselves(void)
{
  start();
  expect(RPC("resources/templates/list", ""),
         "{\"resourceTemplates\":[{\"uriTemplate\":\"test://dealers/{dealer}/fields/{field}\"");
  struct answer *a = post(&f, RPC("resources/list", ""));
  CU_ASSERT_PTR_NULL(strstr(a->body, "dealers/"));
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"uri\":\"test://plain\""));
  answer_free(a);
  fixture_stop(&f);
}

static void reading_fills_the_arguments_from_the_uri(void)
{
  start();
  expect(RPC("resources/read", "\"uri\":\"test://dealers/d01/fields/page%20views\""),
         "\"contents\":[{\"uri\":\"test://dealers/d01/fields/page%20views\"");
  CU_ASSERT_STRING_EQUAL(f.last_arguments, "{\"id\":\"d01\",\"text\":\"page views\",\"limit\":5}");
  expect(RPC("resources/read", "\"uri\":\"test://dealers/d01/fields/\""), "-32002");
  expect(RPC("resources/read", "\"uri\":\"test://dealers/d01/fields/a/b\""), "-32002");
  expect(RPC("resources/read", "\"uri\":\"test://dealers/d01\""), "-32002");
  fixture_stop(&f);
}

static void what_the_tool_finds_nothing_under_is_not_there(void)
{
  start();
  expect(RPC("resources/read", "\"uri\":\"test://gone/d99\""),
         "\"code\":-32002,\"message\":\"id: there is no such thing\","
         "\"data\":{\"uri\":\"test://gone/d99\"}");
  fixture_stop(&f);
}

static void a_uri_fits_a_template_whole_or_not_at_all(void)
{
  static const struct {
    const char *template, *uri, *values; /* NULL: does not fit */
  } rows[] = {{"a://x", "a://x", "{}"},
              {"a://x", "a://xy", NULL},
              {"a://xy", "a://x", NULL},
              {"a://{n}", "a://b", "{\"n\":\"b\"}"},
              {"a://{n}", "a://", NULL},
              {"a://{n}", "a://b/c", NULL},
              {"a://{n}.txt", "a://b.txt", "{\"n\":\"b\"}"},
              {"a://{n}/{m}", "a://b/c", "{\"n\":\"b\",\"m\":\"c\"}"},
              {"a://{n}", "a://%7Bm%7D", "{\"n\":\"{m}\"}"},
              {"a://{n}", "a://%c3%a4", "{\"n\":\"\xc3\xa4\"}"},
              {"a://{n}", "a://%c3", NULL},
              {"a://{n}", "a://%00", NULL},
              {"a://{n}", "a://%4", NULL},
              {"a://{n}", "a://%zz", NULL}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    AUTO_JSON cJSON *got = mcp_template_match(rows[i].template, rows[i].uri);
    AUTO_JSON cJSON *wanted = rows[i].values != NULL ? cJSON_Parse(rows[i].values) : NULL;
    CU_ASSERT_EQUAL(got != NULL, wanted != NULL);
    CU_ASSERT_TRUE(wanted == NULL || cJSON_Compare(got, wanted, true));
  }
}

static void arguments_are_completed_by_their_tool(void)
{
  start();
  expect(COMPLETE(ASK, "dealer", "Fo"),
         "{\"completion\":{\"values\":[\"Fo0\",\"Fo1\"],\"total\":2,\"hasMore\":false}}");
  CU_ASSERT_STRING_EQUAL(f.last_arguments, "{\"text\":\"Fo\"}");
  many = 150;
  struct answer *a = post(&f, COMPLETE(ASK, "dealer", "x"));
  CU_ASSERT_PTR_NOT_NULL(strstr(a->body, "\"x99\"],\"total\":150,\"hasMore\":true"));
  answer_free(a);
  fixture_stop(&f);
}

static void what_is_chosen_already_takes_part(void)
{
#define FIELD                                                                                      \
  "\"ref\":{\"type\":\"ref/resource\",\"uri\":\"test://dealers/{dealer}/fields/{field}\"},"        \
  "\"argument\":{\"name\":\"field\",\"value\":\"se\"}"
  start();
  expect(RPC("completion/complete", FIELD ",\"context\":{\"arguments\":{\"dealer\":\"d01\"}}"),
         "\"values\":[\"se0\",\"se1\"]");
  CU_ASSERT_STRING_EQUAL(f.last_arguments, "{\"text\":\"se\",\"id\":\"d01\"}");
  expect(RPC("completion/complete", FIELD), "\"values\":[]");
  fixture_stop(&f);
}

static void what_cannot_be_completed_has_no_values(void)
{
  static const char *const bodies[] = {
      COMPLETE(ASK, "other", "x"),
      COMPLETE("\"type\":\"ref/prompt\",\"name\":\"nope\"", "dealer", "x"),
      COMPLETE("\"type\":\"ref/resource\",\"uri\":\"test://plain\"", "dealer", "x"),
      COMPLETE("\"type\":\"ref/resource\"", "dealer", "x"), COMPLETE(ASK, "period", "x")};
  start();
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
    expect(bodies[i], "{\"completion\":{\"values\":[],\"total\":0,\"hasMore\":false}}");
  fixture_stop(&f);
}

static void malformed_completions_are_invalid_params(void)
{
  static const char *const bodies[] = {
      RPC("completion/complete", ""), COMPLETE("\"type\":\"ref/tool\"", "dealer", "x"),
      RPC("completion/complete", "\"ref\":{" ASK "}"),
      RPC("completion/complete",
          "\"ref\":{" ASK "},\"argument\":{\"name\":\"dealer\",\"value\":7}")};
  start();
  for (size_t i = 0; i < ARRAY_LEN(bodies); i++)
    expect(bodies[i], "\"code\":-32602");
  fixture_stop(&f);
}

static void completion_is_declared_from_2025_03_26_on(void)
{
  start();
  expect("{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{\"protocolVersion\":"
         "\"2025-03-26\"}}",
         "\"completions\":{}");
  struct answer *a = post(&f, "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
                              "\"protocolVersion\":\"2024-11-05\"}}");
  CU_ASSERT_PTR_NULL(strstr(a->body, "completions"));
  answer_free(a);
  fixture_stop(&f);
  fixture_start(&f, fixture_offer);
  fixture_initialize(&f, "2025-11-25");
  expect(COMPLETE(ASK, "dealer", "x"), "-32601");
  fixture_stop(&f);
}

TEST_MAIN("mcp_complete", TEST(templates_are_listed_by_themselves),
          TEST(reading_fills_the_arguments_from_the_uri),
          TEST(what_the_tool_finds_nothing_under_is_not_there),
          TEST(a_uri_fits_a_template_whole_or_not_at_all),
          TEST(arguments_are_completed_by_their_tool), TEST(what_is_chosen_already_takes_part),
          TEST(what_cannot_be_completed_has_no_values),
          TEST(malformed_completions_are_invalid_params),
          TEST(completion_is_declared_from_2025_03_26_on))
