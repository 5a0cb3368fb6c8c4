/* runReport of v1alpha: with a conversionSpec a report of advertising conversions, else the same as
 * that of v1beta. */
#ifndef GA4_SIM_CONVERSIONS_H
#define GA4_SIM_CONVERSIONS_H

#include "ga4-sim/report/fields.h"
#include "ga4-sim/report/request.h"

/* Checks and reads a transcoded request, as request_read() does. A property's conversion actions
 * are its key events: conversionActions/1001 is the first one of the world's table. */
enum err_code conversions_read(struct report_request *out, const cJSON *tree,
                               const struct world_property *property, int64_t today,
                               struct arena *arena, struct err *e);

/* SQL and type of a metric of conversions; NULL when there is no such metric. */
const char *conversions_metric_sql(const struct report_request *r, const char *name,
                                   enum metric_type *type);

#endif
