/* The verdict on changes: whether a figure of a dealer rose or fell between two periods, and
 * whether it moved otherwise than the market did.
 *
 * Everything that an answer judges is tested together (Benjamini and Hochberg at q = 0.05). A word
 * needs the gate of verdict.h on the events of the period before, an interval that excludes no
 * change, and a tenth of the figure. Pure, thread-safe. */
#ifndef AMCP_AGGREGATE_VERDICT_CHANGE_H
#define AMCP_AGGREGATE_VERDICT_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/stats/change.h"

enum change_word {
  CHANGE_TOO_LITTLE_DATA,
  CHANGE_NO_CLEAR_CHANGE, /* chance alone explains what is seen */
  CHANGE_ROSE,
  CHANGE_FELL,
};
/* "rose", "no_clear_change", ... Static text. */
const char *change_word_name(enum change_word w);

/* A figure in two periods as events over exposure: sessions or days. */
struct change_pair {
  struct stats_ratio before, after;
  double phi; /* over-dispersion of the events, 1 or more */
};

struct change_cell {
  /* Given. */
  struct change_pair own, market;
  bool has_market; /* the market's move is known */
  enum stats_model model;
  /* Computed. */
  bool measured, relative_measured; /* there is a change, and one relative to the market */
  struct stats_change change, market_change, relative;
  double q, relative_q; /* p among all that was tested; 1 when it was not */
  enum change_word word, relative_word;
};

/* Judges all cells of one request; returns how many changes were tested. Relative to the market a
 * cell "rose" when it did better than the market, whichever way both went. */
size_t change_judge(struct change_cell *cells, size_t n);

#endif
