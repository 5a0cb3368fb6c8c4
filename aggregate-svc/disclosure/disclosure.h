/* What may be disclosed of dealers that the caller may not see: one total function.
 *
 * Policy of this project (see docs/internals/aggregate-svc.md): when a caller sees every
 * dealer of a cohort, everything may be shown. Otherwise the dealers outside its view and
 * their owners decide, so that neither the caller nor one of the outside owners can work
 * out a single dealer's figures by subtracting its own. Deny by default: what is not
 * listed is not disclosed. Pure, thread-safe. */
#ifndef AMCP_AGGREGATE_DISCLOSURE_H
#define AMCP_AGGREGATE_DISCLOSURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct disclosure_policy {
  int64_t min_contributors;     /* dealers outside the caller's view */
  int64_t min_owners;           /* owners of those */
  int64_t largest_percent;      /* most the largest owner may hold of the total */
  int64_t two_largest_percent;  /* most the two largest owners may hold together */
  int64_t p_percent;            /* the rest must be at least so much of the largest */
  int64_t min_events;           /* smallest total */
  int64_t min_quantile_members; /* dealers below which a quantile is one dealer's value */
};

#define DISCLOSURE_POLICY_DEFAULT                                                                  \
  ((struct disclosure_policy){.min_contributors = 5,                                               \
                              .min_owners = 3,                                                     \
                              .largest_percent = 40,                                               \
                              .two_largest_percent = 75,                                           \
                              .p_percent = 10,                                                     \
                              .min_events = 20,                                                    \
                              .min_quantile_members = 8})

/* In what form a figure would be shown. */
enum disclosure_form {
  DISCLOSURE_VALUE,       /* names, counts, means, values of single dealers */
  DISCLOSURE_POOLED_RATE, /* sum / sum, 3 significant digits */
  DISCLOSURE_INDEX,       /* whole number, of a visible dealer against the others */
  DISCLOSURE_RANK,        /* rank and percentile of a visible dealer */
  DISCLOSURE_QUANTILE,    /* 2 significant digits, over the outside dealers */
  DISCLOSURE_MIDDLE_MEAN, /* mean of the middle three or four of the outside dealers */
};

enum disclosure_code {
  DISCLOSURE_OPEN = 0,         /* the caller sees every dealer: no restriction */
  DISCLOSURE_RESTRICTED,       /* may be shown, in the form asked for */
  DISCLOSURE_MIN_CONTRIBUTORS, /* the rest are refusals */
  DISCLOSURE_MIN_OWNERS,
  DISCLOSURE_DOMINANCE,
  DISCLOSURE_P_PERCENT,
  DISCLOSURE_MIN_VOLUME,
  DISCLOSURE_PEER_COUNTS, /* the form would show counts or single values of peers */
  DISCLOSURE_NOT_VISIBLE, /* the compared dealer itself is outside the caller's view */
  /* Refusals of the door (door.h), whatever the figures are. */
  DISCLOSURE_NOT_IN_LATTICE, /* not whole weeks or whole months */
  DISCLOSURE_NOT_READY,      /* a dealer is late, or the period is not complete */
  DISCLOSURE_COHORT_CHANGED, /* days that overlap a release of the cohort as it was before */
  DISCLOSURE_BUDGET,         /* the caller has had its new figures of today */
};

struct disclosure_member {
  bool visible;        /* the caller may see this dealer */
  bool contributes;    /* it answered and is in the figure */
  const char *owner;   /* equal for dealers of one owner; NULL or "" is the unknown owner,
                          counted as one */
  int64_t denominator; /* sessions, for rates; the count itself for counts */
  int64_t numerator;   /* events, for rates */
};

struct disclosure_question {
  enum disclosure_form form;
  const struct disclosure_member *members; /* the whole cohort */
  size_t n;
  bool rate;     /* the numerator must pass too */
  long left_out; /* index of the dealer that is compared; -1 when none */
};

/* Decides. Sums are taken by owner over the contributing dealers outside the caller's
 * view; integer arithmetic, no rounding. A negative value is refused (min_volume). */
enum disclosure_code disclosure_allowed(const struct disclosure_policy *policy,
                                        const struct disclosure_question *question);

/* A cell of outside dealers as a pool: a rate, or a count of which only ranks are shown. */
struct disclosure_cell {
  const struct disclosure_member *members;
  size_t n;
  bool rate;
  bool share; /* the rest (denominator - numerator) must pass, too */
};
enum disclosure_code disclosure_cell_allowed(const struct disclosure_policy *policy,
                                             const struct disclosure_cell *cell);
/* Whether no dealer outside contributes. */
bool disclosure_is_empty(const struct disclosure_member *members, size_t n);
/* The same of one week or month of it: it must have the dealers and owners, and nobody who
 * dominates it. Few events are no reason to withhold the period, and who has most of few is chance:
 * they are not looked at. A base without anything of anybody passes: of a slice, it adds nothing.
 */
enum disclosure_code disclosure_base_allowed(const struct disclosure_policy *policy,
                                             const struct disclosure_cell *base);

static inline bool disclosure_ok(enum disclosure_code code)
{
  return code == DISCLOSURE_OPEN || code == DISCLOSURE_RESTRICTED;
}
/* Size of a cohort, as its configuration has it. */
struct disclosure_outlook {
  int64_t dealers, owners;
  bool isolates_dealers; /* the catalogue withholds it over its difference to another */
};
/* Why nothing of a cohort can ever be released to a caller who sees one dealer of it: "" when it
 * can be, should the figures of a period pass, too; else a code's name or "isolates_dealers".
 * Static. */
const char *disclosure_cohort_withheld(const struct disclosure_policy *policy,
                                       const struct disclosure_outlook *size);

/* "min_owners"; "" for the two that allow. Static text. */
const char *disclosure_code_name(enum disclosure_code code);

#endif
