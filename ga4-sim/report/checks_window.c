/* Which part of the data a request is about: limit and offset, date ranges. */
#include "ga4-sim/report/checks.h"

#include <string.h>

#include "common/base/clock.h"
#include "ga4-sim/world/calendar.h"

enum err_code check_window(struct reader *x)
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

enum err_code check_range(struct reader *x, const cJSON *range, struct request_range *out)
{
  if (range == NULL)
    return request_invalid(x->e, "A dateRange is required.");
  if (read_date(x, text_of(range, "startDate"), "startDate", &out->start) != ERR_OK ||
      read_date(x, text_of(range, "endDate"), "endDate", &out->end) != ERR_OK)
    return ERR_INVALID_ARGUMENT;
  if (out->start > out->end) {
    char a[16], b[16];
    clock_format_date(out->start, a, sizeof(a));
    clock_format_date(out->end, b, sizeof(b));
    return request_invalid(
        x->e,
        "start_date must be less than or equal to end_date. start_date = %s and end_date = %s", a,
        b);
  }
  enum err_code code = check_bounds(x, out->start, "start_date");
  return code == ERR_OK ? check_bounds(x, out->end, "end_date") : code;
}

static enum err_code read_range(struct reader *x, const cJSON *range, size_t index)
{
  struct request_range out = {.name = text_of(range, "name")};
  if (check_range(x, range, &out) != ERR_OK)
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

enum err_code check_ranges(struct reader *x)
{
  const cJSON *ranges = member(x->tree, "dateRanges"), *range;
  size_t i = 0;
  if (cJSON_GetArraySize(ranges) == 0)
    return request_invalid(x->e, "A dateRange is required.");
  cJSON_ArrayForEach(range, ranges)
  {
    if (read_range(x, range, i++) != ERR_OK)
      return ERR_INVALID_ARGUMENT;
  }
  return ERR_OK;
}
