/* How many reports of other owners' properties a principal may cause. */
#include "report-svc/google/benchmark.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "common/base/metrics.h"
#include "common/base/table.h"
#include "common/rpc/grant_reasons.h"
#include "report-svc/google/budget.h"
#include "report-svc/google/hour.h"

enum { MINUTE_MS = 60000 };

struct principal {
  struct hour reports;
  int64_t logged_ms;
  int64_t refused; /* since then */
};

struct benchmark {
  uint32_t reports_per_hour;
  struct metric *reports, *refusals;
  struct table principals; /* of struct principal, by name */
};

struct benchmark *benchmark_new(uint32_t reports_per_hour)
{
  struct benchmark *b = xcalloc(1, sizeof(*b));
  b->reports_per_hour = reports_per_hour;
  table_init(&b->principals, sizeof(struct principal), BENCHMARK_MAX_PRINCIPALS, NULL, NULL);
  b->reports = metrics_counter("report_benchmark_reports_total",
                               "Reports of properties outside the caller's view.", NULL);
  b->refusals = metrics_counter("report_benchmark_refusals_total",
                                "Such reports that were refused, by the share that was used up.",
                                "cause", NULL);
  return b;
}

void benchmark_free(struct benchmark *b)
{
  if (b == NULL)
    return;
  table_free(&b->principals);
  free(b);
}

static struct principal *find_or_add(struct benchmark *b, const char *name)
{
  return table_make(&b->principals, TABLE_TEXT(name));
}

/* The lock is held. */
static void note(struct benchmark *b, struct principal *p, const char *cause, int64_t now_ms)
{
  metric_add(b->refusals, 1, METRIC_LABELS(cause));
  p->refused++;
  if (now_ms - p->logged_ms < MINUTE_MS)
    return;
  log_warn("benchmark share used up", LOG_S("principal", table_key(p)), LOG_S("cause", cause),
           LOG_I("refused", p->refused));
  p->logged_ms = now_ms;
  p->refused = 0;
}

enum err_code benchmark_admit(struct benchmark *b, const char *principal, int64_t now_ms,
                              struct err *e)
{
  enum err_code code = ERR_OK;
  if (b->reports_per_hour > 0 && principal[0] != '\0') {
    pthread_mutex_lock(&b->principals.lock);
    struct principal *p = find_or_add(b, principal);
    if (hour_sum(&p->reports, now_ms) < b->reports_per_hour) {
      hour_add(&p->reports, now_ms, 1);
    } else {
      char at[BUDGET_TIME_SIZE];
      code = err_set(e, ERR_RESOURCE_EXHAUSTED, GRANT_REASON_SHARE_SPENT,
                     "this caller has had %" PRIu32 " reports of other dealers' websites made "
                     "within an hour, which is its share; try again after %s, or ask about its own "
                     "dealers alone",
                     b->reports_per_hour, budget_time(at, hour_frees_ms(&p->reports, now_ms)));
      note(b, p, "principal", now_ms);
    }
    pthread_mutex_unlock(&b->principals.lock);
  }
  if (code == ERR_OK)
    metric_add(b->reports, 1, NULL);
  return code;
}

void benchmark_refused(struct benchmark *b, const char *principal, const char *cause,
                       int64_t now_ms)
{
  pthread_mutex_lock(&b->principals.lock);
  note(b, find_or_add(b, principal), cause, now_ms);
  pthread_mutex_unlock(&b->principals.lock);
}

size_t benchmark_principals(struct benchmark *b)
{
  pthread_mutex_lock(&b->principals.lock);
  size_t n = b->principals.order.n;
  pthread_mutex_unlock(&b->principals.lock);
  return n;
}
