/* Exponential backoff with jitter. */
#include "common/base/backoff.h"

uint32_t backoff_next_ms(struct backoff *b)
{
  uint64_t top = b->base_ms;
  for (uint32_t i = 0; i < b->attempt && top < b->max_ms; i++)
    top *= 2;
  if (top > b->max_ms)
    top = b->max_ms;
  if (b->attempt < UINT32_MAX)
    b->attempt++;
  uint64_t low = b->base_ms / 2 < top ? b->base_ms / 2 : top;
  return (uint32_t)(low + random_below(top - low + 1));
}
