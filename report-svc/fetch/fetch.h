/* Inside of FetchReports; not for others.
 *
 * A fetch has dealers, a dealer has queries. Each query is a chain of pages that fill its columns,
 * which go out as chunks. A page is one request to Google: of one query, or, when the caller asks
 * for a batch, the first one of all queries of a dealer. A page, query or dealer that finds no room
 * in the stream parks itself and is woken when there is room. */
#ifndef AMCP_REPORT_FETCH_H
#define AMCP_REPORT_FETCH_H

#include <pthread.h>
#include <stdbool.h>

#include "report-svc/ask/report.h"
#include "report-svc/ask/service.h"
#include "report-svc/request/request.h"
#include "report-svc/rows/columns.h"
#include "report-svc/rows/decoder.h"
#include "report-svc/rows/seen.h"

enum { FETCH_MAX_DEALERS = 500, FETCH_MAX_QUERIES = 5, FETCH_FAN_OUT = 64 };
/* Of one dealer under way: a page per query, and the batch. */
enum { FETCH_MAX_CALLS = FETCH_MAX_QUERIES + 1 };
enum { FETCH_DEFAULT_MAX_ROWS = 1000000 };

struct fetch;
struct own_job;

/* Something that waits for room in the stream. */
struct fetch_waiter {
  void (*go)(void *arg);
  void *arg;
  struct fetch_waiter *next;
  bool parked; /* guarded by the fetch's lock */
};

struct fetch_query;

/* One request to Google, and what comes of it. */
struct fetch_page {
  unsigned magic;
  struct fetch_dealer *dealer;
  struct fetch_query *queries; /* whose page it is: one, or all of the dealer */
  size_t n;
  struct fetch_query *asked[FETCH_MAX_QUERIES]; /* of them: those not kept from before */
  size_t n_asked;
  unsigned attempts;
  struct google_call *google; /* guarded by the fetch's lock */
  struct token *token;        /* of this page, for the next */
  struct rows_decoder *decoder;
  size_t redelivered; /* bytes at the front of the next piece that were taken already */
  struct err body_error;
  struct fetch_waiter waiter;   /* for room in the stream, */
  struct intake_waiter in_line; /* or in the service's intake: parked, too */
  bool late;                    /* the page ended while it waited for room: resume() goes on */
  struct err late_end;          /* how */
  struct arena *arena;          /* of what came beside the rows */
};

/* One report of one dealer. */
struct fetch_query {
  struct fetch_dealer *dealer;
  const Analytics__Report__V1__ReportQuery *query;
  struct fetch_page page;                                 /* of its own */
  const Analytics__Ga4__V1beta__RunReportRequest *report; /* as it is sent: see fetch.reports */
  struct columns *columns;
  struct seen *seen;
  struct report_shape shape; /* of the rows of this attempt */
  int64_t offset;            /* of this page: in combinations, as Google counts */
  int64_t rows;              /* taken, over all pages */
  size_t counted;            /* bytes, see memory_of() in page.c */
  int64_t page_rows;         /* taken, from this page, over all attempts */
  int64_t row_count;         /* Google's, of the last page */
  struct fetch_waiter waiter;
  const Analytics__Ga4__V1beta__RunReportResponse *rest; /* of the last page; lives there */
  struct own_job *own;   /* puts the report together; NULL: Google gives it. By the fetch's lock */
  bool looked;           /* for a report that is kept */
  int64_t asked_unix_ms; /* when that was: which days relative dates are */
  struct answer *kept; /* it: chunks in its list, the rest as its message; NULL: Google is asked */
  size_t kept_sent;    /* chunks of it */
  struct answer *record; /* of what is sent, to be kept; NULL: it is not */
  struct token *token;   /* of the last page */
  bool gathered;         /* whole; its end is sent with the dealer's */
};

struct fetch_dealer {
  struct fetch *fetch;
  uint32_t index;
  struct fetch_query *queries;
  struct fetch_page batch; /* the first page of all queries; unused without */
  struct token *token;     /* for the start, when the fetch has one; NULL: the first pages ask */
  size_t open;             /* queries not ended; guarded by the fetch's lock */
  struct err error;        /* first failure; guarded by the fetch's lock */
  /* See fetch_dealer_know(): */
  char property[REQUEST_PROPERTY_SIZE];
  size_t properties;      /* that the dealer has */
  bool opaque;            /* outside the caller's view */
  size_t properties_read; /* that the rows were added up from; 0 or 1: one; guarded by the fetch's
                             lock */
  struct fetch_waiter waiter;
  struct intake_share share; /* what its queries hold in memory */
};

struct fetch {
  unsigned magic;
  struct service *service;
  struct rpc_call *call;
  const Analytics__Report__V1__FetchReportsRequest *request;
  /* The queries' reports with a complete order of rows; in the call's arena. */
  Analytics__Ga4__V1beta__RunReportRequest reports[FETCH_MAX_QUERIES];
  bool own; /* the reports are put together */
  int64_t max_rows;
  int64_t deadline_ms;
  struct intake_group group;

  pthread_mutex_t lock;
  struct fetch_dealer *dealers;
  size_t next;   /* dealer to start */
  size_t active; /* dealers under way */
  bool cancelled;
  struct err error; /* ends the whole call; code ERR_OK: the caller went away */
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
/* Dealers under way at most. */
size_t fetch_most_at_once(const struct fetch *f);

/* Something under way that can be cancelled: one of the two, with a reference. */
struct fetch_call {
  struct google_call *google;
  struct own_job *own;
};
/* Cancels n of them, gives the references back and frees the list. The dealers and the fetch may be
 * gone after the first. */
void fetch_cancel_calls(struct fetch_call *calls, size_t n);
/* All calls under way, n of them; to be given to fetch_cancel_calls(). Under the lock. */
struct fetch_call *fetch_calls_under_way(size_t *n, const struct fetch *f);

/* tokens.c */
/* Asks for the tokens of the dealers that start first, then starts them; f may be gone afterwards.
 */
void fetch_tokens_seek(struct fetch *f);

/* dealer.c */
void fetch_dealer_start(struct fetch_dealer *d);
/* Keeps what the dealer's first token says of it; later ones change nothing. Who calls this may
 * read it without a lock from then on. */
void fetch_dealer_know(struct fetch_dealer *d, const char *property, const struct token *t);
/* Frees the queries and the pages. */
void fetch_dealer_free(struct fetch_dealer *d);
/* A query has ended, well when e is NULL; the first failure ends the others. */
void fetch_dealer_query_ended(struct fetch_dealer *d, const struct err *e);
/* Adds the calls under way to the list; at most FETCH_MAX_CALLS. Under the lock. */
size_t fetch_dealer_calls(struct fetch_call *out, const struct fetch_dealer *d);

/* query.c */
void fetch_query_init(struct fetch_query *q, struct fetch_dealer *d, size_t index);
void fetch_query_free(struct fetch_query *q);
/* Bytes that the rows taken so far keep. */
size_t fetch_query_memory(const struct fetch_query *q);
/* A page begins; again after it was cut off. */
void fetch_query_begin_page(struct fetch_query *q, bool again);
enum rows_step fetch_query_row(struct fetch_query *q, const struct rows_row *row, struct err *e);
/* Sends the chunk that is ready. ERR_RESOURCE_EXHAUSTED: no room, it is still there. */
enum err_code fetch_query_send_chunk(struct fetch_query *q);
/* Sends what is left of the columns, then QueryDone. The dealer may be gone afterwards. */
void fetch_query_flush(struct fetch_query *q);
/* The query has ended, as in fetch_dealer_query_ended(); what put it together goes at once, since
 * others may wait for its memory. The dealer may be gone afterwards. */
void fetch_query_end(struct fetch_query *q, const struct err *e);
/* What came beside the rows of a whole page. An error fails the page. */
enum err_code fetch_query_rest(struct fetch_query *q,
                               const Analytics__Ga4__V1beta__RunReportResponse *rest,
                               struct err *e);
/* The page has ended: asks for the next one with this token, or ends the query. The dealer may be
 * gone afterwards. */
void fetch_query_page_ended(struct fetch_query *q, struct token *token, const struct err *e);

/* Sends what is kept of the query, then QueryDone. The dealer may be gone afterwards. */
void fetch_query_send_kept(struct fetch_query *q);
/* The end of a whole report, with the rows that were not sent when it is gathered. What it points
 * to is the query's or in the arena. NULL at the arena's cap. */
Analytics__Report__V1__QueryDone *fetch_query_done(struct fetch_query *q, struct arena *arena);

/* kept.c */
/* Whether the report is kept from before: q->kept. Before its first page, once there is a token. */
bool fetch_kept_find(struct fetch_query *q, const struct token *t, const char *property);
/* A chunk was sent. */
void fetch_kept_record(struct fetch_query *q, const Analytics__Report__V1__ColumnChunk *chunk);
/* The report is whole and has a record, which is kept. */
void fetch_kept_put(struct fetch_query *q);

/* own.c */
/* Whether one of the reports is not Google's alone. */
bool fetch_is_own(const Analytics__Report__V1__FetchReportsRequest *request);
/* Starts the job that puts the report together. The dealer may be gone afterwards. */
void fetch_own_start(struct fetch_query *q);

/* page.c */
/* Starts a page; `token` (may be NULL) is that of the page before. The dealer may be gone
 * afterwards. */
void fetch_page_start(struct fetch_page *p, struct fetch_query *queries, size_t n,
                      struct token *token);
void fetch_page_free(struct fetch_page *p);

#endif
