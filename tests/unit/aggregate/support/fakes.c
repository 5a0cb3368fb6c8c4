/* The dealers of a world. */
#include "tests/unit/aggregate/support/fakes.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const fake_event_names[FAKE_EVENTS] = {
    "asc_form_submission",       "generate_lead",      "form_submit", "web_lead",
    "asc_form_submission_sales", "asc_comm_submission"};

void fake_dealers(struct fake_world *w, size_t n, unsigned seed)
{
  w->n = n;
  w->subject = -1;
  w->seed = seed;
  for (size_t i = 0; i < n; i++) {
    struct fake_dealer *d = &w->dealers[i];
    snprintf(d->id, sizeof(d->id), "d%02u", (unsigned)i);
    snprintf(d->ref, sizeof(d->ref), "d%02u", (unsigned)i);
    snprintf(d->name, sizeof(d->name), "Dealer %02u", (unsigned)i);
    snprintf(d->owner, sizeof(d->owner), "owner-%02u", (unsigned)i);
    snprintf(d->zone, sizeof(d->zone), "America/Los_Angeles");
    d->visible = true;
    d->sessions = 1000 + rand_r(&seed) % 9000;
    d->engaged = d->sessions / 4 + rand_r(&seed) % (d->sessions / 2);
    d->events[0] = 20 + rand_r(&seed) % 200;
    d->events[4] = d->events[0] / 2;
    d->events[2] = rand_r(&seed) % (2 * d->events[0]); /* asc_form_submission counts */
    d->rows = 1 + (size_t)rand_r(&seed) % 30;
  }
}

int64_t fake_shoppers(const struct fake_dealer *d)
{
  return d->sessions / 3;
}

double fake_value(const struct fake_dealer *d, size_t r, size_t m)
{
  return (double)((d->sessions + 31 * (int64_t)r + 7 * (int64_t)m) % 997) + 0.25 * (double)m;
}

void fake_row_name(const struct fake_dealer *d, size_t r, char *out, size_t size)
{
  if (r + 1 == d->rows)
    snprintf(out, size, "only-%s", d->id);
  else
    snprintf(out, size, "row-%zu", r);
}

const struct fake_dealer *fake_find(const struct fake_world *w, const char *ref)
{
  for (size_t i = 0; i < w->n; i++)
    if (strcmp(w->dealers[i].ref, ref) == 0)
      return &w->dealers[i];
  return NULL;
}
