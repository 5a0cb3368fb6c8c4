/* RunFunnelReportRequest: steps become conditions on events. */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/checks.h"
#include "ga4-sim/report/funnel.h"

enum { DEFAULT_DAYS = 30 };

/* The filters of funnels are written again as those of reports, which filter_compile() knows. */
static cJSON *translate(struct reader *x, const cJSON *in, unsigned depth);

static cJSON *refuse(struct reader *x, const char *text)
{
  request_invalid(x->e, "%s", text);
  return NULL;
}

/* The filter of a field; the names of its members are those of Filter. */
static cJSON *translate_field(const cJSON *in, const char *name)
{
  static const char *const kinds[] = {"stringFilter", "inListFilter", "numericFilter",
                                      "betweenFilter"};
  cJSON *out = cJSON_CreateObject(), *filter = cJSON_AddObjectToObject(out, "filter");
  cJSON_AddStringToObject(filter, "fieldName", name);
  for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
    if (member(in, kinds[i]) != NULL)
      cJSON_AddItemToObject(filter, kinds[i], cJSON_Duplicate(member(in, kinds[i]), true));
  return out;
}

/* Whether the world's events may have the parameter. */
static bool has_parameter(const struct reader *x, const char *name)
{
  AUTO_BUF struct buf sql = BUF_INIT(512);
  unsigned needs = 0;
  return dimension_custom_sql(x->r->property, name, &sql, &needs);
}

/* What no event meets: one without a name. */
static cJSON *translate_never(void)
{
  cJSON *out = cJSON_CreateObject(), *filter = cJSON_AddObjectToObject(out, "filter");
  cJSON_AddStringToObject(filter, "fieldName", "eventName");
  cJSON_AddStringToObject(cJSON_AddObjectToObject(filter, "stringFilter"), "value", "");
  return out;
}

/* Each event by itself happened once. */
static cJSON *translate_count(struct reader *x, const cJSON *in)
{
  double from, to;
  if (funnel_count_bounds(x, in, &from, &to) != ERR_OK)
    return NULL;
  cJSON *never = translate_never();
  if (from > 1 || to < 1)
    return never;
  cJSON *always = cJSON_CreateObject();
  cJSON_AddItemToObject(always, "notExpression", never);
  return always;
}

/* Parameters that are not registered as dimensions may be asked for; an event without the parameter
 * does not meet the condition. */
static cJSON *translate_parameter(struct reader *x, const cJSON *in)
{
  const char *event = text_of(in, "eventParameterName"), *item = text_of(in, "itemParameterName");
  if (event[0] == '\0' && item[0] == '\0')
    return refuse(x, "A funnel parameter filter requires an eventParameterName or an "
                     "itemParameterName.");
  if (strcmp(event, FUNNEL_EVENT_COUNT) == 0)
    return translate_count(x, in);
  AUTO_FREE char *name =
      event[0] != '\0' ? xasprintf("customEvent:%s", event) : xasprintf("customItem:%s", item);
  return has_parameter(x, name) ? translate_field(in, name) : translate_never();
}

static cJSON *translate_event(struct reader *x, const cJSON *in, unsigned depth)
{
  const cJSON *parameters = member(in, "funnelParameterFilterExpression");
  if (parameters == NULL)
    parameters = member(in, "segmentParameterFilterExpression");
  cJSON *out = cJSON_CreateObject();
  cJSON *list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(out, "andGroup"), "expressions");
  cJSON *named = cJSON_CreateObject(), *filter = cJSON_AddObjectToObject(named, "filter");
  cJSON_AddStringToObject(filter, "fieldName", "eventName");
  cJSON *string = cJSON_AddObjectToObject(filter, "stringFilter");
  cJSON_AddStringToObject(string, "value", text_of(in, "eventName"));
  cJSON_AddNumberToObject(string, "matchType", MATCH_EXACT);
  cJSON_AddTrueToObject(string, "caseSensitive");
  cJSON_AddItemToArray(list, named);
  cJSON *rest = parameters == NULL ? NULL : translate(x, parameters, depth + 1);
  if (rest != NULL)
    cJSON_AddItemToArray(list, rest);
  if (parameters == NULL || rest != NULL)
    return out;
  cJSON_Delete(out);
  return NULL;
}

static cJSON *translate_group(struct reader *x, const cJSON *in, const char *name, unsigned depth)
{
  cJSON *out = cJSON_CreateObject();
  cJSON *list = cJSON_AddArrayToObject(cJSON_AddObjectToObject(out, name), "expressions");
  const cJSON *one;
  cJSON_ArrayForEach(one, member(in, "expressions"))
  {
    cJSON *part = translate(x, one, depth + 1);
    if (part == NULL) {
      cJSON_Delete(out);
      return NULL;
    }
    cJSON_AddItemToArray(list, part);
  }
  return out;
}

static cJSON *translate(struct reader *x, const cJSON *in, unsigned depth)
{
  const cJSON *one;
  if (depth > FUNNEL_MAX_DEPTH)
    return refuse(x, "The filter expression is nested too deeply.");
  if ((one = member(in, "andGroup")) != NULL)
    return translate_group(x, one, "andGroup", depth);
  if ((one = member(in, "orGroup")) != NULL)
    return translate_group(x, one, "orGroup", depth);
  if ((one = member(in, "funnelFieldFilter")) != NULL ||
      (one = member(in, "segmentFilter")) != NULL)
    return translate_field(one, text_of(one, "fieldName"));
  if ((one = member(in, "funnelEventFilter")) != NULL ||
      (one = member(in, "segmentEventFilter")) != NULL)
    return translate_event(x, one, depth);
  if ((one = member(in, "funnelParameterFilter")) != NULL ||
      (one = member(in, "segmentParameterFilter")) != NULL)
    return translate_parameter(x, one);
  if ((one = member(in, "notExpression")) == NULL)
    return refuse(x, "The filter expression is empty.");
  cJSON *inner = translate(x, one, depth + 1), *out = NULL;
  if (inner != NULL) {
    out = cJSON_CreateObject();
    cJSON_AddItemToObject(out, "notExpression", inner);
  }
  return out;
}

enum err_code funnel_duration(struct reader *x, const char *name, const char *text, double *out)
{
  char *end = NULL;
  *out = text[0] == '\0' ? 0 : strtod(text, &end);
  if (text[0] == '\0' || (end != text && strcmp(end, "s") == 0 && *out >= 0))
    return ERR_OK;
  return request_invalid(x->e, "Invalid %s : %s. A duration is a number of seconds followed by s.",
                         name, text);
}

enum err_code funnel_filter(struct reader *x, const cJSON *expression, const char **sql)
{
  cJSON *filter = translate(x, expression, 0);
  if (filter == NULL)
    return x->e->code;
  size_t before = x->r->text_count;
  enum err_code code = filter_compile(x->r, filter, false, sql, x->e);
  /* Bound texts are those of the filter, which ends here. */
  for (size_t i = before; i < x->r->text_count; i++)
    x->r->texts[i] = arena_strdup(x->r->arena, x->r->texts[i]);
  cJSON_Delete(filter);
  return code;
}

static enum err_code read_step(struct reader *x, const cJSON *step, struct funnel_request *f)
{
  struct funnel_step *out = &f->steps[f->step_count];
  const char *name = text_of(step, "name");
  enum err_code code = funnel_filter(x, member(step, "filterExpression"), &out->sql);
  if (code == ERR_OK)
    code = funnel_duration(x, "withinDurationFromPriorStep",
                           text_of(step, "withinDurationFromPriorStep"), &out->within_s);
  f->step_count++;
  out->directly = cJSON_IsTrue(member(step, "isDirectlyFollowedBy"));
  out->name = name[0] != '\0' ? arena_printf(x->r->arena, "%zu. %s", f->step_count, name)
                              : arena_printf(x->r->arena, "%zu. Step", f->step_count);
  return code;
}

static enum err_code read_steps(struct reader *x, struct funnel_request *f)
{
  const cJSON *funnel = member(x->tree, "funnel"), *steps = member(funnel, "steps"), *step;
  int n = cJSON_GetArraySize(steps);
  enum err_code code = ERR_OK;
  f->open = cJSON_IsTrue(member(funnel, "isOpenFunnel"));
  if (n == 0)
    return request_invalid(x->e, "A funnel requires at least one step.");
  if (n > FUNNEL_MAX_STEPS)
    return request_invalid(x->e, "Funnels are limited to %d steps. This request is for %d steps.",
                           FUNNEL_MAX_STEPS, n);
  cJSON_ArrayForEach(step, steps)
  {
    if (code == ERR_OK)
      code = read_step(x, step, f);
  }
  return code;
}

static enum err_code read_limit(struct reader *x, const cJSON *in, int64_t *out)
{
  const cJSON *limit = member(in, "limit");
  *out = limit == NULL || limit->valuedouble == 0 ? FUNNEL_DEFAULT_VALUES
                                                  : (int64_t)limit->valuedouble;
  if (*out >= 0 && *out <= FUNNEL_MAX_VALUES)
    return ERR_OK;
  return request_invalid(x->e, "limit must be from 1 to %d. The API received limit = %lld",
                         FUNNEL_MAX_VALUES, (long long)*out);
}

/* A dimension by name, or one that an expression makes. */
static enum err_code dimension_sql(struct reader *x, const cJSON *dimension, const char **sql)
{
  const cJSON *expression = member(dimension, "dimensionExpression");
  return expression != NULL
             ? checks_dimension_expression(x, expression, sql)
             : request_dimension_sql(x->r, text_of(dimension, "name"), sql, x->e);
}

static enum err_code read_rows(struct reader *x, struct funnel_request *f)
{
  const cJSON *limit = member(x->tree, "limit");
  double n = limit == NULL ? 0 : limit->valuedouble;
  if (n < 0)
    return request_invalid(x->e, "limit must be positive. The API received limit = %.0f", n);
  f->limit = n == 0                    ? REQUEST_DEFAULT_LIMIT
             : n > REQUEST_MAX_LIMIT ? REQUEST_MAX_LIMIT
                                     : (int64_t)n;
  return ERR_OK;
}

static enum err_code read_values(struct reader *x, struct funnel_request *f)
{
  const cJSON *breakdown = member(x->tree, "funnelBreakdown");
  const cJSON *next = member(x->tree, "funnelNextAction");
  enum err_code code = ERR_OK;
  if (breakdown != NULL && next != NULL)
    return request_invalid(x->e, "A funnel must not have both a breakdown and a next action.");
  if (breakdown != NULL) {
    f->breakdown = text_of(member(breakdown, "breakdownDimension"), "name");
    code = dimension_sql(x, member(breakdown, "breakdownDimension"), &f->breakdown_sql);
    return code == ERR_OK ? read_limit(x, breakdown, &f->breakdown_limit) : code;
  }
  if (next != NULL) {
    code = dimension_sql(x, member(next, "nextActionDimension"), &f->next_sql);
    return code == ERR_OK ? read_limit(x, next, &f->next_limit) : code;
  }
  return ERR_OK;
}

/* Without ranges: the last thirty days, today not among them. */
static enum err_code read_days(struct reader *x)
{
  if (cJSON_GetArraySize(member(x->tree, "dateRanges")) > REQUEST_MAX_RANGES)
    return request_invalid(
        x->e, "Requests are limited to 4 dateRanges.\n  This request contains %d dateRanges.",
        cJSON_GetArraySize(member(x->tree, "dateRanges")));
  if (cJSON_GetArraySize(member(x->tree, "dateRanges")) > 0)
    return check_ranges(x);
  x->r->ranges[x->r->range_count++] = (struct request_range){
      .name = "date_range_0", .start = x->today - DEFAULT_DAYS, .end = x->today - 1};
  return ERR_OK;
}

enum err_code funnel_read(struct funnel_request *f, const cJSON *tree,
                          const struct world_property *property, int64_t today, struct arena *arena,
                          struct err *e)
{
  struct report_request *r = &f->base;
  struct report_conditions conditions = r->conditions;
  *f = (struct funnel_request){0};
  *r = (struct report_request){
      .property = property, .arena = arena, .conditions = conditions, .currency_code = ""};
  struct reader x = {.r = r, .tree = tree, .today = today, .e = e};
  const cJSON *kind = member(tree, "funnelVisualizationType");
  f->trended = kind != NULL && kind->valueint == FUNNEL_TRENDED;
  r->return_quota = cJSON_IsTrue(member(tree, "returnPropertyQuota"));
  enum err_code code =
      filter_compile(r, member(tree, "dimensionFilter"), false, &r->dimension_filter, e);
  if (code == ERR_OK)
    code = read_rows(&x, f);
  if (code == ERR_OK)
    code = read_days(&x);
  if (code == ERR_OK)
    code = read_steps(&x, f);
  if (code == ERR_OK)
    code = read_values(&x, f);
  if (code == ERR_OK)
    code = segments_read(&f->segments, &x);
  r->metric_count = 4;
  r->requested_dimensions = f->step_count;
  return code;
}
