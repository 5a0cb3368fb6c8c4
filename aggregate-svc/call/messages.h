/* Which of the chats of dealers in the period of a call were live chats, and which were texts.
 *
 * Both are the event asc_comm_submission. Its parameter comm_type tells them apart, where the
 * property has registered it as a custom dimension: that is asked first (definitions.h, kept for a
 * day), then how often the event fired by comm_type. Asked are dealers that the caller may see,
 * that had some, and that are read by one property. What cannot be looked up stays unknown: the
 * answer does without. */
#ifndef AMCP_AGGREGATE_MESSAGES_H
#define AMCP_AGGREGATE_MESSAGES_H

#include "aggregate-svc/call/definitions.h"
#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/period/period.h"
#include "common/rpc/rpc.h"

enum { MESSAGES_AT_ONCE = 64 };

struct messages_options {
  struct table *cache;
  struct rpc_channel *report; /* to report-svc */
  struct rpc_call *parent;    /* the call being served */
  struct cohort *cohort;      /* `messages` of its members is filled in */
  const struct period *period;
  bool (*some)(const void *state, size_t member); /* whether it had some; NULL: none had */
  const void *state;
  int64_t deadline_ms; /* on clock_mono_ms()'s scale */
};

struct messages;

/* Whether a dealer must be asked about. */
bool messages_needed(const struct messages_options *options);
/* finished() runs once, without a lock, possibly before this returns; its status is an error only
 * when the caller's grant is no longer taken. */
void messages_find(struct messages **out, const struct messages_options *options,
                   void (*finished)(void *user, const struct err *status), void *user);
/* After `finished`. NULL is fine. */
void messages_free(struct messages *m);

#endif
