/* What the protocol asks of the host that runs the tools, and what it offers it.
 *
 * The tool host gets each call as a `struct mcp_call`, may report progress, and ends it
 * with one mcp_call_finish(), at once or later, from any thread. */
#ifndef AMCP_GATEWAY_MCP_TOOL_H
#define AMCP_GATEWAY_MCP_TOOL_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"
#include "common/trace/context.h"
#include "gateway/share/share.h"

struct mcp_call;

/* A tool as clients see it. All texts are static; schemas are JSON objects as text. */
struct mcp_tool {
  const char *name;
  const char *title; /* NULL for none */
  const char *description;
  const char *input_schema;
  const char *output_schema; /* NULL for none: results then have no structured form */
  bool read_only, idempotent, destructive, open_world;
  bool long_running; /* waits in the caller's line of long calls */
  const char *app;   /* resource that draws its results (MCP Apps, 2026-01-26); NULL for none */
  const void *data;  /* the host's own */
};

/* What clients may read by its URI: a text that stands, or else the answer of a tool. A URI with
 * places, "x://books/{title}", is a template; an argument that is such a place gets what stands
 * there in the URI that is read. */
struct mcp_resource {
  const char *uri, *name, *title, *description;
  const char *mime_type; /* NULL for text/plain */
  const char *content;   /* NULL for the answer of a tool */
  const struct mcp_tool *tool;
  const char *arguments; /* of the tool's call, a JSON object */
};

struct mcp_prompt_argument {
  const char *name, *description;
  const char *otherwise; /* stands in its place when it is not given; "": it must be given */
};

/* A message for the model, with places to fill in. */
struct mcp_prompt {
  const char *name, *title, *description;
  const char *text; /* {name} stands for an argument */
  const struct mcp_prompt_argument *arguments;
  size_t n_arguments;
};

/* Where the values of an argument of prompts and templates come from, for clients that complete
 * what people type. */
struct mcp_completion {
  const char *argument; /* its name, wherever it stands */
  const struct mcp_tool *tool;
  const char *arguments; /* of the tool's call, a JSON object: "{value}" is what was typed, "{name}"
                            another argument, which must be known by then */
  const void *data;      /* the host's own */
};

struct mcp_tool_result;

/* Runs the tools. `call` must not block; it owns one reference to the call and gives it
 * back with mcp_call_unref(). */
struct mcp_tool_host {
  const struct mcp_tool *tools; /* in the order in which they are listed */
  size_t n_tools;
  void (*call)(void *host, const struct mcp_tool *tool, struct mcp_call *call);
  void *host;
  const struct mcp_resource *resources;
  size_t n_resources;
  const struct mcp_prompt *prompts;
  size_t n_prompts;
  const struct mcp_completion *completions;
  size_t n_completions;
  /* Gives add() each value that the result of a completion's tool holds, best first. */
  void (*complete)(void *host, const struct mcp_completion *c, const struct mcp_tool_result *result,
                   void (*add)(void *arg, const char *value), void *arg);
  bool lists_change; /* what a caller sees may change: mcp_server_changed() says so */
};

/* Who makes a request. Embedded in the access layer's own object. */
struct mcp_principal {
  const char *id;      /* equal for equal callers; sessions are bound to it */
  const char *label;   /* names it in logs: a hash that stays the same; NULL for none */
  struct share *share; /* what it may use; NULL: as much as it likes */
  void (*ref)(struct mcp_principal *p);
  void (*unref)(struct mcp_principal *p);
};

void mcp_call_ref(struct mcp_call *call);
void mcp_call_unref(struct mcp_call *call);
/* The arguments, an object. Belongs to the call; the host may change it until it returns
 * from `call`. */
cJSON *mcp_call_arguments(struct mcp_call *call);
const struct mcp_principal *mcp_call_principal(const struct mcp_call *call);
/* The W3C trace context that the call is part of: what its params._meta says (traceparent,
 * tracestate; 2026-07-28), or else that of the request which brought it; perhaps none. */
void mcp_call_trace(const struct mcp_call *call, struct trace_context *out);
/* That of the request which brought it. */
const struct trace_context *mcp_call_request_trace(const struct mcp_call *call);
/* fn(arg) runs once when nobody waits for the result any more; at once when that is so
 * already; never after mcp_call_finish(). It runs under the call's lock: it may start a
 * cancellation but must not finish the call or wait. */
void mcp_call_on_cancel(struct mcp_call *call, void (*fn)(void *arg), void *arg);
/* Tells how far the call has come, if the client asked to know. Values that do not rise
 * are dropped. total 0 means not known; message may be NULL. */
void mcp_call_progress(struct mcp_call *call, double progress, double total, const char *message);

/* text: for people, and for clients older than structured results. structured: the result
 * as a JSON object, NULL for errors. Both are UTF-8. */
struct mcp_tool_result {
  bool is_error;
  enum err_code code; /* of an error, for callers who get no text to read */
  int64_t retry_ms;   /* when the same call may succeed; 0 when that is not known */
  const char *text;
  size_t text_len;
  const char *structured;
  size_t structured_len;
};

/* A question to the person behind the client: one value out of a few. */
struct mcp_question {
  const char *key;     /* names the answer: a-z, 0-9 and _ */
  const char *message; /* what is asked */
  const struct mcp_choice {
    const char *value, *title;
  } * choices;
  size_t n;
};

/* Whether the client can ask its person, and was not asked to already. */
bool mcp_call_may_ask(const struct mcp_call *call);
/* In place of an end: asks. The client sends the same call again with the answer, perhaps to
 * another replica. Only where mcp_call_may_ask(). */
void mcp_call_ask(struct mcp_call *call, const struct mcp_question *q);
enum mcp_answer { MCP_NO_ANSWER, MCP_ANSWERED, MCP_DECLINED };
/* The answer to a question that this call asked before. *value belongs to the call; it is what the
 * client sent, not necessarily one of the choices. */
enum mcp_answer mcp_call_answer(const struct mcp_call *call, const char *key, const char **value);

/* Ends the call. A second end, or one after a cancellation, does nothing. */
void mcp_call_finish(struct mcp_call *call, const struct mcp_tool_result *result);

#endif
