/* What is left of each property's quota at Google, and how often Google failed there: decides
 * whether a request may be sent at all.
 *
 * Google counts tokens per property and hour, per project and hour, and per day, and allows ten
 * server errors (500, 503) per hour. Every answer says what is left, so a request that would not
 * fit is refused here, with the time at which it will, instead of being refused by Google. Since
 * Google's hour begins when it likes, one request is let through now and then to see whether the
 * quota has returned. Server errors are kept below Google's bound: after `server_errors` of them
 * within an hour nothing is sent until the first is an hour old.
 *
 * Times are milliseconds since 1970 and handed in. At most BUDGET_MAX_KEYS properties, the least
 * recently used out first. Thread-safe. */
#ifndef AMCP_REPORT_BUDGET_H
#define AMCP_REPORT_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#include "analytics/ga4/v1beta/data.pb-c.h"
#include "common/base/error.h"

enum { BUDGET_MAX_KEYS = 20000, BUDGET_MAX_ERRORS = 50 };
enum { BUDGET_TIME_SIZE = 8 }; /* "14:05Z" */

struct budget_options {
  uint32_t server_errors; /* per key and hour, at most BUDGET_MAX_ERRORS; 0: not counted */
  int64_t probe_ms;       /* between requests sent although the quota is gone; 0: all are sent */
  /* Of the tokens of a property's hour, what benchmarks of other owners may use; 0: no bound. */
  uint32_t benchmark_percent;
};

/* Which quota a 429 is about. */
enum budget_quota { BUDGET_HOUR, BUDGET_DAY, BUDGET_SERVER_ERRORS, BUDGET_OTHER };

struct budget;

struct budget *budget_new(const struct budget_options *options);
/* NULL is fine. */
void budget_free(struct budget *b);
/* Whether a request may be sent for this key. ERR_RESOURCE_EXHAUSTED (`quota_exhausted`) or
 * ERR_UNAVAILABLE (`server_errors`), each with the time at which it may. */
enum err_code budget_admit(struct budget *b, const char *key, int64_t now_ms, struct err *e);
/* Whether a benchmark may ask this property of another owner. ERR_RESOURCE_EXHAUSTED
 * (`quota_exhausted`) with the time at which it may, once benchmarks have used their share of the
 * last hour. */
enum err_code budget_admit_benchmark(struct budget *b, const char *key, int64_t now_ms,
                                     struct err *e);
/* The same without a look at the tokens: for whom the state of all replicas says that. */
enum err_code budget_admit_errors(struct budget *b, const char *key, int64_t now_ms, struct err *e);

/* When nothing is sent any more over server errors, and when the tokens are back at the latest; 0:
 * not so. */
void budget_holds(struct budget *b, const char *key, int64_t now_ms, int64_t *held_until_ms,
                  int64_t *gone_until_ms);

/* What other replicas should know. */
struct budget_change {
  enum {
    BUDGET_AS_BEFORE,
    BUDGET_NOW_HELD, /* until_ms: Google refuses requests over server errors */
    BUDGET_NOW_GONE, /* until_ms, day, probe_at_ms: the tokens are used up */
    BUDGET_NOW_BACK  /* tokens are left again */
  } what;
  int64_t until_ms, probe_at_ms;
  bool day;
};

/* What an answer said is left. NULL: it said nothing. benchmark: the caller may not see the
 * property. */
void budget_saw(struct budget *b, const char *key,
                const Analytics__Ga4__V1beta__PropertyQuota *quota, bool benchmark, int64_t now_ms,
                struct budget_change *change);
/* Google refused a request with 429. */
void budget_refused(struct budget *b, const char *key, enum budget_quota quota, int64_t now_ms,
                    struct budget_change *change);
/* Another replica found: nothing is to be sent until then over server errors; the tokens are used
 * up until then (day: those of the day), and it or this one has sent a probe just now. */
void budget_learn_held(struct budget *b, const char *key, int64_t until_ms);
void budget_learn_gone(struct budget *b, const char *key, int64_t until_ms, bool day,
                       int64_t now_ms);
/* Google answered 500 or 503. */
void budget_server_error(struct budget *b, const char *key, int64_t now_ms);

/* A time of day for messages, "14:05Z": the minute by which it has come. */
const char *budget_time(char out[BUDGET_TIME_SIZE], int64_t unix_ms);

#endif
