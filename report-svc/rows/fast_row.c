/* Short cut of the row decoder: one row in the form Google sends with prettyPrint=false,
 *
 *   {"dimensionValues":[{"value":"20261101"},...],"metricValues":[{"value":"42"},...]}
 *
 * whole in the buffer and without escapes. Anything else is left to the general machine,
 * which reads every form; the short cut is worth a factor of about four. */
#include <string.h>

#include "common/base/codec.h"
#include "report-svc/rows/decoder_impl.h"

#define DIMENSIONS_OPEN "{\"dimensionValues\":["
#define METRICS_OPEN ",\"metricValues\":["
#define CELL_OPEN "{\"value\":\""
#define LEN(text) (sizeof(text) - 1)
#define STARTS(p, end, text)                                                                       \
  ((size_t)((end) - (p)) >= LEN(text) && memcmp((p), (text), LEN(text)) == 0)

/* Text between quotes; p is just after the first. NULL when it is not simple. */
static const char *simple_text(struct rows_text *out, const char *p, const char *end)
{
  const char *stop = decoder_plain_end(p, end);
  bool ascii = true;
  while (stop < end && (unsigned char)*stop >= 0x80) {
    ascii = false;
    while (stop < end && (unsigned char)*stop >= 0x80)
      stop++;
    stop = decoder_plain_end(stop, end);
  }
  if (stop == end || *stop != '"')
    return NULL;
  *out = (struct rows_text){p, (size_t)(stop - p)};
  return ascii || utf8_valid(out->p, out->len) ? stop + 1 : NULL;
}

/* `{"value":"..."},{"value":"..."}]`; NULL when of another form. */
static const char *simple_cells(struct rows_text *cells, size_t *n, const char *p, const char *end)
{
  for (*n = 0; *n < ROWS_MAX_COLUMNS;) {
    if (!STARTS(p, end, CELL_OPEN))
      return NULL;
    p = simple_text(&cells[(*n)++], p + LEN(CELL_OPEN), end);
    if (p == NULL || end - p < 2 || p[0] != '}')
      return NULL;
    if (p[1] == ']')
      return p + 2;
    if (p[1] != ',')
      return NULL;
    p += 2;
  }
  return NULL;
}

const char *decoder_fast_row(struct rows_decoder *d, const char *p, const char *end)
{
  struct rows_text dimensions[ROWS_MAX_COLUMNS], metrics[ROWS_MAX_COLUMNS];
  struct rows_row row = {.dimensions = dimensions, .metrics = metrics};
  const char *q = p;
  if (!STARTS(q, end, DIMENSIONS_OPEN))
    return p;
  q = simple_cells(dimensions, &row.n_dimensions, q + LEN(DIMENSIONS_OPEN), end);
  if (q == NULL)
    return p;
  if (STARTS(q, end, METRICS_OPEN)) {
    q = simple_cells(metrics, &row.n_metrics, q + LEN(METRICS_OPEN), end);
    if (q == NULL)
      return p;
  }
  if (q == end || *q != '}')
    return p;
  /* Errors of the row point at its end. */
  return decoder_give_row(d, &row) ? q + 1 : NULL;
}
