/* Collects rows into columns: dictionary-coded dimensions, packed doubles. A full chunk is
 * handed on as a ColumnChunk; the dictionaries live on over all chunks of one report.
 * Not thread-safe. */
#ifndef AMCP_REPORT_ROWS_COLUMNS_H
#define AMCP_REPORT_ROWS_COLUMNS_H

#include <stdbool.h>
#include <stdint.h>

#include "analytics/report/v1/report.pb-c.h"
#include "report-svc/rows/decoder.h"

struct columns_options {
  size_t chunk_rows;           /* rows of a full chunk; 0 means 4,096 */
  size_t chunk_text_bytes;     /* new dictionary text that also makes it full; 0: 256 KiB */
  size_t max_dictionary_bytes; /* of all dimensions together; 0 means 16 MiB */
  /* What was asked for, to name a metric in an error; NULL: it goes by its number. Outlives the
   * columns. */
  const Analytics__Ga4__V1beta__RunReportRequest *report;
};

struct columns;

struct columns *columns_new(const struct columns_options *options);
/* NULL is fine. */
void columns_free(struct columns *c);

/* Adds a row; call only while the chunk is not full. ERR_RESOURCE_EXHAUSTED
 * (`too_many_values`) when the dictionaries reach their cap; ERR_DATA_LOSS (`invalid_data`) when
 * the value of a metric is not a finite decimal number: no sum or rate may be made of it. -0 counts
 * as 0. */
enum err_code columns_add(struct columns *c, const struct rows_row *row, struct err *e);
/* The two steps of it: reads the row into the next place; counts it. One that is not counted gives
 * its place to the next. */
enum err_code columns_read(struct columns *c, const struct rows_row *row, struct err *e);
void columns_keep(struct columns *c);
/* What was read last, until the next call here. A dimension's codes are equal where its values are,
 * over the whole report. */
struct columns_row {
  const uint32_t *codes;
  const double *values;
  size_t n_codes, n_values;
};
struct columns_row columns_last(const struct columns *c);
bool columns_full(const struct columns *c);
/* Rows in the current chunk. */
size_t columns_rows(const struct columns *c);
/* Bytes it has allocated, about. */
size_t columns_memory(const struct columns *c);
/* Fills in the rows of the current chunk (row_count, dimensions, metrics). What it points
 * to lives until the next call here. */
void columns_chunk(Analytics__Report__V1__ColumnChunk *out, struct columns *c);
/* The chunk was handed on: starts the next. */
void columns_next(struct columns *c);

#endif
