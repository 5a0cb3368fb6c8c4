/* GetPropertyQuotas: what is left of each quota of a property. */
#include "analytics/ga4/v1alpha/data.pb-c.h"
#include "analytics/report/v1/report.pb-c.h"
#include "common/base/mem.h"
#include "report-svc/answer/headline.h"
#include "report-svc/answer/target.h"
#include "report-svc/ask/serve.h"
#include "report-svc/google/field.h"
#include "report-svc/tools/tools.h"

typedef Analytics__Ga4__V1alpha__PropertyQuotasSnapshot ga4_snapshot;
typedef Analytics__Ga4__V1beta__PropertyQuota ga4_quota;
typedef Analytics__Report__V1__QuotaLeft row_message;

enum { CATEGORIES = 3, QUOTAS = 6 };

struct rows {
  struct arena *arena;
  ProtobufCMessage **items;
  size_t n;
  bool failed;
};

static void add(struct rows *rows, const char *category, const char *quota,
                const Analytics__Ga4__V1beta__QuotaStatus *status)
{
  if (status == NULL || rows->failed)
    return;
  row_message *row = ARENA_NEW(rows->arena, row_message);
  rows->failed = row == NULL;
  if (rows->failed)
    return;
  analytics__report__v1__quota_left__init(row);
  row->category = arena_strdup(rows->arena, category);
  row->quota = arena_strdup(rows->arena, quota);
  row->consumed = status->consumed;
  row->remaining = status->remaining;
  rows->failed = row->category == NULL || row->quota == NULL;
  rows->items[rows->n++] = &row->base;
}

static void add_category(struct rows *rows, const char *category, const ga4_quota *q)
{
  if (q == NULL)
    return;
  add(rows, category, "tokens_per_day", q->tokens_per_day);
  add(rows, category, "tokens_per_hour", q->tokens_per_hour);
  add(rows, category, "tokens_per_project_per_hour", q->tokens_per_project_per_hour);
  add(rows, category, "concurrent_requests", q->concurrent_requests);
  add(rows, category, "server_errors_per_project_per_hour", q->server_errors_per_project_per_hour);
  add(rows, category, "potentially_thresholded_requests_per_hour",
      q->potentially_thresholded_requests_per_hour);
}

static bool put_headline(ProtobufCMessage *m, const struct ask *a, const ga4_quota *core,
                         struct arena *arena)
{
  AUTO_BUF struct buf text = BUF_INIT(HEADLINE_MAX);
  headline_put_dealer(&text, ask_used_token(a), ask_property(a));
  if (core != NULL && core->tokens_per_day != NULL && core->tokens_per_hour != NULL)
    buf_printf(&text, " has %d tokens for reports left today and %d this hour",
               core->tokens_per_day->remaining, core->tokens_per_hour->remaining);
  else
    buf_puts(&text, ": Google says nothing about the quota of reports");
  return answer_put_headline(m, &text, arena);
}

static ProtobufCMessage *reply(const struct ask *a, const ProtobufCMessage *request,
                               struct arena *arena)
{
  const ga4_snapshot *s = (const ga4_snapshot *)ask_message(a);
  struct rows rows = {.arena = arena,
                      .items = ARENA_ARRAY(arena, ProtobufCMessage *, CATEGORIES * QUOTAS)};
  (void)request;
  ProtobufCMessage *m = answer_new_message(
      &analytics__report__v1__get_property_quotas_response__descriptor, a, arena);
  if (m == NULL || rows.items == NULL)
    return NULL;
  add_category(&rows, "core", s->core_property_quota);
  add_category(&rows, "realtime", s->realtime_property_quota);
  add_category(&rows, "funnel", s->funnel_property_quota);
  ga4_set_list(m, "quotas", (struct ga4_list){rows.items, rows.n});
  return !rows.failed && put_headline(m, a, s->core_property_quota, arena) ? m : NULL;
}

void property_quotas_handle(struct rpc_call *call, const ProtobufCMessage *request, void *service)
{
  static const struct ask_tool tool = {
      .method = GOOGLE_QUOTAS_SNAPSHOT, .question = ask_about_property, .reply = reply};
  ask_serve(call, request, service, &tool);
}
