/* What is said of chats and texts, which are one event. */
#ifndef AMCP_AGGREGATE_MESSAGE_CAVEATS_H
#define AMCP_AGGREGATE_MESSAGE_CAVEATS_H

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/cohort/notes.h"

/* Adds sentences about the chats of the subject, or without one of all visible dealers in the
 * figures: at which of those that had some texts are among them and what to do there, and what the
 * subject's were. Nothing where all are told apart or nobody had any. */
void message_caveats(struct caveats *out, const struct cohort_figures *figures);

#endif
