/* Google's aggregate rows as messages of ours. */
#include "report-svc/answer/aggregates.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/pbjson/borrow.h"

typedef Analytics__Report__V1__Aggregate aggregate;
typedef Analytics__Ga4__V1beta__Row ga4_row;

enum { OF_MAX = 1024 };

/* Google writes RESERVED_TOTAL where a dimension is added up; what is left names the row. */
static char *subject_of(const ga4_row *row, const struct ranges_question *q, struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(OF_MAX);
  for (size_t i = 0; i < row->n_dimension_values && i < q->report->n_dimension_headers; i++) {
    const char *value = row->dimension_values[i]->value;
    if (strncmp(value, "RESERVED_", 9) == 0)
      continue;
    if (q->asked != NULL && strcmp(q->report->dimension_headers[i]->name, "dateRange") == 0)
      value = ranges_name(q, value, arena);
    if (value == NULL)
      return NULL;
    buf_printf(&text, "%s%.200s", text.len > 0 ? ", " : "", value);
  }
  return arena_strdup(arena, buf_str(&text));
}

static aggregate *aggregate_of(const ga4_row *row, const char *kind,
                               const struct ranges_question *q, struct arena *arena)
{
  size_t n = q->report->n_metric_headers;
  aggregate *a = ARENA_NEW(arena, aggregate);
  char **metrics = ARENA_ARRAY(arena, char *, n), **values = ARENA_ARRAY(arena, char *, n);
  if (a == NULL || metrics == NULL || values == NULL)
    return NULL;
  analytics__report__v1__aggregate__init(a);
  a->aggregation = borrow_text(kind);
  a->of = subject_of(row, q, arena);
  for (; a->n_values < n && a->n_values < row->n_metric_values; a->n_values++) {
    metrics[a->n_values] = q->report->metric_headers[a->n_values]->name;
    values[a->n_values] = row->metric_values[a->n_values]->value;
  }
  a->n_metrics = a->n_values;
  a->metrics = metrics;
  a->values = values;
  return a->of == NULL ? NULL : a;
}

/* Of a pivot's aggregate: what Google writes where a dimension is added up. */
static const char *kind_of(const ga4_row *row)
{
  static const char *const kinds[][2] = {{"RESERVED_TOTAL", "TOTAL"},
                                         {"RESERVED_MIN", "MINIMUM"},
                                         {"RESERVED_MAX", "MAXIMUM"},
                                         {"RESERVED_COUNT", "COUNT"}};
  for (size_t i = 0; i < row->n_dimension_values; i++)
    for (size_t k = 0; k < ARRAY_LEN(kinds); k++)
      if (strcmp(row->dimension_values[i]->value, kinds[k][0]) == 0)
        return kinds[k][1];
  return "";
}

bool aggregates_add(aggregate **list, size_t *n, const char *kind, struct ga4_list rows,
                    const ProtobufCMessage *report, struct arena *arena)
{
  struct ga4_list dimensions = ga4_list(report, "dimension_headers");
  struct ga4_list metrics = ga4_list(report, "metric_headers");
  Analytics__Ga4__V1beta__RunReportResponse headers =
      ANALYTICS__GA4__V1BETA__RUN_REPORT_RESPONSE__INIT;
  headers.n_dimension_headers = dimensions.n;
  headers.dimension_headers = (void *)dimensions.items;
  headers.n_metric_headers = metrics.n;
  headers.metric_headers = (void *)metrics.items;
  const struct ranges_question q = {.report = &headers};
  for (size_t i = 0; i < rows.n; i++) {
    const ga4_row *row = (const ga4_row *)rows.items[i];
    list[*n] = aggregate_of(row, kind != NULL ? kind : kind_of(row), &q, arena);
    if (list[(*n)++] == NULL)
      return false;
  }
  return true;
}

aggregate **aggregates_of(size_t *n, const struct ranges_question *q, struct arena *arena)
{
  static char total[] = "TOTAL", minimum[] = "MINIMUM", maximum[] = "MAXIMUM";
  const struct {
    char *kind;
    ga4_row *const *rows;
    size_t n;
  } parts[] = {{total, q->report->totals, q->report->n_totals},
               {minimum, q->report->minimums, q->report->n_minimums},
               {maximum, q->report->maximums, q->report->n_maximums}};
  size_t all = parts[0].n + parts[1].n + parts[2].n;
  aggregate **out = ARENA_ARRAY(arena, aggregate *, all + 1);
  *n = 0;
  for (size_t p = 0; out != NULL && p < ARRAY_LEN(parts); p++) {
    for (size_t i = 0; i < parts[p].n; i++) {
      out[*n] = aggregate_of(parts[p].rows[i], parts[p].kind, q, arena);
      if (out[(*n)++] == NULL)
        return NULL;
    }
  }
  return out;
}
