/* What makes the answers of a property differ from its data, switched on while the simulator runs.
 */
#ifndef GA4_SIM_CONDITIONS_H
#define GA4_SIM_CONDITIONS_H

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "ga4-sim/report/request.h"

struct conditions;

/* All off for n properties. Thread-safe from here on. */
struct conditions *conditions_new(size_t n);
void conditions_free(struct conditions *c);
/* Sets those that a JSON object names for its dealer_id ("*": every dealer); 0 switches one off. */
enum err_code conditions_set(struct conditions *c, const struct world *w, const cJSON *description,
                             struct err *e);
/* Those of a property by its index. */
struct report_conditions conditions_of(struct conditions *c, size_t property);
/* Switches all off. */
void conditions_clear(struct conditions *c);

#endif
