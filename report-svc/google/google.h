/* Calls to Google's REST APIs on behalf of one dealer.
 *
 * A call asks auth-svc for an access token, waits for a place at the property, sends the
 * request, and tries again where that helps: once with a new token after a 401; up to three
 * times, with growing waits, after 500, 503, a cut connection or too many requests at once.
 * Nothing here blocks; callbacks run on the threads of common/http and common/rpc. */
#ifndef AMCP_REPORT_GOOGLE_H
#define AMCP_REPORT_GOOGLE_H

#include <stdatomic.h>

#include "common/base/buf.h"
#include "common/http/client.h"
#include "common/rpc/rpc.h"
#include "report-svc/google/budget.h"
#include "report-svc/google/ended.h"
#include "report-svc/google/governor.h"
#include "report-svc/google/methods.h"
#include "report-svc/google/token.h"
#include "report-svc/shared/shared.h"

struct google_options {
  struct http_client *http;
  struct rpc_channel *auth;
  const char *data_endpoint;  /* https://analyticsdata.googleapis.com, no slash at the end */
  const char *admin_endpoint; /* https://analyticsadmin.googleapis.com */
  uint32_t timeout_ms;        /* of one request */
  uint32_t backoff_ms;        /* bound of the first wait between attempts */
  size_t max_transfers;       /* in all */
  uint32_t deadline_ms;       /* of all requests of one call; 0 means 45,000 */
  struct budget_options budget;
  /* What benchmarks of other owners may have of a property at once, and each principal of all of
   * them within an hour; 0 for no bound. */
  size_t benchmark_places;
  uint32_t benchmark_reports;
  int64_t properties_ttl_ms; /* properties that were found are kept for so long; 0: not at all */
  uint32_t lease_ms;         /* auth-svc's answers are used again for so long; 0: never */
  struct shared *shared;     /* state of all replicas; NULL: none */
};

struct google;

/* Pointers of the options must outlive it. */
struct google *google_new(const struct google_options *options);
/* Reports how often auth-svc's answers were used, and waits up to a second for that. Once no call
 * can start any more, before the channel is freed. NULL is fine. */
void google_end_leases(struct google *g);
/* After the http client, whose timers refer to it, was freed. NULL is fine. */
void google_free(struct google *g);
const struct google_options *google_options(const struct google *g);
struct governor *google_governor(struct google *g);
/* The address and the key of a method's request: see google_method_target(). */
enum err_code google_target_of(struct google_target *out, const struct google *g,
                               const struct google_method *m, const char *of,
                               const char *page_token, struct err *e);

struct google_call;

/* What the owner of a call does; none of these may block. They run one at a time. */
struct google_call_ops {
  /* A token is there: says where to. An error ends the call. */
  enum err_code (*on_token)(void *user, const struct token *t, struct google_target *out,
                            struct err *e);
  /* Before every attempt: appends the body; forgets what came of the attempt before. */
  enum err_code (*prepare)(void *user, struct buf *body, struct err *e);
  /* The call is about to wait, with no transfer under way: for a token, a place or a further
   * attempt. Perhaps several times; NULL for nothing. */
  void (*on_wait)(void *user);
  /* As http_request's; NULL collects the body. */
  enum http_flow (*on_body)(void *user, const char *data, size_t len);
  /* A 2xx answer has arrived whole; or on_body aborted: response is NULL, *e must be set.
   * ERR_UNAVAILABLE is tried again. */
  enum err_code (*check)(void *user, const struct http_response *response, struct err *e);
  /* The end, exactly once; e->code is ERR_OK on success. */
  void (*on_done)(void *user, const struct err *e);
};

struct google_call_options {
  struct rpc_call *parent; /* the call being served: grant, trace */
  const struct google_method *method;
  enum google_subject subject;
  const char *subject_id; /* copied */
  Analytics__Auth__V1__Purpose purpose;
  struct token *token; /* from an earlier call of the same subject; NULL asks auth-svc */
  /* auth-svc's answer to an equal ask of the same grant will do, for google_options.lease_ms. */
  bool leased;
  uint32_t lane;       /* of http_request: calls of equal lane are read by one thread; 0: any */
  int64_t deadline_ms; /* clock_mono_ms() */
  const struct google_call_ops *ops;
  void *user;
};

/* Makes a call with one reference for the owner; google_call_start() lets it run. on_done
 * may run before start returns. */
struct google_call *google_call_new(struct google *g, const struct google_call_options *options);
void google_call_start(struct google_call *c);
struct google_call *google_call_ref(struct google_call *c);
/* NULL is fine. */
void google_call_unref(struct google_call *c);
/* on_done follows with ERR_CANCELLED, perhaps before this returns, unless it ran. NULL is
 * fine. Thread-safe. */
void google_call_cancel(struct google_call *c);
/* Goes on after on_body returned HTTP_PAUSE. Thread-safe. */
void google_call_resume(struct google_call *c);
/* The token in use, to be released; NULL when there is none. Call from the callbacks. */
struct token *google_call_token(struct google_call *c);

/* What an answer said is left of a property's quota; NULL: nothing. `property`: digits. benchmark:
 * the caller may not see it. */
void google_saw_quota(struct google *g, const char *property,
                      const Analytics__Ga4__V1beta__PropertyQuota *quota, bool benchmark);

/* How the last calls ended, by property. */
struct ended_calls *google_ended(struct google *g);
/* Until when nothing is sent to a property (digits), milliseconds since 1970; 0: not so. */
struct google_holds {
  int64_t held_until_ms; /* over Google's server errors */
  int64_t gone_until_ms; /* its quota is used up, at the latest until then */
};
struct google_holds google_holds_of(struct google *g, const char *property);

/* When work for an rpc must be done: options.deadline_ms from now, or earlier as the caller's
 * deadline demands: see rpc_work_deadline_ms(). */
int64_t google_work_deadline_ms(const struct google *g, struct rpc_call *parent);

#endif
