/* Rows as messages: one block of the arena each. */
#include "report-svc/ask/row.h"

#include <string.h>

typedef Analytics__Ga4__V1beta__Row ga4_row;

/* One block per row: the message, its lists, its values and their texts. */
static size_t row_bytes(const struct rows_row *row)
{
  size_t n = sizeof(ga4_row);
  for (size_t i = 0; i < row->n_dimensions; i++)
    n += sizeof(void *) + sizeof(Analytics__Ga4__V1beta__DimensionValue) + row->dimensions[i].len +
         1;
  for (size_t i = 0; i < row->n_metrics; i++)
    n += sizeof(void *) + sizeof(Analytics__Ga4__V1beta__MetricValue) + row->metrics[i].len + 1;
  return n;
}

static char *put_text(char **at, const struct rows_text *text)
{
  char *p = *at;
  memcpy(p, text->p, text->len);
  p[text->len] = '\0';
  *at += text->len + 1;
  return p;
}

ga4_row *row_message(struct arena *arena, const struct rows_row *in)
{
  char *block = arena_alloc(arena, row_bytes(in));
  if (block == NULL)
    return NULL;
  ga4_row *row = (ga4_row *)(void *)block;
  analytics__ga4__v1beta__row__init(row);
  row->n_dimension_values = in->n_dimensions;
  row->n_metric_values = in->n_metrics;
  row->dimension_values = (void *)(row + 1);
  row->metric_values = (void *)(row->dimension_values + in->n_dimensions);
  Analytics__Ga4__V1beta__DimensionValue *dimensions = (void *)(row->metric_values + in->n_metrics);
  Analytics__Ga4__V1beta__MetricValue *metrics = (void *)(dimensions + in->n_dimensions);
  char *text = (char *)(metrics + in->n_metrics);
  for (size_t i = 0; i < in->n_dimensions; i++) {
    analytics__ga4__v1beta__dimension_value__init(&dimensions[i]);
    dimensions[i].value = put_text(&text, &in->dimensions[i]);
    row->dimension_values[i] = &dimensions[i];
  }
  for (size_t i = 0; i < in->n_metrics; i++) {
    analytics__ga4__v1beta__metric_value__init(&metrics[i]);
    metrics[i].value = put_text(&text, &in->metrics[i]);
    row->metric_values[i] = &metrics[i];
  }
  return row;
}

size_t row_packed_bytes(const struct rows_row *row)
{
  size_t n = 4;
  for (size_t i = 0; i < row->n_dimensions; i++)
    n += 4 + row->dimensions[i].len + (row->dimensions[i].len > 120 ? 2 : 0);
  for (size_t i = 0; i < row->n_metrics; i++)
    n += 4 + row->metrics[i].len;
  return n;
}
