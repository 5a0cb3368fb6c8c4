/* How much was used within the last hour: a count per minute, the last 60 of them. Plain values, no
 * lock. Times are milliseconds since 1970 and must not go back by more than a minute or so. */
#ifndef AMCP_REPORT_HOUR_H
#define AMCP_REPORT_HOUR_H

#include <stdint.h>

enum { HOUR_MINUTES = 60 };

/* All zeros: nothing was used. */
struct hour {
  int64_t minute; /* the newest one, since 1970 */
  uint32_t used[HOUR_MINUTES];
  uint64_t sum;
};

void hour_add(struct hour *h, int64_t now_ms, uint32_t amount);
/* Used in this minute and the 59 before it. */
uint64_t hour_sum(struct hour *h, int64_t now_ms);
/* When the oldest of what was used no longer counts; now_ms when nothing was used. */
int64_t hour_frees_ms(struct hour *h, int64_t now_ms);

#endif
