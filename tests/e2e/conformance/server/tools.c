/* The tools of the suites. */
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/e2e/conformance/server/suite.h"

#define NOTHING "{\"type\":\"object\",\"properties\":{}}"

void suite_say(struct mcp_call *call, const char *text)
{
  mcp_call_finish(call, &(struct mcp_tool_result){.text = text, .text_len = strlen(text)});
}

static void give(struct mcp_call *call, const struct mcp_content *parts, size_t n)
{
  mcp_call_finish(call, &(struct mcp_tool_result){.parts = parts, .n_parts = n});
}

static const struct mcp_content picture = {
    .kind = MCP_IMAGE, .data = suite_png, .data_len = sizeof(suite_png), .mime_type = "image/png"};

static void simple_text(struct suite *s, struct mcp_call *call)
{
  (void)s;
  suite_say(call, "This is a simple text response for testing.");
}

static void image(struct suite *s, struct mcp_call *call)
{
  (void)s;
  give(call, &picture, 1);
}

static void audio(struct suite *s, struct mcp_call *call)
{
  (void)s;
  give(call,
       &(struct mcp_content){.kind = MCP_AUDIO,
                             .data = suite_wav,
                             .data_len = sizeof(suite_wav),
                             .mime_type = "audio/wav"},
       1);
}

static void embedded(struct suite *s, struct mcp_call *call)
{
  (void)s;
  give(call,
       &(struct mcp_content){.kind = MCP_EMBEDDED,
                             .uri = "test://embedded-resource",
                             .mime_type = "text/plain",
                             .text = "This is an embedded resource content."},
       1);
}

static void mixed(struct suite *s, struct mcp_call *call)
{
  (void)s;
  const struct mcp_content parts[] = {
      {.kind = MCP_TEXT, .text = "Multiple content types test:"},
      picture,
      {.kind = MCP_EMBEDDED,
       .uri = "test://mixed-content-resource",
       .mime_type = "application/json",
       .text = "{\"test\":\"data\",\"value\":123}"},
      {.kind = MCP_LINK,
       .uri = "test://static-text",
       .name = "static text",
       .mime_type = "text/plain"},
  };
  give(call, parts, ARRAY_LEN(parts));
}

static void fail(struct suite *s, struct mcp_call *call)
{
  (void)s;
  static const char text[] = "This tool intentionally returns an error for testing";
  mcp_call_finish(call, &(struct mcp_tool_result){
                            .is_error = true, .text = text, .text_len = sizeof(text) - 1});
}

static void progress(struct suite *s, struct mcp_call *call)
{
  (void)s;
  for (int done = 0; done <= 100; done += 50)
    mcp_call_progress(call, done, 100, NULL);
  suite_say(call, "Done");
}

static void log_thrice(struct suite *s, struct mcp_call *call)
{
  (void)s;
  mcp_call_log(call, MCP_LEVEL_INFO, NULL, "Tool execution started");
  mcp_call_log(call, MCP_LEVEL_INFO, NULL, "Tool processing data");
  mcp_call_log(call, MCP_LEVEL_INFO, NULL, "Tool execution completed");
  suite_say(call, "Done");
}

static void change_tools(struct suite *s, struct mcp_call *call)
{
  mcp_server_changed(s->server, NULL, MCP_TOOLS_CHANGED);
  suite_say(call, "Changed");
}

static void change_prompts(struct suite *s, struct mcp_call *call)
{
  mcp_server_changed(s->server, NULL, MCP_PROMPTS_CHANGED);
  suite_say(call, "Changed");
}

static void change_resource(struct suite *s, struct mcp_call *call)
{
  mcp_server_resource_changed(s->server, "test://watched-resource");
  suite_say(call, "Changed");
}

/* A tool of the suites: it takes nothing but an object. */
#define TOOL(tool_name, words, function, ...)                                                      \
  {                                                                                                \
    .name = tool_name, .description = words, .input_schema = NOTHING,                              \
    .data = &(const struct suite_run){function}, __VA_ARGS__                                       \
  }

#define SCHEMA_2020                                                                                \
  "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\"type\":\"object\",\"$defs\":{"  \
  "\"address\":{\"$anchor\":\"addressDef\",\"type\":\"object\",\"properties\":{\"street\":{"       \
  "\"type\":"                                                                                      \
  "\"string\"},\"city\":{\"type\":\"string\"}}}},\"properties\":{\"name\":{\"type\":\"string\"},"  \
  "\"address\":{\"$ref\":\"#/$defs/address\"},\"contactMethod\":{\"type\":\"string\",\"enum\":["   \
  "\"phone\",\"email\"]},\"phone\":{\"type\":\"string\"},\"email\":{\"type\":\"string\"}},"        \
  "\"allOf\":["                                                                                    \
  "{\"anyOf\":[{\"required\":[\"phone\"]},{\"required\":[\"email\"]}]}],\"if\":{\"properties\":{"  \
  "\"contactMethod\":{\"const\":\"phone\"}},\"required\":[\"contactMethod\"]},\"then\":{"          \
  "\"required\":[\"phone\"]},\"else\":{\"required\":[\"email\"]},\"additionalProperties\":false}"

/* What the suites look for in the list is on its first page: they read no other. */
const struct mcp_tool suite_tools[] = {
    {.name = "json_schema_2020_12_tool",
     .description = "Has a schema of many words.",
     .input_schema = SCHEMA_2020,
     .data = &(const struct suite_run){simple_text}},
    TOOL("test_simple_text", "A text.", simple_text),
    TOOL("test_image_content", "A picture.", image),
    TOOL("test_audio_content", "A sound.", audio),
    TOOL("test_embedded_resource", "A resource with its content.", embedded),
    TOOL("test_multiple_content_types", "Text, picture, resource and link.", mixed),
    TOOL("test_error_handling", "Fails.", fail),
    TOOL("test_tool_with_progress", "Reports progress.", progress),
    TOOL("test_tool_with_logging", "Logs.", log_thrice),
    TOOL("test_logging_tool", "Logs.", log_thrice),
    TOOL("test_missing_capability", "Needs a client that can sample.", simple_text,
         .needs = MCP_CLIENT_SAMPLING),
    TOOL("test_trigger_tool_change", "Says that the tools changed.", change_tools),
    TOOL("test_trigger_prompt_change", "Says that the prompts changed.", change_prompts),
    TOOL("test_trigger_resource_change", "Says that a resource changed.", change_resource),
    TOOL("test_elicitation", "Asks for a user.", suite_ask_user),
    TOOL("test_elicitation_sep1034_defaults", "Asks with defaults.", suite_ask_defaults),
    TOOL("test_elicitation_sep1330_enums", "Asks with choices.", suite_ask_enums),
    TOOL("test_streaming_elicitation", "Asks for a confirmation.", suite_ask_confirm),
    TOOL("test_input_required_result_elicitation", "Asks for a name.", suite_ask_name,
         .asks_without_state = true),
    TOOL("test_input_required_result_request_state", "Asks once.", suite_ask_confirm),
    TOOL("test_input_required_result_tampered_state", "Asks once.", suite_ask_confirm),
    TOOL("test_input_required_result_multi_round", "Asks twice.", suite_ask_steps),
};
const size_t suite_tools_len = ARRAY_LEN(suite_tools);

static void call_tool(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  const struct suite_run *run = tool->data;
  run->run(host, call);
  mcp_call_unref(call);
}

struct mcp_tool_host suite_host(struct suite *s)
{
  return (struct mcp_tool_host){.tools = suite_tools,
                                .n_tools = suite_tools_len,
                                .call = call_tool,
                                .host = s,
                                .resources = suite_resources,
                                .n_resources = suite_resources_len,
                                .prompts = suite_prompts,
                                .n_prompts = suite_prompts_len,
                                .prompt = suite_prompt,
                                .completions = suite_completions,
                                .n_completions = suite_completions_len,
                                .complete = suite_complete,
                                .lists_change = true,
                                .resources_change = true,
                                .logs = true};
}
