/* Members, parts and bases of a dimension as the door wants them. */
#include "aggregate-svc/answer/sliced.h"

#include <stdlib.h>

#include "common/base/mem.h"

enum { SLICE_BYTES = 256 };

static size_t bases_of(const struct sliced *s)
{
  return s->bases != NULL ? s->q->door->bases[DOOR_NOW].n : 0;
}

static struct stats_ratio base_part(const struct sliced *s, size_t base, size_t v, size_t member)
{
  return s->bases[(base * s->parts->n + v) * s->parts->n_members + member];
}

/* Whether a member is in the figures of a base. */
static bool is_in_base(const struct sliced *s, size_t base, size_t member)
{
  const struct dealer_figures *f =
      &s->q->door->bases[DOOR_NOW].figures[base * s->parts->n_members + member];
  return f->ok && metric_is_usable(&dealer_metrics[METRIC_LEADS_PER_100_SESSIONS], f);
}

/* Whether a member may be in the figure: by what is suspect in the period, or with `in_bases`
 * before what is suspect in each base has been looked at. */
static bool contributes(const struct sliced *s, size_t member, bool in_bases)
{
  const struct cohort *c = s->q->cohort;
  if (c->members[member].state != DEALER_OK ||
      (s->lead_events != NULL && !subject_same_leads(c, s->lead_events, member)))
    return false;
  return in_bases ||
         (breakdown_total(s->parts, member).denominator > 0 && subject_usable(s->q, member));
}

/* The dealers with nothing but who they are. */
static struct disclosure_member *members_of(const struct sliced *s, bool in_bases)
{
  const struct cohort *c = s->q->cohort;
  struct disclosure_member *m = xcalloc(c->n + 1, sizeof(*m));
  for (size_t i = 0; i < c->n; i++)
    m[i] = (struct disclosure_member){.visible = c->members[i].visible,
                                      .contributes = contributes(s, i, in_bases),
                                      .owner = c->members[i].owner};
  return m;
}

static struct slice_part slice_of(const struct sliced *s, struct stats_ratio part)
{
  return (struct slice_part){part.denominator, s->lead_events != NULL ? part.numerator : 0};
}

enum disclosure_code sliced_split(const struct sliced *s, enum slice_fate *fates)
{
  const struct breakdown *b = s->parts;
  size_t n = b->n * b->n_members, n_bases = bases_of(s);
  AUTO_FREE struct disclosure_member *members = members_of(s, n_bases > 0);
  AUTO_FREE struct slice_part *parts = xcalloc((n_bases + 1) * n + 1, sizeof(*parts));
  AUTO_FREE const struct slice_part **bases = xcalloc(n_bases + 1, sizeof(*bases));
  AUTO_FREE const char **labels = xcalloc(b->n + 1, sizeof(*labels));
  for (size_t k = 0; k < n_bases; k++)
    bases[k] = parts + (k + 1) * n;
  for (size_t v = 0; v < b->n; v++) {
    labels[v] = b->values[v]->label;
    for (size_t i = 0; i < b->n_members; i++) {
      size_t at = v * b->n_members + i;
      if (members[i].contributes)
        parts[at] = slice_of(s, *breakdown_part(b, v, i));
      for (size_t k = 0; k < n_bases && members[i].contributes; k++)
        if (is_in_base(s, k, i))
          parts[(k + 1) * n + at] = slice_of(s, base_part(s, k, v, i));
    }
  }
  struct split_question q = {
      s->metric,
      s->dimension,
      labels,
      {members, b->n_members, parts, b->n, s->lead_events != NULL, bases, n_bases}};
  return split_decide(s->q->door, &q, fates);
}

/* A member in the figure of one value: its lead rate there, or the value's share of `sessions`. A
 * dealer without the value is in the share, as 0, and in no lead rate. */
static void set_member(const struct sliced *s, struct disclosure_member *m, struct stats_ratio part,
                       int64_t sessions)
{
  m->numerator = s->lead_events != NULL ? part.numerator : part.denominator;
  m->denominator = s->lead_events != NULL ? part.denominator : sessions;
  m->contributes = m->contributes && m->denominator > 0;
}

static int64_t sessions_in_base(const struct sliced *s, size_t base, size_t member)
{
  int64_t sum = 0;
  for (size_t v = 0; v < s->parts->n; v++)
    sum += base_part(s, base, v, member).denominator;
  return sum;
}

/* A member in the figure of one value in one week or month; true when it had sessions then. */
static bool set_in_base(const struct sliced *s, size_t base, size_t v, size_t member,
                        struct disclosure_member *m)
{
  int64_t sessions = sessions_in_base(s, base, member);
  m->contributes = contributes(s, member, true) && is_in_base(s, base, member);
  bool any = !m->visible && m->contributes && sessions > 0;
  set_member(s, m, base_part(s, base, v, member), sessions);
  return any;
}

static void ask_door(const struct sliced *s, size_t v, struct door_figure *out)
{
  const struct breakdown *b = s->parts;
  size_t n = b->n_members, n_bases = bases_of(s);
  AUTO_FREE struct disclosure_member *members = members_of(s, false);
  AUTO_FREE struct disclosure_member *rows = xcalloc(n_bases * n + 1, sizeof(*rows));
  AUTO_FREE const struct disclosure_member **bases = xcalloc(n_bases + 1, sizeof(*bases));
  char slice[SLICE_BYTES];
  split_slice(slice, sizeof(slice), s->dimension, b->values[v]->label);
  size_t empty = 0;
  for (size_t k = 0; k < n_bases; k++) {
    bool any = false;
    bases[k] = rows + k * n;
    for (size_t i = 0; i < n; i++) {
      rows[k * n + i] = members[i];
      any = set_in_base(s, k, v, i, &rows[k * n + i]) || any;
    }
    empty += !any;
  }
  for (size_t i = 0; i < n; i++)
    set_member(s, &members[i], *breakdown_part(b, v, i), breakdown_total(b, i).denominator);
  struct door_cell cell = {.metric = s->metric,
                           .slice = slice,
                           .members = members,
                           .bases = bases,
                           .n_bases = n_bases,
                           .gap = empty > 0 && empty < n_bases,
                           .rate = true,
                           .share = s->lead_events == NULL || s->lead_sessions,
                           .scale = s->scale,
                           .dispersion = s->dispersion};
  door_figure(s->q->door, &cell, out);
}

void sliced_release(const struct sliced *s, size_t value, enum disclosure_code split,
                    enum slice_fate fate, struct door_figure *out)
{
  *out = (struct door_figure){.code = split};
  if (split == DISCLOSURE_RESTRICTED && fate != SLICE_RELEASED)
    out->code = DISCLOSURE_MIN_CONTRIBUTORS;
  else if (split == DISCLOSURE_RESTRICTED)
    ask_door(s, value, out);
}
