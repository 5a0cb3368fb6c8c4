/* Reads a RunReportRequest and makes Google's checks in Google's order: field names,
 * limit and offset, date ranges, cardinality, presence, ordering. */
#include "ga4-sim/report/request.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ga4-sim/report/fields.h"
#include "ga4-sim/world/calendar.h"

struct reader {
  struct report_request *r;
  const cJSON *tree;
  int64_t today;
  const char *names[64]; /* dimensions used anywhere, each once */
  size_t name_count;
  struct err *e;
};

static const cJSON *member(const cJSON *object, const char *name)
{
  return cJSON_GetObjectItemCaseSensitive(object, name);
}

static const char *text_of(const cJSON *object, const char *name)
{
  const cJSON *m = member(object, name);
  return cJSON_IsString(m) ? m->valuestring : "";
}

static void note_name(struct reader *x, const char *name)
{
  for (size_t i = 0; i < x->name_count; i++)
    if (strcmp(x->names[i], name) == 0)
      return;
  if (x->name_count < ARRAY_LEN(x->names))
    x->names[x->name_count++] = name;
}

static enum err_code concatenate_sql(struct reader *x, const cJSON *concatenate, const char **sql)
{
  const cJSON *name;
  AUTO_BUF struct buf out = BUF_INIT(16 * 1024);
  unsigned delimiter = request_bind(x->r, text_of(concatenate, "delimiter"));
  if (cJSON_GetArraySize(member(concatenate, "dimensionNames")) == 0)
    return request_invalid(x->e,
                           "The concatenate expression requires at least one dimension name.");
  cJSON_ArrayForEach(name, member(concatenate, "dimensionNames"))
  {
    const char *part;
    if (request_dimension_sql(x->r, name->valuestring, &part, x->e) != ERR_OK)
      return ERR_INVALID_ARGUMENT;
    note_name(x, name->valuestring);
    if (out.len > 0)
      buf_printf(&out, "||?%u||", delimiter);
    buf_printf(&out, "(%s)", part);
  }
  *sql = out.failed ? NULL : arena_printf(x->r->arena, "(%s)", buf_str(&out));
  return *sql == NULL ? request_invalid(x->e, "The request is too large.") : ERR_OK;
}

static enum err_code dimension_expression_sql(struct reader *x, const cJSON *expression,
                                              const char **sql)
{
  const cJSON *lower = member(expression, "lowerCase"), *upper = member(expression, "upperCase");
  const cJSON *concatenate = member(expression, "concatenate");
  if (concatenate != NULL)
    return concatenate_sql(x, concatenate, sql);
  const cJSON *one = lower != NULL ? lower : upper;
  if (one == NULL)
    return request_invalid(x->e, "The dimension expression must specify one expression.");
  const char *name = text_of(one, "dimensionName"), *inner;
  if (request_dimension_sql(x->r, name, &inner, x->e) != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  note_name(x, name);
  *sql = arena_printf(x->r->arena, "%s(%s)", lower != NULL ? "lower" : "upper", inner);
  return *sql == NULL ? request_invalid(x->e, "The request is too large.") : ERR_OK;
}

static enum dimension_role role_of(const char *name)
{
  return strcmp(name, "dateRange") == 0    ? ROLE_DATE_RANGE
         : strcmp(name, "comparison") == 0 ? ROLE_COMPARISON
                                           : ROLE_PLAIN;
}

static enum err_code read_dimension(struct reader *x, const cJSON *d, int index)
{
  struct report_request *r = x->r;
  struct request_dimension out = {.name = text_of(d, "name")};
  const cJSON *expression = member(d, "dimensionExpression"), *other;
  enum err_code code = ERR_OK;
  int i = 0;
  cJSON_ArrayForEach(other, member(x->tree, "dimensions"))
  {
    if (i++ < index && strcmp(text_of(other, "name"), out.name) == 0)
      return request_invalid(x->e, "Found duplicate dimensions: %s", out.name);
  }
  if (expression != NULL)
    code = dimension_expression_sql(x, expression, &out.sql);
  else if ((out.role = role_of(out.name)) == ROLE_PLAIN)
    code = request_dimension_sql(r, out.name, &out.sql, x->e);
  if (code != ERR_OK)
    return code;
  if (expression == NULL && out.role == ROLE_PLAIN)
    note_name(x, out.name);
  const struct dimension_field *field = dimension_field_find(out.name);
  r->by_calendar |= field != NULL && strcmp(field->category, "Time") == 0;
  if (r->dimension_count < REQUEST_MAX_DIMENSIONS)
    r->dimensions[r->dimension_count++] = out;
  return ERR_OK;
}

static enum err_code read_metric(struct reader *x, const cJSON *m, int index)
{
  struct report_request *r = x->r;
  struct request_metric out = {.name = text_of(m, "name"),
                               .invisible = cJSON_IsTrue(member(m, "invisible"))};
  const char *expression = text_of(m, "expression");
  const cJSON *other;
  int i = 0;
  cJSON_ArrayForEach(other, member(x->tree, "metrics"))
  {
    if (i++ < index && strcmp(text_of(other, "name"), out.name) == 0)
      return request_invalid(x->e, "Duplicate metrics are not allowed. Found duplicate metrics: %s",
                             out.name);
  }
  enum err_code code = expression[0] != '\0'
                           ? expression_compile(r, expression, &out.sql, &out.type, x->e)
                           : request_metric_sql(r, out.name, &out.sql, &out.type, x->e);
  if (code == ERR_OK && r->metric_count < REQUEST_MAX_METRICS)
    r->metrics[r->metric_count++] = out;
  return code;
}

/* Dimensions named in filters count against the limit too. */
static void note_filter_names(struct reader *x, const cJSON *node)
{
  const cJSON *child;
  cJSON_ArrayForEach(child, node)
  {
    if (child->string != NULL && strcmp(child->string, "fieldName") == 0 && cJSON_IsString(child))
      note_name(x, child->valuestring);
    else if (cJSON_IsObject(child) || cJSON_IsArray(child))
      note_filter_names(x, child);
  }
}

static enum err_code read_saved_comparison(struct reader *x, const char *resource,
                                           struct request_comparison *out)
{
  static const struct {
    const char *resource, *name, *sql;
  } saved[] = {
      {"comparisons/allUsers", "All Users", NULL},
      {"comparisons/directTraffic", "Direct traffic", "s.channel='Direct'"},
      {"comparisons/emailSmsAndPushNotificationsTraffic", "Email, SMS & push notifications traffic",
       "s.channel IN ('Email','SMS','Mobile Push Notifications')"},
      {"comparisons/mobileTraffic", "Mobile traffic", "s.device='mobile'"},
      {"comparisons/organicTraffic", "Organic traffic", "substr(s.channel,1,8)='Organic '"},
      {"comparisons/paidTraffic", "Paid traffic",
       "(substr(s.channel,1,5)='Paid ' OR s.channel IN ('Cross-network','Display'))"},
      {"comparisons/referralAndAffiliatesTraffic", "Referral & affiliates traffic",
       "s.channel IN ('Referral','Affiliates')"},
      {"comparisons/tabletTraffic", "Tablet traffic", "s.device='tablet'"},
      {"comparisons/webTraffic", "Web traffic", "s.device='desktop'"},
  };
  for (size_t i = 0; i < ARRAY_LEN(saved); i++)
    if (strcmp(saved[i].resource, resource) == 0) {
      if (out->name[0] == '\0')
        out->name = saved[i].name;
      out->sql = saved[i].sql;
      return ERR_OK;
    }
  return request_invalid(x->e, "Comparison %s was not found in this property.", resource);
}

static enum err_code read_comparisons(struct reader *x)
{
  struct report_request *r = x->r;
  const cJSON *c;
  cJSON_ArrayForEach(c, member(x->tree, "comparisons"))
  {
    if (r->comparison_count == REQUEST_MAX_COMPARISONS)
      return request_invalid(x->e, "Requests are limited to %d comparisons.",
                             REQUEST_MAX_COMPARISONS);
    struct request_comparison *out = &r->comparisons[r->comparison_count];
    out->name = text_of(c, "name");
    const char *resource = text_of(c, "comparison");
    enum err_code code = resource[0] != '\0' ? read_saved_comparison(x, resource, out)
                                             : filter_compile(r, member(c, "dimensionFilter"),
                                                              false, &out->sql, x->e);
    if (code != ERR_OK)
      return code;
    if (out->name[0] == '\0')
      out->name = arena_printf(r->arena, "comparison_%zu", r->comparison_count);
    r->comparison_count++;
  }
  return ERR_OK;
}

static enum err_code read_fields(struct reader *x)
{
  struct report_request *r = x->r;
  const cJSON *item;
  int i = 0;
  enum err_code code = ERR_OK;
  cJSON_ArrayForEach(item, member(x->tree, "dimensions"))
  {
    if ((code = read_dimension(x, item, i++)) != ERR_OK)
      return code;
  }
  i = 0;
  cJSON_ArrayForEach(item, member(x->tree, "metrics"))
  {
    if ((code = read_metric(x, item, i++)) != ERR_OK)
      return code;
  }
  note_filter_names(x, member(x->tree, "dimensionFilter"));
  code = filter_compile(r, member(x->tree, "dimensionFilter"), false, &r->dimension_filter, x->e);
  if (code == ERR_OK)
    code = filter_compile(r, member(x->tree, "metricFilter"), true, &r->metric_filter, x->e);
  if (code == ERR_OK)
    code = read_comparisons(x);
  return code;
}

static enum err_code read_window(struct reader *x)
{
  const cJSON *limit = member(x->tree, "limit"), *offset = member(x->tree, "offset");
  struct report_request *r = x->r;
  r->limit = limit == NULL ? 0 : (int64_t)limit->valuedouble;
  r->offset = offset == NULL ? 0 : (int64_t)offset->valuedouble;
  if (r->limit < 0)
    return request_invalid(x->e, "limit must be positive. The API received limit = %lld",
                           (long long)r->limit);
  if (r->offset < 0)
    return request_invalid(x->e, "offset must be positive. The API received offset = %lld",
                           (long long)r->offset);
  if (r->limit == 0)
    r->limit = REQUEST_DEFAULT_LIMIT;
  if (r->limit > REQUEST_MAX_LIMIT)
    r->limit = REQUEST_MAX_LIMIT;
  return ERR_OK;
}

static enum err_code read_date(struct reader *x, const char *text, const char *camel, int64_t *out)
{
  if (calendar_parse(text, x->today, out))
    return ERR_OK;
  return request_invalid(x->e,
                         "Invalid %s : %s. %s must be YYYY-MM-DD, NdaysAgo, yesterday, or today.",
                         camel, text, camel);
}

static enum err_code check_bounds(struct reader *x, int64_t day, const char *snake)
{
  char text[16];
  if (day > clock_days_from_civil(2015, 8, 13) && day < clock_days_from_civil(3000, 1, 1))
    return ERR_OK;
  clock_format_date(day, text, sizeof(text));
  return request_invalid(x->e, "%s = %s must be greater than 2015-08-13 and less than 3000-01-01.",
                         snake, text);
}

static enum err_code read_range(struct reader *x, const cJSON *range, size_t index)
{
  struct request_range out = {.name = text_of(range, "name")};
  if (read_date(x, text_of(range, "startDate"), "startDate", &out.start) != ERR_OK ||
      read_date(x, text_of(range, "endDate"), "endDate", &out.end) != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  if (out.start > out.end) {
    char a[16], b[16];
    clock_format_date(out.start, a, sizeof(a));
    clock_format_date(out.end, b, sizeof(b));
    return request_invalid(
        x->e,
        "start_date must be less than or equal to end_date. start_date = %s and end_date = %s", a,
        b);
  }
  if (check_bounds(x, out.start, "start_date") != ERR_OK ||
      check_bounds(x, out.end, "end_date") != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  if (strncmp(out.name, "date_range_", 11) == 0 || strncmp(out.name, "RESERVED_", 9) == 0)
    return request_invalid(x->e,
                           "Invalid dateRange name : %s. The name cannot begin with date_range_ or "
                           "RESERVED_.",
                           out.name);
  if (out.name[0] == '\0')
    out.name = arena_printf(x->r->arena, "date_range_%zu", index);
  if (index < REQUEST_MAX_RANGES)
    x->r->ranges[x->r->range_count++] = out;
  return ERR_OK;
}

static enum err_code read_ranges(struct reader *x)
{
  const cJSON *ranges = member(x->tree, "dateRanges"), *range;
  size_t i = 0;
  if (member(x->tree, "cohortSpec") != NULL)
    return err_set(x->e, ERR_UNIMPLEMENTED, NULL,
                   "The simulator does not implement cohort reports. Remove cohortSpec.");
  if (cJSON_GetArraySize(ranges) == 0)
    return request_invalid(x->e, "A dateRange is required.");
  cJSON_ArrayForEach(range, ranges)
  {
    if (read_range(x, range, i++) != ERR_OK)
      return ERR_INVALID_ARGUMENT;
  }
  return ERR_OK;
}

static enum err_code check_cardinality(struct reader *x)
{
  int ranges = cJSON_GetArraySize(member(x->tree, "dateRanges"));
  int metrics = cJSON_GetArraySize(member(x->tree, "metrics"));
  int dimensions = cJSON_GetArraySize(member(x->tree, "dimensions"));
  if (ranges > REQUEST_MAX_RANGES)
    return request_invalid(
        x->e, "Requests are limited to 4 dateRanges.\n  This request contains %d dateRanges.",
        ranges);
  int used = (int)x->name_count > dimensions ? (int)x->name_count : dimensions;
  if (used > REQUEST_MAX_DIMENSIONS)
    return request_invalid(
        x->e,
        "Requests are limited to 9 dimensions within a nested request.\n  This request "
        "is for %d dimensions.",
        used);
  if (metrics > REQUEST_MAX_METRICS)
    return request_invalid(
        x->e,
        "Requests are limited to 10 metrics within a nested request.\n  This request is "
        "for %d metrics.",
        metrics);
  if (dimensions == 0 && metrics == 0)
    return request_invalid(
        x->e, "Requests require dimensions and/or metrics. Most requests include both.");
  return ERR_OK;
}

/* Google appends dateRange when there are several ranges, comparison when there are
 * comparisons, unless the request names them itself. */
static void append_roles(struct report_request *r)
{
  bool range = r->range_count < 2, comparison = r->comparison_count == 0;
  for (size_t i = 0; i < r->dimension_count; i++) {
    range |= r->dimensions[i].role == ROLE_DATE_RANGE;
    comparison |= r->dimensions[i].role == ROLE_COMPARISON;
  }
  if (!comparison)
    r->dimensions[r->dimension_count++] =
        (struct request_dimension){.name = "comparison", .role = ROLE_COMPARISON};
  if (!range)
    r->dimensions[r->dimension_count++] =
        (struct request_dimension){.name = "dateRange", .role = ROLE_DATE_RANGE};
}

static enum err_code order_field_missing(struct reader *x, const char *name)
{
  return request_invalid(
      x->e, "Field %s exists in OrderBy but is not defined in input Dimensions/Metrics list", name);
}

static enum err_code read_dimension_order(struct reader *x, const cJSON *by, const char **sql)
{
  const char *name = text_of(by, "dimensionName");
  const cJSON *type = member(by, "orderType");
  struct report_request *r = x->r;
  for (size_t i = 0; i < r->dimension_count; i++) {
    if (strcmp(r->dimensions[i].name, name) != 0)
      continue;
    int order = type == NULL ? ORDER_TYPE_UNSPECIFIED : type->valueint;
    const char *format = order == ORDER_TYPE_NUMERIC                         ? "CAST(d%zu AS REAL)"
                         : order == ORDER_TYPE_CASE_INSENSITIVE_ALPHANUMERIC ? "d%zu COLLATE NOCASE"
                                                                             : "d%zu";
    char text[48];
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    snprintf(text, sizeof(text), format, i + 1);
#pragma GCC diagnostic pop
    *sql = arena_strdup(r->arena, text);
    return ERR_OK;
  }
  return order_field_missing(x, name);
}

static enum err_code read_metric_order(struct reader *x, const cJSON *by, const char **sql)
{
  const char *name = text_of(by, "metricName");
  for (size_t i = 0; i < x->r->metric_count; i++)
    if (strcmp(x->r->metrics[i].name, name) == 0) {
      *sql = arena_printf(x->r->arena, "m%zu", i + 1);
      return ERR_OK;
    }
  return order_field_missing(x, name);
}

static enum err_code read_orders(struct reader *x)
{
  struct report_request *r = x->r;
  const cJSON *orders = member(x->tree, "orderBys"), *by;
  r->orders = ARENA_ARRAY(r->arena, struct request_order, (size_t)cJSON_GetArraySize(orders) + 1);
  if (r->orders == NULL)
    return request_invalid(x->e, "The request is too large.");
  cJSON_ArrayForEach(by, orders)
  {
    struct request_order *out = &r->orders[r->order_count];
    const cJSON *metric = member(by, "metric"), *dimension = member(by, "dimension");
    out->descending = cJSON_IsTrue(member(by, "desc"));
    enum err_code code;
    if (metric != NULL)
      code = read_metric_order(x, metric, &out->sql);
    else if (dimension != NULL)
      code = read_dimension_order(x, dimension, &out->sql);
    else
      code = request_invalid(x->e, "Each OrderBy must specify a metric or a dimension.");
    if (code != ERR_OK)
      return code;
    r->order_count++;
  }
  return ERR_OK;
}

static enum err_code read_aggregations(struct reader *x)
{
  const cJSON *a;
  cJSON_ArrayForEach(a, member(x->tree, "metricAggregations"))
  {
    x->r->total |= a->valueint == AGGREGATION_TOTAL;
    x->r->minimum |= a->valueint == AGGREGATION_MINIMUM;
    x->r->maximum |= a->valueint == AGGREGATION_MAXIMUM;
    if (a->valueint == AGGREGATION_COUNT)
      return request_invalid(x->e, "Metric aggregation Count is not supported in ReportRequest.");
  }
  return ERR_OK;
}

enum err_code request_read(struct report_request *r, const cJSON *tree,
                           const struct world_property *property, int64_t today,
                           struct arena *arena, struct err *e)
{
  *r = (struct report_request){.property = property, .arena = arena};
  struct reader x = {.r = r, .tree = tree, .today = today, .e = e};
  enum err_code code = read_fields(&x);
  if (code == ERR_OK)
    code = read_window(&x);
  if (code == ERR_OK)
    code = read_ranges(&x);
  if (code == ERR_OK)
    code = check_cardinality(&x);
  if (code != ERR_OK)
    return code;
  r->requested_dimensions = r->dimension_count;
  append_roles(r);
  code = read_orders(&x);
  if (code == ERR_OK)
    code = read_aggregations(&x);
  r->event_scoped = (r->needs & NEED_EVENTS) != 0;
  r->keep_empty_rows = cJSON_IsTrue(member(tree, "keepEmptyRows"));
  r->return_quota = cJSON_IsTrue(member(tree, "returnPropertyQuota"));
  r->currency_code = text_of(tree, "currencyCode");
  return code;
}
