/* A Google that knows every dealer of the plan: token endpoint, runReport and
 * accountSummaries. What it says of a dealer is full of that dealer's mark, errors too. */
#ifndef AMCP_TESTS_ISOLATION_GOOGLE_H
#define AMCP_TESTS_ISOLATION_GOOGLE_H

#include "tests/unit/isolation/plan.h"

struct fake_world_google;

struct fake_world_google *world_google_start(void);
void world_google_stop(struct fake_world_google *g);
/* "http://127.0.0.1:PORT" */
const char *world_google_endpoint(const struct fake_world_google *g);
/* Takes a copy. */
void world_google_plan(struct fake_world_google *g, const struct plan *p);
/* Requests that came with one dealer's token for another dealer's property. */
size_t world_google_crossed(struct fake_world_google *g);

#endif
