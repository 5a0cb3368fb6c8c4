/* The signs of suspect data at their borders. */
#include <string.h>

#include "aggregate-svc/suspect/suspect.h"
#include "common/base/mem.h"
#include "tests/unit/harness.h"

enum { N = SUSPECT_BASELINE + 28, FIRST = 20000 };

/* A site with 100 sessions a day, 60 of them engaged, and 2 leads. */
struct site {
  int64_t sessions[N], engaged[N], leads[N];
  struct suspect_days days;
};

static void site_init(struct site *s)
{
  for (size_t i = 0; i < N; i++) {
    s->sessions[i] = 100 + (int64_t)(i * 7 % 11);
    s->engaged[i] = 60;
    s->leads[i] = 2;
  }
  s->days = (struct suspect_days){
      FIRST, N, SUSPECT_BASELINE, N, s->sessions, s->engaged, s->leads, 0, false};
}

static void nothing_is_found_at_an_even_site(void)
{
  struct site s;
  struct suspect_findings f = {0};
  site_init(&s);
  suspect_find_days(&f, &s.days);
  for (size_t i = 0; i < SUSPECT_CODES; i++)
    CU_ASSERT_FALSE(f.of[i].found);
  CU_ASSERT_EQUAL(suspect_effects(&f), 0);
}

/* 200 more on each of some days: 2 days are 12 % of the 28 days' sessions, one is half of that. */
static void add_wave(struct site *s, size_t days)
{
  for (size_t i = 0; i < days; i++)
    s->sessions[SUSPECT_BASELINE + 10 + i] += 200;
}

static void a_wave_takes_two_days_and_a_tenth_of_the_sessions(void)
{
  struct site s;
  site_init(&s);
  add_wave(&s, 1);
  CU_ASSERT_FALSE(suspect_traffic(&s.days).found);
  site_init(&s);
  add_wave(&s, 2);
  struct suspect_finding f = suspect_traffic(&s.days);
  CU_ASSERT_TRUE(f.found && f.effects == EFFECT_NO_POOL);
  CU_ASSERT_EQUAL(f.days, 2);
  CU_ASSERT_EQUAL(f.first, FIRST + SUSPECT_BASELINE + 10);
  CU_ASSERT_EQUAL(f.last, FIRST + SUSPECT_BASELINE + 11);
  int64_t all = 0;
  for (size_t i = SUSPECT_BASELINE; i < N; i++)
    all += s.sessions[i];
  CU_ASSERT_DOUBLE_EQUAL(f.amount, 400.0 / (double)all, 0.01);
  /* Engaged visitors make no wave; days that Google may still change are not judged. */
  s.engaged[SUSPECT_BASELINE + 10] += 200;
  CU_ASSERT_FALSE(suspect_traffic(&s.days).found);
  site_init(&s);
  add_wave(&s, 2);
  s.days.complete = SUSPECT_BASELINE + 11;
  CU_ASSERT_FALSE(suspect_traffic(&s.days).found);
  s.days.complete = N;
  s.days.begin = 0; /* without a baseline nothing can be said of most days */
  memset(s.sessions, 0, SUSPECT_BASELINE * sizeof(s.sessions[0]));
  CU_ASSERT_FALSE(suspect_traffic(&s.days).found);
}

/* A week that pools are summed of, of a site where each of some days has 200 sessions more: 28 % of
 * a week. Days are counted from the week's first on. */
enum { WEEK_FIRST = SUSPECT_BASELINE + 7, WEEK_DAYS = 7 };

static bool week_is_left_out(int first_day, size_t days, int64_t more, bool base)
{
  struct site s;
  site_init(&s);
  for (size_t i = 0; i < days; i++)
    s.sessions[WEEK_FIRST + first_day + (int)i] += more;
  size_t from = WEEK_FIRST - SUSPECT_BASELINE; /* nothing earlier is looked at, as in a series */
  struct suspect_days week = {.first = FIRST + (int64_t)from,
                              .n = SUSPECT_BASELINE + WEEK_DAYS,
                              .begin = SUSPECT_BASELINE,
                              .complete = SUSPECT_BASELINE + WEEK_DAYS,
                              .sessions = s.sessions + from,
                              .engaged = s.engaged + from,
                              .leads = s.leads + from,
                              .base = base};
  return suspect_traffic(&week).found;
}

static void a_wave_leaves_each_week_that_it_touches(void)
{
  for (int base = 0; base < 2; base++) {
    /* Wholly within the week, and without a day in it. */
    CU_ASSERT_TRUE(week_is_left_out(1, 3, 200, base));
    CU_ASSERT_FALSE(week_is_left_out(-3, 3, 200, base));
    CU_ASSERT_FALSE(week_is_left_out(7, 3, 200, base));
    /* One odd day within it is chance. */
    for (int day = 0; day < 6; day++)
      CU_ASSERT_FALSE(week_is_left_out(day, 1, 200, base));
    /* Its Monday is the last of three days; its Sunday the first of three. */
    CU_ASSERT_EQUAL(week_is_left_out(-2, 3, 200, base), base);
    CU_ASSERT_EQUAL(week_is_left_out(-1, 2, 200, base), base);
    CU_ASSERT_EQUAL(week_is_left_out(6, 3, 200, base), base);
    /* Its days stand out, but are too few of the sessions. */
    CU_ASSERT_FALSE(week_is_left_out(6, 3, 60, base));
  }
}

/* Waves of three days from each weekday on: the two weeks beside each other have none of it left.
 */
static void no_day_of_a_wave_stays_in_a_pool(void)
{
  for (int first = 0; first < WEEK_DAYS; first++) {
    CU_ASSERT_TRUE(week_is_left_out(first, 3, 200, true));
    bool crosses = first + 3 > WEEK_DAYS;
    CU_ASSERT_EQUAL(week_is_left_out(first - WEEK_DAYS, 3, 200, true), crosses);
  }
}

static void lose(struct site *s, size_t from, size_t days)
{
  memset(&s->sessions[from], 0, days * sizeof(s->sessions[0]));
  memset(&s->engaged[from], 0, days * sizeof(s->engaged[0]));
}

static void three_lost_days_are_a_gap(void)
{
  struct site s;
  site_init(&s);
  lose(&s, SUSPECT_BASELINE + 5, 2);
  CU_ASSERT_FALSE(suspect_gap(&s.days).found);
  lose(&s, SUSPECT_BASELINE + 20, 1); /* not one after the other */
  struct suspect_finding f = suspect_gap(&s.days);
  CU_ASSERT_TRUE(f.found && f.effects == EFFECT_NO_TREND && f.days == 3);
  CU_ASSERT_EQUAL(f.first, FIRST + SUSPECT_BASELINE + 5);
  CU_ASSERT_EQUAL(f.last, FIRST + SUSPECT_BASELINE + 20);
  lose(&s, SUSPECT_BASELINE + 7, 11); /* 14 lost, 14 remain */
  CU_ASSERT_EQUAL(suspect_gap(&s.days).effects, EFFECT_NO_TREND);
  lose(&s, SUSPECT_BASELINE + 21, 1);
  CU_ASSERT_EQUAL(suspect_gap(&s.days).effects, EFFECT_NO_TREND | EFFECT_NO_RATES);
  /* The last days are not finished. */
  site_init(&s);
  lose(&s, N - 3, 3);
  CU_ASSERT_TRUE(suspect_gap(&s.days).found);
  s.days.complete = N - 1;
  CU_ASSERT_FALSE(suspect_gap(&s.days).found);
}

static void days_without_sessions_at_a_tiny_site_are_chance(void)
{
  struct site s;
  site_init(&s);
  for (size_t i = 0; i < N; i++)
    s.sessions[i] = (int64_t)(i % 5); /* 2.5 on a day that has any */
  CU_ASSERT_FALSE(suspect_gap(&s.days).found);
  memset(s.sessions, 0, sizeof(s.sessions)); /* nor is a site without data one with a gap */
  CU_ASSERT_FALSE(suspect_gap(&s.days).found);
  CU_ASSERT_FALSE(suspect_late_start(&s.days).found);
}

static void a_site_that_begins_within_the_period_starts_late(void)
{
  struct site s;
  site_init(&s);
  lose(&s, 0, SUSPECT_BASELINE + 10);
  struct suspect_finding f = suspect_late_start(&s.days);
  CU_ASSERT_TRUE(f.found && f.effects == EFFECT_NO_TREND && f.days == 10);
  CU_ASSERT_EQUAL(f.last, FIRST + SUSPECT_BASELINE + 9);
  CU_ASSERT_FALSE(suspect_gap(&s.days).found);
  s.sessions[3] = 50; /* there was data before: it is a gap */
  CU_ASSERT_FALSE(suspect_late_start(&s.days).found);
  CU_ASSERT_TRUE(suspect_gap(&s.days).found);
}

static void lower(struct site *s, size_t from, size_t to, int64_t percent)
{
  for (size_t i = from; i < to; i++)
    s->sessions[i] = s->sessions[i] * percent / 100;
}

static void fewer_sessions_with_higher_rates_are_a_shift(void)
{
  struct site s;
  site_init(&s);
  lower(&s, SUSPECT_BASELINE + 10, N, 70); /* those engaged stay: the rate rises by 43 % */
  struct suspect_finding f = suspect_shift(&s.days);
  CU_ASSERT_TRUE(f.found && f.effects == EFFECT_NO_TREND);
  CU_ASSERT_EQUAL(f.first, FIRST + SUSPECT_BASELINE + 10);
  CU_ASSERT_EQUAL(f.days, 18);
  CU_ASSERT_DOUBLE_EQUAL(f.amount, 0.7, 0.02);
  /* With unchanged rates it is a dip; one week is not yet a level. */
  for (size_t i = SUSPECT_BASELINE + 10; i < N; i++) {
    s.engaged[i] = 42;
    s.leads[i] = 1;
  }
  CU_ASSERT_FALSE(suspect_shift(&s.days).found);
  site_init(&s);
  lower(&s, N - 7, N, 70);
  CU_ASSERT_FALSE(suspect_shift(&s.days).found);
  /* What recovered has not lasted. */
  site_init(&s);
  lower(&s, SUSPECT_BASELINE + 3, SUSPECT_BASELINE + 18, 60);
  CU_ASSERT_FALSE(suspect_shift(&s.days).found);
}

static void events_that_cease_or_begin_differ_from_rare_ones(void)
{
  struct site s;
  int64_t y[N], day = 0;
  site_init(&s);
  for (size_t i = 0; i < N; i++)
    y[i] = i < N - 4 ? 10 : 0;
  CU_ASSERT_EQUAL(suspect_event(&s.days, y, &day), EVENT_STOPPED);
  CU_ASSERT_EQUAL(day, FIRST + N - 4);
  for (size_t i = 0; i < N; i++)
    y[i] = i < N - 4 ? 2 : 0; /* 8 were expected: chance may do that to one event in many */
  CU_ASSERT_EQUAL(suspect_event(&s.days, y, &day), EVENT_STEADY);
  for (size_t i = 0; i < N; i++)
    y[i] = i < SUSPECT_BASELINE + 6 ? 0 : 3;
  CU_ASSERT_EQUAL(suspect_event(&s.days, y, &day), EVENT_BEGAN);
  CU_ASSERT_EQUAL(day, FIRST + SUSPECT_BASELINE + 6);
  lose(&s, 0, SUSPECT_BASELINE + 6); /* with the site itself: its late start says so */
  CU_ASSERT_EQUAL(suspect_event(&s.days, y, &day), EVENT_STEADY);
  memset(y, 0, sizeof(y));
  CU_ASSERT_EQUAL(suspect_event(&s.days, y, &day), EVENT_STEADY);
}

static void duplicates_take_more_than_1_3_and_of_few_sessions_more_than_chance(void)
{
  /* P(X >= 9) is 0.00024 and P(X >= 8) 0.0011 where 2 of 20 come twice. */
  CU_ASSERT_TRUE(suspect_duplicates(29, 20).found);
  CU_ASSERT_FALSE(suspect_duplicates(28, 20).found);
  CU_ASSERT_TRUE(suspect_duplicates(22, 15).found); /* 0.00093 */
  CU_ASSERT_FALSE(suspect_duplicates(21, 15).found);
  CU_ASSERT_FALSE(suspect_duplicates(28, 14).found); /* too few to say */
  CU_ASSERT_FALSE(suspect_duplicates(39, 30).found);
  CU_ASSERT_TRUE(suspect_duplicates(40, 30).found);
  CU_ASSERT_EQUAL(suspect_duplicates(48, 30).effects, EFFECT_LEADS_BY_SESSION);
  CU_ASSERT_DOUBLE_EQUAL(suspect_duplicates(48, 30).amount, 1.6, 1e-12);
  CU_ASSERT_FALSE(suspect_duplicates(0, 0).found);
}

static void key_events_are_equal_in_any_order(void)
{
  uint64_t a = suspect_signature_add(suspect_signature_add(0, "scroll"), "form_start");
  uint64_t b = suspect_signature_add(suspect_signature_add(0, "form_start"), "scroll");
  CU_ASSERT_EQUAL(a, b);
  CU_ASSERT_NOT_EQUAL(a, suspect_signature_add(0, "scroll"));
  CU_ASSERT_TRUE(suspect_key_events(a, 0).found);
  CU_ASSERT_FALSE(suspect_key_events(a, b).found);
  CU_ASSERT_TRUE(suspect_is_frequent(30, 1000));
  CU_ASSERT_FALSE(suspect_is_frequent(29, 1000));
  CU_ASSERT_FALSE(suspect_is_frequent(0, 0));
}

static void own_hosts_and_tools_are_recognised(void)
{
  CU_ASSERT_TRUE(suspect_same_site("www.ford.example", "ford.example"));
  CU_ASSERT_TRUE(suspect_same_site("ford.example", "shop.Ford.example"));
  CU_ASSERT_FALSE(suspect_same_site("bedford.example", "ford.example"));
  CU_ASSERT_FALSE(suspect_same_site("(direct)", "(direct)"));
  CU_ASSERT_FALSE(suspect_same_site("", ""));
  CU_ASSERT_TRUE(suspect_tool_host("www.routeone.net"));
  CU_ASSERT_TRUE(suspect_tool_host("app.700credit.com"));
  CU_ASSERT_FALSE(suspect_tool_host("notrouteone.net"));
  CU_ASSERT_FALSE(suspect_tool_host("google"));
  CU_ASSERT_TRUE(suspect_self_referral(2, 100).found);
  CU_ASSERT_FALSE(suspect_self_referral(1, 100).found);
  CU_ASSERT_FALSE(suspect_self_referral(0, 0).found);
}

static void every_sign_has_a_name_words_and_a_consequence(void)
{
  for (size_t i = 0; i < SUSPECT_CODES; i++) {
    enum suspect_code code = suspect_by_harm[i];
    struct suspect_finding f = {true, 0, FIRST, FIRST + 2, 3, 0.5};
    AUTO_BUF struct buf b = BUF_INIT(1000);
    suspect_put(&b, code, &f);
    CU_ASSERT_TRUE(b.len > 0);
    CU_ASSERT_TRUE(strlen(suspect_consequence(code, &f)) > 0);
    for (size_t k = 0; k < i; k++)
      CU_ASSERT_STRING_NOT_EQUAL(suspect_name(code), suspect_name(suspect_by_harm[k]));
  }
  struct suspect_finding f = {true, 0, FIRST, FIRST + 2, 3, 0};
  AUTO_BUF struct buf b = BUF_INIT(1000);
  suspect_put(&b, SUSPECT_GAP, &f);
  CU_ASSERT_STRING_EQUAL(buf_str(&b), "3 days without a session (2024-10-04 to 2024-10-06)");
}

TEST_MAIN("suspect data", TEST(nothing_is_found_at_an_even_site),
          TEST(a_wave_takes_two_days_and_a_tenth_of_the_sessions),
          TEST(a_wave_leaves_each_week_that_it_touches), TEST(no_day_of_a_wave_stays_in_a_pool),
          TEST(three_lost_days_are_a_gap), TEST(days_without_sessions_at_a_tiny_site_are_chance),
          TEST(a_site_that_begins_within_the_period_starts_late),
          TEST(fewer_sessions_with_higher_rates_are_a_shift),
          TEST(events_that_cease_or_begin_differ_from_rare_ones),
          TEST(duplicates_take_more_than_1_3_and_of_few_sessions_more_than_chance),
          TEST(key_events_are_equal_in_any_order), TEST(own_hosts_and_tools_are_recognised),
          TEST(every_sign_has_a_name_words_and_a_consequence))
