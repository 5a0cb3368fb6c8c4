/* Requests, and the worlds and answers that go with them. */
#include "tests/unit/aggregate/support/questions.h"

#include <stdio.h>
#include <string.h>

#include "aggregate-svc/disclosure/lattice.h"
#include "common/base/clock.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;

Request ask_west(void)
{
  Request r = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
  r.region = (char *)"West";
  r.detail = (char *)"all";
  r.limit = 500;
  return r;
}

Request ask_week_of_d00(void)
{
  static Analytics__Ga4__V1beta__DateRange range;
  static char start[16], end[16];
  int64_t through = lattice_complete_through(clock_unix_ms());
  struct lattice_span week =
      lattice_nearest((struct lattice_span){through - 6, through}, through).weeks;
  Request r = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
  analytics__ga4__v1beta__date_range__init(&range);
  clock_format_date(week.first, start, sizeof(start));
  clock_format_date(week.last, end, sizeof(end));
  range.start_date = start;
  range.end_date = end;
  r.date_range = &range;
  r.subject = (char *)"d00";
  return r;
}

void hide_peers(struct fake_world *w)
{
  for (size_t i = 1; i < w->n; i++) {
    struct fake_dealer *d = &w->dealers[i];
    d->visible = false;
    snprintf(d->id, sizeof(d->id), "SECRET-ID-%zu", i);
    snprintf(d->name, sizeof(d->name), "SECRET-NAME-%zu", i);
    snprintf(d->ref, sizeof(d->ref), "SECRET-REF-%zu", i);
    snprintf(d->owner, sizeof(d->owner), "SECRET-OWNER-%zu", i);
    snprintf(d->zone, sizeof(d->zone), "SECRET/Zone");
    d->sessions = 50000 + 1013 * (int64_t)i;
    d->engaged = 30000 + 517 * (int64_t)i;
    d->events[0] = 1200 + 37 * (int64_t)i;
    d->events[2] = 0;
  }
}

bool has_caveat(const struct outcome *o, const char *words)
{
  for (size_t i = 0; o->compare != NULL && i < o->compare->n_caveats; i++)
    if (strstr(o->compare->caveats[i], words) != NULL)
      return true;
  return false;
}
