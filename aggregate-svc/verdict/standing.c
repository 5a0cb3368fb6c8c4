/* Standings: borders of volume and of distance. */
#include "aggregate-svc/verdict/standing.h"

typedef Analytics__Aggregate__V1__Standing Standing;

#define STANDING(word) ANALYTICS__AGGREGATE__V1__STANDING__##word

/* Below these a rate says little: own and expected events, events of the others. */
enum { MIN_OWN_EVENTS = 10, MIN_PEER_EVENTS = 20 };
/* Within so many percent of the benchmark a dealer is similar. */
enum { SIMILAR_PERCENT = 5 };

Standing standing_unknown(const struct dealer_metric *m)
{
  return m->better == ANALYTICS__AGGREGATE__V1__BETTER__CONTEXT ? STANDING(CONTEXT_ONLY)
                                                                : STANDING(TOO_LITTLE_DATA);
}

static bool too_little(struct stats_ratio own, struct stats_ratio others)
{
  double expected = (double)others.numerator / (double)others.denominator * (double)own.denominator;
  return (own.numerator < MIN_OWN_EVENTS && expected < MIN_OWN_EVENTS) ||
         others.numerator < MIN_PEER_EVENTS;
}

static Standing side(const struct dealer_metric *m, bool above, bool below)
{
  bool lower_is_better = m->better == ANALYTICS__AGGREGATE__V1__BETTER__LOWER;
  if (above)
    return lower_is_better ? STANDING(WORSE) : STANDING(BETTER);
  if (below)
    return lower_is_better ? STANDING(BETTER) : STANDING(WORSE);
  return STANDING(SIMILAR);
}

static bool undecided(const struct dealer_metric *m, struct stats_ratio own,
                      struct stats_ratio others)
{
  return standing_unknown(m) == STANDING(CONTEXT_ONLY) || too_little(own, others);
}

Standing standing_of_parts(const struct dealer_metric *m, struct stats_ratio own,
                           struct stats_ratio others)
{
  if (undecided(m, own, others))
    return standing_unknown(m);
  return side(m, stats_ratio_compare(own, others, 100 + SIMILAR_PERCENT) >= 0,
              stats_ratio_compare(own, others, 100 - SIMILAR_PERCENT) <= 0);
}

Standing standing_of_index(const struct dealer_metric *m, struct stats_ratio own,
                           struct stats_ratio others, double index)
{
  if (undecided(m, own, others))
    return standing_unknown(m);
  return side(m, index >= 100 + SIMILAR_PERCENT, index <= 100 - SIMILAR_PERCENT);
}
