/* Faults switched on for a property, an account or everyone. */
#ifndef GA4_SIM_FAULTS_H
#define GA4_SIM_FAULTS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "ga4-sim/world/world.h"

enum fault_kind {
  FAULT_NONE,
  FAULT_LATENCY,
  FAULT_401,
  FAULT_403,
  FAULT_403_SCOPES,
  FAULT_403_DISABLED,
  FAULT_429_HOURLY,
  FAULT_429_DAILY,
  FAULT_429_CONCURRENT,
  FAULT_500,
  FAULT_503,
  FAULT_HTML_404, /* as of an address that is not Google's */
  FAULT_HTML_502,
  FAULT_SLOW_BODY,
  FAULT_CUT,
  FAULT_MALFORMED,
  FAULT_400,
  FAULT_NOT_JSON,
  FAULT_HUGE_BODY,
  FAULT_403_RATE,
  FAULT_429_THRESHOLDED,
  FAULT_429_SERVER_ERRORS,
  FAULT_EMPTY_OBJECT, /* 200 {} */
  FAULT_ERROR_200,    /* 200 with an error in it */
  FAULT_UNKNOWN_ENUM, /* a true answer with names that are newer than any client */
  FAULT_TIE_REORDER,  /* a true answer whose rows of equal rank come in another order */
  FAULT_NO_FLAVOR,    /* the metadata server without its header */
  /* From here on: of the token endpoint and the token exchange only. */
  FAULT_INVALID_GRANT,
  FAULT_INVALID_CLIENT,
  FAULT_TOKEN_503,
  FAULT_TOKEN_SLOW,
  FAULT_INVALID_RAPT,
  FAULT_DELETED_CLIENT,
  FAULT_UNAUTHORIZED_CLIENT,
  FAULT_ADMIN_POLICY,
  FAULT_INVALID_TARGET,
  FAULT_KIND_COUNT
};

enum fault_endpoint {
  ENDPOINT_TOKEN = 1,
  ENDPOINT_REPORT = 2,
  ENDPOINT_ADMIN = 4,
  ENDPOINT_STS = 8,
  ENDPOINT_IAM = 16,
  ENDPOINT_METADATA = 32,
  ENDPOINT_IMDS = 64
};

/* What a request shall suffer: the delays add up, of the others the oldest wins. */
struct fault_effect {
  uint32_t delay_ms;
  enum fault_kind kind;
  uint32_t ms; /* of the kind */
};

struct faults;

struct faults *faults_new(void);
void faults_free(struct faults *f);
/* Adds the fault a JSON object describes; *added is its description with its id. */
enum err_code faults_add(struct faults *f, const struct world *w, const cJSON *description,
                         cJSON **added, struct err *e);
/* Takes what applies to a request, using up `times`. property: index, or -1 when the
 * request belongs to none. */
struct fault_effect faults_take(struct faults *f, int64_t property, enum fault_endpoint endpoint);
/* Likewise for a request of a page that begins at a row: a fault with from_row above it does not
 * act. */
struct fault_effect faults_take_at(struct faults *f, int64_t property, enum fault_endpoint endpoint,
                                   int64_t row);
/* Removes one fault (id > 0) or all; returns how many. */
size_t faults_clear(struct faults *f, int64_t id);
/* {"faults":[...]}; free with cJSON_Delete(). */
cJSON *faults_list(struct faults *f, const struct world *w);

#endif
