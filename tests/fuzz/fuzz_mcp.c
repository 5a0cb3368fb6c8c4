/* Fuzz target of MCP messages: the first byte chooses headers, then come two posted bodies, a
 * line each. Whatever is posted is answered once, or not at all after the client has gone. */
#include "gateway/mcp/server.h"
#include "tests/fuzz/fuzz.h"

struct answer {
  int replies, starts, ends, releases;
  char session[128];
};

static void keep_session(struct answer *a, const char *session_id)
{
  if (session_id != NULL)
    snprintf(a->session, sizeof(a->session), "%s", session_id);
}

static void on_reply(void *arg, int status, const char *session_id, struct buf *body)
{
  struct answer *a = arg;
  FUZZ_MUST(a->releases == 0 && status >= 200 && status < 600);
  a->replies++;
  keep_session(a, session_id);
  buf_free(body);
}

static void on_start(void *arg, const char *session_id)
{
  struct answer *a = arg;
  FUZZ_MUST(a->releases == 0 && a->replies == 0);
  a->starts++;
  keep_session(a, session_id);
}

static void on_event(void *arg, const char *json, size_t len)
{
  struct answer *a = arg;
  FUZZ_MUST(a->releases == 0 && a->starts == 1 && a->ends == 0);
  FUZZ_MUST(memchr(json, '\n', len) == NULL);
}

static void on_end(void *arg)
{
  struct answer *a = arg;
  FUZZ_MUST(a->releases == 0 && a->starts == 1);
  a->ends++;
}

static void on_release(void *arg)
{
  ((struct answer *)arg)->releases++;
}

static void principal_ref(struct mcp_principal *p)
{
  (void)p;
}

/* Answers at once with its arguments, with progress before. */
static void call_tool(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  (void)host, (void)tool;
  static const struct mcp_choice choice = {"v", "V"};
  static const struct mcp_question question = {
      .key = "k", .message = "?", .choices = &choice, .n = 1};
  const char *value;
  AUTO_FREE char *text = cJSON_PrintUnformatted(mcp_call_arguments(call));
  mcp_call_progress(call, 1, 2, "half");
  mcp_call_log(call, MCP_LEVEL_WARNING, "fuzz", "half");
  if (mcp_call_may_ask(call) && mcp_call_answer(call, "k", &value) == MCP_NO_ANSWER) {
    mcp_call_ask(call, &question, 1);
    mcp_call_unref(call);
    return;
  }
  mcp_call_finish(call, &(struct mcp_tool_result){.text = text,
                                                  .text_len = strlen(text),
                                                  .structured = text,
                                                  .structured_len = strlen(text)});
  mcp_call_unref(call);
}

static void complete(void *host, const struct mcp_completion *c,
                     const struct mcp_tool_result *result,
                     void (*add)(void *arg, const char *value), void *arg)
{
  (void)host, (void)c;
  add(arg, result->text);
}

static void post(struct mcp_server *s, uint8_t choice, const char *body, char session[128])
{
  static const struct mcp_sink sink = {.reply = on_reply,
                                       .stream_start = on_start,
                                       .stream_event = on_event,
                                       .stream_end = on_end,
                                       .release = on_release};
  static const char *const versions[] = {NULL, "2025-06-18", "2025-11-25", "2026-07-28"};
  static const char *const methods[] = {NULL, "tools/call", "subscriptions/listen",
                                        "completion/complete"};
  struct mcp_principal alice = {.id = "alice", .ref = principal_ref, .unref = principal_ref};
  struct answer a = {0};
  struct mcp_exchange *exchange = NULL;
  struct mcp_post request = {
      .headers = {.session_id = *session != '\0' ? session : NULL,
                  .protocol_version = versions[choice & 3],
                  .method = methods[choice >> 6 ? choice >> 6 : (choice & 4) != 0],
                  .name = choice & 8 ? "echo" : NULL},
      .accepts_json = (choice & 0x30) != 0x10,
      .accepts_sse = (choice & 0x30) != 0x20,
      .body = body,
      .body_len = strlen(body),
      .principal = &alice};
  mcp_server_post(s, &request, &sink, &a, &exchange);
  mcp_server_tick(s);
  mcp_exchange_gone(exchange);
  mcp_exchange_unref(exchange);
  FUZZ_MUST(a.releases == 1 && a.replies + a.starts <= 1 && a.ends <= a.starts);
  snprintf(session, 128, "%s", a.session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  static const struct mcp_tool echo = {.name = "echo",
                                       .title = "Echo",
                                       .description = "Gives back its arguments.",
                                       .input_schema = "{\"type\":\"object\"}",
                                       .output_schema = "{\"type\":\"object\"}",
                                       .read_only = true};
  static const struct mcp_resource resource = {.uri = "x://{a}/{b}",
                                               .name = "x",
                                               .title = "X",
                                               .description = "X",
                                               .tool = &echo,
                                               .arguments = "{\"a\":\"{a}\",\"b\":\"{b}\"}"};
  static const struct mcp_completion completion = {
      .argument = "a", .tool = &echo, .arguments = "{\"x\":\"{value}\",\"y\":\"{b}\"}"};
  struct mcp_server_options options = {.name = "fuzz",
                                       .title = "Fuzz",
                                       .version = "1",
                                       .tools = {.tools = &echo,
                                                 .n_tools = 1,
                                                 .call = call_tool,
                                                 .resources = &resource,
                                                 .n_resources = 1,
                                                 .completions = &completion,
                                                 .n_completions = 1,
                                                 .complete = complete,
                                                 .lists_change = true,
                                                 .resources_change = true,
                                                 .logs = true},
                                       .asks_in_sessions = true,
                                       .max_deleted_sessions = 4};
  static struct ring *keys;
  if (keys == NULL)
    ring_new(&keys, "FUZZ", NULL, NULL);
  options.session_keys = keys;
  struct fuzz_input in = {data, size};
  uint8_t choice = fuzz_byte(&in);
  AUTO_FREE char *first = fuzz_line(&in);
  AUTO_FREE char *second = fuzz_line(&in);
  char session[128] = "";
  struct mcp_server *s = mcp_server_new(&options);
  post(s, choice, first, session);
  post(s, choice, second, session);
  mcp_server_free(s);
  return 0;
}
