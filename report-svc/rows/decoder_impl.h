/* State of the row decoder, shared by its files; not for others. They call downwards only:
 * decoder.c > fast_row.c > meaning.c, string.c > state.c. */
#ifndef AMCP_REPORT_ROWS_DECODER_IMPL_H
#define AMCP_REPORT_ROWS_DECODER_IMPL_H

#include <stdbool.h>

#include "common/base/buf.h"
#include "report-svc/rows/decoder.h"

enum { DECODER_MAX_DEPTH = 32, DECODER_MAX_KEY = 24 };

/* What may come next. */
enum decoder_state {
  EXPECT_VALUE,
  EXPECT_VALUE_OR_END, /* just after [ */
  EXPECT_KEY,
  EXPECT_KEY_OR_END, /* just after { */
  EXPECT_COLON,
  EXPECT_COMMA_OR_END,
  EXPECT_NOTHING, /* the value is complete */
  IN_STRING,
  IN_NUMBER,
  IN_LITERAL,
};

/* What an open object or list means. */
enum decoder_role {
  ROLE_BATCH,   /* the answer of a batch */
  ROLE_REPORTS, /* "reports": [ */
  ROLE_REPORT,  /* an object in it, or the whole answer */
  ROLE_ROWS,    /* "rows": [ */
  ROLE_ROW,     /* an object in it */
  ROLE_CELLS,   /* "dimensionValues": [ or "metricValues": [ */
  ROLE_CELL,    /* {"value": ...} */
  ROLE_REST,    /* kept as text */
  ROLE_SKIPPED, /* unknown member */
};

/* Where the characters of the current string or number go. */
enum decoder_capture { CAPTURE_NONE, CAPTURE_KEY, CAPTURE_CELL };

/* Kind of a value, known from its first byte. */
enum decoder_kind { VALUE_OBJECT, VALUE_LIST, VALUE_STRING, VALUE_NUMBER, VALUE_BOOL, VALUE_NULL };

/* Place in JSON's grammar of numbers. */
enum decoder_number {
  NUMBER_MINUS,
  NUMBER_ZERO,
  NUMBER_INT,
  NUMBER_POINT,
  NUMBER_FRACTION,
  NUMBER_E,
  NUMBER_E_SIGN,
  NUMBER_EXPONENT,
};

/* A value inside row_text. */
struct decoder_cell {
  size_t offset;
  size_t len;
};

/* One of the two lists of a row. */
struct decoder_list {
  struct decoder_cell cells[ROWS_MAX_COLUMNS];
  size_t n;
  bool seen;
};

struct rows_decoder {
  struct rows_options options;

  enum decoder_state state;
  unsigned depth;
  enum decoder_role roles[DECODER_MAX_DEPTH];
  bool is_object[DECODER_MAX_DEPTH];

  /* The current string. */
  bool string_is_key;
  enum decoder_capture capture;
  uint8_t escape;             /* 0 none, 1 after \, 2-5: hexadecimal digits to come + 1 */
  uint16_t unit;              /* of \uXXXX so far */
  uint16_t surrogate;         /* first half, waiting for the second; 0 none */
  uint8_t utf8_need;          /* continuation bytes to come */
  uint8_t utf8_min, utf8_max; /* range of the next one */
  char key[DECODER_MAX_KEY];
  size_t key_len; /* DECODER_MAX_KEY + 1 when longer than that */

  enum decoder_number number;
  const char *literal; /* what is left of true, false or null */

  /* The current row. */
  struct buf row_text;
  struct decoder_list lists[2]; /* dimensions, metrics */
  unsigned list;                /* the one being read */
  bool cell_value_seen;
  size_t cell_start;
  bool columns_known;
  size_t columns[2];
  bool reports_seen;
  bool rows_seen;   /* of this report */
  size_t report;    /* the one being read */
  size_t n_reports; /* begun */
  bool stop;        /* on_row asked to */

  struct buf rest;
  bool copying;          /* bytes go to rest */
  unsigned skip_depth;   /* of the member whose unknown value is being skipped; 0 for none */
  const char *copy_from; /* first byte of this feed not yet copied */

  int64_t rows;
  int64_t report_rows; /* of this report */
  int64_t base;        /* bytes of earlier feeds */
  const char *data;    /* this feed */
  struct err *e;
};

/* Sets `malformed_response` with the place of p; returns NULL. */
const char *decoder_malformed(struct rows_decoder *d, const char *p, const char *what);
/* Appends to where the current string or number goes; false with the error set at a cap. */
bool decoder_capture(struct rows_decoder *d, const char *p, size_t len);
/* Sets `response_too_large`; returns NULL. */
const char *decoder_too_large(struct rows_decoder *d, const char *what);
/* The rest: copies what is pending up to p; the same, and nothing after it; goes on from p.
 * False with the error set. */
bool decoder_flush_rest(struct rows_decoder *d, const char *p);
bool decoder_stop_copying(struct rows_decoder *d, const char *p);
void decoder_start_copying(struct rows_decoder *d, const char *p);

/* Meaning of the innermost open object or list; there must be one. */
static inline enum decoder_role decoder_role(const struct rows_decoder *d)
{
  return d->roles[d->depth - 1];
}
/* Finds what the value that begins at p means; false with the error set. */
bool decoder_value_role(enum decoder_role *out, struct rows_decoder *d, enum decoder_kind kind,
                        const char *p);
/* Brackets of reports, rows and cells; false or NULL with the error set. */
bool decoder_start_report(struct rows_decoder *d, const char *p);
void decoder_start_row(struct rows_decoder *d);
bool decoder_end_row(struct rows_decoder *d);
const char *decoder_end_cell(struct rows_decoder *d, const char *p);
/* Gives a row out, with the number of its report; false with the error set. Sets d->stop. */
bool decoder_give_row(struct rows_decoder *d, struct rows_row *row);

/* First byte in [p, end) that is not plain text inside a string: quote, backslash, control
 * character or a byte of a multi-byte character; end when there is none. */
const char *decoder_plain_end(const char *p, const char *end);
/* Goes on in a string; returns where it ended (just after the quote, state still IN_STRING
 * and *closed set) or end, or NULL after an error. */
const char *decoder_string(struct rows_decoder *d, const char *p, const char *end, bool *closed);

/* Reads one row in Google's compact form that lies whole in [p, end) and gives it out.
 * Returns the byte after it; p when the row is of another form or not whole (nothing was
 * done then); NULL after an error. */
const char *decoder_fast_row(struct rows_decoder *d, const char *p, const char *end);

#endif
