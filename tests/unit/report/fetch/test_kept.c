/* FetchReports: reports of days that are final are kept, others are not. */
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "report-svc/request/request.h"
#include "tests/unit/harness.h"
#include "tests/unit/report/support/fetch_run.h"

enum { DAY_MS = 86400000 };

/* A day so many days before that of UTC. */
static const char *day(int ago, char out[static 16])
{
  clock_format_date(clock_unix_ms() / DAY_MS - ago, out, 16);
  return out;
}

static void run(struct fetch_run *r, struct fakes *f, const char *start, const char *end,
                size_t queries, int64_t max_rows)
{
  fetch_init(r);
  r->batch = true;
  r->start = start;
  r->end = end;
  fetch_start(r, f, 5, queries, max_rows, 20000);
  fetch_wait(r);
  CU_ASSERT_EQUAL(r->status.code, ERR_OK);
}

static bool whole(const struct fetch_run *r, size_t queries, int64_t rows)
{
  bool all = true;
  for (size_t i = 0; i < 5; i++)
    all = all && fetch_whole(r, i, queries, rows);
  return all;
}

static void reports_of_final_days_are_asked_for_once_and_a_token_each_time(void)
{
  char start[16], end[16];
  struct fakes f;
  struct fetch_run first, again;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 22, .chunk_rows = 256});
  LOCKED(&f, f.google.rows = 1000);
  run(&first, &f, day(30, start), day(3, end), 3, 0);
  run(&again, &f, start, end, 3, 0);
  CU_ASSERT(whole(&first, 3, 1000) && whole(&again, 3, 1000));
  CU_ASSERT_EQUAL(first.chunks, again.chunks);
  for (size_t i = 0; i < 5; i++) {
    CU_ASSERT_STRING_EQUAL(again.properties[i], first.properties[i]);
    CU_ASSERT_EQUAL(again.reports[i][2].sum, first.reports[i][2].sum);
  }
  CU_ASSERT_EQUAL(f.requests, 5);
  CU_ASSERT_EQUAL(f.token_calls, 10);
  fakes_stop(&f);
}

static void google_is_asked_for_what_is_not_kept_alone(void)
{
  char start[16], end[16];
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 22});
  LOCKED(&f, f.google.rows = 50);
  run(&r, &f, day(30, start), day(3, end), 2, 0);
  LOCKED(&f,
         f.google.rows = 70); /* Google now has more rows: shows which reports it was asked for */
  run(&r, &f, start, end, 5, 0);
  CU_ASSERT_EQUAL(f.requests, 10);
  for (size_t i = 0; i < 5; i++)
    for (size_t k = 0; k < 5; k++)
      CU_ASSERT_EQUAL(r.reports[i][k].rows, k < 2 ? 50 : 70);
  fakes_stop(&f);
}

static void days_that_are_not_final_are_asked_for_again(void)
{
  char start[16], end[16];
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 22});
  LOCKED(&f, f.google.rows = 5);
  for (int i = 0; i < 2; i++) {
    run(&r, &f, day(30, start), day(2, end), 2, 0);
    run(&r, &f, "40daysAgo", "yesterday", 2, 0);
    run(&r, &f, day(9, start), "1daysAgo", 2, 0);
    run(&r, &f, NULL, NULL, 2, 0);
  }
  CU_ASSERT_EQUAL(f.requests, 2 * 4 * 5);
  fakes_stop(&f);
}

/* A day of New York, where the fake's properties are, so many days ago. */
static const char *there(int ago, char out[static 16])
{
  clock_format_date(request_today("America/New_York", clock_unix_ms()) - ago, out, 16);
  return out;
}

/* Relative dates are the days that they stand for in the property's zone, however they are
 * written. */
static void relative_dates_are_kept_by_the_days_of_the_property(void)
{
  char start[16], end[16];
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 22});
  LOCKED(&f, f.google.rows = 50);
  run(&r, &f, "30daysAgo", "4daysAgo", 2, 0);
  CU_ASSERT_EQUAL(f.requests, 5);
  run(&r, &f, "30daysAgo", "4daysAgo", 2, 0);
  CU_ASSERT(whole(&r, 2, 50));
  run(&r, &f, there(30, start), there(4, end), 2, 0);
  run(&r, &f, start, "4daysAgo", 2, 0);
  CU_ASSERT(whole(&r, 2, 50));
  CU_ASSERT_EQUAL(f.requests, 5);
  run(&r, &f, "30daysAgo", "5daysAgo", 2, 0);
  CU_ASSERT_EQUAL(f.requests, 10);
  fakes_stop(&f);
}

/* Rows beyond what a call may have, and rows of a dealer that failed, are not shown from before. */
static void what_is_kept_keeps_to_the_rules_of_the_call(void)
{
  char start[16], end[16];
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 22});
  LOCKED(&f, f.google.rows = 50);
  run(&r, &f, day(30, start), day(3, end), 2, 0);
  run(&r, &f, start, end, 2, 40);
  for (size_t i = 0; i < 5; i++)
    CU_ASSERT_STRING_EQUAL(r.reasons[i], "too_many_rows");
  fetch_init(&r);
  r.batch = true;
  r.start = start;
  r.end = end;
  memcpy(r.ids[1], "revoked", 8);
  fetch_start(&r, &f, 5, 2, 0, 20000);
  fetch_wait(&r);
  CU_ASSERT_STRING_EQUAL(r.reasons[1], "invalid_grant");
  CU_ASSERT(fetch_whole(&r, 0, 2, 50) && fetch_whole(&r, 4, 2, 50));
  fakes_stop(&f);
}

static void a_slow_reader_gets_what_is_kept(void)
{
  enum { ROWS = 2000 };
  char start[16], end[16];
  struct fakes f;
  struct fetch_run r;
  fakes_start(&f, &(struct fakes_options){.cache_bytes = 1 << 26, .timeout_ms = 60000});
  LOCKED(&f, f.google = (struct google_plan){.rows = ROWS, .value_bytes = 60});
  run(&r, &f, day(30, start), day(3, end), 3, 0);
  int requests = f.requests;
  fetch_init(&r);
  r.batch = r.hold = true;
  r.start = start;
  r.end = end;
  fetch_start(&r, &f, 5, 3, 0, 60000);
  pthread_mutex_lock(&r.lock);
  while (r.chunks + r.dealers_done == 0 && !r.ended)
    pthread_cond_wait(&r.changed, &r.lock);
  r.hold = false;
  pthread_mutex_unlock(&r.lock);
  rpc_client_resume(r.call);
  fetch_wait(&r);
  CU_ASSERT(whole(&r, 3, ROWS));
  CU_ASSERT_EQUAL(f.requests, requests);
  fakes_stop(&f);
}

TEST_MAIN("report-svc FetchReports, kept",
          TEST(reports_of_final_days_are_asked_for_once_and_a_token_each_time),
          TEST(google_is_asked_for_what_is_not_kept_alone),
          TEST(days_that_are_not_final_are_asked_for_again),
          TEST(relative_dates_are_kept_by_the_days_of_the_property),
          TEST(what_is_kept_keeps_to_the_rules_of_the_call), TEST(a_slow_reader_gets_what_is_kept))
