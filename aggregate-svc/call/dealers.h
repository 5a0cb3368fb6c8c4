/* The first step of a call: which dealers it is about, and which of them may be asked. Private to
 * call/. */
#ifndef AMCP_AGGREGATE_DEALERS_H
#define AMCP_AGGREGATE_DEALERS_H

#include "aggregate-svc/call/job.h"

/* Finds the dealers, and goes on from there. The job must not be touched afterwards. */
void dealers_find(struct job *j);

#endif
