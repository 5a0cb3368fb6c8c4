/* CompareDealerSessions over real rpc with stand-ins for auth-svc and report-svc. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "aggregate-svc/disclosure/lattice.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/mem.h"
#include "tests/unit/aggregate/support/fakes.h"
#include "tests/unit/aggregate/support/oracle.h"
#include "tests/unit/harness.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;
typedef Analytics__Aggregate__V1__CompareDealerSessionsResult Result;
typedef Analytics__Aggregate__V1__MetricIndex MetricIndex;
typedef Analytics__Ga4__V1beta__DateRange DateRange;

enum { PATIENCE_MS = 20000 };

static Request west(void)
{
  Request r = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
  r.region = (char *)"West";
  r.detail = (char *)"all";
  r.limit = 500;
  return r;
}

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
    Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
  Request r = west();
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
    Request r = west();
    r.date_range = &range;
    range.start_date = (char *)dates[i][0];
    range.end_date = (char *)dates[i][1];
    fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
    CU_ASSERT_EQUAL(o.status.code, ERR_INVALID_ARGUMENT);
    CU_ASSERT_TRUE(strncmp(o.status.message, dates[i][2], strlen(dates[i][2])) == 0);
    outcome_free(&o);
  }
  char *ids[] = {(char *)"d00", (char *)""};
  Request both = west();
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
  Request r = west();
  fixture_init(&f, 3, 19);
  f.service.options.max_calls = 0;
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_RESOURCE_EXHAUSTED);
  CU_ASSERT_TRUE(o.took_ms < 2000);
  outcome_free(&o);
  fixture_stop(&f);
}

/* ------------------------------------------------------------- outside dealers */

/* Dealer 0 asks about the last whole week: longer periods are looked at week by week, and the
 * fakes' days are in no week of theirs. */
static Request a_week_of_d00(void)
{
  static Analytics__Ga4__V1beta__DateRange range;
  static char start[16], end[16];
  int64_t through = lattice_complete_through(clock_unix_ms());
  struct lattice_span week =
      lattice_nearest((struct lattice_span){through - 6, through}, through).weeks;
  Request r = ANALYTICS__AGGREGATE__V1__COMPARE_DEALER_SESSIONS_REQUEST__INIT;
  analytics__ga4__v1beta__date_range__init(&range);
  clock_format_date(week.first, start, sizeof(start));
  clock_format_date(week.last, end, sizeof(end));
  range.start_date = start;
  range.end_date = end;
  r.date_range = &range;
  r.subject = (char *)"d00";
  return r;
}

/* Dealer 0 asks about its region; everything of the others carries a mark. */
static void hide_peers(struct fake_world *w)
{
  for (size_t i = 1; i < w->n; i++) {
    struct fake_dealer *d = &w->dealers[i];
    d->visible = false;
    snprintf(d->id, sizeof(d->id), "SECRET-ID-%zu", i);
    snprintf(d->name, sizeof(d->name), "SECRET-NAME-%zu", i);
    snprintf(d->ref, sizeof(d->ref), "SECRET-REF-%zu", i);
    snprintf(d->owner, sizeof(d->owner), "SECRET-OWNER-%zu", i);
    snprintf(d->zone, sizeof(d->zone), "SECRET/Zone");
    d->sessions = 50000 + 1013 * (int64_t)i;
    d->engaged = 30000 + 517 * (int64_t)i;
    d->events[0] = 1200 + 37 * (int64_t)i;
    d->events[2] = 0;
  }
}

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
  Request r = a_week_of_d00();
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
  Request r = a_week_of_d00();
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
  Request r = a_week_of_d00();
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
  Request r = a_week_of_d00();
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

/* ---------------------------------------------------------------- late dealers */

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

static bool says(const struct outcome *o, const char *words)
{
  for (size_t i = 0; i < o->compare->n_caveats; i++)
    if (strstr(o->compare->caveats[i], words) != NULL)
      return true;
  return false;
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
  Request r = a_week_of_d00();
  double finished = late_total("finished");
  late_world(&f, &o, &r, 100);
  CU_ASSERT_STRING_EQUAL(o.compare->performance_index[0]->metrics[2]->suppressed, "not_ready");
  CU_ASSERT_TRUE(says(&o, "it is asked again without you: ask again after "));
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
  Request r = a_week_of_d00();
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
  Request r = a_week_of_d00();
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
  Request r = a_week_of_d00();
  double refused = late_total("refused");
  fixture_init(&f, 12, 26);
  hide_peers(&f.world);
  f.world.dealers[5].mode = FAKE_FORGOTTEN;
  f.service.options.late_max = 0;
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL_FATAL(o.status.code, ERR_OK);
  CU_ASSERT_TRUE(says(&o, "ask again in a few minutes"));
  CU_ASSERT_EQUAL(late_total("refused"), refused + 1);
  outcome_free(&o);
  fixture_stop(&f);
}

/* fixture_stop() checks that nothing is left. */
static void an_end_waits_for_no_late_dealer(void)
{
  struct fixture f;
  struct outcome o;
  Request r = a_week_of_d00();
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

/* The fakes' days are in none of the four weeks: no week has anybody in it, so none gives anybody
 * away. */
static bool has_caveat(const Result *r, const char *part)
{
  for (size_t i = 0; r != NULL && i < r->n_caveats; i++)
    if (strstr(r->caveats[i], part) != NULL)
      return true;
  return false;
}

/* d00 to d02 have no data in the period: it lies before that of d01, d02 has none at all, and
 * nothing is wrong with the days of d00. */
static void dealers_whose_data_begins_later_are_named_with_the_day(void)
{
  struct fixture f;
  struct outcome o;
  Request r = west();
  fixture_init(&f, 6, 3);
  for (size_t i = 0; i < 3; i++) {
    struct fake_dealer *d = &f.world.dealers[i];
    d->sessions = d->engaged = 0;
    memset(d->events, 0, sizeof(d->events));
  }
  snprintf(f.world.dealers[0].first_date, sizeof(f.world.dealers[0].first_date), "2020-01-01");
  snprintf(f.world.dealers[1].first_date, sizeof(f.world.dealers[1].first_date), "2999-11-03");
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_EQUAL(o.status.code, ERR_OK);
  AUTO_FREE char *begins = xasprintf("The period lies before the first data of: %s from 2999-11-03 "
                                     "on.",
                                     f.world.dealers[1].name);
  AUTO_FREE char *none = xasprintf("No session was ever recorded at: %s.", f.world.dealers[2].name);
  CU_ASSERT(has_caveat(o.compare, begins));
  CU_ASSERT(has_caveat(o.compare, none));
  CU_ASSERT_EQUAL(f.world.first_date_calls, 3);
  outcome_free(&o);
  fixture_stop(&f);
}

static void where_nobody_has_data_the_headline_says_where_it_begins(void)
{
  struct fixture f;
  struct outcome o;
  Request r = west();
  fixture_init(&f, 2, 3);
  for (size_t i = 0; i < 2; i++) {
    struct fake_dealer *d = &f.world.dealers[i];
    d->sessions = d->engaged = 0;
    memset(d->events, 0, sizeof(d->events));
    snprintf(d->first_date, sizeof(d->first_date), "2999-11-0%zu", 4 - i);
  }
  fixture_serve(&f);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_PTR_NOT_NULL_FATAL(o.compare);
  CU_ASSERT_PTR_NOT_NULL(strstr(o.compare->headline, "lies before the first data, of 2999-11-03."));
  outcome_free(&o);
  fixture_stop(&f);
}

static void first_days_are_looked_up_only_where_data_is_missing(void)
{
  struct fixture f;
  struct outcome o;
  Request r = west();
  fixture_start(&f, 6, 3);
  fixture_compare(&f, &o, &r, PATIENCE_MS, 0);
  CU_ASSERT_PTR_NOT_NULL_FATAL(o.compare);
  CU_ASSERT_EQUAL(f.world.first_date_calls, 0);
  CU_ASSERT_FALSE(has_caveat(o.compare, "first data"));
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
  Request week = a_week_of_d00();
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
  Request r = a_week_of_d00();
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
  Request r = a_week_of_d00();
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

int main(int argc, char **argv)
{
  static const struct test_case cases[] = {
      TEST(region_of_24_agrees_with_the_oracle_in_any_chunk_order),
      TEST(the_lead_event_is_looked_up_once_for_all_periods),
      TEST(detail_is_all_or_nothing),
      TEST(failing_dealers_leave_figures_of_the_others),
      TEST(broken_stream_is_opened_once_more_for_the_unfinished),
      TEST(stream_that_keeps_breaking_marks_its_dealers_unavailable),
      TEST(slow_dealer_times_out_before_the_caller_does),
      TEST(cancelling_the_call_cancels_every_stream),
      TEST(backends_that_are_down_are_named),
      TEST(dealers_that_all_fail_alike_are_named_after_the_reason),
      TEST(dealers_given_up_for_the_fault_of_one_hide_nothing_of_it),
      TEST(no_dealer_that_answers_is_an_error_with_every_reason),
      TEST(grant_that_is_over_ends_the_whole_call),
      TEST(errors_of_the_backends_reach_the_caller),
      TEST(bad_requests_are_refused_before_anything_is_asked),
      TEST(too_many_calls_are_refused_at_once),
      TEST(what_is_released_of_outside_dealers_is_logged_for_audit),
      TEST(dealer_role_sees_rounded_benchmarks_and_nothing_of_its_peers),
      TEST(dealers_whose_data_begins_later_are_named_with_the_day),
      TEST(where_nobody_has_data_the_headline_says_where_it_begins),
      TEST(first_days_are_looked_up_only_where_data_is_missing),
      TEST(weeks_without_anybody_withhold_nothing),
      TEST(a_late_dealer_is_asked_again_in_the_background_and_the_figures_are_kept),
      TEST(a_grant_that_has_run_out_ends_it),
      TEST(a_dealer_that_stays_away_is_given_up),
      TEST(where_there_is_no_room_the_answer_promises_nothing),
      TEST(an_end_waits_for_no_late_dealer),
      TEST(released_figures_are_served_word_for_word_and_ask_no_other_dealer),
      TEST(a_figure_that_nobody_was_given_yet_makes_the_others_be_asked),
      TEST(dealer_role_with_few_peers_gets_a_code_instead),
      TEST(errors_name_no_hidden_dealer),
  };
  const struct test_program program = {"aggregate service", AMCP_TEST_ROOM, cases,
                                       ARRAY_LEN(cases),    rpc_init,       rpc_shutdown};
  return test_run(&program, argc, argv);
}
