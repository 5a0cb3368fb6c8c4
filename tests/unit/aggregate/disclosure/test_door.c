/* The door: what an outside viewer gets of the dealers it does not see, and what it can work out
 * of all that it gets. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "aggregate-svc/disclosure/cell.h"
#include "aggregate-svc/disclosure/door.h"
#include "aggregate-svc/disclosure/outside.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/rpc/grant_reasons.h"
#include "tests/unit/harness.h"

enum { MEMBERS_MAX = 12 };

/* A cohort with figures, and a caller of it. */
struct world {
  struct release_store *store;
  struct cohort_member members[MEMBERS_MAX];
  struct disclosure_member figures[MEMBERS_MAX];
  struct cohort cohort;
  struct lattice_span period;
  int64_t now_unix_ms;
  bool relative, rate, share;
  int64_t cells_per_day;
};

static int64_t day(const char *text)
{
  int64_t d = 0;
  CU_ASSERT_TRUE_FATAL(clock_parse_date(text, &d));
  return d;
}

/* n dealers of owners of their own, the first `own` of them the caller's. */
static void world_init(struct world *w, size_t n, size_t own)
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
  w->period = (struct lattice_span){day("2026-10-05"), day("2026-11-01")};
  w->now_unix_ms = day("2026-11-20") * 86400000;
  w->rate = true;
  w->cells_per_day = 500;
}

static void world_free(struct world *w)
{
  release_store_free(w->store);
}

/* What the members answer when they are asked. */
struct answers {
  enum dealer_state of[MEMBERS_MAX];
};

static struct answers answers_of(const struct world *w)
{
  struct answers a;
  for (size_t i = 0; i < w->cohort.n; i++)
    a.of[i] = w->members[i].state;
  return a;
}

static void give(struct world *w, const struct answers *a)
{
  for (size_t i = 0; i < w->cohort.n; i++)
    w->members[i].state = a->of[i];
}

/* Up to the first figure. */
static void begin(struct world *w, struct door *d)
{
  struct door_options o = {w->store, DISCLOSURE_POLICY_DEFAULT, w->cells_per_day};
  door_init(d, &o, &w->cohort, w->now_unix_ms);
  d->kept_first = true;
  door_admit(d, w->period, w->relative);
  door_settle(d);
}

/* The same with everybody asked, whatever was released before. */
static void begin_anew(struct world *w, struct door *d)
{
  struct answers a = answers_of(w);
  begin(w, d);
  if (!d->kept_only)
    return;
  CU_ASSERT_TRUE(door_reopen(d));
  give(w, &a);
  door_settle(d);
}

/* One call with one figure; *asked says whether dealers outside were. */
static enum disclosure_code ask_seen(struct world *w, const char *metric, struct door_figure *out,
                                     bool *asked)
{
  struct door d;
  struct answers a = answers_of(w);
  begin(w, &d);
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
      give(w, &a);
    door_settle(&d);
    door_figure(&d, &cell, out);
    CU_ASSERT_FALSE(d.missing);
  }
  *asked = !d.kept_only;
  if (d.kept_only)
    give(w, &a);
  door_close(&d);
  return out->code;
}

static enum disclosure_code ask(struct world *w, const char *metric, struct door_figure *out)
{
  bool asked;
  return ask_seen(w, metric, out, &asked);
}

static enum disclosure_code code_of(struct world *w)
{
  struct door_figure f;
  enum disclosure_code code = ask(w, "m", &f);
  door_figure_free(&f);
  return code;
}

static double pool_of(struct world *w, size_t from)
{
  int64_t y = 0, n = 0;
  for (size_t i = from; i < w->cohort.n; i++) {
    y += w->figures[i].numerator;
    n += w->figures[i].denominator;
  }
  return 100.0 * (double)y / (double)n;
}

static bool rounds_to(double exact, double shown)
{
  char text[40];
  snprintf(text, sizeof(text), "%.2e", exact);
  return fabs(strtod(text, NULL) - shown) <= 1e-12 * fabs(shown);
}

/* ------------------------------------------------------------------------ the pool */

static void the_pool_is_that_of_the_dealers_outside_alone(void) /* A1, A7 */
{
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 3);
  CU_ASSERT_EQUAL_FATAL(ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_TRUE(rounds_to(pool_of(&w, 3), f.pooled));
  CU_ASSERT_FALSE(rounds_to(pool_of(&w, 0), f.pooled));
  CU_ASSERT_EQUAL(f.asked, 6);
  CU_ASSERT_EQUAL(f.dealers, 6);
  CU_ASSERT_EQUAL(f.record.n_values, 6);
  door_figure_free(&f);
  world_free(&w);
}

static void P9_four_own_of_nine_leave_enough_and_five_do_not(void)
{
  struct world w;
  world_init(&w, 9, 4);
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_RESTRICTED);
  world_free(&w);
  world_init(&w, 9, 5);
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_MIN_CONTRIBUTORS);
  world_free(&w);
}

static void P10_a_caller_that_sees_all_passes_no_door(void)
{
  struct world w;
  world_init(&w, 9, 9);
  w.period.last--; /* any period */
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_OPEN);
  world_free(&w);
}

static void a_share_is_withheld_when_its_rest_must_be(void)
{
  struct world w;
  world_init(&w, 8, 1);
  for (size_t i = 1; i < 8; i++)
    w.figures[i].numerator = w.figures[i].denominator - 1;
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_RESTRICTED);
  w.share = true;
  struct door_figure f;
  CU_ASSERT_EQUAL(ask(&w, "share", &f), DISCLOSURE_MIN_VOLUME);
  world_free(&w);
}

static void of_counts_only_the_rank_comes_out(void)
{
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 1);
  w.rate = false;
  CU_ASSERT_EQUAL(ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f.pooled, 0);
  CU_ASSERT_FALSE(f.typical.quartiles || f.typical.middle);
  CU_ASSERT_EQUAL(f.record.n_values, 8);
  door_figure_free(&f);
  world_free(&w);
}

/* ------------------------------------------------------------------------ freezing */

static void P13_the_same_question_after_a_dealer_failed_has_the_same_answer(void) /* A3 */
{
  struct world w;
  struct door_figure first, again;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(ask(&w, "m", &first), DISCLOSURE_RESTRICTED);
  w.members[5].state = DEALER_FAILED;
  w.members[5].code = ERR_PERMISSION_DENIED; /* consent withdrawn */
  w.figures[5].contributes = false;
  w.figures[2].numerator += 50; /* late data */
  CU_ASSERT_EQUAL_FATAL(ask(&w, "m", &again), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(again.pooled, first.pooled);
  CU_ASSERT_EQUAL(again.dealers, first.dealers);
  CU_ASSERT_EQUAL(again.record.numerator, first.record.numerator);
  CU_ASSERT_TRUE(w.cohort.outside_frozen);
  CU_ASSERT_EQUAL(cohort_asked(&w.cohort), 9);
  CU_ASSERT_EQUAL(cohort_in_figures(&w.cohort), 9); /* as it was */
  door_figure_free(&first);
  door_figure_free(&again);
  world_free(&w);
}

static void a_release_is_one_for_all_who_see_the_same_and_another_for_others(void)
{
  struct world w;
  struct door_figure mine, partners, others;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(ask(&w, "m", &mine), DISCLOSURE_RESTRICTED);
  w.cohort.scope.viewer = "another person of the dealer";
  for (size_t i = 1; i < 9; i++)
    w.figures[i].numerator += 3;
  ask(&w, "m", &partners);
  CU_ASSERT_EQUAL(partners.pooled, mine.pooled);
  w.cohort.scope.view = "another dealer's";
  ask(&w, "m", &others);
  CU_ASSERT_NOT_EQUAL(others.pooled, mine.pooled);
  door_figure_free(&mine);
  door_figure_free(&partners);
  door_figure_free(&others);
  world_free(&w);
}

static void a_new_dealer_is_not_the_difference_of_two_releases(void) /* A3 */
{
  struct world w;
  struct door_figure f;
  world_init(&w, 10, 1);
  w.cohort.n--;
  w.cohort.outside--;
  CU_ASSERT_EQUAL_FATAL(ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  w.cohort.n++;
  w.cohort.outside++;
  w.cohort.scope.version = "v2";
  w.period.first += 7; /* overlaps */
  w.period.last += 7;
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_COHORT_CHANGED);
  w.period.first += 21; /* begins where the last one ended */
  w.period.last += 21;
  w.now_unix_ms += (int64_t)40 * 86400000;
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_RESTRICTED);
  world_free(&w);
}

static void a_dealer_that_is_late_withholds_what_was_not_released_before(void)
{
  static const enum err_code passing[] = {ERR_DEADLINE_EXCEEDED, ERR_UNAVAILABLE,
                                          ERR_RESOURCE_EXHAUSTED, ERR_INTERNAL};
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(ask(&w, "before", &f), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  w.members[5].state = DEALER_FAILED;
  w.figures[5].contributes = false;
  for (size_t i = 0; i < ARRAY_LEN(passing); i++) {
    w.members[5].code = passing[i];
    CU_ASSERT_EQUAL(ask(&w, "now", &f), DISCLOSURE_NOT_READY);
    CU_ASSERT_EQUAL(ask(&w, "before", &f), DISCLOSURE_RESTRICTED);
    CU_ASSERT_EQUAL(f.dealers, 8);
    door_figure_free(&f);
  }
  w.members[5].state = DEALER_OK; /* it has answered now */
  w.figures[5].contributes = true;
  CU_ASSERT_EQUAL(ask(&w, "now", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f.dealers, 8);
  door_figure_free(&f);
  world_free(&w);
}

/* report-svc asks nobody for a caller whose share is used up; figures of before need nobody. */
static void a_caller_without_a_share_left_gets_what_was_released_and_a_time(void)
{
  struct world w;
  struct door d;
  struct door_figure f;
  AUTO_BUF struct buf why = BUF_INIT(4096);
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(ask(&w, "before", &f), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  begin_anew(&w, &d);
  CU_ASSERT_PTR_NULL(d.spent);
  door_close(&d);
  for (size_t i = 0; i < 9; i++) {
    w.members[i].state = DEALER_FAILED;
    w.members[i].code = ERR_RESOURCE_EXHAUSTED;
    snprintf(w.members[i].message, sizeof(w.members[i].message), "no more, try again after 13:00Z");
    w.figures[i].contributes = false;
  }
  snprintf(w.members[7].reason, sizeof(w.members[7].reason), "%s", GRANT_REASON_SHARE_SPENT);
  CU_ASSERT_EQUAL(ask(&w, "now", &f), DISCLOSURE_NOT_READY);
  CU_ASSERT_EQUAL(ask(&w, "before", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f.dealers, 8);
  door_figure_free(&f);
  begin_anew(&w, &d);
  CU_ASSERT_PTR_EQUAL(d.spent, &w.members[7]);
  door_explain(&d, &why);
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&why), "try again after 13:00Z"));
  door_close(&d);
  world_free(&w);
}

static void a_failure_that_lasts_leaves_the_dealer_out_before_the_freeze(void)
{
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 1);
  w.members[5].state = DEALER_FAILED;
  w.members[5].code = ERR_PERMISSION_DENIED;
  w.figures[5].contributes = false;
  CU_ASSERT_EQUAL(ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(f.asked, 8);
  CU_ASSERT_EQUAL(f.dealers, 7);
  door_figure_free(&f);
  world_free(&w);
}

/* --------------------------------------------------------------- answers from the store */

static void figures_that_were_released_are_had_without_asking_others(void)
{
  struct world w;
  struct door d;
  struct door_figure first, again;
  bool asked = false;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL_FATAL(ask_seen(&w, "m", &first, &asked), DISCLOSURE_RESTRICTED);
  CU_ASSERT_TRUE(asked);
  memset(&w.figures[1], 0, 8 * sizeof(w.figures[1])); /* nobody outside answers */
  CU_ASSERT_EQUAL_FATAL(ask_seen(&w, "m", &again, &asked), DISCLOSURE_RESTRICTED);
  CU_ASSERT_FALSE(asked);
  CU_ASSERT_EQUAL(again.pooled, first.pooled);
  CU_ASSERT_EQUAL(again.record.n_values, first.record.n_values);
  begin(&w, &d);
  for (size_t i = 0; i < 9; i++)
    CU_ASSERT_EQUAL(w.members[i].state, i == 0 ? DEALER_OK : DEALER_NOT_ASKED);
  CU_ASSERT_EQUAL(cohort_asked(&w.cohort), 9); /* as released */
  CU_ASSERT_EQUAL(cohort_in_figures(&w.cohort), 9);
  door_close(&d);
  door_figure_free(&first);
  door_figure_free(&again);
  world_free(&w);
}

static void a_figure_that_is_new_makes_others_be_asked(void)
{
  struct world w;
  struct door_figure f;
  bool asked = false;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_RESTRICTED);
  CU_ASSERT_EQUAL(ask_seen(&w, "another", &f, &asked), DISCLOSURE_RESTRICTED);
  CU_ASSERT_TRUE(asked);
  CU_ASSERT_TRUE(rounds_to(pool_of(&w, 1), f.pooled));
  door_figure_free(&f);
  world_free(&w);
}

/* Else a question with one withheld figure would cost the others' quota each time. */
static void a_refusal_is_remembered_and_costs_nothing_either(void)
{
  struct world w;
  struct door_figure f;
  bool asked = false;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_RESTRICTED);
  w.figures[4].numerator = 100000;
  CU_ASSERT_EQUAL(ask_seen(&w, "unequal", &f, &asked), DISCLOSURE_DOMINANCE);
  CU_ASSERT_TRUE(asked);
  CU_ASSERT_EQUAL(ask_seen(&w, "unequal", &f, &asked), DISCLOSURE_DOMINANCE);
  CU_ASSERT_FALSE(asked);
  w.cohort.scope.version = "v2"; /* decided on other members */
  CU_ASSERT_NOT_EQUAL(ask_seen(&w, "unequal", &f, &asked), DISCLOSURE_OPEN);
  CU_ASSERT_TRUE(asked);
  world_free(&w);
}

static void a_new_figure_beside_released_ones_costs_budget_or_is_withheld(void)
{
  struct world w;
  struct door_figure f;
  bool asked = false;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_RESTRICTED);
  w.cells_per_day = 3; /* question, coverage, figure: all used */
  CU_ASSERT_EQUAL(ask_seen(&w, "another", &f, &asked), DISCLOSURE_BUDGET);
  CU_ASSERT_FALSE(asked);
  CU_ASSERT_EQUAL(ask_seen(&w, "m", &f, &asked), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  world_free(&w);
}

static void what_is_said_of_dealers_outside_is_kept_with_the_release(void)
{
  struct world w;
  struct door d;
  struct outside_view shown;
  struct dealer_figures live[MEMBERS_MAX] = {{0}};
  struct dealer_notes notes[MEMBERS_MAX] = {{0}};
  char *names[] = {(char *)"asc_form_submission", (char *)"generate_lead", (char *)"form_submit",
                   (char *)"own_event"};
  struct lead_events leads = {names, 4};
  struct arena *arena = arena_new(1 << 20);
  world_init(&w, 9, 1);
  for (int i = 0; i < 9; i++)
    live[i] = (struct dealer_figures){.ok = i != 8,
                                      .lead_event = i == 2   ? LEAD_UNKNOWN
                                                    : i == 3 ? 3
                                                             : 1,
                                      .shopper = i == 4 ? SHOPPER_EVENT + 3 : SHOPPER_ENGAGED,
                                      .now = {.sessions = i == 5 ? 0 : 100 + i}};
  notes[6] = (struct dealer_notes){.thresholding = true, .sampled = true, .sample_rate = 0.125};
  struct cohort_figures figures = {&w.cohort, live, &leads};
  begin(&w, &d);
  outside_show(&d, "", &figures, notes, arena, &shown);
  door_close(&d);
  for (size_t i = 1; i < 9; i++) { /* all is different now, and nobody is asked */
    live[i] = (struct dealer_figures){.lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
    w.members[i].code = ERR_UNAVAILABLE;
  }
  memset(notes, 0, sizeof(notes));
  begin(&w, &d);
  CU_ASSERT_TRUE(d.kept_only);
  outside_show(&d, "", &figures, notes, arena, &shown);
  CU_ASSERT_FALSE(d.missing);
  size_t ok = 0, unknown = 0, own = 0, engaged = 0, by_event = 0, empty = 0, noted = 0;
  for (size_t i = 1; i < 9; i++) {
    const struct dealer_figures *f = &shown.figures[i];
    ok += f->ok && shown.cohort.members[i].state == DEALER_OK;
    unknown += f->ok && f->lead_event == LEAD_UNKNOWN;
    own += f->ok && f->lead_event == 3;
    engaged += f->ok && f->shopper == SHOPPER_ENGAGED;
    by_event += f->ok && f->shopper == SHOPPER_EVENT + 3;
    empty += f->ok && f->now.sessions == 0;
    noted += shown.notes[i].thresholding && shown.notes[i].sampled &&
             shown.notes[i].sample_rate == 0.125;
  }
  CU_ASSERT_EQUAL(ok, 7);
  CU_ASSERT_EQUAL(unknown, 1);
  CU_ASSERT_EQUAL(own, 1);
  CU_ASSERT_EQUAL(engaged, 6);
  CU_ASSERT_EQUAL(by_event, 1);
  CU_ASSERT_EQUAL(empty, 1);
  CU_ASSERT_EQUAL(noted, 1);
  CU_ASSERT_EQUAL(shown.figures[0].now.sessions, 100); /* its own are as they are */
  door_close(&d);
  arena_free(arena);
  world_free(&w);
}

/* ------------------------------------------------------------------------- periods */

/* Nobody outside is asked, the caller's own dealers are. */
static void expect_not_asked(struct world *w, enum disclosure_code code, const char *words)
{
  struct door d;
  struct door_options o = {w->store, DISCLOSURE_POLICY_DEFAULT, w->cells_per_day};
  AUTO_BUF struct buf text = BUF_INIT(1000);
  door_init(&d, &o, &w->cohort, w->now_unix_ms);
  door_admit(&d, w->period, w->relative);
  CU_ASSERT_EQUAL(d.withheld, code);
  for (size_t i = 0; i < w->cohort.n; i++) {
    CU_ASSERT_EQUAL(w->members[i].state, w->members[i].visible ? DEALER_OK : DEALER_NOT_ASKED);
    w->members[i].state = DEALER_OK;
  }
  door_explain(&d, &text);
  if (strstr(buf_str(&text), words) == NULL)
    printf("\n  %s\n", buf_str(&text));
  CU_ASSERT_PTR_NOT_NULL(strstr(buf_str(&text), words));
  door_close(&d);
}

static void P14_a_period_a_day_shorter_is_refused_with_the_nearest(void) /* A4 */
{
  struct world w;
  world_init(&w, 9, 1);
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_RESTRICTED);
  w.period.last--;
  expect_not_asked(&w, DISCLOSURE_NOT_IN_LATTICE,
                   "2026-10-05 to 2026-11-01 (weeks) and 2026-10-01 to 2026-10-31 (months)");
  w.period.last++;
  w.relative = true; /* other days in other zones */
  expect_not_asked(&w, DISCLOSURE_NOT_IN_LATTICE, "2026-10-05 to 2026-11-01 (weeks)");
  world_free(&w);
}

static void a_week_that_is_not_complete_is_not_frozen(void)
{
  struct world w;
  world_init(&w, 9, 1);
  w.now_unix_ms = day("2026-11-04") * 86400000;
  expect_not_asked(&w, DISCLOSURE_NOT_READY, "2026-09-28 to 2026-10-25 (weeks)");
  w.now_unix_ms += (int64_t)12 * 3600000 - 1;
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_NOT_READY);
  for (size_t i = 0; i < w.cohort.n; i++)
    w.members[i].state = DEALER_OK;
  w.now_unix_ms++; /* the fourth day has begun everywhere */
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_RESTRICTED);
  world_free(&w);
}

/* 4 weeks pass, but one of them must not be the difference to 3. */
static void a_week_that_does_not_pass_by_itself_withholds_the_weeks_it_is_in(void)
{
  struct world w;
  struct door d;
  struct door_figure f;
  struct disclosure_member week[MEMBERS_MAX];
  const struct disclosure_member *bases[] = {w.figures, week};
  world_init(&w, 9, 1);
  memcpy(week, w.figures, sizeof(week));
  struct door_cell cell = {.metric = "m",
                           .slice = "",
                           .members = w.figures,
                           .bases = bases,
                           .n_bases = 2,
                           .rate = true,
                           .scale = 100};
  week[4].numerator = 100000; /* one dealer has that week's events */
  begin(&w, &d);
  door_figure(&d, &cell, &f);
  CU_ASSERT_EQUAL(f.code, DISCLOSURE_DOMINANCE);
  week[4] = w.figures[4];
  cell.metric = "n"; /* the refusal of the other one holds for a day */
  door_figure(&d, &cell, &f);
  CU_ASSERT_EQUAL(f.code, DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  door_close(&d);
  world_free(&w);
}

enum { CROWD = 9 };

/* Engagement of 9 dealers over some weeks in a row from the world's first on. `weeks` is filled
 * with the figures of each, week x dealer; the period's own are their sums, with `effects` at
 * dealer 4. */
static void engagement_of_weeks(struct world *w, const struct dealer_figures *weeks, size_t n,
                                unsigned effects, struct door_figure *out)
{
  struct door d;
  struct dealer_figures live[CROWD] = {{0}};
  struct lead_events leads = {NULL, 0};
  for (size_t i = 0; i < CROWD; i++) {
    live[i] = weeks[i];
    live[i].effects = i == 4 ? effects : 0;
    for (size_t k = 1; k < n; k++) {
      live[i].now.sessions += weeks[k * CROWD + i].now.sessions;
      live[i].now.engaged_sessions += weeks[k * CROWD + i].now.engaged_sessions;
    }
  }
  struct cohort_figures figures = {&w->cohort, live, &leads};
  struct metric_group g = {
      .metric = METRIC_ENGAGEMENT_RATE, .lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
  begin_anew(w, &d);
  d.bases[DOOR_NOW] = (struct door_bases){weeks, NULL, n};
  cell_figure(&d, &figures, g, CELL_NOW, out);
  door_close(&d);
}

static void set_week(struct dealer_figures *f, int64_t sessions, int64_t engaged)
{
  *f = (struct dealer_figures){.ok = true, .lead_event = LEAD_UNKNOWN, .shopper = SHOPPER_UNKNOWN};
  f->now = (struct dealer_counts){.sessions = sessions, .engaged_sessions = engaged};
}

static void each_week_must_have_the_dealers_and_no_one_that_dominates(void)
{
  for (int wrong = 0; wrong < 7; wrong++) {
    struct world w;
    struct door_figure f;
    struct dealer_figures weeks[2 * CROWD];
    world_init(&w, CROWD, 1);
    for (size_t i = 0; i < 2 * CROWD; i++)
      set_week(&weeks[i], 1000, 500);
    if (wrong == 1) /* in the second week four of eight had visitors */
      for (size_t i = 14; i < 2 * CROWD; i++)
        set_week(&weeks[i], 0, 0);
    if (wrong == 2) /* one had as many as all others in it, and few in the first */
      set_week(&weeks[CROWD + 4], 7000, 3500);
    if (wrong == 3) /* not the denominator: the engaged sessions of it */
      for (size_t i = CROWD; i < 2 * CROWD; i++)
        set_week(&weeks[i], 1000, i == CROWD + 4 ? 500 : 20);
    if (wrong == 4) /* nothing wrong: a week with few events in it, most of them of one dealer */
      for (size_t i = CROWD; i < 2 * CROWD; i++)
        set_week(&weeks[i], 1000, i == 12 ? 12 : 1);
    if (wrong == 5) /* the first week is before the first day of all but the caller's own */
      for (size_t i = 1; i < CROWD; i++)
        set_week(&weeks[i], 0, 0);
    if (wrong == 6) /* nothing wrong: two of eight join in the second week */
      for (size_t i = 1; i < 3; i++)
        set_week(&weeks[i], 0, 0);
    static const enum disclosure_code expected[] = {
        DISCLOSURE_RESTRICTED, DISCLOSURE_MIN_CONTRIBUTORS, DISCLOSURE_DOMINANCE,
        DISCLOSURE_DOMINANCE,  DISCLOSURE_RESTRICTED,       DISCLOSURE_MIN_CONTRIBUTORS,
        DISCLOSURE_RESTRICTED};
    engagement_of_weeks(&w, weeks, 2, 0, &f);
    CU_ASSERT_EQUAL(f.code, expected[wrong]);
    if (wrong == 6) /* with the weeks that they have */
      CU_ASSERT_TRUE(f.record.denominator == 14 * 1000 && f.record.numerator == 14 * 500 &&
                     f.dealers == 8);
    door_figure_free(&f);
    world_free(&w);
  }
}

/* Attack: the data of a dealer is suspect in one week, or over the whole period, or in neither. If
 * it were in the pool of three weeks and not in that of four, their difference would give it away.
 * So a pool of weeks is the sum of theirs, whatever is found over the period as a whole. */
static void a_dealer_suspect_in_one_week_is_not_the_difference_of_two_releases(void)
{
  for (int plan = 0; plan < 4; plan++) {
    struct world w;
    struct door_figure all;
    struct dealer_figures weeks[2 * CROWD];
    int64_t numerator = 0, denominator = 0;
    for (size_t i = 0; i < 2 * CROWD; i++) {
      set_week(&weeks[i], 1000 + 37 * (int64_t)i, 500 + 11 * (int64_t)i);
      if (i == CROWD + 4 && plan % 2 == 1)
        weeks[i].effects = EFFECT_NO_POOL;
    }
    world_init(&w, CROWD, 1);
    engagement_of_weeks(&w, weeks, 2, plan >= 2 ? EFFECT_NO_POOL : 0, &all);
    CU_ASSERT_EQUAL(all.code, DISCLOSURE_RESTRICTED);
    world_free(&w);
    for (size_t k = 0; k < 2; k++) {
      struct door_figure one;
      world_init(&w, CROWD, 1);
      engagement_of_weeks(&w, weeks + k * CROWD, 1, 0, &one);
      CU_ASSERT_EQUAL(one.code, DISCLOSURE_RESTRICTED);
      numerator += one.record.numerator;
      denominator += one.record.denominator;
      door_figure_free(&one);
      world_free(&w);
    }
    CU_ASSERT_EQUAL(all.record.numerator, numerator);
    CU_ASSERT_EQUAL(all.record.denominator, denominator);
    door_figure_free(&all);
  }
}

/* -------------------------------------------------------------------------- budget */

static void A13_who_floods_gets_what_it_had_and_asks_nobody(void)
{
  struct world w;
  struct door_figure f;
  world_init(&w, 9, 1);
  w.cells_per_day = 20;
  int released = 0;
  for (int i = 0; i < 30; i++) {
    w.period.first -= 7;
    w.period.last -= 7;
    released += code_of(&w) == DISCLOSURE_RESTRICTED;
    for (size_t k = 0; k < w.cohort.n; k++)
      w.members[k].state = DEALER_OK;
  }
  CU_ASSERT_TRUE(released >= 5 && released <= 7); /* question, coverage, figure */
  expect_not_asked(&w, DISCLOSURE_BUDGET, "asked for 20 new figures");
  w.period = (struct lattice_span){day("2026-09-28"), day("2026-10-25")}; /* the first one */
  CU_ASSERT_EQUAL(ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
  door_figure_free(&f);
  world_free(&w);
}

static void without_a_store_nothing_is_released(void)
{
  struct world w;
  world_init(&w, 9, 1);
  release_store_free(w.store);
  w.store = NULL;
  CU_ASSERT_EQUAL(code_of(&w), DISCLOSURE_NOT_READY);
}

/* ------------------------------------------------------------------- what it tells */

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
  CU_ASSERT_EQUAL_FATAL(ask(&w, "m", &f), DISCLOSURE_RESTRICTED);
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
  CU_ASSERT_EQUAL_FATAL(ask(&w, "m", &truth), DISCLOSURE_RESTRICTED);
  world_free(&w);
  for (int64_t k = 10; k <= 40; k++) {
    world_p20(&w, k);
    CU_ASSERT_EQUAL_FATAL(ask(&w, "m", &other), DISCLOSURE_RESTRICTED);
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

TEST_MAIN("aggregate door", TEST(the_pool_is_that_of_the_dealers_outside_alone),
          TEST(P9_four_own_of_nine_leave_enough_and_five_do_not),
          TEST(P10_a_caller_that_sees_all_passes_no_door),
          TEST(a_share_is_withheld_when_its_rest_must_be), TEST(of_counts_only_the_rank_comes_out),
          TEST(P13_the_same_question_after_a_dealer_failed_has_the_same_answer),
          TEST(a_release_is_one_for_all_who_see_the_same_and_another_for_others),
          TEST(a_new_dealer_is_not_the_difference_of_two_releases),
          TEST(a_dealer_that_is_late_withholds_what_was_not_released_before),
          TEST(a_caller_without_a_share_left_gets_what_was_released_and_a_time),
          TEST(a_failure_that_lasts_leaves_the_dealer_out_before_the_freeze),
          TEST(figures_that_were_released_are_had_without_asking_others),
          TEST(a_figure_that_is_new_makes_others_be_asked),
          TEST(a_refusal_is_remembered_and_costs_nothing_either),
          TEST(a_new_figure_beside_released_ones_costs_budget_or_is_withheld),
          TEST(what_is_said_of_dealers_outside_is_kept_with_the_release),
          TEST(P14_a_period_a_day_shorter_is_refused_with_the_nearest),
          TEST(a_week_that_is_not_complete_is_not_frozen),
          TEST(a_week_that_does_not_pass_by_itself_withholds_the_weeks_it_is_in),
          TEST(each_week_must_have_the_dealers_and_no_one_that_dominates),
          TEST(a_dealer_suspect_in_one_week_is_not_the_difference_of_two_releases),
          TEST(A13_who_floods_gets_what_it_had_and_asks_nobody),
          TEST(without_a_store_nothing_is_released),
          TEST(P20_every_total_of_the_peers_from_half_to_double_stays_possible),
          TEST(P20_worlds_of_half_to_double_the_size_give_the_same_answer),
          TEST(a_pool_per_own_dealer_would_give_the_total_away))
