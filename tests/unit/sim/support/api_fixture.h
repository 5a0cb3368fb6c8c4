/* Calls of the Data API and the Admin API as one dealer. */
#ifndef TESTS_SIM_API_FIXTURE_H
#define TESTS_SIM_API_FIXTURE_H

#include "tests/unit/sim/support/identity_fixture.h"

/* Calls a method of a dealer's property as that dealer. path: what follows the property, with its
 * version: "v1beta :runReport", "v1beta /keyEvents". body: with ' for ", NULL: GET. query: name,
 * value, ..., NULL with "?name", may be NULL (at most eight texts). Free with answer_free(). */
struct answer api(size_t dealer, const char *path, const char *body, const char *const *query);
/* The same; the message it is refused with, "" when it is accepted. Valid until the next call. */
const char *api_refusal(size_t dealer, const char *path, const char *body,
                        const char *const *query);

#endif
