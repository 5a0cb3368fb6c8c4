/* The door: what a caller can work out of all that it gets. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/aggregate/support/door_world.h"
#include "tests/unit/harness.h"

/* A11, P20. What is shown of the outside pool (Y events of N sessions) bounds Y / N. A total N of
 * the peers stays possible when some Y satisfies every bound: linear, and decided exactly, with
 * fractions of whole numbers. */
struct bounds {
  int64_t low, high, unit; /* low <= unit x (Y + y) / (N + n) <= high */
  int64_t y, n;            /* known parts that are in the pool, too */
};

__extension__ typedef __int128 wide;

/* Of a rate shown with 3 digits, as events per 100 sessions. */
static struct bounds bounds_of(double shown, int64_t y, int64_t n)
{
  char text[40];
  int64_t unit = 100;
  for (double x = shown; x < 99.95; x *= 10)
    unit *= 10;
  snprintf(text, sizeof(text), "%.0f", shown * (double)(unit / 100));
  int64_t digits = strtoll(text, NULL, 10);
  return (struct bounds){2 * digits - 1, 2 * digits + 1, 2 * unit, y, n};
}

/* Whether low x (N + n) / unit - y of one bound is above high x (N + n) / unit - y of another. */
static bool excludes(const struct bounds *a, const struct bounds *b, int64_t n)
{
  wide low = a->low * (wide)(n + a->n) - (wide)a->y * a->unit;
  wide high = b->high * (wide)(n + b->n) - (wide)b->y * b->unit;
  return low * b->unit > high * a->unit;
}

static bool is_possible(const struct bounds *b, size_t n_bounds, int64_t n)
{
  for (size_t i = 0; i < n_bounds; i++)
    for (size_t k = 0; k < n_bounds; k++)
      if (excludes(&b[i], &b[k], n))
        return false;
  return true;
}

static int64_t count_possible(const struct bounds *b, size_t n_bounds, int64_t from, int64_t to)
{
  int64_t possible = 0;
  for (int64_t n = from; n <= to; n++)
    possible += is_possible(b, n_bounds, n);
  return possible;
}

enum { OWN = 3, PEERS = 5 };
static const int64_t own_n[OWN] = {12400, 8650, 5320}, own_y[OWN] = {248, 147, 117};
static const int64_t peer_n[PEERS] = {4000, 3500, 3000, 2500, 2000},
                     peer_y[PEERS] = {80, 60, 60, 40, 60};

/* The world of P20: the caller owns a, b, c of {a ... h}; the peers' figures k / 20 of the true. */
static void world_p20(struct world *w, int64_t k)
{
  world_init(w, OWN + PEERS, OWN);
  for (size_t i = 0; i < OWN; i++) {
    w->figures[i].denominator = own_n[i];
    w->figures[i].numerator = own_y[i];
  }
  for (size_t i = 0; i < PEERS; i++) {
    w->figures[OWN + i].denominator = peer_n[i] * k / 20;
    w->figures[OWN + i].numerator = peer_y[i] * k / 20;
  }
}

static void P20_every_total_of_the_peers_from_half_to_double_stays_possible(void)
{
  struct world w;
  struct door_figure f;
  struct bounds b[OWN];
  double index;
  world_p20(&w, 20);
  CU_ASSERT_EQUAL_FATAL(world_ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  /* What the answer shows for each own dealer: the same pool, and an index made from it. */
  for (size_t i = 0; i < OWN; i++) {
    double own = 100.0 * (double)own_y[i] / (double)own_n[i];
    b[i] = bounds_of(f.pooled, 0, 0);
    CU_ASSERT_TRUE(form_index(own, f.pooled, &index));
    CU_ASSERT_EQUAL(index, nearbyint(100 * own / f.pooled));
  }
  CU_ASSERT_EQUAL(count_possible(b, OWN, 7500, 30000), 30000 - 7500 + 1);
  CU_ASSERT_TRUE(is_possible(b, OWN, 15000));
  door_figure_free(&f);
  world_free(&w);
}

/* The same, dealer by dealer: worlds with half to double of everything give the very same answer,
 * ranks, middle mean and numbers of dealers included. */
static void P20_worlds_of_half_to_double_the_size_give_the_same_answer(void)
{
  struct world w;
  struct door_figure truth, other;
  double low, high, first_low = 0, first_high = 0;
  world_p20(&w, 20);
  CU_ASSERT_EQUAL_FATAL(world_ask(&w, "m", &truth), DISCLOSURE_RESTRICTED);
  world_free(&w);
  for (int64_t k = 10; k <= 40; k++) {
    world_p20(&w, k);
    CU_ASSERT_EQUAL_FATAL(world_ask(&w, "m", &other), DISCLOSURE_RESTRICTED);
    CU_ASSERT_EQUAL(other.pooled, truth.pooled);
    CU_ASSERT_EQUAL(other.typical.middle_mean, truth.typical.middle_mean);
    CU_ASSERT_EQUAL(other.asked, truth.asked);
    CU_ASSERT_EQUAL(other.dealers, truth.dealers);
    CU_ASSERT_EQUAL_FATAL(other.record.n_values, truth.record.n_values);
    for (size_t i = 0; i < truth.record.n_values; i++)
      CU_ASSERT_DOUBLE_EQUAL(other.record.values[i], truth.record.values[i], 1e-12);
    door_figure_free(&other);
    world_free(&w);
  }
  /* An interval may use the pool's events only as rounded: the same within a factor of 4. */
  for (int64_t y = 80; y < 320; y++) {
    double se = sqrt(1.0 / 117 + 1.0 / (double)form_events(y));
    form_interval(120 * exp(-1.96 * se), 120 * exp(1.96 * se), &low, &high);
    first_low = y == 80 ? low : first_low;
    first_high = y == 80 ? high : first_high;
    CU_ASSERT_TRUE(low == first_low && high == first_high);
  }
  door_figure_free(&truth);
}

/* The check can fail: a pool per own dealer, without that dealer but with the other two, is three
 * equations, and leaves few totals. */
static void a_pool_per_own_dealer_would_give_the_total_away(void)
{
  struct bounds b[OWN];
  int64_t all_n = 0, all_y = 0;
  for (size_t i = 0; i < OWN; i++) {
    all_n += own_n[i];
    all_y += own_y[i];
  }
  for (size_t i = 0; i < OWN; i++) {
    char text[40];
    double exact = 100.0 * (double)(300 + all_y - own_y[i]) / (double)(15000 + all_n - own_n[i]);
    snprintf(text, sizeof(text), "%.2e", exact);
    b[i] = bounds_of(strtod(text, NULL), all_y - own_y[i], all_n - own_n[i]);
  }
  CU_ASSERT_TRUE(is_possible(b, OWN, 15000));
  int64_t possible = count_possible(b, OWN, 7500, 30000);
  CU_ASSERT_TRUE(possible < 22501 / 2);
}

TEST_MAIN("aggregate door bounds",
          TEST(P20_every_total_of_the_peers_from_half_to_double_stays_possible),
          TEST(P20_worlds_of_half_to_double_the_size_give_the_same_answer),
          TEST(a_pool_per_own_dealer_would_give_the_total_away))
