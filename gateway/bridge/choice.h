/* Questions to the person behind a client: an argument that may mean several things (a dealer's
 * name that several dealers fit, a date in either order) is asked back where the client can ask. */
#ifndef AMCP_GATEWAY_BRIDGE_CHOICE_H
#define AMCP_GATEWAY_BRIDGE_CHOICE_H

#include "common/base/error.h"
#include "gateway/mcp/tool.h"

/* Asks, when the details of the failure say what may be meant by a text, an argument holds that
 * text and nobody was asked about it in this call. `given` are the arguments as they came. True:
 * the call goes on when the answer is there. */
bool choice_ask(struct mcp_call *call, cJSON *given, const struct err *failure);
/* Puts answers in the place of what they were asked about, in the arguments as they came. False,
 * with the error, when an argument was asked about and nothing was chosen. */
bool choice_apply(const struct mcp_call *call, cJSON *arguments, struct err *e);

#endif
