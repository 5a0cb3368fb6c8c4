/* Checks that the rpcs share: which dealers, and which days. */
#ifndef AMCP_AGGREGATE_REQUEST_H
#define AMCP_AGGREGATE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/period/period.h"
#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/error.h"

/* dealer_ids and region: not both, at most 500 ids, none empty or longer than 128. */
enum err_code request_check_dealers(char *const *dealer_ids, size_t n, const char *region,
                                    struct err *e);
/* date_range may be NULL: the last 28 full days. */
enum err_code request_period(struct period *out, const Analytics__Ga4__V1beta__DateRange *range,
                             int64_t now_unix_ms, struct err *e);
/* A list of API names: none empty or longer than 256. */
enum err_code request_check_names(const char *field, char *const *names, size_t n, size_t max,
                                  struct err *e);

#endif
