/* The joined rows in the asked order, and the asked page of them. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/ga4/order.h"
#include "common/pbjson/borrow.h"
#include "common/pbjson/number.h"
#include "report-svc/own/impl.h"

typedef Analytics__Ga4__V1beta__OrderBy order_by;
typedef Analytics__Ga4__V1beta__Row row;
typedef Analytics__Ga4__V1beta__MetricValue metric_value;
typedef Analytics__Ga4__V1beta__DimensionValue dimension_value;
typedef Analytics__Ga4__V1beta__MetricHeader metric_header;

/* ------------------------------------------------------------------ order */

static bool is_by_metric(const order_by *o)
{
  return o->one_order_by_case == ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_METRIC;
}

static bool is_by_dimension(const order_by *o)
{
  return o->one_order_by_case == ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_DIMENSION;
}

static size_t metric_at(const own_request *asked, const char *name)
{
  size_t i = 0;
  while (i < asked->n_metrics && strcmp(asked->metrics[i]->name, name) != 0)
    i++;
  return i;
}

static size_t dimension_at(const own_request *asked, const char *name)
{
  size_t i = 0;
  while (i < asked->n_dimensions && strcmp(asked->dimensions[i]->name, name) != 0)
    i++;
  return i;
}

enum err_code own_check_order(const own_request *asked, struct err *e)
{
  for (size_t i = 0; i < asked->n_order_bys; i++) {
    const order_by *o = asked->order_bys[i];
    bool known = is_by_metric(o)
                     ? metric_at(asked, o->metric->metric_name) < asked->n_metrics
                     : is_by_dimension(o) &&
                           dimension_at(asked, o->dimension->dimension_name) < asked->n_dimensions;
    if (!known)
      return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                     "order_bys[%zu]: give a metric or dimension of this report", i);
  }
  return ERR_OK;
}

/* Metrics are compared in the first date range. */
static int compare_by(const order_by *o, const struct own_combination *x,
                      const struct own_combination *y)
{
  const struct own_join *j = x->join;
  int order;
  if (is_by_metric(o)) {
    const struct own_column *c = &j->shape->columns[metric_at(j->asked, o->metric->metric_name)];
    order = ga4_compare_numbers(own_value(j, c, x->cells[0]), own_value(j, c, y->cells[0]));
  } else {
    size_t k = dimension_at(j->asked, o->dimension->dimension_name);
    order = ga4_compare_texts((int)o->dimension->order_type, x->dimensions[k]->value, y->dimensions[k]->value);
  }
  return o->desc ? -order : order;
}

static int compare(const void *a, const void *b)
{
  const struct own_combination *x = *(struct own_combination *const *)a;
  const struct own_combination *y = *(struct own_combination *const *)b;
  const own_request *asked = x->join->asked;
  for (size_t i = 0; i < asked->n_order_bys; i++) {
    int order = compare_by(asked->order_bys[i], x, y);
    if (order != 0)
      return order;
  }
  for (size_t i = 0; i < asked->n_dimensions; i++) {
    int order = strcmp(x->dimensions[i]->value, y->dimensions[i]->value);
    if (order != 0)
      return order;
  }
  return 0;
}

/* ------------------------------------------------------------------ rows */

static bool is_whole(const struct own_column *c, const own_response *first)
{
  if (c->own != NULL)
    return !c->own->rate;
  return c->merge != OWN_POOLED &&
         first->metric_headers[c->at]->type == ANALYTICS__GA4__V1BETA__METRIC_TYPE__TYPE_INTEGER;
}

/* Google's own text where a value is Google's. */
static metric_value *value_of(const struct own_join *j, const struct own_column *c,
                              const struct own_cell *cell, bool whole)
{
  enum { TEXT_MAX = 40 };
  bool google = c->own == NULL && (j->properties == 1 || c->merge == OWN_FIRST);
  if (google && cell->google[c->at] != NULL)
    return cell->google[c->at];
  metric_value *v = ARENA_NEW(j->arena, metric_value);
  AUTO_BUF struct buf text = BUF_INIT(TEXT_MAX);
  double value = own_value(j, c, cell);
  if (v == NULL)
    return NULL;
  analytics__ga4__v1beta__metric_value__init(v);
  if (whole)
    buf_printf(&text, "%.0f", value);
  else
    number_put_double(&text, value);
  v->value = arena_strdup(j->arena, buf_str(&text));
  return v->value == NULL ? NULL : v;
}

static row *row_of(const struct own_join *j, const struct own_combination *c,
                   const struct own_cell *cell, const own_response *first)
{
  size_t n = j->asked->n_dimensions;
  row *r = ARENA_NEW(j->arena, row);
  dimension_value **dimensions = ARENA_ARRAY(j->arena, dimension_value *, n + 1);
  metric_value **metrics = ARENA_ARRAY(j->arena, metric_value *, j->shape->n);
  if (r == NULL || dimensions == NULL || metrics == NULL)
    return NULL;
  analytics__ga4__v1beta__row__init(r);
  for (size_t i = 0; i < n; i++)
    dimensions[i] = c->dimensions[i];
  if (cell->range != NULL)
    dimensions[n] = cell->range;
  r->dimension_values = dimensions;
  r->n_dimension_values = n + (cell->range != NULL);
  r->metric_values = metrics;
  r->n_metric_values = j->shape->n;
  for (size_t i = 0; i < j->shape->n; i++) {
    const struct own_column *column = &j->shape->columns[i];
    metrics[i] = value_of(j, column, cell, is_whole(column, first));
    if (metrics[i] == NULL)
      return NULL;
  }
  return r;
}

static bool put_rows(struct own_join *j, own_response *out, const own_response *first, size_t from,
                     size_t to)
{
  out->rows = ARENA_ARRAY(j->arena, row *, (to - from) * OWN_MAX_RANGES);
  if (out->rows == NULL || !own_join_count(j))
    return false;
  for (size_t i = from; i < to; i++)
    for (size_t k = 0; k < OWN_MAX_RANGES; k++) {
      const struct own_cell *cell = j->combinations[i]->cells[k];
      if (cell == NULL)
        continue;
      out->rows[out->n_rows] = row_of(j, j->combinations[i], cell, first);
      if (out->rows[out->n_rows++] == NULL || !own_join_count(j))
        return false;
    }
  return true;
}

/* ------------------------------------------------------------------ the answer */

static bool put_headers(const struct own_join *j, own_response *out, const own_response *first)
{
  out->dimension_headers = first->dimension_headers;
  out->n_dimension_headers = first->n_dimension_headers;
  out->metric_headers = ARENA_ARRAY(j->arena, metric_header *, j->shape->n);
  if (out->metric_headers == NULL)
    return false;
  for (size_t i = 0; i < j->shape->n; i++) {
    const struct own_column *c = &j->shape->columns[i];
    metric_header *h = ARENA_NEW(j->arena, metric_header);
    if (h == NULL)
      return false;
    analytics__ga4__v1beta__metric_header__init(h);
    if (c->own == NULL)
      *h = *first->metric_headers[c->at];
    else
      h->type = c->own->rate ? ANALYTICS__GA4__V1BETA__METRIC_TYPE__TYPE_FLOAT
                             : ANALYTICS__GA4__V1BETA__METRIC_TYPE__TYPE_INTEGER;
    h->name = borrow_text(c->name);
    out->metric_headers[out->n_metric_headers++] = h;
  }
  return true;
}

own_response *own_page(struct own_join *j, const own_response *first, bool all)
{
  own_response *out = ARENA_NEW(j->arena, own_response);
  if (out == NULL)
    return NULL;
  analytics__ga4__v1beta__run_report_response__init(out);
  if (j->n > 1)
    qsort(j->combinations, j->n, sizeof(*j->combinations), compare);
  size_t from = all || j->asked->offset <= 0 ? 0 : (size_t)j->asked->offset;
  from = from > j->n ? j->n : from;
  size_t room = all || j->asked->limit <= 0 ? j->n : (size_t)j->asked->limit;
  size_t to = j->n - from > room ? from + room : j->n;
  out->metadata = first->metadata;
  out->property_quota = first->property_quota;
  out->kind = first->kind;
  out->row_count = (int32_t)j->n;
  return put_headers(j, out, first) && put_rows(j, out, first, from, to) ? out : NULL;
}
