/* Standardisation and decomposition over the cells of a mix. */
#include "aggregate-svc/stats/mix.h"

#include <math.h>

#include "aggregate-svc/stats/interval.h"
#include "aggregate-svc/stats/sum.h"

/* Sums over all cells; false on overflow. */
static bool pool_cells(const struct stats_cell *cells, size_t n, struct stats_cell *out)
{
  struct stats_cell sum = {{0, 0}, {0, 0}};
  for (size_t i = 0; i < n; i++) {
    struct stats_ratio own[2] = {sum.own, cells[i].own};
    struct stats_ratio peers[2] = {sum.peers, cells[i].peers};
    if (!stats_pool(own, 2, &sum.own) || !stats_pool(peers, 2, &sum.peers))
      return false;
  }
  *out = sum;
  return true;
}

/* Adds what the peers' rate predicts for so many sessions, and the variance of that rate's noise:
 * n Y / N and n^2 Y / N^2. */
static void expect(double sessions, struct stats_ratio rate, double *expected, double *variance)
{
  double weight = sessions / (double)rate.denominator;
  *expected += weight * (double)rate.numerator;
  *variance += weight * weight * (double)rate.numerator;
}

static bool has_own_rate(const struct stats_cell *c)
{
  return c->peers.denominator >= STATS_CELL_MIN_SESSIONS &&
         c->peers.numerator >= STATS_CELL_MIN_EVENTS;
}

bool stats_standardise(const struct stats_cell *cells, size_t n, double z,
                       struct stats_standardised *out)
{
  struct stats_cell all;
  struct stats_interval byar;
  struct stats_standardised r = {.fallback_cells = 0};
  double variance = 0, fallback = 0;
  if (!pool_cells(cells, n, &all) || all.peers.denominator <= 0 || all.peers.numerator <= 0)
    return false;
  for (size_t i = 0; i < n; i++) {
    double sessions = (double)cells[i].own.denominator;
    if (has_own_rate(&cells[i])) {
      expect(sessions, cells[i].peers, &r.expected, &variance);
    } else if (sessions > 0) { /* these share one rate, whose noise adds up before squaring */
      fallback += sessions;
      r.fallback_cells++;
    }
  }
  expect(fallback, all.peers, &r.expected, &variance);
  if (!(r.expected > 0) || !stats_byar(all.own.numerator, z, &byar))
    return false;
  r.observed = (double)all.own.numerator;
  r.index = 100 * r.observed / r.expected;
  r.low = 100 * byar.low / r.expected;
  r.high = 100 * byar.high / r.expected;
  r.se = r.observed > 0 ? sqrt(1 / r.observed + variance / (r.expected * r.expected)) : 0;
  r.adjusted_rate =
      r.observed / r.expected * (double)all.peers.numerator / (double)all.peers.denominator;
  *out = r;
  return true;
}

/* ----------------------------------------------------------------- decomposition */

/* The rates of a cell; a side without sessions takes the other's. */
static void cell_rates(const struct stats_cell *c, double *own, double *peers)
{
  *own = *peers = 0;
  bool have_own = stats_ratio_value(c->own, own), have_peers = stats_ratio_value(c->peers, peers);
  if (!have_own)
    *own = *peers;
  else if (!have_peers)
    *peers = *own;
}

bool stats_kitagawa(const struct stats_cell *cells, size_t n, struct stats_gap_part *parts,
                    struct stats_gap *out)
{
  struct stats_cell all;
  double own_rate, peer_rate;
  struct stats_sum mix = {0, 0}, rate = {0, 0};
  if (!pool_cells(cells, n, &all) || !stats_ratio_value(all.own, &own_rate) ||
      !stats_ratio_value(all.peers, &peer_rate))
    return false;
  for (size_t i = 0; i < n; i++) {
    double r, p, s = (double)cells[i].own.denominator / (double)all.own.denominator;
    double t = (double)cells[i].peers.denominator / (double)all.peers.denominator;
    cell_rates(&cells[i], &r, &p);
    double middle = (r + p) / 2;
    struct stats_gap_part part = {(s - t) * middle, (s - t) * (middle - (own_rate + peer_rate) / 2),
                                  (r - p) * (s + t) / 2};
    stats_sum_add(&mix, part.mix);
    stats_sum_add(&rate, part.rate);
    if (parts != NULL)
      parts[i] = part;
  }
  *out = (struct stats_gap){own_rate - peer_rate, stats_sum_value(&mix), stats_sum_value(&rate)};
  return true;
}
