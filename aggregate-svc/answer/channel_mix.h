/* A dealer's mix of channels beside that of the others: what of a difference is mix.
 *
 * When dealers are outside the caller's view, everything rests on what is released of their
 * channels: the shares and lead rates of those that may be named, and the pool for the rest. Then
 * only leads per 100 sessions are standardised. */
#ifndef AMCP_AGGREGATE_CHANNEL_MIX_H
#define AMCP_AGGREGATE_CHANNEL_MIX_H

#include <stdbool.h>

#include "aggregate-svc/answer/index.h"
#include "aggregate-svc/figures/channels.h"

/* The others in one channel. */
struct channel_others {
  bool has_share, has_rate;
  double share; /* of their sessions, 0 to 1 */
  double rate;  /* leads per 100 sessions of the channel */
};

struct channel_mix {
  struct channel_others others[CHANNELS];
  bool restricted; /* dealers are outside the view */
  bool has_pool;   /* restricted: the others' leads per 100 sessions */
  double pool;
};

/* The others of a member, by channel. The member and the others need channels in their figures. */
void channel_mix_of(struct channel_mix *out, const struct benchmarked *b, size_t member);

/* What a metric's difference from the others is made of. */
struct channel_effect {
  double index;             /* 100 x value / what the mix predicts */
  bool has_interval;        /* not for dealers outside the view */
  double low, high;         /* 95 % */
  double gap_mix, gap_rate; /* add up to value - benchmark, in the metric's unit */
};
/* False when there is nothing to standardise with. phi is the metric's over-dispersion. */
bool channel_mix_effect(const struct channel_mix *mix, const struct benchmarked *b,
                        enum metric_id metric, size_t member, double phi,
                        struct channel_effect *out);

#endif
