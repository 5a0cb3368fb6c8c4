/* Makes a cohort, compares it, looks into the answer. */
#include "tests/unit/aggregate/support/comparison_world.h"

#include <string.h>

#include "aggregate-svc/words/text.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

void world_start(struct world *w, size_t n)
{
  memset(w, 0, sizeof(*w));
  w->arena = arena_new(1 << 26);
  west_make(&w->cohort, w->members, w->texts, n);
  w->cohort.subject = -1;
  period_parse(&w->period, true, "2026-10-01", "2026-10-28", clock_unix_ms(), NULL);
  for (size_t i = 0; i < n; i++) {
    w->figures[i] = FIGURES(1000, 500, 0, 20);
    text_copy(w->notes[i].time_zone, sizeof(w->notes[i].time_zone), "America/Los_Angeles");
  }
  lead_events_collect(&w->leads, &w->cohort, w->arena);
}

static void forget_releases(struct world *w)
{
  door_close(&w->door);
  release_store_free(TAKE_PTR(w->store));
}

Result *world_compare(struct world *w)
{
  static const struct lattice_span weeks = {20731, 20758}; /* 2026-10-05 to 2026-11-01 */
  struct err e = {0};
  forget_releases(w);
  CU_ASSERT_EQUAL_FATAL(release_store_new(&w->store, &(struct release_store_options){0}, &e),
                        ERR_OK);
  struct comparison c = {.of = {{&w->cohort, w->figures, &w->leads}, &w->door},
                         .notes = w->notes,
                         .period = &w->period,
                         .now_unix_ms = clock_unix_ms(),
                         .everyone = !w->brief,
                         .offset = w->offset,
                         .limit = w->pages ? 0 : 500};
  w->cohort.outside = 0;
  w->cohort.outside_frozen = false;
  for (size_t i = 0; i < w->cohort.n; i++)
    w->cohort.outside += !w->members[i].visible;
  struct door_options options = {w->store, DISCLOSURE_POLICY_DEFAULT, 1000};
  door_init(&w->door, &options, &w->cohort, (weeks.last + 10) * 86400000);
  door_admit(&w->door, weeks, false);
  door_settle(&w->door);
  return compare_dealers(&c, w->arena);
}

void world_end(struct world *w)
{
  forget_releases(w);
  arena_free(w->arena);
}

void hide(struct world *w, size_t i)
{
  west_hide(&w->members[i]);
}

void set_failed(struct world *w, size_t i)
{
  w->members[i].state = DEALER_FAILED;
  w->members[i].code = ERR_FAILED_PRECONDITION;
  text_copy(w->members[i].reason, sizeof(w->members[i].reason), "invalid_grant");
  text_copy(w->members[i].message, sizeof(w->members[i].message), "the dealer must consent again");
  w->figures[i] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN};
}

const MetricIndex *index_of(const Result *r, const char *dealer_id, enum metric_id m)
{
  for (size_t i = 0; i < r->n_performance_index; i++)
    if (strcmp(r->performance_index[i]->dealer_id, dealer_id) == 0)
      return r->performance_index[i]->metrics[m];
  CU_FAIL_FATAL("dealer is not in the answer");
  return NULL;
}

bool has_caveat(const Result *r, const char *part)
{
  for (size_t i = 0; i < r->n_caveats; i++)
    if (strstr(r->caveats[i], part) != NULL)
      return true;
  return false;
}
