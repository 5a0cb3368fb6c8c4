/* FilterExpression to SQL. Dimension filters choose rows before they are added up,
 * metric filters choose groups afterwards. */
#include <string.h>

#include "common/base/buf.h"
#include "ga4-sim/base/regex.h"
#include "ga4-sim/report/request.h"

enum { DEPTH_MAX = 40, SQL_MAX = 512 * 1024, VALUES_MAX = 10000 };

struct compiler {
  struct report_request *request;
  bool metrics;
  struct buf out;
  unsigned depth;
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

static enum err_code refuse(struct compiler *c, const char *text)
{
  return err_set(c->e, ERR_INVALID_ARGUMENT, "filter", "%s", text);
}

static enum err_code compile_string(struct compiler *c, const char *sql, const cJSON *f)
{
  const char *value = text_of(f, "value");
  bool sensitive = cJSON_IsTrue(member(f, "caseSensitive"));
  const cJSON *match = member(f, "matchType");
  int type = match == NULL ? MATCH_EXACT : match->valueint;
  unsigned n = request_bind(c->request, value);
  const char *fold = sensitive ? "" : "lower";
  struct err re = {0};
  switch (type) {
  case MATCH_UNSPECIFIED:
  case MATCH_EXACT:
    buf_printf(&c->out, "(%s)=?%u COLLATE %s", sql, n, sensitive ? "BINARY" : "NOCASE");
    return ERR_OK;
  case MATCH_BEGINS_WITH:
    buf_printf(&c->out, "substr(%s(%s),1,length(?%u))=%s(?%u)", fold, sql, n, fold, n);
    return ERR_OK;
  case MATCH_ENDS_WITH:
    buf_printf(&c->out, "(length(?%u)=0 OR substr(%s(%s),-length(?%u))=%s(?%u))", n, fold, sql, n,
               fold, n);
    return ERR_OK;
  case MATCH_CONTAINS:
    buf_printf(&c->out, "instr(%s(%s),%s(?%u))>0", fold, sql, fold, n);
    return ERR_OK;
  case MATCH_FULL_REGEXP:
  case MATCH_PARTIAL_REGEXP:
    if (regex_check(value, &re) != ERR_OK)
      return err_set(c->e, ERR_INVALID_ARGUMENT, "regex",
                     "The regular expression %s is invalid: %s.", value, re.message);
    buf_printf(&c->out, "regex_match(?%u,%d,%d,%s)", n, type == MATCH_FULL_REGEXP, sensitive, sql);
    return ERR_OK;
  default:
    return refuse(c, "The StringFilter's match_type is invalid.");
  }
}

static enum err_code compile_in_list(struct compiler *c, const char *sql, const cJSON *f)
{
  const cJSON *values = member(f, "values"), *value;
  if (cJSON_GetArraySize(values) == 0)
    return refuse(c, "The InListFilter requires at least one value.");
  if (cJSON_GetArraySize(values) > VALUES_MAX)
    return refuse(c, "The InListFilter has too many values.");
  buf_printf(&c->out, "(%s) COLLATE %s IN (", sql,
             cJSON_IsTrue(member(f, "caseSensitive")) ? "BINARY" : "NOCASE");
  const char *comma = "";
  cJSON_ArrayForEach(value, values)
  {
    buf_printf(&c->out, "%s?%u", comma, request_bind(c->request, value->valuestring));
    comma = ",";
  }
  buf_putc(&c->out, ')');
  return ERR_OK;
}

bool filter_number(const cJSON *value, double *out)
{
  const cJSON *n = member(value, "int64Value");
  if (n == NULL)
    n = member(value, "doubleValue");
  *out = n == NULL ? 0 : n->valuedouble;
  return n != NULL;
}

/* A dimension takes part in arithmetic only where its value is a number. */
static void put_number(struct compiler *c, const char *sql)
{
  if (c->metrics)
    buf_printf(&c->out, "(%s)", sql);
  else
    buf_printf(&c->out, "CAST((%s) AS REAL)", sql);
}

static enum err_code compile_numeric(struct compiler *c, const char *sql, const cJSON *f)
{
  static const char *const operators[] = {NULL, "=", "<", "<=", ">", ">="};
  const cJSON *operation = member(f, "operation");
  double value;
  if (operation == NULL || operation->valueint < OPERATION_EQUAL ||
      operation->valueint > OPERATION_GREATER_THAN_OR_EQUAL)
    return refuse(c, "The NumericFilter's operation must be specified.");
  if (!filter_number(member(f, "value"), &value))
    return refuse(c, "The NumericFilter's value must be specified.");
  put_number(c, sql);
  buf_printf(&c->out, "%s%.17g", operators[operation->valueint], value);
  return ERR_OK;
}

static enum err_code compile_between(struct compiler *c, const char *sql, const cJSON *f)
{
  double from, to;
  if (!filter_number(member(f, "fromValue"), &from) || !filter_number(member(f, "toValue"), &to))
    return refuse(c, "The BetweenFilter's fromValue and toValue must be specified.");
  put_number(c, sql);
  buf_printf(&c->out, " BETWEEN %.17g AND %.17g", from, to);
  return ERR_OK;
}

static enum err_code compile_filter(struct compiler *c, const cJSON *f)
{
  const char *name = text_of(f, "fieldName"), *sql;
  const cJSON *one;
  enum metric_type type;
  enum err_code code = c->metrics ? request_metric_sql(c->request, name, &sql, &type, c->e)
                                  : request_dimension_sql(c->request, name, &sql, c->e);
  if (code != ERR_OK)
    return code;
  if ((one = member(f, "numericFilter")) != NULL)
    return compile_numeric(c, sql, one);
  if ((one = member(f, "betweenFilter")) != NULL)
    return compile_between(c, sql, one);
  if (c->metrics && member(f, "emptyFilter") != NULL) {
    buf_puts(&c->out, "0"); /* a metric always has a value */
    return ERR_OK;
  }
  if (c->metrics)
    return err_set(c->e, ERR_INVALID_ARGUMENT, "filter",
                   "The metric filter on %s must be a numericFilter or a betweenFilter.", name);
  if ((one = member(f, "stringFilter")) != NULL)
    return compile_string(c, sql, one);
  if ((one = member(f, "inListFilter")) != NULL)
    return compile_in_list(c, sql, one);
  if (member(f, "emptyFilter") != NULL) {
    buf_printf(&c->out, "(%s) IN ('','(not set)')", sql);
    return ERR_OK;
  }
  return err_set(c->e, ERR_INVALID_ARGUMENT, "filter",
                 "The filter on %s must specify one of the filter types.", name);
}

static enum err_code compile_expression(struct compiler *c, const cJSON *x);

static enum err_code compile_group(struct compiler *c, const cJSON *group, const char *operator)
{
  const cJSON *expressions = member(group, "expressions"), *x;
  enum err_code code = ERR_OK;
  if (cJSON_GetArraySize(expressions) == 0)
    return refuse(c, "A filter group requires at least one expression.");
  buf_putc(&c->out, '(');
  const char *between = "";
  cJSON_ArrayForEach(x, expressions)
  {
    buf_puts(&c->out, between);
    between = operator;
    if ((code = compile_expression(c, x)) != ERR_OK)
      return code;
  }
  buf_putc(&c->out, ')');
  return ERR_OK;
}

static enum err_code compile_expression(struct compiler *c, const cJSON *x)
{
  const cJSON *one;
  enum err_code code;
  if (++c->depth > DEPTH_MAX)
    return refuse(c, "The filter expression is nested too deeply.");
  if ((one = member(x, "andGroup")) != NULL) {
    code = compile_group(c, one, " AND ");
  } else if ((one = member(x, "orGroup")) != NULL) {
    code = compile_group(c, one, " OR ");
  } else if ((one = member(x, "notExpression")) != NULL) {
    buf_puts(&c->out, "NOT (");
    code = compile_expression(c, one);
    buf_putc(&c->out, ')');
  } else if ((one = member(x, "filter")) != NULL) {
    code = compile_filter(c, one);
  } else {
    code = refuse(c, "The filter expression is empty.");
  }
  c->depth--;
  return code;
}

enum err_code filter_compile(struct report_request *r, const cJSON *expression, bool metrics,
                             const char **sql, struct err *e)
{
  *sql = NULL;
  if (expression == NULL || cJSON_GetArraySize(expression) == 0)
    return ERR_OK; /* an empty message filters nothing */
  struct compiler c = {.request = r, .metrics = metrics, .out = BUF_INIT(SQL_MAX), .e = e};
  enum err_code code = compile_expression(&c, expression);
  if (code == ERR_OK)
    *sql = c.out.failed ? NULL : arena_printf(r->arena, "(%s)", buf_str(&c.out));
  if (code == ERR_OK && *sql == NULL)
    code = err_set(e, ERR_INVALID_ARGUMENT, "filter", "The filter expression is too large.");
  buf_free(&c.out);
  return code;
}
