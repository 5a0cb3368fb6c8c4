/* The rows of one report by their keys: finds a row that comes twice, a page that does not continue
 * the page before it, and, after a page was started again, which of its rows were taken already.
 *
 * Google's rows have no numbers. Two equal orders (ties) or data that changes between two requests
 * show only in the keys, the dimension values. 16 bytes per row in a table that is at most three
 * quarters full; a key is a 64-bit hash of the values' codes (rows/columns.h), so two different
 * rows are taken for one another once in 10^7 reports of a million rows. Not thread-safe. */
#ifndef AMCP_REPORT_ROWS_SEEN_H
#define AMCP_REPORT_ROWS_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "report-svc/rows/columns.h"

enum seen_row {
  SEEN_NEW,     /* take it */
  SEEN_AGAIN,   /* of a page that was started again: taken already, with the same values */
  SEEN_TWICE,   /* of this attempt, or of an earlier page */
  SEEN_CHANGED, /* taken already from this page, but with other values */
};

struct seen;

/* `asked`: how many dimensions at the front of a row were asked for; Google adds up to two,
 * dateRange and comparison, in either order. */
struct seen *seen_new(size_t asked);
/* NULL is fine. */
void seen_free(struct seen *s);
/* A page begins; the same page begins again, after it was cut off. */
void seen_begin_page(struct seen *s);
void seen_begin_again(struct seen *s);
/* All rows of a report come from the same columns. */
enum seen_row seen_row(struct seen *s, const struct columns_row *row);
/* What has come so far in the unit of Google's rowCount, limit and offset: combinations of the
 * asked dimensions, which have a row per date range and comparison; combinations with one of the
 * added dimensions; or rows. It is not documented which: the one that gives `expected`, else the
 * first. */
int64_t seen_counted(const struct seen *s, int64_t expected);
/* Bytes it has allocated. */
size_t seen_memory(const struct seen *s);

#endif
