/* The fan-out over dealers: batches, streams, outcomes, two retries.
 *
 * A batch is a set of dealers asked for with one stream. `members` maps the dealer_index that
 * report-svc's messages carry to the cohort; it holds the dealers of the attempt under way and
 * shrinks to those not finished when a stream breaks.
 *
 * A member is PENDING until exactly one of: its DealerDone with every report whole, a failure of
 * its own, or the end of its stream. Messages about a member that has ended are ignored, so a
 * dealer that failed stays out of the figures whatever comes after.
 *
 * One lock covers the members' states, the arrivals and the fold: streams are delivered by
 * several threads. `running` counts the streams under way and one for the start itself, so that
 * `finished` runs once, after the last, without the lock: its callee may free the fan-out. */
#include "aggregate-svc/call/fanout.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/rpc/grant_reasons.h"

typedef Analytics__Report__V1__FetchReportsRequest Request;
typedef Analytics__Report__V1__FetchReportsResponse Response;
typedef Analytics__Report__V1__ColumnChunk ColumnChunk;
typedef Analytics__Report__V1__QueryDone QueryDone;
typedef Analytics__Report__V1__DealerDone DealerDone;

enum { FANOUT_MAGIC = 0x466e4f74, BATCH_MAGIC = 0x42744368, MAX_ATTEMPTS = 3 };

/* Dealers asked for with one stream. */
struct batch {
  uint32_t magic;
  struct fanout *fanout;
  const struct query_set *set;
  size_t *members; /* of the attempt under way: dealer_index to member */
  size_t n;
  unsigned attempts;
  bool delivered; /* the attempt under way brought a message */
  struct rpc_client_call *call;
};

/* What has arrived of one dealer. */
struct arrival {
  int64_t rows[QUERY_SET_MAX];
  bool whole[QUERY_SET_MAX];
};

struct fanout {
  uint32_t magic;
  struct fanout_options options;
  struct fanout_callbacks callbacks;
  void *user;
  pthread_mutex_t lock;
  struct batch *batches;
  size_t n_batches;
  size_t running;           /* streams under way, and one for the start itself */
  size_t done;              /* dealers ended */
  struct arrival *arrivals; /* per member */
  struct err fatal;         /* ends the whole fan-out */
};

/* ------------------------------------------------------------------- outcomes */

static struct cohort_member *member_of(struct fanout *f, size_t member)
{
  return &f->options.cohort->members[member];
}

static void end_all(struct fanout *f, const struct err *e)
{
  if (f->fatal.code != ERR_OK)
    return;
  f->fatal = *e;
  for (size_t i = 0; i < f->n_batches; i++)
    if (f->batches[i].call != NULL)
      rpc_client_cancel(f->batches[i].call);
}

static void end_dealer(struct fanout *f, size_t member, enum dealer_state state)
{
  member_of(f, member)->state = state;
  f->done++;
  if (f->fatal.code == ERR_OK)
    f->callbacks.progress(f->user, f->done);
}

/* A grant that auth-svc no longer takes is not the fault of one dealer: an answer without those
 * that came too late would pass for a whole one, and whoever holds the bearer can ask again. */
static void end_if_grant_is_over(struct fanout *f, const struct cohort_member *m)
{
  struct err e = {0};
  err_set(&e, m->code, m->reason, "%s", m->message);
  if (grant_is_over(&e))
    end_all(f, &e);
}

static void fail_dealer(struct fanout *f, size_t member, enum err_code code, const char *reason,
                        const char *message)
{
  struct cohort_member *m = member_of(f, member);
  f->callbacks.drop(f->user, member);
  m->code = code;
  text_copy(m->reason, sizeof(m->reason), reason);
  text_copy(m->message, sizeof(m->message), message);
  end_dealer(f, member, DEALER_FAILED);
  end_if_grant_is_over(f, m);
}

static void fail_with(struct fanout *f, size_t member, const struct err *e)
{
  fail_dealer(f, member, e->code, e->reason, e->message);
}

static const struct query_set *set_of(const struct fanout *f, size_t member)
{
  return &f->options.sets[f->options.set_of != NULL ? f->options.set_of[member] : 0];
}

/* Index of a query in the member's set; -1 when it was not asked for. */
static int query_index(const struct fanout *f, size_t member, uint32_t query_id)
{
  const struct query_set *set = set_of(f, member);
  for (size_t i = 0; i < set->n; i++)
    if (set->queries[i]->query_id == query_id)
      return (int)i;
  return -1;
}

/* -------------------------------------------------------------------- messages */

static enum err_code check_chunk(const ColumnChunk *c, struct err *e)
{
  for (size_t i = 0; i < c->n_dimensions; i++)
    if (c->dimensions[i]->n_indices != c->row_count)
      return err_set(e, ERR_DATA_LOSS, "invalid_data",
                     "report-svc sent a dimension column of the wrong length");
  for (size_t i = 0; i < c->n_metrics; i++)
    if (c->metrics[i]->n_values != c->row_count)
      return err_set(e, ERR_DATA_LOSS, "invalid_data",
                     "report-svc sent a metric column of the wrong length");
  return ERR_OK;
}

static void on_chunk(struct fanout *f, size_t member, const ColumnChunk *c)
{
  struct err e = {0};
  int query = query_index(f, member, c->query_id);
  if (query < 0)
    err_set(&e, ERR_INTERNAL, "internal", "report-svc sent rows of a report not asked for");
  else if (check_chunk(c, &e) == ERR_OK) {
    f->arrivals[member].rows[query] += c->row_count;
    e.code = f->callbacks.chunk(f->user, member, c, &e);
  }
  if (e.code == ERR_RESOURCE_EXHAUSTED)
    end_all(f, &e);
  else if (e.code != ERR_OK)
    fail_with(f, member, &e);
}

static void on_query_done(struct fanout *f, size_t member, const QueryDone *q)
{
  int query = query_index(f, member, q->query_id);
  if (query < 0)
    return;
  if (q->row_count != f->arrivals[member].rows[query]) {
    fail_dealer(f, member, ERR_DATA_LOSS, "data_loss",
                "rows were lost on the way from report-svc; ask again");
    return;
  }
  f->arrivals[member].whole[query] = true;
  f->callbacks.query_done(f->user, member, q);
}

/* The report's last rows, which may stand in its end, and the end. */
static void on_query_end(struct fanout *f, size_t member, const QueryDone *q)
{
  if (q->rows != NULL)
    on_chunk(f, member, q->rows);
  if (f->fatal.code == ERR_OK && member_of(f, member)->state == DEALER_PENDING)
    on_query_done(f, member, q);
}

static void on_dealer_done(struct fanout *f, size_t member, const DealerDone *d)
{
  if (d->code != 0) {
    enum err_code code = d->code > 0 && d->code <= 16 ? (enum err_code)d->code : ERR_UNKNOWN;
    fail_dealer(f, member, code, d->reason[0] != '\0' ? d->reason : "failed", d->message);
    return;
  }
  for (size_t i = 0; i < d->n_queries; i++)
    if (f->fatal.code == ERR_OK && member_of(f, member)->state == DEALER_PENDING)
      on_query_end(f, member, d->queries[i]);
  if (f->fatal.code != ERR_OK || member_of(f, member)->state != DEALER_PENDING)
    return;
  for (size_t i = 0; i < set_of(f, member)->n; i++)
    if (!f->arrivals[member].whole[i]) {
      fail_dealer(f, member, ERR_DATA_LOSS, "data_loss",
                  "report-svc did not deliver every report; ask again");
      return;
    }
  if (d->properties > 0) /* not known before, where none is configured */
    member_of(f, member)->properties = d->properties;
  member_of(f, member)->properties_read = d->properties_read;
  end_dealer(f, member, DEALER_OK);
}

/* The member a message is about; false when it is none of the batch or has ended. */
static bool open_member(struct batch *b, uint32_t dealer_index, size_t *member)
{
  if (dealer_index >= b->n)
    return false;
  *member = b->members[dealer_index];
  return member_of(b->fanout, *member)->state == DEALER_PENDING;
}

static void dispatch(struct batch *b, const Response *r)
{
  size_t member;
  switch (r->event_case) {
  case ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_CHUNK:
    if (open_member(b, r->chunk->dealer_index, &member))
      on_chunk(b->fanout, member, r->chunk);
    break;
  case ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_QUERY_DONE:
    if (open_member(b, r->query_done->dealer_index, &member))
      on_query_end(b->fanout, member, r->query_done);
    break;
  case ANALYTICS__REPORT__V1__FETCH_REPORTS_RESPONSE__EVENT_DEALER_DONE:
    if (open_member(b, r->dealer_done->dealer_index, &member))
      on_dealer_done(b->fanout, member, r->dealer_done);
    break;
  default: /* an event of a later version */
    break;
  }
}

static bool on_message(void *user, const ProtobufCMessage *message)
{
  struct batch *b = user;
  MAGIC_CHECK(b, BATCH_MAGIC);
  pthread_mutex_lock(&b->fanout->lock);
  b->delivered = true;
  if (b->fanout->fatal.code == ERR_OK)
    dispatch(b, (const Response *)message);
  pthread_mutex_unlock(&b->fanout->lock);
  return true;
}

/* --------------------------------------------------------------------- streams */

static void on_done(void *user, const struct err *status);

static uint32_t time_left(const struct fanout *f)
{
  int64_t left = f->options.deadline_ms - clock_mono_ms();
  return left < 1 ? 1 : left > UINT32_MAX ? UINT32_MAX : (uint32_t)left;
}

/* protobuf-c takes lists it only reads without const. */
static Analytics__Report__V1__ReportQuery **lend_queries(const struct query_set *set)
{
  Analytics__Report__V1__ReportQuery *const *queries = set->queries;
  Analytics__Report__V1__ReportQuery **lent;
  memcpy(&lent, &queries, sizeof(lent));
  return lent;
}

/* Opens the stream of a batch. The lock is held. */
static enum err_code open_stream(struct batch *b, struct err *e)
{
  struct fanout *f = b->fanout;
  AUTO_FREE char **refs = xcalloc(b->n + 1, sizeof(*refs));
  for (size_t i = 0; i < b->n; i++)
    refs[i] = (char *)member_of(f, b->members[i])->ref;
  Request request = ANALYTICS__REPORT__V1__FETCH_REPORTS_REQUEST__INIT;
  request.dealer_refs = refs;
  request.n_dealer_refs = b->n;
  request.queries = lend_queries(b->set);
  request.n_queries = b->set->n;
  request.batch = true;
  request.gather = true;
  request.purpose = f->options.purpose;
  request.add_properties = f->options.add_properties;
  request.max_rows_per_report = f->options.max_rows_per_report;
  struct rpc_metadata grant = {RPC_META_GRANT, f->options.grant, f->options.grant_len};
  struct rpc_client_options options = {.timeout_ms = time_left(f),
                                       .metadata = &grant,
                                       .n_metadata = f->options.grant != NULL,
                                       .parent = f->options.parent};
  struct rpc_client_callbacks callbacks = {on_message, on_done};
  rpc_client_release(TAKE_PTR(b->call));
  b->attempts++;
  b->delivered = false;
  enum err_code code = rpc_client_start(
      &b->call, f->options.report, &analytics__report__v1__report_service__descriptor,
      "FetchReports", RPC_SERVER_STREAMING, &request.base, &options, &callbacks, b, e);
  f->running += code == ERR_OK;
  return code;
}

/* Keeps the dealers that have not ended, as if never asked. */
static void keep_unfinished(struct batch *b)
{
  struct fanout *f = b->fanout;
  size_t kept = 0;
  for (size_t i = 0; i < b->n; i++) {
    size_t member = b->members[i];
    if (member_of(f, member)->state != DEALER_PENDING)
      continue;
    f->callbacks.drop(f->user, member);
    memset(&f->arrivals[member], 0, sizeof(f->arrivals[member]));
    b->members[kept++] = member;
  }
  b->n = kept;
}

/* The failure of dealers whose stream ended without them. */
static void describe_end(const struct err *status, struct err *e)
{
  *e = *status;
  if (status->code == ERR_OK)
    err_set(e, ERR_UNAVAILABLE, "unavailable",
            "report-svc ended the stream before this dealer was done; ask again");
  else if (status->code == ERR_DEADLINE_EXCEEDED)
    err_set(e, ERR_DEADLINE_EXCEEDED, "timeout",
            "did not answer in time; ask again, for a shorter period or fewer dealers");
  else if (status->code == ERR_UNAVAILABLE || status->code == ERR_CANCELLED)
    err_set(e, ERR_UNAVAILABLE, "unavailable", "%s", status->message);
  else if (status->reason[0] == '\0')
    err_set(e, status->code, "failed", "%s", status->message);
}

/* A stream that broke is worth another worker. One that never reached a worker is not:
 * the channel has tried for a while already. */
static bool worth_retry(const struct batch *b, const struct err *status)
{
  bool reached = b->delivered || strcmp(status->reason, RPC_REASON_UNREACHABLE) != 0;
  return status->code == ERR_UNAVAILABLE && reached && b->attempts < MAX_ATTEMPTS &&
         b->fanout->fatal.code == ERR_OK && clock_mono_ms() < b->fanout->options.deadline_ms;
}

/* The stream of a batch has ended. The lock is held. */
static void end_stream(struct batch *b, const struct err *status)
{
  struct err e = {0};
  keep_unfinished(b);
  if (b->n == 0)
    return;
  if (worth_retry(b, status) && open_stream(b, &e) == ERR_OK)
    return;
  if (status->code == ERR_INVALID_ARGUMENT) { /* of the question, not of a dealer */
    end_all(b->fanout, status);
    return;
  }
  describe_end(status, &e);
  for (size_t i = 0; i < b->n; i++)
    fail_with(b->fanout, b->members[i], &e);
  b->n = 0;
}

/* Lets go of one stream; runs `finished` after the last. */
static void let_go(struct fanout *f)
{
  pthread_mutex_lock(&f->lock);
  bool last = --f->running == 0;
  struct err status = f->fatal;
  pthread_mutex_unlock(&f->lock);
  if (last)
    f->callbacks.finished(f->user, &status);
}

static void on_done(void *user, const struct err *status)
{
  struct batch *b = user;
  MAGIC_CHECK(b, BATCH_MAGIC);
  struct fanout *f = b->fanout;
  pthread_mutex_lock(&f->lock);
  end_stream(b, status);
  pthread_mutex_unlock(&f->lock);
  let_go(f);
}

/* ------------------------------------------------------------- start and end */

/* The batch that the next member of a set joins. */
static struct batch *open_batch(struct fanout *f, const struct query_set *set)
{
  for (size_t i = f->n_batches; i-- > 0;)
    if (f->batches[i].set == set && f->batches[i].n < f->options.batch_dealers)
      return &f->batches[i];
  struct batch *b = &f->batches[f->n_batches++];
  b->magic = BATCH_MAGIC;
  b->fanout = f;
  b->set = set;
  b->members = xcalloc(f->options.batch_dealers, sizeof(*b->members));
  return b;
}

static void make_batches(struct fanout *f)
{
  size_t n = f->options.cohort->n;
  f->batches = xcalloc(n + 1, sizeof(*f->batches));
  for (size_t i = 0; i < n; i++) {
    if (member_of(f, i)->state != DEALER_PENDING) {
      f->done += member_of(f, i)->state == DEALER_FAILED;
      continue;
    }
    struct batch *b = open_batch(f, set_of(f, i));
    b->members[b->n++] = i;
  }
}

void fanout_start(struct fanout **out, const struct fanout_options *options,
                  const struct fanout_callbacks *callbacks, void *user)
{
  struct fanout *f = xcalloc(1, sizeof(*f));
  f->magic = FANOUT_MAGIC;
  f->options = *options;
  if (f->options.batch_dealers == 0)
    f->options.batch_dealers = 1;
  f->callbacks = *callbacks;
  f->user = user;
  f->arrivals = xcalloc(options->cohort->n + 1, sizeof(*f->arrivals));
  pthread_mutex_init(&f->lock, NULL);
  make_batches(f);
  *out = f;
  f->running = 1;
  for (size_t i = 0; i < f->n_batches; i++) {
    struct err e = {0};
    pthread_mutex_lock(&f->lock);
    if (f->fatal.code == ERR_OK && open_stream(&f->batches[i], &e) != ERR_OK)
      end_stream(&f->batches[i], &e);
    pthread_mutex_unlock(&f->lock);
  }
  let_go(f);
}

void fanout_cancel(struct fanout *f)
{
  struct err e = {0};
  MAGIC_CHECK(f, FANOUT_MAGIC);
  err_set(&e, ERR_CANCELLED, "cancelled", "the fan-out was cancelled");
  pthread_mutex_lock(&f->lock);
  end_all(f, &e);
  pthread_mutex_unlock(&f->lock);
}

void fanout_free(struct fanout *f)
{
  if (f == NULL)
    return;
  MAGIC_CHECK(f, FANOUT_MAGIC);
  for (size_t i = 0; i < f->n_batches; i++) {
    rpc_client_release(f->batches[i].call);
    free(f->batches[i].members);
  }
  free(f->batches);
  free(f->arrivals);
  pthread_mutex_destroy(&f->lock);
  f->magic = 0;
  free(f);
}
