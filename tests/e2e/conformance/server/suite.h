/* What the official conformance suites ask a server for: their tools, resources and prompts, on the
 * library of gateway/mcp. Names and texts are the suites'. */
#ifndef AMCP_TESTS_CONFORMANCE_SUITE_H
#define AMCP_TESTS_CONFORMANCE_SUITE_H

#include <stdint.h>

#include "gateway/mcp/server.h"

/* Host of all of it. `server` is set once there is one, for tools that change lists. */
struct suite {
  struct mcp_server *server;
};

struct mcp_tool_host suite_host(struct suite *s);

/* Its parts. */
extern const struct mcp_tool suite_tools[];
extern const size_t suite_tools_len;
extern const struct mcp_resource suite_resources[];
extern const size_t suite_resources_len;
extern const struct mcp_prompt suite_prompts[];
extern const size_t suite_prompts_len;
extern const struct mcp_completion suite_completions[];
extern const size_t suite_completions_len;
void suite_prompt(void *host, const struct mcp_prompt *prompt, struct mcp_call *call);
void suite_complete(void *host, const struct mcp_completion *c,
                    const struct mcp_tool_result *result, void (*add)(void *arg, const char *value),
                    void *arg);

/* A tool's `data`. */
struct suite_run {
  void (*run)(struct suite *s, struct mcp_call *call);
};
/* Tools that ask back, in a table of their own. */
void suite_ask_name(struct suite *s, struct mcp_call *call);
void suite_ask_user(struct suite *s, struct mcp_call *call);
void suite_ask_defaults(struct suite *s, struct mcp_call *call);
void suite_ask_enums(struct suite *s, struct mcp_call *call);
void suite_ask_confirm(struct suite *s, struct mcp_call *call);
void suite_ask_steps(struct suite *s, struct mcp_call *call);

/* Ends a call with a text. */
void suite_say(struct mcp_call *call, const char *text);

extern const uint8_t suite_png[69], suite_wav[46];

#endif
