/* What a failed request to Google means: the error for the caller, and what to do next.
 *
 * Texts and kinds as recorded against the live service. Never holds a token. Thread-safe. */
#ifndef AMCP_REPORT_GOOGLE_ERROR_H
#define AMCP_REPORT_GOOGLE_ERROR_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "report-svc/google/budget.h"

enum google_next {
  GOOGLE_FAIL,        /* trying again does not help */
  GOOGLE_RETRY,       /* after a backoff */
  GOOGLE_RETRY_LATER, /* after a longer backoff: too many requests at once */
  GOOGLE_RENEW_TOKEN, /* with a new access token, once */
};

struct google_failure {
  const struct err *transport; /* of the transfer; code ERR_OK when an answer arrived */
  int status;
  const char *body; /* may be anything */
  size_t body_len;
  int64_t now_unix_ms;
  const char *access_token; /* withheld from the text, should Google echo it */
};

/* Fills *e: code, reason (unauthenticated, permission_denied, insufficient_scopes,
 * api_disabled, quota_exhausted, server_errors, invalid_argument, not_found, timeout, unavailable,
 * response_too_large, google_error) and a message with the remedy. A refused access token
 * is ERR_FAILED_PRECONDITION: it is the dealer's credential that is bad, not the caller's. */
enum google_next google_error_classify(struct err *e, const struct google_failure *failure);

/* Which quota a 429 is about, by Google's text. */
enum budget_quota google_error_quota(const struct google_failure *failure);

/* Next midnight in Los Angeles, when Google's daily quotas return; milliseconds since 1970. */
int64_t google_quota_day_end_ms(int64_t now_unix_ms);

#endif
