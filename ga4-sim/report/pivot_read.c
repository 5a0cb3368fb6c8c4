/* RunPivotReportRequest: the common checks and those of pivots. */
#include <string.h>

#include "common/base/buf.h"
#include "ga4-sim/report/checks.h"
#include "ga4-sim/report/pivot.h"

enum { CELLS_MAX = 250000 };

static bool dimension_index(const struct report_request *r, const char *name, size_t *out)
{
  for (size_t i = 0; i < r->dimension_count; i++)
    if (strcmp(r->dimensions[i].name, name) == 0) {
      *out = i;
      return true;
    }
  return false;
}

static enum err_code read_fields(struct reader *x, const cJSON *pivot, struct pivot *out,
                                 bool *used)
{
  const cJSON *name;
  cJSON_ArrayForEach(name, member(pivot, "fieldNames"))
  {
    size_t i;
    if (!dimension_index(x->r, name->valuestring, &i))
      return request_invalid(
          x->e, "Field %s exists in a Pivot but is not defined in input Dimensions list",
          name->valuestring);
    if (used[i])
      return request_invalid(x->e, "Dimension %s is in more than one Pivot.", name->valuestring);
    used[i] = true;
    out->fields[out->field_count++] = i;
  }
  if (out->field_count == 0)
    return request_invalid(x->e, "Each Pivot requires at least one field name.");
  return ERR_OK;
}

/* {"metricName", "pivotSelections": [{"dimensionName", "dimensionValue"}]} */
static enum err_code read_cell_order(struct reader *x, const cJSON *by, bool descending,
                                     struct pivot *out)
{
  const char *metric = text_of(by, "metricName");
  struct pivot_order order = {.descending = descending, .metric = x->r->metric_count};
  const cJSON *selection;
  AUTO_BUF struct buf filter = BUF_INIT(64 * 1024);
  for (size_t i = 0; i < x->r->metric_count; i++)
    if (strcmp(x->r->metrics[i].name, metric) == 0)
      order.metric = i;
  if (order.metric == x->r->metric_count || out->by_cell_count == PIVOT_SELECTIONS_MAX)
    return request_invalid(
        x->e, "Field %s exists in OrderBy but is not defined in input Dimensions/Metrics list",
        metric);
  buf_puts(&filter, "(1");
  cJSON_ArrayForEach(selection, member(by, "pivotSelections"))
  {
    size_t i;
    const char *name = text_of(selection, "dimensionName");
    if (!dimension_index(x->r, name, &i) || x->r->dimensions[i].role != ROLE_PLAIN)
      return request_invalid(
          x->e, "Field %s exists in OrderBy but is not defined in input Dimensions/Metrics list",
          name);
    buf_printf(&filter, " AND (%s)=?%u", x->r->dimensions[i].sql,
               request_bind(x->r, text_of(selection, "dimensionValue")));
  }
  buf_putc(&filter, ')');
  order.filter = filter.failed ? NULL : arena_strdup(x->r->arena, buf_str(&filter));
  out->by_cell[out->by_cell_count++] = order;
  return order.filter == NULL ? request_invalid(x->e, "The request is too large.") : ERR_OK;
}

/* Orders by a cell come first; the others are those of a report of the pivot's dimensions. */
static enum err_code read_orders(struct reader *x, const cJSON *pivot, struct pivot *out)
{
  const cJSON *by;
  bool plain_seen = false;
  cJSON *plain = cJSON_CreateArray(), *holder = cJSON_CreateObject();
  enum err_code code = ERR_OK;
  cJSON_AddItemToObject(holder, "orderBys", plain);
  cJSON_ArrayForEach(by, member(pivot, "orderBys"))
  {
    const cJSON *cell = member(by, "pivot");
    if (cell != NULL && plain_seen)
      code = request_invalid(x->e, "An OrderBy of a pivot must precede those of metrics and "
                                   "dimensions.");
    else if (cell != NULL)
      code = read_cell_order(x, cell, cJSON_IsTrue(member(by, "desc")), out);
    else
      plain_seen = cJSON_AddItemReferenceToArray(plain, (cJSON *)(uintptr_t)by) != 0;
    if (code != ERR_OK)
      break;
  }
  struct reader y = {.r = &out->headers, .tree = holder, .today = x->today, .e = x->e};
  if (code == ERR_OK)
    code = check_orders(&y);
  cJSON_Delete(holder);
  return code;
}

/* The request of one pivot's headers: all groups, whether or not a metric filter leaves them. */
static void narrow(const struct report_request *r, struct pivot *out)
{
  struct report_request *h = &out->headers;
  *h = *r;
  h->dimension_count = out->field_count;
  for (size_t i = 0; i < out->field_count; i++)
    h->dimensions[i] = r->dimensions[out->fields[i]];
  h->metric_filter = NULL;
  h->keep_empty_rows = true;
  h->order_count = 0;
}

static enum err_code read_pivot(struct reader *x, const cJSON *pivot, struct pivot *out, bool *used)
{
  const cJSON *a;
  enum err_code code = read_fields(x, pivot, out, used);
  if (code != ERR_OK)
    return code;
  narrow(x->r, out);
  struct reader y = {.r = &out->headers, .tree = pivot, .today = x->today, .e = x->e};
  code = check_window(&y);
  if (code == ERR_OK && member(pivot, "limit") == NULL)
    code = request_invalid(x->e, "Each Pivot requires a limit.");
  cJSON_ArrayForEach(a, member(pivot, "metricAggregations"))
  {
    out->total |= a->valueint == AGGREGATION_TOTAL;
    out->minimum |= a->valueint == AGGREGATION_MINIMUM;
    out->maximum |= a->valueint == AGGREGATION_MAXIMUM;
    out->count |= a->valueint == AGGREGATION_COUNT;
  }
  return code == ERR_OK ? read_orders(x, pivot, out) : code;
}

/* With several date ranges Google adds a pivot of the ranges, unless one names dateRange; likewise
 * with comparisons. */
static void add_role_pivots(struct pivot_request *p, const bool *used)
{
  const struct report_request *r = &p->cells;
  for (size_t i = 0; i < r->dimension_count; i++) {
    if (r->dimensions[i].role == ROLE_PLAIN || used[i] || p->pivot_count == PIVOT_MAX)
      continue;
    struct pivot *out = &p->pivots[p->pivot_count++];
    out->fields[out->field_count++] = i;
    narrow(r, out);
    out->headers.limit = REQUEST_DEFAULT_LIMIT;
    out->headers.offset = 0;
    /* Ranges in the order of the request. */
    out->headers.orders = ARENA_NEW(r->arena, struct request_order);
    out->headers.order_count = out->headers.orders != NULL;
    if (out->headers.orders != NULL)
      out->headers.orders->sql = "slice";
  }
}

/* Dimensions of no pivot are not shown: the cells are added up over them. */
static void drop_unused(struct pivot_request *p, const bool *used)
{
  size_t place[REQUEST_MAX_DIMENSIONS + 2], n = 0;
  for (size_t i = 0; i < p->cells.dimension_count; i++)
    if (used[i] || p->cells.dimensions[i].role != ROLE_PLAIN) {
      place[i] = n;
      p->cells.dimensions[n++] = p->cells.dimensions[i];
    }
  p->cells.dimension_count = n;
  for (size_t k = 0; k < p->pivot_count; k++)
    for (size_t i = 0; i < p->pivots[k].field_count; i++)
      p->pivots[k].fields[i] = place[p->pivots[k].fields[i]];
}

static enum err_code read_pivots(struct reader *x, struct pivot_request *p)
{
  const cJSON *pivots = member(x->tree, "pivots"), *pivot;
  bool used[REQUEST_MAX_DIMENSIONS + 2] = {false};
  double cells = 1;
  if (cJSON_GetArraySize(pivots) == 0)
    return request_invalid(x->e, "The runPivotReportRequest must contain at least one pivot.");
  if (cJSON_GetArraySize(pivots) > REQUEST_MAX_DIMENSIONS)
    return request_invalid(x->e, "Requests are limited to %d pivots.", REQUEST_MAX_DIMENSIONS);
  cJSON_ArrayForEach(pivot, pivots)
  {
    struct pivot *out = &p->pivots[p->pivot_count++];
    enum err_code code = read_pivot(x, pivot, out, used);
    if (code != ERR_OK)
      return code;
    cells *= (double)out->headers.limit;
  }
  if (cells > CELLS_MAX)
    return request_invalid(x->e,
                           "The product of the limits of all pivots must not exceed %d. The API "
                           "received a product of %.0f.",
                           CELLS_MAX, cells);
  add_role_pivots(p, used);
  drop_unused(p, used);
  return ERR_OK;
}

enum err_code pivot_read(struct pivot_request *p, const cJSON *tree,
                         const struct world_property *property, int64_t today, struct arena *arena,
                         struct err *e)
{
  struct report_request *r = &p->cells;
  p->pivot_count = 0;
  *r = (struct report_request){.property = property, .arena = arena, .conditions = r->conditions};
  struct reader x = {.r = r, .tree = tree, .today = today, .e = e};
  enum err_code code = check_common(&x);
  if (code != ERR_OK)
    return code;
  r->limit = REQUEST_MAX_LIMIT;
  code = read_pivots(&x, p);
  /* Orders by a cell bind texts after the first pivots were read. */
  for (size_t i = 0; i < p->pivot_count; i++) {
    p->pivots[i].headers.texts = r->texts;
    p->pivots[i].headers.text_count = r->text_count;
  }
  return code;
}
