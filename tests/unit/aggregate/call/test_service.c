/* CompareDealerSessions over real rpc with stand-ins for auth-svc and report-svc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/oracle.h"
#include "tests/unit/aggregate/support/questions.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;
typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Ga4__V1beta__DateRange DateRange;

/* The configured event, else the one that fired most, the first also when it did half as often. */
static int lead_of(const struct fake_dealer *d)
{
  int most = 0;
  for (int k = 0; k < 4 && d->lead_event[0] != '\0'; k++)
    if (strcmp(d->lead_event, fake_event_names[k]) == 0)
      return k;
  for (int k = 1; k < 3; k++)
    if (d->events[k] > d->events[most])
      most = k;
  return d->events[most] == 0 ? -1 : 2 * d->events[0] >= d->events[most] ? 0 : most;
}

/* The dealers whose figures must be in an answer, as the oracle wants them. */
static size_t answering(const struct fake_world *w, struct oracle_dealer *out)
{
  size_t n = 0;
  for (size_t i = 0; i < w->n; i++) {
    const struct fake_dealer *d = &w->dealers[i];
    if (d->mode != FAKE_OK)
      continue;
    struct oracle_dealer *o = &out[n++];
    snprintf(o->id, sizeof(o->id), "%s", d->id);
    o->sessions = d->sessions;
    o->engaged = d->engaged;
    o->shoppers = fake_shoppers(d);
    int lead = lead_of(d);
    o->event = lead < 0 ? NULL : fake_event_names[lead];
    o->leads = lead < 0 ? 0 : d->events[lead];
  }
  return n;
}

static void check_against_oracle(const struct fake_world *w, const Result *r, const char *event)
{
  struct oracle_dealer all[ORACLE_MAX];
  size_t n = answering(w, all);
  CU_ASSERT_EQUAL_FATAL(r->n_performance_index, n);
  CU_ASSERT_EQUAL(r->coverage->ok, (int)n);
  for (size_t i = 0; i < n; i++)
    for (size_t k = 0; k < n; k++)
      if (strcmp(all[k].id, r->performance_index[i]->dealer_id) == 0)
        oracle_check_index(all, n, k, r->performance_index[i]);
  oracle_check_region(all, n, event, r->regional_average);
}

static void region_of_24_agrees_with_the_oracle_in_any_chunk_order(void)
{
  struct fixture f;
  for (unsigned seed = 1; seed <= 5; seed++) {
    struct outcome o;
    fixture_start(&f, 24, seed);
    f.world.dealers[3].events[0] = 0; /* counts form_submit then */
    f.world.dealers[3].events[2] = 44;
    f.world.dealers[4].events[0] = f.world.dealers[4].events[2] = 0; /* unknown */
    snprintf(f.world.dealers[5].lead_event, 32, "web_lead");         /* a known 0 */
    f.world.dealers[6].sessions = f.world.dealers[6].engaged = 0;
    f.world.dealers[6].events[0] = 0;
    f.world.dealers[6].events[2] = 0;
    Request r = ask_west();
    fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
    CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
    check_against_oracle(&f.world, o.compare, "asc_form_submission");
    CU_ASSERT_TRUE(o.progress_increases);
    CU_ASSERT_STRING_EQUAL(o.last_text, "24 of 24 dealers");
    CU_ASSERT_EQUAL(f.world.fetch_calls, 5);
    CU_ASSERT_EQUAL(f.world.most_dealers_in_a_stream, 5);
    CU_ASSERT_TRUE(f.world.grants_caller && !f.world.grants_benchmark);
    CU_ASSERT_TRUE(f.world.purpose_direct && !f.world.purpose_benchmark);
    outcome_free(&o);
    fixture_stop(&f);
  }
}

/* A dealer's lead event is the same in every period, read once, and asked for with the rest. */
static void the_lead_event_is_looked_up_once_for_all_periods(void)
{
  struct fixture f;
  struct outcome o;
  DateRange range = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  char first[16];
  fixture_start(&f, 8, 31);
  Request r = ask_west();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_TRUE(f.world.batch);
  CU_ASSERT_EQUAL(f.world.queries, 5);
  CU_ASSERT_EQUAL(o.compare->period->days, 28);
  int64_t from, to;
  CU_ASSERT_TRUE(clock_parse_date(f.world.look_back[0], &from));
  CU_ASSERT_TRUE(clock_parse_date(f.world.look_back[1], &to));
  CU_ASSERT_EQUAL(to - from + 1, 90);
  CU_ASSERT_STRING_EQUAL(f.world.look_back[1], o.compare->period->end_date);
  snprintf(first, sizeof(first), "%s", f.world.look_back[0]);
  outcome_free(&o);
  /* Another event fires more in another period: it changes nothing. */
  for (size_t i = 0; i < f.world.n; i++)
    f.world.dealers[i].events[1] = 10000;
  range.start_date = (char *)"2026-03-02";
  range.end_date = (char *)"2026-03-02";
  r.date_range = &range;
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(f.world.queries, 4);
  for (size_t i = 0; i < o.compare->n_dealers; i++)
    CU_ASSERT_STRING_EQUAL(o.compare->dealers[i]->lead_event, "asc_form_submission");
  outcome_free(&o);
  /* A dealer that is new is looked up, for the same days. */
  snprintf(f.world.dealers[3].ref, sizeof(f.world.dealers[3].ref), "d03-new");
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(f.world.queries, 5);
  CU_ASSERT_STRING_EQUAL(f.world.look_back[0], first);
  outcome_free(&o);
  fixture_stop(&f);
}

static void detail_is_all_or_nothing(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 3, 32);
  Request r = ask_west();
  r.detail = (char *)"some";
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_STRING_EQUAL(o.status.message, "detail: must be \"all\", or left out");
  outcome_free(&o);
  r.detail = (char *)"";
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_EQUAL(o.compare->n_performance_index, 0);
  CU_ASSERT_EQUAL(o.compare->n_dealers, 3);
  CU_ASSERT_NOT_EQUAL(o.compare->dealers[0]->verdicts[0], '\0');
  outcome_free(&o);
  fixture_stop(&f);
}

static void failing_dealers_leave_figures_of_the_others(void)
{
  static const enum fake_mode modes[] = {FAKE_FAILS, FAKE_FAILS_LATE, FAKE_NO_NUMBER,
                                         FAKE_LOSES_A_ROW, FAKE_FORGOTTEN};
  static const char *const reasons[] = {"invalid_grant", "invalid_grant", "invalid_data",
                                        "data_loss", "unavailable"};
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 12, 7);
  for (size_t i = 0; i < ARRAY_LEN(modes); i++)
    f.world.dealers[2 * i].mode = modes[i];
  Request r = ask_west();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  check_against_oracle(&f.world, o.compare, "asc_form_submission");
  CU_ASSERT_EQUAL(o.compare->coverage->asked, 12);
  CU_ASSERT_EQUAL_FATAL(o.compare->coverage->n_failed, ARRAY_LEN(modes));
  for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
    CU_ASSERT_STRING_EQUAL(o.compare->coverage->failed[i]->dealer_id, f.world.dealers[2 * i].id);
    CU_ASSERT_STRING_EQUAL(o.compare->coverage->failed[i]->reason, reasons[i]);
    CU_ASSERT_NOT_EQUAL(o.compare->coverage->failed[i]->message[0], '\0');
  }
  CU_ASSERT_STRING_EQUAL(o.last_text, "12 of 12 dealers");
  outcome_free(&o);
  fixture_stop(&f);
}

static void broken_stream_is_opened_once_more_for_the_unfinished(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 15, 11);
  f.world.break_streams = 2;
  Request r = ask_west();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  check_against_oracle(&f.world, o.compare, "asc_form_submission");
  CU_ASSERT_EQUAL(o.compare->coverage->n_failed, 0);
  CU_ASSERT_EQUAL(f.world.fetch_calls, 3 + 2);
  CU_ASSERT_TRUE(o.progress_increases);
  outcome_free(&o);
  fixture_stop(&f);
}

static void stream_that_keeps_breaking_marks_its_dealers_unavailable(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 5, 12);
  f.world.break_streams = 1000;
  Request r = ask_west();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(f.world.fetch_calls, 3);
  /* Some dealers may have ended before the break; the others name the reason. */
  if (o.status.code == ERR_OK) {
    CU_ASSERT_TRUE(o.compare->coverage->n_failed > 0);
    for (size_t i = 0; i < o.compare->coverage->n_failed; i++) {
      CU_ASSERT_STRING_EQUAL(o.compare->coverage->failed[i]->reason, "unavailable");
      CU_ASSERT_STRING_EQUAL(o.compare->coverage->failed[i]->message, "the worker is going away");
    }
  } else {
    CU_ASSERT_EQUAL(o.status.code, ERR_UNAVAILABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "the worker is going away"));
  }
  outcome_free(&o);
  fixture_stop(&f);
}

static bool only_one_failed(const struct outcome *o)
{
  return o->status.code == ERR_OK && o->compare->coverage->n_failed == 1;
}

/* A tenth of the call's time is left for the answer: more on a machine that is slow. */
static void slow_dealer_times_out_before_the_caller_does(void)
{
  struct fixture f;
  struct outcome o = {.status.code = ERR_UNKNOWN};
  fixture_start(&f, 10, 13);
  f.world.dealers[4].mode = FAKE_HANGS;
  Request r = ask_west();
  for (uint32_t ms = 1000; ms < 20000 && !only_one_failed(&o); ms *= 4) {
    outcome_free(&o);
    fixture_compare(&f, &o, &r, ms, 0);
  }
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  check_against_oracle(&f.world, o.compare, "asc_form_submission");
  CU_ASSERT_EQUAL_FATAL(o.compare->coverage->n_failed, 1);
  CU_ASSERT_STRING_EQUAL(o.compare->coverage->failed[0]->dealer_id, "d04");
  CU_ASSERT_STRING_EQUAL(o.compare->coverage->failed[0]->reason, "timeout");
  outcome_free(&o);
  fixture_stop(&f);
}

static void cancelling_the_call_cancels_every_stream(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 15, 14);
  for (size_t i = 0; i < 15; i += 5)
    f.world.dealers[i].mode = FAKE_HANGS;
  Request r = ask_west();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 12);
  CU_ASSERT_EQUAL(o.status.code, ERR_CANCELLED);
  CU_ASSERT_PTR_NULL(o.compare);
  CU_ASSERT_TRUE(fixture_is_idle(&f));
  size_t cancelled = 0;
  for (int i = 0; i < 300 && cancelled < 3; i++) {
    pthread_mutex_lock(&f.world.lock);
    cancelled = f.world.fetch_cancelled;
    pthread_mutex_unlock(&f.world.lock);
    nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
  }
  CU_ASSERT_EQUAL(cancelled, 3);
  CU_ASSERT_EQUAL(f.world.fetch_calls, 3); /* no retry for a caller that left */
  outcome_free(&o);
  fixture_stop(&f);
}

static void backends_that_are_down_are_named(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_west();
  fixture_init(&f, 6, 15);
  f.unplug_report = true;
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "report-svc cannot be reached"));
  CU_ASSERT_TRUE(o.took_ms < 6000);
  outcome_free(&o);
  fixture_stop(&f);
  fixture_init(&f, 6, 15);
  f.unplug_auth = true;
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_UNAVAILABLE);
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "auth-svc cannot be reached"));
  CU_ASSERT_TRUE(o.took_ms < 6000);
  outcome_free(&o);
  fixture_stop(&f);
}

static void dealers_that_all_fail_alike_are_named_after_the_reason(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 3, 16);
  for (size_t i = 0; i < 3; i++)
    f.world.dealers[i].mode = FAKE_FAILS;
  Request r = ask_west();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_STRING_EQUAL(o.status.message,
                         "None of the 3 dealers answered. invalid_grant: the dealer must consent "
                         "again. Asked were Dealer 00, Dealer 01 and Dealer 02.");
  outcome_free(&o);
  fixture_stop(&f);
}

static void dealers_given_up_for_the_fault_of_one_hide_nothing_of_it(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 3, 16);
  for (size_t i = 0; i < 3; i++)
    f.world.dealers[i].mode = i == 1 ? FAKE_FAILS : FAKE_GIVEN_UP;
  Request r = ask_west();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(o.status.reason, "invalid_grant");
  CU_ASSERT_STRING_EQUAL(
      o.status.message, "None of the 3 dealers answered. Dealer 01: invalid_grant: the dealer must "
                        "consent again. The others were asked no further.");
  outcome_free(&o);
  fixture_stop(&f);
}

static void no_dealer_that_answers_is_an_error_with_every_reason(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 3, 16);
  for (size_t i = 0; i < 3; i++)
    f.world.dealers[i].mode = FAKE_FAILS;
  f.world.dealers[1].mode = FAKE_NO_NUMBER;
  Request r = ask_west();
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_PTR_NULL(o.compare);
  CU_ASSERT_NOT_EQUAL(o.status.code, ERR_OK);
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "None of the 3 dealers answered."));
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "Dealer 00 and Dealer 02: invalid_grant: "
                                                  "the dealer must consent again."));
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "Dealer 01: invalid_data: "));
  outcome_free(&o);
  fixture_stop(&f);
  fixture_start(&f, 3, 16);
  for (size_t i = 0; i < 3; i++)
    f.world.dealers[i].mode = FAKE_FAILS; /* all alike: their code */
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_FAILED_PRECONDITION);
  CU_ASSERT_STRING_EQUAL(o.status.reason, "invalid_grant");
  outcome_free(&o);
  fixture_stop(&f);
}

static void grant_that_is_over_ends_the_whole_call(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_west();
  fixture_start(&f, 24, 18);
  f.world.dealers[7].mode = FAKE_OLD_GRANT;
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_PTR_NULL(o.compare);
  CU_ASSERT_EQUAL(o.status.code, ERR_UNAUTHENTICATED);
  CU_ASSERT_STRING_EQUAL(o.status.reason, "bad_grant"); /* by which the gateway asks again */
  CU_ASSERT_TRUE(fixture_is_idle(&f));
  outcome_free(&o);
  fixture_stop(&f);
}

static void errors_of_the_backends_reach_the_caller(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_west();
  fixture_start(&f, 3, 17);
  err_set(&f.world.fetch_error, ERR_INVALID_ARGUMENT, "invalid_argument", "queries: too many");
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_INVALID_ARGUMENT);
  CU_ASSERT_PTR_NOT_NULL(strstr(o.status.message, "queries: too many"));
  outcome_free(&o);
  err_set(&f.world.auth_error, ERR_NOT_FOUND, "unknown_dealer",
          "subject_dealer_id: no dealer \"d99\"; closest: d09");
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_NOT_FOUND);
  CU_ASSERT_STRING_EQUAL(o.status.reason, "unknown_dealer");
  CU_ASSERT_STRING_EQUAL(o.status.message, "subject: no dealer \"d99\"; closest: d09");
  outcome_free(&o);
  fixture_stop(&f);
}

static void bad_requests_are_refused_before_anything_is_asked(void)
{
  struct fixture f;
  struct outcome o;
  fixture_start(&f, 3, 18);
  DateRange range = ANALYTICS__GA4__V1BETA__DATE_RANGE__INIT;
  static const char *const dates[][3] = {
      {"2026-13-01", "today", "date_range.start_date: \"2026-13-01\" is not a date"},
      {"2026-02-02", "2026-02-01", "date_range.start_date: 2026-02-02 is after end_date"},
      {"2010-01-01", "today", "date_range.start_date: 2010-01-01 is before 2015-08-14"},
      {"yesterday", "", "date_range.end_date: missing"}};
  for (size_t i = 0; i < ARRAY_LEN(dates); i++) {
    Request r = ask_west();
    r.date_range = &range;
    range.start_date = (char *)dates[i][0];
    range.end_date = (char *)dates[i][1];
    fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
    CU_ASSERT_EQUAL(o.status.code, ERR_INVALID_ARGUMENT);
    CU_ASSERT_TRUE(strncmp(o.status.message, dates[i][2], strlen(dates[i][2])) == 0);
    outcome_free(&o);
  }
  char *ids[] = {(char *)"d00", (char *)""};
  Request both = ask_west();
  both.n_dealer_ids = 1;
  both.dealer_ids = ids;
  fixture_compare(&f, &o, &both, PATIENCE_MS, 0);
  CU_ASSERT_STRING_EQUAL(o.status.message, "region: give dealer_ids or region, not both");
  outcome_free(&o);
  both.region = (char *)"";
  both.n_dealer_ids = 2;
  fixture_compare(&f, &o, &both, PATIENCE_MS, 0);
  CU_ASSERT_TRUE(strncmp(o.status.message, "dealer_ids[1]: empty", 20) == 0);
  outcome_free(&o);
  CU_ASSERT_EQUAL(f.world.fetch_calls, 0);
  fixture_stop(&f);
}

static void too_many_calls_are_refused_at_once(void)
{
  struct fixture f;
  struct outcome o;
  Request r = ask_west();
  fixture_init(&f, 3, 19);
  f.service.options.max_calls = 0;
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_TRUE(o.took_ms < 2000);
  outcome_free(&o);
  fixture_stop(&f);
}

FIXTURE_MAIN("aggregate service", TEST(region_of_24_agrees_with_the_oracle_in_any_chunk_order),
             TEST(the_lead_event_is_looked_up_once_for_all_periods), TEST(detail_is_all_or_nothing),
             TEST(failing_dealers_leave_figures_of_the_others),
             TEST(broken_stream_is_opened_once_more_for_the_unfinished),
             TEST(stream_that_keeps_breaking_marks_its_dealers_unavailable),
             TEST(slow_dealer_times_out_before_the_caller_does),
             TEST(cancelling_the_call_cancels_every_stream), TEST(backends_that_are_down_are_named),
             TEST(dealers_that_all_fail_alike_are_named_after_the_reason),
             TEST(dealers_given_up_for_the_fault_of_one_hide_nothing_of_it),
             TEST(no_dealer_that_answers_is_an_error_with_every_reason),
             TEST(grant_that_is_over_ends_the_whole_call),
             TEST(errors_of_the_backends_reach_the_caller),
             TEST(bad_requests_are_refused_before_anything_is_asked),
             TEST(too_many_calls_are_refused_at_once))
