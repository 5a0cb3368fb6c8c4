/* Quota and server errors per property. */
#include "report-svc/google/budget.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/table.h"
#include "report-svc/google/google_error.h"
#include "report-svc/google/hour.h"

enum { HOUR_MS = 3600000 };

struct entry {
  int64_t errors[BUDGET_MAX_ERRORS]; /* times of the last server errors; a ring */
  size_t next_error;
  int64_t held_until; /* after Google's own refusal over server errors */
  int64_t gone_until; /* tokens: 0 when some are left */
  int64_t probe_at;
  bool day;              /* it is the day's quota that is gone */
  struct hour benchmark; /* tokens that benchmarks have cost */
  int64_t hourly;        /* tokens of an hour: the most that an answer accounted for */
};

struct budget {
  struct budget_options options;
  struct table entries;
};

struct budget *budget_new(const struct budget_options *options)
{
  struct budget *b = xcalloc(1, sizeof(*b));
  b->options = *options;
  table_init(&b->entries, sizeof(struct entry), BUDGET_MAX_KEYS, NULL, NULL);
  return b;
}

void budget_free(struct budget *b)
{
  if (b == NULL)
    return;
  table_free(&b->entries);
  free(b);
}

static struct entry *find(struct budget *b, const char *key)
{
  return table_peek(&b->entries, TABLE_TEXT(key), 0);
}

static struct entry *find_or_add(struct budget *b, const char *key)
{
  return table_make(&b->entries, TABLE_TEXT(key));
}

const char *budget_time(char out[BUDGET_TIME_SIZE], int64_t unix_ms)
{
  enum { MINUTE_MS = 60000 };
  char text[32];
  clock_format_rfc3339(unix_ms + MINUTE_MS - 1, text, sizeof(text));
  snprintf(out, BUDGET_TIME_SIZE, "%.5sZ", text + 11);
  return out;
}

/* When server errors no longer hold requests back; 0 when they do not. With as many errors as are
 * allowed, the oldest of them is the next to be overwritten. */
static int64_t errors_until(const struct budget *b, const struct entry *entry, int64_t now_ms)
{
  int64_t until = entry->held_until;
  if (b->options.server_errors > 0) {
    int64_t oldest = entry->errors[entry->next_error];
    if (oldest > 0 && oldest + HOUR_MS > until)
      until = oldest + HOUR_MS;
  }
  return until > now_ms ? until : 0;
}

static enum err_code admit_errors(const struct budget *b, const struct entry *entry, int64_t now_ms,
                                  struct err *e)
{
  char at[BUDGET_TIME_SIZE];
  int64_t until = errors_until(b, entry, now_ms);
  if (until == 0)
    return ERR_OK;
  return err_set(e, ERR_UNAVAILABLE, "server_errors",
                 "Google failed several times within an hour at this property; nothing is sent "
                 "until %s, because more failures would use up Google's quota of them. Ask again "
                 "then",
                 budget_time(at, until));
}

static enum err_code admit(const struct budget *b, struct entry *entry, int64_t now_ms,
                           struct err *e)
{
  char at[BUDGET_TIME_SIZE], probe[BUDGET_TIME_SIZE];
  if (admit_errors(b, entry, now_ms, e) != ERR_OK)
    return e->code;
  if (entry->gone_until <= now_ms)
    return ERR_OK;
  if (entry->probe_at <= now_ms) {
    entry->probe_at = now_ms + b->options.probe_ms;
    return ERR_OK;
  }
  if (entry->day)
    return err_set(
        e, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
        "quota exhausted until %s: too little of the property's daily quota at Google is "
        "left for another report. Ask again then",
        budget_time(at, entry->gone_until));
  return err_set(
      e, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
      "quota exhausted until %s at the latest: too little of the property's hourly quota "
      "at Google is left for another report. Ask again then, or from %s on, when one is "
      "tried again",
      budget_time(at, entry->gone_until), budget_time(probe, entry->probe_at));
}

enum err_code budget_admit(struct budget *b, const char *key, int64_t now_ms, struct err *e)
{
  pthread_mutex_lock(&b->entries.lock);
  struct entry *entry = find(b, key);
  enum err_code code = entry == NULL ? ERR_OK : admit(b, entry, now_ms, e);
  pthread_mutex_unlock(&b->entries.lock);
  return code;
}

enum err_code budget_admit_errors(struct budget *b, const char *key, int64_t now_ms, struct err *e)
{
  pthread_mutex_lock(&b->entries.lock);
  const struct entry *entry = find(b, key);
  enum err_code code = entry == NULL ? ERR_OK : admit_errors(b, entry, now_ms, e);
  pthread_mutex_unlock(&b->entries.lock);
  return code;
}

void budget_holds(struct budget *b, const char *key, int64_t now_ms, int64_t *held_until_ms,
                  int64_t *gone_until_ms)
{
  *held_until_ms = *gone_until_ms = 0;
  pthread_mutex_lock(&b->entries.lock);
  const struct entry *entry = find(b, key);
  if (entry != NULL) {
    *held_until_ms = errors_until(b, entry, now_ms);
    *gone_until_ms = entry->gone_until > now_ms ? entry->gone_until : 0;
  }
  pthread_mutex_unlock(&b->entries.lock);
}

enum err_code budget_admit_benchmark(struct budget *b, const char *key, int64_t now_ms,
                                     struct err *e)
{
  enum err_code code = ERR_OK;
  char at[BUDGET_TIME_SIZE];
  if (b->options.benchmark_percent == 0)
    return ERR_OK;
  pthread_mutex_lock(&b->entries.lock);
  struct entry *entry = find(b, key);
  /* Nothing is known of the quota before the first answer. */
  if (entry != NULL && entry->hourly > 0 &&
      hour_sum(&entry->benchmark, now_ms) * 100 >=
          (uint64_t)entry->hourly * b->options.benchmark_percent)
    code = err_set(e, ERR_RESOURCE_EXHAUSTED, "quota_exhausted",
                   "benchmarks have used their share (%u %%) of the property's hourly quota at "
                   "Google; try again after %s",
                   b->options.benchmark_percent,
                   budget_time(at, hour_frees_ms(&entry->benchmark, now_ms)));
  pthread_mutex_unlock(&b->entries.lock);
  return code;
}

static void set_gone(const struct budget *b, struct entry *entry, bool day, int64_t now_ms,
                     struct budget_change *change)
{
  int64_t until = day ? google_quota_day_end_ms(now_ms) : now_ms + HOUR_MS;
  if (b->options.probe_ms == 0)
    return;
  if (entry->gone_until <= now_ms || day != entry->day)
    entry->gone_until = until;
  entry->day = day;
  entry->probe_at = now_ms + b->options.probe_ms;
  *change = (struct budget_change){BUDGET_NOW_GONE, entry->gone_until, entry->probe_at, day};
}

static int32_t left(const Analytics__Ga4__V1beta__QuotaStatus *status)
{
  return status == NULL ? INT32_MAX : status->remaining;
}

/* What benchmarks may use is a part of the property's whole hour, of which an answer says what it
 * took and what it left: the most of both, since other programs use the property too. */
static void count_benchmark(const struct budget *b, struct entry *entry,
                            const Analytics__Ga4__V1beta__QuotaStatus *hour, int64_t now_ms)
{
  if (b->options.benchmark_percent == 0 || hour->consumed < 0 || hour->remaining < 0)
    return;
  hour_add(&entry->benchmark, now_ms, (uint32_t)hour->consumed);
  int64_t all = (int64_t)hour->remaining + (int64_t)hour_sum(&entry->benchmark, now_ms);
  if (all > entry->hourly)
    entry->hourly = all;
}

void budget_saw(struct budget *b, const char *key,
                const Analytics__Ga4__V1beta__PropertyQuota *quota, bool benchmark, int64_t now_ms,
                struct budget_change *change)
{
  *change = (struct budget_change){0};
  if (quota == NULL || quota->tokens_per_hour == NULL)
    return;
  int32_t cost = quota->tokens_per_hour->consumed > 0 ? quota->tokens_per_hour->consumed : 1;
  int32_t hour = left(quota->tokens_per_hour), project = left(quota->tokens_per_project_per_hour);
  bool day = left(quota->tokens_per_day) < cost;
  pthread_mutex_lock(&b->entries.lock);
  struct entry *entry = benchmark ? find_or_add(b, key) : find(b, key);
  if (benchmark)
    count_benchmark(b, entry, quota->tokens_per_hour, now_ms);
  if (day || hour < cost || project < cost)
    set_gone(b, entry == NULL ? find_or_add(b, key) : entry, day, now_ms, change);
  else if (entry != NULL && entry->gone_until != 0) {
    entry->gone_until = 0;
    change->what = BUDGET_NOW_BACK;
  }
  pthread_mutex_unlock(&b->entries.lock);
}

void budget_refused(struct budget *b, const char *key, enum budget_quota quota, int64_t now_ms,
                    struct budget_change *change)
{
  *change = (struct budget_change){0};
  pthread_mutex_lock(&b->entries.lock);
  if (quota == BUDGET_SERVER_ERRORS && b->options.server_errors > 0) {
    find_or_add(b, key)->held_until = now_ms + HOUR_MS;
    *change = (struct budget_change){.what = BUDGET_NOW_HELD, .until_ms = now_ms + HOUR_MS};
  } else if (quota == BUDGET_HOUR || quota == BUDGET_DAY) {
    set_gone(b, find_or_add(b, key), quota == BUDGET_DAY, now_ms, change);
  }
  pthread_mutex_unlock(&b->entries.lock);
}

void budget_learn_held(struct budget *b, const char *key, int64_t until_ms)
{
  pthread_mutex_lock(&b->entries.lock);
  struct entry *entry = find_or_add(b, key);
  if (entry->held_until < until_ms)
    entry->held_until = until_ms;
  pthread_mutex_unlock(&b->entries.lock);
}

void budget_learn_gone(struct budget *b, const char *key, int64_t until_ms, bool day,
                       int64_t now_ms)
{
  pthread_mutex_lock(&b->entries.lock);
  struct entry *entry = find_or_add(b, key);
  entry->gone_until = until_ms;
  entry->day = day;
  entry->probe_at = now_ms + b->options.probe_ms;
  pthread_mutex_unlock(&b->entries.lock);
}

void budget_server_error(struct budget *b, const char *key, int64_t now_ms)
{
  if (b->options.server_errors == 0)
    return;
  pthread_mutex_lock(&b->entries.lock);
  struct entry *entry = find_or_add(b, key);
  entry->errors[entry->next_error] = now_ms;
  entry->next_error = (entry->next_error + 1) % b->options.server_errors;
  pthread_mutex_unlock(&b->entries.lock);
}
