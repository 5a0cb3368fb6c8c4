/* The rows of a report's SQL, one after the other: computed, or as they were when the same was
 * asked of the same world before. */
#ifndef GA4_SIM_ANSWER_ROWS_H
#define GA4_SIM_ANSWER_ROWS_H

#include <sqlite3.h>
#include <stdbool.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "ga4-sim/report/request.h"
#include "ga4-sim/world/world.h"

enum { ROWS_MAX_NUMBERS = REQUEST_MAX_METRICS + 1 };

/* Its first members are the row that report_rows_next() came to; texts are valid until the next. */
struct report_rows {
  size_t slice;
  const char *texts[REQUEST_MAX_DIMENSIONS + 2];
  double numbers[ROWS_MAX_NUMBERS];
  size_t number_count;

  const struct world *world;
  sqlite3 *db;
  sqlite3_stmt *stmt; /* NULL: the rows were known */
  size_t text_count;
  struct buf question, kept; /* of what is computed: the copy */
  size_t at;                 /* in the copy, of what was known */
  struct err *e;
  enum err_code code;
};

/* Begins. The SQL gives a slice, text_count texts, then numbers, REQUEST_MAX_METRICS + 1 at most.
 * *e says what failed, here or later; report_rows_end() must follow. */
void report_rows_begin(struct report_rows *rows, const struct world *w, sqlite3 *db,
                       const struct report_request *r, const struct buf *sql, size_t text_count,
                       struct err *e);
/* The next row; false at the end, and when something failed. */
bool report_rows_next(struct report_rows *rows);
enum err_code report_rows_end(struct report_rows *rows);

#endif
