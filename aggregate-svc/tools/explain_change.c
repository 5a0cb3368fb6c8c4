/* explain_change: which parts of a dealer's traffic a move of a metric comes from. */
#include <string.h>

#include "aggregate-svc/answer/explain.h"
#include "aggregate-svc/period/week.h"
#include "aggregate-svc/tools/subject.h"
#include "aggregate-svc/tools/tools.h"
#include "common/base/mem.h"

typedef Analytics__Aggregate__V1__ExplainChangeRequest Request;

struct state {
  struct subject_state of;  /* first: the fold's figures */
  struct query_set sets[2]; /* of the subject, of the others */
  struct period before, baselines[2];
  size_t n_baselines;
  int64_t left_out; /* days asked for that are not over */
  enum metric_id metric;
  bool a_year_ago;
};

static enum err_code check_metric(struct state *s, const char *metric, struct err *e)
{
#define ROW(id) id,
  static const enum metric_id known[] = {EXPLAIN_METRICS(ROW)};
#undef ROW
  s->metric = METRIC_LEADS_PER_100_SESSIONS;
  if (metric[0] == '\0')
    return ERR_OK;
  for (size_t i = 0; i < ARRAY_LEN(known); i++)
    if (metric_is_called(&dealer_metrics[known[i]], metric)) {
      s->metric = known[i];
      return ERR_OK;
    }
  return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                 "metric: must be sessions, lead_events, leads_per_100_sessions or "
                 "engagement_rate");
}

static enum err_code check(struct tool_call *c, struct err *e)
{
  const Request *r = (const Request *)c->request;
  struct state *s = c->state;
  s->a_year_ago = strcmp(r->compare_with, "previous_year") == 0;
  if (c->fields.subject[0] == '\0')
    return request_no_subject(e);
  if (r->compare_with[0] != '\0' && strcmp(r->compare_with, "previous_period") != 0 &&
      !s->a_year_ago)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "compare_with: must be previous_period or previous_year");
  return check_metric(s, r->metric, e);
}

/* The days that are over everywhere: a day that lacks some of its sessions would look like a fall.
 * Relative dates become days here, the same for both periods and at every dealer. */
static enum err_code days(struct tool_call *c, struct err *e)
{
  struct state *s = c->state;
  struct period_days asked = period_resolve_last_zone(&c->period, c->now_unix_ms);
  int64_t last = asked.last < asked.today ? asked.last : asked.today - 1;
  if (asked.first > last)
    return err_set(e, ERR_INVALID_ARGUMENT, "invalid_argument",
                   "date_range: holds no day that is over; give days before today");
  s->left_out = asked.last - last;
  period_of_days(&c->period, asked.first, last);
  return ERR_OK;
}

/* --------------------------------------------------------------------- planning */

static char *sessions[] = {(char *)"sessions", (char *)"engagedSessions"};
static char *events[] = {(char *)"eventCount", (char *)"sessions"};
static char *by_day[] = {(char *)"date", (char *)"eventName"};
static char *by_part[] = {(char *)"sessionDefaultChannelGroup", (char *)"deviceCategory",
                          (char *)"city", (char *)"landingPage", (char *)"eventName"};

/* The other period. False when there is none, with an error that says what to ask for. */
static enum err_code find_before(struct tool_call *c, struct err *e)
{
  struct state *s = c->state;
  const struct period *p = &c->period;
  if (s->a_year_ago)
    period_of_days(&s->before, p->start.day - ISO_YEAR_AGO_DAYS, p->end.day - ISO_YEAR_AGO_DAYS);
  if (s->a_year_ago || period_before(p, c->now_unix_ms, &s->before))
    return ERR_OK;
  return err_set(
      e, ERR_INVALID_ARGUMENT, "invalid_argument",
      "date_range: no period of the same length lies before it; give at most 400 days that begin "
      "well after 2015-08-14");
}

/* A report over both periods; of leads when the last dimension is eventName. */
static struct query_spec both(struct tool_call *c, uint32_t id, char *const *names, size_t n,
                              bool leads)
{
  struct state *s = c->state;
  return (struct query_spec){.id = id,
                             .dimensions = names,
                             .n_dimensions = n,
                             .metrics = leads ? events : sessions,
                             .n_metrics = 2,
                             .periods = {&c->period, &s->before},
                             .n_periods = 2};
}

static bool add_reports(struct tool_call *c, struct query_set *set, bool parts)
{
  struct state *s = c->state;
  struct query_spec days = both(c, EXPLAIN_DAYS, by_day, 1, false);
  for (size_t i = 0; i < s->n_baselines; i++)
    days.periods[days.n_periods++] = &s->baselines[i];
  return subject_add(c, &s->of, set, days, false) &&
         subject_add(c, &s->of, set, both(c, EXPLAIN_DAY_LEADS, by_day, 2, true), true) &&
         subject_add_look_back(c, &s->of, set, EXPLAIN_LOOKBACK) &&
         (!parts ||
          (subject_add(c, &s->of, set, both(c, EXPLAIN_PARTS, by_part, 4, false), false) &&
           subject_add(c, &s->of, set, both(c, EXPLAIN_PART_LEADS, by_part, 5, true), true)));
}

static enum err_code plan(struct tool_call *c, struct plan *p, struct err *e)
{
  static const struct table_shape shapes[EXPLAIN_QUERIES] = {
      {2, 2}, {3, 2}, {1, 2}, {5, 2}, {6, 2}};
  struct state *s = c->state;
  uint16_t *set_of = ARENA_ARRAY(c->arena, uint16_t, c->cohort.n + 1);
  if (find_before(c, e) != ERR_OK)
    return e->code;
  s->n_baselines =
      period_baselines(&c->period, &s->before, SUSPECT_BASELINE, c->now_unix_ms, s->baselines);
  if (set_of == NULL || !subject_begin(c, &s->of, shapes, EXPLAIN_QUERIES, p) ||
      !add_reports(c, &s->sets[0], true) || !add_reports(c, &s->sets[1], false))
    return tool_cohort_too_large(e, "question");
  for (size_t i = 0; i < c->cohort.n; i++)
    set_of[i] = (long)i != c->cohort.subject;
  p->sets = s->sets;
  p->set_of = set_of;
  return ERR_OK;
}

static ProtobufCMessage *result(struct tool_call *c, struct arena *arena, struct err *e)
{
  const struct state *s = c->state;
  struct explain_question q = {subject_question_of(c, &s->of, arena), s->metric, &s->before,
                               s->left_out};
  (void)e;
  return &explain_change(&q, arena)->base;
}

const struct tool explain_change_tool = {.rpc = "ExplainChange",
                                         .dealers = TOOL_PEERS,
                                         .period = TOOL_LAST_4_WEEKS,
                                         .kept = true,
                                         .state_size = sizeof(struct state),
                                         .fold = &report_tables_fold,
                                         .check = check,
                                         .days = days,
                                         .plan = plan,
                                         .result = result};
