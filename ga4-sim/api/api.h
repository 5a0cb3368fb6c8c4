/* The Data API and the Admin API. */
#ifndef GA4_SIM_API_H
#define GA4_SIM_API_H

#include "ga4-sim/sim/sim.h"

/* Answers a request: a method of the APIs, or 404 as HTML. */
void api_handle(struct sim *s, const struct request *q, struct reply *r);

#endif
