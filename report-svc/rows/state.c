/* State of the row decoder, under everything that reads: its life, its errors, where captured text
 * and the kept part go. */
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/rows/decoder_impl.h"

enum { DEFAULT_REST = 1024 * 1024, DEFAULT_ROW = 256 * 1024 };

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

/* ------------------------------------------------------------------ for the readers */

const char *decoder_malformed(struct rows_decoder *d, const char *p, const char *what)
{
  err_set(
      d->e, ERR_INTERNAL, "malformed_response",
      "Google's answer is not a valid report (byte %lld: %s); try again, and inform the operator "
      "if it happens again",
      (long long)d->base + (p - d->data), what);
  return NULL;
}

const char *decoder_too_large(struct rows_decoder *d, const char *what)
{
  err_set(d->e, ERR_RESOURCE_EXHAUSTED, "response_too_large",
          "%s of Google's answer is larger than this service accepts", what);
  return NULL;
}

bool decoder_capture(struct rows_decoder *d, const char *p, size_t len)
{
  if (d->capture == CAPTURE_CELL) {
    if (!buf_append(&d->row_text, p, len)) {
      decoder_too_large(d, "the text of one row");
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

bool decoder_flush_rest(struct rows_decoder *d, const char *p)
{
  if (!d->copying)
    return true;
  const char *from = d->copy_from;
  d->copy_from = p;
  if (p > from && !buf_append(&d->rest, from, (size_t)(p - from))) {
    decoder_too_large(d, "the part beside the rows");
    return false;
  }
  return true;
}

bool decoder_stop_copying(struct rows_decoder *d, const char *p)
{
  bool ok = decoder_flush_rest(d, p);
  d->copying = false;
  return ok;
}

void decoder_start_copying(struct rows_decoder *d, const char *p)
{
  d->copying = true;
  d->copy_from = p;
}
