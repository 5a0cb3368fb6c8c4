/* Fuzz target of the row decoder: a body read whole and read in two pieces must end alike.
 * The first two bytes choose the cut; the first bit also whether the body is a batch. */
#include "report-svc/rows/columns.h"
#include "report-svc/rows/decoder.h"
#include "tests/fuzz/fuzz.h"

struct reading {
  struct columns *columns;
  struct err error;
  int64_t rows;
  size_t rest_len;
};

static enum rows_step on_row(void *user, const struct rows_row *row, struct err *e)
{
  struct columns *columns = user;
  if (columns_add(columns, row, e) != ERR_OK)
    return ROWS_FAIL;
  if (columns_full(columns))
    columns_next(columns);
  return ROWS_MORE;
}

static void read_body(struct reading *r, const char *body, size_t len, size_t cut, bool batch)
{
  struct columns_options columns_options = {.chunk_rows = 4, .max_dictionary_bytes = 4096};
  *r = (struct reading){.columns = columns_new(&columns_options)};
  struct rows_options options = {
      .on_row = on_row, .user = r->columns, .max_row_bytes = 4096, .batch = batch};
  struct rows_decoder *d = rows_decoder_new(&options);
  size_t used;
  if (rows_decoder_feed(d, body, cut, &used, &r->error) == ROWS_FED_ALL &&
      rows_decoder_feed(d, body + cut, len - cut, &used, &r->error) == ROWS_FED_ALL)
    rows_decoder_finish(d, &r->error);
  r->rows = rows_decoder_count(d);
  rows_decoder_rest(d, &r->rest_len);
  rows_decoder_free(d);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  if (size < 2)
    return 0;
  size_t len = size - 2, cut = len == 0 ? 0 : (size_t)(data[0] << 8 | data[1]) % (len + 1);
  struct reading whole, pieces;
  bool batch = (data[0] & 0x80) != 0;
  read_body(&whole, (const char *)data + 2, len, len, batch);
  read_body(&pieces, (const char *)data + 2, len, cut, batch);
  if (whole.error.code != pieces.error.code || whole.rows != pieces.rows ||
      (whole.error.code == ERR_OK && whole.rest_len != pieces.rest_len))
    abort();
  columns_free(whole.columns);
  columns_free(pieces.columns);
  return 0;
}
