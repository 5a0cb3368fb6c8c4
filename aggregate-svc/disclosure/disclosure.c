/* The disclosure policy as one total function over a cohort's members. */
#include "aggregate-svc/disclosure/disclosure.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* Sums times percentages need more than 64 bits. */
__extension__ typedef __int128 wide;

struct contribution {
  const char *owner;
  int64_t value;
};

static const char *owner_of(const struct disclosure_member *m)
{
  return m->owner != NULL ? m->owner : "";
}

static bool is_outside_contributor(const struct disclosure_member *m)
{
  return !m->visible && m->contributes;
}

static int by_owner(const void *a, const void *b)
{
  return strcmp(((const struct contribution *)a)->owner, ((const struct contribution *)b)->owner);
}

/* Largest, second largest and total over owners. */
struct concentration {
  wide total, first, second;
  int64_t owners;
};

static void concentration_add(struct concentration *c, wide owner_sum)
{
  c->owners++;
  c->total += owner_sum;
  if (owner_sum > c->first) {
    c->second = c->first;
    c->first = owner_sum;
  } else if (owner_sum > c->second) {
    c->second = owner_sum;
  }
}

static struct concentration concentrate(struct contribution *parts, size_t n)
{
  struct concentration c = {0};
  if (n > 1)
    qsort(parts, n, sizeof(*parts), by_owner);
  for (size_t i = 0; i < n;) {
    wide sum = 0;
    size_t first = i;
    for (; i < n && strcmp(parts[i].owner, parts[first].owner) == 0; i++)
      sum += parts[i].value;
    concentration_add(&c, sum);
  }
  return c;
}

static enum disclosure_code check_concentration(const struct disclosure_policy *p,
                                                const struct concentration *c)
{
  if (c->owners < p->min_owners)
    return DISCLOSURE_MIN_OWNERS;
  if (c->total < p->min_events)
    return DISCLOSURE_MIN_VOLUME;
  if (100 * c->first > p->largest_percent * c->total ||
      100 * (c->first + c->second) > p->two_largest_percent * c->total)
    return DISCLOSURE_DOMINANCE;
  if (100 * (c->total - c->first - c->second) < p->p_percent * c->first)
    return DISCLOSURE_P_PERCENT;
  return DISCLOSURE_RESTRICTED;
}

/* Checks one cell: the denominators or the numerators of the outside contributors. */
static enum disclosure_code check_cell(const struct disclosure_policy *policy,
                                       const struct disclosure_question *q, bool numerator)
{
  AUTO_FREE struct contribution *parts = xcalloc(q->n + 1, sizeof(*parts));
  size_t n = 0;
  for (size_t i = 0; i < q->n; i++) {
    const struct disclosure_member *m = &q->members[i];
    if (!is_outside_contributor(m))
      continue;
    int64_t value = numerator ? m->numerator : m->denominator;
    if (value < 0)
      return DISCLOSURE_MIN_VOLUME;
    parts[n++] = (struct contribution){owner_of(m), value};
  }
  struct concentration c = concentrate(parts, n);
  return check_concentration(policy, &c);
}

static int64_t outside_contributors(const struct disclosure_question *q)
{
  int64_t n = 0;
  for (size_t i = 0; i < q->n; i++)
    n += is_outside_contributor(&q->members[i]);
  return n;
}

static bool sees_everything(const struct disclosure_question *q)
{
  for (size_t i = 0; i < q->n; i++)
    if (!q->members[i].visible)
      return false;
  return true;
}

/* A dealer that is compared must be the caller's own: the figures without it, next to
 * the figures with it, are that dealer's figures. */
static bool left_out_is_visible(const struct disclosure_question *q)
{
  return q->left_out < 0 || ((size_t)q->left_out < q->n && q->members[q->left_out].visible);
}

static int64_t contributors_needed(const struct disclosure_policy *p, enum disclosure_form form)
{
  if (form == DISCLOSURE_QUANTILE && p->min_quantile_members > p->min_contributors)
    return p->min_quantile_members;
  return p->min_contributors;
}

enum disclosure_code disclosure_allowed(const struct disclosure_policy *policy,
                                        const struct disclosure_question *q)
{
  if (sees_everything(q))
    return DISCLOSURE_OPEN;
  if (!left_out_is_visible(q))
    return DISCLOSURE_NOT_VISIBLE;
  switch (q->form) {
  case DISCLOSURE_POOLED_RATE:
  case DISCLOSURE_INDEX:
  case DISCLOSURE_RANK:
  case DISCLOSURE_QUANTILE:
  case DISCLOSURE_MIDDLE_MEAN:
    break;
  case DISCLOSURE_VALUE:
  default:
    return DISCLOSURE_PEER_COUNTS;
  }
  if (outside_contributors(q) < contributors_needed(policy, q->form))
    return DISCLOSURE_MIN_CONTRIBUTORS;
  enum disclosure_code code = check_cell(policy, q, false);
  if (code == DISCLOSURE_RESTRICTED && q->rate)
    code = check_cell(policy, q, true);
  return code;
}

enum disclosure_code disclosure_cell_allowed(const struct disclosure_policy *policy,
                                             const struct disclosure_cell *cell)
{
  enum disclosure_form form = cell->rate ? DISCLOSURE_POOLED_RATE : DISCLOSURE_RANK;
  struct disclosure_question q = {form, cell->members, cell->n, cell->rate, -1};
  enum disclosure_code code = disclosure_allowed(policy, &q);
  if (code != DISCLOSURE_RESTRICTED || !cell->share)
    return code;
  AUTO_FREE struct disclosure_member *rest = xcalloc(cell->n + 1, sizeof(*rest));
  for (size_t i = 0; i < cell->n; i++) {
    rest[i] = cell->members[i];
    rest[i].numerator = cell->members[i].denominator - cell->members[i].numerator;
  }
  q.members = rest;
  return disclosure_allowed(policy, &q);
}

bool disclosure_is_empty(const struct disclosure_member *members, size_t n)
{
  for (size_t i = 0; i < n; i++)
    if (is_outside_contributor(&members[i]))
      return false;
  return true;
}

/* Sums over the dealers outside that have a value; saturated. */
static void sums_of(const struct disclosure_cell *c, int64_t *numerator, int64_t *denominator)
{
  *numerator = *denominator = 0;
  for (size_t i = 0; i < c->n; i++) {
    const struct disclosure_member *m = &c->members[i];
    if (!m->visible && m->contributes &&
        (__builtin_add_overflow(*numerator, m->numerator, numerator) ||
         __builtin_add_overflow(*denominator, m->denominator, denominator)))
      *numerator = *denominator = INT64_MAX / 2;
  }
}

enum disclosure_code disclosure_base_allowed(const struct disclosure_policy *policy,
                                             const struct disclosure_cell *base)
{
  struct disclosure_policy p = *policy;
  struct disclosure_cell cell = *base;
  int64_t numerator, denominator;
  sums_of(base, &numerator, &denominator);
  if (denominator == 0) /* nothing of anybody: the release is that of its other units */
    return DISCLOSURE_RESTRICTED;
  cell.rate = base->rate && numerator >= p.min_events;
  cell.share = base->share && cell.rate && denominator - numerator >= p.min_events;
  if (denominator < p.min_events) {
    p.largest_percent = p.two_largest_percent = 100;
    p.p_percent = 0;
  }
  p.min_events = 0;
  return disclosure_cell_allowed(&p, &cell);
}

const char *disclosure_code_name(enum disclosure_code code)
{
  switch (code) {
  case DISCLOSURE_OPEN:
  case DISCLOSURE_RESTRICTED:
    return "";
  case DISCLOSURE_MIN_CONTRIBUTORS:
    return "min_contributors";
  case DISCLOSURE_MIN_OWNERS:
    return "min_owners";
  case DISCLOSURE_DOMINANCE:
    return "dominance";
  case DISCLOSURE_P_PERCENT:
    return "p_percent";
  case DISCLOSURE_MIN_VOLUME:
    return "min_volume";
  case DISCLOSURE_PEER_COUNTS:
    return "peer_counts";
  case DISCLOSURE_NOT_IN_LATTICE:
    return "not_in_lattice";
  case DISCLOSURE_NOT_READY:
    return "not_ready";
  case DISCLOSURE_COHORT_CHANGED:
    return "cohort_changed";
  case DISCLOSURE_BUDGET:
    return "budget";
  case DISCLOSURE_NOT_VISIBLE:
  default:
    return "not_visible";
  }
}

/* The dealers outside are all but one; its owner stays among the owners where it has another. */
const char *disclosure_cohort_withheld(const struct disclosure_policy *policy,
                                       const struct disclosure_outlook *size)
{
  int64_t owners = size->owners < size->dealers ? size->owners : size->owners - 1;
  if (size->dealers - 1 < policy->min_contributors)
    return disclosure_code_name(DISCLOSURE_MIN_CONTRIBUTORS);
  if (owners < policy->min_owners)
    return disclosure_code_name(DISCLOSURE_MIN_OWNERS);
  return size->isolates_dealers ? "isolates_dealers" : "";
}
