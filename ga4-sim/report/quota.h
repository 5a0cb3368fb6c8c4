/* Bookkeeping of a property's quotas (standard properties), apart for each category. */
#ifndef GA4_SIM_QUOTA_H
#define GA4_SIM_QUOTA_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/buf.h"

/* Two projects read a property here: the OAuth client's and the service account's. */
enum { QUOTA_PROJECTS = 2 };
enum {
  QUOTA_TOKENS_DAY = 200000,
  QUOTA_TOKENS_HOUR = 40000,
  QUOTA_TOKENS_PROJECT_HOUR = 14000,
  QUOTA_CONCURRENT = 10,
  QUOTA_SERVER_ERRORS_HOUR = 10,
  QUOTA_THRESHOLDED_HOUR = 120
};

/* Each category has its own books of tokens, requests in flight and server errors. */
enum quota_category {
  QUOTA_NONE = -1, /* the method stands under no quota of a property */
  QUOTA_CORE,
  QUOTA_REALTIME,
  QUOTA_FUNNEL,
  QUOTA_CATEGORIES
};

/* Whose books: a property (index), the category of the method, the project of the caller. */
struct quota_account {
  size_t property;
  enum quota_category category; /* not QUOTA_NONE */
  unsigned project;
};

enum quota_verdict {
  QUOTA_OK,
  QUOTA_EXHAUSTED_DAY,
  QUOTA_EXHAUSTED_HOUR,
  QUOTA_EXHAUSTED_PROJECT_HOUR,
  QUOTA_EXHAUSTED_CONCURRENT,
  QUOTA_EXHAUSTED_SERVER_ERRORS,
  QUOTA_EXHAUSTED_THRESHOLDED
};

struct quota;

/* Books for n properties. Thread-safe from here on. */
struct quota *quota_new(size_t n);
void quota_free(struct quota *q);
/* Admits a request (then quota_leave() must follow) or says what is exhausted. */
enum quota_verdict quota_enter(struct quota *q, struct quota_account a, int64_t unix_ms);
void quota_leave(struct quota *q, struct quota_account a);
/* Charges tokens for an answered report; the charge may overdraw, as Google's does. */
void quota_charge(struct quota *q, struct quota_account a, uint32_t tokens, int64_t unix_ms);
void quota_server_error(struct quota *q, struct quota_account a, int64_t unix_ms);
/* Appends the propertyQuota object. consumed: tokens of this report; 0: who asks is not a request
 * in flight. */
bool quota_render(struct quota *q, struct quota_account a, uint32_t consumed, int64_t unix_ms,
                  struct buf *out);
/* Books a request that Google may have to threshold; false: there have been as many as there may
 * be in this hour. */
bool quota_take_thresholded(struct quota *q, struct quota_account a, int64_t unix_ms);
/* What has been used, for tests that need a property near its end. Counts below 0 stay. */
struct quota_used {
  int64_t tokens_day, tokens_hour, tokens_project_hour, thresholded_hour;
};
void quota_set_used(struct quota *q, struct quota_account a, const struct quota_used *used,
                    int64_t unix_ms);
/* Moves the clock by which quotas return; in all since the start. */
void quota_advance(struct quota *q, int64_t ms);
/* Forgets all consumption and where the clock was moved to; requests in flight stay counted. */
void quota_reset(struct quota *q);
/* Google's message for a verdict. */
const char *quota_message(enum quota_verdict verdict);

/* Tokens of a report: grows with dimensions, metrics and days. Fitted to recorded
 * charges (1 for one dimension over a few days, 2 for 1 x 10, 4 for 9 x 10 over 30 days,
 * 7 for 1 x 1 over 365 days). */
uint32_t quota_cost(size_t dimensions, size_t metrics, int64_t days);

#endif
