/* Whether sums and differences of whole cohorts would isolate dealers.
 *
 * Pairs are not enough: W, C and a third that is both with one dealer more pass pairwise, and
 * their totals disclose that dealer. A caller who reaches several cohorts knows every sum and
 * difference of their totals, so what it can isolate is decided exactly, as a question of linear
 * algebra: dealers that are in the same cohorts cannot be told apart and form an atom; a small set
 * of atoms is isolated when some combination of cohorts is zero everywhere else. Pure. */
#ifndef AMCP_AUTH_UNIONS_H
#define AMCP_AUTH_UNIONS_H

#include "auth-svc/dealers/catalogue.h"

enum { UNIONS_NAMED = 4 };

struct isolation {
  size_t cohorts[UNIONS_NAMED]; /* of the combination, the first few; indexes, ascending */
  size_t n;                     /* of the combination */
  size_t dealers;               /* that it isolates */
  size_t dealer;                /* the index of one of them */
  /* The catalogue overlaps too much for the check, whose size is bounded; n is 0. */
  bool too_large;
};

/* Finds a combination of those released across owners (`benchmark`) that isolates too few dealers
 * or owners. False when there is none. */
bool unions_isolate(const struct directory *d, const struct catalogued *cohorts, size_t n,
                    struct isolation *out);

#endif
