/* dealers.json for an auth service, with credentials of the kinds asked for. */
#ifndef GA4_SIM_DEALERS_FILE_H
#define GA4_SIM_DEALERS_FILE_H

#include "common/base/error.h"
#include "ga4-sim/sim/sim.h"

/* Writes the file (mode 0600), and beside it the projected tokens it refers to
 * (<dealer_id>.token, <dealer_id>.token.json; good for a day). Endpoints in it are those of
 * s->base_url. */
enum err_code dealers_file_write(struct sim *s, const char *path, struct err *e);

#endif
