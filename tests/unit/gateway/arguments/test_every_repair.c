/* For random valid calls, every combination of repairs gives the same request as the plain call.
 *
 * A plain call is made at random from valid parts. Each bit of a mask is one kind of sloppiness,
 * applied to everything in the call that it can be applied to; all masks are tried on every call.
 */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/gateway/arguments/reading.h"
#include "tests/unit/harness.h"

enum {
  SLOPPY_NAMES = 1,    /* of arguments: camelCase, kebab-case, aliases */
  SLOPPY_NUMBERS = 2,  /* numbers as text and text as numbers */
  SLOPPY_LISTS = 4,    /* one value for a list, a list of one for a value */
  SLOPPY_BLANKS = 8,   /* blanks, zero-width marks, full-width digits */
  SLOPPY_ABSENT = 16,  /* words for nothing in arguments that are not given */
  SLOPPY_FIELDS = 32,  /* names of dimensions and metrics */
  SLOPPY_FILTERS = 64, /* filters and sort orders */
  SLOPPY_DATES = 128,  /* days in other forms */
  SLOPPY_JSON = 256,   /* lists and objects as text */
  MASKS = 512,
  CALLS = 24
};

/* A small generator of its own, so that a failure can be repeated. */
struct dice {
  uint64_t state;
};

static unsigned roll(struct dice *d, unsigned sides)
{
  d->state = d->state * 6364136223846793005ULL + 1442695040888963407ULL;
  return (unsigned)(d->state >> 33) % sides;
}

static const char *const metrics[][4] = {
    {"sessions", "Sessions", "SESSIONS", "ses-sions"},
    {"engagedSessions", "engaged_sessions", "Engaged sessions", "ENGAGEDSESSIONS"},
    {"screenPageViews", "Views", "screen_page_views", "views"},
    {"bounceRate", "Bounce rate", "bounce_rate", "bounce-rate"},
    {"averageSessionDuration", "Average session duration", "average_session_duration",
     "AverageSessionDuration"},
};
static const char *const dimensions[][4] = {
    {"date", "Date", "DATE", " date"},
    {"sessionDefaultChannelGroup", "Session default channel group", "session_default_channel_group",
     "SessionDefaultChannelGroup"},
    {"sessionSourceMedium", "Session source / medium", "session_source_medium",
     "session source medium"},
    {"pagePathPlusQueryString", "Page path + query string", "page_path_plus_query_string",
     "PagePathPlusQueryString"},
    {"customEvent:Item_make", "customevent:Item_make", "CUSTOMEVENT:Item_make",
     "customEvent: Item_make"},
};
static const char *const days[][4] = {
    {"28daysAgo", "28 days ago", "28DaysAgo", "28 DAYS AGO"},
    {"yesterday", "Yesterday", "YESTERDAY", "yesterday"},
    {"2026-10-05", "20261005", "October 5, 2026", "5 Oct 2026"},
    {"2026-09-30", "2026-9-30", "2026-09-30T00:00:00Z", "30th September 2026"},
};
static const char *const cities[] = {"Reno", "St. Louis", " odd  blanks ", "null", "10"};

/* Index of the plain name in a table of spellings; -1 when it is in none. */
static int find_row(const char *const table[][4], size_t n, const char *text)
{
  for (size_t i = 0; i < n; i++) {
    if (strcmp(table[i][0], text) == 0)
      return (int)i;
  }
  return -1;
}

/* ------------------------------------------------------------------ plain calls */

static cJSON *random_names(struct dice *d, const char *const table[][4], size_t n)
{
  cJSON *list = cJSON_CreateArray();
  size_t count = 1 + roll(d, 3), first = roll(d, (unsigned)n);
  for (size_t i = 0; i < count; i++)
    cJSON_AddItemToArray(list, cJSON_CreateString(table[(first + i) % n][0]));
  return list;
}

static cJSON *random_range(struct dice *d)
{
  cJSON *range = cJSON_CreateObject();
  cJSON_AddStringToObject(range, "start_date", days[roll(d, 4)][0]);
  cJSON_AddStringToObject(range, "end_date", days[roll(d, 4)][0]);
  return range;
}

static cJSON *random_condition(struct dice *d, bool metric)
{
  cJSON *expression = cJSON_CreateObject(), *filter = cJSON_AddObjectToObject(expression, "filter");
  cJSON_AddStringToObject(filter, "field_name",
                          metric ? metrics[roll(d, 5)][0] : dimensions[roll(d, 5)][0]);
  if (metric) {
    cJSON *numeric = cJSON_AddObjectToObject(filter, "numeric_filter");
    cJSON_AddStringToObject(numeric, "operation",
                            roll(d, 2) ? "GREATER_THAN" : "LESS_THAN_OR_EQUAL");
    cJSON_AddNumberToObject(cJSON_AddObjectToObject(numeric, "value"), "int64_value",
                            roll(d, 1000));
  } else if (roll(d, 2)) {
    cJSON *text = cJSON_AddObjectToObject(filter, "string_filter");
    cJSON_AddStringToObject(text, "match_type", roll(d, 2) ? "CONTAINS" : "BEGINS_WITH");
    cJSON_AddStringToObject(text, "value", cities[roll(d, 5)]);
  } else {
    cJSON *values =
        cJSON_AddArrayToObject(cJSON_AddObjectToObject(filter, "in_list_filter"), "values");
    for (unsigned i = roll(d, 2) + 1; i > 0; i--)
      cJSON_AddItemToArray(values, cJSON_CreateString(cities[roll(d, 5)]));
  }
  return expression;
}

static cJSON *random_filter(struct dice *d, bool metric, int depth)
{
  unsigned kind = depth > 0 ? roll(d, 4) : 3;
  if (kind == 3)
    return random_condition(d, metric);
  cJSON *out = cJSON_CreateObject();
  if (kind == 2) {
    cJSON_AddItemToObject(out, "not_expression", random_filter(d, metric, depth - 1));
    return out;
  }
  cJSON *list = cJSON_AddArrayToObject(
      cJSON_AddObjectToObject(out, kind == 0 ? "and_group" : "or_group"), "expressions");
  for (unsigned i = roll(d, 2) + 1; i > 0; i--)
    cJSON_AddItemToArray(list, random_filter(d, metric, depth - 1));
  return out;
}

static cJSON *random_report(struct dice *d)
{
  cJSON *call = cJSON_CreateObject();
  if (roll(d, 2))
    cJSON_AddStringToObject(call, "dealer_id", roll(d, 2) ? "d01" : "77");
  else
    cJSON_AddStringToObject(call, "property_id", "213025502");
  cJSON_AddItemToObject(call, "metrics", random_names(d, metrics, ARRAY_LEN(metrics)));
  if (roll(d, 2))
    cJSON_AddItemToObject(call, "dimensions", random_names(d, dimensions, ARRAY_LEN(dimensions)));
  if (roll(d, 2))
    cJSON_AddItemToArray(cJSON_AddArrayToObject(call, "date_ranges"), random_range(d));
  if (roll(d, 2))
    cJSON_AddItemToObject(call, "dimension_filter", random_filter(d, false, 2));
  if (roll(d, 2))
    cJSON_AddItemToObject(call, "metric_filter", random_filter(d, true, 2));
  if (roll(d, 2)) {
    cJSON *order = cJSON_CreateObject();
    const char *metric = cJSON_GetArrayItem(cJSON_GetObjectItem(call, "metrics"), 0)->valuestring;
    cJSON_AddStringToObject(cJSON_AddObjectToObject(order, "metric"), "metric_name", metric);
    cJSON_AddBoolToObject(order, "desc", true);
    cJSON_AddItemToArray(cJSON_AddArrayToObject(call, "order_bys"), order);
  }
  if (roll(d, 2))
    cJSON_AddNumberToObject(call, "limit", 1 + roll(d, 1000));
  if (roll(d, 2))
    cJSON_AddBoolToObject(call, "return_property_quota", roll(d, 2) != 0);
  return call;
}

static cJSON *random_comparison(struct dice *d)
{
  cJSON *call = cJSON_CreateObject();
  if (roll(d, 2)) {
    cJSON *list = cJSON_AddArrayToObject(call, "dealer_ids");
    cJSON_AddItemToArray(list, cJSON_CreateString("d01"));
    cJSON_AddItemToArray(list, cJSON_CreateString(roll(d, 2) ? "d02" : "77"));
  } else {
    cJSON_AddStringToObject(call, "subject", "d01");
  }
  if (roll(d, 2))
    cJSON_AddItemToObject(call, "date_range", random_range(d));
  return call;
}

/* ------------------------------------------------------------------ sloppiness */

static void set_text(cJSON *value, const char *text)
{
  free(value->valuestring);
  value->valuestring = xstrdup(text);
}

static bool is_any(const char *name, const char *const *names, size_t n)
{
  for (size_t i = 0; name != NULL && i < n; i++) {
    if (strcmp(name, names[i]) == 0)
      return true;
  }
  return false;
}

static void rename_members(cJSON *object, struct dice *d)
{
  static const char *const pairs[][3] = {{"dealer_id", "dealer", "AccountId"},
                                         {"subject", "dealer_id", "dealerName"},
                                         {"property_id", "property", "propertyId"},
                                         {"date_range", "period", "DateRange"},
                                         {"order_bys", "orderBys", "sort"},
                                         {"start_date", "startDate", "from"},
                                         {"end_date", "END-DATE", "to"}};
  for (cJSON *item = object->child; item != NULL; item = item->next) {
    char *name = xstrdup(item->string);
    for (char *c = name; *c != '\0'; c++)
      *c = *c == '_' ? '-' : (char)toupper((unsigned char)*c);
    for (size_t i = 0; i < ARRAY_LEN(pairs); i++) {
      if (strcmp(pairs[i][0], item->string) == 0) {
        free(name);
        name = xstrdup(pairs[i][1 + roll(d, 2)]);
        break;
      }
    }
    free(item->string);
    item->string = name;
  }
}

/* Other spellings of the texts in a list or a value. */
static void respell(cJSON *value, const char *const table[][4], size_t n, struct dice *d)
{
  cJSON *item;
  cJSON_ArrayForEach(item, value) respell(item, table, n, d);
  int row = cJSON_IsString(value) ? find_row(table, n, value->valuestring) : -1;
  if (row >= 0)
    set_text(value, table[row][1 + roll(d, 3)]);
}

static void respell_fields(cJSON *call, struct dice *d)
{
  respell(cJSON_GetObjectItem(call, "metrics"), metrics, ARRAY_LEN(metrics), d);
  respell(cJSON_GetObjectItem(call, "dimensions"), dimensions, ARRAY_LEN(dimensions), d);
}

/* One condition of Google's in another form. */
static cJSON *compact_condition(const cJSON *filter, struct dice *d)
{
  const cJSON *field = cJSON_GetObjectItem(filter, "field_name");
  cJSON *text = cJSON_GetObjectItem(filter, "string_filter"),
        *list = cJSON_GetObjectItem(filter, "in_list_filter"),
        *number = cJSON_GetObjectItem(filter, "numeric_filter");
  cJSON *out = cJSON_CreateObject(), *value = NULL;
  const char *match = NULL;
  if (text != NULL) {
    match = cJSON_GetObjectItem(text, "match_type")->valuestring;
    value = cJSON_Duplicate(cJSON_GetObjectItem(text, "value"), true);
  } else if (list != NULL) {
    match = "in list";
    value = cJSON_Duplicate(cJSON_GetObjectItem(list, "values"), true);
  } else {
    match = strcmp(cJSON_GetObjectItem(number, "operation")->valuestring, "GREATER_THAN") == 0
                ? ">"
                : "lte";
    value = cJSON_CreateNumber(
        cJSON_GetObjectItem(cJSON_GetObjectItem(number, "value"), "int64_value")->valuedouble);
  }
  if (roll(d, 2) && list == NULL) { /* {"sessions": {">": 10}} */
    cJSON_AddItemToObject(cJSON_AddObjectToObject(out, field->valuestring), match, value);
    return out;
  }
  cJSON_AddStringToObject(out, roll(d, 2) ? "field" : "fieldName", field->valuestring);
  cJSON_AddStringToObject(out, roll(d, 2) ? "match" : "operator", match);
  if (!cJSON_IsArray(value) && roll(d, 2)) {
    cJSON *values = cJSON_CreateArray();
    cJSON_AddItemToArray(values, value);
    value = values;
  }
  cJSON_AddItemToObject(out, cJSON_IsArray(value) ? "values" : "value", value);
  return out;
}

/* A join as "and" or "or", or the way that schemas show it. */
static void put_join(cJSON *out, bool both, cJSON *list, struct dice *d)
{
  if (roll(d, 2) && cJSON_GetArraySize(list) > 1) {
    cJSON_AddStringToObject(out, "join", both ? "and" : "or");
    cJSON_AddItemToObject(out, "conditions", list);
    return;
  }
  cJSON_AddItemToObject(
      out, both ? (roll(d, 2) ? "and" : "andGroup") : (roll(d, 2) ? "OR" : "or_group"), list);
}

/* The depth is that of random_filter(). */
static cJSON *compact_filter(const cJSON *expression, struct dice *d)
{
  const cJSON *only = expression->child, *item;
  if (strcmp(only->string, "filter") == 0)
    return compact_condition(only, d);
  cJSON *out = cJSON_CreateObject();
  if (strcmp(only->string, "not_expression") == 0) {
    cJSON *inner = compact_filter(only, d);
    if (roll(d, 2) && cJSON_GetObjectItem(inner, "not") == NULL) {
      cJSON_AddTrueToObject(inner, "not");
      cJSON_Delete(out);
      return inner;
    }
    cJSON_AddItemToObject(out, roll(d, 2) ? "not" : "notExpression", inner);
    return out;
  }
  bool both = strcmp(only->string, "and_group") == 0;
  cJSON *list = cJSON_CreateArray();
  cJSON_ArrayForEach(item, cJSON_GetObjectItem(only, "expressions"))
      cJSON_AddItemToArray(list, compact_filter(item, d));
  put_join(out, both, list, d);
  if (roll(d, 2)) {
    cJSON *wrapper = cJSON_CreateObject();
    cJSON_AddItemToObject(wrapper, "filter_expression", out);
    return wrapper;
  }
  return out;
}

static void replace(cJSON *call, const char *name, cJSON *with)
{
  cJSON_ReplaceItemInObject(call, name, with);
}

static void compact_filters(cJSON *call, struct dice *d)
{
  static const char *const names[] = {"dimension_filter", "metric_filter"};
  for (size_t i = 0; i < ARRAY_LEN(names); i++) {
    const cJSON *filter = cJSON_GetObjectItem(call, names[i]);
    if (filter != NULL)
      replace(call, names[i], compact_filter(filter, d));
  }
  const cJSON *order = cJSON_GetArrayItem(cJSON_GetObjectItem(call, "order_bys"), 0);
  if (order == NULL)
    return;
  const char *name =
      cJSON_GetObjectItem(cJSON_GetObjectItem(order, "metric"), "metric_name")->valuestring;
  AUTO_FREE char *text = xasprintf(roll(d, 2) ? "-%s" : "%s desc", name);
  cJSON *list = cJSON_CreateArray();
  cJSON_AddItemToArray(list, cJSON_CreateString(text));
  replace(call, "order_bys", list);
}

static void loosen_numbers(cJSON *call, struct dice *d)
{
  static const char *const numbers[] = {"limit", "offset", "return_property_quota"};
  static const char *const ids[] = {"dealer_id", "property_id"};
  char text[32];
  for (cJSON *item = call->child, *next; item != NULL; item = next) {
    next = item->next;
    AUTO_FREE char *name = xstrdup(item->string);
    if (is_any(name, numbers, ARRAY_LEN(numbers))) {
      snprintf(text, sizeof(text), "%.0f", item->valuedouble);
      if (cJSON_IsBool(item))
        snprintf(text, sizeof(text), "%s",
                 cJSON_IsTrue(item) ? (roll(d, 2) ? "yes" : "True") : "no");
      replace(call, name, cJSON_CreateString(text));
    } else if (is_any(name, ids, ARRAY_LEN(ids)) && isdigit((unsigned char)item->valuestring[0])) {
      replace(call, name, cJSON_CreateNumber(strtod(item->valuestring, NULL)));
    }
  }
}

static void loosen_lists(cJSON *call)
{
  static const char *const singles[] = {"dealer_id", "property_id", "subject", "limit"};
  for (cJSON *item = call->child, *next; item != NULL; item = next) {
    next = item->next;
    AUTO_FREE char *name = xstrdup(item->string);
    if (cJSON_GetArraySize(item) == 1 && cJSON_IsArray(item)) {
      replace(call, name, cJSON_Duplicate(item->child, true));
    } else if (is_any(name, singles, ARRAY_LEN(singles))) {
      cJSON *list = cJSON_CreateArray();
      cJSON_AddItemToArray(list, cJSON_Duplicate(item, true));
      free(list->child->string);
      list->child->string = NULL;
      replace(call, name, list);
    }
  }
}

static void add_blanks(cJSON *value)
{
  cJSON *item;
  cJSON_ArrayForEach(item, value)
  {
    if (item->string == NULL || (strcmp(item->string, "dimension_filter") != 0 &&
                                 strcmp(item->string, "metric_filter") != 0))
      add_blanks(item);
  }
  if (!cJSON_IsString(value))
    return;
  AUTO_FREE char *text = xasprintf("\u200e \u00a0%s\u200b\t", value->valuestring);
  set_text(value, text);
}

static void add_absent(cJSON *call, bool report)
{
  static const char *const report_names[] = {"currency_code", "dimension_filter", "order_bys",
                                             "offset", "dimensions"};
  static const char *const compare_names[] = {"region", "cohort", "date_range"};
  static const char *const values[] = {"null", "\"none\"", "\"\"", "[null]", "\"Undefined\""};
  const char *const *names = report ? report_names : compare_names;
  for (size_t i = 0; i < (report ? ARRAY_LEN(report_names) : ARRAY_LEN(compare_names)); i++) {
    if (cJSON_GetObjectItem(call, names[i]) == NULL)
      cJSON_AddItemToObject(call, names[i], cJSON_Parse(values[i]));
  }
}

static void to_json_text(cJSON *call)
{
  for (cJSON *item = call->child, *next; item != NULL; item = next) {
    next = item->next;
    if (!cJSON_IsObject(item) && !cJSON_IsArray(item))
      continue;
    AUTO_FREE char *name = xstrdup(item->string), *text = cJSON_PrintUnformatted(item);
    replace(call, name, cJSON_CreateString(text));
  }
}

static void make_sloppy(cJSON *call, unsigned mask, bool report, struct dice *d)
{
  if (mask & SLOPPY_FILTERS)
    compact_filters(call, d);
  if (mask & SLOPPY_FIELDS)
    respell_fields(call, d);
  if (mask & SLOPPY_DATES)
    respell(cJSON_GetObjectItem(call, report ? "date_ranges" : "date_range"), days, ARRAY_LEN(days),
            d);
  for (int i = 0; (mask & SLOPPY_DATES) != 0 && i < 2; i++) {
    cJSON *range = cJSON_GetObjectItem(call, "date_range");
    if (!report)
      respell(cJSON_GetObjectItem(range, i == 0 ? "start_date" : "end_date"), days, ARRAY_LEN(days),
              d);
  }
  if (mask & SLOPPY_NUMBERS)
    loosen_numbers(call, d);
  if (mask & SLOPPY_LISTS)
    loosen_lists(call);
  if (mask & SLOPPY_ABSENT)
    add_absent(call, report);
  if (mask & SLOPPY_BLANKS)
    add_blanks(call);
  if (mask & SLOPPY_NAMES) {
    rename_members(call, d);
    for (cJSON *item = call->child; item != NULL; item = item->next) {
      if (cJSON_IsObject(item) && (cJSON_HasObjectItem(item, "start_date")))
        rename_members(item, d);
    }
  }
  if (mask & SLOPPY_JSON)
    to_json_text(call);
}

/* ------------------------------------------------------------------ the property */

static bool holds(const char *tool, const char *plain, const struct reading *a, unsigned mask,
                  struct dice *d)
{
  cJSON *call = cJSON_Parse(plain);
  make_sloppy(call, mask, strcmp(tool, "run_report") == 0, d);
  AUTO_FREE char *sloppy = cJSON_PrintUnformatted(call);
  cJSON_Delete(call);
  AUTO_READING struct reading b = {0};
  reading_make(&b, tool, sloppy);
  bool same = a->code == ERR_OK && b.code == ERR_OK &&
              strcmp(buf_str(&a->request), buf_str(&b.request)) == 0 && b.notes.n == 0;
  if (!same)
    printf("\n  mask %u\n  plain  %s\n  sloppy %s\n  gives  %s%s\n  not    %s%s\n", mask, plain,
           sloppy, buf_str(&b.request), b.e.message, buf_str(&a->request), a->e.message);
  return same;
}

static void every_combination(const char *tool, cJSON *(*make)(struct dice *), uint64_t seed)
{
  struct dice d = {seed};
  size_t failures = 0;
  for (int i = 0; i < CALLS && failures < 3; i++) {
    cJSON *call = make(&d);
    AUTO_FREE char *plain = cJSON_PrintUnformatted(call);
    cJSON_Delete(call);
    AUTO_READING struct reading request = {0};
    reading_make(&request, tool, plain);
    for (unsigned mask = 0; mask < MASKS && failures < 3; mask++)
      failures += !holds(tool, plain, &request, mask, &d);
  }
  CU_ASSERT_EQUAL(failures, 0);
}

static void every_combination_of_repairs_gives_the_same_report(void)
{
  every_combination("run_report", random_report, 1);
}

static void every_combination_of_repairs_gives_the_same_comparison(void)
{
  every_combination("compare_dealer_sessions", random_comparison, 2);
}

TEST_MAIN("every repair", TEST(every_combination_of_repairs_gives_the_same_report),
          TEST(every_combination_of_repairs_gives_the_same_comparison))
