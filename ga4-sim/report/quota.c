/* Tokens per day and hour, requests in flight, server errors. */
#include "ga4-sim/report/quota.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/world/calendar.h"

struct project_book {
  uint32_t tokens_hour;
  uint32_t server_errors_hour;
  uint32_t thresholded_hour;
};

struct property_book {
  int64_t day, hour;
  uint32_t tokens_day, tokens_hour;
  uint32_t in_flight;
  struct project_book projects[QUOTA_PROJECTS];
};

struct quota {
  pthread_mutex_t lock;
  size_t count;
  int64_t advance_ms;
  struct property_book *books;
};

struct quota *quota_new(size_t n)
{
  struct quota *q = xcalloc(1, sizeof(*q));
  pthread_mutex_init(&q->lock, NULL);
  q->count = n * QUOTA_CATEGORIES;
  q->books = xcalloc(q->count, sizeof(*q->books));
  return q;
}

void quota_free(struct quota *q)
{
  if (q == NULL)
    return;
  pthread_mutex_destroy(&q->lock);
  free(q->books);
  free(q);
}

static struct property_book *book_of(struct quota *q, struct quota_account a)
{
  return &q->books[a.property * QUOTA_CATEGORIES + (size_t)a.category];
}

/* Daily quotas return at midnight Pacific time, hourly ones within the hour. */
static struct property_book *book_at(struct quota *q, struct quota_account a, int64_t unix_ms)
{
  struct property_book *b = book_of(q, a);
  unix_ms += q->advance_ms;
  int64_t day = calendar_local_day(unix_ms, "America/Los_Angeles"), hour = unix_ms / 3600000;
  if (b->day != day) {
    b->day = day;
    b->tokens_day = 0;
  }
  if (b->hour != hour) {
    b->hour = hour;
    b->tokens_hour = 0;
    memset(b->projects, 0, sizeof(b->projects));
  }
  return b;
}

enum quota_verdict quota_enter(struct quota *q, struct quota_account a, int64_t unix_ms)
{
  pthread_mutex_lock(&q->lock);
  struct property_book *b = book_at(q, a, unix_ms);
  const struct project_book *p = &b->projects[a.project];
  enum quota_verdict verdict =
      b->in_flight >= QUOTA_CONCURRENT                    ? QUOTA_EXHAUSTED_CONCURRENT
      : b->tokens_day >= QUOTA_TOKENS_DAY                 ? QUOTA_EXHAUSTED_DAY
      : b->tokens_hour >= QUOTA_TOKENS_HOUR               ? QUOTA_EXHAUSTED_HOUR
      : p->tokens_hour >= QUOTA_TOKENS_PROJECT_HOUR       ? QUOTA_EXHAUSTED_PROJECT_HOUR
      : p->server_errors_hour >= QUOTA_SERVER_ERRORS_HOUR ? QUOTA_EXHAUSTED_SERVER_ERRORS
                                                          : QUOTA_OK;
  if (verdict == QUOTA_OK)
    b->in_flight++;
  pthread_mutex_unlock(&q->lock);
  return verdict;
}

void quota_leave(struct quota *q, struct quota_account a)
{
  pthread_mutex_lock(&q->lock);
  if (book_of(q, a)->in_flight > 0)
    book_of(q, a)->in_flight--;
  pthread_mutex_unlock(&q->lock);
}

void quota_charge(struct quota *q, struct quota_account a, uint32_t tokens, int64_t unix_ms)
{
  pthread_mutex_lock(&q->lock);
  struct property_book *b = book_at(q, a, unix_ms);
  b->tokens_day += tokens;
  b->tokens_hour += tokens;
  b->projects[a.project].tokens_hour += tokens;
  pthread_mutex_unlock(&q->lock);
}

void quota_server_error(struct quota *q, struct quota_account a, int64_t unix_ms)
{
  pthread_mutex_lock(&q->lock);
  book_at(q, a, unix_ms)->projects[a.project].server_errors_hour++;
  pthread_mutex_unlock(&q->lock);
}

bool quota_take_thresholded(struct quota *q, struct quota_account a, int64_t unix_ms)
{
  pthread_mutex_lock(&q->lock);
  struct project_book *p = &book_at(q, a, unix_ms)->projects[a.project];
  bool ok = p->thresholded_hour < QUOTA_THRESHOLDED_HOUR;
  p->thresholded_hour += ok;
  pthread_mutex_unlock(&q->lock);
  return ok;
}

static void set_count(uint32_t *out, int64_t used)
{
  if (used >= 0)
    *out = (uint32_t)used;
}

void quota_set_used(struct quota *q, struct quota_account a, const struct quota_used *used,
                    int64_t unix_ms)
{
  pthread_mutex_lock(&q->lock);
  struct property_book *b = book_at(q, a, unix_ms);
  set_count(&b->tokens_day, used->tokens_day);
  set_count(&b->tokens_hour, used->tokens_hour);
  set_count(&b->projects[a.project].tokens_hour, used->tokens_project_hour);
  set_count(&b->projects[a.project].thresholded_hour, used->thresholded_hour);
  pthread_mutex_unlock(&q->lock);
}

void quota_advance(struct quota *q, int64_t ms)
{
  pthread_mutex_lock(&q->lock);
  q->advance_ms = ms;
  pthread_mutex_unlock(&q->lock);
}

static void put_status(struct buf *out, const char *name, uint32_t consumed, uint32_t used,
                       uint32_t limit, const char *after)
{
  buf_printf(out, "\"%s\":{\"consumed\":%u,\"remaining\":%u}%s", name, consumed,
             used >= limit ? 0 : limit - used, after);
}

bool quota_render(struct quota *q, struct quota_account a, uint32_t consumed, int64_t unix_ms,
                  struct buf *out)
{
  pthread_mutex_lock(&q->lock);
  struct property_book b = *book_at(q, a, unix_ms);
  pthread_mutex_unlock(&q->lock);
  const struct project_book *p = &b.projects[a.project];
  /* A report that asks no longer counts as concurrent. */
  uint32_t others = consumed > 0 && b.in_flight > 0 ? b.in_flight - 1 : b.in_flight;
  buf_putc(out, '{');
  put_status(out, "tokensPerDay", consumed, b.tokens_day, QUOTA_TOKENS_DAY, ",");
  put_status(out, "tokensPerHour", consumed, b.tokens_hour, QUOTA_TOKENS_HOUR, ",");
  put_status(out, "concurrentRequests", 0, others, QUOTA_CONCURRENT, ",");
  put_status(out, "serverErrorsPerProjectPerHour", 0, p->server_errors_hour,
             QUOTA_SERVER_ERRORS_HOUR, ",");
  put_status(out, "potentiallyThresholdedRequestsPerHour", 0, p->thresholded_hour,
             QUOTA_THRESHOLDED_HOUR, ",");
  put_status(out, "tokensPerProjectPerHour", consumed, p->tokens_hour, QUOTA_TOKENS_PROJECT_HOUR,
             "");
  return buf_putc(out, '}');
}

void quota_reset(struct quota *q)
{
  pthread_mutex_lock(&q->lock);
  q->advance_ms = 0;
  for (size_t i = 0; i < q->count; i++) {
    uint32_t in_flight = q->books[i].in_flight;
    memset(&q->books[i], 0, sizeof(q->books[i]));
    q->books[i].in_flight = in_flight;
  }
  pthread_mutex_unlock(&q->lock);
}

#define QUOTAS_PAGE                                                                                \
  " To learn more, see "                                                                           \
  "https://developers.google.com/analytics/devguides/reporting/data/v1/quotas"

const char *quota_message(enum quota_verdict verdict)
{
  switch (verdict) {
  case QUOTA_EXHAUSTED_DAY:
    return "Exhausted property tokens per day. These quota tokens will return in under one "
           "day." QUOTAS_PAGE;
  case QUOTA_EXHAUSTED_HOUR:
    return "Exhausted property tokens per hour. These quota tokens will return in under an "
           "hour." QUOTAS_PAGE;
  case QUOTA_EXHAUSTED_PROJECT_HOUR:
    return "Exhausted property tokens for a project per hour. These quota tokens will return in "
           "under an hour." QUOTAS_PAGE;
  case QUOTA_EXHAUSTED_CONCURRENT:
    return "Exhausted concurrent requests quota." QUOTAS_PAGE;
  case QUOTA_EXHAUSTED_SERVER_ERRORS:
    return "Exhausted server errors quota. Please retry your requests in the next "
           "hour." QUOTAS_PAGE;
  case QUOTA_EXHAUSTED_THRESHOLDED:
    return "Exhausted potentially thresholded requests quota. This quota will refresh in under an "
           "hour." QUOTAS_PAGE;
  case QUOTA_OK:
    break;
  }
  return "";
}

uint32_t quota_cost(size_t dimensions, size_t metrics, int64_t days)
{
  uint32_t cost = 1 + (uint32_t)(days / 60);
  if (metrics > 1)
    cost += (uint32_t)((metrics - 1) / 9);
  if (dimensions > 1)
    cost += (uint32_t)((dimensions - 1) / 4);
  return cost;
}
