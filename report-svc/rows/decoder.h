/* Reads the answer of runReport or batchRunReports as its bytes arrive: rows go out one by one,
 * everything else is kept as a small JSON text for the end.
 *
 * Validating (RFC 8259, UTF-8, paired surrogates, no NUL) and resumable at any byte. Its
 * memory does not depend on the number of rows. Not thread-safe. */
#ifndef AMCP_REPORT_ROWS_DECODER_H
#define AMCP_REPORT_ROWS_DECODER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

/* GA4 sends at most 9 dimensions, dateRange and comparison, and 10 metrics. */
enum { ROWS_MAX_COLUMNS = 32 };
/* Google takes at most 5 reports in one batch. */
enum { ROWS_MAX_REPORTS = 5 };

struct rows_text {
  const char *p; /* not NUL-terminated */
  size_t len;
};

/* One row; the texts live until the callback returns. */
struct rows_row {
  const struct rows_text *dimensions;
  const struct rows_text *metrics;
  size_t n_dimensions;
  size_t n_metrics;
  size_t report; /* of a batch, from 0 */
};

enum rows_step {
  ROWS_MORE, /* row taken */
  ROWS_STOP, /* row taken, but give no more for now */
  ROWS_FAIL, /* *e says why */
};

struct rows_options {
  enum rows_step (*on_row)(void *user, const struct rows_row *row, struct err *e);
  void *user;
  bool batch;            /* the answer is {"reports": [...]} */
  size_t max_rest_bytes; /* everything but the rows; 0 means 1 MiB */
  size_t max_row_bytes;  /* text of one row; 0 means 256 KiB */
};

struct rows_decoder;

struct rows_decoder *rows_decoder_new(const struct rows_options *options);
/* NULL is fine. */
void rows_decoder_free(struct rows_decoder *d);
/* Ready for the next body. */
void rows_decoder_reset(struct rows_decoder *d);

enum rows_fed { ROWS_FED_ALL, ROWS_FED_STOPPED, ROWS_FED_ERROR };

/* Takes the next bytes of the body. *used says how many were taken: all of them, or fewer
 * with ROWS_FED_STOPPED (give the others again later). Errors: ERR_INTERNAL
 * (`malformed_response`, with the byte), ERR_RESOURCE_EXHAUSTED (`response_too_large`), and
 * what on_row set; the decoder is of no use then until it is reset. */
enum rows_fed rows_decoder_feed(struct rows_decoder *d, const char *data, size_t len, size_t *used,
                                struct err *e);
/* Call at the end of the body. ERR_UNAVAILABLE (`truncated_response`) when something is
 * missing. */
enum err_code rows_decoder_finish(struct rows_decoder *d, struct err *e);

/* The answer without its rows, as JSON text: every "rows" is an empty list, unknown members are
 * null. Complete after rows_decoder_finish(); lives until the reset. */
const char *rows_decoder_rest(const struct rows_decoder *d, size_t *len);
/* Rows given out since the reset. */
int64_t rows_decoder_count(const struct rows_decoder *d);

#endif
