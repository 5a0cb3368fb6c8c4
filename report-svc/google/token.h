/* An access token and what auth-svc said about its dealer. Immutable, reference-counted,
 * wiped when the last reference goes. */
#ifndef AMCP_REPORT_TOKEN_H
#define AMCP_REPORT_TOKEN_H

#include <stdbool.h>
#include <stddef.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "common/base/error.h"
#include "report-svc/google/found.h"
#include "report-svc/request/request.h"

/* Whose token is asked for. */
enum google_subject { GOOGLE_DEALER, GOOGLE_PROPERTY };

struct token {
  _Atomic int refs;
  char *access_token;
  char *dealer_ref;
  char *dealer_name;
  char *quota_project;
  char *principal;         /* who asked for it, a hash; "" when auth-svc did not say */
  bool opaque;             /* the dealer is outside the caller's view */
  char *lead_event;        /* of the dealer's settings; "" when none is configured */
  char *qualified_session; /* likewise */
  char **property_ids;     /* none: not configured; token_with_found() has those that were found */
  size_t n_property_ids;
  uint64_t assignment; /* of the configuration that has none: see GetAccessTokenResponse */
  char *
      choice; /* which of several found ones is read, and which others there are; NULL: no choice */
};

struct token *token_new(const Analytics__Auth__V1__GetAccessTokenResponse *message);
/* The same with the properties that were found for the dealer. */
struct token *token_with_found(const struct token *t, const struct found *found);
/* Whether properties have to be found before one can be read. */
bool token_lacks_properties(const struct token *t);
struct token *token_ref(struct token *t);
/* NULL is fine. */
void token_unref(struct token *t);

/* Memory it takes, in bytes. */
size_t token_size(const struct token *t);

/* The property a report is about: `wanted` (digits, may be NULL) when it is one of the
 * dealer's, else the dealer's first. ERR_INVALID_ARGUMENT names property_id and the dealer's
 * own; ERR_FAILED_PRECONDITION (`no_property`) when the dealer has none. */
enum err_code token_property(char out[REQUEST_PROPERTY_SIZE], const struct token *t,
                             const char *wanted, struct err *e);

/* The dealer's properties that belong together: all that are configured. Of those that were found,
 * it is not known which are the dealer's own site: the chosen one. */
size_t token_properties(const struct token *t);
/* Reason of token_check_one_property(): the report is to be put together instead (own/). */
#define TOKEN_SEVERAL_PROPERTIES "several_properties"
/* ERR_FAILED_PRECONDITION with that reason when the dealer has more than one property. */
enum err_code token_check_one_property(const struct token *t, struct err *e);

#endif
