/* The second step of a call: plans the reports of its dealers, asks report-svc for them, and folds
 * what comes; the caller is sent the progress. Private to call/; the job must not be touched after
 * either. */
#ifndef AMCP_AGGREGATE_REPORTS_H
#define AMCP_AGGREGATE_REPORTS_H

#include "aggregate-svc/call/job.h"

/* The dealers are known, and which of them may be asked: plans the reports and asks for them. */
void reports_plan(struct job *j);
/* Asks for the planned reports of the dealers that are pending. */
void reports_ask(struct job *j);

#endif
