/* Measures changes, tests them together, and finds the words. */
#include "aggregate-svc/verdict/change.h"

#include <math.h>

#include "aggregate-svc/stats/stats.h"
#include "aggregate-svc/verdict/verdict.h"
#include "common/base/mem.h"

/* A change is worth a word from 5 % on, and when so few of all called real are chance. */
#define MIN_SIZE 0.05
#define MAX_FALSE_SHARE 0.05

struct measured_change verdict_measure_change(struct stats_ratio before, struct stats_ratio after,
                                              enum stats_model model, double phi)
{
  struct verdict_cell c = {.own = after,
                           .others = before,
                           .model = model,
                           .phi = phi,
                           .role = VERDICT_ROLE_BESIDE,
                           .allowed = true};
  struct measured_change m = {.known = false};
  verdict_measure(&c);
  if (!c.has_index)
    return m;
  double se = c.index > 0 && c.has_interval ? log(c.high / c.low) / (2 * STATS_Z95) : 0;
  m.known = true;
  m.enough = verdict_cell_has_data(&c) && c.has_interval;
  m.change = (struct stats_change){c.index / 100, c.low / 100, c.high / 100, se, c.p};
  return m;
}

struct change_cell verdict_change_cell(const struct stats_change *change, bool enough)
{
  int direction = change->low > 1 ? 1 : change->high < 1 ? -1 : 0;
  return (struct change_cell){
      .enough = enough, .size = change->ratio - 1, .direction = direction, .p = change->p};
}

void verdict_compare_changes(struct change_row *row, struct change_cell cells[2])
{
  const struct measured_change *own = &row->own, *market = &row->market;
  row->has_relative = own->known && market->known && own->change.se > 0 && market->change.se > 0;
  if (row->has_relative)
    row->relative = stats_change_relative(&own->change, &market->change, STATS_Z95);
  bool enough = own->known && own->enough && !row->suspect;
  cells[0] = verdict_change_cell(&own->change, enough);
  cells[1] = verdict_change_cell(&row->relative, enough && row->has_relative && market->enough);
  cells[0].suspect = cells[1].suspect = row->suspect;
  cells[1].withheld = row->withheld;
}

static enum verdict_change word_of(const struct change_cell *c)
{
  if (c->suspect)
    return CHANGE_SUSPECT;
  if (c->withheld)
    return CHANGE_WITHHELD;
  if (!c->enough)
    return CHANGE_TOO_LITTLE_DATA;
  if (c->direction == 0 || !(c->q <= MAX_FALSE_SHARE) || !(fabs(c->size) >= MIN_SIZE))
    return CHANGE_NO_CLEAR;
  return c->direction > 0 ? CHANGE_RISING : CHANGE_FALLING;
}

size_t verdict_judge_changes(struct change_cell *cells, size_t n)
{
  AUTO_FREE double *p = xcalloc(n + 1, sizeof(*p));
  AUTO_FREE double *q = xcalloc(n + 1, sizeof(*q));
  AUTO_FREE size_t *order = xcalloc(n + 1, sizeof(*order));
  size_t m = 0, k = 0;
  for (size_t i = 0; i < n; i++)
    if (cells[i].enough)
      p[m++] = cells[i].p;
  stats_benjamini_hochberg(p, m, q, order);
  for (size_t i = 0; i < n; i++) {
    cells[i].q = cells[i].enough ? q[k++] : 1;
    cells[i].word = word_of(&cells[i]);
  }
  return m;
}

const char *verdict_change_name(enum verdict_change v)
{
  static const char *const names[] = {[CHANGE_TOO_LITTLE_DATA] = "too_little_data",
                                      [CHANGE_NO_CLEAR] = "no_clear_change",
                                      [CHANGE_RISING] = "rising",
                                      [CHANGE_FALLING] = "falling",
                                      [CHANGE_SUSPECT] = "suspect_data",
                                      [CHANGE_WITHHELD] = "benchmark_withheld"};
  return (size_t)v < ARRAY_LEN(names) ? names[v] : names[CHANGE_TOO_LITTLE_DATA];
}
