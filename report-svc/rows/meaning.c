/* What each place in an answer means: reports of a batch, rows and their cells, parts to keep,
 * members to skip. */
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/rows/decoder_impl.h"

enum { DIMENSIONS, METRICS };

static bool key_is(const struct rows_decoder *d, const char *name)
{
  size_t len = strlen(name);
  return d->key_len == len && memcmp(d->key, name, len) == 0;
}

/* ------------------------------------------------------------------ rows */

bool decoder_start_report(struct rows_decoder *d, const char *p)
{
  if (d->n_reports == ROWS_MAX_REPORTS)
    return decoder_malformed(d, p, "more than 5 reports") != NULL;
  d->report = d->n_reports++;
  d->rows_seen = d->columns_known = false;
  d->report_rows = 0;
  return true;
}

bool decoder_give_row(struct rows_decoder *d, struct rows_row *row)
{
  row->report = d->report;
  if (!d->columns_known) {
    d->columns_known = true;
    d->columns[DIMENSIONS] = row->n_dimensions;
    d->columns[METRICS] = row->n_metrics;
  } else if (row->n_dimensions != d->columns[DIMENSIONS] || row->n_metrics != d->columns[METRICS]) {
    err_set(d->e, ERR_INTERNAL, "malformed_response",
            "row %lld of Google's answer has %zu dimensions and %zu metrics, the rows before it "
            "have %zu and %zu",
            (long long)d->report_rows, row->n_dimensions, row->n_metrics, d->columns[DIMENSIONS],
            d->columns[METRICS]);
    return false;
  }
  enum rows_step step = d->options.on_row(d->options.user, row, d->e);
  if (step == ROWS_FAIL)
    return false;
  d->rows++;
  d->report_rows++;
  d->stop = step == ROWS_STOP;
  return true;
}

void decoder_start_row(struct rows_decoder *d)
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

bool decoder_end_row(struct rows_decoder *d)
{
  struct rows_text dimensions[ROWS_MAX_COLUMNS], metrics[ROWS_MAX_COLUMNS];
  cell_views(dimensions, d, DIMENSIONS);
  cell_views(metrics, d, METRICS);
  struct rows_row row = {.dimensions = dimensions,
                         .metrics = metrics,
                         .n_dimensions = d->lists[DIMENSIONS].n,
                         .n_metrics = d->lists[METRICS].n};
  return decoder_give_row(d, &row);
}

const char *decoder_end_cell(struct rows_decoder *d, const char *p)
{
  struct decoder_list *list = &d->lists[d->list];
  if (list->n == ROWS_MAX_COLUMNS)
    return decoder_malformed(d, p, "a row has more than 32 values");
  list->cells[list->n++] = (struct decoder_cell){d->cell_start, d->row_text.len - d->cell_start};
  return p;
}

/* ------------------------------------------------------------------ meaning */

/* Leaves a null in the place of the member that begins at p. */
static bool skip_member(enum decoder_role *out, struct rows_decoder *d, const char *p)
{
  *out = ROLE_SKIPPED;
  d->skip_depth = d->depth;
  if (!decoder_stop_copying(d, p) || !buf_puts(&d->rest, "null"))
    return decoder_too_large(d, "the part beside the rows") != NULL;
  return true;
}

/* The list that makes up a batch or a report: `twice` and `other` are said when it is there
 * already or is not a list. */
static bool main_list(bool *seen, struct rows_decoder *d, enum decoder_kind kind, const char *p,
                      const char *twice, const char *other)
{
  if (*seen)
    return decoder_malformed(d, p, twice) != NULL;
  *seen = true;
  return kind == VALUE_LIST || kind == VALUE_NULL || decoder_malformed(d, p, other) != NULL;
}

/* A member of a batch begins. */
static bool batch_member(enum decoder_role *out, struct rows_decoder *d, enum decoder_kind kind,
                         const char *p)
{
  *out = ROLE_REPORTS;
  if (key_is(d, "reports"))
    return main_list(&d->reports_seen, d, kind, p, "\"reports\" occurs twice",
                     "\"reports\" is not a list");
  return skip_member(out, d, p);
}

/* A member of a report begins. */
static bool report_member(enum decoder_role *out, struct rows_decoder *d, enum decoder_kind kind,
                          const char *p)
{
  static const char *const known[] = {"dimensionHeaders", "metricHeaders", "totals",
                                      "maximums",         "minimums",      "rowCount",
                                      "metadata",         "propertyQuota"};
  *out = ROLE_ROWS;
  if (key_is(d, "rows"))
    return main_list(&d->rows_seen, d, kind, p, "\"rows\" occurs twice", "\"rows\" is not a list");
  *out = ROLE_REST;
  for (size_t i = 0; i < ARRAY_LEN(known); i++) {
    if (key_is(d, known[i]))
      return true;
  }
  return skip_member(out, d, p);
}

static bool row_member(enum decoder_role *out, struct rows_decoder *d, enum decoder_kind kind,
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

static bool cell_member(enum decoder_role *out, struct rows_decoder *d, enum decoder_kind kind,
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

bool decoder_value_role(enum decoder_role *out, struct rows_decoder *d, enum decoder_kind kind,
                        const char *p)
{
  d->capture = CAPTURE_NONE;
  if (d->depth == 0) {
    *out = d->options.batch ? ROLE_BATCH : ROLE_REPORT;
    return kind == VALUE_OBJECT || decoder_malformed(d, p, "expected an object") != NULL;
  }
  switch (decoder_role(d)) {
  case ROLE_BATCH:
    return batch_member(out, d, kind, p);
  case ROLE_REPORTS:
    *out = ROLE_REPORT;
    return kind == VALUE_OBJECT || decoder_malformed(d, p, "a report is not an object") != NULL;
  case ROLE_REPORT:
    return report_member(out, d, kind, p);
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
    *out = decoder_role(d);
    return true;
  }
  return false;
}
