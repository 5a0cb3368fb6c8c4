/* Builds report requests in an arena. */
#include "aggregate-svc/call/query.h"

#include "common/pbjson/borrow.h"

typedef Analytics__Report__V1__ReportQuery ReportQuery;
typedef Analytics__Ga4__V1beta__RunReportRequest Report;
typedef Analytics__Ga4__V1beta__Dimension Dimension;
typedef Analytics__Ga4__V1beta__Metric Metric;
typedef Analytics__Ga4__V1beta__DateRange DateRange;
typedef Analytics__Ga4__V1beta__OrderBy OrderBy;
typedef Analytics__Ga4__V1beta__OrderBy__MetricOrderBy MetricOrderBy;
typedef Analytics__Ga4__V1beta__FilterExpression Expression;
typedef Analytics__Ga4__V1beta__Filter Filter;
typedef Analytics__Ga4__V1beta__Filter__InListFilter InList;
typedef Analytics__Ga4__V1beta__Filter__StringFilter StringFilter;
typedef Analytics__Ga4__V1beta__FilterExpressionList List;

bool query_set_add(struct query_set *set, ReportQuery *query)
{
  if (query == NULL || set->n == QUERY_SET_MAX)
    return false;
  set->queries[set->n++] = query;
  return true;
}

static bool set_dimensions(Report *r, const struct query_spec *spec, struct arena *arena)
{
  size_t n = spec->n_dimensions;
  r->dimensions = ARENA_ARRAY(arena, Dimension *, n);
  for (size_t i = 0; r->dimensions != NULL && i < n; i++) {
    Dimension *d = ga4_defined_dimension(&spec->definitions, spec->dimensions[i]);
    if (d == NULL && (d = ARENA_NEW(arena, Dimension)) != NULL) {
      analytics__ga4__v1beta__dimension__init(d);
      d->name = spec->dimensions[i];
    }
    if (d == NULL)
      return false;
    r->dimensions[r->n_dimensions++] = d;
  }
  return r->dimensions != NULL;
}

static bool set_metrics(Report *r, const struct query_spec *spec, struct arena *arena)
{
  size_t n = spec->n_metrics;
  r->metrics = ARENA_ARRAY(arena, Metric *, n);
  for (size_t i = 0; r->metrics != NULL && i < n; i++) {
    Metric *m = ga4_defined_metric(&spec->definitions, spec->metrics[i]);
    if (m == NULL && (m = ARENA_NEW(arena, Metric)) != NULL) {
      analytics__ga4__v1beta__metric__init(m);
      m->name = spec->metrics[i];
    }
    if (m == NULL)
      return false;
    r->metrics[r->n_metrics++] = m;
  }
  return r->metrics != NULL;
}

static bool set_periods(Report *r, const struct query_spec *spec, struct arena *arena)
{
  r->date_ranges = ARENA_ARRAY(arena, DateRange *, spec->n_periods);
  for (size_t i = 0; r->date_ranges != NULL && i < spec->n_periods; i++) {
    DateRange *range = ARENA_NEW(arena, DateRange);
    if (range == NULL)
      return false;
    analytics__ga4__v1beta__date_range__init(range);
    range->start_date = borrow_text(spec->periods[i]->start.text);
    range->end_date = borrow_text(spec->periods[i]->end.text);
    if (spec->period_names[i] != NULL)
      range->name = borrow_text(spec->period_names[i]);
    r->date_ranges[r->n_date_ranges++] = range;
  }
  return r->date_ranges != NULL;
}

static bool set_order(Report *r, const struct query_spec *spec, struct arena *arena)
{
  if (!spec->largest_first || spec->n_metrics == 0)
    return true;
  OrderBy *order = ARENA_NEW(arena, OrderBy);
  MetricOrderBy *by = ARENA_NEW(arena, MetricOrderBy);
  r->order_bys = ARENA_ARRAY(arena, OrderBy *, 1);
  if (order == NULL || by == NULL || r->order_bys == NULL)
    return false;
  analytics__ga4__v1beta__order_by__init(order);
  analytics__ga4__v1beta__order_by__metric_order_by__init(by);
  by->metric_name = spec->metrics[0];
  order->one_order_by_case = ANALYTICS__GA4__V1BETA__ORDER_BY__ONE_ORDER_BY_METRIC;
  order->metric = by;
  order->desc = true;
  r->order_bys[0] = order;
  r->n_order_bys = 1;
  return true;
}

ReportQuery *query_new(const struct query_spec *spec, struct arena *arena)
{
  ReportQuery *q = ARENA_NEW(arena, ReportQuery);
  Report *r = ARENA_NEW(arena, Report);
  if (q == NULL || r == NULL)
    return NULL;
  analytics__report__v1__report_query__init(q);
  analytics__ga4__v1beta__run_report_request__init(r);
  q->query_id = spec->id;
  q->report = r;
  r->dimension_filter = spec->dimension_filter;
  r->metric_filter = spec->metric_filter;
  r->keep_empty_rows = spec->keep_empty_rows;
  r->metric_aggregations = spec->aggregations;
  r->n_metric_aggregations = spec->n_aggregations;
  r->return_property_quota = spec->quota;
  r->comparisons = spec->comparisons;
  r->n_comparisons = spec->n_comparisons;
  r->cohort_spec = spec->cohorts;
  if (spec->currency_code != NULL)
    r->currency_code = borrow_text(spec->currency_code);
  bool ok = set_dimensions(r, spec, arena) && set_metrics(r, spec, arena) &&
            set_periods(r, spec, arena) && set_order(r, spec, arena);
  return ok ? q : NULL;
}

/* A condition on a dimension, and where its kind is set. */
static Expression *condition_on(const char *dimension, Filter **filter, struct arena *arena)
{
  Expression *x = ARENA_NEW(arena, Expression);
  Filter *f = *filter = ARENA_NEW(arena, Filter);
  if (x == NULL || f == NULL)
    return NULL;
  analytics__ga4__v1beta__filter_expression__init(x);
  analytics__ga4__v1beta__filter__init(f);
  x->expr_case = ANALYTICS__GA4__V1BETA__FILTER_EXPRESSION__EXPR_FILTER;
  x->filter = f;
  f->field_name = borrow_text(dimension);
  return x;
}

Expression *query_in_list(const char *dimension, char **values, size_t n_values,
                          struct arena *arena)
{
  Filter *f;
  Expression *x = condition_on(dimension, &f, arena);
  InList *list = ARENA_NEW(arena, InList);
  if (x == NULL || list == NULL)
    return NULL;
  analytics__ga4__v1beta__filter__in_list_filter__init(list);
  f->one_filter_case = ANALYTICS__GA4__V1BETA__FILTER__ONE_FILTER_IN_LIST_FILTER;
  f->in_list_filter = list;
  list->values = values;
  list->n_values = n_values;
  list->case_sensitive = true;
  return x;
}

Expression *query_matches(const char *dimension, const char *pattern, struct arena *arena)
{
  Filter *f;
  Expression *x = condition_on(dimension, &f, arena);
  StringFilter *text = ARENA_NEW(arena, StringFilter);
  if (x == NULL || text == NULL)
    return NULL;
  analytics__ga4__v1beta__filter__string_filter__init(text);
  f->one_filter_case = ANALYTICS__GA4__V1BETA__FILTER__ONE_FILTER_STRING_FILTER;
  f->string_filter = text;
  text->match_type = ANALYTICS__GA4__V1BETA__FILTER__STRING_FILTER__MATCH_TYPE__PARTIAL_REGEXP;
  text->value = borrow_text(pattern);
  return x;
}

static List *list_of(Expression *a, Expression *b, struct arena *arena)
{
  List *list = ARENA_NEW(arena, List);
  Expression **both = ARENA_ARRAY(arena, Expression *, 2);
  if (a == NULL || b == NULL || list == NULL || both == NULL)
    return NULL;
  analytics__ga4__v1beta__filter_expression_list__init(list);
  both[0] = a;
  both[1] = b;
  list->expressions = both;
  list->n_expressions = 2;
  return list;
}

Expression *query_both(Expression *a, Expression *b, struct arena *arena)
{
  Expression *x = ARENA_NEW(arena, Expression);
  List *list = list_of(a, b, arena);
  if (x == NULL || list == NULL)
    return NULL;
  analytics__ga4__v1beta__filter_expression__init(x);
  x->expr_case = ANALYTICS__GA4__V1BETA__FILTER_EXPRESSION__EXPR_AND_GROUP;
  x->and_group = list;
  return x;
}

Expression *query_either(Expression *a, Expression *b, struct arena *arena)
{
  Expression *x = ARENA_NEW(arena, Expression);
  List *list = list_of(a, b, arena);
  if (x == NULL || list == NULL)
    return NULL;
  analytics__ga4__v1beta__filter_expression__init(x);
  x->expr_case = ANALYTICS__GA4__V1BETA__FILTER_EXPRESSION__EXPR_OR_GROUP;
  x->or_group = list;
  return x;
}
