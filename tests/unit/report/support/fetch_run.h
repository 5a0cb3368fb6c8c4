/* One FetchReports call as a test sees it: what arrived, dealer by dealer. */
#ifndef AMCP_TESTS_REPORT_FETCH_RUN_H
#define AMCP_TESTS_REPORT_FETCH_RUN_H

#include "analytics/report/v1/report.pb-c.h"
#include "tests/unit/report/support/fakes.h"

enum { MAX_DEALERS = 64, QUERIES = 5 };

/* What arrived of one report of one dealer. */
struct report {
  uint32_t dictionary; /* its size */
  int64_t rows;
  double sum;
  bool bad; /* an index beyond the dictionary, or columns of unequal length */
  bool done;
};

struct fetch_run {
  pthread_mutex_t lock;
  pthread_cond_t changed;
  struct report reports[MAX_DEALERS][QUERIES];
  int codes[MAX_DEALERS]; /* -1: no DealerDone */
  char reasons[MAX_DEALERS][40];
  char messages[MAX_DEALERS][300];
  char properties[MAX_DEALERS][24];
  int received, chunks, dealers_done; /* received: messages */
  bool batch;                         /* the first pages of a dealer in one request */
  bool apart;                         /* nothing is gathered */
  bool add_properties;                /* of a dealer that has several */
  size_t ranges;                      /* date ranges of each report; 0 means 1 */
  const char *start, *end;            /* of them; NULL: 28daysAgo and yesterday */
  bool hold;                          /* take no more messages for now */
  bool ended;
  struct err status;
  struct rpc_client_call *call;
  char ids[MAX_DEALERS][16];
  char *refs[MAX_DEALERS];
  size_t n;
};

void fetch_init(struct fetch_run *r);
/* Starts a fetch of dealers d00.. (or r->ids, where set) with `queries` equal reports, ids from 7.
 */
void fetch_start(struct fetch_run *r, struct fakes *f, size_t dealers, size_t queries,
                 int64_t max_rows, uint32_t timeout_ms);
void fetch_wait(struct fetch_run *r);
/* Whether all reports of a dealer arrived with the rows 0 .. rows - 1 of the fake Google, each
 * once; prints when not. */
bool fetch_whole(const struct fetch_run *r, size_t dealer, size_t queries, int64_t rows);
/* Whether nothing is under way to Google any more, within 3 s. */
bool fetch_idle_soon(struct fakes *f);

#endif
