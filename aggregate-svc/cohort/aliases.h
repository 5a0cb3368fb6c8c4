/* What the websites of a cohort call models of the catalogue: vehicle_overrides, for the matcher.
 */
#ifndef AMCP_AGGREGATE_ALIASES_H
#define AMCP_AGGREGATE_ALIASES_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/cohort/cohort.h"
#include "aggregate-svc/vehicle/vehicle.h"
#include "common/base/arena.h"

/* The names of one member, in the arena; those of no model of the catalogue are left out. False
 * when the arena is full. */
bool aliases_of_member(struct vehicle_aliases *out, const struct cohort_member *m,
                       struct arena *arena);
/* The same of every member; NULL when the arena is full. */
const struct vehicle_aliases *aliases_of_cohort(const struct cohort *c, struct arena *arena);

#endif
