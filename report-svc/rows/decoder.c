/* The row decoder's general machine: JSON's grammar byte by byte, and what each place in a
 * runReport answer means. */
#include "report-svc/rows/decoder.h"

#include <string.h>

#include "common/base/mem.h"
#include "report-svc/rows/decoder_impl.h"

enum { DEFAULT_REST = 1024 * 1024, DEFAULT_ROW = 256 * 1024 };
enum { DIMENSIONS, METRICS };

struct rows_decoder *rows_decoder_new(const struct rows_options *options)
{
  struct rows_decoder *d = xcalloc(1, sizeof(*d));
  d->options = *options;
  size_t rest = options->max_rest_bytes == 0 ? DEFAULT_REST : options->max_rest_bytes;
  size_t row = options->max_row_bytes == 0 ? DEFAULT_ROW : options->max_row_bytes;
  buf_init(&d->rest, rest);
  buf_init(&d->row_text, row);
  rows_decoder_reset(d);
  return d;
}

void rows_decoder_free(struct rows_decoder *d)
{
  if (d == NULL)
    return;
  buf_free(&d->rest);
  buf_free(&d->row_text);
  free(d);
}

void rows_decoder_reset(struct rows_decoder *d)
{
  struct rows_options options = d->options;
  struct buf rest = d->rest, row_text = d->row_text;
  *d = (struct rows_decoder){.options = options, .rest = rest, .row_text = row_text};
  buf_clear(&d->rest);
  buf_clear(&d->row_text);
  d->state = EXPECT_VALUE;
  d->copying = true;
}

const char *rows_decoder_rest(const struct rows_decoder *d, size_t *len)
{
  if (len != NULL)
    *len = d->rest.len;
  return buf_str(&d->rest);
}

int64_t rows_decoder_count(const struct rows_decoder *d)
{
  return d->rows;
}

/* ------------------------------------------------------------------ helpers */

const char *decoder_malformed(struct rows_decoder *d, const char *p, const char *what)
{
  err_set(d->e, ERR_INTERNAL, "malformed_response",
          "Google's answer is not a valid report (byte %lld: %s); try again, and tell the operator "
          "if it happens again",
          (long long)(d->base + (p - d->data)), what);
  return NULL;
}

static const char *too_large(struct rows_decoder *d, const char *what)
{
  err_set(d->e, ERR_RESOURCE_EXHAUSTED, "response_too_large",
          "%s of Google's answer is larger than this service accepts", what);
  return NULL;
}

bool decoder_capture(struct rows_decoder *d, const char *p, size_t len)
{
  if (d->capture == CAPTURE_CELL) {
    if (!buf_append(&d->row_text, p, len)) {
      too_large(d, "the text of one row");
      return false;
    }
  } else if (d->capture == CAPTURE_KEY) {
    if (d->key_len + len > DECODER_MAX_KEY) {
      d->key_len = DECODER_MAX_KEY + 1; /* longer than any name we know */
    } else {
      memcpy(d->key + d->key_len, p, len);
      d->key_len += len;
    }
  }
  return true;
}

static bool key_is(const struct rows_decoder *d, const char *name)
{
  size_t len = strlen(name);
  return d->key_len == len && memcmp(d->key, name, len) == 0;
}

static enum decoder_role role(const struct rows_decoder *d)
{
  return d->roles[d->depth - 1];
}

/* Copies what is pending up to p into rest. */
static bool flush_rest(struct rows_decoder *d, const char *p)
{
  if (!d->copying)
    return true;
  const char *from = d->copy_from;
  d->copy_from = p;
  if (p > from && !buf_append(&d->rest, from, (size_t)(p - from))) {
    too_large(d, "the part beside the rows");
    return false;
  }
  return true;
}

static bool stop_copying(struct rows_decoder *d, const char *p)
{
  bool ok = flush_rest(d, p);
  d->copying = false;
  return ok;
}

static void start_copying(struct rows_decoder *d, const char *p)
{
  d->copying = true;
  d->copy_from = p;
}

/* ------------------------------------------------------------------ rows */

bool decoder_give_row(struct rows_decoder *d, const struct rows_row *row)
{
  if (!d->columns_known) {
    d->columns_known = true;
    d->columns[DIMENSIONS] = row->n_dimensions;
    d->columns[METRICS] = row->n_metrics;
  } else if (row->n_dimensions != d->columns[DIMENSIONS] || row->n_metrics != d->columns[METRICS]) {
    err_set(d->e, ERR_INTERNAL, "malformed_response",
            "row %lld of Google's answer has %zu dimensions and %zu metrics, the rows before it "
            "have %zu and %zu",
            (long long)d->rows, row->n_dimensions, row->n_metrics, d->columns[DIMENSIONS],
            d->columns[METRICS]);
    return false;
  }
  enum rows_step step = d->options.on_row(d->options.user, row, d->e);
  if (step == ROWS_FAIL)
    return false;
  d->rows++;
  d->stop = step == ROWS_STOP;
  return true;
}

static void start_row(struct rows_decoder *d)
{
  buf_clear(&d->row_text);
  d->lists[DIMENSIONS].n = d->lists[METRICS].n = 0;
  d->lists[DIMENSIONS].seen = d->lists[METRICS].seen = false;
}

static void cell_views(struct rows_text *out, const struct rows_decoder *d, unsigned list)
{
  for (size_t i = 0; i < d->lists[list].n; i++) {
    const struct decoder_cell *cell = &d->lists[list].cells[i];
    out[i] = (struct rows_text){buf_str(&d->row_text) + cell->offset, cell->len};
  }
}

static bool end_row(struct rows_decoder *d)
{
  struct rows_text dimensions[ROWS_MAX_COLUMNS], metrics[ROWS_MAX_COLUMNS];
  cell_views(dimensions, d, DIMENSIONS);
  cell_views(metrics, d, METRICS);
  struct rows_row row = {dimensions, metrics, d->lists[DIMENSIONS].n, d->lists[METRICS].n};
  return decoder_give_row(d, &row);
}

static const char *end_cell(struct rows_decoder *d, const char *p)
{
  struct decoder_list *list = &d->lists[d->list];
  if (list->n == ROWS_MAX_COLUMNS)
    return decoder_malformed(d, p, "a row has more than 32 values");
  list->cells[list->n++] = (struct decoder_cell){d->cell_start, d->row_text.len - d->cell_start};
  return p;
}

/* ------------------------------------------------------------------ meaning */

enum value_kind { VALUE_OBJECT, VALUE_LIST, VALUE_STRING, VALUE_NUMBER, VALUE_BOOL, VALUE_NULL };

/* A member of the answer begins. */
static bool root_member(enum decoder_role *out, struct rows_decoder *d, enum value_kind kind,
                        const char *p)
{
  static const char *const known[] = {"dimensionHeaders", "metricHeaders", "totals",
                                      "maximums",         "minimums",      "rowCount",
                                      "metadata",         "propertyQuota"};
  *out = ROLE_REST;
  if (key_is(d, "rows")) {
    if (d->rows_seen)
      return decoder_malformed(d, p, "\"rows\" occurs twice") != NULL;
    d->rows_seen = true;
    *out = ROLE_ROWS;
    if (kind != VALUE_LIST && kind != VALUE_NULL)
      return decoder_malformed(d, p, "\"rows\" is not a list") != NULL;
    return true;
  }
  for (size_t i = 0; i < ARRAY_LEN(known); i++) {
    if (key_is(d, known[i]))
      return true;
  }
  *out = ROLE_SKIPPED;
  d->skipping = true;
  if (!stop_copying(d, p) || !buf_puts(&d->rest, "null"))
    return too_large(d, "the part beside the rows") != NULL;
  return true;
}

static bool row_member(enum decoder_role *out, struct rows_decoder *d, enum value_kind kind,
                       const char *p)
{
  bool dimensions = key_is(d, "dimensionValues");
  *out = ROLE_SKIPPED;
  if (!dimensions && !key_is(d, "metricValues"))
    return true;
  d->list = dimensions ? DIMENSIONS : METRICS;
  if (d->lists[d->list].seen)
    return decoder_malformed(d, p, "a row has two lists of one kind") != NULL;
  d->lists[d->list].seen = true;
  *out = ROLE_CELLS;
  if (kind != VALUE_LIST && kind != VALUE_NULL)
    return decoder_malformed(d, p, "the values of a row are not a list") != NULL;
  return true;
}

static bool cell_member(enum decoder_role *out, struct rows_decoder *d, enum value_kind kind,
                        const char *p)
{
  *out = ROLE_SKIPPED;
  if (!key_is(d, "value"))
    return true;
  if (d->cell_value_seen)
    return decoder_malformed(d, p, "\"value\" occurs twice") != NULL;
  d->cell_value_seen = true;
  if (kind == VALUE_STRING || kind == VALUE_NUMBER)
    d->capture = CAPTURE_CELL;
  else if (kind != VALUE_NULL)
    return decoder_malformed(d, p, "a value is neither text nor number") != NULL;
  return true;
}

/* What the value that begins at p means; false with the error set. */
static bool value_role(enum decoder_role *out, struct rows_decoder *d, enum value_kind kind,
                       const char *p)
{
  d->capture = CAPTURE_NONE;
  if (d->depth == 0) {
    *out = ROLE_ROOT;
    return kind == VALUE_OBJECT || decoder_malformed(d, p, "expected an object") != NULL;
  }
  switch (role(d)) {
  case ROLE_ROOT:
    return root_member(out, d, kind, p);
  case ROLE_ROWS:
    *out = ROLE_ROW;
    return kind == VALUE_OBJECT || decoder_malformed(d, p, "a row is not an object") != NULL;
  case ROLE_ROW:
    return row_member(out, d, kind, p);
  case ROLE_CELLS:
    *out = ROLE_CELL;
    return kind == VALUE_OBJECT || decoder_malformed(d, p, "a value is not an object") != NULL;
  case ROLE_CELL:
    return cell_member(out, d, kind, p);
  case ROLE_REST:
  case ROLE_SKIPPED:
    *out = role(d);
    return true;
  }
  return false;
}

/* ------------------------------------------------------------------ values */

/* A value ended just before p. */
static const char *value_done(struct rows_decoder *d, const char *p)
{
  if (d->depth == 0) {
    d->state = EXPECT_NOTHING;
    return p;
  }
  if (d->depth == 1 && d->skipping) {
    d->skipping = false;
    start_copying(d, p);
  }
  d->state = EXPECT_COMMA_OR_END;
  return p;
}

static const char *open_container(struct rows_decoder *d, const char *p, bool object)
{
  enum decoder_role r;
  if (!value_role(&r, d, object ? VALUE_OBJECT : VALUE_LIST, p))
    return NULL;
  if (d->depth == DECODER_MAX_DEPTH)
    return decoder_malformed(d, p, "nested too deep");
  d->roles[d->depth] = r;
  d->is_object[d->depth] = object;
  d->depth++;
  d->state = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
  if (r == ROLE_ROW) {
    start_row(d);
  } else if (r == ROLE_CELL) {
    d->cell_value_seen = false;
    d->cell_start = d->row_text.len;
  } else if (r == ROLE_ROWS && !stop_copying(d, p + 1)) {
    return NULL;
  }
  return p + 1;
}

static const char *close_container(struct rows_decoder *d, const char *p)
{
  if (d->is_object[d->depth - 1] != (*p == '}'))
    return decoder_malformed(d, p, "the wrong closing bracket");
  enum decoder_role r = role(d);
  d->depth--;
  if (r == ROLE_ROWS)
    start_copying(d, p);
  else if (r == ROLE_CELL && end_cell(d, p) == NULL)
    return NULL;
  else if (r == ROLE_ROW && !end_row(d))
    return NULL;
  return value_done(d, p + 1);
}

static const char *begin_string(struct rows_decoder *d, const char *p, bool key)
{
  d->string_is_key = key;
  d->escape = d->utf8_need = 0;
  d->surrogate = 0;
  if (key) {
    d->capture = CAPTURE_KEY;
    d->key_len = 0;
  } else {
    enum decoder_role r;
    if (!value_role(&r, d, VALUE_STRING, p))
      return NULL;
  }
  d->state = IN_STRING;
  return p + 1;
}

static const char *go_on_string(struct rows_decoder *d, const char *p, const char *end)
{
  bool closed;
  p = decoder_string(d, p, end, &closed);
  if (p == NULL || !closed)
    return p;
  if (!d->string_is_key)
    return value_done(d, p);
  d->state = EXPECT_COLON;
  return p;
}

static const char *begin_literal(struct rows_decoder *d, const char *p)
{
  enum decoder_role r;
  bool null = *p == 'n';
  if (!value_role(&r, d, null ? VALUE_NULL : VALUE_BOOL, p))
    return NULL;
  d->literal = null ? "null" : *p == 't' ? "true" : "false";
  d->state = IN_LITERAL;
  return p;
}

static const char *go_on_literal(struct rows_decoder *d, const char *p, const char *end)
{
  while (p < end && *d->literal != '\0') {
    if (*p != *d->literal)
      return decoder_malformed(d, p, "expected true, false or null");
    p++;
    d->literal++;
  }
  return *d->literal == '\0' ? value_done(d, p) : p;
}

static const char *begin_number(struct rows_decoder *d, const char *p)
{
  enum decoder_role r;
  if (!value_role(&r, d, VALUE_NUMBER, p))
    return NULL;
  d->number = *p == '-' ? NUMBER_MINUS : *p == '0' ? NUMBER_ZERO : NUMBER_INT;
  d->state = IN_NUMBER;
  return decoder_capture(d, p, 1) ? p + 1 : NULL;
}

/* Next place in the grammar of numbers; false when c does not continue the number. */
static bool number_step(enum decoder_number *n, char c)
{
  bool digit = c >= '0' && c <= '9', exponent = c == 'e' || c == 'E';
  switch (*n) {
  case NUMBER_MINUS:
    *n = c == '0' ? NUMBER_ZERO : NUMBER_INT;
    return digit;
  case NUMBER_ZERO:
    *n = exponent ? NUMBER_E : NUMBER_POINT;
    return exponent || c == '.';
  case NUMBER_INT:
    *n = digit ? NUMBER_INT : exponent ? NUMBER_E : NUMBER_POINT;
    return digit || exponent || c == '.';
  case NUMBER_POINT:
    *n = NUMBER_FRACTION;
    return digit;
  case NUMBER_FRACTION:
    *n = digit ? NUMBER_FRACTION : NUMBER_E;
    return digit || exponent;
  case NUMBER_E:
    *n = digit ? NUMBER_EXPONENT : NUMBER_E_SIGN;
    return digit || c == '+' || c == '-';
  case NUMBER_E_SIGN:
  case NUMBER_EXPONENT:
    *n = NUMBER_EXPONENT;
    return digit;
  }
  return false;
}

static bool number_complete(enum decoder_number n)
{
  return n == NUMBER_ZERO || n == NUMBER_INT || n == NUMBER_FRACTION || n == NUMBER_EXPONENT;
}

static const char *go_on_number(struct rows_decoder *d, const char *p, const char *end)
{
  for (; p < end; p++) {
    enum decoder_number before = d->number;
    if (number_step(&d->number, *p)) {
      if (!decoder_capture(d, p, 1))
        return NULL;
    } else if (number_complete(before)) {
      return value_done(d, p);
    } else {
      return decoder_malformed(d, p, "a malformed number");
    }
  }
  return p;
}

/* ------------------------------------------------------------------ grammar */

static const char *begin_value(struct rows_decoder *d, const char *p, const char *end)
{
  char c = *p;
  if (c == '{' && d->depth == 2 && role(d) == ROLE_ROWS) {
    const char *after = decoder_fast_row(d, p, end);
    if (after != p)
      return after == NULL ? NULL : value_done(d, after);
  }
  if (c == '{' || c == '[')
    return open_container(d, p, c == '{');
  if (c == '"')
    return begin_string(d, p, false);
  if (c == '-' || (c >= '0' && c <= '9'))
    return begin_number(d, p);
  if (c == 't' || c == 'f' || c == 'n')
    return begin_literal(d, p);
  return decoder_malformed(d, p, "expected a value");
}

static const char *after_value(struct rows_decoder *d, const char *p)
{
  if (*p == '}' || *p == ']')
    return close_container(d, p);
  if (*p != ',')
    return decoder_malformed(d, p, "expected a comma or a closing bracket");
  d->state = d->is_object[d->depth - 1] ? EXPECT_KEY : EXPECT_VALUE;
  return p + 1;
}

static const char *expect_key(struct rows_decoder *d, const char *p)
{
  if (*p == '"')
    return begin_string(d, p, true);
  if (*p == '}' && d->state == EXPECT_KEY_OR_END)
    return close_container(d, p);
  return decoder_malformed(d, p, "expected a name in quotes");
}

static const char *expect_colon(struct rows_decoder *d, const char *p)
{
  if (*p != ':')
    return decoder_malformed(d, p, "expected a colon");
  d->state = EXPECT_VALUE;
  return p + 1;
}

/* One token, or a part of one, at p < end. */
static const char *step(struct rows_decoder *d, const char *p, const char *end)
{
  if (d->state == IN_STRING)
    return go_on_string(d, p, end);
  if (d->state == IN_NUMBER)
    return go_on_number(d, p, end);
  if (d->state == IN_LITERAL)
    return go_on_literal(d, p, end);
  while (p < end && (*p == ' ' || *p == '\n' || *p == '\r' || *p == '\t'))
    p++;
  if (p == end)
    return p;
  switch (d->state) {
  case EXPECT_VALUE_OR_END:
    if (*p == ']')
      return close_container(d, p);
    return begin_value(d, p, end);
  case EXPECT_VALUE:
    return begin_value(d, p, end);
  case EXPECT_KEY:
  case EXPECT_KEY_OR_END:
    return expect_key(d, p);
  case EXPECT_COLON:
    return expect_colon(d, p);
  case EXPECT_COMMA_OR_END:
    return after_value(d, p);
  default:
    return decoder_malformed(d, p, "something follows the answer");
  }
}

enum rows_fed rows_decoder_feed(struct rows_decoder *d, const char *data, size_t len, size_t *used,
                                struct err *e)
{
  struct err ignored;
  const char *p = data, *end = data + len;
  d->data = d->copy_from = data;
  d->e = e == NULL ? &ignored : e;
  d->stop = false;
  while (p != NULL && p < end && !d->stop)
    p = step(d, p, end);
  if (p == NULL || !flush_rest(d, p)) {
    *used = 0;
    return ROWS_FED_ERROR;
  }
  *used = (size_t)(p - data);
  d->base += p - data;
  return d->stop && p < end ? ROWS_FED_STOPPED : ROWS_FED_ALL;
}

enum err_code rows_decoder_finish(struct rows_decoder *d, struct err *e)
{
  if (d->state == EXPECT_NOTHING)
    return ERR_OK;
  return err_set(e, ERR_UNAVAILABLE, "truncated_response",
                 "Google's answer ended early, after %lld bytes and %lld rows; try again",
                 (long long)d->base, (long long)d->rows);
}
