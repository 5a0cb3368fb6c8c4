/* The methods that answer with reports, one at a time or in a batch. */
#include <string.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "ga4-sim/api/call.h"
#include "ga4-sim/report/conversions.h"
#include "ga4-sim/report/funnel.h"
#include "ga4-sim/report/pivot.h"
#include "ga4-sim/report/realtime.h"
#include "ga4-sim/report/report.h"

enum { ARENA_MAX = 256 * 1024 * 1024, BATCH_MAX = 5 };

/* A request of either kind. */
union any_request {
  struct report_request plain;
  struct pivot_request pivot;
  struct funnel_request funnel;
};

/* What a method does with a request. */
struct report_method {
  enum err_code (*read)(const struct call *c, const cJSON *tree, struct arena *arena,
                        union any_request *out, struct err *e);
  enum err_code (*run)(const struct call *c, const union any_request *request, struct buf *out,
                       struct err *e);
};

static struct report_style style_of(const struct call *c)
{
  return (struct report_style){.enums_as_numbers = c->request->enums_as_numbers};
}

static int64_t today_of(const struct call *c)
{
  return world_today(c->sim->world, c->target);
}

static enum err_code read_plain(const struct call *c, const cJSON *tree, struct arena *arena,
                                union any_request *out, struct err *e)
{
  out->plain.conditions = c->conditions;
  return request_read(&out->plain, tree, c->target, today_of(c), arena, e);
}

static enum err_code read_alpha(const struct call *c, const cJSON *tree, struct arena *arena,
                                union any_request *out, struct err *e)
{
  out->plain.conditions = c->conditions;
  return conversions_read(&out->plain, tree, c->target, today_of(c), arena, e);
}

static enum err_code read_realtime(const struct call *c, const cJSON *tree, struct arena *arena,
                                   union any_request *out, struct err *e)
{
  out->plain.conditions = c->conditions;
  return realtime_read(&out->plain, tree, c->target,
                       realtime_now(c->sim->world, c->target, clock_unix_ms()), arena, e);
}

static enum err_code run_plain(const struct call *c, const union any_request *request,
                               struct buf *out, struct err *e)
{
  const struct report_style style = style_of(c);
  return report_run(c->sim->world, &request->plain, c->sim->quota, c->project, &style, out, e);
}

static enum err_code read_pivot(const struct call *c, const cJSON *tree, struct arena *arena,
                                union any_request *out, struct err *e)
{
  out->pivot.cells.conditions = c->conditions;
  return pivot_read(&out->pivot, tree, c->target, today_of(c), arena, e);
}

static enum err_code run_pivot(const struct call *c, const union any_request *request,
                               struct buf *out, struct err *e)
{
  const struct report_style style = style_of(c);
  return pivot_run(c->sim->world, &request->pivot, c->sim->quota, c->project, &style, out, e);
}

static enum err_code read_funnel(const struct call *c, const cJSON *tree, struct arena *arena,
                                 union any_request *out, struct err *e)
{
  out->funnel.base.conditions = c->conditions;
  return funnel_read(&out->funnel, tree, c->target, today_of(c), arena, e);
}

static enum err_code run_funnel(const struct call *c, const union any_request *request,
                                struct buf *out, struct err *e)
{
  const struct report_style style = style_of(c);
  return funnel_run(c->sim->world, &request->funnel, c->sim->quota, c->project, &style, out, e);
}

static const struct report_method plain = {read_plain, run_plain}, alpha = {read_alpha, run_plain},
                                  pivot = {read_pivot, run_pivot},
                                  realtime = {read_realtime, run_plain},
                                  funnel = {read_funnel, run_funnel};

static void finish(const struct call *c, enum err_code code, const struct err *e, struct reply *r)
{
  if (code != ERR_OK)
    reply_err(r, e);
  else
    stats_count(c->sim->stats, (int64_t)c->target->index, STATS_REPORT_OK);
}

static void run_one(const struct call *c, const struct report_method *m, struct reply *r)
{
  struct arena *arena = arena_new(ARENA_MAX);
  AUTO_FREE union any_request *request = xcalloc(1, sizeof(*request));
  struct err e = {0};
  enum err_code code = m->read(c, c->body, arena, request, &e);
  if (code == ERR_OK)
    code = m->run(c, request, &r->body, &e);
  finish(c, code, &e, r);
  arena_free(arena);
}

void api_run_report(const struct call *c, struct reply *r)
{
  run_one(c, &plain, r);
}

void api_run_alpha_report(const struct call *c, struct reply *r)
{
  run_one(c, &alpha, r);
}

void api_run_pivot_report(const struct call *c, struct reply *r)
{
  run_one(c, &pivot, r);
}

void api_run_realtime_report(const struct call *c, struct reply *r)
{
  run_one(c, &realtime, r);
}

void api_run_funnel_report(const struct call *c, struct reply *r)
{
  run_one(c, &funnel, r);
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

static enum err_code check_count(int count, const char *name, struct err *e)
{
  if (count == 0)
    return request_invalid(e, "The batchR%ssRequest must contain at least one r%sRequest.",
                           name + 1, name + 1);
  if (count > BATCH_MAX)
    return request_invalid(e,
                           "Batch requests are limited to %d requests.\n  This batch request "
                           "contains %d requests.",
                           BATCH_MAX, count);
  return ERR_OK;
}

/* Every request is checked before the first report runs: one failure fails the call, and a call
 * that fails for its arguments costs no tokens. */
static enum err_code read_batch(const struct call *c, const struct report_method *m,
                                struct arena *arena, union any_request *requests, int *count,
                                const char *name, struct err *e)
{
  const cJSON *list = cJSON_GetObjectItemCaseSensitive(c->body, "requests"), *one;
  *count = cJSON_GetArraySize(list);
  enum err_code code = check_count(*count, name, e);
  int i = 0;
  if (code != ERR_OK)
    return code;
  cJSON_ArrayForEach(one, list)
  {
    if ((code = check_property(c, one, e)) != ERR_OK ||
        (code = m->read(c, one, arena, &requests[i++], e)) != ERR_OK)
      return code;
  }
  return ERR_OK;
}

/* The batch is one request in flight; tokens are charged for each of its reports. name: of the
 * method for one, "runReport"; list: the member of the answer. */
static void run_batch(const struct call *c, const struct report_method *m, const char *name,
                      const char *list, struct reply *r)
{
  struct arena *arena = arena_new(ARENA_MAX);
  AUTO_FREE union any_request *requests = xcalloc(BATCH_MAX, sizeof(*requests));
  struct err e = {0};
  int count = 0;
  enum err_code code = read_batch(c, m, arena, requests, &count, name, &e);
  for (int i = 0; code == ERR_OK && i < count; i++) {
    if (i == 0)
      buf_printf(&r->body, "{\"%s\":[", list);
    else
      buf_putc(&r->body, ',');
    code = m->run(c, &requests[i], &r->body, &e);
  }
  if (code == ERR_OK)
    buf_printf(&r->body, "],\"kind\":\"analyticsData#batchR%ss\"}", name + 1);
  finish(c, code, &e, r);
  arena_free(arena);
}

void api_batch_run_reports(const struct call *c, struct reply *r)
{
  run_batch(c, &plain, "runReport", "reports", r);
}

void api_batch_run_pivot_reports(const struct call *c, struct reply *r)
{
  run_batch(c, &pivot, "runPivotReport", "pivotReports", r);
}
