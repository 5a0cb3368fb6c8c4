/* SQLite as a database of the release store, where one process has it. */
#ifndef AMCP_AGGREGATE_SQLITE_H
#define AMCP_AGGREGATE_SQLITE_H

#include "common/database/database.h"

/* Opens, or creates, a file; path NULL is in memory. */
enum err_code database_open_sqlite(struct database **out, const char *path, struct err *e);

#endif
