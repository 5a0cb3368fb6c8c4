/* Reports of one shape, whatever is asked: headers that fit the question, and the same figure in
 * every cell. */
#include "ga4-sim/stub/answer.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/mem.h"

/* The days of a range, from 1970. */
struct days {
  int64_t first, last;
};

static int64_t day_of(const char *text, int64_t today)
{
  int64_t day = today;
  char *end = NULL;
  if (text == NULL || strcmp(text, "today") == 0)
    return today;
  if (strcmp(text, "yesterday") == 0)
    return today - 1;
  if (clock_parse_date(text, &day))
    return day;
  long ago = strtol(text, &end, 10);
  return strcmp(end, "daysAgo") == 0 && ago >= 0 && ago < 100000 ? today - ago : today;
}

static struct days days_of(const cJSON *range, int64_t today)
{
  struct days d = {day_of(json_get_string(range, "startDate"), today),
                   day_of(json_get_string(range, "endDate"), today)};
  if (d.last - d.first >= STUB_MAX_DAYS)
    d.first = d.last - STUB_MAX_DAYS + 1;
  return d;
}

static void put_day(struct buf *out, int64_t day)
{
  char text[32];
  clock_format_rfc3339(day * 86400000, text, sizeof(text));
  buf_printf(out, "%.4s%.2s%.2s", text, text + 5, text + 8);
}

static bool named(const cJSON *item, const char *name)
{
  const char *text = json_get_string(item, "name");
  return text != NULL && strcmp(text, name) == 0;
}

static void put_headers(struct buf *out, const char *list, const cJSON *items, bool ranges,
                        const char *more)
{
  const cJSON *item;
  const char *comma = "";
  buf_printf(out, "\"%s\":[", list);
  cJSON_ArrayForEach(item, items)
  {
    const char *name = json_get_string(item, "name");
    buf_printf(out, "%s{\"name\":\"%s\"%s}", comma, name != NULL ? name : "", more);
    comma = ",";
  }
  if (ranges)
    buf_printf(out, "%s{\"name\":\"dateRange\"}", comma);
  buf_puts(out, "],");
}

struct report {
  const cJSON *dimensions, *metrics, *ranges;
  bool by_day, several;
  int64_t today, rows;
  int64_t all, offset, limit; /* rows by other dimensions than date, and the page of them */
  int64_t combinations;       /* of dimension values, which is what Google counts and pages by */
};

/* Whether an earlier range has the day, too. */
static bool seen(const struct report *r, int64_t day, int range)
{
  for (int i = 0; i < range; i++) {
    struct days d = days_of(cJSON_GetArrayItem(r->ranges, i), r->today);
    if (day >= d.first && day <= d.last)
      return true;
  }
  return false;
}

static void put_row(struct buf *out, struct report *r, int64_t row, int64_t day, int range)
{
  const cJSON *item;
  const char *comma = "";
  buf_puts(out, r->rows++ > 0 ? ",{\"dimensionValues\":[" : "{\"dimensionValues\":[");
  cJSON_ArrayForEach(item, r->dimensions)
  {
    buf_printf(out, "%s{\"value\":\"", comma);
    if (named(item, "date"))
      put_day(out, day);
    else
      buf_printf(out, "value %lld", (long long)(r->by_day ? 0 : row));
    buf_puts(out, "\"}");
    comma = ",";
  }
  if (r->several)
    buf_printf(out, "%s{\"value\":\"date_range_%d\"}", comma, range);
  comma = "";
  buf_puts(out, "],\"metricValues\":[");
  cJSON_ArrayForEach(item, r->metrics)
  {
    buf_printf(out, "%s{\"value\":\"%d\"}", comma, STUB_METRIC);
    comma = ",";
  }
  buf_puts(out, "]}");
}

static void put_rows(struct buf *out, struct report *r, const struct days *d, int range)
{
  int64_t n = r->by_day                               ? d->last - d->first + 1
              : cJSON_GetArraySize(r->dimensions) > 0 ? r->all
                                                      : 1;
  for (int64_t i = 0; i < n; i++) {
    if (i >= r->offset && (r->by_day || i - r->offset < r->limit))
      put_row(out, r, i, d->first + i, range);
    r->combinations += r->by_day ? !seen(r, d->first + i, range) : range == 0;
  }
}

/* An int64, which may be a text. */
static int64_t int64_of(const cJSON *request, const char *name)
{
  const char *text = json_get_string(request, name);
  return text != NULL ? strtoll(text, NULL, 10) : (int64_t)json_get_number(request, name, 0);
}

static void put_report(struct buf *out, const cJSON *request, const struct stub_facts *f)
{
  const cJSON *item;
  struct report r = {.dimensions = cJSON_GetObjectItemCaseSensitive(request, "dimensions"),
                     .metrics = cJSON_GetObjectItemCaseSensitive(request, "metrics"),
                     .ranges = cJSON_GetObjectItemCaseSensitive(request, "dateRanges"),
                     .today = f->today,
                     .all = f->rows,
                     .offset = int64_of(request, "offset"),
                     .limit = int64_of(request, "limit")};
  int range = 0;
  if (r.limit <= 0)
    r.limit = STUB_LIMIT;
  r.several = cJSON_GetArraySize(r.ranges) > 1;
  cJSON_ArrayForEach(item, r.dimensions) r.by_day |= named(item, "date");
  buf_putc(out, '{');
  put_headers(out, "dimensionHeaders", r.dimensions, r.several, "");
  put_headers(out, "metricHeaders", r.metrics, false, ",\"type\":\"TYPE_INTEGER\"");
  buf_puts(out, "\"rows\":[");
  cJSON_ArrayForEach(item, r.ranges)
  {
    struct days d = days_of(item, f->today);
    put_rows(out, &r, &d, range++);
  }
  buf_printf(out,
             "],\"rowCount\":%lld,\"metadata\":{\"currencyCode\":\"USD\",\"timeZone\":"
             "\"America/Chicago\"},\"kind\":\"analyticsData#runReport\"}",
             (long long)r.combinations);
}

static void put_batch(struct buf *out, const cJSON *batch, const struct stub_facts *f)
{
  const cJSON *request;
  const char *comma = "";
  buf_puts(out, "{\"reports\":[");
  cJSON_ArrayForEach(request, cJSON_GetObjectItemCaseSensitive(batch, "requests"))
  {
    buf_puts(out, comma);
    put_report(out, request, f);
    comma = ",";
  }
  buf_puts(out, "],\"kind\":\"analyticsData#batchRunReports\"}");
}

static bool ends_with(const char *text, const char *end)
{
  size_t n = strlen(text), m = strlen(end);
  return n >= m && strcmp(text + n - m, end) == 0;
}

void stub_metadata(struct buf *out, const char *path)
{
  /* "/v1beta/properties/N/metadata" */
  const char *name = strstr(path, "properties/");
  buf_puts(out, "{\"name\":");
  buf_put_json_string(out, name != NULL ? name : "", name != NULL ? strlen(name) : 0);
  buf_puts(out, ",\"dimensions\":[],\"metrics\":[]}");
}

int stub_answer(struct buf *out, const char *path, const char *body, size_t len,
                const struct stub_facts *f)
{
  bool batch = ends_with(path, ":batchRunReports");
  if (strcmp(path, "/token") == 0) {
    buf_puts(out, "{\"access_token\":\"stub-access-token\",\"expires_in\":3599,\"scope\":"
                  "\"https://www.googleapis.com/auth/analytics.readonly\",\"token_type\":"
                  "\"Bearer\"}");
    return 200;
  }
  if (!batch && !ends_with(path, ":runReport")) {
    buf_puts(out, "{\"error\":{\"code\":404,\"message\":\"The stub does not have this method.\","
                  "\"status\":\"NOT_FOUND\"}}");
    return 404;
  }
  AUTO_JSON cJSON *request = NULL;
  if (json_parse(&request, body, len, NULL, NULL) != ERR_OK) {
    buf_puts(out, "{\"error\":{\"code\":400,\"message\":\"Not JSON.\",\"status\":"
                  "\"INVALID_ARGUMENT\"}}");
    return 400;
  }
  if (batch)
    put_batch(out, request, f);
  else
    put_report(out, request, f);
  return 200;
}
