/* Suppression of values of a dimension, and of the value that would give them away. */
#include "aggregate-svc/disclosure/slices.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

bool slices_dimension_is_listed(const char *dimension)
{
  static const char *const listed[] = {"sessionDefaultChannelGroup",
                                       "firstUserDefaultChannelGroup",
                                       "defaultChannelGroup",
                                       "deviceCategory",
                                       "page_type",
                                       "model",
                                       "body",
                                       "powertrain"};
  for (size_t i = 0; i < ARRAY_LEN(listed); i++)
    if (strcmp(dimension, listed[i]) == 0)
      return true;
  return false;
}

static const struct slice_part *part_of(const struct slices_question *q, size_t value,
                                        size_t member)
{
  return &q->parts[value * q->n_members + member];
}

static bool is_outside(const struct slices_question *q, size_t member)
{
  return !q->members[member].visible && q->members[member].contributes;
}

/* What the members have of one value (`only`), or of all of "(other)" added up. */
static void members_of(const struct slices_question *q, const struct slice_part *parts,
                       const enum slice_fate *fates, size_t only, struct disclosure_member *out)
{
  size_t first = only < q->n_values ? only : 0, end = only < q->n_values ? only + 1 : q->n_values;
  for (size_t i = 0; i < q->n_members; i++) {
    out[i] = q->members[i];
    out[i].denominator = out[i].numerator = 0;
    for (size_t v = first; v < end; v++) {
      const struct slice_part *p = &parts[v * q->n_members + i];
      bool chosen = v == only || fates[v] == SLICE_OTHER;
      out[i].denominator += chosen ? p->denominator : 0;
      out[i].numerator += chosen ? p->numerator : 0;
    }
    out[i].contributes = out[i].contributes && (out[i].denominator != 0 || out[i].numerator != 0);
  }
}

/* Whether it may be shown: over the period, and in each of its weeks or months. */
static enum disclosure_code judge(const struct disclosure_policy *policy,
                                  const struct slices_question *q, const enum slice_fate *fates,
                                  size_t only)
{
  AUTO_FREE struct disclosure_member *m = xcalloc(q->n_members + 1, sizeof(*m));
  members_of(q, q->parts, fates, only, m);
  struct disclosure_question whole = {DISCLOSURE_POOLED_RATE, m, q->n_members, q->rate, -1};
  struct disclosure_cell base = {m, q->n_members, q->rate, false};
  enum disclosure_code code = disclosure_allowed(policy, &whole);
  for (size_t b = 0; b < q->n_bases && code == DISCLOSURE_RESTRICTED; b++) {
    members_of(q, q->bases[b], fates, only, m);
    code = disclosure_base_allowed(policy, &base);
  }
  return code;
}

static bool is_absent(const struct slices_question *q, size_t value)
{
  for (size_t i = 0; i < q->n_members; i++)
    if (is_outside(q, i) &&
        (part_of(q, value, i)->denominator != 0 || part_of(q, value, i)->numerator != 0))
      return false;
  return true;
}

static int64_t size_of(const struct slices_question *q, size_t value)
{
  int64_t sum = 0;
  for (size_t i = 0; i < q->n_members; i++)
    if (is_outside(q, i) && __builtin_add_overflow(sum, part_of(q, value, i)->denominator, &sum))
      return INT64_MAX;
  return sum;
}

/* The smallest released value; n_values when there is none. */
static size_t smallest_released(const struct slices_question *q, const enum slice_fate *fates)
{
  size_t best = q->n_values;
  for (size_t v = 0; v < q->n_values; v++)
    if (fates[v] == SLICE_RELEASED && (best == q->n_values || size_of(q, v) < size_of(q, best)))
      best = v;
  return best;
}

static size_t count(const struct slices_question *q, const enum slice_fate *fates,
                    enum slice_fate fate)
{
  size_t n = 0;
  for (size_t v = 0; v < q->n_values; v++)
    n += fates[v] == fate;
  return n;
}

static bool nobody_is_outside(const struct slices_question *q)
{
  for (size_t i = 0; i < q->n_members; i++)
    if (!q->members[i].visible)
      return false;
  return true;
}

static void decide(const struct disclosure_policy *policy, const struct slices_question *q,
                   enum slice_fate *fates, enum disclosure_code *other)
{
  bool open = nobody_is_outside(q);
  *other = open ? DISCLOSURE_OPEN : DISCLOSURE_RESTRICTED;
  for (size_t v = 0; v < q->n_values; v++)
    fates[v] = open                                                  ? SLICE_RELEASED
               : is_absent(q, v)                                     ? SLICE_ABSENT
               : judge(policy, q, fates, v) == DISCLOSURE_RESTRICTED ? SLICE_RELEASED
                                                                     : SLICE_OTHER;
  while (!open && count(q, fates, SLICE_OTHER) > 0) {
    *other = judge(policy, q, fates, q->n_values);
    if (*other == DISCLOSURE_RESTRICTED && count(q, fates, SLICE_OTHER) >= 2)
      return;
    size_t next = smallest_released(q, fates);
    if (next == q->n_values) { /* a single value is the unsliced figure itself */
      *other = *other == DISCLOSURE_RESTRICTED ? DISCLOSURE_MIN_CONTRIBUTORS : *other;
      return;
    }
    fates[next] = SLICE_OTHER;
  }
}

void slices_decide(const struct disclosure_policy *policy, const struct slices_question *q,
                   enum slice_fate *fates, enum disclosure_code *other)
{
  size_t n = q->n_values * q->n_members;
  AUTO_FREE struct slice_part *sums = xcalloc(n + 1, sizeof(*sums));
  struct slices_question whole = *q;
  for (size_t b = 0; b < q->n_bases; b++)
    for (size_t i = 0; i < n; i++)
      if (__builtin_add_overflow(sums[i].denominator, q->bases[b][i].denominator,
                                 &sums[i].denominator) ||
          __builtin_add_overflow(sums[i].numerator, q->bases[b][i].numerator, &sums[i].numerator))
        sums[i] = (struct slice_part){-1, -1}; /* which the policy refuses */
  if (q->n_bases > 0)
    whole.parts = sums;
  decide(policy, &whole, fates, other);
}
