/* Which chats were texts, over real rpc with stand-ins for auth-svc and report-svc: who is asked,
 * how often, and what becomes of it when it cannot be looked up. */
#include <string.h>

#include "common/base/mem.h"
#include "tests/unit/aggregate/support/questions.h"

typedef Analytics__Aggregate__V1__CompareDealerSessionsRequest Request;
typedef Analytics__Aggregate__V1__DealerSessions DealerSessions;

enum { DEALERS = 6, CHATS = 5 };

static void ask_within(struct fixture *f, struct outcome *o, uint32_t timeout_ms)
{
  Request r = ask_west();
  fixture_compare(f, o, &r, timeout_ms, 0);
  CU_ASSERT_EQUAL(o->status.code, ERR_OK);
  CU_ASSERT_PTR_NOT_NULL_FATAL(o->compare);
}

static void ask(struct fixture *f, struct outcome *o)
{
  ask_within(f, o, PATIENCE_MS);
}

static void give_chats(struct fake_dealer *d, bool comm_type)
{
  d->events[CHATS] = 40;
  d->comm_type = comm_type;
  d->messages[0][0] = "chat";
  d->messages[0][1] = "25";
  d->messages[1][0] = "SMS";
  d->messages[1][1] = "9";
  d->messages[2][0] = "(not set)";
  d->messages[2][1] = "6";
}

static const DealerSessions *dealer(const struct outcome *o, const char *id)
{
  for (size_t i = 0; i < o->compare->n_dealers; i++)
    if (strcmp(o->compare->dealers[i]->dealer_id, id) == 0)
      return o->compare->dealers[i];
  CU_FAIL_FATAL("no such dealer");
  return NULL;
}

static bool is_told(const struct outcome *o, const char *id)
{
  const DealerSessions *d = dealer(o, id);
  CU_ASSERT_EQUAL(d->opt_live_chats_case != 0, d->opt_texts_case != 0);
  return d->opt_texts_case != 0 && d->live_chats == 25 && d->texts == 9 && d->chats == 40;
}

/* d00 and d01 have chats and comm_type, d02 has chats alone, d03 comm_type alone. */
static void begin(struct fixture *f)
{
  fixture_init(f, DEALERS, 5);
  give_chats(&f->world.dealers[0], true);
  give_chats(&f->world.dealers[1], true);
  give_chats(&f->world.dealers[2], false);
  f->world.dealers[3].comm_type = true;
  fixture_serve(f);
}

static void dealers_with_chats_are_asked_and_what_is_registered_once_a_day(void)
{
  struct fixture f;
  struct outcome o;
  begin(&f);
  for (size_t i = 1; i <= 2; i++) {
    ask(&f, &o);
    CU_ASSERT_TRUE(is_told(&o, "d00") && is_told(&o, "d01"));
    CU_ASSERT_EQUAL(dealer(&o, "d02")->opt_texts_case, 0);
    CU_ASSERT_EQUAL(dealer(&o, "d03")->opt_texts_case, 0);
    CU_ASSERT_TRUE(has_caveat(&o, "Chats include texts at 1 of 3 dealers (Dealer 02)"));
    CU_ASSERT_EQUAL(f.world.definition_calls, 3);
    CU_ASSERT_EQUAL(f.world.run_report_calls, 2 * i);
    CU_ASSERT_STRING_EQUAL(f.world.run_report_days[0], o.compare->period->start_date);
    CU_ASSERT_STRING_EQUAL(f.world.run_report_days[1], o.compare->period->end_date);
    outcome_free(&o);
  }
  fixture_stop(&f);
}

/* The one that hangs takes all the time of the fan-out; nothing could be asked after it. */
static void where_the_registration_is_kept_it_is_asked_beside_the_fan_out(void)
{
  enum { SHORT_MS = 3000 };
  struct fixture f;
  struct outcome o;
  begin(&f);
  ask(&f, &o);
  outcome_free(&o);
  f.world.dealers[5].mode = FAKE_HANGS;
  ask_within(&f, &o, SHORT_MS);
  CU_ASSERT_EQUAL(o.compare->coverage->ok, DEALERS - 1);
  CU_ASSERT_TRUE(is_told(&o, "d00") && is_told(&o, "d01"));
  CU_ASSERT_EQUAL(f.world.run_report_calls, 4);
  CU_ASSERT_EQUAL(f.world.definition_calls, 3);
  outcome_free(&o);
  /* Of a dealer that has none in the period after all, nothing is shown. */
  f.world.dealers[5].mode = FAKE_OK;
  f.world.dealers[1].events[CHATS] = 0;
  ask(&f, &o);
  CU_ASSERT_EQUAL(f.world.run_report_calls, 6);
  CU_ASSERT_TRUE(is_told(&o, "d00"));
  CU_ASSERT_EQUAL(dealer(&o, "d01")->opt_texts_case, 0);
  CU_ASSERT_TRUE(has_caveat(&o, "Chats include texts at 1 of 2 dealers (Dealer 02)"));
  outcome_free(&o);
  fixture_stop(&f);
}

static void without_chats_nothing_is_asked(void)
{
  struct fixture f;
  struct outcome o;
  begin(&f);
  for (size_t i = 0; i < DEALERS; i++)
    f.world.dealers[i].events[CHATS] = 0;
  ask(&f, &o);
  CU_ASSERT_EQUAL(f.world.definition_calls + f.world.run_report_calls, 0);
  CU_ASSERT_FALSE(has_caveat(&o, "Chats"));
  outcome_free(&o);
  fixture_stop(&f);
}

/* Neither the one call nor the other costs the dealer its place in the figures. */
static void what_cannot_be_looked_up_stays_unknown(void)
{
  struct fixture f;
  struct outcome o;
  begin(&f);
  err_set(&f.world.dealers[0].definitions, ERR_UNAVAILABLE, "unavailable", "Google answered 503");
  err_set(&f.world.dealers[1].run_report, ERR_UNAVAILABLE, "unavailable", "Google answered 503");
  ask(&f, &o);
  CU_ASSERT_EQUAL(o.compare->coverage->ok, DEALERS);
  CU_ASSERT_FALSE(is_told(&o, "d00") || is_told(&o, "d01"));
  CU_ASSERT_TRUE(has_caveat(&o, "could not be told apart, at Dealer 00 and Dealer 01;"));
  CU_ASSERT_TRUE(has_caveat(&o, "at 1 of 3 dealers (Dealer 02): register comm_type"));
  outcome_free(&o);
  fixture_stop(&f);
}

static void a_value_that_is_no_count_is_not_believed(void)
{
  static const char *const bad[] = {"", "7.5", "-1", "9223372036854775808", "many"};
  for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
    struct fixture f;
    struct outcome o;
    begin(&f);
    f.world.dealers[0].messages[1][1] = bad[i];
    ask(&f, &o);
    CU_ASSERT_FALSE(is_told(&o, "d00"));
    CU_ASSERT_TRUE(is_told(&o, "d01"));
    outcome_free(&o);
    fixture_stop(&f);
  }
}

FIXTURE_MAIN("aggregate messages",
             TEST(dealers_with_chats_are_asked_and_what_is_registered_once_a_day),
             TEST(where_the_registration_is_kept_it_is_asked_beside_the_fan_out),
             TEST(without_chats_nothing_is_asked), TEST(what_cannot_be_looked_up_stays_unknown),
             TEST(a_value_that_is_no_count_is_not_believed))
