/* The simulator's own switches: /sim/... */
#ifndef GA4_SIM_CONTROL_H
#define GA4_SIM_CONTROL_H

#include "ga4-sim/sim/sim.h"

/* Answers any request under /sim/. */
void control_handle(struct sim *s, const struct request *q, struct reply *r);
/* The switches of identities; false when the path is not one of them (control_identity.c). */
bool control_identity(struct sim *s, const struct request *q, struct reply *r);

#endif
