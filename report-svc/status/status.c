/* What operators are shown of the reports asked of Google. */
#include "report-svc/status/status.h"

#include "analytics/report/v1/status.pb-c.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/pbjson/borrow.h"
#include "report-svc/ask/service.h"
#include "report-svc/google/ended.h"

typedef Analytics__Report__V1__ReportStatus report_status;
typedef Analytics__Report__V1__AccountReports reports;
typedef Analytics__Status__V1__Failures failures;

enum { ARENA_MAX = 16 << 20 };

static bool add_failures(reports *out, struct ended_account *a, struct arena *arena)
{
  out->failures = ARENA_ARRAY(arena, failures *, ENDED_REASONS);
  for (size_t i = 0; out->failures != NULL && i < a->n_failures; i++) {
    failures *f = ARENA_NEW(arena, failures);
    if (f == NULL)
      return false;
    analytics__status__v1__failures__init(f);
    f->reason = a->failures[i].reason;
    f->count = (int64_t)a->failures[i].count;
    out->failures[out->n_failures++] = f;
  }
  return out->failures != NULL;
}

static reports *reports_of(struct google *g, struct ended_account *a, struct arena *arena)
{
  struct google_holds holds = {0};
  reports *r = ARENA_NEW(arena, reports);
  if (r == NULL)
    return NULL;
  analytics__report__v1__account_reports__init(r);
  if (a->property_id[0] != '\0')
    holds = google_holds_of(g, a->property_id);
  r->property_id = a->property_id;
  r->dealer_id = a->dealer_id;
  r->last_at = a->last_at;
  r->last_ok_at = a->last_ok_at;
  r->last_outcome = a->last_outcome;
  r->ok = (int64_t)a->ok;
  r->has_quota = a->has_quota;
  r->tokens_left_hour = a->hour_left;
  r->tokens_left_day = a->day_left;
  r->held_until = holds.held_until_ms / 1000;
  r->quota_gone_until = holds.gone_until_ms / 1000;
  r->remedy = borrow_text(ended_remedy(a->last_outcome));
  return add_failures(r, a, arena) ? r : NULL;
}

static bool add_accounts(report_status *out, struct google *g, struct arena *arena)
{
  size_t n = ended_count(google_ended(g));
  struct ended_account *list = ARENA_ARRAY(arena, struct ended_account, n);
  out->accounts = ARENA_ARRAY(arena, reports *, n);
  if (list == NULL || out->accounts == NULL)
    return false;
  n = ended_list(google_ended(g), list, n, clock_unix_ms() / 1000);
  for (size_t i = 0; i < n; i++) {
    out->accounts[i] = reports_of(g, &list[i], arena);
    if (out->accounts[i] == NULL)
      return false;
    out->n_accounts++;
  }
  return true;
}

static bool fill(report_status *out, struct service *s, struct arena *arena)
{
  struct governor *governor = google_governor(s->google);
  out->active = (int32_t)governor_active(governor);
  out->waiting = (int32_t)governor_waiting(governor);
  out->redis = s->shared != NULL;
  out->redis_up = shared_is_up(s->shared);
  out->service = status_service(&s->self, arena);
  return out->service != NULL && add_accounts(out, s->google, arena);
}

void report_status_handle(struct rpc_call *call, const ProtobufCMessage *request, void *user)
{
  struct service *s = user;
  report_status response = ANALYTICS__REPORT__V1__REPORT_STATUS__INIT;
  struct err e = {0};
  struct arena *arena = arena_new(ARENA_MAX);
  (void)request;
  if (status_authorize(&s->gate, call, &e) == ERR_OK && !fill(&response, s, arena))
    err_set(&e, ERR_RESOURCE_EXHAUSTED, "arena", "not enough memory for the status");
  if (e.code == ERR_OK)
    rpc_call_reply(call, &response.base);
  else
    rpc_call_finish(call, &e);
  arena_free(arena);
}

/* -------------------------------------------------------------------------- metrics */

static const char *state_of(struct google *g, const struct ended_account *a, int64_t now_ms)
{
  struct google_holds holds = {0};
  if (a->property_id[0] != '\0')
    holds = google_holds_of(g, a->property_id);
  if (holds.held_until_ms > now_ms)
    return "held";
  if (holds.gone_until_ms > now_ms)
    return "no_quota";
  return a->last_outcome[0] == '\0' || strcmp(a->last_outcome, "ok") == 0 ? "ok" : "failing";
}

void report_status_gauges(void *user)
{
  static const char *const states[] = {"ok", "failing", "held", "no_quota"};
  struct service *s = user;
  size_t counts[ARRAY_LEN(states)] = {0}, n = ended_count(google_ended(s->google));
  AUTO_FREE struct ended_account *list = xcalloc(n + 1, sizeof(*list));
  int64_t now_ms = clock_unix_ms();
  n = ended_list(google_ended(s->google), list, n, now_ms / 1000);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < ARRAY_LEN(states); k++)
      counts[k] += strcmp(state_of(s->google, &list[i], now_ms), states[k]) == 0;
  struct metric *m = metrics_gauge(
      "report_properties", "Properties asked for lately, by state: ok, failing, held, no_quota.",
      "state", NULL);
  for (size_t k = 0; k < ARRAY_LEN(states); k++)
    metric_set(m, (double)counts[k], METRIC_LABELS(states[k]));
}
