/* Resources, prompts and completions of the suites. */
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/e2e/conformance/server/suite.h"

/* -------------------------------------------------------------- resources */

static void read_template(struct suite *s, struct mcp_call *call)
{
  (void)s;
  const char *id = json_get_string(mcp_call_arguments(call), "id");
  AUTO_FREE char *text =
      xasprintf("{\"id\":\"%s\",\"templateTest\":true,\"data\":\"Data for ID: %s\"}", id, id);
  suite_say(call, text);
}

/* Not listed: the template and the completion stand on them. */
static const struct mcp_tool template_tool = {.name = "read_template",
                                              .data = &(const struct suite_run){read_template}};

const struct mcp_resource suite_resources[] = {
    {.uri = "test://static-text",
     .name = "static-text",
     .title = "A text",
     .description = "A text that stands.",
     .content = "This is the content of the static text resource."},
    {.uri = "test://static-binary",
     .name = "static-binary",
     .title = "A picture",
     .description = "Bytes that stand.",
     .mime_type = "image/png",
     .bytes = suite_png,
     .n_bytes = sizeof(suite_png)},
    {.uri = "test://watched-resource",
     .name = "watched-resource",
     .title = "A text",
     .description = "A text to subscribe to.",
     .content = "Watched resource content."},
    {.uri = "test://template/{id}/data",
     .name = "template",
     .title = "Data of an id",
     .description = "A template.",
     .mime_type = "application/json",
     .tool = &template_tool,
     .arguments = "{\"id\":\"{id}\"}"},
};
const size_t suite_resources_len = ARRAY_LEN(suite_resources);

/* ---------------------------------------------------------------- prompts */

static const struct mcp_prompt_argument two[] = {
    {.name = "arg1", .description = "First test argument.", .otherwise = ""},
    {.name = "arg2", .description = "Second test argument.", .otherwise = ""}};
static const struct mcp_prompt_argument uri[] = {
    {.name = "resourceUri", .description = "URI of the resource.", .otherwise = ""}};

const struct mcp_prompt suite_prompts[] = {
    {.name = "test_simple_prompt",
     .title = "Simple",
     .description = "A text.",
     .text = "This is a simple prompt for testing."},
    {.name = "test_prompt_with_arguments",
     .title = "Arguments",
     .description = "A text with two places.",
     .text = "Prompt with arguments: arg1='{arg1}', arg2='{arg2}'",
     .arguments = two,
     .n_arguments = ARRAY_LEN(two)},
    {.name = "test_prompt_with_embedded_resource",
     .title = "Resource",
     .description = "A resource with its content.",
     .arguments = uri,
     .n_arguments = ARRAY_LEN(uri)},
    {.name = "test_prompt_with_image", .title = "Picture", .description = "A picture."},
    {.name = "test_input_required_result_prompt",
     .title = "Question",
     .description = "Asks for its context."},
};
const size_t suite_prompts_len = ARRAY_LEN(suite_prompts);

static void give_resource(struct mcp_call *call)
{
  const struct mcp_message messages[] = {
      {.content = {.kind = MCP_EMBEDDED,
                   .uri = json_get_string(mcp_call_arguments(call), "resourceUri"),
                   .mime_type = "text/plain",
                   .text = "Embedded resource content for testing."}},
      {.content = {.kind = MCP_TEXT, .text = "Please process the embedded resource above."}},
  };
  mcp_call_finish_prompt(call, messages, ARRAY_LEN(messages));
}

static void give_picture(struct mcp_call *call)
{
  const struct mcp_message messages[] = {
      {.content = {.kind = MCP_IMAGE,
                   .data = suite_png,
                   .data_len = sizeof(suite_png),
                   .mime_type = "image/png"}},
      {.content = {.kind = MCP_TEXT, .text = "Please analyze the image above."}},
  };
  mcp_call_finish_prompt(call, messages, ARRAY_LEN(messages));
}

static void give_answered(struct mcp_call *call)
{
  static const struct mcp_question question = {
      .key = "user_context",
      .message = "What context should the prompt use?",
      .schema = "{\"type\":\"object\",\"properties\":{\"context\":{\"type\":\"string\"}},"
                "\"required\":[\"context\"]}"};
  const cJSON *form;
  if (mcp_call_form(call, question.key, &form) == MCP_NO_ANSWER && mcp_call_may_ask(call)) {
    mcp_call_ask(call, &question, 1);
    return;
  }
  const char *context = json_get_string(form, "context");
  const struct mcp_message message = {
      .content = {.kind = MCP_TEXT, .text = context != NULL ? context : "No context"}};
  mcp_call_finish_prompt(call, &message, 1);
}

void suite_prompt(void *host, const struct mcp_prompt *prompt, struct mcp_call *call)
{
  (void)host;
  if (strcmp(prompt->name, "test_prompt_with_image") == 0)
    give_picture(call);
  else if (strcmp(prompt->name, "test_input_required_result_prompt") == 0)
    give_answered(call);
  else
    give_resource(call);
  mcp_call_unref(call);
}

/* ------------------------------------------------------------- completions */

static void read_value(struct suite *s, struct mcp_call *call)
{
  (void)s;
  suite_say(call, json_get_string(mcp_call_arguments(call), "begin"));
}

static const struct mcp_tool value_tool = {.name = "complete_value",
                                           .data = &(const struct suite_run){read_value}};

const struct mcp_completion suite_completions[] = {
    {.argument = "arg1", .tool = &value_tool, .arguments = "{\"begin\":\"{value}\"}"}};
const size_t suite_completions_len = ARRAY_LEN(suite_completions);

void suite_complete(void *host, const struct mcp_completion *c,
                    const struct mcp_tool_result *result, void (*add)(void *arg, const char *value),
                    void *arg)
{
  (void)host, (void)c;
  static const char *const words[] = {"paris", "park", "party", "test", "testing"};
  for (size_t i = 0; i < ARRAY_LEN(words); i++) {
    if (strncmp(words[i], result->text, result->text_len) == 0)
      add(arg, words[i]);
  }
}
