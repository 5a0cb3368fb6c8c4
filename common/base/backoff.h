/* Waiting between attempts: exponential with full jitter and a cap. */
#ifndef AMCP_BASE_BACKOFF_H
#define AMCP_BASE_BACKOFF_H

#include <stdint.h>

#include "common/base/random.h"

struct backoff {
  uint32_t base_ms; /* upper bound of the first wait */
  uint32_t max_ms;  /* upper bound of any wait */
  uint32_t attempt; /* waits handed out so far; starts at 0 */
};

/* Milliseconds to wait before the next attempt: uniform in
 * [base/2, min(max, base * 2^attempt)]. Counts the attempt. */
uint32_t backoff_next_ms(struct backoff *b);

#endif
