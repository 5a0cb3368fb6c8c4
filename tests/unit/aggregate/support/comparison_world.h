/* Cohorts made by hand, compared. */
#ifndef AMCP_TESTS_AGGREGATE_COMPARISON_WORLD_H
#define AMCP_TESTS_AGGREGATE_COMPARISON_WORLD_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/answer/comparison.h"
#include "tests/unit/aggregate/support/oracle.h"
#include "tests/unit/aggregate/support/west.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;

enum { N_MAX = ORACLE_MAX };

/* A dealer's period; two of five sessions are shopping. */
#define FIGURES(s, e, event, l)                                                                    \
  ((struct dealer_figures){.ok = true,                                                             \
                           .lead_event = (event),                                                  \
                           .now = {.sessions = (s),                                                \
                                   .engaged_sessions = (e),                                        \
                                   .leads = (l),                                                   \
                                   .lead_sessions = (l),                                           \
                                   .shopper_sessions = (s)*2 / 5}})

/* A cohort made by hand. */
struct world {
  struct arena *arena;
  struct cohort cohort;
  struct cohort_member members[N_MAX];
  struct dealer_figures figures[N_MAX];
  struct dealer_notes notes[N_MAX];
  struct lead_events leads;
  west_texts texts[N_MAX];
  struct period period;
  struct release_store *store; /* a new one for every comparison */
  struct door door;
  bool brief; /* no index rows but the subject's */
  bool pages; /* of what fits, else all dealers */
  size_t offset;
};

/* n visible dealers that answered alike: 1000 sessions, 500 engaged, 20 leads of the first event.
 */
void world_start(struct world *w, size_t n);

/* Over a new store of releases; the answer lives until world_end(). */
Result *world_compare(struct world *w);
void world_end(struct world *w);
/* Takes a dealer out of the caller's view. */
void hide(struct world *w, size_t i);
void set_failed(struct world *w, size_t i);
const MetricIndex *index_of(const Result *r, const char *dealer_id, enum metric_id m);
bool has_caveat(const Result *r, const char *part);

#endif
