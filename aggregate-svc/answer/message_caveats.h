/* What is said of chats and texts, which are one event. */
#ifndef AMCP_AGGREGATE_MESSAGE_CAVEATS_H
#define AMCP_AGGREGATE_MESSAGE_CAVEATS_H

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/cohort/notes.h"

/* Adds sentences about the chats of visible dealers in the figures that had some: at which they are
 * told from texts, at which they are not and what to do there, and what the subject's were. Nothing
 * when nobody had any. */
void message_caveats(struct caveats *out, const struct cohort_figures *figures);

#endif
