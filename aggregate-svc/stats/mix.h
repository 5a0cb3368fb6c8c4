/* What of a difference is mix: indirect standardisation and Kitagawa's decomposition. */
#ifndef AMCP_AGGREGATE_STATS_MIX_H
#define AMCP_AGGREGATE_STATS_MIX_H

#include <stdbool.h>
#include <stddef.h>

#include "aggregate-svc/stats/ratio.h"

/* One cell of the mix (a channel, or channel x device), the dealer not among the peers. */
struct stats_cell {
  struct stats_ratio own, peers;
};

struct stats_standardised {
  double observed;       /* O: own events */
  double expected;       /* E = sum of own sessions x the peers' rate of the cell */
  double index;          /* 100 O / E: relative to what the dealer's mix predicts */
  double low, high;      /* Byar's interval of O over E */
  double se;             /* of ln(O / E) with the peers' own noise; 0 when O is 0 */
  double adjusted_rate;  /* O / E x the peers' overall rate */
  size_t fallback_cells; /* cells too small among the peers: their overall rate was used */
};

/* Peers need so much in a cell for a rate of its own. */
enum { STATS_CELL_MIN_SESSIONS = 50, STATS_CELL_MIN_EVENTS = 5 };

/* Indirect standardisation (Rothman, Modern Epidemiology). Two dealers' indices must not be
 * compared with each other: their weights differ. se^2 = 1 / O + sum (n^2 Y / N^2) / E^2. False
 * on overflow, when the peers have no sessions or no events, or when E is 0. */
bool stats_standardise(const struct stats_cell *cells, size_t n, double z,
                       struct stats_standardised *out);

/* Parts of a cell in the gap. */
struct stats_gap_part {
  double mix;         /* (s - S) (r + p) / 2: relative to zero; adds up to the mix part */
  double mix_centred; /* the same relative to the mean rate, for display; adds up likewise */
  double rate;        /* (r - p) (s + S) / 2 */
};
struct stats_gap {
  double gap; /* own rate - peers' rate = mix + rate */
  double mix, rate;
};

/* Kitagawa's decomposition (1955, JASA 50:1168) of the difference of two rates, s and S being the
 * shares of sessions, r and p the rates of a cell. A cell that one side lacks takes the other
 * side's rate: it counts as mix only. parts has n places, or is NULL. False on overflow or when
 * a side has no sessions. */
bool stats_kitagawa(const struct stats_cell *cells, size_t n, struct stats_gap_part *parts,
                    struct stats_gap *out);

#endif
