/* The verdict on counts against what is expected of them: pages, and whatever else has an expected
 * number of events.
 *
 * A cell is tested from 5 expected events on: exact two-sided Poisson p, all cells of a request
 * together by Benjamini and Hochberg. A word needs q of at most 0.05 and an interval that excludes
 * 1. Pure, thread-safe. */
#ifndef AMCP_AGGREGATE_VERDICT_EXPECTED_H
#define AMCP_AGGREGATE_VERDICT_EXPECTED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum expected_word {
  EXPECTED_TOO_LITTLE_DATA,
  EXPECTED_NO_CLEAR_DIFFERENCE,
  EXPECTED_ABOVE,
  EXPECTED_BELOW,
  EXPECTED_SUSPECT,  /* the dealer's data is suspect */
  EXPECTED_WITHHELD, /* the rates to expect by may not be disclosed */
};
/* "above_expected", ... Static text. */
const char *expected_word_name(enum expected_word w);

struct expected_cell {
  /* Given; expected 0: nothing is known. */
  int64_t observed;
  double expected;
  bool suspect; /* never tested */
  bool withheld; /* why nothing is expected */
  /* Computed; the ratio and its interval (Byar) when expected is above 0. */
  double ratio, low, high;
  bool tested;
  double q; /* 1 when it was not tested */
  enum expected_word word;
};

/* Judges all cells of one request; returns how many were tested. */
size_t expected_judge(struct expected_cell *cells, size_t n);

#endif
