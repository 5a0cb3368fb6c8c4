/* A small world shared by the simulator's tests, and reports run on it. */
#ifndef TESTS_SIM_FIXTURE_H
#define TESTS_SIM_FIXTURE_H

#include <cjson/cJSON.h>
#include <sqlite3.h>

#include "tests/unit/harness.h"

#include "ga4-sim/report/report.h"
#include "ga4-sim/world/world.h"

/* 2026-03-10, a Tuesday; 60 days, so 2026-01-10 is the first. */
enum { FIXTURE_TODAY = 20522, FIXTURE_DAYS = 60 };

struct world_params fixture_params(void);
/* The world of 24 dealers over 60 days; made once per build, in a file. Aborts when it cannot be
 * made. */
struct world *fixture_world(void);
void fixture_free(void);

/* Runs a request given as JSON with ' for " on the property of a dealer (index).
 * Answers the response, or NULL with Google's message in *e. Free with cJSON_Delete(). */
cJSON *fixture_report(size_t dealer, const char *request, struct err *e);
/* The message a request is refused with; "" when it is accepted. Valid until the next
 * call. */
const char *fixture_refusal(const char *request);
/* One value by SQL; @ in sql is replaced by the dealer's property id. */
double fixture_sql(size_t dealer, const char *sql);
/* Text of dimension or metric number i of row r; NULL when there is none. */
const char *fixture_cell(const cJSON *report, const char *list, int row, const char *kind, int i);
/* Text with ' turned into " and @ into '; valid until the next call. */
const char *fixture_json(const char *text);

#endif
