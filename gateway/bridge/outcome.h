/* The one mapping from a backend's status to what the model reads. */
#ifndef AMCP_GATEWAY_BRIDGE_OUTCOME_H
#define AMCP_GATEWAY_BRIDGE_OUTCOME_H

#include <stdint.h>

#include "common/base/buf.h"
#include "common/base/error.h"

struct outcome_context {
  const char *tool;    /* "run_report" */
  const char *service; /* "report-svc" */
  const char *trace;   /* trace id */
  uint32_t timeout_ms; /* the call's limit */
};

/* The status as callers of the tool see it: what would end the same way again is never one of those
 * that ask to wait. */
enum err_code outcome_code(const struct err *status);

/* Appends what happened and what to do. */
void outcome_text(struct buf *out, const struct err *status, const struct outcome_context *c);

#endif
