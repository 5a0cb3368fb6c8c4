/* The way into a tool: the request read and checked, then the job. */
#include "aggregate-svc/call/tool.h"

#include "aggregate-svc/call/dealers.h"

bool tool_plan_add(struct plan *p, Analytics__Report__V1__ReportQuery *query)
{
  return query_set_add(&p->all, query);
}

enum err_code tool_cohort_too_large(struct err *e, const char *what)
{
  return err_set(e, ERR_RESOURCE_EXHAUSTED, "cohort_too_large",
                 "the %s needs too much memory; ask for fewer dealers", what);
}

static enum err_code check(const struct tool *tool, struct tool_call *c, struct err *e)
{
  enum err_code code = request_check_fields(&c->fields, e);
  if (code == ERR_OK && tool->check != NULL)
    code = tool->check(c, e);
  if (code != ERR_OK)
    return code;
  if (tool->period == TOOL_LAST_4_WEEKS && c->fields.date_range == NULL)
    period_last_weeks(&c->period, c->now_unix_ms);
  else
    code = request_period(&c->period, c->fields.date_range, c->now_unix_ms, e);
  return code == ERR_OK && tool->days != NULL ? tool->days(c, e) : code;
}

void tool_serve(const struct tool *tool, struct aggregate_service *service, struct rpc_call *call,
                const ProtobufCMessage *request)
{
  struct job *j = job_begin(tool, service, call, request);
  struct err e = {0};
  if (j == NULL)
    return;
  if (check(tool, &j->call, &e) != ERR_OK)
    job_end(j, &e);
  else
    dealers_find(j);
}
