/* runRealtimeReport: the events of the last half hour. The world's events have an hour; the minute
 * of each follows from its session. */
#include "ga4-sim/report/realtime.h"

#include <string.h>

#include "common/base/mem.h"
#include "ga4-sim/report/checks.h"
#include "ga4-sim/report/fields.h"
#include "ga4-sim/world/calendar.h"

enum { RANGES_MAX = 2, MINUTES_BACK = 29, FIXED_MINUTE = 12 * 60 + 30 };

#define SCHEMA_HINT                                                                                \
  "For a list of valid dimensions and metrics, see "                                               \
  "https://developers.google.com/analytics/devguides/reporting/data/v1/realtime-api-schema "

static const char *const dimensions[] = {
    "appVersion", "audienceId", "audienceName", "audienceResourceName", "city",
    "cityId",     "country",    "countryId",    "deviceCategory",       "eventName",
    "minutesAgo", "platform",   "streamId",     "streamName",           "unifiedScreenName"};
static const char *const metrics[] = {"activeUsers", "eventCount", "keyEvents", "screenPageViews"};

struct realtime_moment realtime_now(const struct world *w, const struct world_property *p,
                                    int64_t unix_ms)
{
  enum { DAY_MS = 86400000 };
  if (w->fixed_today)
    return (struct realtime_moment){w->params.today, FIXED_MINUTE};
  int64_t today = calendar_local_day(unix_ms, p->time_zone);
  /* Midnight lies between a moment of the day before and now. */
  int64_t before = unix_ms - DAY_MS - DAY_MS / 8, after = unix_ms;
  while (after - before > 1) {
    int64_t middle = before + (after - before) / 2;
    if (calendar_local_day(middle, p->time_zone) < today)
      before = middle;
    else
      after = middle;
  }
  return (struct realtime_moment){today, (int)((unix_ms - after) / 60000)};
}

static bool is_listed(const char *const *list, size_t n, const char *name)
{
  for (size_t i = 0; i < n; i++)
    if (strcmp(list[i], name) == 0)
      return true;
  return false;
}

/* A field of the core schema that a realtime report does not have. */
static enum err_code check_name(struct reader *x, const char *name, bool metric)
{
  bool known = metric ? is_listed(metrics, ARRAY_LEN(metrics), name)
                      : is_listed(dimensions, ARRAY_LEN(dimensions), name);
  bool core = metric ? metric_field_find(name) != NULL : dimension_field_find(name) != NULL;
  if (known || !core)
    return ERR_OK; /* the common checks name those that nobody knows */
  return request_invalid(x->e, "Field %s is not a valid %s.%s" SCHEMA_HINT, name,
                         metric ? "metric" : "dimension", metric ? "  " : " ");
}

static enum err_code check_filter(struct reader *x, const cJSON *node, bool metric)
{
  const cJSON *child;
  enum err_code code = ERR_OK;
  cJSON_ArrayForEach(child, node)
  {
    if (code != ERR_OK)
      break;
    if (child->string != NULL && strcmp(child->string, "fieldName") == 0 && cJSON_IsString(child))
      code = check_name(x, child->valuestring, metric);
    else if (cJSON_IsObject(child) || cJSON_IsArray(child))
      code = check_filter(x, child, metric);
  }
  return code;
}

static enum err_code check_names(struct reader *x)
{
  const cJSON *item;
  enum err_code code = ERR_OK;
  cJSON_ArrayForEach(item, member(x->tree, "dimensions"))
  {
    if (code == ERR_OK && member(item, "dimensionExpression") == NULL)
      code = check_name(x, text_of(item, "name"), false);
  }
  cJSON_ArrayForEach(item, member(x->tree, "metrics"))
  {
    if (code == ERR_OK && text_of(item, "expression")[0] == '\0')
      code = check_name(x, text_of(item, "name"), true);
  }
  if (code == ERR_OK)
    code = check_filter(x, member(x->tree, "dimensionFilter"), false);
  return code == ERR_OK ? check_filter(x, member(x->tree, "metricFilter"), true) : code;
}

static enum err_code add_range(struct reader *x, const char *name, int start, int end)
{
  struct report_request *r = x->r;
  struct request_range *out = &r->ranges[r->range_count];
  if (start < end)
    return request_invalid(x->e,
                           "startMinutesAgo must be greater than or equal to endMinutesAgo. "
                           "startMinutesAgo = %d and endMinutesAgo = %d",
                           start, end);
  if (end < 0 || start > MINUTES_BACK)
    return request_invalid(x->e,
                           "Minute ranges must be from 0 to %d minutes ago. startMinutesAgo = %d "
                           "and endMinutesAgo = %d",
                           MINUTES_BACK, start, end);
  *out = (struct request_range){
      .name = name[0] != '\0' ? name : arena_printf(r->arena, "date_range_%zu", r->range_count),
      .start = x->today,
      .end = x->today,
      .condition = arena_printf(r->arena, "%s BETWEEN %d AND %d", r->minutes_ago, end, start)};
  r->range_count++;
  return out->name == NULL || out->condition == NULL
             ? request_invalid(x->e, "The request is too large.")
             : ERR_OK;
}

static enum err_code read_minutes(struct reader *x)
{
  const cJSON *ranges = member(x->tree, "minuteRanges"), *range;
  int count = cJSON_GetArraySize(ranges);
  enum err_code code = ERR_OK;
  if (count == 0)
    return add_range(x, "", MINUTES_BACK, 0);
  if (count > RANGES_MAX)
    return request_invalid(
        x->e, "Requests are limited to %d minuteRanges.\n  This request contains %d minuteRanges.",
        RANGES_MAX, count);
  cJSON_ArrayForEach(range, ranges)
  {
    const cJSON *start = member(range, "startMinutesAgo"), *end = member(range, "endMinutesAgo");
    if (code == ERR_OK)
      code = add_range(x, text_of(range, "name"), start == NULL ? MINUTES_BACK : start->valueint,
                       end == NULL ? 0 : end->valueint);
  }
  return code;
}

enum err_code realtime_read(struct report_request *r, const cJSON *tree,
                            const struct world_property *property, struct realtime_moment now,
                            struct arena *arena, struct err *e)
{
  *r = (struct report_request){
      .property = property, .arena = arena, .conditions = r->conditions, .currency_code = ""};
  r->conditions.freshness_lag_days = 0;
  r->minutes_ago = arena_printf(arena, "(%d-e.hour*60-e.session_id*37%%60)", now.minute);
  r->needs = NEED_EVENTS;
  r->event_scoped = true;
  struct reader x = {.r = r, .tree = tree, .today = now.today, .e = e};
  enum err_code code = check_names(&x);
  if (code == ERR_OK)
    code = check_fields(&x);
  if (code == ERR_OK)
    code = check_window(&x);
  if (code == ERR_OK)
    code = read_minutes(&x);
  if (code == ERR_OK)
    code = check_cardinality(&x);
  r->return_quota = cJSON_IsTrue(member(tree, "returnPropertyQuota"));
  r->requested_dimensions = r->dimension_count;
  append_roles(r);
  if (code == ERR_OK)
    code = check_orders(&x);
  return code == ERR_OK ? check_aggregations(&x) : code;
}
