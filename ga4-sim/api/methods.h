/* Bodies of the methods that are not reports. */
#ifndef GA4_SIM_METHODS_H
#define GA4_SIM_METHODS_H

#include "ga4-sim/sim/sim.h"

/* getMetadata; p NULL: properties/0, the schema without custom fields and comparisons. */
void metadata_render(const struct world_property *p, bool enums_as_numbers, struct buf *out);
void admin_account_summaries(const struct world *w, int64_t identity, const struct request *q,
                             struct reply *r);
void admin_property(const struct world *w, const struct world_property *p, bool enums_as_numbers,
                    struct buf *out);

#endif
