/* A protocol server with a fake tool host and a sink that keeps what was answered. */
#include "tests/unit/gateway/mcp/fixture.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

int64_t fixture_now = 1000;
bool (*fixture_has_scopes)(const struct mcp_principal *p, const char *scopes);

static const struct mcp_tool tools[] = {
    {.name = "echo",
     .title = "Echo",
     .description = "Gives back \"text\".",
     .input_schema = "{\"type\":\"object\",\"properties\":{\"text\":{\"type\":\"string\"}}}",
     .output_schema = "{\"type\":\"object\"}",
     .read_only = true,
     .idempotent = true},
    {.name = "fail",
     .title = "Fail",
     .description = "Fails.",
     .input_schema = "{\"type\":\"object\"}",
     .destructive = true},
    {.name = "forget",
     .title = "Forget",
     .description = "Ends without an answer.",
     .input_schema = "{\"type\":\"object\"}",
     .read_only = true},
    {.name = "large",
     .title = "Large",
     .description = "Answers with more than fits.",
     .input_schema = "{\"type\":\"object\"}",
     .read_only = true},
    {.name = "slow",
     .title = "Slow",
     .description = "Answers when told to.",
     .input_schema = "{\"type\":\"object\"}",
     .read_only = true},
    {.name = "state",
     .title = "State",
     .description = "For operators.",
     .input_schema = "{\"type\":\"object\"}",
     .read_only = true,
     .operators_only = true},
};

static void on_cancel(void *arg)
{
  ((struct fixture *)arg)->cancels++;
}

static void finish_text(struct mcp_call *call, bool error, const char *text, const char *json)
{
  mcp_call_finish(call, &(struct mcp_tool_result){.is_error = error,
                                                  .text = text,
                                                  .text_len = strlen(text),
                                                  .structured = json,
                                                  .structured_len = json ? strlen(json) : 0});
}

/* As the tool of a resource says that its arguments name nothing. */
static void finish_gone(struct mcp_call *call)
{
  static const char text[] = "id: there is no such thing";
  mcp_call_finish(call, &(struct mcp_tool_result){.is_error = true,
                                                  .code = ERR_INVALID_ARGUMENT,
                                                  .text = text,
                                                  .text_len = sizeof(text) - 1});
}

static void finish_large(struct mcp_call *call)
{
  char *text = xmalloc(MCP_MAX_ANSWER + 1);
  memset(text, 'x', MCP_MAX_ANSWER);
  text[MCP_MAX_ANSWER] = '\0';
  finish_text(call, false, text, NULL);
  free(text);
}

static void host_call(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  struct fixture *f = host;
  f->host_calls++;
  AUTO_FREE char *arguments = cJSON_PrintUnformatted(mcp_call_arguments(call));
  snprintf(f->last_arguments, sizeof(f->last_arguments), "%s", arguments);
  if (strcmp(tool->name, "slow") == 0) {
    f->held[f->n_held++] = call;
    mcp_call_on_cancel(call, on_cancel, f);
    return;
  }
  if (strstr(arguments, "\"gone\":") != NULL)
    finish_gone(call);
  else if (strcmp(tool->name, "fail") == 0)
    finish_text(call, true, "It did not work: try again", NULL);
  else if (strcmp(tool->name, "large") == 0)
    finish_large(call);
  else if (strcmp(tool->name, "echo") == 0)
    finish_text(call, false, arguments, arguments);
  mcp_call_unref(call);
}

void finish_held(struct fixture *f, int i)
{
  finish_text(f->held[i], false, "{\"done\":true}", "{\"done\":true}");
  mcp_call_unref(f->held[i]);
  f->held[i] = NULL;
}

static struct mcp_resource resources[4];
static const struct mcp_prompt_argument arguments[] = {
    {.name = "dealer", .description = "Whose.", .otherwise = ""},
    {.name = "period", .description = "When.", .otherwise = "last month"}};
static const struct mcp_prompt prompts[] = {
    {.name = "ask",
     .title = "Ask",
     .description = "Asks.",
     .text = "How is {dealer} in {period}? {other} {",
     .arguments = arguments,
     .n_arguments = 2},
    {.name = "plain", .title = "Plain", .description = "Plain.", .text = "Hello"}};

void fixture_offer(struct mcp_server_options *o)
{
  static const struct {
    const char *uri, *tool, *arguments;
  } rows[] = {{"test://echo", "echo", "{\"text\":\"hi\"}"},
              {"test://fail", "fail", "{}"},
              {"test://slow", "slow", "{}"}};
  for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
    resources[i] = (struct mcp_resource){.uri = rows[i].uri,
                                         .name = rows[i].tool,
                                         .title = "T",
                                         .description = "D",
                                         .arguments = rows[i].arguments};
    for (size_t k = 0; k < o->tools.n_tools; k++) {
      if (strcmp(o->tools.tools[k].name, rows[i].tool) == 0)
        resources[i].tool = &o->tools.tools[k];
    }
  }
  resources[ARRAY_LEN(rows)] = (struct mcp_resource){.uri = "ui://test/page",
                                                     .name = "page",
                                                     .title = "T",
                                                     .description = "D",
                                                     .mime_type = "text/html;profile=mcp-app",
                                                     .content = "<p class=\"x\">\n"};
  o->tools.resources = resources;
  o->tools.n_resources = ARRAY_LEN(resources);
  o->tools.prompts = prompts;
  o->tools.n_prompts = ARRAY_LEN(prompts);
}

static int64_t now(void)
{
  return fixture_now;
}

static void start(struct fixture *f, void (*adjust)(struct mcp_server_options *o))
{
  struct mcp_server_options o = {
      .name = "test",
      .title = "Test",
      .version = "1.0",
      .instructions = "Call echo.",
      .tools = {.tools = tools, .n_tools = ARRAY_LEN(tools), .call = host_call, .host = f},
      .now_ms = now,
      .unix_ms = now,
      .session_keys = f->keys,
  };
  if (adjust != NULL)
    adjust(&o);
  f->server = mcp_server_new(&o);
}

void fixture_start(struct fixture *f, void (*adjust)(struct mcp_server_options *o))
{
  memset(f, 0, sizeof(*f));
  fixture_now = 1000;
  fixture_has_scopes = NULL;
  ring_new(&f->keys, "TEST", NULL, NULL);
  start(f, adjust);
}

void fixture_start_with(struct fixture *f, const char *keys)
{
  struct err e = {0};
  memset(f, 0, sizeof(*f));
  if (ring_parse(&f->keys, "TEST", keys, strlen(keys), &e) != ERR_OK)
    abort();
  start(f, NULL);
}

void fixture_stop(struct fixture *f)
{
  mcp_server_free(f->server);
  ring_free(f->keys);
}

/* ------------------------------------------------------------------- sink */

static void check_open(struct answer *a)
{
  a->written_after_release |= a->releases > 0;
}

static void sink_reply(void *arg, int status, const char *session_id, struct buf *body)
{
  struct answer *a = arg;
  check_open(a);
  a->replies++;
  a->status = status;
  snprintf(a->session_id, sizeof(a->session_id), "%s", session_id != NULL ? session_id : "");
  free(a->body);
  a->body = buf_take(body, NULL);
}

static void sink_forbid(void *arg, const char *scopes, struct buf *body)
{
  snprintf(((struct answer *)arg)->scopes, sizeof(((struct answer *)arg)->scopes), "%s", scopes);
  sink_reply(arg, 403, NULL, body);
}

static void sink_start(void *arg, const char *session_id)
{
  struct answer *a = arg;
  check_open(a);
  a->status = 200;
  a->stream = true;
  snprintf(a->session_id, sizeof(a->session_id), "%s", session_id != NULL ? session_id : "");
}

static void sink_event(void *arg, const char *json, size_t len)
{
  struct answer *a = arg;
  check_open(a);
  if (a->n_events < FIXTURE_MAX_EVENTS)
    a->events[a->n_events++] = xstrndup(json, len);
}

static void sink_end(void *arg)
{
  check_open(arg);
  ((struct answer *)arg)->ended = true;
}

static void sink_release(void *arg)
{
  ((struct answer *)arg)->releases++;
}

static const struct mcp_sink sink = {.reply = sink_reply,
                                     .forbid = sink_forbid,
                                     .stream_start = sink_start,
                                     .stream_event = sink_event,
                                     .stream_end = sink_end,
                                     .release = sink_release};

/* -------------------------------------------------------------- principal */

struct principal {
  struct mcp_principal base;
  atomic_int refs;
  char id[32];
};

static void principal_ref(struct mcp_principal *p)
{
  ((struct principal *)p)->refs++;
}

static void principal_unref(struct mcp_principal *p)
{
  if (--((struct principal *)p)->refs == 0)
    free(p);
}

static struct principal *principal_new(const char *id)
{
  struct principal *p = xcalloc(1, sizeof(*p));
  snprintf(p->id, sizeof(p->id), "%s", id);
  p->base = (struct mcp_principal){.id = p->id,
                                   .is_operator = strcmp(id, FIXTURE_OPERATOR) == 0,
                                   .has_scopes = fixture_has_scopes,
                                   .ref = principal_ref,
                                   .unref = principal_unref};
  p->refs = 1;
  return p;
}

/* ------------------------------------------------------------------ posts */

struct answer *post_as(struct fixture *f, const char *body, const struct mcp_headers *headers,
                       const char *principal, bool json, bool sse)
{
  struct answer *a = xcalloc(1, sizeof(*a));
  struct principal *p = principal_new(principal);
  struct mcp_post request = {
      .headers = *headers,
      .accepts_json = json,
      .accepts_sse = sse,
      .body = body,
      .body_len = strlen(body),
      .principal = &p->base,
  };
  mcp_server_post(f->server, &request, &sink, a, &a->exchange);
  principal_unref(&p->base);
  return a;
}

int get_as(struct fixture *f, struct answer *a, const char *session, const char *principal)
{
  struct principal *p = principal_new(principal);
  struct mcp_post request = {
      .headers = {.session_id = session}, .accepts_sse = true, .principal = &p->base};
  int status = mcp_server_get(f->server, &request, &sink, a, &a->exchange);
  principal_unref(&p->base);
  return status;
}

struct answer *post(struct fixture *f, const char *body)
{
  struct mcp_headers h = {.session_id = f->session[0] != '\0' ? f->session : NULL};
  return post_as(f, body, &h, "alice", true, true);
}

void fixture_initialize(struct fixture *f, const char *version)
{
  fixture_initialize_as(f, version, "{}");
}

void fixture_initialize_as(struct fixture *f, const char *version, const char *capabilities)
{
  char body[512];
  snprintf(body, sizeof(body),
           "{\"jsonrpc\":\"2.0\",\"id\":0,\"method\":\"initialize\",\"params\":{"
           "\"protocolVersion\":\"%s\",\"capabilities\":%s,"
           "\"clientInfo\":{\"name\":\"t\",\"version\":\"1\"}}}",
           version, capabilities);
  f->session[0] = '\0';
  struct answer *a = post(f, body);
  snprintf(f->session, sizeof(f->session), "%s", a->session_id);
  answer_free(a);
}

void answer_free(struct answer *a)
{
  mcp_exchange_unref(a->exchange);
  free(a->body);
  for (int i = 0; i < a->n_events; i++)
    free(a->events[i]);
  free(a);
}

cJSON *answer_json(const struct answer *a)
{
  const char *text = a->stream && a->n_events > 0 ? a->events[a->n_events - 1] : a->body;
  return text != NULL ? cJSON_Parse(text) : NULL;
}

int answer_code(const struct answer *a)
{
  cJSON *j = answer_json(a);
  const cJSON *code =
      cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(j, "error"), "code");
  int n = cJSON_IsNumber(code) ? code->valueint : 0;
  cJSON_Delete(j);
  return n;
}
