/* Decides and keeps which values of a dimension are shown apart. */
#include "aggregate-svc/disclosure/split.h"

#include <stdio.h>
#include <stdlib.h>

#include "aggregate-svc/disclosure/door_private.h"
#include "aggregate-svc/stats/stats.h"
#include "common/base/mem.h"

enum { NAME_BYTES = 320 };

/* A label as a number that is the same in every process and exact as a double: FNV-1a, cut to 52
 * bits. Two labels of one number would share a fate, but each figure passes the policy by itself.
 */
static double number_of(const char *label)
{
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (const unsigned char *p = (const unsigned char *)label; *p != '\0'; p++)
    h = (h ^ *p) * UINT64_C(0x100000001b3);
  return (double)(h >> 12);
}

static bool is_kept(const struct release_record *r, const char *label)
{
  double number = number_of(label);
  for (size_t i = 0; i < r->n_values; i++)
    if (r->values[i] == number)
      return true;
  return false;
}

/* The decision as a release: the numbers of the released labels. */
static struct release_record record_of(const struct split_question *q, const enum slice_fate *fates)
{
  struct release_record r = {.numerator = 1, .denominator = 1, .dispersion = 1};
  r.values = xcalloc(q->slices.n_values + 1, sizeof(*r.values));
  for (size_t v = 0; v < q->slices.n_values; v++)
    if (fates[v] == SLICE_RELEASED)
      r.values[r.n_values++] = number_of(q->labels[v]);
  stats_sort(r.values, r.n_values);
  return r;
}

static enum disclosure_code withhold(const struct split_question *q, enum slice_fate *fates,
                                     enum disclosure_code code)
{
  for (size_t v = 0; v < q->slices.n_values; v++)
    fates[v] = SLICE_OTHER;
  return code;
}

static void follow(const struct split_question *q, const struct release_record *kept,
                   enum slice_fate *fates)
{
  for (size_t v = 0; v < q->slices.n_values; v++)
    fates[v] = is_kept(kept, q->labels[v]) ? SLICE_RELEASED : SLICE_OTHER;
}

/* What was decided when the dealers outside were asked; they are not now. */
static enum disclosure_code follow_kept(struct door *d, const struct split_question *q,
                                        const struct release_key *key, enum release_outcome found,
                                        bool reached, struct release_record *kept,
                                        enum slice_fate *fates)
{
  enum disclosure_code code = DISCLOSURE_RESTRICTED;
  if (found == RELEASE_FROZEN)
    follow(q, kept, fates);
  else if (reached)
    code = door_refusal(d, key, DISCLOSURE_OPEN);
  else
    code = DISCLOSURE_NOT_READY;
  release_record_free(kept);
  if (code == DISCLOSURE_OPEN)
    code = door_unasked(d);
  return code == DISCLOSURE_RESTRICTED ? code : withhold(q, fates, code);
}

static enum disclosure_code code_of(enum release_outcome outcome, bool reached, bool late,
                                    enum disclosure_code other)
{
  switch (outcome) {
  case RELEASE_FROZEN:
  case RELEASE_NEW:
    return DISCLOSURE_RESTRICTED;
  case RELEASE_CHANGED:
    return DISCLOSURE_COHORT_CHANGED;
  case RELEASE_SPENT:
    return DISCLOSURE_BUDGET;
  case RELEASE_NONE:
  default:
    return !reached || late                 ? DISCLOSURE_NOT_READY
           : other == DISCLOSURE_RESTRICTED ? DISCLOSURE_MIN_CONTRIBUTORS
                                            : other;
  }
}

void split_slice(char *out, size_t size, const char *dimension, const char *label)
{
  snprintf(out, size, "%s=%s", dimension, label);
}

enum disclosure_code split_decide(struct door *d, const struct split_question *q,
                                  enum slice_fate *fates)
{
  enum disclosure_code other;
  char name[NAME_BYTES];
  bool reached;
  if (d->withheld != DISCLOSURE_OPEN && d->withheld != DISCLOSURE_RESTRICTED)
    return withhold(q, fates, d->withheld);
  snprintf(name, sizeof(name), "#split %s", q->metric);
  struct release_key key = door_key(d, name, q->dimension, d->period);
  struct release_record kept;
  if (d->withheld == DISCLOSURE_RESTRICTED && d->kept_only) {
    enum release_outcome found = door_take(d, &key, NULL, &kept, &reached);
    return follow_kept(d, q, &key, found, reached, &kept, fates);
  }
  slices_decide(&d->options.policy, &q->slices, fates, &other);
  if (other == DISCLOSURE_OPEN)
    return other;
  struct release_record now = record_of(q, fates);
  bool may = !d->late && now.n_values > 0;
  enum release_outcome outcome = door_take(d, &key, may ? &now : NULL, &kept, &reached);
  if (outcome == RELEASE_FROZEN || outcome == RELEASE_NEW)
    follow(q, &kept, fates);
  release_record_free(&now);
  release_record_free(&kept);
  enum disclosure_code code = code_of(outcome, reached, d->late, other);
  if (code == DISCLOSURE_RESTRICTED)
    return code;
  return withhold(q, fates, reached ? door_refusal(d, &key, code) : code);
}
