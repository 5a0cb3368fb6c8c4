/* The verdict on changes: the one place that says "rising" or "falling" of a dealer.
 *
 * As for standings (verdict.h), the unit of the promise is the answer: all changes and trends that
 * a request judges are tested together (Benjamini and Hochberg at q = 0.05). Pure, thread-safe. */
#ifndef AMCP_AGGREGATE_VERDICT_CHANGE_H
#define AMCP_AGGREGATE_VERDICT_CHANGE_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/stats/change.h"
#include "aggregate-svc/stats/ratio.h"

enum verdict_change {
  CHANGE_TOO_LITTLE_DATA, /* too few events before or after, or a period without data */
  CHANGE_NO_CLEAR,        /* chance alone explains what is seen, or it is too small to matter */
  CHANGE_RISING,
  CHANGE_FALLING,
  CHANGE_SUSPECT,  /* the dealer's data is suspect */
  CHANGE_WITHHELD, /* the market's change may not be disclosed */
};

/* One change or trend. */
struct change_cell {
  /* Given. */
  bool enough;   /* the data suffice for a test */
  bool suspect;  /* the dealer's data is suspect: never tested */
  bool withheld; /* what it is set against may not be disclosed: never beside `enough` */
  double size;   /* relative: 0.1 is 10 % up; of a trend over the whole series */
  int direction; /* 1 and -1: the interval lies above or below no change; else 0 */
  double p;      /* two-sided, of "no change" */
  /* Computed. */
  double q;
  enum verdict_change word;
};

/* Judges all of a request; returns how many were tested. */
size_t verdict_judge_changes(struct change_cell *cells, size_t n);
/* "rising", "falling", "no_clear_change", "too_little_data", "suspect_data", "benchmark_withheld".
 * Static text. */
const char *verdict_change_name(enum verdict_change v);

/* The change of a figure between two periods that share no day. */
struct measured_change {
  bool known;  /* there were events before */
  bool enough; /* the data suffice for a word */
  struct stats_change change;
};
/* From its parts, sessions or days below the line, and their over-dispersion: the ratio with its
 * 95 % interval, measured as an index is. */
struct measured_change verdict_measure_change(struct stats_ratio before, struct stats_ratio after,
                                              enum stats_model model, double phi);
/* A change as a cell. */
struct change_cell verdict_change_cell(const struct stats_change *change, bool enough);

/* A dealer's change beside the market's. */
struct change_row {
  struct measured_change own, market; /* given */
  bool suspect;                       /* given: the dealer's data is suspect */
  bool withheld;                      /* given: the market may not be disclosed, nor is known */
  struct stats_change relative;       /* own over market: what is left without the market's */
  bool has_relative;
};
/* Fills what is relative, and two cells for the judgement of all: the own change, and the relative
 * one, which "rises" when the dealer did better than the market, whichever way both went. */
void verdict_compare_changes(struct change_row *row, struct change_cell cells[2]);

#endif
