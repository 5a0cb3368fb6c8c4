/* The last step of a call: what the answer lacks is looked up, the figures are made and sent.
 * Private to call/. */
#ifndef AMCP_AGGREGATE_COMPUTE_H
#define AMCP_AGGREGATE_COMPUTE_H

#include "aggregate-svc/call/job.h"

/* Goes on on a worker with what the reports brought or, where j->error is set, ends the call with
 * it. On any thread; the job must not be touched afterwards. */
void compute_on_worker(struct job *j);
/* What was disclosed of dealers outside the caller's view, for audit. */
void compute_log_release(const struct job *j, const ProtobufCMessage *result);

#endif
