/* GA4's default channel groups, the parts of a dealer's mix of traffic. */
#ifndef AMCP_AGGREGATE_CHANNELS_H
#define AMCP_AGGREGATE_CHANNELS_H

#include <stddef.h>

enum { CHANNELS = 21 };

/* The dimension whose values they are. */
extern const char channel_dimension[];

/* A channel's place by Google's name; the last one, "(other)", for a name that is not among them.
 * Letter case matters. */
size_t channel_find(const char *name);
/* Google's name of a place below CHANNELS. Static text. */
const char *channel_name(size_t channel);

#endif
