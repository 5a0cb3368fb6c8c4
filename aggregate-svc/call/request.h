/* The fields that requests over dealers share: which dealers, and which days. */
#ifndef AMCP_AGGREGATE_REQUEST_H
#define AMCP_AGGREGATE_REQUEST_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/period/period.h"
#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/error.h"

/* Lent by the request. A field that the request's message does not have is empty. */
struct request_fields {
  char **dealer_ids;
  size_t n_dealer_ids;
  const char *region, *cohort, *subject; /* "" when not given */
  const Analytics__Ga4__V1beta__DateRange *date_range;
};

/* Finds the fields by name. */
struct request_fields request_read(const ProtobufCMessage *request);
/* dealer_ids and region: not both, at most 500 ids; no id empty, none longer than 128. */
enum err_code request_check_fields(const struct request_fields *f, struct err *e);
/* date_range may be NULL: the last 28 full days. */
enum err_code request_period(struct period *out, const Analytics__Ga4__V1beta__DateRange *range,
                             int64_t now_unix_ms, struct err *e);

/* The error of a question about one dealer that names none. */
enum err_code request_no_subject(struct err *e);

/* A list of API names: none empty or longer than 256, no duplicate. */
enum err_code request_check_names(const char *field, char *const *names, size_t n, size_t max,
                                  struct err *e);
/* A limit from 0 to max, where 0 means the fallback. */
enum err_code request_check_limit(const char *field, int32_t given, int32_t fallback, int32_t max,
                                  size_t *out, struct err *e);
/* Which page of dealers: `limit` and `offset` of a request, up to 500 each. A limit of 0 means
 * those that fit. `name` is what the request calls the limit. */
enum err_code request_check_page(const char *name, int32_t limit, int32_t offset, size_t *out_limit,
                                 size_t *out_offset, struct err *e);

#endif
