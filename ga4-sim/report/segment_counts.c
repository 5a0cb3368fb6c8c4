/* inAnyNDayPeriod of segments: how often an event happened within so many days in a row.
 *
 * "If event_count of purchase exceeds 5 in any 3 days": the days are those of the report, the
 * periods end at each of them and are shorter at its start. The events that are counted have the
 * name of the filter and meet what it requires beside, joined by and. Of one event at a time,
 * without a period, event_count is 1. */
#include <math.h>
#include <string.h>

#include "ga4-sim/report/funnel.h"
#include "ga4-sim/report/segment_read.h"

static const cJSON *days_of(const cJSON *parameter_filter)
{
  return member(member(parameter_filter, "filterScoping"), "inAnyNDayPeriod");
}

static bool any_accumulates(const cJSON *x, unsigned depth)
{
  const cJSON *one;
  if (x == NULL || depth > FUNNEL_MAX_DEPTH)
    return false;
  if ((one = member(x, "segmentParameterFilter")) != NULL)
    return days_of(one) != NULL;
  if ((one = member(x, "notExpression")) != NULL)
    return any_accumulates(one, depth + 1);
  const cJSON *group = member(x, "andGroup") != NULL ? member(x, "andGroup") : member(x, "orGroup");
  cJSON_ArrayForEach(one, member(group, "expressions"))
  {
    if (any_accumulates(one, depth + 1))
      return true;
  }
  return false;
}

bool segment_accumulates(const cJSON *event_filter)
{
  return any_accumulates(member(event_filter, "segmentParameterFilterExpression"), 0);
}

/* An event filter being read: its name, and what its events must meet. */
struct counted {
  struct segment_place *p;
  const char *event;
  const cJSON *required[FUNNEL_MAX_DEPTH]; /* parameter expressions */
  size_t n;
};

/* The events of the name that meet all that is required. */
static struct segment_expression *read_events(const struct counted *c)
{
  cJSON *whole = cJSON_CreateObject();
  cJSON *filter = cJSON_AddObjectToObject(whole, "segmentEventFilter");
  cJSON_AddStringToObject(filter, "eventName", c->event);
  cJSON *list = c->n == 0
                    ? NULL
                    : cJSON_AddArrayToObject(
                          cJSON_AddObjectToObject(
                              cJSON_AddObjectToObject(filter, "segmentParameterFilterExpression"),
                              "andGroup"),
                          "expressions");
  for (size_t i = 0; i < c->n; i++)
    cJSON_AddItemToArray(list, cJSON_Duplicate(c->required[i], true));
  struct segment_expression *e = segment_read_filter(c->p, whole);
  cJSON_Delete(whole);
  return e;
}

static enum err_code refuse(const struct counted *c, const char *text)
{
  return request_invalid(c->p->x->e, "%s", text);
}

static enum err_code read_numeric(struct reader *x, const cJSON *f, double *from, double *to)
{
  const cJSON *operation = member(f, "operation");
  int op = operation == NULL ? OPERATION_UNSPECIFIED : operation->valueint;
  double value;
  if (op < OPERATION_EQUAL || op > OPERATION_GREATER_THAN_OR_EQUAL)
    return request_invalid(x->e, "The NumericFilter's operation must be specified.");
  if (!filter_number(member(f, "value"), &value))
    return request_invalid(x->e, "The NumericFilter's value must be specified.");
  if (op >= OPERATION_GREATER_THAN)
    *from = op == OPERATION_GREATER_THAN ? nextafter(value, INFINITY) : value;
  else if (op != OPERATION_EQUAL)
    *to = op == OPERATION_LESS_THAN ? nextafter(value, -INFINITY) : value;
  else
    *from = *to = value;
  return ERR_OK;
}

enum err_code funnel_count_bounds(struct reader *x, const cJSON *f, double *from, double *to)
{
  const cJSON *between = member(f, "betweenFilter");
  *from = -INFINITY;
  *to = INFINITY;
  if (member(f, "numericFilter") != NULL)
    return read_numeric(x, member(f, "numericFilter"), from, to);
  if (between == NULL)
    return request_invalid(x->e,
                           "The filter on event_count must be a numericFilter or a betweenFilter.");
  if (!filter_number(member(between, "fromValue"), from) ||
      !filter_number(member(between, "toValue"), to))
    return request_invalid(x->e, "The BetweenFilter's fromValue and toValue must be specified.");
  return ERR_OK;
}

static enum err_code read_bounds(const struct counted *c, const cJSON *f, struct segment_count *out)
{
  out->days = (int64_t)days_of(f)->valuedouble;
  if (strcmp(text_of(f, "eventParameterName"), FUNNEL_EVENT_COUNT) != 0)
    return refuse(c, "inAnyNDayPeriod is only supported for the event parameter event_count.");
  if (c->p->scope == WITHIN_EVENT)
    return refuse(c, "inAnyNDayPeriod is only supported for criteria across all sessions or within "
                     "the same session.");
  if (out->days < 1)
    return refuse(c, "inAnyNDayPeriod must be positive.");
  return funnel_count_bounds(c->p->x, f, &out->from, &out->to);
}

/* The count has a bit beside those of the filters, which no event by itself has. */
static const struct segment_expression *read_count(const struct counted *c, const cJSON *f)
{
  struct segments *all = c->p->all;
  struct segment_count count = {0};
  if (read_bounds(c, f, &count) != ERR_OK)
    return NULL;
  const struct segment_expression *events = read_events(c);
  struct segment_expression *e = events == NULL ? NULL : read_events(c);
  if (e == NULL)
    return NULL;
  count.filter = events->filter;
  count.bit = e->filter;
  all->filters[e->filter] = "0";
  all->counts[all->n_counts++] = count;
  return e;
}

static const struct segment_expression *read(const struct counted *c, const cJSON *x,
                                             unsigned depth);

/* What is not added up is required of the events that are. */
static const struct segment_expression *read_and(const struct counted *c, const cJSON *list,
                                                 unsigned depth)
{
  struct counted inner = *c;
  struct segment_expression *e =
      segment_expression_new(c->p, SEGMENT_AND, (size_t)cJSON_GetArraySize(list));
  const cJSON *one;
  cJSON_ArrayForEach(one, list)
  {
    if (any_accumulates(one, depth))
      continue;
    if (inner.n == FUNNEL_MAX_DEPTH) {
      refuse(c, "The filter expression is nested too deeply.");
      return NULL;
    }
    inner.required[inner.n++] = one;
  }
  cJSON_ArrayForEach(one, list)
  {
    if (e == NULL || !any_accumulates(one, depth))
      continue;
    const struct segment_expression *part = read(&inner, one, depth + 1);
    if (part == NULL)
      return NULL;
    e->parts[e->n++] = part;
  }
  return e;
}

static const struct segment_expression *read_or(const struct counted *c, const cJSON *list,
                                                unsigned depth)
{
  struct segment_expression *e =
      segment_expression_new(c->p, SEGMENT_OR, (size_t)cJSON_GetArraySize(list));
  const cJSON *one;
  cJSON_ArrayForEach(one, list)
  {
    const struct segment_expression *part = e == NULL ? NULL : read(c, one, depth + 1);
    if (part == NULL)
      return NULL;
    e->parts[e->n++] = part;
  }
  return e;
}

static const struct segment_expression *read(const struct counted *c, const cJSON *x,
                                             unsigned depth)
{
  const cJSON *one;
  if (!any_accumulates(x, depth)) {
    struct counted inner = *c;
    if (inner.n < FUNNEL_MAX_DEPTH)
      inner.required[inner.n++] = x;
    return read_events(&inner);
  }
  if ((one = member(x, "segmentParameterFilter")) != NULL)
    return read_count(c, one);
  if ((one = member(x, "andGroup")) != NULL)
    return read_and(c, member(one, "expressions"), depth);
  if ((one = member(x, "orGroup")) != NULL)
    return read_or(c, member(one, "expressions"), depth);
  struct segment_expression *e = segment_expression_new(c->p, SEGMENT_NOT, 1);
  const struct segment_expression *part =
      e == NULL ? NULL : read(c, member(x, "notExpression"), depth + 1);
  if (part == NULL)
    return NULL;
  e->parts[e->n++] = part;
  return e;
}

const struct segment_expression *segment_read_counts(struct segment_place *p,
                                                     const cJSON *event_filter)
{
  const struct counted c = {.p = p, .event = text_of(event_filter, "eventName")};
  return read(&c, member(event_filter, "segmentParameterFilterExpression"), 0);
}
