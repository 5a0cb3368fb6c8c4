/* The verdict: the one place that says whether a dealer is better or worse than the others.
 *
 * The unit of the promise is the answer: where no dealer differs from any other, at most 8 % of
 * answers and 2 % of cells hold a false "better" or "worse". So all cells that a request judges
 * are tested together (Benjamini and Hochberg at q = 0.05), before anything is left out of what
 * is shown. The word, the index that is printed and the interval come from one unrounded figure.
 * tests/truth/null holds the promise. Pure, thread-safe. */
#ifndef AMCP_AGGREGATE_VERDICT_H
#define AMCP_AGGREGATE_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/stats/ratio.h"

enum verdict {
  VERDICT_CONTEXT,             /* a size, or the rest of a share that is judged */
  VERDICT_NOT_JUDGED,          /* shown beside the dealer that the request is about */
  VERDICT_TOO_LITTLE_DATA,     /* the benchmark expects too few events, or there is none */
  VERDICT_NO_CLEAR_DIFFERENCE, /* chance alone explains what is seen */
  VERDICT_BETTER,
  VERDICT_WORSE,
  VERDICT_SUSPECT,  /* the dealer's data is suspect */
  VERDICT_WITHHELD, /* the others' figure may not be disclosed */
};

/* Who a cell is judged for. */
enum verdict_role {
  VERDICT_ROLE_CONTEXT, /* its metric carries no verdict */
  VERDICT_ROLE_BESIDE,  /* of a dealer that the request is not about */
  VERDICT_ROLE_JUDGED,
  VERDICT_ROLE_SUSPECT, /* of a dealer whose data is suspect */
};

/* What a verdict rests on. */
struct verdict_facts {
  enum verdict_role role;
  bool lower_is_better;
  bool allowed;       /* there is a benchmark that may be disclosed */
  double expected;    /* own events under the others' rate */
  double peer_events; /* events of the others */
  bool measured;      /* there is an interval */
  double index, low, high, q;
  bool withheld; /* there is a benchmark, and it may not be disclosed: never beside `allowed` */
};

/* Decides; total: every combination of facts has a word, NaN included. Events are expected under
 * the benchmark, because a gate on the own count would favour lucky small dealers. */
enum verdict verdict_of(const struct verdict_facts *f);
/* Whether the figures suffice for a test: the gate before the interval. */
bool verdict_has_data(const struct verdict_facts *f);
/* "better", "no_clear_difference", ... Static text. */
const char *verdict_name(enum verdict v);

/* One dealer in one metric against the others, in whose pool it is not. */
struct verdict_cell {
  /* Given. */
  struct stats_ratio own, others;
  enum stats_model model;
  double phi; /* over-dispersion, 1 or more, pooled over the cohort */
  enum verdict_role role;
  bool lower_is_better;
  bool allowed, withheld;
  /* Computed. */
  bool has_index, has_interval, tested;
  double index;     /* 100 x own rate / the others' rate */
  double low, high; /* 95 % interval of the index */
  double expected;  /* own events under the others' rate */
  double p;         /* two-sided, of "the rates are equal", from the same standard error */
  double q;         /* p among all cells tested; 1 when it was not */
  enum verdict word;
};

/* Fills the figures of a cell, without q and word. */
void verdict_measure(struct verdict_cell *cell);
/* Whether a measured cell passes the gate. */
bool verdict_cell_has_data(const struct verdict_cell *cell);

/* Judges all cells of one request; returns how many were tested (M). A cell without own events
 * has no logarithm: its interval is Byar's over the expected count, and p is exact. */
size_t verdict_judge(struct verdict_cell *cells, size_t n);

#endif
