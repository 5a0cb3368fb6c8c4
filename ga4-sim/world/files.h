/* Databases of worlds: looked at, made, extended. */
#ifndef GA4_SIM_FILES_H
#define GA4_SIM_FILES_H

#include "common/base/error.h"
#include "ga4-sim/world/plan.h"

/* Makes sure that the file holds what the parameters say: one that fits is used again, one of the
 * demo world that ends up to 60 days earlier is extended, another world is replaced. A file that is
 * no world is refused. */
enum err_code world_file_prepare(const char *path, const struct world_params *params,
                                 struct err *e);

#endif
