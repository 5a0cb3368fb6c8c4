/* Questions that several tests ask over a fixture. */
#ifndef AMCP_TESTS_AGGREGATE_QUESTIONS_H
#define AMCP_TESTS_AGGREGATE_QUESTIONS_H

#include <stdbool.h>

#include "tests/unit/aggregate/support/fixture.h"

/* All dealers side by side, with every index row. */
Analytics__Aggregate__V1__CompareDealerSessionsRequest ask_west(void);
/* Dealer 0 asks about the last whole week: longer periods are looked at week by week, and the
 * fakes' days are in no week of theirs. Lives until the next call. */
Analytics__Aggregate__V1__CompareDealerSessionsRequest ask_week_of_d00(void);
/* Takes all dealers but d00 out of the caller's view; everything of theirs carries a mark, SECRET.
 */
void hide_peers(struct fake_world *w);
/* Whether a comparison has a caveat with these words. */
bool has_caveat(const struct outcome *o, const char *words);

#endif
