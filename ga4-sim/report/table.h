/* The rows of a report in memory, and its statement. */
#ifndef GA4_SIM_TABLE_H
#define GA4_SIM_TABLE_H

#include <sqlite3.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "ga4-sim/report/request.h"

/* Rows that are kept at most: as many as a pivot report may have cells. */
enum { TABLE_MAX_ROWS = 250000, TABLE_SQL_MAX = 8 * 1024 * 1024 };

struct table_row {
  const char **texts; /* one for each dimension */
  double *values;     /* one for each metric */
};

/* Rows live in the request's arena. */
struct table {
  struct table_row *rows;
  size_t count, capacity;
};

/* Prepares a report's SQL with the request's texts bound. */
enum err_code table_prepare(sqlite3 *db, const struct report_request *r, const struct buf *sql,
                            sqlite3_stmt **stmt, struct err *e);
/* Runs query_rows(); limit and offset are left to the caller. */
enum err_code table_fill(struct table *t, sqlite3 *db, const struct world *w,
                         const struct report_request *r, int64_t last_day, struct err *e);
void table_free(struct table *t);

#endif
