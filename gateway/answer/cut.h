/* Inside the room: the tables of the text, cut to fit. */
#ifndef AMCP_GATEWAY_ANSWER_CUT_H
#define AMCP_GATEWAY_ANSWER_CUT_H

#include "gateway/answer/answer.h"
#include "gateway/answer/plan.h"

/* Appends all tables of a result in what is left until the buffer holds `max` bytes. Tables get
 * equal shares, and what a smaller one does not need goes to the larger ones; so a long list of
 * rows does not push a short table out. What is cut is said, with how to get it. Returns whether
 * nothing was.
 */
bool cut_put_tables(struct buf *out, const struct answer_plan *plan, const ProtobufCMessage *result,
                    const struct answer_notes *own, size_t max);

#endif
