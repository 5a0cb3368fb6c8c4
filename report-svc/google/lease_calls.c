/* Leases of calls to Google: whose they are, the clock that ends them, and the report of their
 * uses to auth-svc, which has them in its audit log. */
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/wait.h"
#include "report-svc/google/google_impl.h"

enum { LEASES_BYTES = 4 * 1024 * 1024, WATCH_MS = 250 };
enum { END_TIMEOUT_MS = 10000, END_ATTEMPT_MS = 2000, LAST_WAIT_MS = 1000 };

/* A report under way. */
struct end_report {
  struct google *google;
  uint64_t uses;
};

bool google_lease_name(struct lease_name *out, const struct google *g,
                       const struct google_call_options *o, const char *subject_id)
{
  size_t len = 0;
  if (!o->leased || g->options.lease_ms == 0 ||
      o->purpose != ANALYTICS__AUTH__V1__PURPOSE__PURPOSE_DIRECT)
    return false;
  const void *grant = rpc_call_metadata(o->parent, RPC_META_GRANT, &len);
  *out = (struct lease_name){grant, len, o->subject, subject_id};
  return grant != NULL && len > 0;
}

/* ------------------------------------------------------------------ the report of uses */

static bool on_end_message(void *user, const ProtobufCMessage *message)
{
  (void)user;
  (void)message;
  return true;
}

/* What could not be reported is missing in the audit log: the log of this service has it. */
static void lost(struct google *g, uint64_t uses, const struct err *e)
{
  metric_add(g->uses_lost, (double)uses, NULL);
  log_warn("the uses of an access token could not be reported to auth-svc",
           LOG_I("uses", (int64_t)uses), LOG_S("reason", e->reason), LOG_S("error", e->message));
}

static void on_end_done(void *user, const struct err *status)
{
  struct end_report *r = user;
  struct google *g = r->google;
  if (status->code != ERR_OK)
    lost(g, r->uses, status);
  free(r);
  pthread_mutex_lock(&g->reports_lock);
  if (--g->reports == 0)
    pthread_cond_broadcast(&g->reports_ended);
  pthread_mutex_unlock(&g->reports_lock);
}

static void report_uses(void *user, const struct lease_name *name, uint64_t uses)
{
  static const struct rpc_client_callbacks callbacks = {on_end_message, on_end_done};
  struct google *g = user;
  struct err e = {0};
  Analytics__Auth__V1__EndLeaseRequest request = ANALYTICS__AUTH__V1__END_LEASE_REQUEST__INIT;
  request.uses = uses;
  request.target_case = name->subject == GOOGLE_PROPERTY
                            ? ANALYTICS__AUTH__V1__END_LEASE_REQUEST__TARGET_PROPERTY_ID
                            : ANALYTICS__AUTH__V1__END_LEASE_REQUEST__TARGET_DEALER_REF;
  request.dealer_ref = (char *)(uintptr_t)name->subject_id; /* one place for all in the oneof */
  const struct rpc_metadata grant = {RPC_META_GRANT, name->grant, name->grant_len};
  const struct rpc_client_options options = {.timeout_ms = END_TIMEOUT_MS,
                                             .attempt_ms = END_ATTEMPT_MS,
                                             .metadata = &grant,
                                             .n_metadata = 1};
  struct end_report *r = xcalloc(1, sizeof(*r));
  *r = (struct end_report){g, uses};
  pthread_mutex_lock(&g->reports_lock);
  g->reports++;
  pthread_mutex_unlock(&g->reports_lock);
  if (rpc_client_start(NULL, g->options.auth, &analytics__auth__v1__auth_service__descriptor,
                       "EndLease", RPC_UNARY, &request.base, &options, &callbacks, r, &e) != ERR_OK)
    on_end_done(r, &e);
}

/* ------------------------------------------------------------------ the clock */

static void watch_leases(struct google *g);

static void on_watch(void *arg)
{
  struct google *g = arg;
  atomic_store(&g->watching_leases, false);
  if (leases_expire(g->leases, clock_mono_ms()) > 0)
    watch_leases(g);
}

static void watch_leases(struct google *g)
{
  bool idle = false;
  if (atomic_compare_exchange_strong(&g->watching_leases, &idle, true) &&
      http_client_after(g->options.http, WATCH_MS, on_watch, g) != ERR_OK)
    atomic_store(&g->watching_leases, false); /* the next lease tries again */
}

void google_lease(struct google *g, const struct lease_name *name, struct token *token,
                  uint32_t lease_ms)
{
  uint32_t most = g->options.lease_ms;
  int64_t now = clock_mono_ms();
  leases_begin(g->leases, name, token, now + (lease_ms < most ? lease_ms : most), now);
  watch_leases(g);
}

/* ------------------------------------------------------------------ life */

void google_init_leases(struct google *g)
{
  const struct leases_options options = {LEASES_BYTES, report_uses, g};
  g->leases = leases_new(&options);
  atomic_init(&g->watching_leases, false);
  pthread_mutex_init(&g->reports_lock, NULL);
  wait_init(&g->reports_ended);
  g->uses_lost = metrics_counter(
      "report_lease_uses_lost_total",
      "Uses of auth-svc's answers that are missing in its audit log: the report failed.", NULL);
}

void google_free_leases(struct google *g)
{
  leases_free(g->leases);
  pthread_cond_destroy(&g->reports_ended);
  pthread_mutex_destroy(&g->reports_lock);
}

void google_end_leases(struct google *g)
{
  if (g == NULL)
    return;
  int64_t until_ms = clock_mono_ms() + LAST_WAIT_MS;
  leases_expire(g->leases, INT64_MAX);
  pthread_mutex_lock(&g->reports_lock);
  while (g->reports > 0 && wait_until(&g->reports_ended, &g->reports_lock, until_ms))
    ;
  pthread_mutex_unlock(&g->reports_lock);
}
