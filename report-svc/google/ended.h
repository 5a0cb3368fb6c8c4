/* How the last calls to Google ended, by property: what operators are shown. Nothing of what a
 * report held.
 *
 * A call that ended before its property was known counts for the dealer it was about. What is the
 * caller's own fault (a wrong field, a dealer outside its grant, its share of benchmarks, a call it
 * gave up) does not count. Times are seconds since 1970 and handed in; counts are kept by the hour,
 * for 24 hours. At most ENDED_ENTRIES_MAX entries, the least recently used out first, of under 1 KB
 * each. Thread-safe. */
#ifndef AMCP_REPORT_ENDED_H
#define AMCP_REPORT_ENDED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

enum {
  ENDED_ENTRIES_MAX = 10000,
  ENDED_HOURS = 24,
  ENDED_REASONS = 6, /* that are told apart; the least frequent gives way to a new one */
  ENDED_ID = 72,
  ENDED_REASON = 40
};

struct ended_calls;

struct ended_calls *ended_new(size_t max_entries); /* 0 means ENDED_ENTRIES_MAX */
/* NULL is fine. */
void ended_free(struct ended_calls *s);

/* Whose call it was. */
struct ended_subject {
  const char *property_id; /* digits; "" when it was not reached */
  const char *dealer_id;   /* "" when it is not known, or not to be */
};
/* A call has ended; e->code is ERR_OK when it did well. */
void ended_note(struct ended_calls *s, const struct ended_subject *subject, const struct err *e,
                int64_t now_s);
/* What an answer said is left of a property's tokens. */
void ended_quota(struct ended_calls *s, const char *property_id, int32_t hour_left,
                 int32_t day_left, int64_t now_s);

/* A count of one reason within 24 hours. */
struct ended_failures {
  char reason[ENDED_REASON];
  uint64_t count;
};
/* One entry as it is now. */
struct ended_account {
  char property_id[ENDED_ID], dealer_id[ENDED_ID];
  int64_t last_at, last_ok_at; /* 0: never */
  char last_outcome[ENDED_REASON];
  uint64_t ok;
  struct ended_failures failures[ENDED_REASONS]; /* the most frequent first */
  size_t n_failures;
  bool has_quota;
  int32_t hour_left, day_left;
};
/* Copies the entries, the most recently used first, at most `max`; returns how many. */
size_t ended_list(struct ended_calls *s, struct ended_account *out, size_t max, int64_t now_s);
size_t ended_count(struct ended_calls *s);

/* What the operator does about a failure; "" when nothing is to be done. Static. */
const char *ended_remedy(const char *reason);

#endif
