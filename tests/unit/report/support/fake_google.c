/* The fake Google: runReport and accountSummaries over a plan. */
#include <microhttpd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/mem.h"
#include "tests/unit/report/support/fakes.h"

struct upload {
  struct buf body;
};

struct page {
  char *body;
  size_t len, cut; /* cut: bytes after which it breaks off; 0 never */
};

/* ------------------------------------------------------------------ answers */

#define PUT(out, text) buf_append(out, text, sizeof(text) - 1)

static void put_blanks(struct buf *out, int n)
{
  char *at = n > 0 ? buf_reserve(out, (size_t)n) : NULL;
  if (at == NULL)
    return;
  memset(at, ' ', (size_t)n);
  out->len += (size_t)n;
}

/* Without formats: most of what these tests compute is rows. */
static void put_row(struct buf *out, const struct google_plan *plan, int64_t i, int range)
{
  PUT(out, "{\"dimensionValues\":[{\"value\":\"city ");
  buf_put_whole(out, false, (uint64_t)i);
  PUT(out, " ");
  put_blanks(out, plan->value_bytes);
  PUT(out, "\"}");
  if (plan->ranges > 0)
    buf_printf(out, ",{\"value\":\"date_range_%d\"}", range);
  if (i == 2 && plan->odd_value != NULL) {
    buf_printf(out, "],\"metricValues\":[{\"value\":%s}]}", plan->odd_value);
    return;
  }
  PUT(out, "],\"metricValues\":[{\"value\":\"");
  buf_put_whole(out, false, (uint64_t)(i + 1000 * range));
  PUT(out, "\"}]}");
}

/* Google counts and pages in cities, whatever number of rows they have. */
static bool put_rows(struct buf *out, const struct google_plan *plan, int64_t offset, int64_t limit)
{
  const char *before = ",\"rows\":[";
  int64_t end = offset + limit < plan->rows ? offset + limit : plan->rows;
  int64_t start = plan->repeats && offset > 0 ? offset - 1 : offset;
  bool turned = plan->turned_after_cut && plan->cut_times == 0;
  for (int64_t i = start; i < end; i++) {
    for (int range = 0; range < (plan->ranges == 0 ? 1 : plan->ranges); range++) {
      buf_puts(out, before);
      before = ",";
      put_row(out, plan, turned ? start + end - 1 - i : i, range);
    }
  }
  return start < end;
}

static void put_report(struct buf *out, const struct google_plan *plan, int64_t offset,
                       int64_t limit)
{
  if (plan->max_page_rows > 0 && limit > plan->max_page_rows)
    limit = plan->max_page_rows;
  buf_printf(out,
             "{\"dimensionHeaders\":[{\"name\":\"city\"}%s],\"metricHeaders\":[{\"name\":"
             "\"%s\",\"type\":\"TYPE_FROM_TOMORROW\"}]",
             plan->ranges > 0 ? ",{\"name\":\"dateRange\"}" : "",
             plan->metric == NULL ? "sessions" : plan->metric);
  buf_puts(out, put_rows(out, plan, offset, limit) ? "]" : "");
  if (plan->rows + plan->row_count_more > 0)
    buf_printf(out, ",\"rowCount\":%d", plan->rows + plan->row_count_more);
  buf_puts(out, ",\"metadata\":{\"currencyCode\":\"USD\",\"timeZone\":\"America/New_York\","
                "\"dataLossFromOtherRow\":true},\"kind\":\"analyticsData#runReport\"}");
}

/* The look-up of the first day is a report from Google's own first day on. */
static bool asks_first_day(const cJSON *body)
{
  const cJSON *range = cJSON_GetArrayItem(cJSON_GetObjectItem(body, "dateRanges"), 0);
  const char *start = range == NULL ? NULL : json_get_string(range, "startDate");
  return start != NULL && strcmp(start, "2015-08-14") == 0;
}

static void put_first_day(struct buf *out, const struct google_plan *plan)
{
  buf_puts(out, "{\"dimensionHeaders\":[{\"name\":\"date\"}],\"metricHeaders\":[{\"name\":"
                "\"sessions\",\"type\":\"TYPE_INTEGER\"}]");
  if (plan->first_date != NULL)
    buf_printf(out,
               ",\"rows\":[{\"dimensionValues\":[{\"value\":\"%s\"}],\"metricValues\":[{"
               "\"value\":\"3\"}]}],\"rowCount\":99",
               plan->first_date);
  buf_puts(out, ",\"metadata\":{\"timeZone\":\"America/New_York\"}}");
}

static int64_t number(const cJSON *object, const char *key)
{
  const char *text = json_get_string(object, key);
  return text == NULL ? 0 : strtoll(text, NULL, 10);
}

/* One report per request, each with its own offset and limit. */
static void put_batch(struct buf *out, const struct google_plan *plan, const cJSON *body)
{
  const cJSON *request;
  const char *before = "{\"reports\":[";
  cJSON_ArrayForEach(request, cJSON_GetObjectItemCaseSensitive(body, "requests"))
  {
    buf_puts(out, before);
    put_report(out, plan, number(request, "offset"), number(request, "limit"));
    before = ",";
  }
  buf_puts(out, "],\"kind\":\"analyticsData#batchRunReports\"}");
}

/* Two pages: accounts 1 and 2. */
static void put_accounts(struct buf *out, const char *page_token)
{
  bool second = page_token != NULL && strcmp(page_token, "p&2") == 0;
  buf_printf(
      out,
      "{\"accountSummaries\":[{\"name\":\"accountSummaries/%d\",\"account\":\"accounts/%d\","
      "\"displayName\":\"%s\",\"propertySummaries\":[{\"property\":\"properties/%d1\","
      "\"displayName\":\"Site A\",\"propertyType\":\"PROPERTY_TYPE_ORDINARY\"},{\"property\":"
      "\"properties/%d2\",\"displayName\":\"Site B\"}]}]%s}",
      second ? 2 : 1, second ? 2 : 1, second ? "Truck World" : "Ford Group", second ? 2 : 1,
      second ? 2 : 1, second ? "" : ",\"nextPageToken\":\"p&2\"");
}

/* The settings of a property, as recorded, one of them newer than our list of names. */
static void put_property(struct buf *out, const char *property)
{
  buf_printf(out,
             "{\"name\":\"properties/%s\",\"parent\":\"accounts/1\",\"createTime\":"
             "\"2023-02-01T09:00:00.123Z\",\"displayName\":\"Site %s\",\"industryCategory\":"
             "\"AUTOMOTIVE\",\"timeZone\":\"America/New_York\",\"currencyCode\":\"USD\","
             "\"serviceLevel\":\"GOOGLE_ANALYTICS_STANDARD\",\"propertyType\":"
             "\"PROPERTY_TYPE_FROM_TOMORROW\",\"account\":\"accounts/1\"}",
             property, property);
}

static void put_metadata(struct buf *out, const char *property)
{
  buf_printf(
      out,
      "{\"name\":\"properties/%s/metadata\",\"dimensions\":[{\"apiName\":\"city\",\"uiName\":"
      "\"City\",\"category\":\"Geography\"},{\"apiName\":\"customEvent:make\",\"uiName\":\"Make\","
      "\"customDefinition\":true,\"category\":\"Custom\"}],\"metrics\":[{\"apiName\":"
      "\"customEvent:lead_value\",\"uiName\":\"Lead value\",\"type\":\"TYPE_CURRENCY\","
      "\"customDefinition\":true,\"blockedReasons\":[\"NO_REVENUE_METRICS\"]},{\"apiName\":"
      "\"sessions\",\"type\":\"TYPE_INTEGER\"}],\"comparisons\":[{\"apiName\":"
      "\"comparisons/1\"}]}",
      property);
}

static ssize_t read_page(void *cls, uint64_t pos, char *out, size_t max)
{
  struct page *p = cls;
  size_t end = p->cut > 0 ? p->cut : p->len;
  if (pos >= end)
    return p->cut > 0 ? MHD_CONTENT_READER_END_WITH_ERROR : MHD_CONTENT_READER_END_OF_STREAM;
  size_t n = end - (size_t)pos < max ? end - (size_t)pos : max;
  memcpy(out, p->body + pos, n);
  return (ssize_t)n;
}

static void free_page(void *cls)
{
  struct page *p = cls;
  free(p->body);
  free(p);
}

static enum MHD_Result answer(struct MHD_Connection *c, int status, struct buf *body, bool cut)
{
  struct page *p = xcalloc(1, sizeof(*p));
  p->body = buf_take(body, &p->len);
  p->cut = cut ? p->len / 2 : 0;
  struct MHD_Response *r =
      MHD_create_response_from_callback(p->len, 32768, read_page, p, free_page);
  MHD_add_response_header(r, "Content-Type", "application/json; charset=UTF-8");
  enum MHD_Result result = MHD_queue_response(c, (unsigned)status, r);
  MHD_destroy_response(r);
  return result;
}

/* ------------------------------------------------------------------ one request */

static const char *header(struct MHD_Connection *c, const char *name)
{
  const char *value = MHD_lookup_connection_value(c, MHD_HEADER_KIND, name);
  return value == NULL ? "" : value;
}

/* Takes what the plan says for this request. */
static void take_plan(struct fakes *f, struct google_plan *plan, const char *property)
{
  *plan = f->google;
  if (plan->fail_property != NULL && strcmp(plan->fail_property, property) != 0)
    plan->fail_times = 0;
  if (plan->odd_property != NULL && strcmp(plan->odd_property, property) != 0)
    plan->odd_value = NULL;
  if (plan->fail_times > 0)
    f->google.fail_times--;
  else if (plan->cut_times > 0)
    f->google.cut_times--;
}

static void enter(struct fakes *f, int slot)
{
  f->requests++;
  f->active[slot]++;
  f->total_active++;
  if (f->active[slot] > f->worst_active)
    f->worst_active = f->active[slot];
  if (f->total_active > f->worst_total)
    f->worst_total = f->total_active;
}

static enum MHD_Result serve(struct fakes *f, struct MHD_Connection *c, const char *url,
                             const struct buf *upload)
{
  char property[24] = "100", rest[24] = "";
  struct google_plan plan;
  bool of_property = sscanf(url, "/v1beta/properties/%20[0-9]%20s", property, rest) > 0;
  const char *pretty = MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "prettyPrint");
  int slot = (int)((strtol(property, NULL, 10) - 100) & (FAKE_PROPERTIES - 1));
  const char *bearer = header(c, "Authorization");
  pthread_mutex_lock(&f->lock);
  enter(f, slot);
  take_plan(f, &plan, property);
  snprintf(f->last_url, sizeof(f->last_url), "%s%s%s", url,
           pretty == NULL ? "" : "?prettyPrint=", pretty == NULL ? "" : pretty);
  snprintf(f->last_body, sizeof(f->last_body), "%s", buf_str(upload));
  snprintf(f->last_quota_project, sizeof(f->last_quota_project), "%s",
           header(c, "x-goog-user-project"));
  if (plan.delay_ms > 0)
    fakes_hold(f, plan.delay_ms);
  pthread_mutex_unlock(&f->lock);
  if (plan.late_property != NULL && strcmp(plan.late_property, property) == 0) {
    plan.rows = 0;
    plan.first_date = plan.late_first_date;
  }
  AUTO_BUF struct buf body = BUF_INIT(64 << 20);
  int status = 200;
  bool cut = false;
  if (plan.token != NULL &&
      (strncmp(bearer, "Bearer ", 7) != 0 || strcmp(bearer + 7, plan.token) != 0)) {
    status = 401;
    buf_puts(&body, "{\"error\":{\"code\":401,\"message\":\"Request had invalid authentication "
                    "credentials.\",\"status\":\"UNAUTHENTICATED\"}}");
  } else if (plan.fail_times > 0) {
    status = plan.fail_status;
    buf_puts(&body, plan.fail_body);
  } else if (plan.body != NULL) {
    AUTO_JSON cJSON *request = cJSON_ParseWithLength(upload->data, upload->len);
    if (plan.first_date != NULL && asks_first_day(request))
      put_first_day(&body, &plan);
    else
      buf_puts(&body, plan.body);
  } else if (of_property && strcmp(rest, "/metadata") == 0) {
    put_metadata(&body, property);
  } else if (of_property && rest[0] == '\0') {
    put_property(&body, property);
  } else if (of_property) {
    AUTO_JSON cJSON *request = cJSON_ParseWithLength(upload->data, upload->len);
    if (strcmp(rest, ":batchRunReports") == 0)
      put_batch(&body, &plan, request);
    else if (asks_first_day(request))
      put_first_day(&body, &plan);
    else
      put_report(&body, &plan, number(request, "offset"), number(request, "limit"));
    cut = plan.cut_times > 0;
  } else {
    put_accounts(&body, MHD_lookup_connection_value(c, MHD_GET_ARGUMENT_KIND, "pageToken"));
  }
  pthread_mutex_lock(&f->lock);
  f->active[slot]--;
  f->total_active--;
  pthread_mutex_unlock(&f->lock);
  return answer(c, status, &body, cut);
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **state)
{
  struct upload *u = *state;
  (void)method;
  (void)version;
  if (u == NULL) {
    *state = u = xcalloc(1, sizeof(*u));
    buf_init(&u->body, 1 << 20);
    return MHD_YES;
  }
  if (*len > 0) {
    buf_append(&u->body, data, *len);
    *len = 0;
    return MHD_YES;
  }
  return serve(cls, c, url, &u->body);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **state,
                         enum MHD_RequestTerminationCode code)
{
  struct upload *u = *state;
  (void)cls;
  (void)c;
  (void)code;
  if (u != NULL)
    buf_free(&u->body);
  free(u);
}

void fake_google_start(struct fakes *f)
{
  f->daemon = MHD_start_daemon(
      MHD_USE_THREAD_PER_CONNECTION | MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_ITC, 0, NULL, NULL,
      on_request, f, MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL, MHD_OPTION_CONNECTION_LIMIT,
      300, MHD_OPTION_END);
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(f->daemon, MHD_DAEMON_INFO_BIND_PORT);
  snprintf(f->endpoint, sizeof(f->endpoint), "http://127.0.0.1:%u", info->port);
}

void fake_google_stop(struct fakes *f)
{
  MHD_stop_daemon(f->daemon);
}
