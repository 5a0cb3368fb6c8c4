/* Rows of several reports under the columns of all of them. */
#include "report-svc/answer/wide.h"

#include <string.h>

typedef Analytics__Report__V1__BatchRunReportsResponse batch_response;
typedef Analytics__Report__V1__BatchRunReportsResponse__ReportRow batch_row;
typedef Analytics__Ga4__V1beta__BatchRunReportsResponse ga4_batch;
typedef Analytics__Ga4__V1beta__RunReportResponse ga4_report;
typedef Analytics__Ga4__V1beta__DimensionValue dimension_value;
typedef Analytics__Ga4__V1beta__MetricValue metric_value;

/* Where a name is among the headers; their number when it is not. */
static size_t find_dimension(const batch_response *m, const char *name)
{
  size_t i = 0;
  while (i < m->n_dimension_headers && strcmp(m->dimension_headers[i]->name, name) != 0)
    i++;
  return i;
}

static size_t find_metric(const batch_response *m, const char *name)
{
  size_t i = 0;
  while (i < m->n_metric_headers && strcmp(m->metric_headers[i]->name, name) != 0)
    i++;
  return i;
}

bool wide_headers(batch_response *m, const ga4_batch *batch, struct arena *arena)
{
  size_t dimensions = 0, metrics = 0;
  for (size_t i = 0; i < batch->n_reports; i++) {
    dimensions += batch->reports[i]->n_dimension_headers;
    metrics += batch->reports[i]->n_metric_headers;
  }
  m->dimension_headers = ARENA_ARRAY(arena, Analytics__Ga4__V1beta__DimensionHeader *, dimensions);
  m->metric_headers = ARENA_ARRAY(arena, Analytics__Ga4__V1beta__MetricHeader *, metrics);
  if (m->dimension_headers == NULL || m->metric_headers == NULL)
    return false;
  for (size_t i = 0; i < batch->n_reports; i++) {
    const ga4_report *r = batch->reports[i];
    for (size_t k = 0; k < r->n_dimension_headers; k++)
      if (find_dimension(m, r->dimension_headers[k]->name) == m->n_dimension_headers)
        m->dimension_headers[m->n_dimension_headers++] = r->dimension_headers[k];
    for (size_t k = 0; k < r->n_metric_headers; k++)
      if (find_metric(m, r->metric_headers[k]->name) == m->n_metric_headers)
        m->metric_headers[m->n_metric_headers++] = r->metric_headers[k];
  }
  return true;
}

batch_row *wide_row(const batch_response *m, const ga4_report *report, int32_t number,
                    const Analytics__Ga4__V1beta__Row *in, struct arena *arena)
{
  static dimension_value no_dimension = ANALYTICS__GA4__V1BETA__DIMENSION_VALUE__INIT;
  static metric_value no_metric = ANALYTICS__GA4__V1BETA__METRIC_VALUE__INIT;
  batch_row *row = ARENA_NEW(arena, batch_row);
  dimension_value **dimensions = ARENA_ARRAY(arena, dimension_value *, m->n_dimension_headers);
  metric_value **metrics = ARENA_ARRAY(arena, metric_value *, m->n_metric_headers);
  if (row == NULL || dimensions == NULL || metrics == NULL)
    return NULL;
  analytics__report__v1__batch_run_reports_response__report_row__init(row);
  row->report = number;
  row->n_dimension_values = m->n_dimension_headers;
  row->n_metric_values = m->n_metric_headers;
  row->dimension_values = dimensions;
  row->metric_values = metrics;
  for (size_t i = 0; i < m->n_dimension_headers; i++)
    dimensions[i] = &no_dimension;
  for (size_t i = 0; i < m->n_metric_headers; i++)
    metrics[i] = &no_metric;
  for (size_t i = 0; i < report->n_dimension_headers; i++)
    dimensions[find_dimension(m, report->dimension_headers[i]->name)] = in->dimension_values[i];
  for (size_t i = 0; i < report->n_metric_headers; i++)
    metrics[find_metric(m, report->metric_headers[i]->name)] = in->metric_values[i];
  return row;
}
