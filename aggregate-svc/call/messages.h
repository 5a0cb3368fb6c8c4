/* Which of the chats of dealers in the period of a call were live chats, and which were texts.
 *
 * Both are the event asc_comm_submission. Its parameter comm_type tells them apart, where the
 * property has registered it as a custom dimension (definitions.h, kept for a day): then it is
 * asked how often the event fired by comm_type. Of dealers whose registration is kept that is asked
 * while the fan-out runs, of others that had some chats after it. Asked are dealers that the caller
 * may see and that are read by one property. What cannot be looked up stays unknown. */
#ifndef AMCP_AGGREGATE_MESSAGES_H
#define AMCP_AGGREGATE_MESSAGES_H

#include "aggregate-svc/call/definitions.h"
#include "aggregate-svc/call/lookup.h"
#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/period/period.h"
#include "common/base/arena.h"

struct messages_question {
  struct table *cache;
  struct cohort *cohort; /* `messages` of its members is filled in */
  /* Whether a dealer of the figures had chats in the period. */
  bool (*some)(const void *state, size_t member);
  const void *state;
  char *events[1];
  Analytics__Ga4__V1beta__FilterExpression *filter; /* the event */
  Analytics__Ga4__V1beta__DateRange range, *ranges[1];
};

/* Fills in what comes after them; the question must not be moved afterwards. The period is lent.
 * False when the arena is full. */
bool messages_question_init(struct messages_question *q, const struct period *period,
                            struct arena *arena);
/* Whether what a dealer has registered is needed: it had chats, and has not been asked. For
 * struct definitions_question; q: a question. */
bool messages_need_definitions(const void *q, size_t member);
/* Forgets what was asked early of dealers without chats. */
void messages_settle(const struct messages_question *q);

/* While the fan-out runs, and after it. */
extern const struct lookup_kind messages_early_lookup, messages_lookup;

#endif
