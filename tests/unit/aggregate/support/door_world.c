/* Cohorts of invented dealers behind the door. */
#include "tests/unit/aggregate/support/door_world.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "tests/unit/harness.h"

int64_t world_day(const char *text)
{
  int64_t d = 0;
  CU_ASSERT_TRUE_FATAL(clock_parse_date(text, &d));
  return d;
}

void world_init(struct world *w, size_t n, size_t own)
{
  static const char *const owners[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
  static const int64_t sessions[] = {4000, 3500, 3000, 2500, 2000, 3000,
                                     3500, 4000, 2500, 2000, 3000, 3500};
  struct err e = {0};
  memset(w, 0, sizeof(*w));
  CU_ASSERT_EQUAL_FATAL(release_store_new(&w->store, &(struct release_store_options){0}, &e),
                        ERR_OK);
  for (size_t i = 0; i < n; i++) {
    w->members[i] = (struct cohort_member){
        .visible = i < own, .owner = owners[i], .state = DEALER_OK, .dealer_id = "", .name = ""};
    w->figures[i] = (struct disclosure_member){i < own, true, owners[i], sessions[i],
                                               sessions[i] / (40 + 5 * (int64_t)(i % 3))};
  }
  w->cohort = (struct cohort){.id = "west@v1",
                              .members = w->members,
                              .n = n,
                              .subject = -1,
                              .outside = n - own,
                              .scope = {"west", "v1", "view", "viewer"}};
  w->period = (struct lattice_span){world_day("2026-10-05"), world_day("2026-11-01")};
  w->now_unix_ms = world_day("2026-11-20") * 86400000;
  w->rate = true;
  w->cells_per_day = 500;
}

void world_free(struct world *w)
{
  release_store_free(w->store);
}

struct answers world_answers(const struct world *w)
{
  struct answers a;
  for (size_t i = 0; i < w->cohort.n; i++)
    a.of[i] = w->members[i].state;
  return a;
}

void world_give(struct world *w, const struct answers *a)
{
  for (size_t i = 0; i < w->cohort.n; i++)
    w->members[i].state = a->of[i];
}

void world_begin(struct world *w, struct door *d)
{
  struct door_options o = {w->store, DISCLOSURE_POLICY_DEFAULT, w->cells_per_day};
  door_init(d, &o, &w->cohort, w->now_unix_ms);
  d->kept_first = true;
  door_admit(d, w->period, w->relative);
  door_settle(d);
}

void world_begin_anew(struct world *w, struct door *d)
{
  struct answers a = world_answers(w);
  world_begin(w, d);
  if (!d->kept_only)
    return;
  CU_ASSERT_TRUE(door_reopen(d));
  world_give(w, &a);
  door_settle(d);
}

enum disclosure_code world_ask_seen(struct world *w, const char *metric, struct door_figure *out,
                                    bool *asked)
{
  struct door d;
  struct answers a = world_answers(w);
  world_begin(w, &d);
  struct door_cell cell = {.metric = metric,
                           .slice = "",
                           .members = w->figures,
                           .rate = w->rate,
                           .share = w->share,
                           .scale = 100};
  door_figure(&d, &cell, out);
  if (d.missing) {
    bool reopened = door_reopen(&d);
    if (reopened)
      world_give(w, &a);
    door_settle(&d);
    door_figure(&d, &cell, out);
    CU_ASSERT_FALSE(d.missing);
  }
  *asked = !d.kept_only;
  if (d.kept_only)
    world_give(w, &a);
  door_close(&d);
  return out->code;
}

enum disclosure_code world_ask(struct world *w, const char *metric, struct door_figure *out)
{
  bool asked;
  return world_ask_seen(w, metric, out, &asked);
}

enum disclosure_code world_code(struct world *w)
{
  struct door_figure f;
  enum disclosure_code code = world_ask(w, "m", &f);
  door_figure_free(&f);
  return code;
}

double world_pool(struct world *w, size_t from)
{
  int64_t y = 0, n = 0;
  for (size_t i = from; i < w->cohort.n; i++) {
    y += w->figures[i].numerator;
    n += w->figures[i].denominator;
  }
  return 100.0 * (double)y / (double)n;
}

bool rounds_to(double exact, double shown)
{
  char text[40];
  snprintf(text, sizeof(text), "%.2e", exact);
  return fabs(strtod(text, NULL) - shown) <= 1e-12 * fabs(shown);
}
