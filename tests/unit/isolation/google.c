/* The Google of isolation tests. */
#include "tests/unit/isolation/google.h"

#include <cjson/cJSON.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/mem.h"

struct fake_world_google {
  pthread_mutex_t lock;
  struct plan plan;
  size_t crossed;
  struct MHD_Daemon *daemon;
  char endpoint[64];
};

/* ------------------------------------------------------------------------ answers */

static int fail(struct buf *out, int code, const char *status, const char *message)
{
  buf_printf(out, "{\"error\":{\"code\":%d,\"message\":\"%s\",\"status\":\"%s\"}}", code, message,
             status);
  return code;
}

static int answer_token(const struct buf *form, struct buf *out)
{
  int shop = plan_marked(buf_str(form));
  if (strstr(buf_str(form), "revoked-") != NULL) {
    buf_printf(out,
               "{\"error\":\"invalid_grant\",\"error_description\":\"Token of Name Q%02dz has been "
               "expired or revoked.\"}",
               shop);
    return 400;
  }
  buf_printf(out,
             "{\"access_token\":\"ya29.Q%02dz\",\"expires_in\":3599,\"token_type\":\"Bearer\"}",
             shop);
  return 200;
}

static int64_t count_of(const struct shop *s, const char *event)
{
  for (size_t e = 0; e < PLAN_EVENTS - 1; e++)
    if (strcmp(event, plan_events[e]) == 0)
      return s->events[e];
  return s->events[PLAN_EVENTS - 1];
}

/* Whether a report asks for sessions with an inventory page. */
static bool asks_shoppers(const cJSON *request)
{
  char *text = cJSON_PrintUnformatted(cJSON_GetObjectItemCaseSensitive(request, "dimensionFilter"));
  bool yes = text != NULL && strstr(text, "asc_itemlist_pageview") != NULL &&
             strstr(text, "generate_lead") == NULL;
  cJSON_free(text);
  return yes;
}

static int64_t metric_of(const struct shop *s, const cJSON *request, const char *metric)
{
  if (asks_shoppers(request))
    return plan_shoppers(s);
  return strcmp(metric, "sessions") == 0          ? s->sessions
         : strcmp(metric, "engagedSessions") == 0 ? s->engaged
                                                  : s->events[0];
}

static bool has_two_ranges(const cJSON *request)
{
  return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(request, "dateRanges")) > 1;
}

static void put_headers(struct buf *out, const cJSON *list, const char *key, const char *more,
                        const char *last)
{
  const cJSON *item;
  buf_printf(out, "\"%s\":[", key);
  cJSON_ArrayForEach(item, list)
  {
    buf_printf(out, "%s{\"name\":\"%s\"%s}", item == list->child ? "" : ",",
               json_get_string(item, "name"), more);
  }
  if (last[0] != '\0')
    buf_printf(out, "%s{\"name\":\"%s\"}", cJSON_GetArraySize(list) > 0 ? "," : "", last);
  buf_puts(out, "]");
}

/* A value of a dimension: days are all the same one, of the first range. */
static const char *value_for(const char *dimension, const char *value)
{
  return strcmp(dimension, "date") == 0             ? "20261001"
         : strcmp(dimension, "isoYearIsoWeek") == 0 ? "202640"
                                                    : value;
}

static void put_row(struct buf *out, const struct shop *s, const cJSON *request, const char *value,
                    int64_t events)
{
  const cJSON *dimensions = cJSON_GetObjectItemCaseSensitive(request, "dimensions");
  const cJSON *metrics = cJSON_GetObjectItemCaseSensitive(request, "metrics"), *item;
  buf_puts(out, "{\"dimensionValues\":[");
  cJSON_ArrayForEach(item, dimensions)
  {
    buf_printf(out, "%s{\"value\":\"%s\"}", item == dimensions->child ? "" : ",",
               value_for(json_get_string(item, "name"), value));
  }
  if (has_two_ranges(request))
    buf_printf(out, "%s{\"value\":\"date_range_0\"}",
               cJSON_GetArraySize(dimensions) > 0 ? "," : "");
  buf_puts(out, "],\"metricValues\":[");
  cJSON_ArrayForEach(item, metrics)
  {
    int64_t n = events >= 0 ? events : metric_of(s, request, json_get_string(item, "name"));
    buf_printf(out, "%s{\"value\":\"%lld\"}", item == metrics->child ? "" : ",", (long long)n);
  }
  buf_puts(out, "]}");
}

static int put_event_rows(struct buf *out, const struct shop *s, const cJSON *request)
{
  char own[40];
  snprintf(own, sizeof(own), "lead_%s", s->mark);
  const char *const names[PLAN_EVENTS] = {plan_events[0], plan_events[1], plan_events[2], own};
  int n = 0;
  for (size_t e = 0; e < PLAN_EVENTS; e++) {
    int64_t count = count_of(s, names[e]);
    if (count == 0)
      continue;
    buf_puts(out, n++ > 0 ? "," : "");
    put_row(out, s, request, names[e], count);
  }
  buf_puts(out, n++ > 0 ? "," : ""); /* every site reports pages of vehicles */
  put_row(out, s, request, "asc_item_pageview", 1);
  return n;
}

static bool has_dimension(const cJSON *request, const char *name)
{
  const cJSON *item;
  cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(request, "dimensions"))
  {
    if (strcmp(json_get_string(item, "name"), name) == 0)
      return true;
  }
  return false;
}

static int put_rows(struct buf *out, const struct shop *s, const cJSON *request)
{
  char page[40];
  if (has_dimension(request, "eventName"))
    return put_event_rows(out, s, request);
  snprintf(page, sizeof(page), "/page/%s", s->mark);
  put_row(out, s, request, page, -1);
  if (has_dimension(request, "date") ||
      cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(request, "dimensions")) == 0)
    return 1;
  buf_puts(out, ",");
  put_row(out, s, request, "(other)", 7);
  return 2;
}

static void put_report(const struct shop *s, const cJSON *request, struct buf *out)
{
  buf_puts(out, "{");
  put_headers(out, cJSON_GetObjectItemCaseSensitive(request, "dimensions"), "dimensionHeaders", "",
              has_two_ranges(request) ? "dateRange" : "");
  buf_puts(out, ",");
  put_headers(out, cJSON_GetObjectItemCaseSensitive(request, "metrics"), "metricHeaders",
              ",\"type\":\"TYPE_INTEGER\"", "");
  buf_puts(out, ",\"rows\":[");
  int rows = put_rows(out, s, request);
  buf_printf(out,
             "],\"rowCount\":%d,\"metadata\":{\"currencyCode\":\"USD\",\"timeZone\":\"America/%s\","
             "\"subjectToThresholding\":true},\"kind\":\"analyticsData#runReport\"}",
             rows, s->mark[1] % 2 == 0 ? "Denver" : "Chicago");
}

static int answer_report(const struct shop *s, const struct buf *body, struct buf *out)
{
  AUTO_JSON cJSON *request = cJSON_ParseWithLength(body->data, body->len);
  if (request == NULL)
    return fail(out, 400, "INVALID_ARGUMENT", "no JSON");
  put_report(s, request, out);
  return 200;
}

static int answer_batch(const struct shop *s, const struct buf *body, struct buf *out)
{
  AUTO_JSON cJSON *batch = cJSON_ParseWithLength(body->data, body->len);
  const cJSON *requests = cJSON_GetObjectItemCaseSensitive(batch, "requests"), *item;
  if (requests == NULL)
    return fail(out, 400, "INVALID_ARGUMENT", "no requests");
  buf_puts(out, "{\"reports\":[");
  cJSON_ArrayForEach(item, requests)
  {
    buf_puts(out, item == requests->child ? "" : ",");
    put_report(s, item, out);
  }
  buf_puts(out, "],\"kind\":\"analyticsData#batchRunReports\"}");
  return 200;
}

static int answer_metadata(const struct shop *s, struct buf *out)
{
  buf_printf(out,
             "{\"name\":\"properties/%s/metadata\",\"dimensions\":[{\"apiName\":\"customEvent:%s\","
             "\"uiName\":\"%s\",\"customDefinition\":true}",
             s->property, s->mark, s->mark);
  for (size_t i = 0; s->mark[1] % 2 == 0 && i < 2; i++)
    buf_printf(out, ",{\"apiName\":\"customEvent:%s\",\"customDefinition\":true}",
               i == 0 ? "item_make" : "item_model");
  buf_puts(out, "]}");
  return 200;
}

static int answer_property(const struct shop *s, struct buf *out)
{
  buf_printf(out, "{\"name\":\"properties/%s\",\"displayName\":\"Site %s\"}", s->property, s->mark);
  return 200;
}

/* Everything else that a property is asked for, in one answer; each reader finds its own part. */
static int answer_rest(const struct shop *s, struct buf *out)
{
  const char *m = s->mark;
  buf_printf(out,
             "{\"name\":\"properties/%s/rest\",\"keyEvents\":[{\"eventName\":\"%s\"}],"
             "\"dataStreams\":[{\"displayName\":\"%s\"}],\"googleAdsLinks\":[{\"customerId\":"
             "\"%s\"}],\"reportingDataAnnotations\":[{\"title\":\"%s\"}],\"corePropertyQuota\":{"
             "\"tokensPerDay\":{\"remaining\":5}},\"dimensionCompatibilities\":[{"
             "\"dimensionMetadata\":{\"apiName\":\"customEvent:%s\"}}],\"funnelTable\":{"
             "\"dimensionHeaders\":[{\"name\":\"funnelStepName\"}],\"rows\":[{"
             "\"dimensionValues\":[{\"value\":\"%s\"}]}]}}",
             s->property, m, m, m, m, m, m);
  return 200;
}

/* What a property is asked for: a report, its metadata, its settings or the rest. */
static int answer_of_property(const struct shop *s, const char *what, const struct buf *body,
                              struct buf *out)
{
  char message[200];
  if (s->fault == SHOP_FORBIDDEN) {
    snprintf(message, sizeof(message), "User of %s has no permission for property %s (%s).",
             s->name, s->property, s->city);
    return fail(out, 403, "PERMISSION_DENIED", message);
  }
  if (strcmp(what, ":runReport") == 0 || strcmp(what, ":runRealtimeReport") == 0 ||
      strcmp(what, ":runPivotReport") == 0)
    return answer_report(s, body, out);
  if (strcmp(what, ":batchRunReports") == 0)
    return answer_batch(s, body, out);
  if (strcmp(what, "/metadata") == 0)
    return answer_metadata(s, out);
  return what[0] == '\0' ? answer_property(s, out) : answer_rest(s, out);
}

static int answer_accounts(const struct shop *s, struct buf *out)
{
  buf_printf(out,
             "{\"accountSummaries\":[{\"name\":\"accountSummaries/%s\",\"account\":\"accounts/%s\","
             "\"displayName\":\"Account %s\",\"propertySummaries\":[{\"property\":\"properties/"
             "%s\",\"displayName\":\"Site %s\"}]}]}",
             s->property, s->property, s->mark, s->property, s->mark);
  return 200;
}

/* ------------------------------------------------------------------------ requests */

static const struct shop *shop_of_property(const struct plan *p, const char *property)
{
  for (size_t i = 0; i < p->n; i++)
    if (strcmp(p->shops[i].property, property) == 0)
      return &p->shops[i];
  return NULL;
}

static int answer(struct fake_world_google *g, const char *url, const char *bearer,
                  const struct buf *body, struct buf *out)
{
  char property[24], what[40] = "";
  if (strcmp(url, "/token") == 0)
    return answer_token(body, out);
  int caller = plan_marked(bearer);
  if (caller < 0 || (size_t)caller >= g->plan.n)
    return fail(out, 401, "UNAUTHENTICATED", "invalid authentication credentials");
  if (sscanf(url, "/v1%*[a-z]/properties/%20[0-9]%36s", property, what) < 1)
    return answer_accounts(&g->plan.shops[caller], out);
  const struct shop *s = shop_of_property(&g->plan, property);
  if (s != &g->plan.shops[caller]) {
    g->crossed += s != NULL;
    return fail(out, 403, "PERMISSION_DENIED", s != NULL ? s->name : "no such property");
  }
  return answer_of_property(s, what, body, out);
}

static enum MHD_Result serve(struct fake_world_google *g, struct MHD_Connection *c, const char *url,
                             const struct buf *body)
{
  const char *bearer = MHD_lookup_connection_value(c, MHD_HEADER_KIND, "Authorization");
  AUTO_BUF struct buf out = BUF_INIT(1 << 20);
  pthread_mutex_lock(&g->lock);
  int status = answer(g, url, bearer != NULL ? bearer : "", body, &out);
  pthread_mutex_unlock(&g->lock);
  struct MHD_Response *r =
      MHD_create_response_from_buffer(out.len, out.data, MHD_RESPMEM_MUST_COPY);
  MHD_add_response_header(r, "Content-Type", "application/json; charset=UTF-8");
  enum MHD_Result result = MHD_queue_response(c, (unsigned)status, r);
  MHD_destroy_response(r);
  return result;
}

static enum MHD_Result on_request(void *cls, struct MHD_Connection *c, const char *url,
                                  const char *method, const char *version, const char *data,
                                  size_t *len, void **request)
{
  struct buf *body = *request;
  (void)method;
  (void)version;
  if (body == NULL) {
    *request = body = xcalloc(1, sizeof(*body));
    buf_init(body, 1 << 20);
    return MHD_YES;
  }
  if (*len > 0) {
    buf_append(body, data, *len);
    *len = 0;
    return MHD_YES;
  }
  return serve(cls, c, url, body);
}

static void on_completed(void *cls, struct MHD_Connection *c, void **request,
                         enum MHD_RequestTerminationCode code)
{
  struct buf *body = *request;
  (void)cls;
  (void)c;
  (void)code;
  if (body != NULL)
    buf_free(body);
  free(body);
}

struct fake_world_google *world_google_start(void)
{
  struct fake_world_google *g = xcalloc(1, sizeof(*g));
  pthread_mutex_init(&g->lock, NULL);
  g->daemon = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, NULL, NULL, on_request, g,
                               MHD_OPTION_NOTIFY_COMPLETED, on_completed, NULL,
                               MHD_OPTION_CONNECTION_LIMIT, 300u, MHD_OPTION_END);
  if (g->daemon == NULL)
    abort();
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(g->daemon, MHD_DAEMON_INFO_BIND_PORT);
  snprintf(g->endpoint, sizeof(g->endpoint), "http://127.0.0.1:%u", info->port);
  return g;
}

void world_google_stop(struct fake_world_google *g)
{
  MHD_stop_daemon(g->daemon);
  pthread_mutex_destroy(&g->lock);
  free(g);
}

const char *world_google_endpoint(const struct fake_world_google *g)
{
  return g->endpoint;
}

void world_google_plan(struct fake_world_google *g, const struct plan *p)
{
  pthread_mutex_lock(&g->lock);
  g->plan = *p;
  pthread_mutex_unlock(&g->lock);
}

size_t world_google_crossed(struct fake_world_google *g)
{
  pthread_mutex_lock(&g->lock);
  size_t n = g->crossed;
  pthread_mutex_unlock(&g->lock);
  return n;
}
