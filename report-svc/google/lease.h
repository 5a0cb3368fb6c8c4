/* auth-svc's answers to GetAccessToken that may be used again for a moment.
 *
 * A lease belongs to one sealed grant and one target, so no answer reaches another caller or
 * another account. It ends when auth-svc said it does, with a refused token (leases_drop()), or
 * when others need its room, the oldest first; then on_end() hears how often it was used.
 * Times are clock_mono_ms(). Thread-safe. */
#ifndef AMCP_REPORT_LEASE_H
#define AMCP_REPORT_LEASE_H

#include <stdint.h>

#include "report-svc/google/token.h"

/* What a lease is found by; borrowed. */
struct lease_name {
  const void *grant; /* sealed, as the call brought it */
  size_t grant_len;
  enum google_subject subject;
  const char *subject_id;
};

struct leases_options {
  size_t max_bytes; /* of all leases; one that takes more than a quarter is not made */
  /* A lease has ended that was used beyond the call that brought it. Runs without a lock on the
   * thread that ended it; must not wait. */
  void (*on_end)(void *user, const struct lease_name *name, uint64_t uses);
  void *user;
};

struct leases;

struct leases *leases_new(const struct leases_options *options);
/* Nothing is reported any more: leases_expire(l, INT64_MAX) before. NULL is fine. */
void leases_free(struct leases *l);
/* Counts a use and returns a reference to the token; NULL when there is no lease. */
struct token *leases_use(struct leases *l, const struct lease_name *name, int64_t now_ms);
/* Begins a lease, with a reference of its own to the token. One that runs already stays. */
void leases_begin(struct leases *l, const struct lease_name *name, struct token *token,
                  int64_t until_ms, int64_t now_ms);
/* Ends a lease, if there is one. */
void leases_drop(struct leases *l, const struct lease_name *name);
/* Ends those that are over. How many run on. */
size_t leases_expire(struct leases *l, int64_t now_ms);

#endif
