/* Reads the segments of a RunFunnelReportRequest. */
#include "ga4-sim/report/segment_read.h"
#include "common/base/mem.h"
#include "ga4-sim/report/funnel.h"

static const struct segment_expression *read_expression(struct segment_place *p, const cJSON *in,
                                                        unsigned depth);

struct segment_expression *segment_expression_new(struct segment_place *p, enum segment_join join,
                                                  size_t n)
{
  struct segment_expression *e = ARENA_NEW(p->x->r->arena, struct segment_expression);
  const struct segment_expression **parts =
      ARENA_ARRAY(p->x->r->arena, const struct segment_expression *, n + 1);
  if (e == NULL || parts == NULL) {
    err_set(p->x->e, ERR_INTERNAL, "size", "simulator: the segments are too large");
    return NULL;
  }
  *e = (struct segment_expression){.join = join, .parts = parts};
  return e;
}

struct segment_expression *segment_read_filter(struct segment_place *p, const cJSON *filter)
{
  struct segment_expression *e = segment_expression_new(p, SEGMENT_FILTER, 0);
  if (e == NULL)
    return NULL;
  if (p->all->n_filters == SEGMENT_MAX_FILTERS) {
    err_set(p->x->e, ERR_UNIMPLEMENTED, NULL,
            "The simulator takes up to %d filters in segments. Remove some.", SEGMENT_MAX_FILTERS);
    return NULL;
  }
  if (funnel_filter(p->x, filter, &p->all->filters[p->all->n_filters]) != ERR_OK)
    return NULL;
  e->filter = (unsigned)p->all->n_filters++;
  return e;
}

/* A filter on a field, or on an event that is not added up. */
static const struct segment_expression *read_filter(struct segment_place *p, const cJSON *in,
                                                    const cJSON *filter)
{
  struct segment_expression *e = segment_read_filter(p, in);
  if (e != NULL)
    e->any_time = cJSON_IsTrue(member(member(filter, "filterScoping"), "atAnyPointInTime"));
  return e;
}

static const struct segment_expression *read_parts(struct segment_place *p, const cJSON *list,
                                                   enum segment_join join, unsigned depth)
{
  struct segment_expression *e = segment_expression_new(p, join, (size_t)cJSON_GetArraySize(list));
  const cJSON *one;
  cJSON_ArrayForEach(one, list)
  {
    const struct segment_expression *part = e == NULL ? NULL : read_expression(p, one, depth + 1);
    if (part == NULL)
      return NULL;
    e->parts[e->n++] = part;
  }
  return e;
}

static const struct segment_expression *read_not(struct segment_place *p, const cJSON *in,
                                                 unsigned depth)
{
  struct segment_expression *e = segment_expression_new(p, SEGMENT_NOT, 1);
  const struct segment_expression *part = e == NULL ? NULL : read_expression(p, in, depth + 1);
  if (part == NULL)
    return NULL;
  e->parts[e->n++] = part;
  return e;
}

static const struct segment_expression *read_expression(struct segment_place *p, const cJSON *in,
                                                        unsigned depth)
{
  const cJSON *one;
  if (depth > FUNNEL_MAX_DEPTH) {
    request_invalid(p->x->e, "The filter expression is nested too deeply.");
    return NULL;
  }
  if ((one = member(in, "andGroup")) != NULL)
    return read_parts(p, member(one, "expressions"), SEGMENT_AND, depth);
  if ((one = member(in, "orGroup")) != NULL)
    return read_parts(p, member(one, "expressions"), SEGMENT_OR, depth);
  if ((one = member(in, "notExpression")) != NULL)
    return read_not(p, one, depth);
  if ((one = member(in, "segmentEventFilter")) != NULL && segment_accumulates(one))
    return segment_read_counts(p, one);
  if ((one = member(in, "segmentFilter")) != NULL ||
      (one = member(in, "segmentEventFilter")) != NULL)
    return read_filter(p, in, one);
  request_invalid(p->x->e, "The filter expression is empty.");
  return NULL;
}

/* ------------------------------------------------------------------ groups */

static enum segment_scope scope_of(const cJSON *in, const char *name, enum segment_scope otherwise)
{
  const cJSON *scope = member(in, name);
  return scope == NULL || scope->valueint == WITHIN_UNSPECIFIED
             ? otherwise
             : (enum segment_scope)scope->valueint;
}

static enum err_code read_sequence(struct segment_place *p, const cJSON *in,
                                   struct segment_group *g)
{
  const cJSON *steps = member(in, "userSequenceSteps"), *one;
  if (cJSON_GetArraySize(steps) == 0 || cJSON_GetArraySize(steps) > SEGMENT_MAX_STEPS)
    return request_invalid(p->x->e, "A sequence of a segment requires 1 to %d steps.",
                           SEGMENT_MAX_STEPS);
  cJSON_ArrayForEach(one, steps)
  {
    struct segment_step *step = &g->steps[g->n_steps++];
    step->scope = scope_of(one, "stepScoping", WITHIN_USER);
    step->directly = cJSON_IsTrue(member(one, "isDirectlyFollowedBy"));
    p->scope = step->scope;
    step->expression = read_expression(p, member(one, "segmentFilterExpression"), 0);
    if (step->expression == NULL)
      return p->x->e->code;
  }
  return funnel_duration(p->x, "sequenceMaximumDuration", text_of(in, "sequenceMaximumDuration"),
                         &g->within_s);
}

/* The groups of a list; sequences when they have steps. */
static enum err_code read_groups(struct segment_place *p, const cJSON *list, bool sequences,
                                 enum segment_scope member_scope, struct segment_criteria *out)
{
  const cJSON *one;
  cJSON_ArrayForEach(one, list)
  {
    if (out->n == SEGMENT_MAX_GROUPS)
      return err_set(p->x->e, ERR_UNIMPLEMENTED, NULL,
                     "The simulator takes up to %d groups of conditions in a segment. Remove some.",
                     SEGMENT_MAX_GROUPS);
    struct segment_group *g = &out->groups[out->n++];
    g->scope = scope_of(one, sequences ? "sequenceScoping" : "conditionScoping", member_scope);
    if (sequences && read_sequence(p, one, g) != ERR_OK)
      return p->x->e->code;
    if (sequences)
      continue;
    p->scope = g->scope;
    g->expression = read_expression(p, member(one, "segmentFilterExpression"), 0);
    if (g->expression == NULL)
      return p->x->e->code;
  }
  return ERR_OK;
}

static enum err_code read_criteria(struct segment_place *p, const cJSON *in,
                                   enum segment_scope scope, struct segment_criteria *out)
{
  enum err_code code = read_groups(p, member(in, "andConditionGroups"), false, scope, out);
  return code == ERR_OK ? read_groups(p, member(in, "andSequenceGroups"), true, scope, out) : code;
}

/* ------------------------------------------------------------------ segments */

/* What a segment is a set of, and what its members are called. */
struct kind {
  const char *name, *include, *criteria, *duration;
  enum segment_scope scope;
};

static const struct kind kinds[] = {
    {"userSegment", "userInclusionCriteria", "userExclusionCriteria", "userExclusionDuration",
     WITHIN_USER},
    {"sessionSegment", "sessionInclusionCriteria", "sessionExclusionCriteria",
     "sessionExclusionDuration", WITHIN_SESSION},
    {"eventSegment", "eventInclusionCriteria", "eventExclusionCriteria", "eventExclusionDuration",
     WITHIN_EVENT},
};

static enum err_code read_segment(struct segment_place *p, const cJSON *in, struct segment *out)
{
  size_t k = 0;
  const char *name = text_of(in, "name");
  while (k < ARRAY_LEN(kinds) && member(in, kinds[k].name) == NULL)
    k++;
  if (k == ARRAY_LEN(kinds))
    return request_invalid(p->x->e, "A segment requires a userSegment, a sessionSegment or an "
                                    "eventSegment.");
  const cJSON *of = member(in, kinds[k].name), *exclusion = member(of, "exclusion");
  const cJSON *duration = member(exclusion, kinds[k].duration);
  out->name =
      arena_printf(p->x->r->arena, "%zu. %s", p->all->n, name[0] != '\0' ? name : "Segment");
  out->member = kinds[k].scope;
  out->exclusion =
      duration == NULL ? EXCLUDE_UNSPECIFIED : (enum segment_exclusion)duration->valueint;
  enum err_code code = read_criteria(p, member(of, kinds[k].include), out->member, &out->in);
  if (code == ERR_OK)
    code = read_criteria(p, member(exclusion, kinds[k].criteria), out->member, &out->out);
  if (code == ERR_OK && out->in.n + out->out.n == 0)
    return request_invalid(p->x->e, "A segment requires criteria.");
  return code;
}

enum err_code segments_read(struct segments *out, struct reader *x)
{
  const cJSON *list = member(x->tree, "segments"), *one;
  struct segment_place p = {x, out, WITHIN_UNSPECIFIED};
  int n = cJSON_GetArraySize(list);
  enum err_code code = ERR_OK;
  if (n > SEGMENT_MAX)
    return request_invalid(x->e,
                           "Requests are limited to %d segments. This request is for %d segments.",
                           SEGMENT_MAX, n);
  cJSON_ArrayForEach(one, list)
  {
    if (code == ERR_OK)
      code = read_segment(&p, one, &out->of[out->n++]);
  }
  return code;
}
