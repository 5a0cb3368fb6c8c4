/* Remembers what the look-back of 90 days found on a dealer's site (leads.h), so that it is
 * read once and not with every answer.
 *
 * An entry holds for one look-back only, whose days are the same in every replica at any moment:
 * two replicas, or one before and after a restart, come to the same answer. The dealer longest
 * unused makes room. Thread-safe. */
#ifndef AMCP_GA4_LOOKBACK_H
#define AMCP_GA4_LOOKBACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/table.h"
#include "common/ga4/leads.h"

struct lookback {
  struct table entries;
};

/* Remembers at most max_dealers; 0 remembers none. */
void lookback_init(struct lookback *l, int64_t max_dealers);
void lookback_free(struct lookback *l);
/* What the look-back ending on last_day found for a dealer, by its reference. */
bool lookback_find(struct lookback *l, const char *dealer_ref, int64_t last_day,
                   struct lead_finding *out);
/* Remembers it. References longer than 200 bytes are not kept. */
void lookback_keep(struct lookback *l, const char *dealer_ref, int64_t last_day,
                   struct lead_finding finding);

#endif
