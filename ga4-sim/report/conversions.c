/* Reports of advertising conversions. A visit of this world has one source, so both attribution
 * models and both dates of a conversion give the same figures; ads have neither cost nor clicks. */
#include "ga4-sim/report/conversions.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/checks.h"

enum { FIRST_ACTION = 1001 };

static const char *const dimensions[] = {
    "campaignName",        "continent",    "country",      "defaultChannelGroup",
    "deviceCategory",      "medium",       "platform",     "source",
    "primaryChannelGroup", "sourceMedium", "subContinent", "sourcePlatform"};

static const struct {
  const char *name;
  enum metric_type type;
  bool counts; /* conversions; the world has nothing of the others */
} metrics[] = {
    {"advertiserAdClicks", METRIC_TYPE_INTEGER, false},
    {"advertiserAdCost", METRIC_TYPE_CURRENCY, false},
    {"advertiserAdCostPerAllConversionsByConversionDate", METRIC_TYPE_CURRENCY, false},
    {"advertiserAdCostPerAllConversionsByInteractionDate", METRIC_TYPE_CURRENCY, false},
    {"advertiserAdCostPerClick", METRIC_TYPE_CURRENCY, false},
    {"advertiserAdImpressions", METRIC_TYPE_INTEGER, false},
    {"allConversionsByConversionDate", METRIC_TYPE_FLOAT, true},
    {"allConversionsByInteractionDate", METRIC_TYPE_FLOAT, true},
    {"returnOnAdSpendByConversionDate", METRIC_TYPE_FLOAT, false},
    {"returnOnAdSpendByInteractionDate", METRIC_TYPE_FLOAT, false},
    {"totalRevenueByConversionDate", METRIC_TYPE_CURRENCY, false},
    {"totalRevenueByInteractionDate", METRIC_TYPE_CURRENCY, false},
};

const char *conversions_metric_sql(const struct report_request *r, const char *name,
                                   enum metric_type *type)
{
  for (size_t i = 0; i < ARRAY_LEN(metrics); i++) {
    if (strcmp(metrics[i].name, name) != 0)
      continue;
    *type = metrics[i].type;
    return metrics[i].counts ? r->conversions : "0";
  }
  return NULL;
}

static bool has_dimension(const char *name)
{
  for (size_t i = 0; i < ARRAY_LEN(dimensions); i++)
    if (strcmp(dimensions[i], name) == 0)
      return true;
  return strcmp(name, "dateRange") == 0 || strcmp(name, "comparison") == 0;
}

static enum err_code check_dimension(struct reader *x, const char *name)
{
  return has_dimension(name)
             ? ERR_OK
             : request_invalid(x->e, "The dimension %s is not available in conversion reports.",
                               name);
}

/* A dimension that an expression makes is made of those that there are. */
static enum err_code check_parts(struct reader *x, const cJSON *expression)
{
  const cJSON *name, *one = member(expression, "lowerCase");
  if (one == NULL)
    one = member(expression, "upperCase");
  enum err_code code = one == NULL ? ERR_OK : check_dimension(x, text_of(one, "dimensionName"));
  cJSON_ArrayForEach(name, member(member(expression, "concatenate"), "dimensionNames"))
  {
    if (code == ERR_OK)
      code = check_dimension(x, name->valuestring);
  }
  return code;
}

static enum err_code check_dimensions(struct reader *x)
{
  const cJSON *d;
  enum err_code code = ERR_OK;
  cJSON_ArrayForEach(d, member(x->tree, "dimensions"))
  {
    const cJSON *expression = member(d, "dimensionExpression");
    if (code == ERR_OK)
      code = expression != NULL ? check_parts(x, expression)
                                : check_dimension(x, text_of(d, "name"));
  }
  return code;
}

/* The key event of conversionActions/1001 and its like; NULL when there is none. */
static const char *event_of(const struct world_property *p, const char *action)
{
  static const char prefix[] = "conversionActions/";
  if (strncmp(action, prefix, sizeof(prefix) - 1) != 0)
    return NULL;
  char *end;
  long number = strtol(action + sizeof(prefix) - 1, &end, 10) - FIRST_ACTION;
  bool known = *end == '\0' && number >= 0 && (size_t)number < p->key_event_count;
  return known ? p->key_events[number].name : NULL;
}

/* SQL of all conversions, or of those of the actions that are named. */
static enum err_code read_actions(struct reader *x, const cJSON *actions)
{
  struct report_request *r = x->r;
  const cJSON *action;
  r->conversions = "CAST(n_key AS REAL)";
  r->needs |= NEED_EVENTS;
  if (cJSON_GetArraySize(actions) == 0)
    return ERR_OK;
  if (cJSON_GetArraySize(actions) > REQUEST_MAX_KEY_EVENTS)
    return request_invalid(x->e, "The conversionSpec has too many conversionActions.");
  r->conversions = "0.0";
  cJSON_ArrayForEach(action, actions)
  {
    const char *event = event_of(r->property, action->valuestring);
    if (event == NULL)
      return request_invalid(x->e, "The conversion action %s does not exist.", action->valuestring);
    r->conversions =
        arena_printf(r->arena, "%s+CAST(key_%zu AS REAL)", r->conversions, r->key_event_count);
    r->key_events[r->key_event_count++] = event;
    if (r->conversions == NULL)
      return request_invalid(x->e, "The request is too large.");
  }
  return ERR_OK;
}

enum err_code conversions_read(struct report_request *r, const cJSON *tree,
                               const struct world_property *property, int64_t today,
                               struct arena *arena, struct err *e)
{
  const cJSON *spec = member(tree, "conversionSpec");
  if (spec == NULL)
    return request_read(r, tree, property, today, arena, e);
  *r = (struct report_request){.property = property, .arena = arena, .conditions = r->conditions};
  struct reader x = {.r = r, .tree = tree, .today = today, .e = e};
  r->more_metadata = ",\"section\":\"SECTION_ADVERTISING\"";
  enum err_code code = read_actions(&x, member(spec, "conversionActions"));
  if (code == ERR_OK)
    code = check_dimensions(&x);
  if (code == ERR_OK)
    code = check_common(&x);
  if (code == ERR_OK)
    code = check_orders(&x);
  return code == ERR_OK ? check_aggregations(&x) : code;
}
