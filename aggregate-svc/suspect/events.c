/* Finds events that ceased or began. */
#include "aggregate-svc/suspect/suspect.h"

enum { STOPPED_DAYS = 3, BEGAN_DAYS = 14 };

#define EXPECTED_MIN 20.0

/* Firings that entries from..to would have by the rate of the other finished ones. */
static double expected_in(const struct suspect_days *d, const int64_t *y, size_t from, size_t to,
                          size_t end)
{
  double firings = 0, sessions = 0, silent = 0;
  for (size_t i = 0; i < end; i++) {
    bool inside = i >= from && i < to;
    firings += inside ? 0 : (double)y[i];
    sessions += inside ? 0 : (double)d->sessions[i];
    silent += inside ? (double)d->sessions[i] : 0;
  }
  return sessions > 0 ? firings / sessions * silent : 0;
}

enum suspect_event suspect_event(const struct suspect_days *d, const int64_t *y, int64_t *day)
{
  size_t end = d->complete < d->n ? d->complete : d->n, first = 0, last = end;
  while (first < end && y[first] == 0)
    first++;
  while (last > first && y[last - 1] == 0)
    last--;
  if (first == end)
    return EVENT_STEADY;
  if (last >= d->begin && end - last >= STOPPED_DAYS &&
      expected_in(d, y, last, end, end) >= EXPECTED_MIN) {
    *day = d->first + (int64_t)last;
    return EVENT_STOPPED;
  }
  if (first >= d->begin && first >= BEGAN_DAYS &&
      expected_in(d, y, 0, first, end) >= EXPECTED_MIN) {
    *day = d->first + (int64_t)first;
    return EVENT_BEGAN;
  }
  return EVENT_STEADY;
}
