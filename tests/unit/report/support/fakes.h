/* A fake Google (HTTP) and a fake auth-svc (gRPC) in the test's own process, and a
 * report-svc between them. */
#ifndef AMCP_TESTS_REPORT_FAKES_H
#define AMCP_TESTS_REPORT_FAKES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "report-svc/methods.h"

struct MHD_Daemon;

/* What the fake Google does; change it between calls, under the lock. */
struct google_plan {
  int rows;           /* of every report; row i is "city i", i */
  int row_count_more; /* announced beyond that */
  int value_bytes;    /* padding of every city */
  int delay_ms;       /* before answering; see fakes_release() */
  int fail_status;    /* answered to the next fail_times requests */
  int fail_times;
  const char *fail_body;
  const char *fail_property; /* only to this one; NULL: to all */
  int cut_times;             /* the next answers break off in the middle */
  const char *token;         /* the only one accepted; NULL: any */
  int max_page_rows;         /* rows per answer, whatever limit says; 0: no bound */
  const char *body;          /* answered with 200 in the place of everything else; NULL: none */
  const char *odd_value;     /* in the place of the value of row 2, as JSON text; NULL: none */
  const char *odd_property;  /* only of this one; NULL: of all */
  int ranges;                /* rows of each city, with a dimension dateRange; 0: one, without */
  bool turned_after_cut;     /* after an answer was cut off the rows come in another order */
  bool repeats;              /* a page begins with the last row of the page before */
  const char *metric;        /* header of the metric; NULL: sessions */
  const char *first_date;    /* of all data, as Google writes it; NULL: there is none */
  const char *late_property, *late_first_date; /* one without rows, and its own first date */
};

enum { FAKE_PROPERTIES = 64 };

struct fakes {
  pthread_mutex_t lock;
  pthread_cond_t released;
  int releases;  /* by fakes_release() */
  bool stopping; /* no delay is waited for */
  struct google_plan google;
  atomic_int requests;                  /* to Google */
  int active[FAKE_PROPERTIES];          /* under way, by property - 100 */
  atomic_int worst_active;              /* most at once of one property */
  atomic_int total_active, worst_total; /* over all properties */
  char last_url[256];                   /* with the query's prettyPrint, if any */
  char last_body[4096];
  char last_quota_project[64];

  atomic_int token_calls, renewals, grants_seen; /* GetAccessToken */
  int token_number;                              /* "token-<n>" is given out */
  bool gives_many;                               /* GetAccessTokens has tokens */
  atomic_int many_calls;                         /* of it */
  bool renews;                                   /* a rejected token leads to the next number */
  int token_delay_ms;                            /* of GetAccessToken; see fakes_release() */
  atomic_int leases_ended, uses_reported;        /* EndLease */
  char lease_grant[32], lease_of[32];            /* of the last of them: "d03" */
  int token_failures;                            /* so many calls fail as if Google's did */
  bool several_properties;                       /* a dealer d07 has property 907 beside 107 */
  int opaque_from;         /* dealers from this number on are opaque; 0: none */
  int finds_from;          /* dealers from this number on have no configured properties; 0: none */
  atomic_int own_calls;    /* OwnProperties */
  char own_seen[256];      /* of the last: "11@1 12@1? ..." */
  uint64_t assignment;     /* of the configuration */
  const char *own_fails;   /* its reason; NULL: all that was seen are theirs */
  atomic_int status_asked; /* AuthorizeStatus */
  atomic_bool refuses_status;
  int list_dealers; /* dealers d00.. that ListDealers names */

  struct MHD_Daemon *daemon;
  struct rpc_server *auth_server, *report_server;
  struct rpc_channel *auth_channel, *report;
  struct http_client *http;
  struct service service;
  char endpoint[64];
};

/* Changes the plan while the servers run. */
#define LOCKED(f, ...)                                                                             \
  do {                                                                                             \
    pthread_mutex_lock(&(f)->lock);                                                                \
    __VA_ARGS__;                                                                                   \
    pthread_mutex_unlock(&(f)->lock);                                                              \
  } while (0)

/* What the report-svc under test differs in from the defaults. */
struct fakes_options {
  int64_t page_rows;
  size_t transfer_threads; /* 0: 3 */
  uint32_t timeout_ms, backoff_ms;
  size_t max_answer_bytes, chunk_rows, fan_out;
  size_t max_transfers; /* requests to Google at once; 0: 128 */
  size_t cache_bytes, join_bytes, intake_bytes;
  uint32_t deadline_ms, server_errors;
  int64_t quota_probe_ms;
  uint32_t benchmark_reports; /* of a principal within an hour */
  size_t benchmark_places;
  uint32_t lease_ms;
  int64_t properties_ttl_ms;
  struct shared *shared; /* the caller's, to be stopped before fakes_stop() and freed after it */
};

/* Starts everything on free loopback ports. Dealers are d00..d63 with property 100..163;
 * dealer "revoked" answers invalid_grant, every other name PERMISSION_DENIED. */
void fakes_start(struct fakes *f, const struct fakes_options *options);
void fakes_stop(struct fakes *f);
/* Ends the delays that have begun: those counted in `requests` and `token_calls`. What is to happen
 * before an answer is tested with a delay that no test waits for; fakes_stop() ends all. */
void fakes_release(struct fakes *f);
/* Waits until a count has come to so much; false when it has not within 10 s. */
bool fakes_reach(const atomic_int *count, int wanted);

/* Of a fake, under lock: waits for the delay or its end. */
void fakes_hold(struct fakes *f, int delay_ms);
/* The two servers, for fakes_start(). */
void fake_google_start(struct fakes *f);
void fake_google_stop(struct fakes *f);
void fake_auth_start(struct fakes *f);

#endif
