/* Dimensions, metrics and filters of a request: known, not duplicate, not too many. */
#include "ga4-sim/report/checks.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "ga4-sim/report/currencies.h"
#include "ga4-sim/report/fields.h"

static void note_name(struct reader *x, const char *name)
{
  for (size_t i = 0; i < x->name_count; i++)
    if (strcmp(x->names[i], name) == 0)
      return;
  if (x->name_count < ARRAY_LEN(x->names))
    x->names[x->name_count++] = name;
}

/* A dimension of the answer, on its own or within an expression. */
static void note_dimension(struct reader *x, const char *name)
{
  const struct field *f = dimension_field_find(name);
  x->r->no_data |= f != NULL && f->sql == NULL;
  note_name(x, name);
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
    note_dimension(x, name->valuestring);
    if (out.len > 0)
      buf_printf(&out, "||?%u||", delimiter);
    buf_printf(&out, "(%s)", part);
  }
  *sql = out.failed ? NULL : arena_printf(x->r->arena, "(%s)", buf_str(&out));
  return *sql == NULL ? request_invalid(x->e, "The request is too large.") : ERR_OK;
}

enum err_code checks_dimension_expression(struct reader *x, const cJSON *expression,
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
  note_dimension(x, name);
  *sql = arena_printf(x->r->arena, "%s(%s)", lower != NULL ? "lower" : "upper", inner);
  return *sql == NULL ? request_invalid(x->e, "The request is too large.") : ERR_OK;
}

static enum dimension_role role_of(const char *name)
{
  return strcmp(name, "dateRange") == 0    ? ROLE_DATE_RANGE
         : strcmp(name, "comparison") == 0 ? ROLE_COMPARISON
         : strcmp(name, "cohort") == 0     ? ROLE_COHORT
                                           : ROLE_PLAIN;
}

/* The fields of cohorts, which only requests with a cohortSpec have (cohorts.c). */
static enum err_code cohort_dimension(struct reader *x, struct request_dimension *out)
{
  if (member(x->tree, "cohortSpec") == NULL)
    return request_invalid(x->e, "The dimension %s requires a cohortSpec.", out->name);
  if (out->role == ROLE_PLAIN)
    out->sql = "printf('%04d',nth.n)";
  note_name(x, out->name);
  return ERR_OK;
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
    code = checks_dimension_expression(x, expression, &out.sql);
  else if ((out.role = role_of(out.name)) == ROLE_COHORT || strncmp(out.name, "cohortNth", 9) == 0)
    code = cohort_dimension(x, &out);
  else if (out.role == ROLE_PLAIN)
    code = request_dimension_sql(r, out.name, &out.sql, x->e);
  if (code != ERR_OK)
    return code;
  if (expression == NULL && out.role == ROLE_PLAIN && strncmp(out.name, "cohortNth", 9) != 0)
    note_dimension(x, out.name);
  const struct field *field = dimension_field_find(out.name);
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
  if (code == ERR_OK && strncmp(out.name, "cohort", 6) == 0 &&
      member(x->tree, "cohortSpec") == NULL && metric_field_find(out.name) != NULL)
    code = request_invalid(x->e, "The metric %s requires a cohortSpec.", out.name);
  if (code == ERR_OK && r->metric_count < REQUEST_MAX_METRICS)
    r->metrics[r->metric_count++] = out;
  return code;
}

/* Whether the request makes a dimension of that name by an expression, whose parts count. */
static bool is_made(const struct reader *x, const char *name)
{
  const cJSON *d;
  cJSON_ArrayForEach(d, member(x->tree, "dimensions"))
  {
    if (member(d, "dimensionExpression") != NULL && strcmp(text_of(d, "name"), name) == 0)
      return true;
  }
  return false;
}

/* Dimensions named in filters count against the limit too. */
static void note_filter_names(struct reader *x, const cJSON *node)
{
  const cJSON *child;
  cJSON_ArrayForEach(child, node)
  {
    if (child->string != NULL && strcmp(child->string, "fieldName") == 0 && cJSON_IsString(child)) {
      if (!is_made(x, child->valuestring))
        note_name(x, child->valuestring);
    } else if (cJSON_IsObject(child) || cJSON_IsArray(child))
      note_filter_names(x, child);
  }
}

enum err_code check_fields(struct reader *x)
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
  return code;
}

enum err_code check_cardinality(struct reader *x)
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

/* Fields of the schema in the order of the request, each once: dimensions, then metrics; those that
 * filters and expressions use, too. */
static const struct field *used_field(struct reader *x, size_t i, const char **name)
{
  if (i < x->name_count) {
    *name = x->names[i];
    return dimension_field_find(*name);
  }
  *name = x->r->used_metrics[i - x->name_count];
  return metric_field_find(*name);
}

bool checks_group_fits(struct reader *x, enum field_group group)
{
  size_t n = x->name_count + x->r->used_metric_count;
  const char *name;
  for (size_t i = 0; i < n; i++) {
    const struct field *f = used_field(x, i, &name);
    if (f != NULL && !field_groups_compatible(f->group, group))
      return false;
  }
  return true;
}

enum err_code check_compatibility(struct reader *x)
{
  size_t n = x->name_count + x->r->used_metric_count;
  const char *name, *other;
  for (size_t i = 0; i < n; i++) {
    const struct field *f = used_field(x, i, &name), *g;
    for (size_t k = 0; f != NULL && k < i; k++)
      if ((g = used_field(x, k, &other)) != NULL && !field_groups_compatible(f->group, g->group))
        return request_invalid(
            x->e,
            "Please remove %s to make the request compatible for example. The request's "
            "dimensions & metrics are incompatible. To learn more, see "
            "https://ga-dev-tools.web.app/ga4/dimensions-metrics-explorer/",
            name);
  }
  return ERR_OK;
}

enum err_code check_currency(struct reader *x)
{
  const char *code = text_of(x->tree, "currencyCode");
  x->r->currency_code = code;
  if (code[0] == '\0' || currency_is_real(code))
    return ERR_OK;
  return request_invalid(x->e,
                         "Invalid currencyCode : %s. The currencyCode must be an ISO 4217 code, "
                         "for example USD.",
                         code);
}
