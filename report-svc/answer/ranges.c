/* Names and order of rows that have a date range. */
#include "report-svc/answer/ranges.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

typedef Analytics__Ga4__V1beta__Row ga4_row;
typedef Analytics__Ga4__V1beta__DimensionValue ga4_value;

enum { MAX_RANGES = 4, NAME_SIZE = 32 };

/* A row on its way to its place. */
struct placed {
  ga4_row *row;
  size_t at;    /* in Google's order */
  size_t group; /* place of the first row of its combination */
  size_t range;
  size_t column; /* of dateRange */
};

/* The column dateRange; n_dimension_headers when there is none. */
static size_t range_column(const struct ranges_question *q)
{
  size_t i = q->report->n_dimension_headers;
  while (i > 0 && strcmp(q->report->dimension_headers[i - 1]->name, "dateRange") != 0)
    i--;
  return i == 0 ? q->report->n_dimension_headers : i - 1;
}

/* Which range a value names; n_date_ranges when none. */
static size_t range_of(const struct ranges_question *q, const char *value)
{
  char google[NAME_SIZE];
  size_t i = 0;
  for (; i < q->asked->n_date_ranges; i++) {
    const char *name = q->asked->date_ranges[i]->name;
    snprintf(google, sizeof(google), "date_range_%zu", i);
    if (strcmp(value, name[0] != '\0' ? name : google) == 0)
      break;
  }
  return i;
}

static char *name_of(const struct ranges_question *q, size_t i, struct arena *arena)
{
  char first[16], last[16], text[NAME_SIZE + 16];
  if (q->asked->date_ranges[i]->name[0] != '\0')
    return q->asked->date_ranges[i]->name;
  clock_format_date(q->days[i].first, first, sizeof(first));
  clock_format_date(q->days[i].last, last, sizeof(last));
  snprintf(text, sizeof(text), "%s to %s", first, last);
  return arena_strdup(arena, text);
}

const char *ranges_name(const struct ranges_question *q, const char *value, struct arena *arena)
{
  size_t range = range_of(q, value);
  return range < q->asked->n_date_ranges && range < MAX_RANGES ? name_of(q, range, arena) : value;
}

/* A row with the name of its range in the place of Google's. */
static ga4_row *named_row(const ga4_row *in, size_t column, char *name, struct arena *arena)
{
  ga4_row *row = ARENA_NEW(arena, ga4_row);
  ga4_value *value = ARENA_NEW(arena, ga4_value);
  ga4_value **values = ARENA_ARRAY(arena, ga4_value *, in->n_dimension_values);
  if (row == NULL || value == NULL || values == NULL)
    return NULL;
  *row = *in;
  memcpy(values, in->dimension_values, in->n_dimension_values * sizeof(*values));
  analytics__ga4__v1beta__dimension_value__init(value);
  value->value = name;
  values[column] = value;
  row->dimension_values = values;
  return row;
}

/* By the values of all dimensions but the range. */
static int compare_combination(const struct placed *a, const struct placed *b)
{
  for (size_t i = 0; i < a->row->n_dimension_values; i++) {
    int order = i == a->column ? 0
                               : strcmp(a->row->dimension_values[i]->value,
                                        b->row->dimension_values[i]->value);
    if (order != 0)
      return order;
  }
  return 0;
}

static int by_combination(const void *x, const void *y)
{
  const struct placed *a = x, *b = y;
  int order = compare_combination(a, b);
  return order != 0 ? order : a->at < b->at ? -1 : a->at > b->at;
}

static int by_place(const void *x, const void *y)
{
  const struct placed *a = x, *b = y;
  if (a->group != b->group)
    return a->group < b->group ? -1 : 1;
  return a->range < b->range ? -1 : a->range > b->range;
}

static void group(struct placed *rows, size_t n)
{
  qsort(rows, n, sizeof(*rows), by_combination);
  for (size_t i = 0; i < n; i++) {
    bool same = i > 0 && compare_combination(&rows[i - 1], &rows[i]) == 0;
    rows[i].group = same ? rows[i - 1].group : rows[i].at;
  }
  qsort(rows, n, sizeof(*rows), by_place);
}

ga4_row **ranges_rows(const struct ranges_question *q, struct arena *arena)
{
  size_t n = q->report->n_rows, column = range_column(q), n_ranges = q->asked->n_date_ranges;
  ga4_row **out = ARENA_ARRAY(arena, ga4_row *, n);
  struct placed *rows = ARENA_ARRAY(arena, struct placed, n);
  char *names[MAX_RANGES + 1] = {NULL};
  if (out == NULL || rows == NULL)
    return NULL;
  for (size_t i = 0; i < n_ranges && i < MAX_RANGES; i++)
    names[i] = name_of(q, i, arena);
  for (size_t i = 0; i < n; i++) {
    ga4_row *row = q->report->rows[i];
    size_t range = column < row->n_dimension_values
                       ? range_of(q, row->dimension_values[column]->value)
                       : n_ranges;
    if (range < n_ranges && range < MAX_RANGES)
      row = names[range] == NULL ? NULL : named_row(row, column, names[range], arena);
    if (row == NULL)
      return NULL;
    rows[i] = (struct placed){row, i, i, range, column};
  }
  if (q->grouped)
    group(rows, n);
  for (size_t i = 0; i < n; i++)
    out[i] = rows[i].row;
  return out;
}
