/* One call of a tool of report-svc, as a test sees it. */
#ifndef AMCP_TESTS_REPORT_TOOL_RUN_H
#define AMCP_TESTS_REPORT_TOOL_RUN_H

#include "tests/unit/report/support/fakes.h"

/* The response of an rpc, to be freed with tool_free(); NULL after an error. */
void *tool_run(struct fakes *f, const char *rpc, const ProtobufCMessage *request, struct err *e);
/* NULL is fine. */
void tool_free(void *response);
/* Whether Google was last asked with this address, and this body where it is not NULL. */
bool tool_asked(struct fakes *f, const char *url, const char *body);

#endif
