/* What an answer says of the dealers outside the caller's view beside their released figures: how
 * many of them count which lead event, have no sessions, or have notes of Google's.
 *
 * Kept with the first release of the cohort and period, like the figures (store.h), and shown from
 * then on: an answer made from the store says the same as one for which everybody was asked, and
 * a count that moved would tell of one dealer. What is kept names no dealer and has no order. */
#ifndef AMCP_AGGREGATE_OUTSIDE_H
#define AMCP_AGGREGATE_OUTSIDE_H

#include "aggregate-svc/cohort/notes.h"
#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/figures/group.h"
#include "common/base/arena.h"

/* The cohort as an answer shows it. Members outside stand in no order: only how many of them are
 * such and such is true. Figures of theirs are for counting, not for computing. */
struct outside_view {
  struct cohort cohort;
  const struct dealer_figures *figures; /* per member */
  const struct dealer_notes *notes;     /* per member */
};

/* Fills *out from what is kept, or keeps what the dealers have answered now; to be called once per
 * answer, after door_settle() and before any figure: it also gives the door their figures. `of`: ""
 * for answers from daily figures; others know less of a dealer and name themselves. `live`
 * and `notes` are lent for as long as the door; the rest lives in the arena, which must have no
 * cap. */
void outside_show(struct door *d, const char *of, const struct cohort_figures *live,
                  const struct dealer_notes *notes, struct arena *arena, struct outside_view *out);

#endif
