/* Dealers outside the caller's view, over real rpc: what is released, to whom, and whom it asks. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/questions.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;

static bool contains(const struct outcome *o, const void *data, size_t len)
{
  return memmem(o->packed, o->packed_len, data, len) != NULL;
}

/* Whether a count is anywhere in the packed answer: as text, varint or double. */
static bool contains_count(const struct outcome *o, int64_t x)
{
  char text[24];
  unsigned char varint[10];
  size_t n = 0;
  double d = (double)x;
  int len = snprintf(text, sizeof(text), "%lld", (long long)x);
  for (uint64_t v = (uint64_t)x; v > 0; v >>= 7)
    varint[n++] = (unsigned char)((v & 0x7f) | (v > 0x7f ? 0x80 : 0));
  return contains(o, text, (size_t)len) || contains(o, varint, n) || contains(o, &d, sizeof(d));
}

/* Calls with the log going to a file and gives what was logged; free it. */
static char *log_of_a_comparison(struct fixture *f, const Request *r)
{
  struct outcome o;
  FILE *log = tmpfile();
  int err = dup(2);
  CU_ASSERT_FATAL(log != NULL && err >= 0);
  log_init("test", LOG_LEVEL_INFO);
  dup2(fileno(log), 2);
  fixture_compare(f, &o, r, PATIENCE_MS, 0);
  CU_ASSERT_TRUE(fixture_is_idle(f));
  dup2(err, 2);
  close(err);
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  outcome_free(&o);
  char *text = xcalloc(1, 1 << 16);
  rewind(log);
  size_t n = fread(text, 1, (1 << 16) - 1, log);
  text[n] = '\0';
  fclose(log);
  return text;
}

static void what_is_released_of_outside_dealers_is_logged_for_audit(void)
{
  struct fixture f;
  fixture_start(&f, 12, 20);
  hide_peers(&f.world);
  f.world.dealers[11].mode = FAKE_FAILS;
  Request r = ask_week_of_d00();
  AUTO_FREE char *text = log_of_a_comparison(&f, &r);
  const char *line = strstr(text, "benchmark released");
  CU_ASSERT_PTR_NOT_NULL_FATAL(line);
  CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"rpc\":\"CompareDealerSessions\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"dealers_ok\":11"));
  CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"undisclosed\":11"));
  CU_ASSERT_PTR_NULL(strstr(line, "\"figures\":0,"));
  CU_ASSERT_PTR_NOT_NULL(strstr(line, "\"viewer\":\"viewer\""));
  CU_ASSERT_PTR_NOT_NULL(strstr(line, "engagement_rate,"));
  CU_ASSERT_PTR_NULL(strstr(line, "\"start\":\"\""));
  for (size_t i = 1; i < f.world.n; i++)
    f.world.dealers[i].visible = true;
  AUTO_FREE char *open = log_of_a_comparison(&f, &r);
  CU_ASSERT_PTR_NULL(strstr(open, "benchmark released")); /* nobody is outside */
  fixture_stop(&f);
}

static void dealer_role_sees_rounded_benchmarks_and_nothing_of_its_peers(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 12, 20);
  hide_peers(&f.world);
  f.world.dealers[11].mode = FAKE_FAILS;
  Request r = ask_week_of_d00();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_TRUE(f.world.grants_benchmark && !f.world.grants_caller);
  CU_ASSERT_TRUE(f.world.purpose_benchmark && !f.world.purpose_direct);
  CU_ASSERT_FALSE(contains(&o, "SECRET", 6));
  int64_t n = 0, e = 0, leads = 0;
  for (size_t i = 1; i < 11; i++) {
    const struct fake_dealer *d = &f.world.dealers[i];
    CU_ASSERT_FALSE(contains_count(&o, d->sessions) || contains_count(&o, d->engaged) ||
                    contains_count(&o, d->events[0]));
    n += d->sessions;
    e += d->engaged;
    leads += d->events[0];
  }
  CU_ASSERT_FALSE(contains_count(&o, n) || contains_count(&o, e) || contains_count(&o, leads));
  CU_ASSERT_FALSE(contains_count(&o, n + f.world.dealers[0].sessions));
  CU_ASSERT_TRUE(contains_count(&o, f.world.dealers[0].sessions)); /* the check can find */
  const MetricIndex *x = o.compare->performance_index[0]->metrics[2];
  CU_ASSERT_EQUAL(x->benchmark, round(1000.0 * (double)e / (double)n) / 1000);
  CU_ASSERT_EQUAL(x->of, 11);
  CU_ASSERT_EQUAL(o.compare->n_dealers, 1);
  CU_ASSERT_EQUAL(o.compare->cohort->undisclosed, 11);
  CU_ASSERT_EQUAL(o.compare->coverage->failed_undisclosed, 1);
  outcome_free(&o);
  fixture_stop(&f);
}

/* Asks, and expects the answer of before, for which so many dealers were asked. */
static void expect_same(struct fixture *f, const Request *r, const struct outcome *before,
                        size_t dealers)
{
  struct outcome o;
  f->world.dealers_asked = 0;
  fixture_compare(f, &o, r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(f->world.dealers_asked, dealers);
  CU_ASSERT_TRUE(o.packed_len == before->packed_len &&
                 memcmp(o.packed, before->packed, o.packed_len) == 0);
  CU_ASSERT_TRUE(o.progress_increases);
  outcome_free(&o);
}

static void released_figures_are_served_word_for_word_and_ask_no_other_dealer(void)
{
  struct fixture f;
  struct outcome first;
  fixture_start(&f, 12, 23);
  hide_peers(&f.world);
  f.world.dealers[7].events[0] = 0; /* leads unknown: some figures are withheld or of fewer */
  f.world.dealers[8].events[0] = 0;
  f.world.dealers[8].events[1] = 900;
  f.world.dealers[11].mode = FAKE_FAILS;
  Request r = ask_week_of_d00();
  fixture_compare(&f, &first, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(first.status.code, ERR_OK);
  CU_ASSERT_NOT_EQUAL(first.compare->performance_index[0]->metrics[2]->opt_benchmark_case, 0);
  CU_ASSERT_TRUE(fixture_is_idle(&f));
  expect_same(&f, &r, &first, 1);
  CU_ASSERT_TRUE(fixture_is_idle(&f));
  for (size_t i = 1; i < f.world.n; i++) /* whatever has become of the others */
    f.world.dealers[i].mode = i % 2 == 0 ? FAKE_HANGS : FAKE_FAILS;
  expect_same(&f, &r, &first, 1);
  outcome_free(&first);
  fixture_stop(&f);
}

static void a_figure_that_nobody_was_given_yet_makes_the_others_be_asked(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 12, 24);
  hide_peers(&f.world);
  for (size_t i = 0; i < 12; i++) { /* half of them count another event, which is larger */
    f.world.dealers[i].events[0] = i % 2 == 0 ? 1300 + (int64_t)i : 0;
    f.world.dealers[i].events[1] = i % 2 == 0 ? 0 : 1200 + (int64_t)i;
    f.world.dealers[i].events[2] = 0;
  }
  f.service.lookback.entries.order.max = 0; /* asked each time */
  Request r = ask_week_of_d00();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  outcome_free(&o);
  CU_ASSERT_TRUE(fixture_is_idle(&f));
  f.world.dealers[0].events[1] = 2 * f.world.dealers[0].events[0]; /* its site is another now */
  f.world.dealers[0].events[0] = 0;
  f.world.dealers_asked = 0;
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(f.world.dealers_asked, 12); /* each once: first its own, then the others */
  CU_ASSERT_TRUE(o.progress_increases);
  CU_ASSERT_EQUAL(o.last_progress, 12);
  int64_t n = 0, leads = 0;
  for (size_t i = 1; i < 12; i += 2) {
    n += f.world.dealers[i].sessions;
    leads += f.world.dealers[i].events[1];
  }
  const MetricIndex *x = o.compare->performance_index[0]->metrics[5];
  CU_ASSERT_STRING_EQUAL(x->metric, "leads_per_100_sessions");
  double exact = 100.0 * (double)leads / (double)n;
  CU_ASSERT_DOUBLE_EQUAL(x->benchmark, round(100 * exact) / 100, 1e-12);
  outcome_free(&o);
  fixture_stop(&f);
}

static void weeks_without_anybody_withhold_nothing(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 12, 27);
  hide_peers(&f.world);
  Request four = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
  four.subject = (char *)"d00";
  fixture_compare(&f, &o, &four, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(o.compare->period->days, 28);
  const MetricIndex *x = o.compare->performance_index[0]->metrics[2];
  CU_ASSERT_STRING_EQUAL(x->suppressed, "");
  CU_ASSERT_NOT_EQUAL(x->opt_benchmark_case, 0);
  outcome_free(&o);
  Request week = ask_week_of_d00();
  fixture_compare(&f, &o, &week, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_NOT_EQUAL(o.compare->performance_index[0]->metrics[2]->opt_benchmark_case, 0);
  outcome_free(&o);
  fixture_stop(&f);
}

static void dealer_role_with_few_peers_gets_a_code_instead(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 5, 21);
  hide_peers(&f.world);
  Request r = ask_week_of_d00();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_FALSE(contains(&o, "SECRET", 6));
  for (size_t m = 0; m < 6; m++)
    CU_ASSERT_STRING_EQUAL(o.compare->performance_index[0]->metrics[m]->suppressed,
                           "min_contributors");
  outcome_free(&o);
  fixture_stop(&f);
}

static void errors_name_no_hidden_dealer(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 4, 22);
  hide_peers(&f.world);
  for (size_t i = 0; i < 4; i++)
    f.world.dealers[i].mode = FAKE_FAILS;
  Request r = ask_week_of_d00();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_PTR_NULL(strstr(o.status.message, "SECRET"));
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "3 dealers you may not see by name failed."));
  r.subject = (char *)"SECRET-ID-2"; /* not the caller's: as if it did not exist */
  outcome_free(&o);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_NOT_FOUND);
  outcome_free(&o);
  fixture_stop(&f);
}

FIXTURE_MAIN("aggregate outside", TEST(what_is_released_of_outside_dealers_is_logged_for_audit),
             TEST(dealer_role_sees_rounded_benchmarks_and_nothing_of_its_peers),
             TEST(weeks_without_anybody_withhold_nothing),
             TEST(released_figures_are_served_word_for_word_and_ask_no_other_dealer),
             TEST(a_figure_that_nobody_was_given_yet_makes_the_others_be_asked),
             TEST(dealer_role_with_few_peers_gets_a_code_instead),
             TEST(errors_name_no_hidden_dealer))
