/* Which values of a sliced benchmark an outside viewer may see, and what goes to "(other)".
 *
 * One dimension at a time. Only the outside dealers that have a value count for it, so a value is
 * released when enough dealers of enough owners have it and none dominates it. A page or a
 * campaign that names a dealer is that dealer's alone and never passes. What does not pass goes to
 * "(other)", which must hold at least two values and pass itself; else the smallest released
 * value follows, so that no value is the rest that subtraction leaves. Both hold in each week or
 * month of the period, too. Pure. */
#ifndef AMCP_AGGREGATE_SLICES_H
#define AMCP_AGGREGATE_SLICES_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/disclosure/disclosure.h"

/* Whether a benchmark may be sliced by a dimension as a whole: its values come from a fixed list
 * (channel group, device, page type, model, body, powertrain). For any other, such as campaign,
 * page or city, benchmarks are given only for the values that the caller's own dealers have.
 * GA4's name or ours. */
bool slices_dimension_is_listed(const char *dimension);

/* One value of the dimension over the whole cohort: a part per member, in the order of the
 * members. A member without the value has zeros; `contributes` of its member stays what it is. */
struct slice_part {
  int64_t denominator, numerator;
};

struct slices_question {
  const struct disclosure_member *members; /* visible, contributes and owner are read */
  size_t n_members;
  const struct slice_part *parts; /* values x members */
  size_t n_values;
  bool rate; /* the numerator must pass too */
  /* The parts in each week or month of the period, zeros where a member does not contribute: the
   * parts of the period are then their sums, and a value must pass in each (see door.h). */
  const struct slice_part *const *bases;
  size_t n_bases; /* 0: the period is one */
};

enum slice_fate {
  SLICE_ABSENT,   /* no outside dealer has it */
  SLICE_RELEASED, /* may be shown by name, subject to the door's form */
  SLICE_OTHER,    /* is part of "(other)" */
};

/* Fills fates[n_values]; *other says whether "(other)" may be shown: DISCLOSURE_RESTRICTED, or
 * the code for which nothing of the dimension may be. DISCLOSURE_OPEN: nobody is outside, every
 * value is released. Without a suppressed value *other is DISCLOSURE_RESTRICTED, and unused. */
void slices_decide(const struct disclosure_policy *policy, const struct slices_question *q,
                   enum slice_fate *fates, enum disclosure_code *other);

#endif
