/* What the simulator was asked: for tests that count calls. */
#ifndef GA4_SIM_STATS_H
#define GA4_SIM_STATS_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

#include "ga4-sim/world/world.h"

enum stats_event {
  STATS_TOKEN_REQUEST,  /* any POST to the token endpoint for this account */
  STATS_TOKEN_ISSUED,   /* ... answered with a token */
  STATS_REPORT_REQUEST, /* Data API requests with a valid token */
  STATS_REPORT_OK,      /* ... answered 200 */
  STATS_ADMIN_REQUEST,
  STATS_QUOTA_REFUSED,
  STATS_UNAUTHENTICATED, /* no or bad bearer; of no property */
  STATS_STS_REQUEST,     /* token exchanges, by the subject's dealer */
  STATS_STS_ISSUED,
  STATS_IAM_REQUEST, /* impersonations, by the service account's dealer */
  STATS_IAM_ISSUED,
  STATS_METADATA_REQUEST, /* of no property, as the following */
  STATS_METADATA_ISSUED,
  STATS_IMDS_REQUEST,
  STATS_IMDS_CREDENTIALS,
  STATS_REVOKE_REQUEST,
  STATS_EVENT_COUNT
};

struct stats;

struct stats *stats_new(size_t properties);
void stats_free(struct stats *s);
/* property: index, or -1 when it belongs to none. Thread-safe. */
void stats_count(struct stats *s, int64_t property, enum stats_event event);
/* A token of the token endpoint: counts it and keeps when (the last 64 of each account). */
void stats_issued(struct stats *s, int64_t property, int64_t unix_ms);
/* Requests in flight on a property, those the quota refuses included. */
void stats_enter(struct stats *s, int64_t property);
void stats_leave(struct stats *s, int64_t property);
void stats_reset(struct stats *s);
cJSON *stats_render(struct stats *s, const struct world *w);

#endif
