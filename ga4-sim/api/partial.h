/* Partial responses: the query parameter `fields`. */
#ifndef GA4_SIM_PARTIAL_H
#define GA4_SIM_PARTIAL_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "ga4-sim/report/transcode.h"

/* Reads a mask ("rows/metricValues,metadata(timeZone,currencyCode)", with * for all) over a message
 * type; names are taken in camelCase and snake_case. NULL: *e says which path does not exist. Free
 * with cJSON_Delete(). */
cJSON *partial_read(const char *text, const struct message_type *type, struct err *e);
/* Removes what the mask does not name from a message. */
void partial_apply(cJSON *message, const cJSON *mask);

#endif
