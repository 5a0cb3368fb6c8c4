/* A dealer's name that several dealers fit: the person is asked which one, where the client can
 * ask; elsewhere the error that lists them is the answer. */
#ifndef AMCP_GATEWAY_BRIDGE_CHOICE_H
#define AMCP_GATEWAY_BRIDGE_CHOICE_H

#include "common/base/error.h"
#include "gateway/mcp/tool.h"

/* Puts what was chosen into the arguments, which are repaired. False when the person chose not to
 * say; then *e says so. */
bool choice_apply(const struct mcp_call *call, cJSON *arguments, struct err *e);
/* Asks, when the failure lists what fits (reason several_dealers) and one argument holds what they
 * fit. True: the call has ended with the question. */
bool choice_ask(struct mcp_call *call, const cJSON *arguments, const struct err *failure);

#endif
