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

/* What a client said it can do, as far as a server may rely on it. */
enum mcp_client_can {
  MCP_CLIENT_ROOTS = 1,
  MCP_CLIENT_SAMPLING = 2,
  MCP_CLIENT_ELICITATION = 4, /* forms */
};

/* A tool as clients see it. All texts are static; schemas are JSON objects as text. */
struct mcp_tool {
  const char *name;
  const char *title; /* NULL for none */
  const char *description;
  const char *input_schema;
  const char *output_schema; /* NULL for none: results then have no structured form */
  bool read_only, idempotent, destructive, open_world;
  bool long_running;   /* waits in the caller's line of long calls */
  bool operators_only; /* others neither see it nor can call it */
  const char *app;     /* resource that draws its results (MCP Apps, 2026-01-26); NULL for none */
  const char *scopes;  /* that an access token must have for it, blank-separated; NULL for none */
  unsigned needs; /* what a client must be able to do (enum mcp_client_can); else it is refused */
  bool asks_without_state; /* answers to its questions are taken from whoever sends them, asked or
                              not (2026-07-28): they say no more than an argument could */
  const void *data;        /* the host's own */
};

/* What clients may read by its URI: a text or bytes that stand, or else the answer of a tool. A URI
 * with places, "x://books/{title}", is a template; an argument that is such a place gets what
 * stands there in the URI that is read. */
struct mcp_resource {
  const char *uri, *name, *title, *description;
  const char *mime_type; /* NULL for text/plain */
  const char *content;   /* a text; NULL for none */
  const void *bytes;     /* NULL for none */
  size_t n_bytes;
  const struct mcp_tool *tool; /* which need not be listed */
  const char *arguments;       /* of the tool's call, a JSON object */
};

struct mcp_prompt_argument {
  const char *name, *description;
  const char *otherwise; /* stands in its place when it is not given; "": it must be given */
};

/* A message for the model, with places to fill in; or messages that the host makes. */
struct mcp_prompt {
  const char *name, *title, *description;
  const char *text; /* {name} stands for an argument; NULL: the host's `prompt` makes it */
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
  /* Makes the messages of a prompt without a text, as `call` runs a tool; ends with
   * mcp_call_finish_prompt(). The arguments are checked. */
  void (*prompt)(void *host, const struct mcp_prompt *prompt, struct mcp_call *call);
  bool lists_change;     /* what a caller sees may change: mcp_server_changed() says so */
  bool resources_change; /* clients may subscribe to resources: mcp_server_resource_changed() */
  bool logs;             /* it calls mcp_call_log() */
};

/* Who makes a request. Embedded in the access layer's own object. */
struct mcp_principal {
  const char *id;        /* equal for equal callers; sessions are bound to it */
  const uint8_t *digest; /* SHA-256 of the id; NULL: worked out where it is needed */
  const char *label;     /* names it in logs: a hash that stays the same; NULL for none */
  struct share *share;   /* what it may use; NULL: as much as it likes */
  bool is_operator;      /* sees the tools for operators */
  /* Whether it may do what needs these scopes; NULL: everything. */
  bool (*has_scopes)(const struct mcp_principal *p, const char *scopes);
  void (*ref)(struct mcp_principal *p);
  void (*unref)(struct mcp_principal *p);
};

void mcp_call_ref(struct mcp_call *call);
void mcp_call_unref(struct mcp_call *call);
/* The arguments, an object. Belongs to the call; the host may change it until it returns
 * from `call`. */
cJSON *mcp_call_arguments(struct mcp_call *call);
/* The same, but they become the host's: best freed on the thread that made them, which is that of
 * `call`. Once each time that the call is run. */
cJSON *mcp_call_take_arguments(struct mcp_call *call);
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

/* How grave a message of the log is (RFC 5424). */
enum mcp_level {
  MCP_LEVEL_DEBUG,
  MCP_LEVEL_INFO,
  MCP_LEVEL_NOTICE,
  MCP_LEVEL_WARNING,
  MCP_LEVEL_ERROR,
  MCP_LEVEL_CRITICAL,
  MCP_LEVEL_ALERT,
  MCP_LEVEL_EMERGENCY,
  MCP_LEVELS,
};

/* Sends the client a message of the log, if it takes messages of this level: a session's level is
 * INFO until it sets another; a modern request names its level or gets none. logger may be NULL.
 * What a client may not see has no place here. */
void mcp_call_log(struct mcp_call *call, enum mcp_level level, const char *logger,
                  const char *text);

/* A part of a result or of a message. Texts are UTF-8. What the negotiated version does not know
 * becomes a text that names it. */
struct mcp_content {
  enum mcp_content_kind {
    MCP_TEXT,     /* text */
    MCP_IMAGE,    /* data, mime_type */
    MCP_AUDIO,    /* data, mime_type; since 2025-03-26 */
    MCP_EMBEDDED, /* a resource with its content: uri, mime_type, text or data */
    MCP_LINK,     /* a resource by its uri, name and mime_type; since 2025-06-18 */
  } kind;
  const char *text;
  const void *data;
  size_t data_len;
  const char *mime_type;
  const char *uri, *name;
};

/* text: for people, and for clients older than structured results; NULL when the parts say all.
 * structured: the result as a JSON object, NULL for errors. Both are UTF-8. */
struct mcp_tool_result {
  bool is_error;
  enum err_code code; /* of an error, for callers who get no text to read */
  int64_t retry_ms;   /* when the same call may succeed; 0 when that is not known */
  const char *scopes; /* of an error: what the access token must have for the call; else NULL */
  const char *text;
  size_t text_len;
  const char *structured;
  size_t structured_len;
  const struct mcp_content *parts; /* after the text */
  size_t n_parts;
};

/* A question to the person behind the client: a form, or one value out of a few. */
struct mcp_question {
  const char *key;     /* names the answer: a-z, 0-9 and _ */
  const char *message; /* what is asked */
  const char *schema;  /* of the form, a JSON object with flat properties; NULL: the choices */
  const struct mcp_choice {
    const char *value, *title;
  } * choices;
  size_t n;
};

/* Whether the client can ask its person. */
bool mcp_call_may_ask(const struct mcp_call *call);
/* In place of an end: asks. Later the tool is run again from its start, with the arguments as they
 * came, and finds the answer: in a session when the client sends it, and also, with nobody to ask
 * any more, when it does not (ask_ms); from 2026-07-28 on the client sends the same call again,
 * perhaps to another replica. Questions that are answered already are left out; a session's client
 * gets one at a time. Only where mcp_call_may_ask(); the host then only gives its reference back.
 */
void mcp_call_ask(struct mcp_call *call, const struct mcp_question *questions, size_t n);
enum mcp_answer { MCP_NO_ANSWER, MCP_ANSWERED, MCP_DECLINED };
/* The answer to a question that this call asked before. *value belongs to the call; it is what the
 * client sent, not necessarily one of the choices. */
enum mcp_answer mcp_call_answer(const struct mcp_call *call, const char *key, const char **value);
/* Whether there is any. */
bool mcp_call_has_answers(const struct mcp_call *call);
/* The same of a form: *form is an object. */
enum mcp_answer mcp_call_form(const struct mcp_call *call, const char *key, const cJSON **form);

/* Ends the call. A second end, or one after a cancellation, does nothing. */
void mcp_call_finish(struct mcp_call *call, const struct mcp_tool_result *result);

/* A message of a prompt. */
struct mcp_message {
  bool assistant; /* who says it; false: the user */
  struct mcp_content content;
};
/* Ends a call of the host's `prompt`. */
void mcp_call_finish_prompt(struct mcp_call *call, const struct mcp_message *messages, size_t n);

#endif
