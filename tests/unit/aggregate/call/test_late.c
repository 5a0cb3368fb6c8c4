/* A dealer outside the caller's view that is late: it is asked again in the background. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/questions.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;

/* A world in which a dealer outside is late, after the first question. */
static void late_world(struct fixture *f, struct outcome *o, const Request *r, int64_t delay_ms)
{
  fixture_init(f, 12, 25);
  hide_peers(&f->world);
  f->world.dealers[5].mode = FAKE_FORGOTTEN;
  f->service.options.late_delay_ms = delay_ms;
  fixture_serve(f);
  fixture_compare(f, o, r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o->status.code, ERR_OK);
}

static void set_mode(struct fixture *f, size_t dealer, enum fake_mode mode)
{
  pthread_mutex_lock(&f->world.lock);
  f->world.dealers[dealer].mode = mode;
  f->world.dealers_asked = 0;
  pthread_mutex_unlock(&f->world.lock);
}

static bool nothing_is_late(struct fixture *f)
{
  for (int i = 0; i < 500 && finish_count(f->service.late) > 0; i++)
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  return finish_count(f->service.late) == 0;
}

static double late_total(const char *outcome)
{
  AUTO_BUF struct buf text = BUF_INIT(1 << 20);
  char name[80];
  snprintf(name, sizeof(name), "aggregate_late_total{outcome=\"%s\"} ", outcome);
  metrics_render(&text);
  const char *at = strstr(buf_str(&text), name);
  return at != NULL ? strtod(at + strlen(name), NULL) : 0;
}

static void a_late_dealer_is_asked_again_in_the_background_and_the_figures_are_kept(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_week_of_d00();
  double finished = late_total("finished");
  late_world(&f, &o, &r, 100);
  CU_ASSERT_STRING_EQUAL(o.compare->performance_index[0]->metrics[2]->suppressed, "not_ready");
  CU_ASSERT_TRUE(has_caveat(&o, "the service asks it again by itself: ask again after "));
  outcome_free(&o);
  set_mode(&f, 5, FAKE_OK);
  CU_ASSERT_TRUE(nothing_is_late(&f));
  CU_ASSERT_EQUAL(late_total("finished"), finished + 1);
  CU_ASSERT_EQUAL(f.world.dealers_asked, 1); /* only the one that was late */
  for (size_t i = 1; i < 12; i++)
    set_mode(&f, i, FAKE_FAILS); /* nobody else is needed any more */
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(f.world.dealers_asked, 1);
  int64_t n = 0, e = 0;
  for (size_t i = 1; i < 12; i++) {
    n += f.world.dealers[i].sessions;
    e += f.world.dealers[i].engaged;
  }
  CU_ASSERT_EQUAL(o.compare->performance_index[0]->metrics[2]->benchmark,
                  round(1000.0 * (double)e / (double)n) / 1000);
  CU_ASSERT_EQUAL(o.compare->coverage->ok, 12);
  outcome_free(&o);
  fixture_stop(&f);
}

static void a_grant_that_has_run_out_ends_it(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_week_of_d00();
  double dropped = late_total("dropped");
  late_world(&f, &o, &r, 100);
  outcome_free(&o);
  set_mode(&f, 5, FAKE_OLD_GRANT);
  CU_ASSERT_TRUE(nothing_is_late(&f));
  CU_ASSERT_EQUAL(late_total("dropped"), dropped + 1);
  CU_ASSERT_EQUAL(f.world.dealers_asked, 1);
  set_mode(&f, 5, FAKE_OK);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0); /* nothing was kept */
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(f.world.dealers_asked, 12);
  outcome_free(&o);
  fixture_stop(&f);
}

static void a_dealer_that_stays_away_is_given_up(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_week_of_d00();
  double given_up = late_total("given_up");
  late_world(&f, &o, &r, 10);
  outcome_free(&o);
  CU_ASSERT_TRUE(nothing_is_late(&f));
  CU_ASSERT_EQUAL(late_total("given_up"), given_up + 1);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_STRING_EQUAL(o.compare->performance_index[0]->metrics[2]->suppressed, "not_ready");
  outcome_free(&o);
  fixture_stop(&f);
}

static void where_there_is_no_room_the_answer_promises_nothing(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_week_of_d00();
  double refused = late_total("refused");
  fixture_init(&f, 12, 26);
  hide_peers(&f.world);
  f.world.dealers[5].mode = FAKE_FORGOTTEN;
  f.service.options.late_max = 0;
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_TRUE(has_caveat(&o, "ask again in a few minutes"));
  CU_ASSERT_EQUAL(late_total("refused"), refused + 1);
  outcome_free(&o);
  fixture_stop(&f);
}

/* fixture_stop() checks that nothing is left. */
static void an_end_waits_for_no_late_dealer(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_week_of_d00();
  late_world(&f, &o, &r, 300000); /* waits */
  outcome_free(&o);
  CU_ASSERT_EQUAL(finish_count(f.service.late), 1);
  int64_t then = clock_mono_ms();
  fixture_stop(&f);
  late_world(&f, &o, &r, 50);
  outcome_free(&o);
  set_mode(&f, 5, FAKE_HANGS);
  for (size_t asked = 0; asked == 0;) { /* until it is under way */
    pthread_mutex_lock(&f.world.lock);
    asked = f.world.dealers_asked;
    pthread_mutex_unlock(&f.world.lock);
  }
  fixture_stop(&f);
  CU_ASSERT_TRUE(clock_mono_ms() - then < 20000); /* an attempt may take 60 s */
}

FIXTURE_MAIN("aggregate late",
             TEST(a_late_dealer_is_asked_again_in_the_background_and_the_figures_are_kept),
             TEST(a_grant_that_has_run_out_ends_it), TEST(a_dealer_that_stays_away_is_given_up),
             TEST(where_there_is_no_room_the_answer_promises_nothing),
             TEST(an_end_waits_for_no_late_dealer))
