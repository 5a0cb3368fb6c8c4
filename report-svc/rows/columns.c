/* Rows to columns. */
#include "report-svc/rows/columns.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "report-svc/rows/dictionary.h"
#include "report-svc/rows/number.h"

enum {
  DEFAULT_ROWS = 4096,
  DEFAULT_TEXT = 256 * 1024,
  DEFAULT_DICTIONARY = 16 * 1024 * 1024,
  FIRST_ROWS = 64, /* most reports of a fan-out are short, and hundreds arrive together */
};

struct dimension {
  struct dictionary dictionary;
  uint32_t sent; /* codes below this went out with earlier chunks */
  uint32_t *indices;
  const char **fresh; /* texts of the codes from sent on, for the message */
  Analytics__Report__V1__DimensionColumn message;
};

struct metric_column {
  double *values;
  Analytics__Report__V1__MetricColumn message;
};

struct columns {
  struct columns_options options;
  bool known; /* how many columns there are */
  size_t n_dimensions, n_metrics;
  size_t rows, cap; /* of the chunk; rows that there is room for */
  size_t fresh_bytes;
  size_t budget;                    /* dictionary bytes left */
  uint32_t codes[ROWS_MAX_COLUMNS]; /* of the row that was read last */
  double values[ROWS_MAX_COLUMNS];
  struct dimension *dimensions;
  struct metric_column *metrics;
  Analytics__Report__V1__DimensionColumn **dimension_messages;
  Analytics__Report__V1__MetricColumn **metric_messages;
};

struct columns *columns_new(const struct columns_options *options)
{
  struct columns *c = xcalloc(1, sizeof(*c));
  c->options = *options;
  if (c->options.chunk_rows == 0)
    c->options.chunk_rows = DEFAULT_ROWS;
  if (c->options.chunk_text_bytes == 0)
    c->options.chunk_text_bytes = DEFAULT_TEXT;
  c->budget = options->max_dictionary_bytes;
  if (c->budget == 0)
    c->budget = DEFAULT_DICTIONARY;
  return c;
}

void columns_free(struct columns *c)
{
  if (c == NULL)
    return;
  for (size_t i = 0; i < c->n_dimensions; i++) {
    dictionary_free(&c->dimensions[i].dictionary);
    free(c->dimensions[i].indices);
    free(c->dimensions[i].fresh);
  }
  for (size_t i = 0; i < c->n_metrics; i++)
    free(c->metrics[i].values);
  free(c->dimensions);
  free(c->metrics);
  free(c->dimension_messages);
  free(c->metric_messages);
  free(c);
}

/* The first row says how many columns there are. */
static void make_columns(struct columns *c, const struct rows_row *row)
{
  c->known = true;
  c->n_dimensions = row->n_dimensions;
  c->n_metrics = row->n_metrics;
  c->dimensions = xcalloc(c->n_dimensions, sizeof(*c->dimensions));
  c->metrics = xcalloc(c->n_metrics, sizeof(*c->metrics));
  c->dimension_messages = xcalloc(c->n_dimensions, sizeof(*c->dimension_messages));
  c->metric_messages = xcalloc(c->n_metrics, sizeof(*c->metric_messages));
  for (size_t i = 0; i < c->n_dimensions; i++)
    dictionary_init(&c->dimensions[i].dictionary);
}

/* Room for one more row, at most those of a full chunk. */
static void make_room(struct columns *c)
{
  if (c->rows < c->cap)
    return;
  size_t cap = c->cap == 0 ? FIRST_ROWS : 2 * c->cap;
  c->cap = cap < c->options.chunk_rows ? cap : c->options.chunk_rows;
  for (size_t i = 0; i < c->n_dimensions; i++)
    c->dimensions[i].indices =
        xrealloc(c->dimensions[i].indices, c->cap * sizeof(*c->dimensions[i].indices));
  for (size_t i = 0; i < c->n_metrics; i++)
    c->metrics[i].values = xrealloc(c->metrics[i].values, c->cap * sizeof(*c->metrics[i].values));
}

/* Rows are mostly sorted: the value of the row before is the likeliest. */
static bool same_as_before(const struct columns *c, const struct dimension *dimension,
                           const struct rows_text *text)
{
  if (c->rows == 0)
    return false;
  uint32_t code = dimension->indices[c->rows - 1];
  return dimension->dictionary.entries[code].len == text->len &&
         memcmp(dictionary_text(&dimension->dictionary, code), text->p, text->len) == 0;
}

static bool read_dimension(struct columns *c, size_t i, const struct rows_text *text)
{
  struct dimension *dimension = &c->dimensions[i];
  uint32_t before = dimension->dictionary.count;
  uint32_t *code = &dimension->indices[c->rows];
  if (same_as_before(c, dimension, text))
    *code = code[-1];
  else if (!dictionary_code(code, &dimension->dictionary, text->p, text->len, &c->budget))
    return false;
  if (dimension->dictionary.count > before)
    c->fresh_bytes += text->len + 1;
  c->codes[i] = *code;
  return true;
}

/* Google's text for people: short, and printable whatever it holds. */
static enum err_code not_a_number(const struct columns *c, size_t metric,
                                  const struct rows_text *text, struct err *e)
{
  const Analytics__Ga4__V1beta__RunReportRequest *report = c->options.report;
  char name[64], shown[41];
  size_t len = text->len < sizeof(shown) - 1 ? text->len : sizeof(shown) - 1;
  for (size_t i = 0; i < len; i++)
    shown[i] = (char)(text->p[i] >= ' ' && text->p[i] <= '~' ? text->p[i] : '?');
  shown[len] = '\0';
  snprintf(name, sizeof(name), "number %zu", metric + 1);
  bool known = report != NULL && metric < report->n_metrics;
  return err_set(e, ERR_DATA_LOSS, "invalid_data",
                 "metric %.100s: Google's value \"%s\" is not a number, so nothing can be computed "
                 "from this report; run_report shows it as Google gave it",
                 known ? report->metrics[metric]->name : name, shown);
}

static enum err_code read_metric(struct columns *c, size_t metric, const struct rows_text *text,
                                 struct err *e)
{
  double value = rows_number_parse(text->p, text->len);
  if (!isfinite(value))
    return not_a_number(c, metric, text, e);
  c->values[metric] = value == 0 ? 0 : value; /* -0 would be printed as such */
  c->metrics[metric].values[c->rows] = c->values[metric];
  return ERR_OK;
}

enum err_code columns_read(struct columns *c, const struct rows_row *row, struct err *e)
{
  if (!c->known)
    make_columns(c, row);
  if (row->n_dimensions != c->n_dimensions || row->n_metrics != c->n_metrics)
    return err_set(e, ERR_INTERNAL, "malformed_response",
                   "the number of columns of Google's answer changed between two pages");
  make_room(c);
  for (size_t i = 0; i < c->n_dimensions; i++) {
    if (!read_dimension(c, i, &row->dimensions[i]))
      return err_set(e, ERR_RESOURCE_EXHAUSTED, "too_many_values",
                     "the dimensions of the report have too many different values to be "
                     "aggregated; ask for fewer or coarser dimensions, or filter them");
  }
  for (size_t i = 0; i < c->n_metrics; i++) {
    if (read_metric(c, i, &row->metrics[i], e) != ERR_OK)
      return ERR_DATA_LOSS;
  }
  return ERR_OK;
}

void columns_keep(struct columns *c)
{
  c->rows++;
}

enum err_code columns_add(struct columns *c, const struct rows_row *row, struct err *e)
{
  enum err_code code = columns_read(c, row, e);
  if (code == ERR_OK)
    columns_keep(c);
  return code;
}

struct columns_row columns_last(const struct columns *c)
{
  return (struct columns_row){c->codes, c->values, c->n_dimensions, c->n_metrics};
}

bool columns_full(const struct columns *c)
{
  return c->rows >= c->options.chunk_rows || c->fresh_bytes >= c->options.chunk_text_bytes;
}

size_t columns_rows(const struct columns *c)
{
  return c->rows;
}

size_t columns_memory(const struct columns *c)
{
  size_t n = sizeof(*c) + c->n_metrics * c->cap * sizeof(double);
  for (size_t i = 0; i < c->n_dimensions; i++)
    n += dictionary_memory(&c->dimensions[i].dictionary) +
         c->cap * (sizeof(uint32_t) + sizeof(*c->dimensions[i].fresh));
  return n;
}

static void dimension_message(struct dimension *dimension, size_t rows)
{
  size_t fresh = dimension->dictionary.count - dimension->sent;
  dimension->fresh = xrealloc(dimension->fresh, (fresh + 1) * sizeof(*dimension->fresh));
  for (size_t i = 0; i < fresh; i++)
    dimension->fresh[i] = dictionary_text(&dimension->dictionary, dimension->sent + (uint32_t)i);
  analytics__report__v1__dimension_column__init(&dimension->message);
  dimension->message.n_dictionary = fresh;
  dimension->message.dictionary = (char **)dimension->fresh;
  dimension->message.n_indices = rows;
  dimension->message.indices = dimension->indices;
}

void columns_chunk(Analytics__Report__V1__ColumnChunk *out, struct columns *c)
{
  for (size_t i = 0; i < c->n_dimensions; i++) {
    dimension_message(&c->dimensions[i], c->rows);
    c->dimension_messages[i] = &c->dimensions[i].message;
  }
  for (size_t i = 0; i < c->n_metrics; i++) {
    struct metric_column *metric = &c->metrics[i];
    analytics__report__v1__metric_column__init(&metric->message);
    metric->message.n_values = c->rows;
    metric->message.values = metric->values;
    c->metric_messages[i] = &metric->message;
  }
  out->row_count = (uint32_t)c->rows;
  out->n_dimensions = c->n_dimensions;
  out->dimensions = c->dimension_messages;
  out->n_metrics = c->n_metrics;
  out->metrics = c->metric_messages;
}

void columns_next(struct columns *c)
{
  for (size_t i = 0; i < c->n_dimensions; i++)
    c->dimensions[i].sent = c->dimensions[i].dictionary.count;
  c->rows = 0;
  c->fresh_bytes = 0;
}
