/* Which events of a user are in a segment. */
#include "ga4-sim/report/segment.h"

#include <string.h>

enum { DAY_S = 24 * 3600 };

/* A run of a user's events. */
struct span {
  const struct segments *all;
  const struct segment_days *days;
  const struct segment_event *events;
  size_t from, to;
  uint64_t any; /* filters that any event of the user meets */
};

/* The depth is that of the request, which funnel_filter() bounds. */
static bool holds(const struct segment_expression *x, uint64_t filters, uint64_t any)
{
  size_t met = 0;
  if (x->join == SEGMENT_FILTER)
    return ((x->any_time ? any : filters) >> x->filter & 1) != 0;
  for (size_t i = 0; i < x->n; i++)
    met += holds(x->parts[i], filters, any);
  return x->join == SEGMENT_AND ? met == x->n : x->join == SEGMENT_OR ? met > 0 : met == 0;
}

/* Whether a period of days that ends at one of the report holds. Of the span's events those of one
 * session, or of all (-1). */
static bool reaches(const struct segment_count *c, const struct span *s, int64_t session)
{
  for (int64_t end = s->days->first; end <= s->days->last; end++) {
    double sum = 0;
    for (size_t i = s->from; i < s->to; i++) {
      const struct segment_event *ev = &s->events[i];
      int64_t day = (int64_t)(ev->time_s / DAY_S);
      if ((ev->filters >> c->filter & 1) != 0 && day <= end && day > end - c->days &&
          (session < 0 || ev->session == session))
        sum += ev->count;
    }
    if (sum >= c->from && sum <= c->to)
      return true;
  }
  return false;
}

static uint64_t filters_of(const struct span *s, int64_t session)
{
  uint64_t all = 0;
  for (size_t i = s->from; i < s->to; i++)
    if (session < 0 || s->events[i].session == session)
      all |= s->events[i].filters;
  for (size_t k = 0; k < s->all->n_counts; k++)
    if (reaches(&s->all->counts[k], s, session))
      all |= (uint64_t)1 << s->all->counts[k].bit;
  return all;
}

/* The end of the session at i: a user's sessions may overlap, then each run of one is taken. */
static size_t session_end(const struct span *s, size_t i)
{
  size_t end = i + 1;
  while (end < s->to && s->events[end].session == s->events[i].session)
    end++;
  return end;
}

static size_t unit_end(const struct span *s, size_t i, enum segment_scope scope)
{
  return scope == WITHIN_EVENT ? i + 1 : scope == WITHIN_SESSION ? session_end(s, i) : s->to;
}

/* Whether the event at i completes a step: the expression holds over what its scope has had until
 * then, this event with it. */
static bool completes(const struct segment_step *step, const struct span *s, size_t i)
{
  struct span until = *s;
  until.to = i + 1;
  int64_t session = step->scope == WITHIN_SESSION ? s->events[i].session : -1;
  uint64_t filters =
      step->scope == WITHIN_EVENT ? s->events[i].filters : filters_of(&until, session);
  return holds(step->expression, filters, s->any);
}

/* Whether the steps come one after the other from the event at `first` on. */
static bool sequence_from(const struct segment_group *g, const struct span *s, size_t first)
{
  size_t at = first;
  if (!completes(&g->steps[0], s, first))
    return false;
  for (size_t k = 1; k < g->n_steps; k++) {
    size_t i = at + 1, end = g->steps[k].directly && i < s->to ? i + 1 : s->to;
    while (i < end && !completes(&g->steps[k], s, i))
      i++;
    if (i >= end ||
        (g->within_s > 0 && s->events[i].time_s - s->events[first].time_s > g->within_s))
      return false;
    at = i;
  }
  return true;
}

/* Whether a group is met within one of its units, which is in the span. */
static bool meets(const struct segment_group *g, const struct span *s)
{
  for (size_t i = s->from, end; i < s->to; i = end) {
    struct span unit = *s;
    unit.from = i;
    unit.to = end = unit_end(s, i, g->scope);
    if (g->expression != NULL && holds(g->expression, filters_of(&unit, -1), s->any))
      return true;
    for (size_t k = unit.from; g->expression == NULL && k < unit.to; k++)
      if (sequence_from(g, &unit, k))
        return true;
  }
  return false;
}

static bool meets_all(const struct segment_criteria *c, const struct span *s)
{
  for (size_t i = 0; i < c->n; i++)
    if (!meets(&c->groups[i], s))
      return false;
  return true;
}

/* The widest scope of the criteria, of which a temporary exclusion takes out one at a time. */
static enum segment_scope widest(const struct segment_criteria *c)
{
  enum segment_scope scope = WITHIN_EVENT;
  for (size_t i = 0; i < c->n; i++)
    if (c->groups[i].scope > scope)
      scope = c->groups[i].scope;
  return scope;
}

/* Takes what meets the exclusion out of a member. */
static void exclude(const struct segment *s, const struct span *member, bool *in)
{
  enum segment_scope scope = s->exclusion == EXCLUDE_PERMANENT ? s->member : widest(&s->out);
  for (size_t i = member->from, end; s->out.n > 0 && i < member->to; i = end) {
    struct span unit = *member;
    unit.from = i;
    unit.to = end = unit_end(member, i, scope);
    if (meets_all(&s->out, &unit))
      memset(in + unit.from, 0, unit.to - unit.from);
  }
}

void segment_mark(const struct segments *all, const struct segment *s,
                  const struct segment_days *days, const struct segment_event *events, size_t n,
                  bool *in)
{
  struct span user = {.all = all, .days = days, .events = events, .to = n};
  user.any = filters_of(&user, -1);
  for (size_t i = 0, end; i < n; i = end) {
    struct span member = user;
    member.from = i;
    member.to = end = unit_end(&user, i, s->member);
    memset(in + i, meets_all(&s->in, &member), end - i);
    exclude(s, &member, in);
  }
}
