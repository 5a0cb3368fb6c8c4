/* What all calls to Google share: endpoints, the governor and its clock. */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/google/google_impl.h"

enum { WAITING_MAX = 4096, SWEEP_MS = 100, FOUND_BYTES = 8 << 20 };

struct google *google_new(const struct google_options *options)
{
  struct google *g = xcalloc(1, sizeof(*g));
  g->options = *options;
  struct governor_options limits = {GOOGLE_PLACES, options->max_transfers, WAITING_MAX,
                                    options->benchmark_places};
  g->governor = governor_new(&limits);
  g->budget = budget_new(&options->budget);
  g->benchmark = benchmark_new(options->benchmark_reports);
  g->ended = ended_new(0);
  atomic_init(&g->sweeping, false);
  g->requests = metrics_counter("report_google_requests_total",
                                "Requests to Google by API and outcome.", "api", "outcome", NULL);
  g->seconds = metrics_histogram("report_google_request_seconds",
                                 "Time from sending a request to Google to its end.", "api", NULL);
  g->waiting = metrics_gauge("report_governor_waiting",
                             "Requests that wait for a place at their property.", NULL);
  g->found = found_cache_new(FOUND_BYTES);
  google_init_leases(g);
  return g;
}

void google_free(struct google *g)
{
  if (g == NULL)
    return;
  google_free_leases(g);
  found_cache_free(g->found);
  governor_free(g->governor);
  budget_free(g->budget);
  benchmark_free(g->benchmark);
  ended_free(g->ended);
  free(g);
}

const struct google_options *google_options(const struct google *g)
{
  return &g->options;
}

struct governor *google_governor(struct google *g)
{
  return g->governor;
}

enum err_code google_target_of(struct google_target *out, const struct google *g,
                               const struct google_method *m, const char *of,
                               const char *page_token, struct err *e)
{
  const char *endpoint =
      m->api == GOOGLE_DATA_API ? g->options.data_endpoint : g->options.admin_endpoint;
  return google_method_target(out, m, endpoint, of, page_token, e);
}

static void sweep(void *arg)
{
  struct google *g = arg;
  governor_expire(g->governor, clock_mono_ms());
  metric_set(g->waiting, (double)governor_waiting(g->governor), NULL);
  atomic_store(&g->sweeping, false);
  google_watch_queue(g);
}

void google_share_change(struct google *g, const char *key, const struct budget_change *change)
{
  struct shared *s = g->options.shared;
  if (change->what == BUDGET_NOW_HELD)
    shared_note_held(s, key, change->until_ms);
  else if (change->what == BUDGET_NOW_GONE)
    shared_note_gone(s, key, change->until_ms, change->day, change->probe_at_ms);
  else if (change->what == BUDGET_NOW_BACK)
    shared_note_back(s, key);
}

void google_watch_queue(struct google *g)
{
  bool idle = false;
  if (governor_waiting(g->governor) == 0 ||
      !atomic_compare_exchange_strong(&g->sweeping, &idle, true))
    return;
  if (http_client_after(g->options.http, SWEEP_MS, sweep, g) != ERR_OK)
    atomic_store(&g->sweeping, false); /* the next one that waits tries again */
}

void google_saw_quota(struct google *g, const char *property,
                      const Analytics__Ga4__V1beta__PropertyQuota *quota, bool benchmark)
{
  char key[64];
  snprintf(key, sizeof(key), "properties/%.40s", property);
  struct budget_change change;
  int64_t now_ms = clock_unix_ms();
  budget_saw(g->budget, key, quota, benchmark, now_ms, &change);
  if (quota != NULL && quota->tokens_per_hour != NULL && quota->tokens_per_day != NULL)
    ended_quota(g->ended, property, quota->tokens_per_hour->remaining,
                quota->tokens_per_day->remaining, now_ms / 1000);
  google_share_change(g, key, &change);
}

struct ended_calls *google_ended(struct google *g)
{
  return g->ended;
}

struct google_holds google_holds_of(struct google *g, const char *property)
{
  char key[64];
  struct google_holds holds;
  snprintf(key, sizeof(key), "properties/%.40s", property);
  budget_holds(g->budget, key, clock_unix_ms(), &holds.held_until_ms, &holds.gone_until_ms);
  return holds;
}

int64_t google_work_deadline_ms(const struct google *g, struct rpc_call *parent)
{
  enum { DEFAULT_MS = 45000 };
  uint32_t most = g->options.deadline_ms == 0 ? DEFAULT_MS : g->options.deadline_ms;
  return rpc_work_deadline_ms(clock_mono_ms(), rpc_call_deadline_ms(parent), most);
}
