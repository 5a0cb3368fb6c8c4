/* Regular expressions as the API takes them (RE2 syntax), for SQLite. */
#ifndef GA4_SIM_REGEX_H
#define GA4_SIM_REGEX_H

#include <sqlite3.h>
#include <stdbool.h>

#include "common/base/error.h"

/* Whether a pattern is RE2 that the simulator can run; the error names what is not. */
enum err_code regex_check(const char *pattern, struct err *e);

/* Adds regex_match(pattern, whole, case_sensitive, value) to a connection: 1 when the
 * value matches (whole = 1: from its first to its last character). */
void regex_register(sqlite3 *db);

#endif
