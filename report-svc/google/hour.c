/* How much was used within the last hour. */
#include "report-svc/google/hour.h"

#include <string.h>

enum { MINUTE_MS = 60000 };

/* Forgets the minutes that are an hour old. */
static void move_to(struct hour *h, int64_t now_ms)
{
  int64_t minute = now_ms / MINUTE_MS;
  if (minute - h->minute >= HOUR_MINUTES) {
    memset(h, 0, sizeof(*h));
    h->minute = minute;
  }
  while (h->minute < minute) {
    uint32_t *oldest = &h->used[++h->minute % HOUR_MINUTES];
    h->sum -= *oldest;
    *oldest = 0;
  }
}

void hour_add(struct hour *h, int64_t now_ms, uint32_t amount)
{
  move_to(h, now_ms);
  uint32_t *newest = &h->used[h->minute % HOUR_MINUTES];
  if (amount > UINT32_MAX - *newest)
    amount = UINT32_MAX - *newest;
  *newest += amount;
  h->sum += amount;
}

uint64_t hour_sum(struct hour *h, int64_t now_ms)
{
  move_to(h, now_ms);
  return h->sum;
}

int64_t hour_frees_ms(struct hour *h, int64_t now_ms)
{
  move_to(h, now_ms);
  for (int64_t minute = h->minute - HOUR_MINUTES + 1; minute <= h->minute; minute++)
    if (minute >= 0 && h->used[minute % HOUR_MINUTES] > 0)
      return (minute + HOUR_MINUTES) * MINUTE_MS;
  return now_ms;
}
