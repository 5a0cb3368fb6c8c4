/* One generic path for every tool: arguments -> request message -> rpc -> tool result. */
#include "gateway/bridge/bridge.h"

#include <stdatomic.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/pbjson/pbjson.h"
#include "gateway/access/grant.h"
#include "gateway/bridge/outcome.h"
#include "gateway/bridge/trace.h"
#include "gateway/catalog/catalog.h"
#include "mcp/v1/options.pb-c.h"

enum { JOB_MAGIC = 0x42524a42, MAX_BACKENDS = 8, REQUEST_MAX = 8 * 1024 * 1024 };

struct bridge {
  struct bridge_backend backends[MAX_BACKENDS];
  size_t n_backends;
  uint32_t timeout_ms;
  size_t max_result_bytes;
  struct mcp_tool *tools;
};

/* One call under way. Two references: the starter's and the rpc's, which ends with
 * on_done. */
struct job {
  unsigned magic;
  atomic_int refs;
  const struct bridge *bridge;
  const struct catalog_tool *tool;
  const struct bridge_backend *backend;
  struct mcp_call *call;
  struct rpc_client_call *rpc;
  struct buf result;
  bool has_result;
  struct err failure; /* of reading the answer */
  uint32_t timeout_ms;
  int64_t started_ms;
  char traceparent[TRACE_LEN + 1];
  char trace[TRACE_ID_LEN + 1];
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
      .output_schema = t->output_schema,
      .read_only = t->read_only,
      .idempotent = t->idempotent,
      .destructive = t->destructive,
      .open_world = t->open_world,
      .data = t,
  };
}

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
  b->tools = xcalloc(catalog_tools_len, sizeof(*b->tools));
  for (size_t i = 0; i < catalog_tools_len; i++) {
    b->tools[i] = tool_of(&catalog_tools[i]);
    if (find_backend(b, &catalog_tools[i]) == NULL) {
      bridge_free(b);
      return err_set(e, ERR_FAILED_PRECONDITION, "no_backend", "tool %s: no backend serves %s",
                     catalog_tools[i].name, catalog_tools[i].service->package);
    }
  }
  *out = b;
  return ERR_OK;
}

void bridge_free(struct bridge *b)
{
  if (b == NULL)
    return;
  free(b->tools);
  free(b);
}

/* -------------------------------------------------------------------- end */

static void job_unref(struct job *job)
{
  if (atomic_fetch_sub(&job->refs, 1) != 1)
    return;
  if (job->rpc != NULL)
    rpc_client_release(job->rpc);
  mcp_call_unref(job->call);
  buf_free(&job->result);
  job->magic = 0;
  free(job);
}

static void log_end(const struct job *job, const struct err *status)
{
  log_info("tool call", LOG_S("tool", job->tool->name),
           LOG_S("outcome", err_code_name(status->code)), LOG_S("reason", status->reason),
           LOG_I("ms", clock_mono_ms() - job->started_ms), LOG_I("bytes", job->result.len),
           LOG_S("trace_id", job->trace));
}

static void finish_error(struct job *job, const struct err *status)
{
  const struct outcome_context context = {.tool = job->tool->name,
                                          .service = job->backend->name,
                                          .trace = job->trace,
                                          .timeout_ms = job->timeout_ms};
  struct buf text AUTO_BUF = BUF_INIT(8192);
  outcome_text(&text, status, &context);
  log_end(job, status);
  mcp_call_finish(job->call, &(struct mcp_tool_result){
                                 .is_error = true, .text = buf_str(&text), .text_len = text.len});
}

/* The result as text for every client, and the same structured for those that take it. */
static void finish_ok(struct job *job)
{
  log_end(job, &(struct err){0});
  mcp_call_finish(job->call, &(struct mcp_tool_result){.text = buf_str(&job->result),
                                                       .text_len = job->result.len,
                                                       .structured = buf_str(&job->result),
                                                       .structured_len = job->result.len});
}

static void on_done(void *user, const struct err *status)
{
  struct job *job = user;
  MAGIC_CHECK(job, JOB_MAGIC);
  struct err none = {0};
  if (status->code == ERR_UNAUTHENTICATED)
    grant_mark_refused(grant_of(mcp_call_principal(job->call)));
  if (status->code != ERR_OK) {
    finish_error(job, status);
  } else if (job->failure.code != ERR_OK) {
    finish_error(job, &job->failure);
  } else if (!job->has_result) {
    err_set(&none, ERR_INTERNAL, "no_result", "the call ended without a result");
    finish_error(job, &none);
  } else {
    finish_ok(job);
  }
  job_unref(job);
}

/* ---------------------------------------------------------------- message */

static void take_result(struct job *job, const ProtobufCMessage *message)
{
  /* Zeros and empty lists are written out: to a reader an absent count is not a zero. */
  static const struct pbjson_write_options options = {.names = PBJSON_SNAKE_CASE,
                                                      .emit_defaults = true};
  buf_clear(&job->result);
  job->has_result = true;
  if (pbjson_write(&job->result, message, &options, &job->failure) == ERR_OK)
    return;
  if (job->failure.code == ERR_RESOURCE_EXHAUSTED)
    err_set(&job->failure, ERR_RESOURCE_EXHAUSTED, "result_too_large",
            "The result is larger than %zu bytes. Ask for fewer rows (limit), fewer dimensions "
            "or fewer dealers, then try again",
            job->bridge->max_result_bytes);
  else
    err_prefix(&job->failure, "the result cannot be written as JSON: ");
}

/* The message of a oneof member if it is the one that is set. */
static const ProtobufCMessage *member(const ProtobufCMessage *m, const char *name)
{
  const ProtobufCFieldDescriptor *f =
      protobuf_c_message_descriptor_get_field_by_name(m->descriptor, name);
  if (f == NULL || f->type != PROTOBUF_C_TYPE_MESSAGE)
    return NULL;
  const char *base = (const char *)m;
  uint32_t set;
  const ProtobufCMessage *value;
  memcpy(&set, base + f->quantifier_offset, sizeof(set));
  if (set != f->id)
    return NULL;
  memcpy(&value, base + f->offset, sizeof(value));
  return value;
}

static void take_event(struct job *job, const ProtobufCMessage *event)
{
  const ProtobufCMessage *progress = member(event, "progress"), *result = member(event, "result");
  if (progress != NULL && progress->descriptor == &mcp__v1__progress__descriptor) {
    const Mcp__V1__Progress *p = (const Mcp__V1__Progress *)progress;
    mcp_call_progress(job->call, p->progress, p->total, p->message);
  } else if (result != NULL) {
    take_result(job, result);
  }
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct job *job = user;
  MAGIC_CHECK(job, JOB_MAGIC);
  if (job->tool->streaming)
    take_event(job, message);
  else
    take_result(job, message);
  return true;
}

/* ------------------------------------------------------------------ start */

static void on_cancel(void *arg)
{
  struct job *job = arg;
  MAGIC_CHECK(job, JOB_MAGIC);
  rpc_client_cancel(job->rpc);
}

static enum err_code start_rpc(struct job *job, const ProtobufCMessage *request, struct err *e)
{
  static const struct rpc_client_callbacks callbacks = {on_message, on_done};
  size_t sealed_len;
  const void *sealed = grant_sealed(grant_of(mcp_call_principal(job->call)), &sealed_len);
  const struct rpc_metadata metadata[] = {
      {RPC_META_GRANT, sealed, sealed_len},
      {RPC_META_TRACEPARENT, job->traceparent, strlen(job->traceparent)},
  };
  const struct rpc_client_options options = {
      .timeout_ms = job->timeout_ms, .metadata = metadata, .n_metadata = ARRAY_LEN(metadata)};
  return rpc_client_start(&job->rpc, job->backend->channel, job->tool->service, job->tool->method,
                          job->tool->streaming ? RPC_SERVER_STREAMING : RPC_UNARY, request,
                          &options, &callbacks, job, e);
}

/* Checks the arguments, makes the request message and starts the rpc. */
static enum err_code begin(struct job *job, struct err *e)
{
  cJSON *arguments = mcp_call_arguments(job->call);
  enum err_code code = catalog_check(job->tool, arguments, e);
  if (code != ERR_OK)
    return code;
  struct arena *arena CLEANUP(arena_cleanup) = arena_new(REQUEST_MAX);
  ProtobufCMessage *request = NULL;
  code = pbjson_read(&request, job->tool->input, arguments, arena, NULL, e);
  return code != ERR_OK ? code : start_rpc(job, request, e);
}

static struct job *job_new(struct bridge *b, const struct catalog_tool *tool, struct mcp_call *call)
{
  struct job *job = xcalloc(1, sizeof(*job));
  job->magic = JOB_MAGIC;
  atomic_init(&job->refs, 2);
  job->bridge = b;
  job->tool = tool;
  job->backend = find_backend(b, tool);
  job->call = call;
  job->result = BUF_INIT(b->max_result_bytes);
  job->timeout_ms = tool->timeout_ms > 0 ? tool->timeout_ms : b->timeout_ms;
  job->started_ms = clock_mono_ms();
  trace_child(mcp_call_traceparent(call), job->traceparent);
  trace_id(job->traceparent, job->trace);
  return job;
}

static void call_tool(void *host, const struct mcp_tool *tool, struct mcp_call *call)
{
  struct job *job = job_new(host, tool->data, call);
  struct err e = {0};
  if (begin(job, &e) == ERR_OK) {
    mcp_call_on_cancel(call, on_cancel, job);
  } else {
    finish_error(job, &e);
    job_unref(job); /* the rpc's: it never began */
  }
  job_unref(job);
}

struct mcp_tool_host bridge_host(struct bridge *b)
{
  return (struct mcp_tool_host){
      .tools = b->tools, .n_tools = catalog_tools_len, .call = call_tool, .host = b};
}
