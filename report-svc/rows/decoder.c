/* The row decoder's general machine: JSON's grammar byte by byte. */
#include "report-svc/rows/decoder.h"

#include <string.h>

#include "report-svc/rows/decoder_impl.h"

/* ------------------------------------------------------------------ values */

/* A value ended just before p. */
static const char *value_done(struct rows_decoder *d, const char *p)
{
  if (d->depth == 0) {
    d->state = EXPECT_NOTHING;
    return p;
  }
  if (d->depth == d->skip_depth) {
    d->skip_depth = 0;
    decoder_start_copying(d, p);
  }
  d->state = EXPECT_COMMA_OR_END;
  return p;
}

static const char *open_container(struct rows_decoder *d, const char *p, bool object)
{
  enum decoder_role r;
  if (!decoder_value_role(&r, d, object ? VALUE_OBJECT : VALUE_LIST, p))
    return NULL;
  if (d->depth == DECODER_MAX_DEPTH)
    return decoder_malformed(d, p, "nested too deep");
  d->roles[d->depth] = r;
  d->is_object[d->depth] = object;
  d->depth++;
  d->state = object ? EXPECT_KEY_OR_END : EXPECT_VALUE_OR_END;
  if (r == ROLE_ROW) {
    decoder_start_row(d);
  } else if (r == ROLE_REPORT && object) {
    return decoder_start_report(d, p) ? p + 1 : NULL;
  } else if (r == ROLE_CELL) {
    d->cell_value_seen = false;
    d->cell_start = d->row_text.len;
  } else if (r == ROLE_ROWS && !decoder_stop_copying(d, p + 1)) {
    return NULL;
  }
  return p + 1;
}

static const char *close_container(struct rows_decoder *d, const char *p)
{
  if (d->is_object[d->depth - 1] != (*p == '}'))
    return decoder_malformed(d, p, "the wrong closing bracket");
  enum decoder_role r = decoder_role(d);
  d->depth--;
  if (r == ROLE_ROWS)
    decoder_start_copying(d, p);
  else if (r == ROLE_CELL && decoder_end_cell(d, p) == NULL)
    return NULL;
  else if (r == ROLE_ROW && !decoder_end_row(d))
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
    if (!decoder_value_role(&r, d, VALUE_STRING, p))
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
  if (!decoder_value_role(&r, d, null ? VALUE_NULL : VALUE_BOOL, p))
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
  if (!decoder_value_role(&r, d, VALUE_NUMBER, p))
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
  if (c == '{' && d->depth >= 2 && decoder_role(d) == ROLE_ROWS) {
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
  if (p == NULL || !decoder_flush_rest(d, p)) {
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
