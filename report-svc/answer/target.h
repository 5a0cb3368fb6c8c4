/* What every answer about one property begins with. */
#ifndef AMCP_REPORT_ANSWER_TARGET_H
#define AMCP_REPORT_ANSWER_TARGET_H

#include <stdbool.h>

#include "report-svc/answer/period.h"
#include "report-svc/answer/texts.h"
#include "report-svc/ask/ask.h"

/* A message of a type, in the arena, with dealer_id, dealer_name and property filled in, and
 * caveats as answer_put_property() has them; NULL at the arena's cap. */
ProtobufCMessage *answer_new_message(const ProtobufCMessageDescriptor *type, const struct ask *a,
                                     struct arena *arena);
/* Begins the caveats, of a message that has them, with which property was read where the caller did
 * not say it: the default one of several, or one that was chosen. False at the arena's cap. */
bool answer_put_property(ProtobufCMessage *m, const struct ask *a, struct arena *arena);
/* Fills in headline; false at the arena's cap. */
bool answer_put_headline(ProtobufCMessage *m, const struct buf *text, struct arena *arena);
/* Appends to caveats or notes; false when the arena was full. */
bool answer_put_texts(ProtobufCMessage *m, const char *field, const struct answer_texts *texts);

/* The whole reply of a tool that shows a list of Google's: `from` of Google's answer becomes `to`,
 * and the headline is "Ford of Reno (d01) has 3 key events". NULL at the arena's cap. */
ProtobufCMessage *answer_list(const struct ask *a, const ProtobufCMessageDescriptor *type,
                              const char *from, const char *to, const char *one, const char *many,
                              struct arena *arena);

#endif
