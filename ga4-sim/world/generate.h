/* Fills an empty database with the world. */
#ifndef GA4_SIM_GENERATE_H
#define GA4_SIM_GENERATE_H

#include <sqlite3.h>

#include "common/base/error.h"
#include "ga4-sim/world/plan.h"

/* Creates the tables and fills them, in one transaction. The same params give the
 * same rows on every machine. */
enum err_code generate_world(sqlite3 *db, const struct world_params *params, struct err *e);

/* Adds the days up to params->today to a world of the same parameters but an earlier today, and
 * drops as many at its start: in a transaction, so that a world is extended or as it was. Its past
 * does not change. */
enum err_code generate_more_days(sqlite3 *db, const struct world_params *params, struct err *e);

/* The twelve item_* parameters that dealers register as custom dimensions. */
struct item_parameter {
  const char *parameter; /* also the column of table vehicles */
  const char *display_name;
};
extern const struct item_parameter item_parameters[];
extern const unsigned item_parameter_count;

#endif
