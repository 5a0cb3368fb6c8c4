/* How the fields of a property are described. */
#ifndef GA4_SIM_METADATA_H
#define GA4_SIM_METADATA_H

#include "ga4-sim/api/call.h"
#include "ga4-sim/report/fields.h"

/* DimensionMetadata and MetricMetadata, each a JSON object. */
void metadata_put_dimension(const struct field *f, struct buf *out);
void metadata_put_custom_dimension(const struct world_definition *d, struct buf *out);
void metadata_put_metric(const struct call *c, const struct field *f, struct buf *out);

#endif
