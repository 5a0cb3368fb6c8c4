/* One generic path for every tool: arguments -> request message -> rpc -> tool result. */
#include "gateway/bridge/bridge.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/pbjson/oneof.h"
#include "common/pbjson/pbjson.h"
#include "common/rpc/grant_reasons.h"
#include "common/trace/span.h"
#include "common/trace/tracer.h"
#include "gateway/access/caller.h"
#include "gateway/answer/answer.h"
#include "gateway/answer/kept.h"
#include "gateway/arguments/arguments.h"
#include "gateway/bridge/choice.h"
#include "gateway/bridge/offers.h"
#include "gateway/bridge/outcome.h"
#include "gateway/catalog/catalog.h"
#include "mcp/v1/options.pb-c.h"

enum {
  TOOL_CALL_MAGIC = 0x42525443,
  MAX_BACKENDS = 8,
  MAX_REOPENED = 2, /* times a stream that broke is opened again */
  REQUEST_MAX = 8 * 1024 * 1024,
  DEFAULT_TEXT_BYTES = 40 * 1024,
  MOST_ANSWERS = 1024,         /* bytes that most need in either form */
  KEPT_BYTES = 2 * 1024 * 1024 /* of answers that were written */
};

struct bridge {
  struct bridge_backend backends[MAX_BACKENDS];
  size_t n_backends;
  uint32_t timeout_ms;
  size_t max_result_bytes;
  struct mcp_tool *tools; /* those that are listed */
  size_t n_tools;
  struct mcp_tool_host host;  /* what it shows of itself */
  struct answer_plan **plans; /* in the order of the catalogue */
  struct kept *kept;
  pthread_mutex_t lock;
  pthread_cond_t quiet; /* repeating is 0 */
  /* Guarded by lock: */
  size_t repeating; /* threads that are making a call again */
  bool stopping;
};

/* One call under way. Two references: the starter's and the rpc's, which ends with
 * on_done. */
struct tool_call {
  unsigned magic;
  atomic_int refs;
  struct bridge *bridge;
  const struct catalog_tool *tool;
  const struct bridge_backend *backend;
  struct mcp_call *call;
  struct arena *arena;
  cJSON *given; /* the arguments as they came, where one may be asked back */
  const char *notes[ARGUMENTS_NOTES_MAX]; /* of reading the arguments; in the arena */
  size_t n_notes;
  ProtobufCMessage *request; /* in the arena, for when it is made again */
  struct grant *grant;       /* that it was made with */
  pthread_mutex_t lock;
  /* Guarded by lock: */
  struct rpc_client_call *rpc;
  bool cancelled;
  bool repeated;
  /* Of the thread that runs the rpc's callbacks: */
  struct buf key;          /* of the answer among those that are kept; empty: not to be kept */
  struct written *written; /* the answer; NULL: none yet */
  bool delivered;          /* the rpc under way has brought a message */
  unsigned reopened;       /* times a broken stream was opened again */
  struct err *failure;     /* of reading the answer; NULL: none */
  uint32_t timeout_ms;
  int64_t started_ms;
  struct trace_context context; /* that its rpcs are made for */
  struct span *span;            /* NULL: not recorded */
  char trace[TRACE_ID_HEX + 1];
};

/* ------------------------------------------------------------------ tools */

static const struct bridge_backend *find_backend(const struct bridge *b,
                                                 const struct catalog_tool *tool)
{
  for (size_t i = 0; i < b->n_backends; i++) {
    if (strcmp(b->backends[i].package, tool->service->package) == 0)
      return &b->backends[i];
  }
  return NULL;
}

static struct mcp_tool tool_of(const struct catalog_tool *t)
{
  return (struct mcp_tool){
      .name = t->name,
      .title = t->title != NULL && t->title[0] != '\0' ? t->title : NULL,
      .description = t->description,
      .input_schema = t->input_schema,
      .read_only = t->read_only,
      .idempotent = t->idempotent,
      .destructive = t->destructive,
      .open_world = t->open_world,
      .long_running = t->streaming,
      .operators_only = t->toolset == CATALOG_OPERATIONS,
      .app = t->app,
      .data = t,
  };
}

/* Whether figures of dealers beside the caller's own stand behind its answers. */
static bool compares(const struct catalog_tool *t)
{
  return t->toolset == CATALOG_BENCHMARKS || t->toolset == CATALOG_VEHICLES;
}

/* The tools of the catalogue that are listed, and how their answers are written. */
static enum err_code add_tools(struct bridge *b, const struct bridge_options *options,
                               unsigned toolsets, struct err *e)
{
  for (size_t i = 0; i < catalog_tools_len; i++) {
    const struct catalog_tool *tool = &catalog_tools[i];
    b->plans[i] = answer_plan_new(tool);
    if (find_backend(b, tool) == NULL)
      return err_set(e, ERR_FAILED_PRECONDITION, "no_backend", "tool %s: no backend serves %s",
                     tool->name, tool->service->package);
    if ((toolsets & 1U << tool->toolset) == 0)
      continue;
    b->tools[b->n_tools] = tool_of(tool);
    b->tools[b->n_tools].scopes = compares(tool) ? options->scopes_to_compare : options->scopes;
    b->tools[b->n_tools++].output_schema = answer_schema(b->plans[i]);
  }
  return ERR_OK;
}

static void call_tool(void *host, const struct mcp_tool *tool, struct mcp_call *call);

enum err_code bridge_new(struct bridge **out, const struct bridge_options *options, struct err *e)
{
  if (options->n_backends > MAX_BACKENDS)
    return err_set(e, ERR_INVALID_ARGUMENT, NULL, "at most %d backends", MAX_BACKENDS);
  struct bridge *b = xcalloc(1, sizeof(*b));
  b->n_backends = options->n_backends;
  for (size_t i = 0; i < b->n_backends; i++)
    b->backends[i] = options->backends[i];
  b->timeout_ms = options->timeout_ms > 0 ? options->timeout_ms : 60000;
  b->max_result_bytes =
      options->max_result_bytes > 0 ? options->max_result_bytes : (size_t)4 * 1024 * 1024;
  b->kept = kept_new(KEPT_BYTES);
  pthread_mutex_init(&b->lock, NULL);
  pthread_cond_init(&b->quiet, NULL);
  b->tools = xcalloc(catalog_tools_len, sizeof(*b->tools));
  b->plans = xcalloc(catalog_tools_len, sizeof(struct answer_plan *));
  unsigned toolsets = 0;
  enum err_code code = catalog_toolsets_read(&toolsets, options->toolsets, e);
  if (code == ERR_OK)
    code = add_tools(b, options, toolsets, e);
  if (code != ERR_OK) {
    bridge_free(b);
    return code;
  }
  b->host = (struct mcp_tool_host){
      .tools = b->tools, .n_tools = b->n_tools, .call = call_tool, .host = b};
  offers_add(&b->host);
  *out = b;
  return ERR_OK;
}

void bridge_free(struct bridge *b)
{
  if (b == NULL)
    return;
  pthread_cond_destroy(&b->quiet);
  pthread_mutex_destroy(&b->lock);
  for (size_t i = 0; b->plans != NULL && i < catalog_tools_len; i++)
    answer_plan_free(b->plans[i]);
  offers_free(&b->host);
  kept_free(b->kept);
  free(b->plans);
  free(b->tools);
  free(b);
}

void bridge_stop(struct bridge *b)
{
  if (b == NULL)
    return;
  pthread_mutex_lock(&b->lock);
  b->stopping = true;
  while (b->repeating > 0)
    pthread_cond_wait(&b->quiet, &b->lock);
  pthread_mutex_unlock(&b->lock);
}

/* Around whatever uses a channel outside of a new call; false: the channels are about to go. */
static bool begin_repeating(struct bridge *b)
{
  pthread_mutex_lock(&b->lock);
  bool may = !b->stopping;
  b->repeating += may;
  pthread_mutex_unlock(&b->lock);
  return may;
}

static void end_repeating(struct bridge *b)
{
  pthread_mutex_lock(&b->lock);
  if (--b->repeating == 0)
    pthread_cond_broadcast(&b->quiet);
  pthread_mutex_unlock(&b->lock);
}

/* -------------------------------------------------------------------- end */

static void forget_failure(struct tool_call *tc)
{
  free(TAKE_PTR(tc->failure));
}

static void tool_call_unref(struct tool_call *tc)
{
  if (atomic_fetch_sub(&tc->refs, 1) != 1)
    return;
  if (tc->rpc != NULL)
    rpc_client_release(tc->rpc);
  mcp_call_unref(tc->call);
  grant_unref(tc->grant);
  cJSON_Delete(tc->given);
  forget_failure(tc);
  arena_free(tc->arena);
  span_free(tc->span);
  pthread_mutex_destroy(&tc->lock);
  buf_free(&tc->key);
  written_unref(tc->written);
  tc->magic = 0;
  free(tc);
}

static void end_trace(struct tool_call *tc, const struct err *status)
{
  if (status->code != ERR_OK)
    span_fail(tc->span, status->reason[0] != '\0' ? status->reason : err_code_name(status->code));
  span_end(TAKE_PTR(tc->span));
}

static void log_end(struct tool_call *tc, const struct err *status)
{
  end_trace(tc, status);
  log_info("tool call", LOG_S("tool", tc->tool->name),
           LOG_S("principal", mcp_call_principal(tc->call)->label),
           LOG_S("outcome", err_code_name(status->code)), LOG_S("reason", status->reason),
           LOG_I("ms", clock_mono_ms() - tc->started_ms),
           LOG_I("bytes", tc->written != NULL ? tc->written->structured.len : 0),
           LOG_S("trace_id", tc->trace));
}

static void finish_error(struct tool_call *tc, const struct err *status)
{
  const struct outcome_context context = {.tool = tc->tool->name,
                                          .service = tc->backend->name,
                                          .trace = tc->trace,
                                          .timeout_ms = tc->timeout_ms};
  struct buf text AUTO_BUF = BUF_INIT(8192);
  log_end(tc, status);
  if (choice_ask(tc->call, tc->given, status))
    return;
  outcome_text(&text, status, &context);
  arguments_put_closest(&text, status->message);
  mcp_call_finish(tc->call, &(struct mcp_tool_result){.is_error = true,
                                                      .code = outcome_code(status),
                                                      .text = buf_str(&text),
                                                      .text_len = text.len});
}

/* Two forms of the same: text for every client, structured content for those that take it. */
static void finish_ok(struct tool_call *tc)
{
  const struct written *w = tc->written;
  log_end(tc, &(struct err){0});
  mcp_call_finish(tc->call, &(struct mcp_tool_result){.text = buf_str(&w->text),
                                                      .text_len = w->text.len,
                                                      .structured = buf_str(&w->structured),
                                                      .structured_len = w->structured.len});
}

/* ---------------------------------------------------------------- message */

/* The request's `offset`; false when the tool takes none. */
static bool request_offset(const ProtobufCMessage *request, uint64_t *offset)
{
  const ProtobufCFieldDescriptor *field =
      protobuf_c_message_descriptor_get_field_by_name(request->descriptor, "offset");
  int32_t narrow = 0;
  int64_t wide = 0;
  if (field == NULL || field->label != PROTOBUF_C_LABEL_NONE)
    return false;
  const char *at = (const char *)request + field->offset;
  if (field->type == PROTOBUF_C_TYPE_INT32)
    memcpy(&narrow, at, sizeof(narrow));
  else if (field->type == PROTOBUF_C_TYPE_INT64)
    memcpy(&wide, at, sizeof(wide));
  else
    return false;
  *offset = (uint64_t)(wide + narrow);
  return true;
}

static struct answer_notes notes_of(const struct tool_call *tc)
{
  struct answer_notes own = {.text = tc->notes, .n = tc->n_notes};
  own.has_offset = request_offset(tc->request, &own.offset);
  return own;
}

/* Forgets what the rpc has brought so far, but the progress that the caller has seen. */
static void forget_answer(struct tool_call *tc)
{
  tc->delivered = false;
  forget_failure(tc);
  buf_free(&tc->key);
  written_unref(TAKE_PTR(tc->written));
}

static void fail_answer(struct tool_call *tc, struct err *e)
{
  if (e->code == ERR_RESOURCE_EXHAUSTED)
    err_set(e, ERR_RESOURCE_EXHAUSTED, "result_too_large",
            "The result is larger than %zu bytes. Ask for fewer rows (limit), fewer dimensions "
            "or fewer dealers; the same call would end the same way",
            tc->bridge->max_result_bytes);
  else
    err_prefix(e, "the result cannot be written as JSON: ");
  tc->failure = xmalloc(sizeof(*e));
  *tc->failure = *e;
}

static void take_result(struct tool_call *tc, const ProtobufCMessage *message)
{
  size_t max_text = tc->tool->max_text_bytes > 0 ? tc->tool->max_text_bytes : DEFAULT_TEXT_BYTES;
  const struct answer_plan *plan = tc->bridge->plans[tc->tool - catalog_tools];
  AUTO_BUF struct buf text = BUF_INIT(tc->bridge->max_result_bytes),
                      structured = BUF_INIT(tc->bridge->max_result_bytes);
  struct answer_notes own = notes_of(tc);
  struct err e = {0};
  buf_expect(&text, MOST_ANSWERS);
  buf_expect(&structured, MOST_ANSWERS);
  forget_failure(tc);
  written_unref(TAKE_PTR(tc->written));
  if (answer_write(&text, &structured, plan, message, &own, max_text, &e) == ERR_OK)
    tc->written = kept_add(tc->bridge->kept, &tc->key, &text, &structured);
  else
    fail_answer(tc, &e);
}

/* The answer of a call without progress is its one message: it may have been written before. */
static bool on_bytes(void *user, const void *data, size_t len)
{
  struct tool_call *tc = user;
  MAGIC_CHECK(tc, TOOL_CALL_MAGIC);
  struct answer_notes own = notes_of(tc);
  forget_answer(tc);
  kept_put_key(&tc->key, tc->tool, &own, data, len);
  tc->written = kept_find(tc->bridge->kept, &tc->key);
  tc->delivered = tc->written != NULL;
  return tc->delivered;
}

static void take_event(struct tool_call *tc, const ProtobufCMessage *event)
{
  const ProtobufCMessage *progress = oneof_get(event, "progress"),
                         *result = oneof_get(event, "result");
  if (progress != NULL && progress->descriptor == &mcp__v1__progress__descriptor) {
    const Mcp__V1__Progress *p = (const Mcp__V1__Progress *)progress;
    mcp_call_progress(tc->call, p->progress, p->total, p->message);
  } else if (result != NULL) {
    take_result(tc, result);
  }
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct tool_call *tc = user;
  MAGIC_CHECK(tc, TOOL_CALL_MAGIC);
  tc->delivered = true;
  if (tc->tool->streaming)
    take_event(tc, message);
  else
    take_result(tc, message);
  return true;
}

/* ------------------------------------------------------------------ start */

static void on_done(void *user, const struct err *status);

static void on_cancel(void *arg)
{
  struct tool_call *tc = arg;
  MAGIC_CHECK(tc, TOOL_CALL_MAGIC);
  pthread_mutex_lock(&tc->lock);
  tc->cancelled = true;
  if (tc->rpc != NULL)
    rpc_client_cancel(tc->rpc);
  pthread_mutex_unlock(&tc->lock);
}

/* What is left of the call's time; at least a moment, so that it ends as one that was late. */
static uint32_t time_left(const struct tool_call *tc)
{
  int64_t passed = clock_mono_ms() - tc->started_ms;
  return passed < tc->timeout_ms ? tc->timeout_ms - (uint32_t)passed : 1;
}

/* Makes the call with the caller's grant of now. */
static enum err_code start_rpc(struct tool_call *tc, struct err *e)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  struct rpc_client_call *rpc = NULL;
  size_t sealed_len;
  grant_unref(tc->grant);
  tc->grant = caller_grant(caller_of(mcp_call_principal(tc->call)));
  const void *sealed = grant_sealed(tc->grant, &sealed_len);
  const struct rpc_metadata metadata[] = {
      {RPC_META_GRANT, sealed, sealed_len},
  };
  const struct rpc_client_options options = {.timeout_ms = time_left(tc),
                                             .attempt_ms = tc->backend->attempt_ms,
                                             .metadata = metadata,
                                             .n_metadata = ARRAY_LEN(metadata),
                                             .trace = &tc->context,
                                             .on_bytes = tc->tool->streaming ? NULL : on_bytes};
  pthread_mutex_lock(&tc->lock); /* on_done() waits here until the handle is in its place */
  enum err_code code =
      rpc_client_start(&rpc, tc->backend->channel, tc->tool->service, tc->tool->method,
                       tc->tool->streaming ? RPC_SERVER_STREAMING : RPC_UNARY, tc->request,
                       &options, &callbacks, tc, e);
  if (code == ERR_OK) {
    rpc_client_release(tc->rpc);
    tc->rpc = rpc;
    if (tc->cancelled)
      rpc_client_cancel(rpc);
  }
  pthread_mutex_unlock(&tc->lock);
  return code;
}

/* -------------------------------------------------------------------- end of the rpc */

static void finish(struct tool_call *tc, const struct err *status)
{
  struct err none = {0};
  if (status->code != ERR_OK) {
    finish_error(tc, status);
  } else if (tc->failure != NULL) {
    finish_error(tc, tc->failure);
  } else if (tc->written == NULL) {
    err_set(&none, ERR_INTERNAL, "no_result", "the call ended without a result");
    finish_error(tc, &none);
  } else {
    finish_ok(tc);
  }
  tool_call_unref(tc);
}

/* Without another grant the call cannot be made: says whose fault that is. */
static void describe_refusal(enum access_outcome outcome, struct err *e)
{
  if (outcome == ACCESS_UNAVAILABLE || outcome == ACCESS_TOO_MANY)
    err_set(e, ERR_UNAVAILABLE, "auth_unavailable",
            "auth-svc could not be asked for another grant");
  else
    err_set(e, ERR_UNAUTHENTICATED, "invalid_credentials",
            "the token of this call has expired or was revoked");
}

/* Makes the call again, from nothing; ends it when that is not possible. */
static void restart(struct tool_call *tc)
{
  struct err e = {0};
  struct bridge *b = tc->bridge; /* the tool call may be gone once it was started */
  if (!begin_repeating(b)) {
    err_set(&e, ERR_UNAVAILABLE, "stopping", "the gateway is restarting; try again");
  } else {
    start_rpc(tc, &e);
    end_repeating(b);
  }
  if (e.code != ERR_OK)
    finish(tc, &e);
}

static void on_renewed(void *arg, enum access_outcome outcome, struct grant *grant)
{
  struct tool_call *tc = arg;
  MAGIC_CHECK(tc, TOOL_CALL_MAGIC);
  struct err e = {0};
  (void)grant; /* the caller has it now */
  if (outcome == ACCESS_GRANTED) {
    restart(tc);
    return;
  }
  describe_refusal(outcome, &e);
  finish(tc, &e);
}

/* Whether the call goes on with another grant. */
static bool repeat(struct tool_call *tc)
{
  struct bridge *b = tc->bridge;
  pthread_mutex_lock(&tc->lock);
  bool may = !tc->repeated && !tc->cancelled;
  tc->repeated = true;
  pthread_mutex_unlock(&tc->lock);
  if (!may || !begin_repeating(b))
    return false;
  forget_answer(tc);
  log_info("a grant is renewed and the call repeated", LOG_S("tool", tc->tool->name),
           LOG_S("trace_id", tc->trace));
  caller_renew(caller_of(mcp_call_principal(tc->call)), tc->grant, on_renewed, tc);
  end_repeating(b);
  return true;
}

/* Whether the rpc was a stream that broke in its middle. What breaks before its first message is
 * made again by the channel, which then has tried for long enough. */
static bool is_broken(struct tool_call *tc, const struct err *status)
{
  pthread_mutex_lock(&tc->lock);
  bool cancelled = tc->cancelled;
  pthread_mutex_unlock(&tc->lock);
  return !cancelled && tc->delivered && tc->tool->read_only &&
         strcmp(status->reason, RPC_REASON_UNREACHABLE) == 0 && tc->reopened < MAX_REOPENED;
}

static void reopen(struct tool_call *tc, const struct err *status)
{
  tc->reopened++;
  forget_answer(tc);
  log_warn("a service went away in the middle of its answer: the call is made again",
           LOG_S("tool", tc->tool->name), LOG_S("detail", status->message),
           LOG_S("trace_id", tc->trace));
  restart(tc);
}

static void on_done(void *user, const struct err *status)
{
  struct tool_call *tc = user;
  MAGIC_CHECK(tc, TOOL_CALL_MAGIC);
  pthread_mutex_lock(&tc->lock); /* start_rpc() is done */
  pthread_mutex_unlock(&tc->lock);
  if (status->code == ERR_UNAUTHENTICATED)
    grant_mark_refused(tc->grant);
  if (is_broken(tc, status))
    reopen(tc, status);
  else if (!grant_is_stale(status) || !repeat(tc))
    finish(tc, status);
}

/* ------------------------------------------------------------------------ a new call */

static void keep_notes(struct tool_call *tc, const struct arguments_notes *notes)
{
  for (size_t i = 0; i < notes->n; i++)
    tc->notes[tc->n_notes++] = arena_xstrdup(tc->arena, notes->text[i]);
}

/* Repairs and checks the arguments, makes the request message and starts the rpc. */
static enum err_code begin(struct tool_call *tc, struct err *e)
{
  struct arguments_notes notes;
  AUTO_JSON cJSON *arguments = mcp_call_take_arguments(tc->call);
  notes.n = 0;
  if (mcp_call_may_ask(tc->call))
    tc->given = cJSON_Duplicate(arguments, true);
  if (!choice_apply(tc->call, arguments, e))
    return e->code;
  enum err_code code = arguments_repair(tc->tool, arguments, arguments_today(), &notes, e);
  if (code == ERR_OK)
    code = catalog_check(tc->tool, arguments, e);
  if (code != ERR_OK)
    return code;
  tc->arena = arena_new(REQUEST_MAX);
  keep_notes(tc, &notes);
  code = pbjson_read(&tc->request, tc->tool->input, arguments, tc->arena, NULL, e);
  return code != ERR_OK ? code : start_rpc(tc, e);
}

/* A call whose own trace is another than its request's is linked to that. */
static void begin_trace(struct tool_call *tc)
{
  char name[SPAN_NAME_MAX + 1] = "";
  struct trace_context parent;
  const struct trace_context *request = mcp_call_request_trace(tc->call);
  mcp_call_trace(tc->call, &parent);
  if (trace_on())
    snprintf(name, sizeof(name), "tools/call %s", tc->tool->name);
  tc->span = span_begin(&tc->context, SPAN_SERVER, name, &parent);
  trace_context_id(&tc->context, tc->trace);
  span_text(tc->span, "mcp.method.name", "tools/call");
  span_text(tc->span, "gen_ai.tool.name", tc->tool->name);
  if (memcmp(request->span_id, parent.span_id, SPAN_ID_BYTES) != 0)
    span_link(tc->span, request);
}

static struct tool_call *tool_call_new(struct bridge *b, const struct catalog_tool *tool,
                                       struct mcp_call *call)
{
  struct tool_call *tc = xcalloc(1, sizeof(*tc));
  tc->magic = TOOL_CALL_MAGIC;
  atomic_init(&tc->refs, 2);
  pthread_mutex_init(&tc->lock, NULL);
  tc->bridge = b;
  tc->tool = tool;
  tc->backend = find_backend(b, tool);
  tc->call = call;
  tc->timeout_ms = tool->timeout_ms > 0 ? tool->timeout_ms : b->timeout_ms;
  tc->started_ms = clock_mono_ms();
  begin_trace(tc);
  return tc;
}

static void call_tool(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  struct tool_call *tc = tool_call_new(host, tool->data, call);
  struct err e = {0};
  /* Before anything can end the call: a question takes it back, and it is run again later. */
  mcp_call_on_cancel(call, on_cancel, tc);
  if (begin(tc, &e) != ERR_OK) {
    finish_error(tc, &e);
    tool_call_unref(tc); /* the rpc's: it never began */
  }
  tool_call_unref(tc);
}

struct mcp_tool_host bridge_host(struct bridge *b)
{
  return b->host;
}
