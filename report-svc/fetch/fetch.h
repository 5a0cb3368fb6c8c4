/* Inside of FetchReports; not for others.
 *
 * A fetch has dealers, a dealer has queries. Each query is a chain of pages (google_call per
 * page) that fills columns and sends chunks; a query or dealer that finds no room in the
 * stream parks itself and is woken when there is room. */
#ifndef AMCP_REPORT_FETCH_H
#define AMCP_REPORT_FETCH_H

#include <pthread.h>
#include <stdbool.h>

#include "report-svc/ask/report.h"
#include "report-svc/ask/service.h"
#include "report-svc/request/request.h"
#include "report-svc/rows/columns.h"
#include "report-svc/rows/decoder.h"

enum { FETCH_MAX_DEALERS = 500, FETCH_MAX_QUERIES = 5, FETCH_FAN_OUT = 64 };
enum { FETCH_DEFAULT_MAX_ROWS = 1000000 };

struct fetch;

/* Something that waits for room in the stream. */
struct fetch_waiter {
  void (*go)(void *arg);
  void *arg;
  struct fetch_waiter *next;
  bool parked; /* guarded by the fetch's lock */
};

enum fetch_query_state {
  QUERY_PAGING,   /* a google_call is under way */
  QUERY_FLUSHING, /* all rows are here: the last chunk, then QueryDone, are to be sent */
  QUERY_ENDED,
};

struct fetch_query {
  unsigned magic;
  struct fetch_dealer *dealer;
  const Analytics__Report__V1__ReportQuery *query;
  enum fetch_query_state state;
  struct google_call *google; /* of the page; guarded by the fetch's lock */
  struct token *token;        /* for the next page */
  char property[REQUEST_PROPERTY_SIZE];
  struct rows_decoder *decoder;
  struct columns *columns;
  struct report_shape shape; /* of the rows of this page */
  int64_t rows;              /* taken, over all pages */
  int64_t row_count;         /* Google's, of the last page */
  size_t redelivered;        /* bytes at the front of the next piece that were taken already */
  struct err body_error;
  struct fetch_waiter waiter;
  bool late;           /* the page ended while it waited for room: resume_page() goes on */
  struct err late_end; /* how */
  struct arena *arena; /* of what came beside the rows of the last page */
  Analytics__Ga4__V1beta__RunReportResponse *rest;
};

struct fetch_dealer {
  struct fetch *fetch;
  uint32_t index;
  struct fetch_query *queries;
  size_t open;      /* queries not ended; guarded by the fetch's lock */
  struct err error; /* first failure; guarded by the fetch's lock */
  char property[REQUEST_PROPERTY_SIZE];
  struct fetch_waiter waiter;
};

struct fetch {
  unsigned magic;
  struct service *service;
  struct rpc_call *call;
  const Analytics__Report__V1__FetchReportsRequest *request;
  int64_t max_rows;
  int64_t deadline_ms;

  pthread_mutex_t lock;
  struct fetch_dealer *dealers;
  size_t next;   /* dealer to start */
  size_t active; /* dealers under way */
  bool cancelled;
  bool pumping, again, finished;
  struct fetch_waiter *waiters, *last_waiter;
};

/* reports.c */
/* Wakes the waiter when there is room in the stream, perhaps before this returns. */
void fetch_park(struct fetch *f, struct fetch_waiter *waiter);
/* Starts dealers while there is room for them; ends the call when none is left. `ended` dealers
 * are done with: f may be gone afterwards, for whoever counted for one of them. Until then each
 * keeps f alive, so nothing may be counted off before. */
void fetch_pump(struct fetch *f, size_t ended);

/* dealer.c */
void fetch_dealer_start(struct fetch_dealer *d);
/* A query has ended, well when e is NULL; the first failure ends the others. */
void fetch_dealer_query_ended(struct fetch_dealer *d, const struct err *e);

/* query.c */
void fetch_query_start(struct fetch_query *q);
void fetch_query_free(struct fetch_query *q);

#endif
