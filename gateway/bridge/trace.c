/* W3C trace context: the caller's trace goes on, or a new one begins. */
#include "gateway/bridge/trace.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/base/backoff.h"

static bool lower_hex(const char *s, size_t n, bool *all_zero)
{
  *all_zero = true;
  for (size_t i = 0; i < n; i++) {
    bool digit = (s[i] >= '0' && s[i] <= '9') || (s[i] >= 'a' && s[i] <= 'f');
    if (!digit)
      return false;
    *all_zero &= s[i] == '0';
  }
  return true;
}

bool trace_valid(const char *t)
{
  bool zero;
  if (t == NULL || strlen(t) < TRACE_LEN || t[2] != '-' || t[35] != '-' || t[52] != '-')
    return false;
  if (!lower_hex(t, 2, &zero) || strncmp(t, "ff", 2) == 0)
    return false;
  /* Later versions may add fields; version 00 has none. */
  if (t[TRACE_LEN] != '\0' && (strncmp(t, "00", 2) == 0 || t[TRACE_LEN] != '-'))
    return false;
  return lower_hex(t + 3, 32, &zero) && !zero && lower_hex(t + 36, 16, &zero) && !zero &&
         lower_hex(t + 53, 2, &zero);
}

static uint64_t random_id(void)
{
  return random_below(UINT64_MAX - 1) + 1;
}

void trace_child(const char *incoming, char out[TRACE_LEN + 1])
{
  if (trace_valid(incoming))
    snprintf(out, TRACE_LEN + 1, "00-%.32s-%016" PRIx64 "-%.2s", incoming + 3, random_id(),
             incoming + 53);
  else
    snprintf(out, TRACE_LEN + 1, "00-%016" PRIx64 "%016" PRIx64 "-%016" PRIx64 "-01", random_id(),
             random_id(), random_id());
}

void trace_id(const char *traceparent, char out[TRACE_ID_LEN + 1])
{
  snprintf(out, TRACE_ID_LEN + 1, "%.32s", traceparent + 3);
}
