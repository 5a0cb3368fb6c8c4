/* Tools of the suites that ask the person behind the client. */
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/e2e/conformance/server/suite.h"

#define STRING "{\"type\":\"string\"}"
#define FORM(properties, required)                                                                 \
  "{\"type\":\"object\",\"properties\":{" properties "},\"required\":[" required "]}"

/* Asks, or ends with what was answered. */
static void ask(struct mcp_call *call, const struct mcp_question *q)
{
  const cJSON *form;
  enum mcp_answer answer = mcp_call_form(call, q->key, &form);
  if (answer == MCP_NO_ANSWER && mcp_call_may_ask(call)) {
    mcp_call_ask(call, q, 1);
    return;
  }
  AUTO_FREE char *content = form != NULL ? cJSON_PrintUnformatted(form) : NULL;
  AUTO_FREE char *text =
      xasprintf("action=%s, content=%s", answer == MCP_ANSWERED ? "accept" : "decline",
                content != NULL ? content : "{}");
  suite_say(call, text);
}

void suite_ask_name(struct suite *s, struct mcp_call *call)
{
  (void)s;
  ask(call, &(struct mcp_question){.key = "user_name",
                                   .message = "What is your name?",
                                   .schema = FORM("\"name\":" STRING, "\"name\"")});
}

void suite_ask_user(struct suite *s, struct mcp_call *call)
{
  (void)s;
  const char *message = json_get_string(mcp_call_arguments(call), "message");
  ask(call, &(struct mcp_question){.key = "user",
                                   .message = message != NULL ? message : "Who are you?",
                                   .schema = FORM("\"username\":" STRING ",\"email\":" STRING,
                                                  "\"username\",\"email\"")});
}

void suite_ask_defaults(struct suite *s, struct mcp_call *call)
{
  (void)s;
  ask(call, &(struct mcp_question){
                .key = "person",
                .message = "Please review the form",
                .schema = FORM("\"name\":{\"type\":\"string\",\"default\":\"John Doe\"},"
                               "\"age\":{\"type\":\"integer\",\"default\":30},"
                               "\"score\":{\"type\":\"number\",\"default\":95.5},"
                               "\"status\":{\"type\":\"string\",\"enum\":[\"active\",\"inactive\","
                               "\"pending\"],\"default\":\"active\"},"
                               "\"verified\":{\"type\":\"boolean\",\"default\":true}",
                               "")});
}

void suite_ask_enums(struct suite *s, struct mcp_call *call)
{
  (void)s;
  ask(call, &(struct mcp_question){
                .key = "options",
                .message = "Please choose",
                .schema = FORM(
                    "\"untitledSingle\":{\"type\":\"string\",\"enum\":[\"option1\",\"option2\","
                    "\"option3\"]},"
                    "\"titledSingle\":{\"type\":\"string\",\"oneOf\":["
                    "{\"const\":\"value1\",\"title\":\"First Option\"},"
                    "{\"const\":\"value2\",\"title\":\"Second Option\"},"
                    "{\"const\":\"value3\",\"title\":\"Third Option\"}]},"
                    "\"legacyEnum\":{\"type\":\"string\",\"enum\":[\"opt1\",\"opt2\",\"opt3\"],"
                    "\"enumNames\":[\"Option One\",\"Option Two\",\"Option Three\"]},"
                    "\"untitledMulti\":{\"type\":\"array\",\"items\":{\"type\":\"string\","
                    "\"enum\":[\"option1\",\"option2\",\"option3\"]}},"
                    "\"titledMulti\":{\"type\":\"array\",\"items\":{\"anyOf\":["
                    "{\"const\":\"value1\",\"title\":\"First Choice\"},"
                    "{\"const\":\"value2\",\"title\":\"Second Choice\"},"
                    "{\"const\":\"value3\",\"title\":\"Third Choice\"}]}}",
                    "")});
}

void suite_ask_confirm(struct suite *s, struct mcp_call *call)
{
  (void)s;
  ask(call, &(struct mcp_question){.key = "confirm",
                                   .message = "Please confirm",
                                   .schema = FORM("\"ok\":{\"type\":\"boolean\"}", "\"ok\"")});
}

void suite_ask_steps(struct suite *s, struct mcp_call *call)
{
  (void)s;
  const cJSON *form;
  static const struct mcp_question steps[] = {
      {.key = "step1",
       .message = "Step 1: What is your name?",
       .schema = FORM("\"name\":" STRING, "\"name\"")},
      {.key = "step2",
       .message = "Step 2: What is your favorite color?",
       .schema = FORM("\"color\":" STRING, "\"color\"")},
  };
  for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
    if (mcp_call_form(call, steps[i].key, &form) != MCP_NO_ANSWER)
      continue;
    ask(call, &steps[i]);
    return;
  }
  const cJSON *first, *second;
  mcp_call_form(call, "step1", &first);
  mcp_call_form(call, "step2", &second);
  const char *name = json_get_string(first, "name"), *color = json_get_string(second, "color");
  AUTO_FREE char *text = xasprintf("%s likes %s", name != NULL ? name : "Somebody",
                                   color != NULL ? color : "no color");
  suite_say(call, text);
}
