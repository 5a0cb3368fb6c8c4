/* A change beside the market's in the form in which it is shown. */
#ifndef AMCP_AGGREGATE_CHANGE_FORM_H
#define AMCP_AGGREGATE_CHANGE_FORM_H

#include <stdbool.h>

#include "aggregate-svc/verdict/change.h"

/* In percent: -17 is 17 % down. */
struct change_form {
  bool has_own, has_own_interval, has_market, has_relative;
  double own, own_low, own_high;
  double market;
  double relative, relative_low, relative_high;
};
/* restricted: dealers are outside the caller's view, so the market's figures are whole numbers and
 * bounds go outward in steps. Pure. */
struct change_form change_form_of(const struct change_row *row, bool restricted);

#endif
