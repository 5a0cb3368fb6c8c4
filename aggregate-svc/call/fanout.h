/* Asks report-svc for the same reports of many dealers: batches of dealers, one stream
 * per batch, all open at once, so that round_robin spreads them over the report workers.
 *
 * A dealer ends well (every report whole), or failed with a reason; its outcome is written
 * into the cohort. A dealer that fails is dropped completely. A stream that breaks is
 * opened once more for the dealers it had not finished; dealers not finished by the
 * deadline are cancelled and have failed with `timeout`. Cancellation of the call being
 * served cancels every stream (rpc_client_options.parent). */
#ifndef AMCP_AGGREGATE_FANOUT_H
#define AMCP_AGGREGATE_FANOUT_H

#include <stddef.h>
#include <stdint.h>

#include "aggregate-svc/call/query.h"
#include "aggregate-svc/cohort/cohort.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/error.h"
#include "common/rpc/rpc.h"

struct fanout;

struct fanout_callbacks {
  /* The first four run under the fan-out's lock, on a poller: short, no call back. */

  /* Rows of a dealer. ERR_RESOURCE_EXHAUSTED ends the whole fan-out with that error; any
   * other error makes the dealer fail with it. */
  enum err_code (*chunk)(void *user, size_t member, const Analytics__Report__V1__ColumnChunk *chunk,
                         struct err *e);
  void (*query_done)(void *user, size_t member, const Analytics__Report__V1__QueryDone *done);
  /* Forget what the dealer sent: it failed, or is asked again. */
  void (*drop)(void *user, size_t member);
  /* `done` dealers of the cohort have ended; counts up, never down. */
  void (*progress)(void *user, size_t done);
  /* The end, once, without the lock; nothing follows. status is ERR_OK unless an
   * error ended the whole fan-out. May free the fan-out. */
  void (*finished)(void *user, const struct err *status);
};

struct fanout_options {
  struct rpc_channel *report;   /* to report-svc */
  struct rpc_call *parent;      /* the call being served */
  struct cohort *cohort;        /* outcomes are written here, under the lock */
  const struct query_set *sets; /* lent; at least one */
  const uint16_t *set_of;       /* a member's set, lent; NULL: the first for all */
  Analytics__Auth__V1__Purpose purpose;
  const void *grant; /* sealed; NULL passes on the caller's own */
  size_t grant_len;
  size_t batch_dealers;
  bool add_properties; /* see struct plan */
  int64_t max_rows_per_report;
  int64_t deadline_ms; /* on clock_mono_ms()'s scale */
};

/* Starts. Members that have failed before are not asked. cohort, sets and grant must live until
 * `finished` ran. There is always a `finished`, possibly before this returns. */
void fanout_start(struct fanout **out, const struct fanout_options *options,
                  const struct fanout_callbacks *callbacks, void *user);
/* Makes it end soon, with ERR_CANCELLED unless it has ended already. Before fanout_free(). */
void fanout_cancel(struct fanout *f);
/* After `finished`. NULL is fine. */
void fanout_free(struct fanout *f);

#endif
