/* Connections that read the world, at most four at work.
 *
 * An eager world is one database, and its connections are kept open. A lazy one is a folder beside
 * its database of dealers: a database per property, made by whoever asks for it first (the others
 * wait), with the rows that it has in the whole world. Its connections are opened when they are
 * needed, so memory does not grow with the dealers that were asked for. */
#ifndef GA4_SIM_READERS_H
#define GA4_SIM_READERS_H

#include <sqlite3.h>

#include "common/base/error.h"
#include "ga4-sim/world/plan.h"

enum { READERS = 4 };

struct world_readers;

/* Opens the connections to a database. ERR_UNAVAILABLE. */
enum err_code readers_open(struct world_readers **out, const char *path, struct err *e);
/* Further ones are to databases of single properties, in this folder, which is made unless it is
 * there; with `temporary` it goes at the end. */
enum err_code readers_make_lazy(struct world_readers *r, const struct world_params *params,
                                const char *folder, bool temporary, struct err *e);
/* NULL is fine. No connection is in use. */
void readers_close(struct world_readers *r);

/* Waits while all are in use. index: the property's; -1: the database of dealers. NULL when it
 * could not be made: *e. Thread-safe. */
sqlite3 *readers_acquire(struct world_readers *r, int64_t index, struct err *e);
void readers_release(struct world_readers *r, sqlite3 *db);

#endif
