/* Stand-ins for auth-svc and report-svc over common/rpc.
 *
 * One world per test: dealers with figures and ways to fail. report-svc's fake sends the
 * messages of all dealers of a stream in random order, in chunks of random size. */
#ifndef AMCP_TESTS_AGGREGATE_FAKES_H
#define AMCP_TESTS_AGGREGATE_FAKES_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "analytics/auth/v1/auth.pb-c.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/error.h"
#include "common/rpc/rpc.h"

enum { FAKE_DEALERS = 64, FAKE_EVENTS = 6 };

enum fake_mode {
  FAKE_OK,
  FAKE_FAILS,       /* DealerDone with invalid_grant at once */
  FAKE_GIVEN_UP,    /* DealerDone with cancelled at once: another one failed for good */
  FAKE_FAILS_LATE,  /* the same after some rows */
  FAKE_OLD_GRANT,   /* DealerDone after some rows: the key of the call's grant is gone */
  FAKE_HANGS,       /* sends some rows, then nothing until the call is cancelled */
  FAKE_NO_NUMBER,   /* a value is NaN */
  FAKE_HUGE,        /* all values are the largest double */
  FAKE_ODD,         /* values that are not counts, or not numbers, among others */
  FAKE_LOSES_A_ROW, /* QueryDone counts one row more */
  FAKE_FORGOTTEN,   /* the stream ends well without its DealerDone */
};

struct fake_dealer {
  char id[48], name[48], ref[48], owner[48], lead_event[48], zone[48];
  bool visible;
  enum fake_mode mode;
  int64_t sessions, engaged;
  int64_t events[FAKE_EVENTS]; /* asc_form_submission, generate_lead, form_submit, web_lead,
                                  asc_form_submission_sales, asc_comm_submission */
  size_t rows;                 /* of a report over dealers */
  bool registered;             /* the property has item_make and item_model */
  bool comm_type;              /* the property has registered it */
  const char *messages[4][2];  /* rows of a report by it, up to the first NULL: value, count */
  struct err run_report;       /* answered in place of them when set */
  char first_date[16];         /* of its data; "": it has none */
  struct err definitions;      /* answered in place of them when set */
};
extern const char *const fake_event_names[FAKE_EVENTS];

struct fake_world {
  struct fake_dealer dealers[FAKE_DEALERS];
  size_t n;
  int subject;
  struct err auth_error;  /* answered when set */
  struct err fetch_error; /* answered at once when set */
  int break_streams;      /* so many streams break with UNAVAILABLE after some messages */
  unsigned seed;
  /* Seen by the fakes. */
  pthread_mutex_t lock;
  size_t fetch_calls, fetch_cancelled, dealers_asked, most_dealers_in_a_stream;
  bool grants_benchmark, grants_caller; /* which were seen */
  bool purpose_benchmark, purpose_direct;
  int64_t max_rows_per_report;            /* of the last call */
  size_t queries;                         /* likewise */
  bool batch;                             /* likewise */
  char look_back[2][16];                  /* days of the last look-back that was asked for */
  size_t first_date_calls;                /* the first day of a dealer was asked for */
  size_t definition_calls;                /* what a property has registered was asked for */
  size_t run_report_calls;                /* chats by comm_type were asked for */
  char run_report_days[2][16];            /* days of the last such report */
  size_t asked_by_fields, asked_by_paths; /* dealers, in questions about vehicles */
};

/* Value of metric m in row r of dealer d of a report over dealers. Rows are named "row-N";
 * the last one of each dealer is named after the dealer. */
double fake_value(const struct fake_dealer *d, size_t r, size_t m);
/* Sessions of a dealer with an inventory page. */
int64_t fake_shoppers(const struct fake_dealer *d);
void fake_row_name(const struct fake_dealer *d, size_t r, char *out, size_t size);
/* The dealer that is called so in requests; NULL when there is none. */
const struct fake_dealer *fake_find(const struct fake_world *w, const char *ref);
/* n visible dealers with figures drawn from the seed. */
void fake_dealers(struct fake_world *w, size_t n, unsigned seed);

/* The rpcs of a stand-in; their service is a fake_world. */
struct fake_service {
  const ProtobufCServiceDescriptor *descriptor;
  const struct rpc_method *methods;
  size_t n;
};
extern const struct fake_service fake_auth, fake_report;
/* One of report-svc's. */
void fake_fetch_reports(struct rpc_call *call, const ProtobufCMessage *message, void *service);

/* Grants as they travel, with the NUL: of the caller, and sealed by auth-svc for a benchmark. */
#define FAKE_CALLER_GRANT "sealed-of-caller"
#define FAKE_BENCHMARK_GRANT "sealed-for-benchmark"

#endif
