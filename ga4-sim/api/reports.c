/* runReport and batchRunReports. */
#include <string.h>

#include "common/base/arena.h"
#include "common/base/mem.h"
#include "ga4-sim/api/call.h"
#include "ga4-sim/report/report.h"

enum { ARENA_MAX = 64 * 1024 * 1024, BATCH_MAX = 5 };

static enum err_code read_request(const struct call *c, const cJSON *tree, struct arena *arena,
                                  struct report_request *out, struct err *e)
{
  return request_read(out, tree, c->target, world_today(c->sim->world, c->target), arena, e);
}

static enum err_code run(const struct call *c, const struct report_request *request,
                         struct buf *out, struct err *e)
{
  const struct report_style style = {.enums_as_numbers = c->request->enums_as_numbers};
  return report_run(c->sim->world, request, c->sim->quota, c->project, &style, out, e);
}

static void finish(const struct call *c, enum err_code code, const struct err *e, struct reply *r)
{
  if (code != ERR_OK)
    reply_err(r, e);
  else
    stats_count(c->sim->stats, (int64_t)c->target->index, STATS_REPORT_OK);
}

void api_run_report(const struct call *c, struct reply *r)
{
  struct arena *arena = arena_new(ARENA_MAX);
  AUTO_FREE struct report_request *request = xcalloc(1, sizeof(*request));
  struct err e = {0};
  enum err_code code = read_request(c, c->body, arena, request, &e);
  if (code == ERR_OK)
    code = run(c, request, &r->body, &e);
  finish(c, code, &e, r);
  arena_free(arena);
}

/* All reports of a batch are of the property in the path: a request names it or none. */
static enum err_code check_property(const struct call *c, const cJSON *request, struct err *e)
{
  const cJSON *named = cJSON_GetObjectItemCaseSensitive(request, "property");
  AUTO_FREE char *own = xasprintf("properties/%s", c->property);
  if (named == NULL || named->valuestring[0] == '\0' || strcmp(named->valuestring, own) == 0)
    return ERR_OK;
  return request_invalid(e,
                         "The property of each request in a batch must be empty or match the "
                         "batch's property. The batch is for %s and a request for %s.",
                         own, named->valuestring);
}

static enum err_code check_count(int count, struct err *e)
{
  if (count == 0)
    return request_invalid(
        e, "The batchRunReportsRequest must contain at least one runReportRequest.");
  if (count > BATCH_MAX)
    return request_invalid(e,
                           "Batch requests are limited to %d requests.\n  This batch request "
                           "contains %d requests.",
                           BATCH_MAX, count);
  return ERR_OK;
}

/* Every request is checked before the first report runs: one failure fails the call, and a call
 * that fails for its arguments costs no tokens. */
static enum err_code read_batch(const struct call *c, struct arena *arena,
                                struct report_request *requests, int *count, struct err *e)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(c->body, "requests"), *one;
  *count = cJSON_GetArraySize(list);
  enum err_code code = check_count(*count, e);
  int i = 0;
  if (code != ERR_OK)
    return code;
  cJSON_ArrayForEach(one, list)
  {
    if ((code = check_property(c, one, e)) != ERR_OK ||
        (code = read_request(c, one, arena, &requests[i++], e)) != ERR_OK)
      return code;
  }
  return ERR_OK;
}

/* The batch is one request in flight; tokens are charged for each of its reports. */
void api_batch_run_reports(const struct call *c, struct reply *r)
{
  struct arena *arena = arena_new(ARENA_MAX);
  AUTO_FREE struct report_request *requests = xcalloc(BATCH_MAX, sizeof(*requests));
  struct err e = {0};
  int count = 0;
  enum err_code code = read_batch(c, arena, requests, &count, &e);
  for (int i = 0; code == ERR_OK && i < count; i++) {
    buf_puts(&r->body, i == 0 ? "{\"reports\":[" : ",");
    code = run(c, &requests[i], &r->body, &e);
  }
  if (code == ERR_OK)
    buf_puts(&r->body, "],\"kind\":\"analyticsData#batchRunReports\"}");
  finish(c, code, &e, r);
  arena_free(arena);
}
