/* The way into a tool: the request read and checked, then the job. */
#include "aggregate-svc/call/tool.h"

#include "aggregate-svc/call/job.h"
#include "aggregate-svc/period/week.h"
#include "common/base/clock.h"

enum { DEFAULT_WEEKS = 4 };

bool tool_plan_add(struct plan *p, Analytics__Report__V1__ReportQuery *query)
{
  if (query == NULL || p->n == FANOUT_MAX_QUERIES)
    return false;
  p->queries[p->n++] = query;
  return true;
}

/* The last whole weeks whose figures no longer change: the same days for every caller, so that what
 * is released of peers is one figure and not one per day of asking. */
static enum err_code whole_weeks(struct tool_call *c, struct err *e)
{
  struct iso_span s = iso_weeks_through(lattice_complete_through(c->now_unix_ms), DEFAULT_WEEKS);
  char first[16], last[16];
  clock_format_date(s.first, first, sizeof(first));
  clock_format_date(s.last, last, sizeof(last));
  return period_parse(&c->period, true, first, last, c->now_unix_ms, e);
}

static enum err_code check(const struct tool *tool, struct tool_call *c, struct err *e)
{
  enum err_code code = request_check_fields(&c->fields, e);
  if (code == ERR_OK && tool->check != NULL)
    code = tool->check(c, e);
  if (code != ERR_OK)
    return code;
  if (c->fields.date_range == NULL && tool->dealers == TOOL_PEERS)
    return whole_weeks(c, e);
  return request_period(&c->period, c->fields.date_range, c->now_unix_ms, e);
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
    job_find_dealers(j);
}
