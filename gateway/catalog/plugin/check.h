/* What a .proto must keep to so that its tools can be served. */
#ifndef AMCP_CATALOG_PLUGIN_CHECK_H
#define AMCP_CATALOG_PLUGIN_CHECK_H

#include "gateway/catalog/plugin/model.h"

/* A tool: the rpc and the message its caller gets. */
struct tool {
  const struct method_info *method;
  const struct message_info *output; /* the response, or its `result` when streaming */
};

/* Collects the tools of all services, sorted by name, and notes every mistake in
 * model->problems. The array lives in the arena. */
struct tool *check_tools(struct model *model, size_t *n);

/* Whether a text is a name of a tool or prompt: a-z, 0-9 and _, a letter first, at most 40. */
bool check_is_name(const char *name);

/* The messages reachable from a tool's input through fields that are not hidden, each
 * once, in the order of first mention; the input itself comes first. */
const struct message_info **check_input_messages(const struct model *model,
                                                 const struct message_info *input, size_t *n);
/* The same of what a tool's caller gets. */
const struct message_info **check_output_messages(const struct model *model,
                                                  const struct message_info *output, size_t *n);

#endif
